import { type Client, listClients, updateClient } from '../../clients/index.ts'
import type { StoredPolicy, StoredRule } from '../../policies/index.ts'
import type { Db, Tx } from '../../storage/index.ts'
import { appOf } from '../apps/wire.ts'
import { invalid } from '../errors.ts'
import { type Page, pageOf, pageWithin } from '../input.ts'
import type { Answer, Context } from '../operation.ts'

/** The apps that an access policy applies to; the built-in one applies to apps without a mapped policy. */
export const appsOf = async (db: Db, { id, system, type }: StoredPolicy): Promise<readonly Client[]> =>
  type !== 'ACCESS_POLICY'
    ? []
    : (await listClients(db)).filter(({ settings: { accessPolicyId } }) =>
        accessPolicyId === undefined ? system : accessPolicyId === id,
      )

/**
 * Throws 400 if a policy is mapped to an app, which would fall back to the built-in policy with possibly weaker demands.
 * Call it in the transaction that deactivates the policy.
 */
export async function refuseIfMapped(db: Db, of: StoredPolicy | StoredRule): Promise<void> {
  const [app] = 'type' in of ? await appsOf(db, of) : []
  if (app === undefined) return
  throw invalid([
    `policyId: the policy is mapped to the app ${app.label}; map another policy to the app first`,
  ])
}

/** Makes the built-in policy apply to the apps that an access policy is mapped to. Answers these apps. */
export async function unmapApps(tx: Tx, of: StoredPolicy, now: number): Promise<readonly Client[]> {
  const apps = await appsOf(tx, of)
  for (const { id, settings } of apps) {
    const { accessPolicyId: _, ...rest } = settings
    await updateClient(tx, id, { settings: rest }, now)
  }
  return apps
}

export async function listApps(
  { parts, query }: Context & { readonly query: Partial<Page> },
  policy: StoredPolicy,
): Promise<Answer> {
  const clients = await appsOf(parts.storage.db, policy)
  const { items, next } = pageWithin(clients, pageOf(query), ({ id }) => id)
  return { body: items.map((client) => appOf(parts.baseUrl(), client, undefined)), next }
}
