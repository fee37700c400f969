import { existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { exportLines, type Imported, readArchive } from '../archive/index.ts'
import { createSecrets } from '../base/index.ts'
import { openStorage, takeTurn } from '../storage/index.ts'
import {
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  onlyArgument,
  refuseMore,
} from './command.ts'
import { inOffice, officeConfig } from './office.ts'

export const exportArchive: Command = {
  takes: 'FILE',
  about: [
    'Writes people with their password hashes, groups, apps with the hashes of their secrets, policies, trusted origins and the user schema as JSON lines, from one snapshot of the database; engines may run beside it.',
    'Not in it: sessions, tokens, codes, mails, the log, signing keys and API tokens. Keep the file like the database: it is readable for its owner alone.',
  ],
  options: {
    force: { type: 'boolean', words: 'replace FILE where it is there' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['DATABASE_URL=sqlite:/var/lib/rekey/rekey.db rekey export people.jsonl', 'a backup, or to move'],
  ],
  async run(call) {
    refuseMore(call, 1)
    const path = resolve(call.terminal.folder, onlyArgument(call, 'FILE'))
    if (!call.options.force && existsSync(path)) throw new CommandError(`${path} is there; see --force`)
    await inOffice(call, async ({ storage, secrets, clock }) => {
      const unfinished = `${path}.unfinished`
      await rm(unfinished, { force: true })
      // Made anew, never opened: nobody can have laid a readable file or a link there.
      const file = await open(unfinished, 'wx', 0o600)
      let lines = 0
      try {
        const { version: keyVersion } = secrets
        const header = { rekey: 'export', version: 1, createdAt: clock.now(), keyVersion }
        await file.write(`${JSON.stringify(header)}\n`)
        await exportLines(storage.db, async (line) => {
          lines++
          await file.write(`${line}\n`)
        })
        await file.sync()
      } catch (error) {
        await rm(unfinished, { force: true })
        throw error
      } finally {
        await file.close()
      }
      await rename(unfinished, path)
      call.terminal.print(call.options.json ? JSON.stringify({ lines }) : `written: ${lines} lines`)
    })
  },
}

export const importArchive: Command = {
  takes: 'FILE',
  about: [
    'Takes what rekey export wrote, in one transaction: where a line cannot be taken, each such line is told and nothing is taken. Importing the same file again changes nothing.',
    'The database must be empty or hold the same things: import before an engine is started on it. The schema is brought up to date. REKEY_SECRET must be that of the exporting installation, or be followed by it, where apps have secrets.',
  ],
  options: {
    'dry-run': { type: 'boolean', words: 'check every line and take nothing' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['DATABASE_URL=postgres://… rekey import people.jsonl', 'into an empty database; then rekey serve'],
  ],
  async run(call) {
    refuseMore(call, 1)
    const path = resolve(call.terminal.folder, onlyArgument(call, 'FILE'))
    if (!existsSync(path)) throw new CommandError(`${path} is not there`)
    const config = await officeConfig(call, { migrates: true })
    const storage = await openStorage({ url: config.database.url })
    try {
      await storage.migrate()
      const keyVersions = createSecrets(config.secrets)
        .hashes('archive', '')
        .map((one) => one.slice(0, one.indexOf('.')))
      const result = await storage
        .transaction(async (tx) => {
          await takeTurn(tx, 'seed')
          const imported = await readArchive(tx, linesOf(path), { keyVersions })
          if (imported.problems.length > 0 || call.options['dry-run']) throw new NotTaken(imported)
          return imported
        })
        .catch((error: unknown) => {
          if (error instanceof NotTaken) return error.imported
          throw error
        })
      const { added, unchanged, problems } = result
      for (const { line, words } of problems) call.terminal.note(`line ${line}: ${words}`)
      if (call.options.json) call.terminal.print(JSON.stringify(result))
      if (problems.length > 0) throw new CommandError('nothing was taken')
      const verb = call.options['dry-run'] ? 'would be added' : 'added'
      if (!call.options.json) call.terminal.print(`${added} ${verb}, ${unchanged} unchanged`)
    } finally {
      await storage.close()
    }
  },
}

/** Rolls the transaction back and carries out what was found. */
class NotTaken extends Error {
  readonly imported: Imported

  constructor(imported: Imported) {
    super('not taken')
    this.imported = imported
  }
}

const longest = 1024 * 1024

/** The lines of a file, each cut just beyond what is taken: a file of one line must not fill the memory. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const file = await open(path)
  let rest = ''
  for await (const part of file.createReadStream({ encoding: 'utf8' })) {
    const lines = `${rest}${part}`.split('\n')
    rest = (lines.pop() ?? '').slice(0, longest + 1)
    yield* lines
  }
  if (rest !== '') yield rest
}
