import { updateClient } from '../../clients/index.ts'
import { findPolicy, listPolicies } from '../../policies/index.ts'
import type { Db } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import type { Answer, Call, Operation } from '../operation.ts'
import { getAppForUpdate, recordAppUpdate } from './find.ts'

/** Maps an access policy to an app, replacing the present one. Of concurrent requests the last one wins. */
async function map(call: Call): Promise<Answer> {
  const { parts, params, now } = call
  const policyId = params.policyId ?? ''
  await parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    const policy = await findPolicy(tx, policyId)
    if (policy === undefined) throw notFound(policyId, 'Policy')
    if (policy.type !== 'ACCESS_POLICY') throw invalid(['policyId: must be of the type ACCESS_POLICY'])
    if (policy.status !== 'ACTIVE') throw invalid(['policyId: The policy is not active'])
    await updateClient(tx, client.id, { settings: { ...client.settings, accessPolicyId: policyId } }, now)
    await recordAppUpdate(call, tx, client, 'access policy')
  })
  return {}
}

/** The access policy of apps without a mapped one. */
export const builtInAccessPolicy = async (db: Db): Promise<string | undefined> =>
  (await listPolicies(db, 'ACCESS_POLICY')).find(({ system }) => system)?.id

export const signOnOperations: readonly Operation[] = [
  {
    method: 'PUT',
    path: '/apps/:appId/policies/:policyId',
    role: 'all',
    summary: 'Map an access policy to an app, replacing the present one',
    handle: map,
  },
]
