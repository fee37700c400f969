import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { ConfigError } from '../base/index.ts'
import type { Config, Loaded } from '../config/index.ts'
import { loadTemplates } from '../delivery/index.ts'
import { parseDatabaseUrl } from '../storage/index.ts'
import type { Terminal } from './terminal.ts'

/**
 * Runs several checks and throws one ConfigError with the problems of all of them: an administrator mends a configuration
 * in one round. Answers what the first check answers.
 */
export async function inOneRound<T>(
  first: () => T,
  ...others: readonly ((problems: readonly string[]) => Promise<void> | void)[]
): Promise<T> {
  const problems: string[] = []
  let result: { readonly value: T } | undefined
  const attempt = async (check: () => unknown) => {
    try {
      return await check()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(...error.problems)
    }
  }
  await attempt(() => {
    result = { value: first() }
  })
  for (const check of others) await attempt(() => check(problems))
  if (problems.length > 0 || result === undefined) throw new ConfigError(problems)
  return result.value
}

/**
 * The configuration of `rekey serve`, checked by everything that can be checked before something is opened, written or
 * served: `serve` itself and `rekey config --check` share it. Throws a ConfigError with all problems.
 */
export const serveConfig = (loaded: Loaded): Promise<Config> =>
  inOneRound(
    () => loaded.check('production'),
    (found) => checkHost(loaded, found),
    () => checkTemplates(loaded.settings.mail?.templates),
  )

const isReported = (problems: readonly string[], option: string): boolean =>
  problems.some((problem) => problem.startsWith(`${option}:`))

/** Whether this machine has the address to listen on. The port is not tried: a node that runs has it. */
async function checkHost({ settings, sourceOf }: Loaded, found: readonly string[]): Promise<void> {
  const host: unknown = settings.http?.host
  if (typeof host !== 'string' || isReported(found, 'http.host')) return
  const server = createServer()
  try {
    await once(server.listen({ host, port: 0 }), 'listening')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const from = sourceOf('http.host') ?? 'the default; see REKEY_HOST'
    throw new ConfigError([
      `http.host: this machine cannot listen on ${host} (${code}); such as 0.0.0.0, :: or 127.0.0.1 (from ${from})`,
    ])
  } finally {
    server.close()
  }
}

async function checkTemplates(folder: unknown): Promise<void> {
  if (typeof folder !== 'string') return
  await loadTemplates({ folder }).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(
      error.problems.map((problem) => `mail.templates (REKEY_MAIL_TEMPLATES): ${problem}`),
    )
  })
}

/** Whether the file of an SQLite database can be there. Opening it would create it. */
export function checkFile({ database }: Config, folder: string): void {
  const address = parseDatabaseUrl(database.url)
  if (address.kind !== 'sqlite' || existsSync(dirname(resolve(folder, address.path)))) return
  throw new ConfigError([`database.url: the folder of the file does not exist (DATABASE_URL)`])
}

/** Says how many of the settings `rekey serve` would refuse, in a command that does not serve. */
export function noteUnsafe(loaded: Loaded, { note }: Pick<Terminal, 'note'>): void {
  try {
    loaded.check('production')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    note(`rekey serve would refuse this for ${error.problems.length} reasons: rekey config --check`)
  }
}
