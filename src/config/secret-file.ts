import { readFileSync } from 'node:fs'
import { isObject } from './schema.ts'

/** Reads a file, and answers its bytes. Passed in by the caller, which knows the folder that relative paths start in. */
export type ReadFile = (path: string) => Buffer

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'no file can have such a name',
}

/** Why a file cannot be read, in words. */
export function unreadable(cause: unknown): string {
  const { code = '', message } = cause as NodeJS.ErrnoException
  return reasons[code] ?? (code || message)
}

/**
 * The text of a file without its byte order mark, which editors and shells of Windows put in front (RFC 8259, section 8.1,
 * lets a reader ignore it). Throws an Error for UTF-16, whose text would be read as something else.
 */
export function textOfBytes(bytes: Buffer): string {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || bytes.includes(0)) {
    throw new Error('is not in UTF-8 (UTF-16?): save it as UTF-8')
  }
  return bytes.toString('utf8').replace(/^\uFEFF/, '')
}

const mostBytes = 64 * 1024

/**
 * The text of a file that holds a secret, without byte order mark and line breaks at the end. Throws an Error whose
 * message names the file and why it is of no use, never its content.
 */
export function readSecretText(path: string, read: ReadFile): string {
  let bytes: Buffer
  try {
    bytes = read(path)
  } catch (cause) {
    throw new Error(`the file ${path} cannot be read: ${unreadable(cause)}`)
  }
  if (bytes.length > mostBytes) throw new Error(`the file ${path} is longer than any secret`)
  let text: string
  try {
    text = textOfBytes(bytes).trim()
  } catch (cause) {
    throw new Error(`the file ${path} ${(cause as Error).message}`)
  }
  if (text === '') throw new Error(`the file ${path} is empty`)
  return text
}

/** As `readSecretText`, of a value that is one line. */
export function readSecretLine(path: string, read: ReadFile): string {
  const text = readSecretText(path, read)
  if (/[\r\n]/.test(text)) throw new Error(`the file ${path} must hold one line`)
  return text
}

/** Accepts several files, and several secrets per file. Their order is significant: new values use the first one. */
export const readSecretList = (paths: string, read: ReadFile): readonly string[] =>
  listOf(paths).flatMap((path) => listOf(readSecretText(path, read)))

/** The parts of a list in one text: separated by commas or new lines. */
export const listOf = (text: string): readonly string[] =>
  text
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** The secret values of a configuration file; `*` is each entry of a list. Each has a form that names a file. */
const secretOptions = [
  'secrets',
  'database.url',
  'mail.url',
  'telephony.hook.secret',
  'captcha.secret',
  'management.apiToken',
  'clients.*.secret',
  'people.*.password',
] as const

/** The name of the option that names the file of a secret value: `clients.0.secret` has `clients.0.secretFile`. */
export const fileOption = (option: string): string => `${option}File`

interface FromFiles {
  readonly settings: object
  readonly problems: readonly string[]
}

/**
 * Replaces each option that names the file of a secret, such as `clients.0.secretFile`, by the secret in it. The settings
 * may be of any shape: what is no text is left to the check of the configuration. Files of `ignored` options are not read.
 */
export function withSecretFiles(
  settings: object,
  read: ReadFile,
  ignored: readonly string[] = [],
): FromFiles {
  const problems: string[] = []
  const replaced = secretOptions.reduce<unknown>(
    (all, option) =>
      replaceFile(all, option.split('.'), '', { read, problems, isIgnored: ignored.includes(option) }),
    settings,
  )
  return { settings: replaced as object, problems }
}

interface Context {
  readonly read: ReadFile
  readonly problems: string[]
  readonly isIgnored: boolean
}

function replaceFile(
  value: unknown,
  [name = '', ...rest]: readonly string[],
  path: string,
  to: Context,
): unknown {
  if (name === '*') {
    if (!Array.isArray(value)) return value
    return value.map((entry, index) => replaceFile(entry, rest, `${path}${index}.`, to))
  }
  if (!isObject(value)) return value
  if (rest.length > 0) {
    if (!Object.hasOwn(value, name)) return value
    return { ...value, [name]: replaceFile(value[name], rest, `${path}${name}.`, to) }
  }
  const { [fileOption(name)]: file, ...others } = value
  if (typeof file !== 'string') return value
  if (to.isIgnored) return others
  if (others[name] !== undefined) {
    to.problems.push(`${path}${fileOption(name)}: set ${name} or ${fileOption(name)}, not both`)
    return others
  }
  try {
    const text = name === 'secrets' ? readSecretList(file, to.read) : readSecretLine(file, to.read)
    return { ...others, [name]: text }
  } catch (cause) {
    to.problems.push(`${path}${fileOption(name)}: ${(cause as Error).message}`)
    return others
  }
}

/** Reads files whose paths are relative to the working folder. */
export const readHere: ReadFile = (path) => readFileSync(path)
