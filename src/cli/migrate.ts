import { createSecrets, silentLogger } from '../base/index.ts'
import { sharedNames } from '../directory/index.ts'
import { openCore } from '../engine/index.ts'
import { openStorage, refuseWrongSecret } from '../storage/index.ts'
import { type Command, configOption, dataOption, jsonOption, refuseMore } from './command.ts'
import { coreConfig } from './with-core.ts'

export const migrate: Command = {
  about: [
    'Migrates the schema of the database and writes the policies, clients and users of the configuration. Safe to run from several nodes at once, and safe to run again.',
    'rekey serve does the same when it starts, unless --migrate=false is given.',
  ],
  options: { ...configOption, ...dataOption, ...jsonOption },
  examples: [
    ['DATABASE_URL=postgres://… rekey migrate', 'migrate before starting new nodes with --migrate=false'],
    ['DATABASE_URL=sqlite:/var/lib/rekey/rekey.db rekey migrate', 'create the file if it does not exist'],
  ],

  async run(call) {
    refuseMore(call, 0)
    const config = await coreConfig(call, { migrates: true })
    const storage = await openStorage({ url: config.database.url })
    const applied = await refuseWrongSecret(storage, createSecrets(config.secrets))
      .then(() => storage.migrate())
      .finally(() => storage.close())
    const core = await openCore(config, { log: silentLogger })
    const { db } = core.storage
    const shared = await core
      .seed()
      .then(() => (applied.includes('0006-names') ? sharedNames(db, 1000) : []))
      .finally(() => core.storage.close())
    for (const { name, personId, holderId } of shared) {
      call.terminal.note(
        `${name} of user ${personId} is a name of user ${holderId} and leads there: rename one of the two`,
      )
    }
    if (call.options.json) call.terminal.print(JSON.stringify({ applied }))
    else if (applied.length === 0) call.terminal.print('up to date')
    else for (const name of applied) call.terminal.print(`applied ${name}`)
  },
}
