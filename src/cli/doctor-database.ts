import { existsSync } from 'node:fs'
import { createSecrets, isoTime, systemClock } from '../base/index.ts'
import { type Config, configurationHash, type Finding } from '../config/index.ts'
import { findDrift } from '../engine/index.ts'
import { appsWithoutAddress } from '../interactions/index.ts'
import { openStorage, parseDatabaseUrl, type Storage } from '../storage/index.ts'
import type { Call } from './command.ts'

const dayMs = 86_400_000

/** What stands between this engine and its database, as far as the address says it. */
export function connectionOf({ database }: Config): readonly Finding[] {
  const address = parseDatabaseUrl(database.url)
  if (address.kind !== 'postgres') return []
  const { hosts, tls } = address
  const finding = {
    id: 'database.url',
    standard: 'Operation',
    asks: 'the connection to PostgreSQL is encrypted, and the server’s certificate verified',
  } as const
  if (hosts.every(({ host }) => isLocal(host))) {
    return [{ ...finding, result: 'met', why: 'the server is on this machine' }]
  }
  if (tls.mode === 'verify-full') return [{ ...finding, result: 'met', why: 'sslmode=verify-full' }]
  const found = tls.mode === 'unset' ? 'the address has no sslmode' : `sslmode=${tls.mode}`
  return [{ ...finding, result: 'deviates', why: `${found}; with verify-full also the host is verified` }]
}

const isLocal = (host: string): boolean => /^(\/|localhost$|127\.|::1$)/.test(host)

/** What the database says, if there is one that answers. */
export async function databaseFindings({ terminal }: Call, config: Config): Promise<readonly Finding[]> {
  const address = parseDatabaseUrl(config.database.url)
  // A database in memory is another process's, and SQLite would make an empty one for a name that is not there.
  if (address.kind === 'memory' || (address.kind === 'sqlite' && !existsSync(address.path))) return []
  try {
    const storage = await openStorage({
      url: config.database.url,
      poolSize: 1,
      pooler: config.database.pooler,
    })
    try {
      return [...(await sourcesOf(storage, config)), ...(await driftOf(storage, config))]
    } finally {
      await storage.close()
    }
  } catch (error) {
    terminal.note(`rekey: the database could not be asked: ${error instanceof Error ? error.message : error}`)
    return []
  }
}

/** Whether the users of each app are distinguished by their addresses, as the last day's interactions show. */
async function sourcesOf({ db }: Storage, { limits }: Config): Promise<readonly Finding[]> {
  const finding = {
    id: '6.3.1',
    standard: 'ASVS 5.0',
    asks: 'the users of an app are distinguished, so that guesses of one do not count for the others',
  } as const
  const apps = await appsWithoutAddress(db, systemClock.now() - dayMs)
  if (apps.length === 0) {
    const why = 'every app of the last day named the address of its user, or has none to name'
    return [{ ...finding, result: 'met', why }]
  }
  const why = `sent no X-Forwarded-For in the last day: ${apps.join(', ')}; all users of each count as one source, with ${limits.appFactor} times the budgets of an address and no shares of their own`
  return [{ ...finding, result: 'deviates', why }]
}

/** Whether the nodes are configured as this command is. Without the master secret nothing can be compared. */
async function driftOf({ db }: Storage, config: Config): Promise<readonly Finding[]> {
  const hash = configurationHash(config)
  const finding = {
    id: 'configuration',
    standard: 'Operation',
    asks: 'all nodes of the installation are configured alike',
  } as const
  if (config.secrets.length === 0) {
    return [{ ...finding, result: 'not applicable', why: `hash ${hash}; not compared: there is no secret` }]
  }
  const drift = await findDrift(db, { config, secrets: createSecrets(config.secrets) })
  if (drift === undefined) {
    return [{ ...finding, result: 'met', why: `hash ${hash}, as the node that started last` }]
  }
  const why = `hash ${hash}; the node that started last, at ${isoTime(drift.writtenAt)}, differs in: ${drift.settings.join(', ')}`
  return [{ ...finding, result: 'deviates', why }]
}
