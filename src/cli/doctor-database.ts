import { existsSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { resolve } from 'node:path'
import { authenticatorsWith, rpIdOf } from '../authenticators/index.ts'
import { createSecrets, isoTime, systemClock } from '../base/index.ts'
import { listClients } from '../clients/index.ts'
import { type Config, configurationHash, type Finding, type SystemFacts } from '../config/index.ts'
import { countLostNotices } from '../delivery/index.ts'
import { enrollmentsAfter } from '../directory/index.ts'
import { findDrift, isDriftKnown } from '../engine/index.ts'
import { appsWithoutAddress, hasInteractionsSince } from '../interactions/index.ts'
import { createHasher } from '../passwords/index.ts'
import { policiesInForce } from '../policies/index.ts'
import { openStorage, parseDatabaseUrl, SchemaError, type Storage } from '../storage/index.ts'
import type { Call } from './command.ts'
import { clockOf } from './doctor-operation.ts'
import { checkSecret, secretFindings } from './doctor-secret.ts'
import { reasonOf } from './explain.ts'

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

// A name such as `127.example.com` is another machine's.
const isLocal = (host: string): boolean =>
  host.startsWith('/') || host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

interface AskedDatabase {
  readonly findings: readonly Finding[]
  /** Why no node would start on it, in words; empty where one would, or there is none that answers. */
  readonly refusals: readonly string[]
  /** What its policies, apps and outbox say; absent where it was not asked, or could not be. */
  readonly system?: SystemFacts
}

/**
 * What the database says, if there is one that answers: why not is a note. Opens it once, and reads only.
 *
 * @param options.isBrief only what a node would refuse: the secret and the schema.
 */
export async function askDatabase(
  { terminal }: Call,
  config: Config,
  { isBrief = false }: { readonly isBrief?: boolean } = {},
): Promise<AskedDatabase> {
  const { url, pooler } = config.database
  const address = parseDatabaseUrl(url)
  // A database in memory is another process's, and SQLite would make an empty one for a name that is not there.
  const isMissing =
    address.kind === 'memory' ||
    (address.kind === 'sqlite' && !existsSync(resolve(terminal.folder, address.path)))
  if (isMissing) return { findings: [], refusals: [] }
  let storage: Storage | undefined
  try {
    storage = await openStorage({ url, poolSize: 1, pooler })
    const secret = await checkSecret(storage, config)
    const schema = await schemaOf(storage, config)
    const refusals = [secret.wrong, schema.refusal].filter((words) => words !== undefined)
    const findings = [...secret.findings, ...schema.findings]
    // What asks the tables needs those of this version.
    if (isBrief || !schema.isCurrent) return { findings, refusals }
    const system = await systemFactsOf(storage, config)
    return {
      findings: [
        ...findings,
        ...(secret.wrong === undefined ? await secretFindings(storage, config) : []),
        ...(await clockOf(storage)),
        ...(await sourcesOf(storage, config)),
        ...(await driftOf(storage, config)),
        ...(await passkeysOf(storage, config)),
      ],
      refusals,
      ...(system !== undefined && { system }),
    }
  } catch (error) {
    terminal.note(`rekey: the database could not be asked: ${reasonOf(error)}`)
    return { findings: [], refusals: [] }
  } finally {
    await storage?.close().catch(() => {})
  }
}

/**
 * What decides in the running system, and may differ from the configuration that it began with; undefined where no
 * policies have been made yet.
 */
async function systemFactsOf({ db }: Storage, config: Config): Promise<SystemFacts | undefined> {
  const { memoryKiB, passes, lanes, concurrency, queue } = config.password
  // Hashes nothing: the authenticators are asked what they are.
  const hasher = createHasher({ parameters: { memoryKiB, passes, lanes }, concurrency, queue })
  const catalogue = [...authenticatorsWith(hasher).values()]
  const policies = await policiesInForce(db, catalogue)
  if (policies.passwords.length === 0) return undefined
  const clients = await listClients(db)
  return {
    policies,
    insecureClients: clients
      .filter(({ status, settings }) => status === 'ACTIVE' && settings.insecureLocalhostRedirects)
      .map(({ id }) => id),
    implicitClients: clients
      .filter(({ status, settings }) => status === 'ACTIVE' && settings.grantTypes.includes('implicit'))
      .map(({ id }) => id),
    lostNotices: await countLostNotices(db, systemClock.now() - dayMs),
  }
}

interface CheckedSchema {
  readonly findings: readonly Finding[]
  /** Why no node would start on it. */
  readonly refusal?: string
  /** Whether its tables are those of this version. */
  readonly isCurrent: boolean
}

/** Whether this version runs on the schema of the database. */
async function schemaOf(storage: Storage, { database }: Config): Promise<CheckedSchema> {
  const finding = {
    id: 'schema',
    standard: 'Operation',
    asks: 'the schema of the database is that of this version',
  } as const
  try {
    const { pending, newer } = await storage.schemaState()
    if (pending.length > 0) {
      const names = pending.join(', ')
      const isRefused = !database.migrate
      const next = isRefused
        ? 'run rekey migrate'
        : 'rekey serve migrates it at its start, or run rekey migrate'
      const why = `database: not up to date (${names}); ${next}`
      const findings = [{ ...finding, result: 'deviates', why } as const]
      return { findings, isCurrent: false, ...(isRefused && { refusal: why }) }
    }
    const why =
      newer.length === 0
        ? 'it is up to date'
        : `a newer version has migrated it (${newer.join(', ')}); this one can run on it`
    return { findings: [{ ...finding, result: 'met', why }], isCurrent: true }
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    const { message } = error
    return {
      findings: [{ ...finding, result: 'deviates', why: message }],
      refusal: message,
      isCurrent: false,
    }
  }
}

/** Whether the passkeys in the database work for the domain of this installation: for another one they never do again. */
async function passkeysOf({ db }: Storage, { webauthn, issuer }: Config): Promise<readonly Finding[]> {
  if (webauthn.rpId === undefined && issuer === undefined) return []
  const rpId = rpIdOf(webauthn, { baseUrl: issuer ?? '' })
  let [all, others, after] = [0, 0, '']
  for (;;) {
    const page = await enrollmentsAfter(db, 'webauthn', { after, limit: 1000 })
    all += page.length
    others += page.filter(({ data }) => (data as { readonly rpId?: string }).rpId !== rpId).length
    const last = page.at(-1)
    if (page.length < 1000 || last === undefined) break
    after = last.id
  }
  if (all === 0) return []
  const finding = {
    id: 'webauthn.rpId',
    standard: 'Operation',
    asks: 'the passkeys of all users belong to the domain of this installation',
  } as const
  const why = `${others} of ${all} passkeys were made for another domain than ${rpId} and are not asked for: docs/passkeys.md, "Moving to another domain"`
  return [
    others === 0
      ? { ...finding, result: 'met', why: `all ${all} were made for ${rpId}` }
      : { ...finding, result: 'deviates', why },
  ]
}

/** Whether the users of each app are distinguished by their addresses, as the last day's interactions show. */
async function sourcesOf({ db }: Storage, { limits }: Config): Promise<readonly Finding[]> {
  const finding = {
    id: '6.3.1',
    standard: 'ASVS 5.0',
    asks: 'the users of an app are distinguished, so that guesses of one do not count for the others',
  } as const
  const since = systemClock.now() - dayMs
  const apps = await appsWithoutAddress(db, since)
  if (apps.length === 0) {
    return (await hasInteractionsSince(db, since))
      ? [
          {
            ...finding,
            result: 'met',
            why: 'every app whose interactions of the last day are stored named it',
          },
        ]
      : [{ ...finding, result: 'not checked', why: 'no interaction of the last day is stored' }]
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
  const unknown = (why: string) => [
    { ...finding, result: 'not checked', why: `hash ${hash}; ${why}` } as const,
  ]
  if (config.secrets.length === 0) return unknown('not compared: there is no secret')
  const secrets = createSecrets(config.secrets)
  if (!(await isDriftKnown(db, { secrets }))) return unknown('no node has started with it and this secret')
  const drift = await findDrift(db, { config, secrets })
  if (drift === undefined) {
    return [{ ...finding, result: 'met', why: `hash ${hash}, as the node that started last` }]
  }
  const why = `hash ${hash}; the node that started last, at ${isoTime(drift.writtenAt)}, differs in: ${drift.settings.join(', ')}`
  return [{ ...finding, result: 'deviates', why }]
}
