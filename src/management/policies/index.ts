/**
 * Policies and their rules over HTTP, after Okta's Policies API. Bodies are kept as they come; what the engine obeys of
 * them is checked here and read by `policies`.
 */
import { record } from '../../audit/index.ts'
import {
  findPolicy,
  listPolicies,
  listRules,
  putItem,
  removePolicy,
  removeRule,
  type StoredItem,
  type StoredPolicy,
  type StoredRule,
  unsupportedSettings,
} from '../../policies/index.ts'
import { type Tx, takeLock } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { pageOf, pageWithin, parameter } from '../input.ts'
import type { Answer, Call, Operation } from '../operation.ts'
import { listApps, refuseWhereMapped } from './mapped.ts'
import { readPolicy, readRule, typeOf } from './read.ts'
import { policyOf, ruleOf } from './wire.ts'

async function getPolicy({ parts, params }: Call): Promise<StoredPolicy> {
  const id = params.policyId ?? ''
  const policy = await findPolicy(parts.storage.db, id)
  if (policy === undefined) throw notFound(id, 'Policy')
  return policy
}

async function getRule(call: Call): Promise<{ readonly policy: StoredPolicy; readonly rule: StoredRule }> {
  const policy = await getPolicy(call)
  const id = call.params.ruleId ?? ''
  const rule = (await listRules(call.parts.storage.db, policy.id)).find((one) => one.id === id)
  if (rule === undefined) throw notFound(id, 'PolicyRule')
  return { policy, rule }
}

type Kind = 'create' | 'update' | 'delete'

/** One change in one transaction, told in the log, and read anew by this node at once. */
async function changing<T>(
  call: Call,
  kind: Kind,
  change: (tx: Tx) => Promise<T>,
  target: { readonly id: string; readonly name: string } | undefined,
): Promise<T> {
  const { parts, actor, now } = call
  const result = await parts.storage.transaction(async (tx) => {
    // Places among others are read and written, and whether an app has the policy: one after the other.
    await takeLock(tx, 'apps')
    const made = await change(tx)
    const id = target?.id ?? String(made)
    const event = {
      eventType: `policy.lifecycle.${kind}`,
      displayMessage: 'Policy managed',
      outcome: { result: 'SUCCESS' },
      actor,
      target: [{ id, type: 'PolicyEntity', ...(target && { displayName: target.name }) }],
    } as const
    await record(tx, event, { random: parts.random, now })
    return made
  })
  parts.policies.forget()
  return result
}

async function toldPolicy({ parts }: Call, id: string): Promise<Answer> {
  const policy = await findPolicy(parts.storage.db, id)
  if (policy === undefined) throw notFound(id, 'Policy')
  return { body: policyOf(parts.baseUrl(), policy) }
}

async function toldRule({ parts }: Call, policy: StoredPolicy, id: string): Promise<Answer> {
  const rule = (await listRules(parts.storage.db, policy.id)).find((one) => one.id === id)
  if (rule === undefined) throw notFound(id, 'PolicyRule')
  return { body: ruleOf(parts.baseUrl(), policy, rule) }
}

/** Says aloud what was set and does nothing: silence would be taken for obedience. */
function warn({ parts }: Call, type: string, { name, body }: Pick<StoredItem, 'name' | 'body'>): void {
  const ignored = unsupportedSettings(type, body)
  if (ignored.length === 0) return
  parts.log?.warn({ policyType: type, policyName: name, ignored }, 'a policy asks for what is not obeyed')
}

const catchAll: Readonly<Record<string, StoredItem['body']>> = {
  ACCESS_POLICY: {
    actions: { appSignOn: { access: 'ALLOW', verificationMethod: { type: 'ASSURANCE', factorMode: '1FA' } } },
  },
  PROFILE_ENROLLMENT: { actions: { profileEnrollment: { access: 'ALLOW' } } },
}

async function createPolicy(call: Call): Promise<Answer> {
  const { parts, now } = call
  const type = typeOf(call.body)
  const wanted = readPolicy(call.body, type)
  warn(call, type, wanted)
  const context = { random: parts.random, now }
  const create = async (tx: Tx) => {
    const id = await putItem(tx, { type }, wanted, context)
    const body = catchAll[type]
    if (body !== undefined) {
      await putItem(
        tx,
        { policyId: id },
        { name: 'Catch-all Rule', status: 'ACTIVE', system: true, body },
        context,
      )
    }
    return id
  }
  return toldPolicy(call, await changing(call, 'create', create, undefined))
}

async function updatePolicy(call: Call): Promise<Answer> {
  const before = await getPolicy(call)
  const wanted = readPolicy(call.body, before.type)
  if (before.system && wanted.status === 'INACTIVE') throw fixed('deactivated')
  warn(call, before.type, wanted)
  const after = {
    ...wanted,
    id: before.id,
    system: before.system,
    status: call.body.status === undefined ? before.status : wanted.status,
    priority: wanted.priority ?? before.priority,
    // Of the built-in one: for everybody, or there would be people without a policy.
    ...(before.system && { body: { ...wanted.body, conditions: before.body.conditions } }),
  }
  await changing(
    call,
    'update',
    async (tx) => {
      if (after.status === 'INACTIVE') await refuseWhereMapped(tx, before)
      return putItem(tx, { type: before.type }, after, { random: call.parts.random, now: call.now })
    },
    before,
  )
  return toldPolicy(call, before.id)
}

async function putRule(call: Call, policy: StoredPolicy, before?: StoredRule): Promise<Answer> {
  const wanted = readRule(call.body, policy.type)
  if (before?.system && wanted.status === 'INACTIVE') throw fixed('deactivated')
  warn(call, policy.type, wanted)
  const id = await changing(
    call,
    before === undefined ? 'create' : 'update',
    (tx) =>
      putItem(
        tx,
        { policyId: policy.id },
        {
          ...wanted,
          ...(before && {
            id: before.id,
            system: before.system,
            status: call.body.status === undefined ? before.status : wanted.status,
            priority: wanted.priority ?? before.priority,
            ...(before.system && { body: { ...wanted.body, conditions: before.body.conditions } }),
          }),
        },
        { random: call.parts.random, now: call.now },
      ),
    before,
  )
  return toldRule(call, policy, id)
}

const fixed = (what: string) => invalid([`system: The default policy and its rule cannot be ${what}`])

async function remove(call: Call, of: StoredPolicy | StoredRule): Promise<Answer> {
  if (of.system) throw fixed('deleted')
  const removing = async (tx: Tx) => {
    await refuseWhereMapped(tx, of)
    await ('type' in of ? removePolicy(tx, of.id) : removeRule(tx, of.id))
  }
  await changing(call, 'delete', removing, of)
  return {}
}

async function become(
  call: Call,
  of: StoredPolicy | StoredRule,
  status: StoredItem['status'],
): Promise<Answer> {
  if (of.system && status === 'INACTIVE') throw fixed('deactivated')
  const place = 'type' in of ? { type: of.type } : { policyId: of.policyId }
  const { id, name, priority, system, body } = of
  const context = { random: call.parts.random, now: call.now }
  await changing(
    call,
    'update',
    async (tx) => {
      if (status === 'INACTIVE') await refuseWhereMapped(tx, of)
      return putItem(tx, place, { id, name, priority, system, body, status }, context)
    },
    of,
  )
  return {}
}

async function list({ parts, query }: Call): Promise<Answer> {
  const type = parameter(query, 'type')
  if (type === undefined) throw invalid(['type: The field cannot be left blank'])
  const policies = await listPolicies(parts.storage.db, typeOf({ type }))
  const { items, next } = pageWithin(policies, pageOf(query), ({ id }) => id)
  return { body: items.map((policy) => policyOf(parts.baseUrl(), policy)), next }
}

const one = '/policies/:policyId'
const rule = `${one}/rules/:ruleId`

export const policyOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/policies',
    role: 'read',
    summary: 'Lists the policies of a `type` in their order.',
    handle: list,
  },
  { method: 'POST', path: '/policies', role: 'all', summary: 'Creates a policy.', handle: createPolicy },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Tells of a policy.',
    handle: async (call) => toldPolicy(call, (await getPolicy(call)).id),
  },
  { method: 'PUT', path: one, role: 'all', summary: 'Puts a policy as a whole.', handle: updatePolicy },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Removes a policy with its rules.',
    handle: async (call) => remove(call, await getPolicy(call)),
  },
  {
    method: 'POST',
    path: `${one}/lifecycle/activate`,
    role: 'all',
    summary: 'Activates a policy.',
    handle: async (call) => become(call, await getPolicy(call), 'ACTIVE'),
  },
  {
    method: 'POST',
    path: `${one}/lifecycle/deactivate`,
    role: 'all',
    summary: 'Deactivates a policy.',
    handle: async (call) => become(call, await getPolicy(call), 'INACTIVE'),
  },
  {
    method: 'GET',
    path: `${one}/app`,
    role: 'read',
    summary: 'Lists the apps that an access policy counts for.',
    handle: async (call) => listApps(call, await getPolicy(call)),
  },
  {
    method: 'GET',
    path: `${one}/rules`,
    role: 'read',
    summary: 'Lists the rules of a policy in their order.',
    handle: async (call) => {
      const policy = await getPolicy(call)
      const rules = await listRules(call.parts.storage.db, policy.id)
      const { items, next } = pageWithin(rules, pageOf(call.query), ({ id }) => id)
      return { body: items.map((each) => ruleOf(call.parts.baseUrl(), policy, each)), next }
    },
  },
  {
    method: 'POST',
    path: `${one}/rules`,
    role: 'all',
    summary: 'Creates a rule.',
    handle: async (call) => putRule(call, await getPolicy(call)),
  },
  {
    method: 'GET',
    path: rule,
    role: 'read',
    summary: 'Tells of a rule.',
    handle: async (call) => {
      const found = await getRule(call)
      return toldRule(call, found.policy, found.rule.id)
    },
  },
  {
    method: 'PUT',
    path: rule,
    role: 'all',
    summary: 'Puts a rule as a whole.',
    handle: async (call) => {
      const found = await getRule(call)
      return putRule(call, found.policy, found.rule)
    },
  },
  {
    method: 'DELETE',
    path: rule,
    role: 'all',
    summary: 'Removes a rule.',
    handle: async (call) => remove(call, (await getRule(call)).rule),
  },
  {
    method: 'POST',
    path: `${rule}/lifecycle/activate`,
    role: 'all',
    summary: 'Activates a rule.',
    handle: async (call) => become(call, (await getRule(call)).rule, 'ACTIVE'),
  },
  {
    method: 'POST',
    path: `${rule}/lifecycle/deactivate`,
    role: 'all',
    summary: 'Deactivates a rule.',
    handle: async (call) => become(call, (await getRule(call)).rule, 'INACTIVE'),
  },
]
