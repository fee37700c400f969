import { authenticatorsWith, type RelyingParty } from '../authenticators/index.ts'
import {
  branchOf,
  type Clock,
  ConfigError,
  createLogger,
  createSecrets,
  durationMs,
  type Logger,
  type MonotonicClock,
  processClock,
  type Random,
  readableByOthers,
  type Secrets,
  systemRandom,
} from '../base/index.ts'
import { listClients, listTrustedOrigins } from '../clients/index.ts'
import type { ClientConfig, Config } from '../config/index.ts'
import { findUserSchema, forgetDevicesOf, ignoredPatterns, sharedNames } from '../directory/index.ts'
import type { Authenticator } from '../flow/index.ts'
import { createOidc, type Oidc, type OidcOptions } from '../oidc/index.ts'
import { createHasher, type PasswordHasher } from '../passwords/index.ts'
import {
  type AccountChanges,
  createAccountChanges,
  createPeople,
  noticeLifetimeMs,
  type People,
} from '../people/index.ts'
import { openPolicies, type Policies } from '../policies/index.ts'
import { openStorage, parseDatabaseUrl, refuseWrongSecret, type Storage } from '../storage/index.ts'
import { openClock } from './clock.ts'
import { noticePartsOf, type Outgoing } from './notices.ts'
import { applyConfiguredResources } from './resources.ts'
import { promoteFirstSecret } from './secret.ts'
import { seed } from './seed.ts'
import type { Shared } from './shared.ts'

/** Parts that tests and the development kit may replace. */
export interface CorePorts {
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Logger
  readonly hasher?: PasswordHasher
  /** The other workers of this node, where there are any. */
  readonly shared?: Shared | undefined
  /**
   * Additional authenticators, offered behind the built-in ones. They are as the built-in ones are: an administrator
   * activates those that are INACTIVE from the start, and policies name them by their keys.
   */
  readonly authenticators?: readonly Authenticator[]
}

/**
 * An engine without its network: no port is open and no mail is sent. The command line works on it, beside engines that
 * run on the same database.
 */
export interface Core {
  readonly config: Config
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: MonotonicClock
  readonly log: Logger
  readonly hasher: PasswordHasher
  readonly authenticators: ReadonlyMap<string, Authenticator>
  readonly policies: Policies
  readonly people: People
  readonly changes: AccountChanges
  readonly outgoing: Outgoing
  /** Writes what the configuration asks for into the database; once more after the database was emptied. */
  seed(): Promise<void>
  /** Adds a client to what the configuration asks for, or replaces the one with its id. */
  register(client: ClientConfig): Promise<void>
}

/**
 * Opens the database and the parts that work on it. Migrates it, or, with `database.migrate: false`, throws a
 * ConfigError where migrations are pending. Throws one, before anything is written, where the secrets are not those of
 * the database.
 *
 * @param options.setsBack whether a noted time that is ahead of the database server's is set back, as an engine does.
 *   Default: true.
 */
export async function openCore(
  config: Config,
  ports: CorePorts = {},
  { setsBack = true }: { readonly setsBack?: boolean } = {},
): Promise<Core> {
  const log = ports.log ?? createLogger({ level: config.log.level as 'info' })
  const random = ports.random ?? systemRandom
  const secrets = createSecrets(config.secrets)
  const { url, poolSize, pooler, maxLifetimeSeconds } = config.database
  const storage = await openStorage({ url, poolSize, pooler, maxLifetimeSeconds, log })
  warnOfReadableFiles(config, log)
  try {
    if (config.database.migrate && ports.shared?.prepares !== false) {
      await refuseWrongSecret(storage, secrets)
      if ((await storage.migrate()).includes('0006-names')) await warnOfSharedNames(storage, log)
      else await checkSchema(storage, log)
    } else await refuseUnfit(storage, secrets, log)
    await warnOfIgnoredPatterns(storage, log)
    const clock = await openClock(storage, ports.clock ?? processClock, log, { setsBack })
    const { shared } = ports
    const hasher = ports.hasher ?? createHasher({ ...hasherOptions(config), hashes: shared?.hashes })
    const relyingParty = relyingPartyOf(config, storage)
    const authenticators = authenticatorsWith(hasher, ports.authenticators, {
      ...config.authenticators,
      telephony: config.telephony,
      relyingParty,
    })
    const policies = announcing(openPolicies(storage.db, config, [...authenticators.values()]), shared)
    const outgoing: Outgoing = { baseUrl: config.issuer?.replace(/\/$/, ''), onCommitted() {} }
    const people = createPeople({
      ...{ storage, clock, random, secrets, hasher, policies },
      ...noticePartsOf(config, authenticators, outgoing),
      onCommitted: () => outgoing.onCommitted(),
      // They are bound to the user's version besides; no row of them is left (A78).
      onFactorsChanged: (tx, personId) => forgetDevicesOf(tx, personId),
    })
    const lifetimes = lifetimesOf(config)
    const changes = createAccountChanges({
      ...{ storage, secrets, clock, people },
      random: branchOf(random, 'own changes'),
      ...noticePartsOf(config, authenticators, outgoing),
      waitingMs: lifetimes.ownChanges,
      codeMs: lifetimes.code,
      onCommitted: () => outgoing.onCommitted(),
    })
    const hashes = new Map<string, Promise<string>>()
    let clients: readonly ClientConfig[] = config.clients
    const seedDatabase = async () => {
      await promoteFirstSecret({ storage, secrets, log })
      const parts = { storage, secrets, random, now: clock.now(), hasher, people, hashes }
      await seed({ ...config, clients: [...clients] }, parts)
      await applyConfiguredResources({
        config,
        storage,
        secrets,
        random,
        clock,
        hasher,
        authenticators,
      })
      policies.forget()
    }
    const register = async (client: ClientConfig) => {
      clients = [...clients.filter(({ id }) => id !== client.id), client]
      await seedDatabase()
    }
    return {
      config,
      storage,
      secrets,
      random,
      clock,
      log,
      hasher,
      authenticators,
      policies,
      people,
      changes,
      outgoing,
      seed: seedDatabase,
      register,
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** Policies that all workers of a node forget together: a change is in force at all of them when it is answered. */
function announcing(policies: Policies, shared: Shared | undefined): Policies {
  if (shared === undefined) return policies
  shared.onAnnounced('policies', policies.forget)
  return {
    ...policies,
    forget() {
      policies.forget()
      shared.announce('policies')
    },
  }
}

/** For whom passkeys are made: by the configuration, with the trusted origins as they are in the database. */
export const relyingPartyOf = ({ webauthn }: Config, { db }: Storage): RelyingParty => ({
  rpId: webauthn.rpId,
  nativeOrigins: webauthn.nativeOrigins,
  trustedOrigins: () => listTrustedOrigins(db),
  clients: () => listClients(db),
})

/** The OAuth and OIDC endpoints on a core; `issuer` is the public address. */
export function openOidc(
  { config, storage, secrets, random, clock, log, policies }: Core,
  options: Pick<
    OidcOptions,
    'issuer' | 'tokens' | 'signingKey' | 'limits' | 'recordExchange' | 'hints' | 'hosted' | 'implicit'
  >,
): Oidc {
  const lifetimes = lifetimesOf(config)
  return createOidc({
    storage,
    secrets,
    random,
    clock,
    log,
    policies,
    lifetimes: {
      interactionMs: lifetimes.transaction,
      accessTokenMs: lifetimes.accessToken,
      idTokenMs: lifetimes.idToken,
      refreshTokenMs: lifetimes.refreshToken,
      sessionMs: lifetimes.session,
      authorizationCodeMs: lifetimes.authorizationCode,
      browserIdleMs: lifetimes.browserIdle,
      browserSessionMs: lifetimes.browserSession,
    },
    ...options,
  })
}

/**
 * Older releases took a login that was the email of another user. Since names are one namespace such a name leads to the
 * user who was created first, and an administrator has to rename one of the two.
 */
async function warnOfSharedNames(storage: Storage, log: Logger): Promise<void> {
  // Reads the names of all users: longer than a statement of a request may.
  for (const { personId, holderId } of await storage.snapshot((db) => sharedNames(db, 1000))) {
    log.warn({ personId, holderId }, 'a login or email belongs to another user too: rename one of the two')
  }
}

/** Files that were made before, by an older version or by hand, keep their rights. */
function warnOfReadableFiles({ database }: Config, log: Logger): void {
  const address = parseDatabaseUrl(database.url)
  if (address.kind !== 'sqlite') return
  const { path } = address
  const files = readableByOthers([path, `${path}-wal`, `${path}-shm`])
  if (files.length > 0) {
    log.warn(
      { files },
      'other users of this machine can read the database, which holds password hashes: chmod 600',
    )
  }
}

/** Older releases took any JavaScript expression: what cannot be matched in linear time is not matched at all (A61). */
async function warnOfIgnoredPatterns({ db }: Storage, log: Logger): Promise<void> {
  for (const attribute of ignoredPatterns(await findUserSchema(db))) {
    log.warn(
      { attribute },
      'the pattern of this attribute cannot be matched in linear time and is ignored: replace it (docs/management.md)',
    )
  }
}

/**
 * Refuses a database that this version, with these secrets, must not write to. Reads only.
 *
 * @throws ConfigError where the secrets are not those of the database, or migrations are pending.
 * @throws SchemaError where a newer version has migrated it that this one cannot run under.
 */
export async function refuseUnfit(storage: Storage, secrets: Secrets, log: Logger): Promise<void> {
  await refuseWrongSecret(storage, secrets)
  await checkSchema(storage, log)
}

async function checkSchema(storage: Storage, log: Logger): Promise<void> {
  const { pending, newer } = await storage.schemaState()
  if (pending.length > 0) {
    throw new ConfigError([`database: not up to date (${pending.join(', ')}); run rekey migrate`])
  }
  if (newer.length > 0)
    log.warn({ migrations: newer }, 'a newer version has migrated the database; this one can run on it')
}

/** The lifetimes of a configuration in milliseconds. */
export function lifetimesOf({ account, lifetimes }: Config) {
  const ms = (name: keyof Config['lifetimes']) => durationMs(lifetimes[name], `lifetimes.${name}`)
  return {
    code: ms('code'),
    transaction: ms('transaction'),
    interactionCode: ms('interactionCode'),
    accessToken: ms('accessToken'),
    idToken: ms('idToken'),
    refreshToken: ms('refreshToken'),
    session: ms('session'),
    authorizationCode: ms('authorizationCode'),
    browserIdle: ms('browserIdle'),
    browserSession: ms('browserSession'),
    /** How old the sign-in may be when users change their own account. */
    stepUp: durationMs(account.stepUp, 'account.stepUp'),
    /** For how long a user's own change can be stopped. */
    ownChanges: durationMs(account.waitingTime, 'account.waitingTime'),
    /** For how long the delivery of a notice is retried: three days. */
    notice: noticeLifetimeMs,
  }
}

/** How long events are stored, in milliseconds. */
export function eventRetentionOf({ events }: Config) {
  const ms = (name: keyof Config['events']) => durationMs(events[name], `events.${name}`)
  const retentionMs = ms('retention')
  return { retentionMs, unknownRetentionMs: Math.min(ms('unknownRetention'), retentionMs) }
}

const hasherOptions = ({ password }: Config) => ({
  parameters: { memoryKiB: password.memoryKiB, passes: password.passes, lanes: password.lanes },
  concurrency: password.concurrency,
  queue: password.queue,
  waitMs: password.waitMs,
})
