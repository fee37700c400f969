import { type Random, randomId } from '../base/index.ts'
import type { Db } from '../storage/index.ts'
import { type AccessRuleBody, assuranceOf } from './assurance.ts'
import { type AuthenticatorSetup, authenticatorSetups, isAllowedFor } from './authenticator-settings.store.ts'
import { appliesTo, type PolicySubject } from './conditions.ts'
import type { DeepPartial } from './deep-partial.ts'
import type { PoliciesOptions, RecoveryOptions, SignOnOptions } from './options.ts'
import {
  accessRuleBody,
  lockoutFrom,
  lockoutOf,
  type PasswordPolicyBody,
  type PasswordRuleBody,
  type Policy,
  passwordPolicyBody,
  passwordRuleBody,
  passwordRulesFrom,
  passwordRulesOf,
  recoveryAuthenticatorsFrom,
  type SignOnRuleBody,
  signOnRuleBody,
  stepUpRequired,
  unlockAllowed,
} from './policy.ts'

export type PolicyType = 'PASSWORD' | 'OKTA_SIGN_ON' | 'ACCESS_POLICY'

export interface ActivePolicy {
  readonly id: string
  readonly name: string
  readonly type: PolicyType
  readonly system: boolean
  readonly body: unknown
  readonly rules: readonly unknown[]
}

/** What the configuration file says of policies; the database's default policies are made from it. */
export interface PolicyOptions {
  readonly policies: PoliciesOptions
  readonly recovery: RecoveryOptions
  readonly signOn: SignOnOptions
}

/**
 * Writes the default policies where they are missing, and again where the configuration has changed since they were
 * last written: an edited file takes effect at the next start, an edit over the management API stays otherwise.
 */
export async function seedPolicies(
  db: Db,
  options: PolicyOptions,
  context: { readonly random: Random; readonly now: number; readonly everyoneId: string },
): Promise<void> {
  const wanted = JSON.stringify([options.policies, options.signOn])
  const seeded = await db
    .selectFrom('settings')
    .select('value')
    .where('key', '=', 'policies.seed')
    .executeTakeFirst()
  if (seeded?.value === wanted) return

  const { password } = options.policies
  await putDefault(
    db,
    context,
    'PASSWORD',
    'Default Policy',
    passwordPolicyBody(passwordRulesOf(password), lockoutOf(password)),
    passwordRuleBody(password),
  )
  await putDefault(db, context, 'OKTA_SIGN_ON', 'Default Policy', {}, signOnRuleBody(options.signOn))
  await putDefault(db, context, 'ACCESS_POLICY', 'Any app', {}, accessRuleBody(options.signOn))
  await db
    .insertInto('settings')
    .values({ key: 'policies.seed', value: wanted })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value: wanted }))
    .execute()
}

async function putDefault(
  db: Db,
  context: { readonly random: Random; readonly now: number; readonly everyoneId: string },
  type: PolicyType,
  name: string,
  settings: object,
  rule: object,
): Promise<void> {
  const { now } = context
  const conditions = { people: { groups: { include: [context.everyoneId] } } }
  const body = JSON.stringify({ ...settings, conditions })
  const ruleBody = JSON.stringify(rule)
  const before = await db
    .selectFrom('policies')
    .select('id')
    .where('type', '=', type)
    .where('system', '=', 1)
    .executeTakeFirst()
  if (before !== undefined) {
    await db.updateTable('policies').set({ body, updated_at: now }).where('id', '=', before.id).execute()
    await db
      .updateTable('policy_rules')
      .set({ body: ruleBody, updated_at: now })
      .where('policy_id', '=', before.id)
      .where('system', '=', 1)
      .execute()
    return
  }
  const id = randomId(context.random, type === 'ACCESS_POLICY' ? 'rst' : '00p')
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

/** The policies that count, in the order in which they are asked, each with its rules in theirs. */
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
  /** The policy for somebody at an app, by what is mapped to the app; for an unknown person, that of Everyone. */
  for(whom: PolicySubject, app?: { readonly accessPolicyId?: string | undefined }): Promise<Policy>
  /** Forgets what was read: after a change. */
  forget(): void
}

/** How long a node may go on with policies it has read, in milliseconds: a change elsewhere shows within this time. */
const freshFor = 2_000

interface Loaded {
  readonly policies: readonly ActivePolicy[]
  readonly setups: Readonly<Record<string, AuthenticatorSetup>>
}

/** The policies of this engine, read from the database and kept for a moment. */
export function openPolicies(db: Db, options: Pick<PolicyOptions, 'recovery'>): Policies {
  let loaded: { readonly all: Promise<Loaded>; readonly at: number } | undefined
  const load = async (): Promise<Loaded> => ({
    policies: await activePolicies(db),
    setups: await authenticatorSetups(db, signInOrder),
  })
  const all = () => {
    const at = performance.now()
    if (loaded === undefined || at - loaded.at > freshFor) loaded = { all: load(), at }
    return loaded.all
  }

  return {
    forget() {
      loaded = undefined
    },
    async for(whom, { accessPolicyId } = {}) {
      const { policies, setups } = await all()
      // An access policy counts for the apps it is mapped to; all others have the built-in one.
      const mapped = policies.find(({ id, type }) => type === 'ACCESS_POLICY' && id === accessPolicyId)
      const counts = ({ id, type, system }: ActivePolicy) =>
        type !== 'ACCESS_POLICY' || (mapped === undefined ? system : id === mapped.id)
      return policyFrom(
        (type) =>
          firstFor(
            policies.filter((policy) => policy.type === type && counts(policy)),
            whom,
          ),
        setups,
        options.recovery,
      )
    },
  }
}

/** A policy none of whose rules is for her is as good as none: the next one is asked. */
function firstFor(
  policies: readonly ActivePolicy[],
  whom: PolicySubject,
): { readonly body: unknown; readonly rule: unknown } {
  for (const { body, rules, system } of policies) {
    if (!system && !appliesTo(body, whom)) continue
    const rule = rules.find((one) => appliesTo(one, whom)) ?? (system ? rules.at(-1) : undefined)
    if (rule !== undefined) return { body, rule }
  }
  throw new Error(`no active policy applies: ${policies.map(({ type }) => type).join(' ')}`)
}

/** In which order what may be used to sign in is offered. */
const signInOrder = ['okta_password', 'okta_email'] as const

/** Puts together what the first matches of each type say. */
function policyFrom(
  first: (type: PolicyType) => { readonly body: unknown; readonly rule: unknown },
  setups: Loaded['setups'],
  recovery: RecoveryOptions,
): Policy {
  const password = first('PASSWORD')
  const settings = password.body as DeepPartial<PasswordPolicyBody>
  const reset = password.rule as DeepPartial<PasswordRuleBody>
  const signOn = (first('OKTA_SIGN_ON').rule as DeepPartial<SignOnRuleBody>).actions?.signon
  const isUsable = (key: string, use: 'sso' | 'recovery') => {
    const setup = setups[key]
    return setup === undefined || isAllowedFor(setup, use)
  }
  const authenticators = signInOrder.filter((key) => isUsable(key, 'sso'))
  const app = assuranceOf(first('ACCESS_POLICY').rule as DeepPartial<AccessRuleBody>, authenticators)
  const minutes = setups.okta_email?.settings.tokenLifetimeInMinutes
  return {
    password: passwordRulesFrom(settings),
    lockout: lockoutFrom(settings),
    recovery: {
      ...recovery,
      authenticators: recoveryAuthenticatorsFrom(reset, settings).filter((key) => isUsable(key, 'recovery')),
      ...(stepUpRequired(reset) && { secondFactor: 'required' as const }),
      unlocks: unlockAllowed(reset),
    },
    signOn: {
      ...app,
      access: signOn?.access === 'DENY' ? 'DENY' : app.access,
      factors: signOn?.requireFactor === true ? 2 : app.factors,
      start: signOn?.primaryFactor === 'PASSWORD_IDP_ANY_FACTOR' ? 'identifier' : 'password',
      authenticators,
    },
    ...(minutes !== undefined && { codeLifetimeMs: minutes * 60_000 }),
  }
}
