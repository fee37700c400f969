import { Type } from 'typebox'
import { derivedId } from '../../base/index.ts'
import { type Client, type ClientSettings, updateClient } from '../../clients/index.ts'
import { findPolicy, type StoredPolicy } from '../../policies/index.ts'
import { type Db, takeLock } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { type Answer, type Context, type Operation, operation, prefix } from '../operation.ts'
import { appsOf } from '../policies/mapped.ts'
import { page } from '../schema.ts'
import { getAppForUpdate, recordAppUpdate } from './find.ts'
import { newPolicyMapping, policyMapping } from './schema.ts'

/** The setting that a mapped policy is stored in, by its type. Okta maps no other types to apps. */
const settingOf: Readonly<Record<string, keyof ClientSettings & `${string}PolicyId`>> = {
  ACCESS_POLICY: 'accessPolicyId',
  PROFILE_ENROLLMENT: 'profileEnrollmentPolicyId',
}

function settingFor({ type, status }: StoredPolicy) {
  const setting = settingOf[type]
  if (setting === undefined) {
    throw invalid([
      `policyId: must be of the type ${Object.keys(settingOf).join(' or ')}; policies of the type ${type} apply by group, and their rules to the apps of conditions.app`,
    ])
  }
  if (status !== 'ACTIVE') throw invalid(['policyId: The policy is not active'])
  return setting
}

/**
 * Maps a policy to an app, replacing the present one of its type. Of concurrent requests the last one wins. Throws 404
 * where there is no such policy, and 400 for a type that is not mapped to apps.
 */
async function map(call: Context): Promise<{ readonly client: Client; readonly policy: StoredPolicy }> {
  const { parts, params, now } = call
  const policyId = params.policyId ?? ''
  return parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    const policy = await getPolicy(call, tx)
    const settings = { ...client.settings, [settingFor(policy)]: policyId }
    await updateClient(tx, client.id, { settings }, now)
    const isAccess = policy.type === 'ACCESS_POLICY'
    await recordAppUpdate(call, tx, client, isAccess ? 'access policy' : 'profile enrollment policy')
    return { client, policy }
  })
}

async function getPolicy({ parts, params }: Context, db: Db = parts.storage.db): Promise<StoredPolicy> {
  const id = params.policyId ?? ''
  const policy = await findPolicy(db, id)
  if (policy === undefined) throw notFound(id, 'Policy')
  return policy
}

const mappingId = (policyId: string, appId: string): string => derivedId('pma', `${policyId} ${appId}`)

function renderMapping(base: string, policyId: string, appId: string): object {
  const id = mappingId(policyId, appId)
  const policy = `${base}${prefix}/policies/${policyId}`
  return {
    id,
    _links: {
      self: { href: `${policy}/mappings/${id}` },
      application: { href: `${base}${prefix}/apps/${appId}` },
      policy: { href: policy },
    },
  }
}

/** The app of a mapping. Throws 404. */
async function getMapped(
  call: Context,
  db: Db,
): Promise<{ readonly client: Client; readonly policy: StoredPolicy }> {
  const policy = await getPolicy(call, db)
  const id = call.params.mappingId ?? ''
  const client = (await appsOf(db, policy)).find((one) => mappingId(policy.id, one.id) === id)
  if (client === undefined) throw notFound(id, 'PolicyMapping')
  return { client, policy }
}

/** Removes a mapping: the built-in policy applies to the app. */
const unmap = (call: Context): Promise<Answer> =>
  call.parts.storage.transaction(async (tx) => {
    await takeLock(tx, 'apps')
    const { client, policy } = await getMapped(call, tx)
    if (policy.system)
      throw invalid(['mappingId: the default policy applies to each app without another one'])
    const { [settingFor(policy)]: _, ...settings } = client.settings
    await updateClient(tx, client.id, { settings: settings as ClientSettings }, call.now)
    await recordAppUpdate(call, tx, client, 'policy unmapped')
    return {}
  })

const mappings = '/policies/:policyId/mappings'

export const signOnOperations: readonly Operation[] = [
  operation({
    method: 'PUT',
    path: '/apps/:appId/policies/:policyId',
    role: 'all',
    summary: 'Map an access policy or a profile enrollment policy to an app, replacing the present one',
    status: 204,
    handle: async (call) => {
      await map(call)
      return {}
    },
  }),
  operation({
    method: 'GET',
    path: mappings,
    role: 'read',
    summary: 'List the apps that a policy is mapped to, as mappings',
    query: page,
    response: Type.Array(policyMapping),
    handle: async (call) => {
      const { storage, baseUrl } = call.parts
      const policy = await getPolicy(call)
      const clients = await appsOf(storage.db, policy)
      const { items, next } = pageWithin(clients, pageOf(call.query), ({ id }) => id)
      return { body: items.map(({ id }) => renderMapping(baseUrl(), policy.id, id)), next }
    },
  }),
  operation({
    method: 'POST',
    path: mappings,
    role: 'all',
    summary: 'Map an access policy or a profile enrollment policy to an app',
    body: newPolicyMapping,
    response: policyMapping,
    handle: async (call) => {
      const { client, policy } = await map({
        ...call,
        params: { ...call.params, appId: call.body.resourceId },
      })
      return { body: renderMapping(call.parts.baseUrl(), policy.id, client.id) }
    },
  }),
  operation({
    method: 'GET',
    path: `${mappings}/:mappingId`,
    role: 'read',
    summary: 'Get a mapping of a policy to an app',
    response: policyMapping,
    handle: async (call) => {
      const { client, policy } = await getMapped(call, call.parts.storage.db)
      return { body: renderMapping(call.parts.baseUrl(), policy.id, client.id) }
    },
  }),
  operation({
    method: 'DELETE',
    path: `${mappings}/:mappingId`,
    role: 'all',
    summary: 'Remove a mapping: the default policy applies to the app',
    handle: unmap,
  }),
]
