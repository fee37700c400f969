import { once } from 'node:events'
import { createWriteStream, rmSync } from 'node:fs'
import { access, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { exportLines, labelOf } from '../transfer/index.ts'
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
    'Writes the data of an installation to FILE, as JSON lines: users with password hashes, groups, apps with secret hashes, policies, trusted origins, the user schema. The file contains hashes: it is readable by its owner only, keep it that way.',
    'The export is a consistent snapshot of the database. It does not contain open transactions, sessions, tokens, queued mails, signing keys, API tokens and the system log. Use - for standard output.',
    'Until it is complete the file is FILE.part, also readable by its owner only. An export that fails or is interrupted removes it; one that is killed (SIGKILL, power) leaves it behind, with hashes in it: delete it, or run the export again.',
  ],
  options: {
    force: { type: 'boolean', description: 'overwrite FILE if it exists' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['rekey export people.jsonl', 'make a backup, or begin a migration'],
    ['rekey export - | gzip > people.jsonl.gz', 'pass the export to another program'],
  ],
  async run(call) {
    const { terminal, options } = call
    const named = onlyArgument(call, 'the file')
    refuseMore(call, 1)
    const path = resolve(terminal.folder, named)
    const isOutput = named === '-'
    if (!isOutput && options.force !== true && (await fileExists(path))) {
      throw new CommandError(`${named} exists already: use --force to overwrite it`)
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
      const counts = Object.entries(summary).filter(([, count]) => count > 0)
      if (options.json && !isOutput) terminal.print(JSON.stringify(summary, null, 2))
      else terminal.note(`exported: ${counts.map(([kind, count]) => labelOf(kind, count)).join(', ')}`)
    })
  },
}

const fileExists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

type Write = (line: string) => void | Promise<void>

const toOutput = <T>(_: string, work: (write: Write) => Promise<T>): Promise<T> => work(() => {})

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
}

/** Why a file cannot be written, in words. */
function unwritable(cause: unknown): string {
  const { code = '', message } = cause as NodeJS.ErrnoException
  return reasons[code] ?? (code || message)
}

/**
 * Writes to `PATH.part` and renames it at the end, so that an interrupted export never looks like a complete one. It is on
 * the disk before it has its name, and removed where a signal ends the process: it contains hashes.
 */
async function toFile<T>(path: string, work: (write: Write) => Promise<T>): Promise<T> {
  const partial = `${path}.part`
  const refuse = (cause: unknown): never => {
    throw new CommandError(`${path} cannot be written: ${unwritable(cause)}`, { cause })
  }
  await rm(partial, { force: true }).catch(refuse)
  const interrupts = Object.entries(signals).map(([signal, code]) => {
    const interrupt = () => {
      rmSync(partial, { force: true })
      process.exit(code)
    }
    process.once(signal, interrupt)
    return () => process.off(signal, interrupt)
  })
  const file = createWriteStream(partial, { mode: 0o600, flags: 'wx', flush: true })
  // Without a handler an error event would end the process. Every wait below races against this promise.
  const failed = once(file, 'error').then(([error]) => refuse(error))
  failed.catch(() => {})
  const reached = (event: 'open' | 'drain' | 'close') =>
    Promise.race([once(file, event).catch(refuse), failed])
  try {
    await reached('open')
    const result = await work(async (line) => {
      if (!file.write(`${line}\n`)) await reached('drain')
    })
    file.end()
    await reached('close')
    await rename(partial, path).catch(refuse)
    return result
  } catch (error) {
    file.destroy()
    await rm(partial, { force: true })
    throw error
  } finally {
    for (const forget of interrupts) forget()
  }
}
