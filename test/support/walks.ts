import { Secret, TOTP } from 'otpauth'
import { Value } from 'typebox/value'
import { authenticatorsWith } from '../../src/authenticators/index.ts'
import { createSecrets, insecureSeededRandom, randomId } from '../../src/base/index.ts'
import {
  baseAttributes,
  type Enrollment,
  type NewEnrollment,
  type Person,
  type PersonStatus,
} from '../../src/directory/index.ts'
import {
  begin,
  beginByToken,
  decide,
  type Effect,
  type Field,
  type Input,
  isEnd,
  type Outcome,
  onOffer,
  type Progress,
  prospectiveUser,
  type Refusal,
  type Situation,
  type Stage,
  type Step,
  type StepContext,
  settle,
  type TransactionContext,
  type View,
  viewOf,
} from '../../src/flow/index.ts'
import { stepsWith } from '../../src/idx/index.ts'
import { budgetsFrom, limitsOptions, sourceOf } from '../../src/limits/index.ts'
import {
  createHasher,
  insecureFastHash,
  type PasswordHasher,
  passwordEnrollment,
} from '../../src/passwords/index.ts'
import { firstMethods, nothingDemanded, type Policy, unionOf } from '../../src/policies/index.ts'
import { profileFields } from '../../src/registration/index.ts'
import { exampleAuthenticator, exampleCode } from './example-authenticator.ts'
import { type World, worlds } from './worlds.ts'

/**
 * Every way through a transaction, without a server: the real steps accept every answer that a visitor could give, the
 * real `settle` and `decide` say what becomes of it. In memory stand only what the steps read and what the effects would
 * write. The laws of the step table are tested along these walks, and `docs/flow.md` is printed from them.
 */

const now = 1_900_000_000_000
const secrets = createSecrets(['a secret of the walks'])
const random = insecureSeededRandom('walks')
const budgets = budgetsFrom(Value.Parse(limitsOptions, Value.Default(limitsOptions, {})))
const hasher = remembering(createHasher({ parameters: insecureFastHash, concurrency: 1, queue: 10 }))

export const authenticators = new Map([
  // One that nothing here finishes has no walk to an end; test/wire/okta-verify.test.ts takes its steps.
  ...[...authenticatorsWith(hasher)].filter(([, { finishedElsewhere }]) => finishedElsewhere !== true),
  [exampleAuthenticator.key, exampleAuthenticator],
])
export const steps = stepsWith(authenticators)

const userId = '00u1'
const login = 'mary@example.com'
const password = 'what was chosen first'
const newPassword = 'what was chosen after it'
const passwordHash = await hasher.hash(password)
const totpSecret = new Secret({ size: 20 }).base32

/** Where one transaction is, and what is stored of its user by then. */
export interface State {
  readonly world: World
  readonly progress: Progress
  readonly person: Person
  readonly enrollments: readonly Enrollment[]
  /** The code of the last mail that was sent to a user. */
  readonly mailed?: string
  readonly view: View
}

/** A step that was taken, and where it led. */
export interface Move {
  readonly from: State
  readonly step: Step
  readonly to: State
  /** The stage that was decided: also one at which a transaction ends and never rests. */
  readonly leadsTo: Stage
  readonly refusal: Refusal | undefined
  /** The budgets that the answer is charged to, by their purpose and in their order. */
  readonly charges: readonly string[]
  /** What a token would say was proven, at the end of a sign-in. */
  readonly amr: readonly string[] | undefined
}

export interface Explored {
  readonly world: World
  readonly states: readonly State[]
  readonly moves: readonly Move[]
}

const personWith = (status: PersonStatus): Person => ({
  id: userId,
  status,
  profile: { login, email: login },
  createdAt: now,
  updatedAt: now,
  statusChangedAt: now,
  passwordChangedAt: now,
  lastLoginAt: null,
  version: 1,
})

const stored = (put: NewEnrollment): Enrollment => ({
  ...put,
  id: randomId(random, put.prefix),
  name: null,
  status: 'ACTIVE',
  stored: '',
  counter: put.counter ?? 0,
  settlesAt: put.settlesAt ?? null,
  version: 1,
  createdAt: now,
  updatedAt: now,
  lastUsedAt: null,
})

const enrollmentsIn = ({ user: { has = [], passwordSetBy } }: World): readonly Enrollment[] => [
  stored(
    passwordEnrollment(userId, {
      hash: passwordHash,
      history: [],
      ...(passwordSetBy !== undefined && { setBy: passwordSetBy }),
    }),
  ),
  ...has.map((authenticator) =>
    stored({
      personId: userId,
      authenticator,
      prefix: 'uft',
      method: authenticators.get(authenticator)?.methods[0].type ?? '',
      data: { sealedSecret: secrets.seal('totp secret', totpSecret) },
    }),
  ),
]

/** The walks hash and compare the same few passwords tens of thousands of times: each is computed once. */
function remembering(hashes: PasswordHasher): PasswordHasher {
  const known = new Map<string, Promise<unknown>>()
  function once<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const computed = (known.get(key) as Promise<T> | undefined) ?? compute()
    known.set(key, computed)
    return computed
  }
  return {
    ...hashes,
    hash: (typed) => once(`hash ${typed}`, () => hashes.hash(typed)),
    verify: (typed, hash) => once(`verify ${hash} ${typed}`, () => hashes.verify(typed, hash)),
  }
}

/** The user of a transaction; undefined for an unknown one. */
const userOf = ({ person, progress }: Pick<State, 'person' | 'progress'>): Person | undefined => {
  if (progress.subject?.userId === person.id) return person
  return progress.registration && prospectiveUser(secrets, progress.registration)
}

/** As `Policies.beforeProof` makes it of all policies. */
function policyBeforeProof({ policy, everyone = policy }: World): Policy {
  const all = [everyone, policy]
  const every = [...authenticators.values()]
  const usable = [...authenticators.values()].filter(({ key }) =>
    all.some(({ signOn }) => signOn.authenticators.includes(key)),
  )
  return {
    ...everyone,
    recovery: {
      ...everyone.recovery,
      ...unionOf(
        all.map(({ recovery }) => recovery),
        every,
      ),
    },
    unlock: {
      ...everyone.unlock,
      ...unionOf(
        all.map(({ unlock }) => unlock),
        every,
      ),
    },
    signOn: {
      ...everyone.signOn,
      demand: nothingDemanded,
      authenticators: firstMethods(
        all.map(({ signOn }) => signOn),
        usable,
      ),
    },
  }
}

type Facts = Omit<State, 'view'>

function situationOf(facts: Facts, checksAccess: boolean): Situation {
  const { world, progress, enrollments } = facts
  const person = userOf(facts)
  const implicit = [...authenticators.values()].filter((one) => one.implicit).map(({ key }) => key)
  const isProven = progress.proofs.length > 0 && person !== undefined
  return {
    ownPolicy: person === undefined ? (world.everyone ?? world.policy) : world.policy,
    policyBeforeProof: policyBeforeProof(world),
    authenticators,
    person,
    assigned: isProven && checksAccess ? world.assigned : undefined,
    ...(isProven && world.missing && { missing: world.missing }),
    asksFirst: new Set(
      [...authenticators.values()]
        .filter(({ challenge, key }) =>
          challenge?.asksFirst?.(
            clientOf(world),
            isProven ? enrollments.filter(({ authenticator }) => authenticator === key) : [],
          ),
        )
        .map(({ key }) => key),
    ),
    ...(world.registration && { registration: world.registration }),
    enrolled: new Set([
      ...(progress.intent === 'registration' ? [] : implicit),
      ...(isProven ? enrollments.map((one) => one.authenticator) : []),
    ]),
  }
}

const client: TransactionContext['client'] = {
  id: '0oa1',
  label: 'App',
  status: 'ACTIVE',
  secrets: [],
  settings: { applicationType: 'browser', redirectUris: [], postLogoutRedirectUris: [], grantTypes: [] },
}
const clientOf = ({ asksMethod = false }: World): TransactionContext['client'] => ({
  ...client,
  settings: { ...client.settings, emailMethodChoice: asksMethod },
})
const interaction: TransactionContext['interaction'] = {
  id: 'int1',
  clientId: client.id,
  issuer: '',
  redirectUri: '',
  codeChallenge: '',
  request: { scope: 'openid', state: '', nonce: '' },
  origin: { vouched: false, ip: '192.0.2.1' },
  createdAt: now,
  expiresAt: now,
  sessionId: null,
}

function loaded(facts: Facts, checksAccess: boolean): TransactionContext {
  const situation = situationOf(facts, checksAccess)
  const { progress, enrollments } = facts
  const times = { createdAt: now, updatedAt: now, expiresAt: now }
  const ids = { id: 'txn1', stateHandle: '', interactionId: interaction.id }
  return {
    transaction: {
      ...ids,
      ...times,
      keyVersion: secrets.version,
      ordinal: 0,
      version: 0,
      stepsTaken: [],
      progress,
    },
    stage: decide(progress, situation).stage,
    situation,
    interaction,
    client: clientOf(facts.world),
    profileForm:
      progress.intent === 'registration' && progress.subject === undefined && facts.world.registration
        ? profileFields(facts.world.registration, { base: baseAttributes, custom: {}, updatedAt: 0 })
        : undefined,
    person: userOf(facts),
    lockIsOver: false,
    enrollments: userOf(facts) === undefined ? [] : enrollments,
  }
}

/** A transaction with what is shown of it. */
export const stateOf = (facts: Facts): State => ({
  ...facts,
  view: viewOf({ authenticators, secrets }, loaded(facts, false)),
})

function contextOf(facts: Facts, checksAccess = false): StepContext {
  const context = loaded(facts, checksAccess)
  const isSpent = ({ purpose }: { readonly purpose: string }) => facts.world.spent?.includes(purpose) === true
  return {
    ...viewOf({ authenticators, secrets }, context),
    now,
    random,
    secrets,
    budgets,
    source: sourceOf(interaction),
    interaction,
    person: context.person,
    ownPolicy: context.situation.ownPolicy,
    directory: {
      findByIdentifier: async (identifier) =>
        identifier === facts.person.profile.login ? facts.person : undefined,
      find: async (personId) => (facts.person?.id === personId ? facts.person : undefined),
      enrollment: async <Data>(personId: string, key: string) =>
        facts.enrollments.find((one) => one.personId === personId && one.authenticator === key) as
          | Enrollment<Data>
          | undefined,
      enrollments: async <Data>(personId: string, key: string) =>
        facts.enrollments.filter(
          (one) => one.personId === personId && one.authenticator === key,
        ) as readonly Enrollment<Data>[],
      findByHandle: async (handle) =>
        facts.enrollments.some((one) => one.handle === handle) ? facts.person : undefined,
      isSlotTaken: async () => false,
      userSchema: async () => ({ base: baseAttributes, custom: {}, updatedAt: 0 }),
    },
    about: async (progress) => contextOf({ ...facts, progress }, true),
    used: async (uses) => uses.map(({ budget }) => (isSpent(budget) ? budget.limit : 0)),
    peek: async (uses) =>
      uses.map(({ budget }) => ({ used: isSpent(budget) ? budget.limit : 0, resetsAt: now + 60_000 })),
    isKnownSource: () => false,
    claim: () => {},
    chargeMail: async () => undefined,
    chargeText: async () => undefined,
    linkFor: (token) => `https://rekey.example/${token}`,
    org: { name: 'Rekey', baseUrl: 'https://rekey.example' },
    lifetimes: { code: 300_000, notice: 300_000 },
  }
}

/** What a visitor could type into a field: whatever may be right there, and what is wrong everywhere. */
function textsFor({ name, secret: isPassword }: Field, { mailed, progress }: State): readonly string[] {
  if (name === 'identifier') return [login, 'nobody@example.com']
  if (name === 'phoneNumber') return ['+15555550100']
  if (name === 'email') return ['new@example.com', login, 'none']
  if (name === 'city') return ['<b>', 'Wien']
  if (name !== 'passcode') throw new Error(`test/support/walks.ts: say what to type into ${name}`)
  if (isPassword) return ['wrong', password, newPassword]
  const { sealedSecret = '' } = (progress.challenge?.data ?? {}) as { readonly sealedSecret?: string }
  const secret = secrets.open('totp secret', sealedSecret) ?? totpSecret
  const totp = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now })
  return ['wrong', totp, exampleCode, ...(mailed === undefined ? [] : [mailed])]
}

/** Every way to fill in a form. */
function inputsOf(fields: readonly Field[], state: State): readonly Input[] {
  let inputs: readonly Input[] = [{}]
  for (const field of fields) {
    inputs = inputs.flatMap((input) =>
      valuesOf(field, state).map((value) =>
        value === undefined ? input : { ...input, [field.name]: value },
      ),
    )
  }
  return inputs
}

function valuesOf(field: Field, state: State): readonly unknown[] {
  if (field.fixed !== undefined) return [field.fixed]
  if (field.options !== undefined) return field.options.flatMap(({ fields }) => inputsOf(fields, state))
  if (field.fields !== undefined) return inputsOf(field.fields, state)
  const values =
    field.type === 'boolean' ? [] : (field.values?.map(({ value }) => value) ?? textsFor(field, state))
  return field.required ? values : [undefined, ...values]
}

/** What stands in the place of an outcome whose budgets are used up, as `resolveCharges` finds it. */
function charged(outcome: Outcome, spent: readonly string[] = []): Outcome {
  const found = outcome.charges?.find(({ budget }) => spent.includes(budget.purpose))
  return found === undefined ? outcome : charged(found.otherwise, spent)
}

/** What is stored once the effects are carried out. */
function written(facts: Facts, effects: readonly Effect[] = []): Facts {
  let { person, enrollments, mailed } = facts
  for (const effect of effects) {
    if (effect.type === 'person.create') {
      person = { ...personWith('PROVISIONED'), id: effect.person.id, profile: effect.person.profile }
      enrollments = []
    } else if (effect.type === 'person.update') {
      if (effect.from?.includes(person.status) === false) continue
      person = { ...person, status: effect.changes.status ?? person.status }
    } else if (effect.type === 'enrollment.put') {
      const { authenticator } = effect.enrollment
      const others = enrollments.filter((one) => one.authenticator !== authenticator)
      enrollments = [...others, stored(effect.enrollment)]
    } else if (effect.type === 'enrollment.advance') {
      const { id, counter } = effect
      enrollments = enrollments.map((one) => (one.id === id ? { ...one, counter } : one))
    } else if (effect.type === 'mail.queue' && effect.mail.recipient !== null) {
      const { verificationToken, oneTimePassword } = effect.mail.variables
      mailed = verificationToken ?? oneTimePassword ?? mailed
    }
  }
  return { ...facts, person, enrollments, ...(mailed !== undefined && { mailed }) }
}

/** One form sent, as `submit` and `commit` take it: the first step on offer at its path accepts it. */
async function take(from: State, step: Step, input: Input): Promise<Move> {
  const taking = onOffer(steps, from.view).find(({ path }) => path === step.path) ?? step
  const wanted = await taking.accept(input, contextOf(from))
  const moves = wanted.progress !== from.progress
  const situation = situationOf({ ...from, progress: wanted.progress }, moves)
  const outcome = charged(wanted, from.world.spent)
  const { stage } = decide(outcome.progress, situation)
  const { outcome: settled, grant } = settle(outcome, situation, authenticators)
  const to = stateOf({ ...written(from, settled.effects), progress: settled.progress })
  const leadsTo = isEnd(stage) && stage !== 'closed' ? stage : to.view.stage
  const charges = (wanted.charges ?? []).map(({ budget }) => budget.purpose)
  return { from, step, to, leadsTo, refusal: settled.refused, charges, amr: grant?.amr }
}

/** Where the steps on offer lead, by every answer. */
export async function movesFrom(state: State): Promise<readonly Move[]> {
  if (state.view.stage === 'closed') return []
  const moves: Move[] = []
  for (const step of onOffer(steps, state.view)) {
    for (const input of inputsOf(step.fields(state.view), state)) moves.push(await take(state, step, input))
  }
  return moves
}

/** How a transaction begins: from nothing, or with a recovery token that an administrator made. */
export function beginningsIn(world: World): readonly State[] {
  const person = personWith(world.user.status)
  const token = beginByToken({ identifier: login, userId: person.id }, { tokenId: 'token', at: now })
  return [begin(), token].map((progress) =>
    stateOf({ world, progress, person, enrollments: enrollmentsIn(world) }),
  )
}

/** Two states are the same where nothing differs but what was drawn by chance. */
const keyOf = ({ progress, person, enrollments }: State): string => {
  const { challenge, ...facts } = progress
  const { data: _, linkHash, ...asked } = challenge ?? {}
  // An id of its own, and what is sealed.
  const isOfNew = facts.registration !== undefined
  const same = isOfNew
    ? {
        ...facts,
        registration: facts.registration?.password === undefined,
        subject: facts.subject?.userId !== undefined,
      }
    : facts
  const has = enrollments.map(({ authenticator, counter }) => `${authenticator} ${counter}`)
  return JSON.stringify([same, asked, linkHash !== undefined, person.status, has])
}

/** Everything that can be reached in a world, and every move between. */
export async function explore(world: World): Promise<Explored> {
  const states = new Map<string, State>()
  const moves: Move[] = []
  const waiting = [...beginningsIn(world)]
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    if (states.has(keyOf(state))) continue
    states.set(keyOf(state), state)
    for (const move of await movesFrom(state)) {
      moves.push(move)
      waiting.push(move.to)
    }
  }
  return { world, states: [...states.values()], moves }
}

/** Every world, explored. */
export async function exploreAll(): Promise<readonly Explored[]> {
  const all: Explored[] = []
  for (const world of worlds) all.push(await explore(world))
  return all
}
