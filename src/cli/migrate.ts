import { createLogger, createSecrets, type Logger, silentLogger } from '../base/index.ts'
import { sharedNames } from '../directory/index.ts'
import { openCore } from '../engine/index.ts'
import { openStorage, refuseWrongSecret, type Storage } from '../storage/index.ts'
import { type Call, type Command, configOption, dataOption, jsonOption, refuseMore } from './command.ts'
import { coreConfig } from './with-core.ts'

export const migrate: Command = {
  about: [
    'Migrates the schema of the database and writes the policies, clients and users of the configuration. Safe to run from several nodes at once, and safe to run again.',
    'rekey serve does the same when it starts, unless --migrate=false is given. What rekey serve would refuse of the settings is refused before anything is written; the public address and the mail server may be absent.',
    'On PostgreSQL it runs on connections of its own, without a statement timeout: a migration waits shortly for a lock, is tried again, and says which session it waits for; indexes of large tables are built while sign-ins go on. A run that was interrupted is continued by the next one.',
    'A database that a newer version has migrated is left as it is where that version says that this one can run on it, and refused otherwise.',
  ],
  options: { ...configOption, ...dataOption, ...jsonOption },
  examples: [
    ['DATABASE_URL=postgres://… rekey migrate', 'migrate before starting new nodes with --migrate=false'],
    ['DATABASE_URL=sqlite:/var/lib/rekey/rekey.db rekey migrate', 'create the file if it does not exist'],
  ],

  async run(call) {
    refuseMore(call, 0)
    const config = await coreConfig(call, { migrates: true, prepares: true })
    const { url, pooler } = config.database
    const storage = await openStorage({ url, pooler, log: noteLogger(call) })
    const { applied, newer } = await refuseWrongSecret(storage, createSecrets(config.secrets))
      .then(() => migrated(storage))
      .finally(() => storage.close())
    const core = await openCore(config, { log: silentLogger }, { setsBack: false })
    const shared = await core
      .seed()
      .then(() =>
        applied.includes('0006-names') ? core.storage.snapshot((db) => sharedNames(db, 1000)) : [],
      )
      .finally(() => core.storage.close())
    for (const { name, personId, holderId } of shared) {
      call.terminal.note(
        `${name} of user ${personId} is a name of user ${holderId} and leads there: rename one of the two`,
      )
    }
    if (newer.length > 0) {
      const by = newer.join(', ')
      call.terminal.note(`rekey: a newer version has migrated the database (${by}); this one can run on it`)
    }
    if (call.options.json) call.terminal.print(JSON.stringify({ applied }))
    else if (applied.length === 0) call.terminal.print('up to date')
    else for (const name of applied) call.terminal.print(`applied ${name}`)
  },
}

async function migrated(storage: Storage) {
  const applied = await storage.migrate()
  const { newer } = await storage.schemaState()
  return { applied, newer }
}

/** A logger whose warnings are printed as notes: what a migration waits for, before it has waited for minutes. */
function noteLogger({ terminal }: Call): Logger {
  const write = (line: string) => {
    const { msg, migration, blockedBy } = JSON.parse(line) as Readonly<Record<string, string | undefined>>
    const about = [migration, blockedBy].filter(Boolean).join(', ')
    terminal.note(`rekey: ${msg}${about && ` (${about})`}`)
  }
  return createLogger({ level: 'warn', stream: { write } })
}
