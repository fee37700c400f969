import { type Random, randomId } from '../base/index.ts'
import type { Db } from '../storage/index.ts'
import type { PoliciesOptions, RecoveryOptions, SignOnOptions } from './options.ts'
import {
  type AccessRuleBody,
  accessRuleBody,
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
} from './policy.ts'

export type PolicyType = 'PASSWORD' | 'OKTA_SIGN_ON' | 'ACCESS_POLICY'

interface Stored {
  readonly id: string
  readonly type: PolicyType
  readonly body: unknown
  /** Whom it is for; empty: everybody. */
  readonly groupIds: readonly string[]
  readonly rules: readonly { readonly body: unknown }[]
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
    passwordPolicyBody(passwordRulesOf(password)),
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

async function loadAll(db: Db): Promise<readonly Stored[]> {
  const rows = await db
    .selectFrom('policies')
    .innerJoin('policy_rules', 'policy_rules.policy_id', 'policies.id')
    .select(['policies.id', 'policies.type', 'policies.body', 'policy_rules.body as rule_body'])
    .where('policies.status', '=', 'ACTIVE')
    .where('policy_rules.status', '=', 'ACTIVE')
    .orderBy('policies.system')
    .orderBy('policies.priority')
    .orderBy('policy_rules.system')
    .orderBy('policy_rules.priority')
    .execute()
  const policies = new Map<string, Stored & { rules: { body: unknown }[] }>()
  for (const row of rows) {
    const body = JSON.parse(row.body) as { conditions?: { people?: { groups?: { include?: string[] } } } }
    const policy = policies.get(row.id) ?? {
      id: row.id,
      type: row.type as PolicyType,
      body,
      groupIds: body.conditions?.people?.groups?.include ?? [],
      rules: [],
    }
    policy.rules.push({ body: JSON.parse(row.rule_body) })
    policies.set(row.id, policy)
  }
  return [...policies.values()]
}

export interface Policies {
  /** The policy for a person's groups; for an unknown person, those of Everyone. */
  for(groupIds: readonly string[]): Promise<Policy>
  /** Forgets what was read: after a change. */
  forget(): void
}

/** How long a node may go on with policies it has read, in milliseconds: a change elsewhere shows within this time. */
const freshFor = 2_000

/** The policies of this engine, read from the database and kept for a moment. */
export function openPolicies(db: Db, options: Pick<PolicyOptions, 'recovery'>): Policies {
  let loaded: { readonly policies: Promise<readonly Stored[]>; readonly at: number } | undefined
  const all = () => {
    const at = performance.now()
    if (loaded === undefined || at - loaded.at > freshFor) loaded = { policies: loadAll(db), at }
    return loaded.policies
  }

  return {
    forget() {
      loaded = undefined
    },
    async for(groupIds) {
      const policies = await all()
      const first = (type: PolicyType) => {
        const match = policies.find(
          (policy) =>
            policy.type === type &&
            (policy.groupIds.length === 0 || policy.groupIds.some((id) => groupIds.includes(id))),
        )
        if (match === undefined) throw new Error(`no active ${type} policy applies`)
        return match
      }
      const password = first('PASSWORD')
      const signOn = first('OKTA_SIGN_ON').rules[0]?.body as SignOnRuleBody
      const access = first('ACCESS_POLICY').rules[0]?.body as AccessRuleBody
      return {
        password: passwordRulesFrom(password.body as PasswordPolicyBody),
        recovery: {
          ...options.recovery,
          authenticators: recoveryAuthenticatorsFrom(password.rules[0]?.body as PasswordRuleBody),
        },
        signOn: {
          start:
            signOn.actions.signon.primaryFactor === 'PASSWORD_IDP_ANY_FACTOR' ? 'identifier' : 'password',
          factors: access.actions.appSignOn.verificationMethod.factorMode === '2FA' ? 2 : 1,
        },
      }
    },
  }
}
