import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { access, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { exportLines } from '../transfer/index.ts'
import {
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  onlyArgument,
  refuseMore,
} from './command.ts'
import { grouped, progressBar } from './progress.ts'
import { withCore } from './with-core.ts'

export const exporting: Command = {
  takes: 'FILE',
  about: [
    'Writes what an installation holds to FILE, as JSON lines: people with the hashes of their passwords, groups, apps with the hashes of their secrets, policies, trusted origins, the user schema. Whoever has the file has the hashes: it is readable by its owner alone, keep it so.',
    'It is one moment of the database, whoever changes it meanwhile. What is under way stays behind: sign-ins and recoveries, sessions, tokens, mails; and so do signing keys, API tokens and the system log. - is standard output.',
  ],
  options: {
    force: { type: 'boolean', words: 'write over a FILE that is there' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['rekey export people.jsonl', 'a backup, or half of a move'],
    ['rekey export - | gzip > people.jsonl.gz', 'through other programs'],
  ],
  async run(call) {
    const { terminal, options } = call
    const named = onlyArgument(call, 'the file')
    refuseMore(call, 1)
    const path = resolve(terminal.folder, named)
    const isOutput = named === '-'
    if (!isOutput && options.force !== true && (await isThere(path))) {
      throw new CommandError(`${named} is there already: --force writes over it`)
    }
    await withCore(call, async ({ storage, secrets, clock }) => {
      const summary = await (isOutput ? toOutput : toFile)(path, (write) =>
        exportLines(storage, {
          secrets,
          now: clock.now(),
          write: isOutput ? terminal.print : write,
          progress: (done, of) =>
            terminal.progress(progressBar(done, of, `${grouped(done)} of ${grouped(of)}`)),
        }),
      )
      terminal.progress('')
      const told = Object.entries(summary).filter(([, count]) => count > 0)
      if (options.json && !isOutput) terminal.print(JSON.stringify(summary, null, 2))
      else terminal.note(`exported: ${told.map(([kind, count]) => `${kind} ${count}`).join(', ')}`)
    })
  },
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

type Write = (line: string) => void | Promise<void>

const toOutput = <T>(_: string, work: (write: Write) => Promise<T>): Promise<T> => work(() => {})

/** Beside its place first, so that half an export never looks like a whole one. */
async function toFile<T>(path: string, work: (write: Write) => Promise<T>): Promise<T> {
  const half = `${path}.part`
  await rm(half, { force: true })
  const file = createWriteStream(half, { mode: 0o600, flags: 'wx' })
  // Unheard, the event would end the process; who waits for the stream is told all the same.
  const failed = once(file, 'error').then(([error]) => {
    throw error as Error
  })
  failed.catch(() => {})
  try {
    await Promise.race([once(file, 'open'), failed])
    const result = await work(async (line) => {
      if (!file.write(`${line}\n`)) await Promise.race([once(file, 'drain'), failed])
    })
    file.end()
    await Promise.race([once(file, 'close'), failed])
    await rename(half, path)
    return result
  } catch (error) {
    file.destroy()
    await rm(half, { force: true })
    throw error
  }
}
