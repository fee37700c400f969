import type { Party } from '../audit/index.ts'
import { type Clock, ConfigError, type Random, type Secrets } from '../base/index.ts'
import type { Config } from '../config/index.ts'
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
import { type Storage, type Tx, takeLock } from '../storage/index.ts'

/** What of an engine's core this needs. */
interface Parts {
  readonly config: Config
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly hasher: PasswordHasher
}

/** What the management API stands on, without an engine that serves it. */
function managementParts({ config, ...core }: Parts, storage: Storage): ManagementParts {
  const policies = openPolicies(storage.db, config)
  return {
    ...core,
    storage,
    policies,
    people: createPeople({ ...core, storage, policies }),
    budgets: budgetsFrom(config.limits),
    orgName: config.org.name,
    recoveryPage: config.management.recoveryPage,
    onCommitted: () => {},
    baseUrl: () => config.issuer?.replace(/\/$/, '') ?? `http://localhost:${config.http.port}`,
  }
}

/** The management API on this database, with every right. */
export const apiOn = (core: Parts, actor: Party): Api =>
  callOperations(operations, managementParts(core, core.storage), actor)

/** The same within one transaction: all that `work` does stands, or, where it throws, nothing. Seeds wait for their turn. */
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
 * Brings the database to what the `resources` of the configuration say, if they have changed since that was last done:
 * what was changed over the API stays otherwise. Throws a ConfigError with everything that is wrong.
 */
export async function applyConfiguredResources(core: Parts): Promise<void> {
  const { resources } = core.config
  const text = JSON.stringify(resources)
  // A hash: there may be secrets of apps in it.
  const wanted = core.secrets.hash('declared resources', text)
  if (text === '{}' || (await appliedResources(core.storage.db)) === wanted) return
  const actor: Party = { id: 'configuration', type: 'SystemPrincipal' }
  await inOneTransaction(core, actor, async (api, tx) => {
    // Another node has just done so.
    if ((await appliedResources(tx)) === wanted) return
    const { declared, problems } = readResources(resources)
    const plan = await planOf(api, declared)
    refuse([...problems, ...plan.problems])
    await applyPlan(api, plan)
    await noteAppliedResources(tx, wanted)
  })
}

function refuse(problems: readonly ResourceProblem[]): void {
  if (problems.length === 0) return
  throw new ConfigError(problems.map(({ path, words }) => `${['resources', ...path].join('.')}: ${words}`))
}
