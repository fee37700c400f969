import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError, createLogger } from '../base/index.ts'
import {
  type Config,
  type Environment,
  isShortSecret,
  type Loaded,
  loadSettings,
  type Settings,
  shortSecret,
} from '../config/index.ts'
import { type Core, openCore } from '../engine/index.ts'
import { parseDatabaseUrl } from '../storage/index.ts'
import { fileProblem, inOneRound, preparedConfig } from './checks.ts'
import { type Call, CommandError, textOf } from './command.ts'
import { defaultData, findDevData } from './dev/data.ts'

/**
 * Runs the work of a command on the configured database, or on that of `rekey dev` in this folder. Opens no port; an
 * engine may be running on the same database.
 */
export const withCore = async (call: Call, work: (core: Core) => Promise<void>): Promise<void> =>
  onCore(await coreConfig(call), work)

/** Like `withCore`, but creates and migrates a database that does not exist yet, without seeding it. */
export const withNewCore = async (call: Call, work: (core: Core) => Promise<void>): Promise<void> =>
  onCore(await coreConfig(call, { migrates: true }), work)

async function onCore(config: Config, work: (core: Core) => Promise<void>): Promise<void> {
  const core = await openCore(config, { log: createLogger({ level: 'warn' }) }, { setsBack: false })
  try {
    await work(core)
  } finally {
    await core.storage.close()
  }
}

/**
 * The configuration of such a command. It serves no requests, so of the checks of production only that of the first secret
 * applies, which the database would be bound to. With `prepares` all of them apply to what is set: an engine is started on
 * the result. To the data of `rekey dev` none of them do.
 */
export async function coreConfig(
  call: Call,
  { migrates = false, prepares = false }: { readonly migrates?: boolean; readonly prepares?: boolean } = {},
): Promise<Config> {
  const { terminal } = call
  const file = textOf(call, 'config')
  const loaded = await loadSettings({ folder: terminal.folder, env: terminal.env, file })
  for (const warning of loaded.warnings) terminal.note(`rekey: ${warning}`)
  const named = textOf(call, 'data')
  const url = loaded.settings.database?.url
  // A file that should hold the address and cannot be read is reported; it does not mean the data of `rekey dev`.
  const isConfigured = named === undefined && (url !== undefined || loaded.unread.length > 0)
  if (!isConfigured && named === undefined) refuseEmpty(terminal.env)
  const changes = isConfigured ? {} : await devDatabase(call, named)
  const check = () =>
    loaded.check('development', (settings) => ({
      ...settings,
      ...changes,
      database: { ...settings.database, ...changes.database, migrate: migrates },
    }))
  if (isConfigured && prepares) return preparedConfig(loaded, terminal.folder, check)
  const config = await inOneRound(check, (found) => {
    if (isConfigured) checkSecrets(loaded, found)
  })
  if (isConfigured) refuseFile(config.database.url, terminal.folder, migrates)
  return config
}

/** A node with a short secret does not start, so no command binds a database to one, with which none could start. */
function checkSecrets({ settings: { secrets }, sourceOf }: Loaded, found: readonly string[]): void {
  if (found.some((problem) => problem.startsWith('secrets'))) return
  if (secrets === undefined || secrets.length === 0) {
    throw new ConfigError([
      'secrets: set REKEY_SECRET (or REKEY_SECRET_FILE) to the secret of the engines that use this database',
    ])
  }
  const [first] = secrets
  if (typeof first === 'string' && isShortSecret(first)) {
    throw new ConfigError([`secrets: ${shortSecret} (from ${sourceOf('secrets')})`])
  }
}

/** A variable that is there and empty is one whose value was lost on the way: `DATABASE_URL=$UNSET`. */
function refuseEmpty(env: Environment): void {
  if (env.DATABASE_URL === '' && env.REKEY_DATA === undefined) {
    throw new CommandError(
      'DATABASE_URL is set and empty: set it, or remove it to use the data of rekey dev in this folder',
    )
  }
}

/**
 * The data of `rekey dev` that a command reads which needs no database: what `--data` or `REKEY_DATA` names, else what
 * stands in this folder. Undefined where a database is configured, or `rekey dev` was never started here.
 */
export async function devDataIfAny(
  call: Call,
  { settings, unread }: Pick<Loaded, 'settings' | 'unread'>,
): Promise<(Pick<Settings, 'secrets' | 'database'> & { readonly folder: string }) | undefined> {
  const { terminal } = call
  const named = textOf(call, 'data')
  const folder = named ?? (terminal.env.REKEY_DATA || defaultData)
  if (named === undefined) {
    if (settings.database?.url !== undefined || unread.length > 0 || terminal.env.DATABASE_URL === '') return
    if ((await findDevData(terminal.folder, folder)) === undefined) return
  }
  return { ...(await devDatabase(call, named)), folder }
}

async function devDatabase(
  { terminal }: Call,
  named: string | undefined,
): Promise<Pick<Settings, 'secrets' | 'database'>> {
  const data = named ?? (terminal.env.REKEY_DATA || defaultData)
  if (data === 'memory')
    throw new CommandError(
      'data in memory can be read only by rekey dev itself; see GET /events of its control API',
    )
  const found = await findDevData(terminal.folder, data)
  if (found === undefined) {
    throw new CommandError(
      named === undefined
        ? `there is no database here: set DATABASE_URL, or start rekey dev first, which stores its data in ${data}/`
        : `rekey dev has stored no data in ${data}`,
    )
  }
  return { secrets: [found.secret], database: { url: found.databaseUrl } }
}

/** Refuses a file that is no database. SQLite would create an empty one for a mistyped name. */
function refuseFile(url: string, folder: string, migrates: boolean): void {
  const address = parseDatabaseUrl(url)
  if (address.kind === 'memory')
    throw new CommandError('a database in memory is lost when this command ends; see DATABASE_URL')
  const problem = fileProblem(url, folder, { creates: true })
  if (problem !== undefined) throw new ConfigError([`database.url: ${problem} (from DATABASE_URL)`])
  if (address.kind !== 'sqlite' || migrates || existsSync(resolve(folder, address.path))) return
  throw new CommandError(`${address.path} does not exist yet: create it with rekey migrate`)
}
