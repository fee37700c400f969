import { type Random, randomId } from '../base/index.ts'
import type { Db } from '../storage/index.ts'
import type { PoliciesOptions, RecoveryOptions, SignOnOptions } from './options.ts'
import {
  type AccessRuleBody,
  accessRuleBody,
  type DeepPartial,
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
} from './policy.ts'

export type PolicyType = 'PASSWORD' | 'OKTA_SIGN_ON' | 'ACCESS_POLICY'

interface Stored {
  readonly id: string
  readonly type: PolicyType
  readonly system: boolean
  readonly body: unknown
  readonly groups: GroupCondition
  readonly rules: readonly { readonly body: unknown; readonly groups: GroupCondition }[]
}

/** Whom something is for. Nothing included: everybody who is not excluded. */
interface GroupCondition {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

const holdsFor = ({ include = [], exclude = [] }: GroupCondition, groupIds: readonly string[]): boolean =>
  (include.length === 0 || include.some((id) => groupIds.includes(id))) &&
  !exclude.some((id) => groupIds.includes(id))

const groupsOf = (body: unknown): GroupCondition =>
  (body as { conditions?: { people?: { groups?: GroupCondition } | null } | null }).conditions?.people
    ?.groups ?? {}

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
    .select([
      'policies.id',
      'policies.type',
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
  const policies = new Map<string, Stored & { rules: Stored['rules'][number][] }>()
  for (const row of rows) {
    const body: unknown = JSON.parse(row.body)
    const policy = policies.get(row.id) ?? {
      id: row.id,
      type: row.type as PolicyType,
      system: row.system === 1,
      body,
      groups: groupsOf(body),
      rules: [],
    }
    const rule: unknown = JSON.parse(row.rule_body)
    policy.rules.push({ body: rule, groups: groupsOf(rule) })
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
      // A policy none of whose rules is for her is as good as none: the next one is asked.
      const first = (type: PolicyType) => {
        for (const policy of policies) {
          // An access policy counts for the apps it is mapped to; all of them have the built-in one.
          if (policy.type !== type || (type === 'ACCESS_POLICY' && !policy.system)) continue
          if (!holdsFor(policy.groups, groupIds)) continue
          const rule = policy.rules.find(({ groups }) => holdsFor(groups, groupIds))
          if (rule !== undefined) return { body: policy.body, rule: rule.body }
        }
        throw new Error(`no active ${type} policy applies`)
      }
      const password = first('PASSWORD')
      const reset = password.rule as DeepPartial<PasswordRuleBody>
      const signOn = first('OKTA_SIGN_ON').rule as DeepPartial<SignOnRuleBody>
      const access = first('ACCESS_POLICY').rule as DeepPartial<AccessRuleBody>
      return {
        password: passwordRulesFrom(password.body as DeepPartial<PasswordPolicyBody>),
        recovery: {
          ...options.recovery,
          authenticators: recoveryAuthenticatorsFrom(reset),
          ...(stepUpRequired(reset) && { secondFactor: 'required' as const }),
        },
        signOn: {
          start:
            signOn.actions?.signon?.primaryFactor === 'PASSWORD_IDP_ANY_FACTOR' ? 'identifier' : 'password',
          factors: access.actions?.appSignOn?.verificationMethod?.factorMode === '2FA' ? 2 : 1,
        },
      }
    },
  }
}
