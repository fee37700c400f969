import { type Client, listClients, updateClient } from '../../clients/index.ts'
import { listPolicies, type StoredPolicy, type StoredRule } from '../../policies/index.ts'
import type { Db, Tx } from '../../storage/index.ts'
import { renderApps } from '../apps/answer.ts'
import { invalid } from '../errors.ts'
import { type Page, pageOf, pageWithin } from '../input.ts'
import type { Answer, Context } from '../operation.ts'

/**
 * The apps that a policy is mapped to: by its type, access policies and profile enrollment policies. The built-in one is
 * that of apps without a mapped policy, and of those whose policy was deleted.
 */
export async function appsOf(db: Db, policy: StoredPolicy): Promise<readonly Client[]> {
  const { system, type } = policy
  if (!isMappedType(type)) return []
  const present = system ? await listPolicies(db, type) : [policy]
  return (await listClients(db)).filter((client) => isMappedTo(policy, client, present))
}

const isMappedType = (type: string): boolean => type === 'ACCESS_POLICY' || type === 'PROFILE_ENROLLMENT'

/** Whether a policy is mapped to an app. `present` are the policies of its type, for the built-in one. */
export function isMappedTo(
  { id, system, type }: StoredPolicy,
  { settings }: Client,
  present: readonly StoredPolicy[],
): boolean {
  if (!isMappedType(type)) return false
  const mapped = type === 'ACCESS_POLICY' ? settings.accessPolicyId : settings.profileEnrollmentPolicyId
  return mapped === undefined || !present.some((one) => one.id === mapped) ? system : mapped === id
}

/**
 * Throws 400 if an access policy is mapped to an app, which would fall back to the built-in policy with possibly weaker
 * demands. Call it in the transaction that deactivates the policy. Other policies demand nothing: an app whose profile
 * enrollment policy is not active has no sign-up.
 */
export async function refuseIfMapped(db: Db, of: StoredPolicy | StoredRule): Promise<void> {
  const [app] = 'type' in of && of.type === 'ACCESS_POLICY' ? await appsOf(db, of) : []
  if (app === undefined) return
  throw invalid([
    `policyId: the policy is mapped to the app ${app.label}; map another policy to the app first`,
  ])
}

/** Makes the built-in policy apply to the apps that a policy is mapped to. Answers these apps. */
export async function unmapApps(tx: Tx, of: StoredPolicy, now: number): Promise<readonly Client[]> {
  const apps = await appsOf(tx, of)
  for (const { id, settings } of apps) {
    const { accessPolicyId, profileEnrollmentPolicyId, ...rest } = settings
    const others =
      of.type === 'ACCESS_POLICY'
        ? profileEnrollmentPolicyId !== undefined && { profileEnrollmentPolicyId }
        : accessPolicyId !== undefined && { accessPolicyId }
    await updateClient(tx, id, { settings: { ...rest, ...others } }, now)
  }
  return apps
}

export async function listApps(
  { parts, query }: Context & { readonly query: Partial<Page> },
  policy: StoredPolicy,
): Promise<Answer> {
  const clients = await appsOf(parts.storage.db, policy)
  const { items, next } = pageWithin(clients, pageOf(query), ({ id }) => id)
  return { body: await renderApps({ parts }, items), next }
}
