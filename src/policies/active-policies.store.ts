import { type Random, randomId } from '../base/index.ts'
import type { Db } from '../storage/index.ts'
import { type AccessRuleBody, assuranceOf, firstMethods } from './assurance.ts'
import {
  type AuthenticatorSetup,
  authenticatorsInUse,
  isAllowedFor,
  methodsOffIn,
} from './authenticator-settings.store.ts'
import { appliesTo, dependsOnApp, type PolicySubject } from './conditions.ts'
import type { DeepPartial } from './deep-partial.ts'
import { type AuthenticatorFacts, nothingDemanded } from './demand.ts'
import {
  type EnrollmentPolicyBody,
  type EnrollmentRuleBody,
  enrollmentPolicyFrom,
  notAllowedBy,
} from './enrollment-policy.ts'
import type { PoliciesOptions, RecoveryOptions, SignOnOptions, SignUpOptions } from './options.ts'
import {
  accessRuleBody,
  browserSessionBy,
  lockoutFrom,
  lockoutOf,
  type PasswordPolicyBody,
  type PasswordRuleBody,
  type Policy,
  passwordPolicyBody,
  passwordRuleBody,
  passwordRulesFrom,
  passwordRulesOf,
  recoveryFrom,
  remembersByDefault,
  type SelfService,
  type SignOnRuleBody,
  signOnRuleBody,
  stepUpRequired,
  unionOf,
  unlockAllowed,
  unlockFrom,
  withSession,
} from './policy.ts'
import { type RegistrationPolicy, registrationFrom, registrationRuleBody } from './registration.ts'

export type PolicyType = 'PASSWORD' | 'OKTA_SIGN_ON' | 'ACCESS_POLICY' | 'MFA_ENROLL' | 'PROFILE_ENROLLMENT'

export interface ActivePolicy {
  readonly id: string
  readonly name: string
  readonly type: PolicyType
  readonly system: boolean
  readonly body: unknown
  readonly rules: readonly unknown[]
}

/** The policies of the configuration file, from which the default policies in the database are written. */
interface PolicyOptions {
  readonly policies: PoliciesOptions
  readonly recovery: RecoveryOptions
  readonly signOn: SignOnOptions
  readonly signUp: SignUpOptions
}

/**
 * Writes the default policies where they are missing, and again where the configuration has changed since they were last
 * written: an edited file takes effect at the next start, an unchanged one does not undo edits over the management API.
 */
export async function seedPolicies(db: Db, options: PolicyOptions, context: SeedContext): Promise<void> {
  await seedRegistration(db, options, context)
  const wanted = JSON.stringify([options.policies, options.signOn])
  if ((await seededFrom(db, 'policies.seed')) === wanted) return

  const { password } = options.policies
  await putDefaultPolicy(
    db,
    context,
    'PASSWORD',
    'Default Policy',
    passwordPolicyBody(passwordRulesOf(password), lockoutOf(password)),
    passwordRuleBody(password),
  )
  await putDefaultPolicy(db, context, 'OKTA_SIGN_ON', 'Default Policy', {}, signOnRuleBody(options.signOn))
  await putDefaultPolicy(db, context, 'ACCESS_POLICY', 'Any app', {}, accessRuleBody(options.signOn))
  await noteSeed(db, 'policies.seed', wanted)
}

const seededFrom = async (db: Db, key: string): Promise<string | undefined> =>
  (await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst())?.value

const noteSeed = async (db: Db, key: string, value: string): Promise<void> => {
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}

/**
 * The default profile enrollment policy, by itself: what else the configuration says of sign-up is read at each use. An older version
 * stored policies of this type and let no visitor sign up. They are closed once, so that an upgrade opens nothing.
 */
async function seedRegistration(db: Db, { signUp }: PolicyOptions, context: SeedContext): Promise<void> {
  const wanted = JSON.stringify({ open: signUp.open === true })
  const seeded = await seededFrom(db, 'policies.seed.registration')
  if (seeded === wanted) return
  if (seeded === undefined) await closeRegistration(db, context.now)
  const rule = registrationRuleBody(signUp.open === true ? 'REGISTER' : 'DENY')
  await putDefaultPolicy(db, context, 'PROFILE_ENROLLMENT', 'Default Policy', {}, rule)
  await noteSeed(db, 'policies.seed.registration', wanted)
}

async function closeRegistration(db: Db, now: number): Promise<void> {
  const rules = await db
    .selectFrom('policy_rules')
    .innerJoin('policies', 'policies.id', 'policy_rules.policy_id')
    .select(['policy_rules.id', 'policy_rules.body'])
    .where('policies.type', '=', 'PROFILE_ENROLLMENT')
    .execute()
  for (const { id, body } of rules) {
    const rule = JSON.parse(body) as { readonly actions?: { readonly profileEnrollment?: object } }
    const profileEnrollment = { ...rule.actions?.profileEnrollment, unknownUserAction: 'DENY' }
    const closed = JSON.stringify({ ...rule, actions: { ...rule.actions, profileEnrollment } })
    await db.updateTable('policy_rules').set({ body: closed, updated_at: now }).where('id', '=', id).execute()
  }
}

type SeedContext = { readonly random: Random; readonly now: number; readonly everyoneId: string }

async function putDefaultPolicy(
  db: Db,
  context: SeedContext,
  type: PolicyType,
  name: string,
  settings: object,
  rule: object,
): Promise<void> {
  const { now } = context
  // Who makes an account is in no group yet.
  const conditions =
    type === 'PROFILE_ENROLLMENT' ? null : { people: { groups: { include: [context.everyoneId] } } }
  const body = JSON.stringify({ ...settings, conditions })
  const ruleBody = JSON.stringify(rule)
  const existing = await db
    .selectFrom('policies')
    .select('id')
    .where('type', '=', type)
    .where('system', '=', 1)
    .executeTakeFirst()
  if (existing !== undefined) {
    await db.updateTable('policies').set({ body, updated_at: now }).where('id', '=', existing.id).execute()
    await db
      .updateTable('policy_rules')
      .set({ body: ruleBody, updated_at: now })
      .where('policy_id', '=', existing.id)
      .where('system', '=', 1)
      .execute()
    return
  }
  const isOfApps = type === 'ACCESS_POLICY' || type === 'PROFILE_ENROLLMENT'
  const id = randomId(context.random, isOfApps ? 'rst' : '00p')
  const common = { status: 'ACTIVE', priority: 1, system: 1, created_at: now, updated_at: now }
  await db
    .insertInto('policies')
    .values({ ...common, id, type, name, body })
    .execute()
  await db
    .insertInto('policy_rules')
    .values({
      ...common,
      id: randomId(context.random, '0pr'),
      policy_id: id,
      name: 'Default Rule',
      body: ruleBody,
    })
    .execute()
}

/** The active policies in the order of evaluation, each with its active rules in theirs. The built-in ones are last. */
export async function activePolicies(db: Db): Promise<readonly ActivePolicy[]> {
  const rows = await db
    .selectFrom('policies')
    .innerJoin('policy_rules', 'policy_rules.policy_id', 'policies.id')
    .select([
      'policies.id',
      'policies.type',
      'policies.name',
      'policies.system',
      'policies.body',
      'policy_rules.body as rule_body',
    ])
    .where('policies.status', '=', 'ACTIVE')
    .where('policy_rules.status', '=', 'ACTIVE')
    .orderBy('policies.system')
    .orderBy('policies.priority')
    .orderBy('policy_rules.system')
    .orderBy('policy_rules.priority')
    .execute()
  const policies = new Map<string, ActivePolicy & { rules: unknown[] }>()
  for (const row of rows) {
    const policy = policies.get(row.id) ?? {
      id: row.id,
      name: row.name,
      type: row.type as PolicyType,
      system: row.system === 1,
      body: JSON.parse(row.body) as unknown,
      rules: [],
    }
    policy.rules.push(JSON.parse(row.rule_body))
    policies.set(row.id, policy)
  }
  return [...policies.values()]
}

export interface Policies {
  /** The policy for a user at an app, by what is mapped to the app; for an unknown user, that of Everyone. */
  for(subject: PolicySubject, app?: AppPolicies): Promise<Policy>
  /**
   * What is asked before anything has been proven, the same for every name: Everyone's policy, with the union of the
   * first methods that any rule of the app, or any recovery rule, allows. Else what is offered would reveal which
   * accounts exist and which of them are privileged (A53).
   */
  beforeProof(everyoneId: string, app?: AppPolicies): Promise<Policy>
  /**
   * Which sign-up an app has: by the profile enrollment policy that is mapped to it, else by the built-in one. An app whose
   * policy is not active has none.
   */
  registration(app: AppPolicies): Promise<RegistrationPolicy>
  /** Forgets what was read: after a change. */
  forget(): void
}

/** What is mapped to an app. */
export interface AppPolicies {
  readonly accessPolicyId?: string | undefined
  readonly profileEnrollmentPolicyId?: string | undefined
  /** Its client id: rules may be for some apps alone. */
  readonly clientId?: string | undefined
}

/** How long policies are cached, in milliseconds: a change by another node takes effect within this time. */
const cacheMs = 2_000

interface Loaded {
  readonly policies: readonly ActivePolicy[]
  /** The part of every policy that is the same for all users: what administrators have set of authenticators. */
  readonly settings: SettingsOfAll
  /** What the password policies say, by their rules: read once for all users. */
  readonly passwords: ReadonlyMap<unknown, PasswordPart>
  /** The authenticators that may be used. */
  readonly usable: Usable
  /** Whether some rule is for some apps alone. */
  readonly dependsOnApp: boolean
  // By what is mapped to the app. What depends on the user is computed each time: what is remembered of some users and not
  // of others would show in the time of an answer (A02).
  readonly ofType: Map<string | undefined, PoliciesOfType>
  /** What applies before a proof: the same for every name. */
  readonly beforeProof: Map<string | undefined, Policy>
  /** Which sign-up an app has. */
  readonly registrations: Map<string, RegistrationPolicy>
}

/**
 * The policies of this engine, read from the database and cached for a moment.
 * @param catalogue the authenticators there are, in the order in which they are offered.
 */
export function openPolicies(
  db: Db,
  options: Pick<PolicyOptions, 'recovery'> & Partial<Pick<PolicyOptions, 'signUp'>>,
  catalogue: readonly AuthenticatorFacts[],
): Policies {
  let cached: { readonly all: Promise<Loaded>; readonly at: number } | undefined
  const load = async (): Promise<Loaded> => {
    const policies = await activePolicies(db)
    const { setups, secondaryEmails } = await authenticatorsInUse(db, catalogue)
    const usable = usableBy(catalogue, setups)
    return {
      policies,
      settings: settingsOfAll(setups, secondaryEmails),
      passwords: passwordsFrom(policies, usable.recovery, options.recovery),
      usable,
      dependsOnApp: policies.some(({ body, rules }) => [body, ...rules].some(dependsOnApp)),
      ofType: new Map(),
      beforeProof: new Map(),
      registrations: new Map(),
    }
  }
  const all = () => {
    const at = performance.now()
    if (cached === undefined || at - cached.at > cacheMs) cached = { all: load(), at }
    return cached.all
  }

  return {
    forget() {
      cached = undefined
    },
    async for(subject, app = {}) {
      const loaded = await all()
      const ofType = policiesOf(loaded, app)
      const { clientId } = app
      const atApp = clientId === undefined ? subject : { ...subject, clientId }
      return policyFrom((type) => firstFor(ofType(type), atApp), loaded)
    },
    async beforeProof(everyoneId, app = {}) {
      const loaded = await all()
      const { usable, beforeProof } = loaded
      const { clientId } = app
      const key = loaded.dependsOnApp ? `${app.accessPolicyId} ${clientId}` : app.accessPolicyId
      const known = beforeProof.get(key)
      if (known !== undefined) return known
      const ofType = policiesOf(loaded, app)
      const everyone = { groupIds: [everyoneId], ...(clientId !== undefined && { clientId }) }
      const policy = policyFrom((type) => firstFor(ofType(type), everyone), loaded)
      const computed: Policy = {
        ...policy,
        // Where some policy locks accounts, every wrong password costs what it costs there.
        lockout: { ...policy.lockout, maxAttempts: Math.max(...ofType('PASSWORD').map(attemptsOf)) },
        recovery: {
          ...policy.recovery,
          ...allowedBySome(ofType('PASSWORD'), recoveryFrom, usable.recovery),
        },
        unlock: { ...policy.unlock, ...allowedBySome(ofType('PASSWORD'), unlockFrom, usable.recovery) },
        signOn: {
          ...policy.signOn,
          demand: nothingDemanded,
          authenticators: firstMethods(
            ofType('ACCESS_POLICY').flatMap(({ rules }) =>
              rules.map((rule) => assuranceOf(rule as DeepPartial<AccessRuleBody>, usable.sso)),
            ),
            allowedForSome(ofType('MFA_ENROLL'), everyone, usable.sso),
          ),
        },
      }
      beforeProof.set(key, computed)
      return computed
    },
    async registration({ profileEnrollmentPolicyId: mapped, clientId }) {
      const { policies, registrations } = await all()
      const key = `${mapped ?? ''} ${clientId ?? ''}`
      const known = registrations.get(key)
      if (known !== undefined) return known
      const policy = policies.find(
        ({ id, type, system }) =>
          type === 'PROFILE_ENROLLMENT' && (mapped === undefined ? system : id === mapped),
      )
      const rule = policy?.rules.find((one) => appliesTo(one, { groupIds: [], clientId }))
      const found = registrationFrom({ policyId: policy?.id, rule }, options.signUp ?? {})
      registrations.set(key, found)
      return found
    },
  }
}

type PoliciesOfType = (wanted: PolicyType) => readonly ActivePolicy[]

/** The policies of a type. An access policy counts for the apps it is mapped to; all others have the built-in one. */
function policiesOf({ policies, ofType }: Loaded, { accessPolicyId }: AppPolicies): PoliciesOfType {
  const known = ofType.get(accessPolicyId)
  if (known !== undefined) return known
  const mapped = policies.find(({ id, type }) => type === 'ACCESS_POLICY' && id === accessPolicyId)
  const types = new Map<PolicyType, ActivePolicy[]>()
  for (const policy of policies) {
    const { id, type, system } = policy
    if (type === 'ACCESS_POLICY' && (mapped === undefined ? !system : id !== mapped.id)) continue
    types.set(type, [...(types.get(type) ?? []), policy])
  }
  const found: PoliciesOfType = (wanted) => types.get(wanted) ?? []
  ofType.set(accessPolicyId, found)
  return found
}

/** The authenticators that may be used, by what for. */
type Usable = Readonly<Record<'sso' | 'recovery' | 'active', readonly AuthenticatorFacts[]>>

const usableBy = (
  catalogue: readonly AuthenticatorFacts[],
  setups: Readonly<Record<string, AuthenticatorSetup>>,
): Usable => {
  const usable = (isUsable: (setup: AuthenticatorSetup) => boolean) =>
    catalogue.filter(({ key }) => {
      const setup = setups[key]
      return setup === undefined || isUsable(setup)
    })
  return {
    sso: usable((setup) => isAllowedFor(setup, 'sso')),
    recovery: usable((setup) => isAllowedFor(setup, 'recovery')),
    active: usable(({ status }) => status === 'ACTIVE'),
  }
}

/**
 * The authenticators that some enrolment policy allows, the same for every name (A53). Where no policy is for everyone there may be
 * users to whom none applies: they may use all.
 */
function allowedForSome(
  policies: readonly ActivePolicy[],
  everyone: PolicySubject,
  catalogue: readonly AuthenticatorFacts[],
): readonly AuthenticatorFacts[] {
  if (firstFor(policies, everyone) === undefined) return catalogue
  const refused = policies.map(({ body }) =>
    notAllowedBy(body as DeepPartial<EnrollmentPolicyBody>, catalogue),
  )
  const allowed = catalogue.filter(({ key }) => refused.some((keys) => !keys.includes(key)))
  return allowed.length > 0 ? allowed : catalogue
}

const attemptsOf = ({ body }: ActivePolicy): number =>
  lockoutFrom(body as DeepPartial<PasswordPolicyBody>).maxAttempts

/** What some rule of these policies allows. */
const allowedBySome = (
  policies: readonly ActivePolicy[],
  read: typeof recoveryFrom,
  catalogue: readonly AuthenticatorFacts[],
): SelfService =>
  unionOf(
    policies.flatMap(({ body, rules }) =>
      rules.map((rule) =>
        read(rule as DeepPartial<PasswordRuleBody>, body as DeepPartial<PasswordPolicyBody>, catalogue),
      ),
    ),
    catalogue,
  )

/** A policy none of whose rules is for the user is as good as none: the next one is asked. */
function firstFor(
  policies: readonly ActivePolicy[],
  subject: PolicySubject,
): { readonly body: unknown; readonly rule: unknown } | undefined {
  for (const { body, rules, system } of policies) {
    if (!system && !appliesTo(body, subject)) continue
    const rule = rules.find((one) => appliesTo(one, subject)) ?? (system ? rules.at(-1) : undefined)
    if (rule !== undefined) return { body, rule }
  }
  return undefined
}

type FirstOf = (type: PolicyType) => ReturnType<typeof firstFor>

/** Of a type that has a built-in policy something always applies. */
function builtIn(first: FirstOf, type: PolicyType): { readonly body: unknown; readonly rule: unknown } {
  const found = first(type)
  if (found === undefined) throw new Error(`no active policy of type ${type} applies`)
  return found
}

type SettingsOfAll = Pick<
  Policy,
  'methodsOff' | 'codeLifetimes' | 'secondaryEmails' | 'authenticatorSettings'
>

function settingsOfAll(
  setups: Readonly<Record<string, AuthenticatorSetup>>,
  secondaryEmails: boolean,
): SettingsOfAll {
  const entries = Object.entries(setups)
  return {
    methodsOff: Object.fromEntries(
      entries.flatMap(([key, setup]) => {
        const off = methodsOffIn(setup)
        return off.length > 0 ? [[key, off] as const] : []
      }),
    ),
    codeLifetimes: Object.fromEntries(
      entries.flatMap(([key, { settings }]) => {
        const { tokenLifetimeInMinutes: minutes } = settings
        return minutes === undefined ? [] : [[key, minutes * 60_000]]
      }),
    ),
    secondaryEmails,
    authenticatorSettings: Object.fromEntries(entries.map(([key, { settings }]) => [key, settings])),
  }
}

type PasswordPart = Pick<Policy, 'password' | 'lockout' | 'recovery' | 'unlock'>

const passwordsFrom = (
  policies: readonly ActivePolicy[],
  usable: readonly AuthenticatorFacts[],
  recovery: RecoveryOptions,
): ReadonlyMap<unknown, PasswordPart> =>
  new Map(
    policies.flatMap(({ type, body, rules }) =>
      type === 'PASSWORD'
        ? rules.map((rule) => [rule, passwordFrom(body, rule, usable, recovery)] as const)
        : [],
    ),
  )

function passwordFrom(
  body: unknown,
  rule: unknown,
  usable: readonly AuthenticatorFacts[],
  { unlockContinues, ...ofRecovery }: RecoveryOptions,
): PasswordPart {
  const settings = body as DeepPartial<PasswordPolicyBody>
  const reset = rule as DeepPartial<PasswordRuleBody>
  return {
    password: passwordRulesFrom(settings),
    lockout: lockoutFrom(settings),
    recovery: {
      ...ofRecovery,
      ...recoveryFrom(reset, settings, usable),
      ...(stepUpRequired(reset) && { secondFactor: 'required' as const }),
      unlocks: unlockAllowed(reset),
    },
    unlock: { ...unlockFrom(reset, settings, usable), continues: unlockContinues },
  }
}

/** Combines the matching policies of all types into one. */
function policyFrom(first: FirstOf, { usable, settings, passwords }: Loaded): Policy {
  const password = passwords.get(builtIn(first, 'PASSWORD').rule)
  if (password === undefined) throw new Error('a rule of a password policy was not read')
  const signOn = (builtIn(first, 'OKTA_SIGN_ON').rule as DeepPartial<SignOnRuleBody>).actions?.signon
  const app = assuranceOf(builtIn(first, 'ACCESS_POLICY').rule as DeepPartial<AccessRuleBody>, usable.sso)
  const enrollment = first('MFA_ENROLL')
  const enrollmentBody = enrollment?.body as DeepPartial<EnrollmentPolicyBody> | undefined
  const notAllowed = enrollmentBody === undefined ? [] : notAllowedBy(enrollmentBody, usable.active)
  const allowed = usable.sso.flatMap(({ key }) => (notAllowed.includes(key) ? [] : [key]))
  return {
    ...settings,
    ...password,
    signOn: {
      access: signOn?.access === 'DENY' ? 'DENY' : app.access,
      demand: withSession(app.demand, signOn),
      start: signOn?.primaryFactor === 'PASSWORD_IDP_ANY_FACTOR' ? 'identifier' : 'password',
      authenticators: allowed,
      notAllowed,
      active: usable.sso.map(({ key }) => key),
      ...(remembersByDefault(signOn) && { remembersByDefault: true as const }),
      browserSession: browserSessionBy(signOn),
    },
    enrollment:
      enrollmentBody === undefined
        ? []
        : enrollmentPolicyFrom(
            enrollmentBody,
            enrollment?.rule as DeepPartial<EnrollmentRuleBody>,
            usable.active,
          ),
  }
}
