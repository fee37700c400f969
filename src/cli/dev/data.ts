import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { randomToken, systemRandom } from '../../base/index.ts'
import { insecureDevPrefix } from '../../config/index.ts'
import { takeFileLock } from '../../storage/index.ts'
import { CommandError } from '../command.ts'

/** The default folder for the data of `rekey dev`. */
export const defaultData = '.rekey'

/** The state that `rekey dev` stores between runs. */
export interface DevData {
  /** Absent if the data is in memory only. */
  readonly folder?: string
  readonly databaseUrl: string
  readonly secret: string
  readonly clientSecret: string
  readonly apiToken: string
  /** Records that this process uses the folder, and where it can be reached. */
  running(controlUrl: string): Promise<void>
  /** Lets another process use the folder. */
  release(): Promise<void>
}

/**
 * Opens the data folder and creates what is missing in it. With `memory` nothing is stored. Throws a CommandError where
 * another process uses the folder; `command` is how this one was started.
 */
export async function openDevData(workingFolder: string, data: string, command: string): Promise<DevData> {
  if (data === 'memory') {
    const nothing = async () => {}
    const secrets = { secret: newSecret(), clientSecret: newSecret(), apiToken: newSecret() }
    return { databaseUrl: 'memory', ...secrets, running: nothing, release: nothing }
  }
  const folder = resolve(workingFolder, data)
  if (!existsSync(folder)) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // The folder holds secrets: it must not be committed by mistake.
    await writeFile(join(folder, '.gitignore'), '*\n')
  }
  const record = join(folder, 'running.json')
  // Two processes on one folder would share users, mails' codes and resets, and each has an inbox of its own (N-p8).
  const lock = takeFileLock(join(folder, 'lock'))
  if (lock === undefined) throw new CommandError(await otherProcess(data, record, command))
  await writeFile(record, JSON.stringify({ pid: process.pid }), { mode: 0o600 })
  return {
    folder,
    running: (controlUrl) => writeFile(record, JSON.stringify({ pid: process.pid, controlUrl })),
    async release() {
      await rm(record, { force: true })
      lock.release()
    },
    databaseUrl: databaseUrl(folder),
    secret: await storedValue(join(folder, 'secret')),
    clientSecret: await storedValue(join(folder, 'client-secret')),
    apiToken: await storedValue(join(folder, 'api-token')),
  }
}

/** The database and the secret of a data folder, or undefined if `rekey dev` has never used it. */
export async function findDevData(
  workingFolder: string,
  data: string,
): Promise<{ readonly databaseUrl: string; readonly secret: string } | undefined> {
  const folder = resolve(workingFolder, data)
  if (!existsSync(join(folder, 'rekey.db'))) return undefined
  return { databaseUrl: databaseUrl(folder), secret: await storedValue(join(folder, 'secret')) }
}

async function otherProcess(data: string, record: string, command: string): Promise<string> {
  const text = await readFile(record, 'utf8').catch(() => '{}')
  const { pid, controlUrl } = JSON.parse(text || '{}') as { pid?: number; controlUrl?: string }
  const facts = [pid && `process ${pid}`, controlUrl && `inbox ${controlUrl}`].filter(Boolean).join(', ')
  return `another rekey dev uses ${data}/${facts && ` (${facts})`}: stop it, or choose another folder: ${command} --data ${data}-2 --port 0 --app-port 0 --inbox-port 0 --smtp-port 0`
}

const databaseUrl = (folder: string): string => `sqlite:${join(folder, 'rekey.db')}`

const newSecret = (): string => insecureDevPrefix + randomToken(systemRandom)

/**
 * Reads a secret from a file, or creates the file with a new one. The exclusive flag (`wx`) makes two processes that
 * start at the same time agree on one secret.
 */
async function storedValue(path: string): Promise<string> {
  await writeFile(path, `${newSecret()}\n`, { mode: 0o600, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    },
  )
  return (await readFile(path, 'utf8')).trim()
}
