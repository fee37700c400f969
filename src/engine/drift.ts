import { type Clock, isObject, isoTime, type Logger, type Secrets, secretVersionOf } from '../base/index.ts'
import { type Config, isShared, sharedSettings } from '../config/index.ts'
import { type Db, type Storage, takeLock } from '../storage/index.ts'
import { findNotedConfiguration, noteConfiguration } from './drift.store.ts'

/** The settings in which a configuration differs from the one that another start has written last. */
interface Drift {
  /** Names only: a value may be a secret. Sorted. */
  readonly settings: readonly string[]
  /** When the other one was written, in epoch milliseconds. */
  readonly writtenAt: number
}

interface DriftParts {
  readonly config: Config
  readonly storage: Storage
  readonly secrets: Secrets
}

interface Noted {
  readonly at: number
  /** Keyed hashes by the names of settings. */
  readonly settings: Readonly<Record<string, string>>
}

/**
 * Compares the configuration with the one that was written last, and writes it. Nodes of one installation must be
 * configured alike: what a node starts with is written into the database, so that the last start wins over all others.
 * A difference is logged as a warning. It may be a change that is being rolled out, so it is no reason not to start.
 */
export async function noteDrift(
  parts: DriftParts & { readonly clock: Clock; readonly log: Logger },
): Promise<void> {
  const { config, storage, secrets, clock, log } = parts
  const drift = await storage.transaction(async (tx) => {
    await takeLock(tx, 'seed')
    const found = await findDrift(tx, parts)
    const settings = Object.fromEntries(
      sharedSettings(config).map(({ name, text }) => [name, secrets.hash(purpose, text)]),
    )
    const noted: Noted = { at: clock.now(), settings }
    await noteConfiguration(tx, JSON.stringify(noted))
    return found
  })
  // `rekey dev` may be started with other ports each time: there are no other nodes to disagree with.
  if (drift === undefined || config.mode === 'development') return
  const { settings, writtenAt } = drift
  log.warn(
    { settings, writtenAt: isoTime(writtenAt) },
    'the configuration differs from the one that another start has written: the last start wins, so all nodes must be configured alike',
  )
}

const purpose = 'configuration'

/** How the configuration differs from the one that was written last; undefined where it does not, or none was written. */
export async function findDrift(
  db: Db,
  { config, secrets }: Pick<DriftParts, 'config' | 'secrets'>,
): Promise<Drift | undefined> {
  const noted = notedFrom(await findNotedConfiguration(db))
  if (noted === undefined) return undefined
  const own = new Map(sharedSettings(config).map(({ name, text }) => [name, text]))
  // What another version has written may have settings that are a node's own by now.
  const settings = [...new Set([...own.keys(), ...Object.keys(noted.settings).filter(isShared)])]
    .filter((name) => differs(own.get(name), noted.settings[name], secrets))
    .toSorted()
  return settings.length === 0 ? undefined : { settings, writtenAt: noted.at }
}

/**
 * Whether there is something to compare with: a node has started on the database, with a version that writes this shape,
 * and with one of these secrets. Otherwise that `findDrift` finds nothing means nothing.
 */
export async function isDriftKnown(db: Db, { secrets }: Pick<DriftParts, 'secrets'>): Promise<boolean> {
  const noted = notedFrom(await findNotedConfiguration(db))
  const known = new Set(secrets.hashes(purpose, '').map(secretVersionOf))
  return Object.values(noted?.settings ?? {}).some((stored) => known.has(secretVersionOf(stored)))
}

function differs(text: string | undefined, stored: string | undefined, secrets: Secrets): boolean {
  if (text === undefined || stored === undefined) return text !== stored
  const hashes = secrets.hashes(purpose, text)
  // While the master secret is rotated another node may hash with one that this node has not: no sign of a difference.
  const isKnown = hashes.some((hash) => secretVersionOf(hash) === secretVersionOf(stored))
  return isKnown && !hashes.includes(stored)
}

/** What another version has written in another shape is not compared. */
function notedFrom(text: string | undefined): Noted | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    if (!isObject(value) || typeof value.at !== 'number' || !isObject(value.settings)) return undefined
    const settings = Object.entries(value.settings).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    )
    return { at: value.at, settings: Object.fromEntries(settings) }
  } catch {
    return undefined
  }
}
