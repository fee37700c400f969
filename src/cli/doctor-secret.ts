import { existsSync } from 'node:fs'
import { ConfigError, createSecrets, systemClock } from '../base/index.ts'
import type { Config, Finding } from '../config/index.ts'
import {
  openStorage,
  parseDatabaseUrl,
  recordedSecrets,
  refuseWrongSecret,
  type Storage,
  usesOfSecret,
} from '../storage/index.ts'
import type { Call } from './command.ts'

interface CheckedSecret {
  readonly findings: readonly Finding[]
  /** Why no node would start with these secrets; undefined where they are right, or there is no database to ask. */
  readonly wrong?: string
}

const finding = {
  id: 'REKEY_SECRET',
  standard: 'Operation',
  asks: 'what the database holds can be read with the configured secrets',
} as const

/** Whether the configured secrets are those of the database, and what of it still needs one that has been replaced. */
export async function checkSecret(
  { terminal }: Call,
  { database, secrets: masters }: Config,
): Promise<CheckedSecret> {
  const address = parseDatabaseUrl(database.url)
  // SQLite would make an empty database for a name that is not there.
  const isThere = address.kind === 'postgres' || (address.kind === 'sqlite' && existsSync(address.path))
  if (masters.length === 0 || !isThere) return { findings: [] }
  const secrets = createSecrets(masters)
  let storage: Storage | undefined
  try {
    storage = await openStorage({ url: database.url, poolSize: 1, pooler: database.pooler })
    await refuseWrongSecret(storage, secrets)
    return { findings: await findingsOn(storage, secrets.versions) }
  } catch (error) {
    if (error instanceof ConfigError) {
      const wrong = error.problems.join('; ')
      return { findings: [{ ...finding, result: 'deviates', why: wrong }], wrong }
    }
    terminal.note(`rekey: the database could not be asked: ${error instanceof Error ? error.message : error}`)
    return { findings: [] }
  } finally {
    await storage?.close()
  }
}

async function findingsOn(storage: Storage, configured: readonly string[]): Promise<readonly Finding[]> {
  const [current, ...replaced] = await recordedSecrets(storage)
  if (current === undefined) return []
  const needed = new Map<string, string>()
  for (const version of replaced) {
    const uses = await usesOfSecret(storage.db, version, systemClock.now())
    const counts = Object.entries(uses).filter(([, count]) => count > 0)
    if (counts.length > 0) needed.set(version, counts.map(([kind, count]) => `${kind} ${count}`).join(', '))
  }
  const notes = [...needed].map(([version, uses]) =>
    configured.includes(version)
      ? `keep the secret ${version} behind it, which is still needed (${uses})`
      : `put the secret ${version} back behind it, which is still needed (${uses})`,
  )
  for (const version of configured) {
    if (version === current || needed.has(version)) continue
    notes.push(
      replaced.includes(version)
        ? `nothing needs the secret ${version} any more: remove it from REKEY_SECRET`
        : `the secret ${version} can be put first once all nodes have it`,
    )
  }
  const isLost = [...needed.keys()].some((version) => !configured.includes(version))
  const why = [`the secret ${current} is the current one`, ...notes].join('; ')
  return [{ ...finding, result: isLost ? 'deviates' : 'met', why }]
}
