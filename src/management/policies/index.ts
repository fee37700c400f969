/**
 * Policies and their rules over HTTP, after Okta's Policies API. Bodies are stored as they are; the settings that the engine
 * supports are validated here and evaluated in `policies/`.
 */
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
import { pageWithin, parameter } from '../input.ts'
import { type Answer, type Call, lifecycleOperations, type Operation, recordEvent } from '../operation.ts'
import { rawPageOf as pageOf } from '../reader.ts'
import { listApps, refuseIfMapped } from './mapped.ts'
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

type ChangeType = 'create' | 'update' | 'delete'

/** Applies a change in one transaction, records its event, and makes this node read the policies again. */
async function applyChange<T>(
  call: Call,
  type: ChangeType,
  change: (tx: Tx) => Promise<T>,
  target: { readonly id: string; readonly name: string } | undefined,
): Promise<T> {
  const { parts } = call
  const result = await parts.storage.transaction(async (tx) => {
    // Serializes changes: they read and write the order of policies and their mappings to apps.
    await takeLock(tx, 'apps')
    const changed = await change(tx)
    const id = target?.id ?? String(changed)
    await recordEvent(call, tx, {
      eventType: `policy.lifecycle.${type}`,
      displayMessage: 'Policy managed',
      target: [{ id, type: 'PolicyEntity', ...(target && { displayName: target.name }) }],
    })
    return changed
  })
  parts.policies.forget()
  return result
}

async function renderPolicy({ parts }: Call, id: string): Promise<Answer> {
  const policy = await findPolicy(parts.storage.db, id)
  if (policy === undefined) throw notFound(id, 'Policy')
  return { body: policyOf(parts.baseUrl(), policy) }
}

async function renderRule({ parts }: Call, policy: StoredPolicy, id: string): Promise<Answer> {
  const rule = (await listRules(parts.storage.db, policy.id)).find((one) => one.id === id)
  if (rule === undefined) throw notFound(id, 'PolicyRule')
  return { body: ruleOf(parts.baseUrl(), policy, rule) }
}

/** Logs settings that are stored but not supported, so that they are not mistaken for being in effect. */
function warnUnsupported(
  { parts }: Call,
  type: string,
  { name, body }: Pick<StoredItem, 'name' | 'body'>,
): void {
  const ignored = unsupportedSettings(type, body, parts.authenticators)
  if (ignored.length === 0) return
  parts.log?.warn(
    { policyType: type, policyName: name, ignored },
    'a policy has settings that are not supported',
  )
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
  warnUnsupported(call, type, wanted)
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
  return renderPolicy(call, await applyChange(call, 'create', create, undefined))
}

async function updatePolicy(call: Call): Promise<Answer> {
  const before = await getPolicy(call)
  const wanted = readPolicy(call.body, before.type)
  if (before.system && wanted.status === 'INACTIVE') throw refuseBuiltIn('deactivated')
  warnUnsupported(call, before.type, wanted)
  const after = {
    ...wanted,
    id: before.id,
    system: before.system,
    status: call.body.status === undefined ? before.status : wanted.status,
    priority: wanted.priority ?? before.priority,
    // The built-in policy must apply to everyone, so that every user has one.
    ...(before.system && { body: { ...wanted.body, conditions: before.body.conditions } }),
  }
  await applyChange(
    call,
    'update',
    async (tx) => {
      if (after.status === 'INACTIVE') await refuseIfMapped(tx, before)
      return putItem(tx, { type: before.type }, after, { random: call.parts.random, now: call.now })
    },
    before,
  )
  return renderPolicy(call, before.id)
}

async function putRule(call: Call, policy: StoredPolicy, before?: StoredRule): Promise<Answer> {
  const wanted = readRule(call.body, policy.type)
  if (before?.system && wanted.status === 'INACTIVE') throw refuseBuiltIn('deactivated')
  warnUnsupported(call, policy.type, wanted)
  const id = await applyChange(
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
  return renderRule(call, policy, id)
}

const refuseBuiltIn = (action: string) =>
  invalid([`system: The default policy and its rule cannot be ${action}`])

async function deleteItem(call: Call, of: StoredPolicy | StoredRule): Promise<Answer> {
  if (of.system) throw refuseBuiltIn('deleted')
  const remove = async (tx: Tx) => {
    await refuseIfMapped(tx, of)
    await ('type' in of ? removePolicy(tx, of.id) : removeRule(tx, of.id))
  }
  await applyChange(call, 'delete', remove, of)
  return {}
}

async function setStatus(
  call: Call,
  of: StoredPolicy | StoredRule,
  status: StoredItem['status'],
): Promise<Answer> {
  if (of.system && status === 'INACTIVE') throw refuseBuiltIn('deactivated')
  const place = 'type' in of ? { type: of.type } : { policyId: of.policyId }
  const { id, name, priority, system, body } = of
  const context = { random: call.parts.random, now: call.now }
  await applyChange(
    call,
    'update',
    async (tx) => {
      if (status === 'INACTIVE') await refuseIfMapped(tx, of)
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
    summary: 'List the policies of a `type` by priority',
    handle: list,
  },
  { method: 'POST', path: '/policies', role: 'all', summary: 'Create a policy', handle: createPolicy },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a policy',
    handle: async (call) => renderPolicy(call, (await getPolicy(call)).id),
  },
  { method: 'PUT', path: one, role: 'all', summary: 'Replace a policy', handle: updatePolicy },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a policy and its rules',
    handle: async (call) => deleteItem(call, await getPolicy(call)),
  },
  ...lifecycleOperations(one, 'a policy', async (call, status) =>
    setStatus(call, await getPolicy(call), status),
  ),
  {
    method: 'GET',
    path: `${one}/app`,
    role: 'read',
    summary: 'List the apps that an access policy applies to',
    handle: async (call) => listApps(call, await getPolicy(call)),
  },
  {
    method: 'GET',
    path: `${one}/rules`,
    role: 'read',
    summary: 'List the rules of a policy by priority',
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
    summary: 'Create a policy rule',
    handle: async (call) => putRule(call, await getPolicy(call)),
  },
  {
    method: 'GET',
    path: rule,
    role: 'read',
    summary: 'Get a policy rule',
    handle: async (call) => {
      const found = await getRule(call)
      return renderRule(call, found.policy, found.rule.id)
    },
  },
  {
    method: 'PUT',
    path: rule,
    role: 'all',
    summary: 'Replace a policy rule',
    handle: async (call) => {
      const found = await getRule(call)
      return putRule(call, found.policy, found.rule)
    },
  },
  {
    method: 'DELETE',
    path: rule,
    role: 'all',
    summary: 'Delete a policy rule',
    handle: async (call) => deleteItem(call, (await getRule(call)).rule),
  },
  ...lifecycleOperations(rule, 'a policy rule', async (call, status) =>
    setStatus(call, (await getRule(call)).rule, status),
  ),
]
