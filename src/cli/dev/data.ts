import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { randomToken, systemRandom } from '../../base/index.ts'
import { insecureDevPrefix } from '../../config/index.ts'

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
}

/** Opens the data folder and creates what is missing in it. With `memory` nothing is stored. */
export async function openDevData(workingFolder: string, data: string): Promise<DevData> {
  if (data === 'memory') {
    return { databaseUrl: 'memory', secret: newSecret(), clientSecret: newSecret(), apiToken: newSecret() }
  }
  const folder = resolve(workingFolder, data)
  if (!existsSync(folder)) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // The folder holds secrets: it must not be committed by mistake.
    await writeFile(join(folder, '.gitignore'), '*\n')
  }
  return {
    folder,
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
