import { compareKey, nameKey } from '../directory/index.ts'
import type { Tx } from '../storage/index.ts'
import { type ColumnType, type Kind, kinds, settingKeys } from './kinds.ts'
import { addRow, hasRow } from './store.ts'

/** What is wrong with a line. Its words never repeat a value: there are hashes in the file. */
export interface Problem {
  readonly line: number
  readonly words: string
}

export interface Imported {
  readonly added: number
  readonly unchanged: number
  readonly problems: readonly Problem[]
}

const version = 1
const longestLine = 1024 * 1024
const mostProblems = 100

/** Takes an archive line by line. The caller's transaction is to be rolled back where there are problems. */
export async function readArchive(
  tx: Tx,
  lines: AsyncIterable<string>,
  { keyVersions }: { readonly keyVersions: readonly string[] },
): Promise<Imported> {
  const problems: Problem[] = []
  let line = 0
  let added = 0
  let unchanged = 0
  for await (const text of lines) {
    line++
    const words = line === 1 ? headerProblem(text) : undefined
    if (words !== undefined) return { added, unchanged, problems: [{ line, words }] }
    if (line === 1 || text === '') continue
    const result = await take(tx, text, keyVersions)
    if (result === 'added') added++
    else if (result === 'same') unchanged++
    else problems.push({ line, words: result.words })
    if (problems.length === mostProblems) break
  }
  if (line === 0) problems.push({ line: 1, words: 'the file is empty' })
  return { added, unchanged, problems }
}

function headerProblem(text: string): string | undefined {
  const header = parsed(text)
  if (header?.rekey !== 'export') return 'this is no export of rekey: its header is missing'
  return header.version === version ? undefined : `only version ${version} of the format is known here`
}

async function take(tx: Tx, text: string, keyVersions: readonly string[]) {
  if (text.length > longestLine) return { words: 'longer than 1 MB' }
  const object = parsed(text)
  if (object === undefined) return { words: 'no JSON object' }
  const kind = kinds.find((one) => one.kind === object.kind)
  if (kind === undefined) return { words: 'of an unknown kind' }
  const wrong = Object.entries(kind.columns).find(([name, type]) => !fits(type, object[name]))
  if (wrong !== undefined) return { words: `${kind.kind}: ${wrong[0]} is missing or of the wrong type` }
  const refused = refusal(kind, object, keyVersions)
  if (refused !== undefined) return { words: refused }
  for (const [column, table] of Object.entries(kind.refers ?? {})) {
    if (!(await hasRow(tx, table, String(object[column]))))
      return { words: `${kind.kind}: ${column} refers to nothing that is there` }
  }
  const result = await addRow(tx, kind, rowOf(kind, object))
  return result === 'other'
    ? { words: `${kind.kind}: another one with this id, name, login or email is there` }
    : result
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  // PostgreSQL keeps no NUL in a text.
  if (text.length > longestLine || text.includes('\\u0000')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const fits = (type: ColumnType, value: unknown): boolean => {
  if (type === 'made') return true
  if (type === 'text') return typeof value === 'string'
  if (type === 'json') return typeof value === 'object' && value !== null
  return Number.isSafeInteger(value) || (type === 'number?' && value === null)
}

function refusal(kind: Kind, object: Readonly<Record<string, unknown>>, keyVersions: readonly string[]) {
  // Turns and counters of a running engine are no matter of a file.
  if (kind.kind === 'setting' && !settingKeys.includes(String(object.key))) return 'setting: not known here'
  if (kind.kind !== 'client') return undefined
  if (!Array.isArray(object.secrets)) return 'client: secrets is of the wrong type'
  const isKnown = (one: { readonly hash?: unknown } | null) =>
    typeof one?.hash === 'string' && keyVersions.includes(one.hash.slice(0, one.hash.indexOf('.')))
  return object.secrets.every(isKnown)
    ? undefined
    : 'client: its secret was hashed under another REKEY_SECRET; import with the one of the exporting installation'
}

function rowOf({ columns }: Kind, object: Readonly<Record<string, unknown>>) {
  const profile = (object.profile ?? {}) as Readonly<Record<string, unknown>>
  const made: Readonly<Record<string, () => string>> = {
    login_key: () => compareKey(String(object.login)),
    email_key: () => compareKey(String(object.email)),
    name_key: () => nameKey(String(object.name)),
    first_key: () => nameKey(String(profile.firstName ?? '')),
    last_key: () => nameKey(String(profile.lastName ?? '')),
  }
  return Object.fromEntries(
    Object.entries(columns).map(([name, type]) => [
      name,
      type === 'made' ? made[name]?.() : type === 'json' ? JSON.stringify(object[name]) : object[name],
    ]),
  )
}
