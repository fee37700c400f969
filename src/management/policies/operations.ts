import { Type } from 'typebox'
import { findClient } from '../../clients/index.ts'
import { findGroup, findUserSchema } from '../../directory/index.ts'
import {
  authenticatorSetups,
  findPolicy,
  isAllowedFor,
  listPolicies,
  listRules,
  putItem,
  registrationFrom,
  removePolicy,
  removeRule,
  type StoredItem,
  type StoredPolicy,
  type StoredRule,
  unsupportedSettings,
} from '../../policies/index.ts'
import { profileFields } from '../../registration/index.ts'
import { type Db, type Tx, takeLock } from '../../storage/index.ts'
import { app } from '../apps/schema.ts'
import { invalid, notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import {
  type Answer,
  type Call,
  type Context,
  lifecycleOperations,
  type Operation,
  operation,
  recordEvent,
} from '../operation.ts'
import { page } from '../schema.ts'
import { warnUnsupported } from '../unsupported.ts'
import { isMappedTo, listApps, refuseIfMapped, unmapApps } from './mapped.ts'
import {
  type NewPolicy,
  type NewPolicyRule,
  newPolicy,
  newPolicyRule,
  type PolicyChanges,
  policiesQuery,
  policy,
  policyChanges,
  policyQuery,
  policyRule,
} from './schema.ts'
import { firstRules, type PolicyBody, renderPolicy, renderRule, toPolicy, toRule } from './wire.ts'

async function getPolicy({ parts, params }: Context, db: Db = parts.storage.db): Promise<StoredPolicy> {
  const id = params.policyId ?? ''
  const policy = await findPolicy(db, id)
  if (policy === undefined) throw notFound(id, 'Policy')
  return policy
}

async function getRule(
  call: Context,
  db: Db = call.parts.storage.db,
): Promise<{ readonly policy: StoredPolicy; readonly rule: StoredRule }> {
  const policy = await getPolicy(call, db)
  const id = call.params.ruleId ?? ''
  const rule = (await listRules(db, policy.id)).find((one) => one.id === id)
  if (rule === undefined) throw notFound(id, 'PolicyRule')
  return { policy, rule }
}

/** A policy or rule under the lock: it may have changed, or been deleted, since it was read. Throws 404. */
const presentItem = async (
  call: Context,
  tx: Tx,
  of: StoredPolicy | StoredRule,
): Promise<StoredPolicy | StoredRule> => ('type' in of ? getPolicy(call, tx) : (await getRule(call, tx)).rule)

type ChangeType = 'create' | 'update' | 'delete'

/** Applies a change in one transaction, records its event, and makes this node read the policies again. */
async function applyChange<T>(
  call: Context,
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

async function answerPolicy({ parts }: Context, id: string, expand?: string): Promise<Answer> {
  const { db } = parts.storage
  const found = await findPolicy(db, id)
  if (found === undefined) throw notFound(id, 'Policy')
  const rules = expand === 'rules' ? await listRules(db, id) : undefined
  return { body: renderPolicy(parts.baseUrl(), found, rules) }
}

async function answerRule({ parts }: Context, of: StoredPolicy, id: string): Promise<Answer> {
  const rule = (await listRules(parts.storage.db, of.id)).find((one) => one.id === id)
  if (rule === undefined) throw notFound(id, 'PolicyRule')
  return { body: renderRule(parts.baseUrl(), of, rule) }
}

async function warnOf(
  call: Context,
  type: string,
  { name, body }: Pick<StoredItem, 'name' | 'body'>,
): Promise<void> {
  const { authenticators, storage } = call.parts
  const setups = await authenticatorSetups(storage.db, authenticators)
  const inUse = authenticators.filter(({ key }) => {
    const setup = setups[key]
    return setup !== undefined && isAllowedFor(setup, 'sso')
  })
  const ignored = [
    ...unsupportedSettings(type, body, authenticators, inUse),
    ...(await unknownGroups(call, body)),
    ...(type === 'PROFILE_ENROLLMENT' ? await unusableMembers(call, body) : []),
  ]
  warnUnsupported(call, 'a policy has settings', { policyType: type, policyName: name }, ignored)
}

/** The groups of a condition that there are not: it is for none of their users, and no group that is made later has the id. */
async function unknownGroups({ parts }: Context, body: object): Promise<readonly string[]> {
  const { people } = ((body as { conditions?: unknown }).conditions ?? {}) as {
    readonly people?: { readonly groups?: Readonly<Record<string, unknown>> | null } | null
  }
  const lines: string[] = []
  for (const list of ['include', 'exclude']) {
    const ids = people?.groups?.[list]
    for (const id of Array.isArray(ids) ? ids.slice(0, 100) : []) {
      if (typeof id === 'string' && (await findGroup(parts.storage.db, id)) === undefined)
        lines.push(`conditions.people.groups.${list}: ${id.slice(0, 64)} is no group`)
    }
  }
  return lines
}

/** What of a sign-up cannot be asked for, or given: attributes that no form has, groups that there are not. */
async function unusableMembers({ parts }: Context, body: object): Promise<readonly string[]> {
  const { db } = parts.storage
  const path = 'actions.profileEnrollment'
  const { attributes, targetGroupIds } = registrationFrom({ rule: body }, {})
  const fields = profileFields({ attributes }, await findUserSchema(db))
  const lines = attributes.flatMap(({ name }) =>
    fields.some((field) => field.name === name)
      ? []
      : [`${path}.profileAttributes: ${name} is no attribute that users may fill in, so no form asks for it`],
  )
  for (const id of targetGroupIds.slice(0, 100)) {
    if ((await findGroup(db, id)) === undefined)
      lines.push(`${path}.targetGroupIds: ${id.slice(0, 64)} is no group`)
  }
  return lines
}

/**
 * Refuses what would let no user in: an authenticator that must be enrolled, and whose enrolment nothing here finishes.
 * Throws 400.
 */
function refuseUnfinishable({ parts }: Context, type: string, { body }: PolicyBody): void {
  const { authenticators = [] } = ((body as { settings?: unknown }).settings ?? {}) as {
    authenticators?: unknown
  }
  if (type !== 'MFA_ENROLL' || !Array.isArray(authenticators)) return
  const problems = (authenticators as readonly EnrollmentEntry[]).flatMap((entry) => {
    const key = String(entry?.key)
    const isFinished = parts.authenticators.find((one) => one.key === key)?.finishedElsewhere !== true
    return isFinished || entry?.enroll?.self !== 'REQUIRED'
      ? []
      : [`settings.authenticators: ${key} cannot be REQUIRED: nothing here can finish its enrolment`]
  })
  if (problems.length > 0) throw invalid(problems)
}

type EnrollmentEntry =
  | { readonly key?: unknown; readonly enroll?: { readonly self?: unknown } | null }
  | null
  | undefined

async function createPolicy(call: Call<NewPolicy, unknown>): Promise<Answer> {
  const { parts, now, body } = call
  const { type } = body
  const wanted = toPolicy(body, type)
  refuseUnfinishable(call, type, wanted)
  await warnOf(call, type, wanted)
  const context = { random: parts.random, now }
  const create = async (tx: Tx) => {
    const id = await putItem(tx, { type }, wanted, context)
    const first = firstRules[type]
    if (first !== undefined) {
      const rule = { name: 'Catch-all Rule', status: 'ACTIVE', system: true, body: first } as const
      await putItem(tx, { policyId: id }, rule, context)
    }
    return id
  }
  return answerPolicy(call, await applyChange(call, 'create', create, undefined))
}

/** What a stored policy or rule becomes by a body. A built-in one applies to everyone, so that every user has one. */
const replaced = (before: StoredItem, wanted: PolicyBody, body: PolicyChanges | NewPolicyRule) => ({
  ...wanted,
  id: before.id,
  system: before.system,
  status: body.status ?? before.status,
  priority: wanted.priority ?? before.priority,
  ...(before.system && { body: { ...wanted.body, conditions: before.body.conditions } }),
})

async function updatePolicy(call: Call<PolicyChanges, unknown>): Promise<Answer> {
  const before = await getPolicy(call)
  const wanted = toPolicy(call.body, before.type)
  if (before.system && wanted.status === 'INACTIVE') throw refuseBuiltIn('deactivated')
  refuseUnfinishable(call, before.type, wanted)
  await warnOf(call, before.type, wanted)
  const update = async (tx: Tx) => {
    const after = replaced(await getPolicy(call, tx), wanted, call.body)
    if (after.status === 'INACTIVE') await refuseIfMapped(tx, before)
    return putItem(tx, { type: before.type }, after, { random: call.parts.random, now: call.now })
  }
  await applyChange(call, 'update', update, before)
  return answerPolicy(call, before.id)
}

async function putRule(
  call: Call<NewPolicyRule, unknown>,
  of: StoredPolicy,
  before?: StoredRule,
): Promise<Answer> {
  const wanted = toRule(call.body, of.type)
  if (before?.system && wanted.status === 'INACTIVE') throw refuseBuiltIn('deactivated')
  await warnOf(call, of.type, wanted)
  const put = async (tx: Tx) => {
    const present = await presentItem(call, tx, before ?? of)
    const after = before === undefined ? wanted : replaced(present, wanted, call.body)
    return putItem(tx, { policyId: of.id }, after, { random: call.parts.random, now: call.now })
  }
  const id = await applyChange(call, before === undefined ? 'create' : 'update', put, before)
  return answerRule(call, of, id)
}

const refuseBuiltIn = (action: string) =>
  invalid([`system: The default policy and its rule cannot be ${action}`])

/** Deletes a policy or rule. Apps that a deleted access policy was mapped to have the built-in one, as in Okta. */
async function deleteItem(call: Context, of: StoredPolicy | StoredRule): Promise<Answer> {
  if (of.system) throw refuseBuiltIn('deleted')
  const remove = async (tx: Tx) => {
    await presentItem(call, tx, of)
    if (!('type' in of)) return removeRule(tx, of.id)
    const apps = await unmapApps(tx, of, call.now)
    await removePolicy(tx, of.id)
    if (apps.length > 0) {
      call.parts.log?.warn(
        { policyName: of.name, apps: apps.map(({ label }) => label) },
        'a policy was deleted that was mapped to apps: the built-in policy applies to them now',
      )
    }
  }
  await applyChange(call, 'delete', remove, of)
  return {}
}

async function setStatus(
  call: Context,
  of: StoredPolicy | StoredRule,
  status: StoredItem['status'],
): Promise<Answer> {
  if (of.system && status === 'INACTIVE') throw refuseBuiltIn('deactivated')
  const place = 'type' in of ? { type: of.type } : { policyId: of.policyId }
  const context = { random: call.parts.random, now: call.now }
  await applyChange(
    call,
    'update',
    async (tx) => {
      const { id, name, priority, system, body } = await presentItem(call, tx, of)
      if (status === 'INACTIVE') await refuseIfMapped(tx, of)
      return putItem(tx, place, { id, name, priority, system, body, status }, context)
    },
    of,
  )
  return {}
}

type ListQuery = Parameters<
  Parameters<typeof operation<never, typeof policiesQuery>>[0]['handle']
>[0]['query']

async function list({
  parts,
  query,
}: {
  readonly parts: Context['parts']
  readonly query: ListQuery
}): Promise<Answer> {
  const { db } = parts.storage
  const { type, q = '', status, resourceId, expand } = query
  const all = await listPolicies(db, type)
  const client = resourceId === undefined ? undefined : await findClient(db, resourceId)
  const found = all.filter(
    (one) =>
      one.name.toLowerCase().startsWith(q.toLowerCase()) &&
      (status ?? one.status) === one.status &&
      (resourceId === undefined || (client !== undefined && isMappedTo(one, client, all))),
  )
  const { items, next } = pageWithin(found, pageOf(query), ({ id }) => id)
  const body = await Promise.all(
    items.map(async (one) =>
      renderPolicy(parts.baseUrl(), one, expand === 'rules' ? await listRules(db, one.id) : undefined),
    ),
  )
  return { body, next }
}

const one = '/policies/:policyId'
const rule = `${one}/rules/:ruleId`

export const policyOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/policies',
    role: 'read',
    summary: 'List the policies of a `type` by priority',
    query: policiesQuery,
    response: Type.Array(policy),
    handle: list,
  }),
  operation({
    method: 'POST',
    path: '/policies',
    role: 'all',
    summary: 'Create a policy',
    body: newPolicy,
    response: policy,
    handle: createPolicy,
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a policy',
    query: policyQuery,
    response: policy,
    handle: async (call) => answerPolicy(call, (await getPolicy(call)).id, call.query.expand),
  }),
  operation({
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace a policy',
    body: policyChanges,
    response: policy,
    handle: updatePolicy,
  }),
  operation({
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a policy and its rules',
    handle: async (call) => deleteItem(call, await getPolicy(call)),
  }),
  ...lifecycleOperations(
    one,
    'a policy',
    async (call, status) => setStatus(call, await getPolicy(call), status),
    { status: 204 },
  ),
  operation({
    method: 'GET',
    path: `${one}/app`,
    role: 'read',
    summary: 'List the apps that an access policy applies to',
    query: page,
    response: Type.Array(app),
    handle: async (call) => listApps(call, await getPolicy(call)),
  }),
  operation({
    method: 'GET',
    path: `${one}/rules`,
    role: 'read',
    summary: 'List the rules of a policy by priority',
    query: page,
    response: Type.Array(policyRule),
    handle: async (call) => {
      const of = await getPolicy(call)
      const rules = await listRules(call.parts.storage.db, of.id)
      const { items, next } = pageWithin(rules, pageOf(call.query), ({ id }) => id)
      return { body: items.map((each) => renderRule(call.parts.baseUrl(), of, each)), next }
    },
  }),
  operation({
    method: 'POST',
    path: `${one}/rules`,
    role: 'all',
    summary: 'Create a policy rule',
    body: newPolicyRule,
    response: policyRule,
    handle: async (call) => putRule(call, await getPolicy(call)),
  }),
  operation({
    method: 'GET',
    path: rule,
    role: 'read',
    summary: 'Get a policy rule',
    response: policyRule,
    handle: async (call) => {
      const found = await getRule(call)
      return answerRule(call, found.policy, found.rule.id)
    },
  }),
  operation({
    method: 'PUT',
    path: rule,
    role: 'all',
    summary: 'Replace a policy rule',
    body: newPolicyRule,
    response: policyRule,
    handle: async (call) => {
      const found = await getRule(call)
      return putRule(call, found.policy, found.rule)
    },
  }),
  operation({
    method: 'DELETE',
    path: rule,
    role: 'all',
    summary: 'Delete a policy rule',
    handle: async (call) => deleteItem(call, (await getRule(call)).rule),
  }),
  ...lifecycleOperations(
    rule,
    'a policy rule',
    async (call, status) => setStatus(call, (await getRule(call)).rule, status),
    { status: 204 },
  ),
]
