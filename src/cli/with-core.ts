import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError, createLogger } from '../base/index.ts'
import { type Config, type Environment, loadSettings, type Settings } from '../config/index.ts'
import { type Core, openCore } from '../engine/index.ts'
import { parseDatabaseUrl } from '../storage/index.ts'
import { inOneRound } from './checks.ts'
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

/** The configuration of such a command. It serves no requests, so the checks of production do not apply. */
export async function coreConfig(
  call: Call,
  { migrates = false }: { readonly migrates?: boolean } = {},
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
  const config = await inOneRound(
    () =>
      loaded.check('development', (settings) => ({
        ...settings,
        ...changes,
        database: { ...settings.database, ...changes.database, migrate: migrates },
      })),
    (found) => {
      const { secrets = changes.secrets } = loaded.settings
      const isMissing = secrets === undefined || (Array.isArray(secrets) && secrets.length === 0)
      if (!isMissing || found.some((problem) => problem.startsWith('secrets'))) return
      throw new ConfigError([
        'secrets: set REKEY_SECRET (or REKEY_SECRET_FILE) to the secret of the engines that use this database',
      ])
    },
  )
  if (isConfigured) refuseMissing(config.database.url, terminal.folder, migrates)
  return config
}

/** A variable that is there and empty is one whose value was lost on the way: `DATABASE_URL=$UNSET`. */
function refuseEmpty(env: Environment): void {
  if (env.DATABASE_URL === '' && env.REKEY_DATA === undefined) {
    throw new CommandError(
      'DATABASE_URL is set and empty: set it, or remove it to use the data of rekey dev in this folder',
    )
  }
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

/** Refuses a file that does not exist: SQLite would create an empty database for a mistyped name. */
function refuseMissing(url: string, folder: string, migrates: boolean): void {
  const address = parseDatabaseUrl(url)
  if (address.kind === 'memory')
    throw new CommandError('a database in memory is lost when this command ends; see DATABASE_URL')
  if (address.kind !== 'sqlite' || migrates || existsSync(resolve(folder, address.path))) return
  throw new CommandError(`${address.path} does not exist yet: create it with rekey migrate`)
}
