import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { randomToken, systemRandom } from '../../base/index.ts'
import { insecureDevPrefix } from '../../config/index.ts'

/** Where `rekey dev` keeps its data unless it is told. */
export const defaultData = '.rekey'

/** What outlives a run of `rekey dev`. */
export interface DevData {
  /** Absent where nothing is kept. */
  readonly folder?: string
  readonly databaseUrl: string
  readonly secret: string
  readonly clientSecret: string
  readonly apiToken: string
}

/** Opens the data folder, and makes what is missing in it; `memory` keeps nothing. */
export async function openDevData(workingFolder: string, data: string): Promise<DevData> {
  if (data === 'memory') {
    return { databaseUrl: 'memory', secret: newSecret(), clientSecret: newSecret(), apiToken: newSecret() }
  }
  const folder = resolve(workingFolder, data)
  if (!existsSync(folder)) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // What is in here is nobody else's: not even a commit's by mistake.
    await writeFile(join(folder, '.gitignore'), '*\n')
  }
  return {
    folder,
    databaseUrl: databaseUrl(folder),
    secret: await kept(join(folder, 'secret')),
    clientSecret: await kept(join(folder, 'client-secret')),
    apiToken: await kept(join(folder, 'api-token')),
  }
}

/** The database and the secret of a data folder, or undefined where `rekey dev` has never worked in it. */
export async function findDevData(
  workingFolder: string,
  data: string,
): Promise<{ readonly databaseUrl: string; readonly secret: string } | undefined> {
  const folder = resolve(workingFolder, data)
  if (!existsSync(join(folder, 'rekey.db'))) return undefined
  return { databaseUrl: databaseUrl(folder), secret: await kept(join(folder, 'secret')) }
}

const databaseUrl = (folder: string): string => `sqlite:${join(folder, 'rekey.db')}`

const newSecret = (): string => insecureDevPrefix + randomToken(systemRandom)

/** The secret in a file; made where there is none. Two processes that start at once agree on one. */
async function kept(path: string): Promise<string> {
  await writeFile(path, `${newSecret()}\n`, { mode: 0o600, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    },
  )
  return (await readFile(path, 'utf8')).trim()
}
