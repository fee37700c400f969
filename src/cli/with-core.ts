import { existsSync } from 'node:fs'
import { createLogger } from '../base/index.ts'
import { type Config, loadSettings, type Settings } from '../config/index.ts'
import { type Core, openCore } from '../engine/index.ts'
import { type Call, CommandError, textOf } from './command.ts'
import { defaultData, findDevData } from './dev/data.ts'

/**
 * Does a command's work on the database that is configured, or on that of `rekey dev` in this folder: no port is
 * opened, and an engine may run beside it.
 */
export const withCore = async (call: Call, work: (core: Core) => Promise<void>): Promise<void> =>
  onCore(await coreConfig(call), work)

/** The same on a database that need not be there yet: it is made and brought up to date, and nothing is put into it. */
export const withNewCore = async (call: Call, work: (core: Core) => Promise<void>): Promise<void> =>
  onCore(await coreConfig(call, { migrates: true }), work)

async function onCore(config: Config, work: (core: Core) => Promise<void>): Promise<void> {
  const core = await openCore(config, { log: createLogger({ level: 'warn' }) })
  try {
    await work(core)
  } finally {
    await core.storage.close()
  }
}

/** The configuration of such a command. It serves nobody, so what production needs to serve is not asked for. */
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
  const isConfigured = named === undefined && url !== undefined
  if (isConfigured) refuseMissing(url, migrates)
  const changes = isConfigured ? {} : await devDatabase(call, named)
  const config = loaded.check('development', (settings) => ({
    ...settings,
    ...changes,
    database: { ...settings.database, ...changes.database, migrate: migrates },
  }))
  if (config.secrets.length === 0) {
    throw new CommandError(
      'set REKEY_SECRET (or REKEY_SECRET_FILE) to the secret of the engines on this database',
    )
  }
  return config
}

async function devDatabase(
  { terminal }: Call,
  named: string | undefined,
): Promise<Pick<Settings, 'secrets' | 'database'>> {
  const data = named ?? (terminal.env.REKEY_DATA || defaultData)
  if (data === 'memory')
    throw new CommandError(
      'data in memory is in the memory of rekey dev alone; see GET /events of its control API',
    )
  const found = await findDevData(terminal.folder, data)
  if (found === undefined) {
    throw new CommandError(
      named === undefined
        ? `there is no database here: set DATABASE_URL, or start rekey dev first, which keeps its data in ${data}/`
        : `rekey dev has kept no data in ${data}`,
    )
  }
  return { secrets: [found.secret], database: { url: found.databaseUrl } }
}

/** SQLite would make an empty database for a name that was mistyped. */
function refuseMissing(url: string, migrates: boolean): void {
  const path = /^sqlite:(.*)$/.exec(url)?.[1]
  if (url === 'memory')
    throw new CommandError('a database in memory is gone when this command ends; see DATABASE_URL')
  if (path === undefined || migrates || existsSync(path)) return
  throw new CommandError(`${path} is not there yet: rekey migrate makes it`)
}
