import { compareKey, type NewEnrollment, type Person } from '../../directory/index.ts'
import {
  type Authenticator,
  accountSubject,
  type Effect,
  type Input,
  isMistyped,
  type Judgement,
  lockoutBudget,
  maySignIn,
  nameSubject,
  passwordChangedEffects,
  type Refusal,
  type StepContext,
  textAt,
} from '../../flow/index.ts'
import { type Use, usesOfPool } from '../../limits/index.ts'
import {
  type HashCaller,
  isCommonPassword,
  meetsRules,
  newPassword,
  type PasswordData,
  type PasswordHasher,
  passwordEnrollment,
  passwordKey,
  requirementsSentence,
  tooLongSentence,
  wasUsed,
} from '../../passwords/index.ts'
import { isTooLong, type PasswordRules, passwordRuleTable, passwordSettings } from '../../policies/index.ts'

const key = passwordKey
const field = 'credentials.passcode'
/**
 * The password authenticator: argon2id hashes, the rules of the policy, common passwords, history and age. Verifying
 * takes one hash whether or not the user, or a password, exists.
 */
export function passwordAuthenticator(hasher: PasswordHasher): Authenticator {
  return {
    key,
    type: 'password',
    displayName: 'Password',
    factors: ['knowledge'],
    traits: [],
    methods: [{ type: 'password', amr: ['pwd'] }],
    first: true,
    recovers: false,
    initialStatus: 'ACTIVE',
    implicit: false,
    enrollmentPrefix: 'lae',
    factor: {
      kinds: [
        { factorType: 'password', provider: 'OKTA', vendorName: 'OKTA', method: 'password', idPrefix: 'laf' },
      ],
      profile: () => ({}),
      refuses: {
        enroll: 'a password is set by credentials.password of the user',
        verify: 'a password is checked by a sign-in, or by credentials/change_password of the user',
        remove: 'a password is invalidated by lifecycle/reset_password of the user',
      },
    },
    challenge: {
      withIdentifier: true,
      async start({ now, lifetimes }) {
        const expiresAt = now + lifetimes.code * 6
        const asked = { authenticator: key, method: 'password', purpose: 'verify' } as const
        return { challenge: { ...asked, startedAt: now, expiresAt, data: null }, effects: [] }
      },
      admit: (input, context) => ({
        isReadable: isReadable(input),
        uses: [byNameOf(context)],
        refusal: wrongPassword,
      }),
      judge: (input, context) => judge(hasher, input, context),
      fields: () => [
        {
          name: 'credentials',
          type: 'object',
          required: true,
          fields: [{ name: 'passcode', label: 'Password', secret: true }],
        },
      ],
      resends: false,
    },
    // In an activation: everywhere else a password is replaced, by the steps of `reset`.
    enroll: {
      async start({ now, lifetimes }) {
        const expiresAt = now + lifetimes.code * 6
        const asked = { authenticator: key, method: 'password', purpose: 'enroll' } as const
        return { challenge: { ...asked, startedAt: now, expiresAt, data: null }, effects: [] }
      },
      fields: () => [
        {
          name: 'credentials',
          type: 'object',
          required: true,
          fields: [{ name: 'passcode', label: 'Enter password', secret: true }],
        },
      ],
      judge: (input, context) => judgeFirst(hasher, input, context),
      resends: false,
    },
    reset: {
      fields: (policy) => [
        {
          name: 'credentials',
          type: 'object',
          required: true,
          fields: [
            { name: 'passcode', label: 'New password', secret: true },
            ...(policy.recovery.offerRevokeSessions
              ? [
                  {
                    name: 'revokeSessions',
                    type: 'boolean' as const,
                    label: 'Sign me out of all other devices',
                  },
                ]
              : []),
          ],
        },
      ],
      settings: passwordSettings,
      accept: (input, context, person) => accept(hasher, input, context, person),
    },
    messages: {
      'errors.E0000004': { class: 'ERROR', text: 'Authentication failed' },
      'password.passwordRequirementsNotMet': {
        class: 'ERROR',
        text: 'Password requirements were not met. {0}',
      },
      'password.common': {
        class: 'ERROR',
        text: 'This password was found in a list of commonly used passwords. Please try another password.',
      },
    },
  }
}

type Judged = Exclude<Judgement, { verdict: 'unreadable' }>

const wrongPassword: Refusal = { status: 401, key: 'errors.E0000004' }

const isReadable = (input: Input): boolean => {
  const password = textAt(input, field)
  return password !== undefined && password !== '' && !isMistyped(input, field)
}

/** By the name as typed and the source: used up, nothing more is hashed for them. It depends on nothing that is stored. */
const byNameOf = ({ budgets, progress, secrets, source }: StepContext): Use => ({
  budget: budgets.passwordsByName,
  subject: `${nameSubject(secrets, progress.subject?.identifier ?? '')} ${source.key}`,
})

const callerOf = ({ progress, recheck, signal, source }: StepContext): HashCaller => ({
  source: source.key,
  account: compareKey(progress.subject?.identifier ?? ''),
  signal,
  recheck,
})

async function judge(hasher: PasswordHasher, input: Input, context: StepContext): Promise<Judgement> {
  const password = textAt(input, field)
  if (password === undefined || !isReadable(input)) return { verdict: 'unreadable' }
  const { budgets, person, ownPolicy, policy, progress, secrets, source } = context
  context.claim()
  const caller = callerOf(context)
  const credential = await context.directory.enrollment<PasswordData>(person?.id ?? '', key)
  // Only these users sign in by password; for all others, known or not, the same hash is computed for nothing.
  const mayTry = maySignIn(person) || person?.status === 'PASSWORD_EXPIRED'
  const stored = mayTry ? credential?.data : undefined
  const right =
    (await hasher.verify(isTooLong(password) ? '' : password, stored?.hash, caller)) && person !== undefined
  const account = accountSubject(secrets, progress.subject?.identifier ?? '', person)
  const last = policy.lockout.maxAttempts > 0 ? lockOf(context, account) : undefined
  const daysToExpiry = right ? daysToExpiryOf(person, context) : undefined
  const outdated = right && credential !== undefined && hasher.isOutdated(credential.data.hash, password)
  return {
    verdict: right ? 'right' : 'wrong',
    expired: right && isExpired(person, context),
    ...(daysToExpiry !== undefined && { daysToExpiry }),
    ...(ownPolicy.recovery.countsAsOneFactor && { setBy: stored?.setBy }),
    visible: [byNameOf(context)],
    budgets: [
      ...usesOfPool(budgets.passwords, source, {
        subject: account,
        // With a new password all sources have their shares again.
        ofShare: `${account} ${person?.passwordChangedAt}`,
        known: context.isKnownSource(person),
      }),
    ],
    ...(last && { last }),
    effects: [
      ...(outdated
        ? [
            {
              type: 'enrollment.rehash',
              id: credential.id,
              from: credential.stored,
              data: {
                ...credential.data,
                hash: await hasher.hash(password, { ...caller, recheck: undefined }),
              } satisfies PasswordData,
            } as const,
          ]
        : []),
      ...(right && last !== undefined
        ? [{ type: 'budget.clear', budget: last.budget, subject: account } as const]
        : []),
    ],
    refusal: wrongPassword,
    rule: person === undefined ? 'nobody' : mayTry ? 'wrong-password' : `status ${person.status}`,
  }
}

/**
 * What the last wrong password that the policy allows does. The same is written of unknown and of locked users (A02), and
 * of users whose own policy locks no account while that of a group does (A53).
 */
function lockOf(context: StepContext, account: string): NonNullable<Judged['last']> {
  const { client, person, ownPolicy, policy, progress } = context
  const identifier = progress.subject?.identifier ?? 'unknown'
  const isBinding = ownPolicy.lockout.maxAttempts > 0
  const locks = isBinding && person?.status === 'ACTIVE'
  const { maxAttempts } = isBinding ? ownPolicy.lockout : policy.lockout
  return {
    isBinding,
    budget: lockoutBudget(ownPolicy, maxAttempts, isBinding && person !== undefined),
    // In a row of its own: were the user's policy to lock accounts one day, these attempts were not counted towards it.
    subject: isBinding ? account : `${account} unlocked`,
    effects: [
      {
        type: 'person.update',
        personId: locks ? person.id : '',
        changes: { status: 'LOCKED_OUT' },
        // A user whose lockout has elapsed counts as active, and is stored as locked.
        from: ['ACTIVE', 'LOCKED_OUT'],
      },
      // An unknown user logs a SKIPPED event, so that both cases write one row.
      {
        type: 'audit.record',
        event: {
          eventType: 'user.account.lock',
          displayMessage: 'Max sign in attempts exceeded',
          outcome: { result: locks ? 'SUCCESS' : 'SKIPPED' },
          actor: { id: person?.id ?? 'unknown', type: 'User', alternateId: identifier },
          target: [
            ...(person ? [{ id: person.id, type: 'User' }] : []),
            { id: client.id, type: 'AppInstance', displayName: client.label },
          ],
        },
      },
    ],
  }
}

/** Whether a password must be replaced before it signs in: an administrator said so, or it is too old. */
function isExpired(person: Person, { now, ownPolicy }: StepContext): boolean {
  const { maxAgeDays } = ownPolicy.password
  const changedAt = person.passwordChangedAt ?? person.createdAt
  return (
    person.status === 'PASSWORD_EXPIRED' || (maxAgeDays > 0 && now >= changedAt + maxAgeDays * 86_400_000)
  )
}

/** In how many days the password expires, begun ones counted; undefined where the policy does not warn of it yet. */
function daysToExpiryOf(person: Person, { now, ownPolicy }: StepContext): number | undefined {
  const { expireWarnDays, maxAgeDays } = ownPolicy.password
  if (expireWarnDays === 0 || maxAgeDays === 0) return undefined
  const expiresAt = (person.passwordChangedAt ?? person.createdAt) + maxAgeDays * 86_400_000
  const days = Math.ceil((expiresAt - now) / 86_400_000)
  return days <= expireWarnDays ? days : undefined
}

async function accept(
  hasher: PasswordHasher,
  input: Input,
  context: StepContext,
  person: Person,
): Promise<{ readonly refused: Refusal } | { readonly enrollment: NewEnrollment }> {
  const password = textAt(input, field)
  if (password === undefined || password === '') {
    return { refused: { status: 400, key: 'model.validation.field.blank', field } }
  }
  const rules = context.ownPolicy.password
  const before = await context.directory.enrollment<PasswordData>(person.id, key)
  const caller = callerOf(context)
  context.claim()
  const refused = await violation(hasher, password, rules, person, before?.data, caller)
  if (refused !== undefined) return { refused }
  const data = await newPassword(hasher, password, before?.data, caller)
  const setBy = setByOf(context)
  return { enrollment: passwordEnrollment(person.id, { ...data, ...(setBy !== undefined && { setBy }) }) }
}

/**
 * A first password. It is no change of one, so no notice leaves. The user is active, and the token used up, where the transaction ends
 * (`settle`): what else the policy requires comes before.
 */
async function judgeFirst(hasher: PasswordHasher, input: Input, context: StepContext): Promise<Judgement> {
  const { person } = context
  if (person === undefined || isMistyped(input, field)) return { verdict: 'unreadable' }
  const result = await accept(hasher, input, context, person)
  if ('refused' in result) return { verdict: 'unreadable', refusal: result.refused }
  const effects = passwordChangedEffects(context, person, result.enrollment, false)
  return {
    verdict: 'right',
    budgets: [],
    effects: effects.flatMap((effect): Effect[] => {
      if (effect.type === 'codes.end') return []
      if (effect.type !== 'person.update') return [effect]
      const { status: _, ...changes } = effect.changes
      return [{ ...effect, changes }]
    }),
    refusal: wrongPassword,
  }
}

/**
 * What alone proved the recovery in which a password is set. Undefined where something that starts no recovery was proven,
 * too: the old password, or a second factor. A token that an administrator made is not counted, as its maker vouches.
 */
function setByOf({
  progress: { intent, proofs },
  authenticators,
  ownPolicy,
}: StepContext): string | undefined {
  const begins = (key: string) =>
    authenticators.get(key)?.recovers === true || ownPolicy.recovery.authenticators.includes(key)
  // Of a user who is being made there is nothing to recover.
  if (intent === 'registration') return undefined
  const isIndependent = proofs.some(
    ({ authenticator }) => authenticators.has(authenticator) && !begins(authenticator),
  )
  if (isIndependent) return undefined
  return proofs.find(({ authenticator }) => begins(authenticator))?.authenticator
}

/**
 * What is wrong with a new password, or undefined. The expensive checks (hashes) come last. The minimum age is not among
 * them: it is for voluntary changes, and would keep an owner from recovering after a thief's change.
 */
async function violation(
  hasher: PasswordHasher,
  password: string,
  rules: PasswordRules,
  person: Person,
  before: PasswordData | undefined,
  caller: HashCaller,
): Promise<Refusal | undefined> {
  const unmet: Refusal = {
    status: 400,
    key: passwordRuleTable.minLength.message,
    params: [isTooLong(password) ? tooLongSentence : requirementsSentence(rules, person.profile)],
    field,
  }
  if (!meetsRules(password, rules, person.profile)) return unmet
  if (rules.excludeCommon && (await isCommonPassword(password))) {
    return { status: 400, key: passwordRuleTable.excludeCommon.message, params: [''], field }
  }
  return (await wasUsed(hasher, password, rules, before, caller)) ? unmet : undefined
}
