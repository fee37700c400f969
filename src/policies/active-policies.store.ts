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

/** The policies of the configuration file, from which the default policies in the database are written. */
export interface PolicyOptions {
  readonly policies: PoliciesOptions
  readonly recovery: RecoveryOptions
  readonly signOn: SignOnOptions
}

/**
 * Writes the default policies where they are missing, and again where the configuration has changed since they were last
 * written: an edited file takes effect at the next start, an unchanged one does not undo edits over the management API.
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
  await db
    .insertInto('settings')
    .values({ key: 'policies.seed', value: wanted })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value: wanted }))
    .execute()
}

async function putDefaultPolicy(
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
  /** The policy that applies to a user at an app. An unknown user gets the one of the group Everyone (A01). */
  for(subject: PolicySubject, app?: { readonly accessPolicyId?: string | undefined }): Promise<Policy>
  /** Discards the cache: after a change. */
  forget(): void
}

/** How long policies are cached, in milliseconds: a change by another node takes effect within this time. */
const cacheMs = 2_000

interface Loaded {
  readonly policies: readonly ActivePolicy[]
  readonly setups: Readonly<Record<string, AuthenticatorSetup>>
}

/** The policies in the database, with a short cache. */
export function openPolicies(db: Db, options: Pick<PolicyOptions, 'recovery'>): Policies {
  let cached: { readonly all: Promise<Loaded>; readonly at: number } | undefined
  const load = async (): Promise<Loaded> => ({
    policies: await activePolicies(db),
    setups: await authenticatorSetups(db, signInOrder),
  })
  const all = () => {
    const at = performance.now()
    if (cached === undefined || at - cached.at > cacheMs) cached = { all: load(), at }
    return cached.all
  }

  return {
    forget() {
      cached = undefined
    },
    async for(subject, { accessPolicyId } = {}) {
      const { policies, setups } = await all()
      // An access policy applies to the apps that it is mapped to, the built-in one to all others.
      const mapped = policies.find(({ id, type }) => type === 'ACCESS_POLICY' && id === accessPolicyId)
      const isCandidate = ({ id, type, system }: ActivePolicy) =>
        type !== 'ACCESS_POLICY' || (mapped === undefined ? system : id === mapped.id)
      return policyFrom(
        (type) =>
          firstMatch(
            policies.filter((policy) => policy.type === type && isCandidate(policy)),
            subject,
          ),
        setups,
        options.recovery,
      )
    },
  }
}

/** The first policy that applies to a user and has a rule that does. One without a matching rule is passed over. */
function firstMatch(
  policies: readonly ActivePolicy[],
  subject: PolicySubject,
): { readonly body: unknown; readonly rule: unknown } {
  for (const { body, rules, system } of policies) {
    if (!system && !appliesTo(body, subject)) continue
    const rule = rules.find((one) => appliesTo(one, subject)) ?? (system ? rules.at(-1) : undefined)
    if (rule !== undefined) return { body, rule }
  }
  throw new Error(`no active policy applies: ${policies.map(({ type }) => type).join(' ')}`)
}

/** The authenticators for a sign-in, in the order in which they are offered. */
const signInOrder = ['okta_password', 'okta_email'] as const

/** Combines the matching policies of all types into one. */
function policyFrom(
  match: (type: PolicyType) => { readonly body: unknown; readonly rule: unknown },
  setups: Loaded['setups'],
  recovery: RecoveryOptions,
): Policy {
  const password = match('PASSWORD')
  const settings = password.body as DeepPartial<PasswordPolicyBody>
  const reset = password.rule as DeepPartial<PasswordRuleBody>
  const signOn = (match('OKTA_SIGN_ON').rule as DeepPartial<SignOnRuleBody>).actions?.signon
  const isUsable = (key: string, use: 'sso' | 'recovery') => {
    const setup = setups[key]
    return setup === undefined || isAllowedFor(setup, use)
  }
  const authenticators = signInOrder.filter((key) => isUsable(key, 'sso'))
  const app = assuranceOf(match('ACCESS_POLICY').rule as DeepPartial<AccessRuleBody>, authenticators)
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
