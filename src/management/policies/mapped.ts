import { type Client, listClients } from '../../clients/index.ts'
import type { StoredPolicy, StoredRule } from '../../policies/index.ts'
import type { Db } from '../../storage/index.ts'
import { appOf } from '../apps/wire.ts'
import { invalid } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import type { Answer, Call } from '../operation.ts'

/** The apps that an access policy counts for; those with none of their own have the built-in one. */
const appsOf = async (db: Db, { id, system, type }: StoredPolicy): Promise<readonly Client[]> =>
  type !== 'ACCESS_POLICY'
    ? []
    : (await listClients(db)).filter(({ settings: { accessPolicyId } }) =>
        accessPolicyId === undefined ? system : accessPolicyId === id,
      )

/**
 * Throws 400 where an app has this policy: without it the app would fall back to the built-in one, which may ask for
 * less. To be asked in the transaction that takes the policy away.
 */
export async function refuseWhereMapped(db: Db, of: StoredPolicy | StoredRule): Promise<void> {
  const [app] = 'type' in of ? await appsOf(db, of) : []
  if (app === undefined) return
  throw invalid([`policyId: is mapped to ${app.label}; map another policy to it first`])
}

export async function listApps({ parts, query }: Call, policy: StoredPolicy): Promise<Answer> {
  const clients = await appsOf(parts.storage.db, policy)
  const { items, next } = pageWithin(clients, pageOf(query), ({ id }) => id)
  return { body: items.map((client) => appOf(parts.baseUrl(), client, undefined)), next }
}
