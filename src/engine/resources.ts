import type { Party } from '../audit/index.ts'
import { type Clock, ConfigError, localUrl, type Random, type Secrets } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { Authenticator } from '../flow/index.ts'
import { budgetsFrom } from '../limits/index.ts'
import {
  type Api,
  appliedResources,
  applyPlan,
  callOperations,
  type ManagementParts,
  noteAppliedResources,
  operations,
  planOf,
  type ResourceProblem,
  readResources,
} from '../management/index.ts'
import type { PasswordHasher } from '../passwords/index.ts'
import { createPeople } from '../people/index.ts'
import { openPolicies } from '../policies/index.ts'
import { type Db, type Storage, type Tx, takeLock } from '../storage/index.ts'
import { noticePartsOf } from './notices.ts'

/** The parts of an engine's core that the management API needs. */
interface Parts {
  readonly config: Config
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly hasher: PasswordHasher
  readonly authenticators: ReadonlyMap<string, Authenticator>
}

/** The parts of the management API without an engine that serves it. */
function managementParts({ config, ...core }: Parts, storage: Storage): ManagementParts {
  const authenticators = [...core.authenticators.values()]
  const baseUrl = config.issuer?.replace(/\/$/, '') ?? localUrl(config.http.port)
  const policies = openPolicies(storage.db, config, authenticators)
  return {
    ...core,
    storage,
    authenticators,
    policies,
    people: createPeople({
      ...{ ...core, storage, policies },
      ...noticePartsOf(config, core.authenticators, { baseUrl }),
    }),
    budgets: budgetsFrom(config.limits),
    orgName: config.org.name,
    scannedUsers: config.management.scannedUsers,
    onCommitted: () => {},
    baseUrl: () => baseUrl,
  }
}

/** Calls the management API on this database in process, with all permissions. */
export const apiOn = (core: Parts, actor: Party): Api =>
  callOperations(operations, managementParts(core, core.storage), actor)

/** The same within one transaction, rolled back where `work` throws, and under the lock that seeding takes. */
export const inOneTransaction = <T>(
  core: Parts,
  actor: Party,
  work: (api: Api, tx: Tx) => Promise<T>,
): Promise<T> =>
  core.storage.transaction(async (tx) => {
    await takeLock(tx, 'seed')
    const inside: Storage = { ...core.storage, db: tx, transaction: (part) => part(tx) }
    return work(callOperations(operations, managementParts(core, inside), actor), tx)
  })

/**
 * Applies the `resources` of the configuration to the database, if they have changed since they were last applied: an
 * unchanged file does not undo what was changed over the API. Throws a ConfigError with all problems.
 */
export async function applyConfiguredResources(core: Parts): Promise<void> {
  const { resources } = core.config
  const text = JSON.stringify(resources)
  // Stored as a keyed hash: the resources may contain secrets of apps.
  const purpose = 'declared resources'
  const isApplied = async (db: Db) =>
    // Under any of the secrets: a secret that is being rotated must not undo what was changed over the API.
    core.secrets.hashes(purpose, text).includes((await appliedResources(db)) ?? '')
  if (text === '{}' || (await isApplied(core.storage.db))) return
  const actor: Party = { id: 'configuration', type: 'SystemPrincipal' }
  await inOneTransaction(core, actor, async (api, tx) => {
    // Another node has applied them while this one waited for the lock.
    if (await isApplied(tx)) return
    const { declared, problems } = readResources(resources)
    const plan = await planOf(api, declared)
    throwProblems([...problems, ...plan.problems])
    await applyPlan(api, plan)
    await noteAppliedResources(tx, core.secrets.hash(purpose, text))
  })
}

function throwProblems(problems: readonly ResourceProblem[]): void {
  if (problems.length === 0) return
  throw new ConfigError(problems.map(({ path, words }) => `${['resources', ...path].join('.')}: ${words}`))
}
