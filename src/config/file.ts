import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '../base/index.ts'
import { isObject } from './schema.ts'
import { textOfBytes, unreadable } from './secret-file.ts'

const endings = ['.ts', '.js', '.mjs', '.json', '.yaml', '.yml']

/** The names of the configuration file, in the order of the search. */
export const configFileNames: readonly string[] = endings.map((ending) => `rekey.config${ending}`)

/** The given file, or the one in the folder, or undefined. Throws a ConfigError if the folder has several. */
export function findConfigFile(folder: string, named: string | undefined): string | undefined {
  if (named !== undefined) {
    const path = resolve(folder, named)
    if (!existsSync(path)) throw new ConfigError([`${named}: there is no such file`])
    return path
  }
  const found = configFileNames.filter((name) => existsSync(join(folder, name)))
  if (found.length > 1) {
    throw new ConfigError([`${found.join(' and ')}: only one is allowed; select one with --config`])
  }
  return found[0] && join(folder, found[0])
}

/** Reads a configuration file without validating it. Throws a ConfigError if it cannot be read or holds no settings. */
export async function readConfigFile(path: string): Promise<object> {
  const settings = await read(path).catch((cause) => {
    throw new ConfigError([`${path}: ${reasonOf(cause)}`])
  })
  if (isObject(settings)) return settings
  const wanted = isData(path) ? 'must hold an object' : 'must have a default export that is an object'
  throw new ConfigError([`${path}: ${wanted}, such as { org: { name: 'Example' } }`])
}

/** Errors of the system by their codes in words; all others as they are. A file in TypeScript may throw anything. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return 'code' in cause && 'syscall' in cause ? `cannot be read: ${unreadable(cause)}` : cause.message
}

/** How many files that are modules have been read. */
let reads = 0

const isData = (path: string): boolean => ['.json', '.yaml', '.yml'].includes(extname(path))

async function read(path: string): Promise<unknown> {
  const ending = extname(path)
  if (!endings.includes(ending)) throw new Error(`must end in one of ${endings.join(', ')}`)
  if (!isData(path)) {
    const { href } = pathToFileURL(path)
    // A module is read once in a process, and a node with workers reads its configuration anew.
    const { default: settings } = (await import(reads === 0 ? href : `${href}?read=${reads}`)) as {
      default?: unknown
    }
    reads++
    return settings
  }
  const text = textOfBytes(await readFile(path))
  try {
    if (ending === '.json') return JSON.parse(text)
    const { parse } = await import('yaml')
    // An empty file is valid: it sets nothing.
    return parse(text) ?? {}
  } catch (cause) {
    // Report only the place: the messages of the parsers quote the text around an error, which may be a secret.
    const format = ending === '.json' ? 'JSON' : 'YAML'
    throw new Error(`is not valid ${format} and cannot be read${placeIn(text, cause)}`)
  }
}

/** The place of a syntax error. YAML errors have a line and a column; JSON errors have a position, or only a quote. */
function placeIn(text: string, cause: unknown): string {
  const { message = '', linePos } = cause as {
    message?: string
    linePos?: readonly { line: number; col: number }[]
  }
  const [at] = linePos ?? []
  if (at !== undefined) return ` (line ${at.line}, column ${at.col})`
  const position = /position (\d+)/.exec(message)?.[1]
  if (position === undefined) return ''
  const lines = text.slice(0, Number(position)).split('\n')
  return ` (line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1})`
}
