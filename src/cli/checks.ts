import { once } from 'node:events'
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { ConfigError, isObject } from '../base/index.ts'
import type { Config, Loaded, Settings } from '../config/index.ts'
import { loadTemplates } from '../delivery/index.ts'
import { findWidget, isWidgetProblem } from '../pages/index.ts'
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
 * served: `serve` itself, `rekey config --check`, `rekey migrate` and the count of `rekey doctor` share it. Throws a
 * ConfigError with all problems.
 *
 * @param folder where relative paths start.
 */
export const serveConfig = (loaded: Loaded, folder: string): Promise<Config> =>
  served(loaded, folder, {
    check: () => loaded.check('production'),
    creates: loaded.settings.database?.migrate !== false,
  })

/**
 * The configuration of a command that prepares a database for `rekey serve` without serving: what is set is checked as
 * by `serveConfig`; the public address and the mail server may be absent. Answers what `result` answers.
 */
export const preparedConfig = (loaded: Loaded, folder: string, result: () => Config): Promise<Config> =>
  served(loaded, folder, {
    check: () => {
      loaded.check('production', withoutServing)
      return result()
    },
    creates: true,
  })

const withoutServing = (settings: Settings): Settings => {
  const { issuer = 'https://id.example.com', mail = {} } = settings
  const hasNoServer = isObject(mail) && mail.url === undefined
  return { ...settings, issuer, ...(hasNoServer && { mail: { ...mail, deliver: false } }) }
}

const served = (
  loaded: Loaded,
  folder: string,
  { check, creates }: { readonly check: () => Config; readonly creates: boolean },
): Promise<Config> =>
  inOneRound(
    check,
    (found) => checkFile(loaded, folder, { found, creates }),
    (found) => checkHost(loaded, found, 'http.host'),
    (found) => checkHost(loaded, found, 'metrics.host'),
    () => checkTemplates(loaded.settings.mail?.templates),
    (found) => checkWidget(loaded, folder, found),
  )

const isReported = (problems: readonly string[], option: string): boolean =>
  problems.some((problem) => problem.startsWith(`${option}:`))

const hostVariables = { 'http.host': 'REKEY_HOST', 'metrics.host': 'REKEY_METRICS_HOST' } as const

/** Whether this machine has the address to listen on. The port is not tried: a node that runs has it. */
async function checkHost(
  { settings, sourceOf }: Loaded,
  found: readonly string[],
  option: keyof typeof hostVariables,
): Promise<void> {
  const host: unknown = option === 'http.host' ? settings.http?.host : settings.metrics?.host
  if (typeof host !== 'string' || isReported(found, option)) return
  if (option === 'metrics.host' && settings.metrics?.port === 'off') return
  const server = createServer()
  try {
    await once(server.listen({ host, port: 0 }), 'listening')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const from = sourceOf(option) ?? `the default; see ${hostVariables[option]}`
    throw new ConfigError([
      `${option}: this machine cannot listen on ${host} (${code}); such as 0.0.0.0, :: or 127.0.0.1 (from ${from})`,
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

/** A page without its script would be empty for everyone who wants to sign in. */
function checkWidget(
  { settings: { pages, widget } }: Loaded,
  folder: string,
  found: readonly string[],
): void {
  if (pages !== 'widget' || found.some((problem) => problem.startsWith('widget.'))) return
  const { generation = 2, ...others } = widget ?? {}
  const installed = findWidget({ generation, ...others }, folder)
  if (isWidgetProblem(installed)) {
    throw new ConfigError([`widget.${installed.option}: ${installed.words} (pages: widget)`])
  }
}

/** Checks the file of an SQLite database, which opening it would create. */
function checkFile(
  { settings, sourceOf }: Loaded,
  folder: string,
  { found, creates }: { readonly found: readonly string[]; readonly creates: boolean },
): void {
  const url: unknown = settings.database?.url
  if (typeof url !== 'string' || isReported(found, 'database.url')) return
  const problem = fileProblem(url, folder, { creates })
  if (problem === undefined) return
  throw new ConfigError([`database.url: ${problem} (from ${sourceOf('database.url')})`])
}

/**
 * Why the path of `sqlite:PATH` is of no use, in words; undefined where it is the file of a database, or, with `creates`,
 * can become one, and for every other address. Opens no database.
 */
export function fileProblem(
  url: string,
  folder: string,
  { creates }: { readonly creates: boolean },
): string | undefined {
  const address = parseDatabaseUrl(url)
  if (address.kind !== 'sqlite') return undefined
  const path = resolve(folder, address.path)
  const around = dirname(path)
  if (!statSync(around, { throwIfNoEntry: false })?.isDirectory()) {
    return `the folder of the file does not exist: ${around}`
  }
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    if (!creates)
      return `${address.path} does not exist, and without migrating none is made: run rekey migrate first`
    return isAllowed(around, constants.W_OK) ? undefined : `this user may not make a file in ${around}`
  }
  if (found.isDirectory()) return `${address.path} is a folder, and must be a file`
  if (!found.isFile()) return `${address.path} is no file`
  if (!isAllowed(path, constants.R_OK | constants.W_OK))
    return `this user may not read and write ${address.path}`
  return isDatabase(path) ? undefined : `${address.path} is not an SQLite database`
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** The first bytes of every database (SQLite's file format, section 1.3). An empty file becomes one. */
const sqliteHeader = 'SQLite format 3\0'

function isDatabase(path: string): boolean {
  const bytes = Buffer.alloc(sqliteHeader.length)
  const file = openSync(path, 'r')
  try {
    const length = readSync(file, bytes)
    return length === 0 || bytes.toString('latin1') === sqliteHeader
  } finally {
    closeSync(file)
  }
}

/** Says how many of the settings `rekey serve` would refuse, in a command that does not serve. */
export async function noteUnsafe(loaded: Loaded, { note, folder }: Pick<Terminal, 'note' | 'folder'>) {
  try {
    await serveConfig(loaded, folder)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    note(`rekey serve would refuse this for ${error.problems.length} reasons: rekey config --check`)
  }
}
