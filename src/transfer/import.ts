import { ProtocolError, type Secrets } from '../base/index.ts'
import { isUniqueViolation, type Schema, type Storage, type Tx } from '../storage/index.ts'
import { formatVersion, type Kind, kinds, type Line, longestLine, rowOf, type Stored } from './kinds.ts'

/** What became of the lines. */
export interface Taken {
  readonly added: number
  readonly replaced: number
  readonly unchanged: number
  /** What was not taken, and why; of more than a thousand the first thousand. */
  readonly problems: readonly { readonly line: number; readonly why: string }[]
  readonly refused: number
}

export interface ImportOptions {
  readonly secrets: Secrets
  /** Puts the file's row in place of one with the same id that differs. */
  readonly replace?: boolean
  /** Takes apps without the hashes of their secrets: they were made with another REKEY_SECRET. */
  readonly withoutSecrets?: boolean
  /** Does everything but keep it. */
  readonly dryRun?: boolean
  /** Told now and then how many lines are done. */
  progress?(lines: number): void
}

const batch = 200
const mostProblems = 1000

class NotKept extends Error {}

interface Numbered {
  readonly number: number
  readonly text: string
}

/**
 * Takes the lines of an export in. A line that cannot be taken is told with its number and the reason, the others are
 * taken: in batches, each whole or not at all, so that one that was broken off is simply run again. Throws a
 * ProtocolError where the file is not an export, or was made with another secret.
 */
export async function importLines(
  storage: Storage,
  lines: AsyncIterable<string>,
  options: ImportOptions,
): Promise<Taken> {
  const numbered = lines[Symbol.asyncIterator]()
  const head = await numbered.next()
  checkHead(head.done ? '' : head.value, options)
  const tally = { added: 0, replaced: 0, unchanged: 0, refused: 0 }
  const problems: { line: number; why: string }[] = []
  const refuse = (line: number, why: string) => {
    tally.refused++
    if (problems.length < mostProblems) problems.push({ line, why })
  }
  // What is built in has another id here than there.
  const known = new Map<string, string>()

  const takeAll = (part: readonly Numbered[]) =>
    storage.transaction(async (tx) => {
      const results: Result[] = []
      for (const { text } of part) results.push(await take(tx, text, options, known))
      if (options.dryRun && part.length === 1) throw Object.assign(new NotKept(), { results })
      return results
    })
  const keep = async (part: readonly Numbered[]): Promise<readonly Result[]> => {
    try {
      return await takeAll(part)
    } catch (error) {
      if (error instanceof NotKept) return (error as NotKept & { results: Result[] }).results
      const refusal = refusalOf(error)
      if (refusal === undefined) throw error
      if (part.length === 1) return [{ refused: refusal }]
      // One of them stands in the way of all: each by itself.
      const results: Result[] = []
      for (const one of part) results.push(...(await keep([one])))
      return results
    }
  }
  const count = (part: readonly Numbered[], results: readonly Result[]) => {
    for (const [index, result] of results.entries()) {
      if (typeof result === 'string') tally[result]++
      else refuse(part[index]?.number ?? 0, result.refused)
    }
  }

  let number = 1
  let waiting: Numbered[] = []
  for (let next = await numbered.next(); !next.done; next = await numbered.next()) {
    number++
    if (next.value.trim() === '') continue
    waiting.push({ number, text: next.value })
    if (waiting.length < (options.dryRun ? 1 : batch)) continue
    count(waiting, await keep(waiting))
    waiting = []
    options.progress?.(number)
  }
  if (waiting.length > 0) count(waiting, await keep(waiting))
  options.progress?.(number)
  return { ...tally, problems }
}

/** Why a line cannot be written; undefined where the error is about something else. */
function refusalOf(error: unknown): string | undefined {
  if (isUniqueViolation(error)) return 'a name that must be unique is already somebody else’s'
  return error instanceof ProtocolError && error.status === 400 ? error.causes.join('; ') : undefined
}

function checkHead(text: string, { secrets, withoutSecrets }: ImportOptions): void {
  const head = parsed(text)
  if (head?.rekey !== 'export') throw unusable('the file does not begin as an export of rekey does')
  if (typeof head.version !== 'number' || head.version > formatVersion) {
    throw unusable('the file is of a newer rekey than this one')
  }
  const versions = secrets.hashes('version', '').map((hash) => hash.split('.')[0])
  if (withoutSecrets || versions.includes(String(head.secret))) return
  throw unusable(
    'the file is of an installation with another REKEY_SECRET, so the secrets of its apps would never match: give that secret as a second one, or import without them',
  )
}

const unusable = (why: string): ProtocolError => new ProtocolError(400, 'E0000001', why, { causes: [why] })

function parsed(text: string): Line | undefined {
  if (text.length > longestLine) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Line) : undefined
  } catch {
    return undefined
  }
}

type Result = 'added' | 'replaced' | 'unchanged' | { readonly refused: string }

async function take(
  tx: Tx,
  text: string,
  { replace = false, withoutSecrets = false }: ImportOptions,
  known: Map<string, string>,
): Promise<Result> {
  if (text.length > longestLine) return { refused: `is longer than ${longestLine} characters` }
  const line = parsed(renamed(text, known))
  if (line === undefined) return { refused: 'is no JSON object' }
  const kind = typeof line.kind === 'string' && Object.hasOwn(kinds, line.kind) ? kinds[line.kind] : undefined
  if (kind === undefined) return { refused: 'is of a kind that is not known' }
  let row: Stored
  try {
    row = rowOf(kind, kind.table === 'clients' && withoutSecrets ? { ...line, secrets: [] } : line)
  } catch (error) {
    if (error instanceof ProtocolError) return { refused: error.causes[0] ?? error.description }
    throw error
  }
  if (kind.only !== undefined && !kind.only.test(String(row[kind.key[0] ?? '']))) {
    return { refused: 'is a setting that no file may bring' }
  }
  for (const [column, table] of Object.entries(kind.of ?? {})) {
    const [there] = await tx
      .selectFrom(table as 'people')
      .select('id')
      .where('id', '=', String(row[column]))
      .execute()
    if (there === undefined) return { refused: `belongs to ${table} that are not there` }
  }
  return put(tx, kind, row, replace, known)
}

/** Ids of what is built in, wherever they stand in a line, as they are here. */
function renamed(text: string, known: ReadonlyMap<string, string>): string {
  let named = text
  for (const [there, here] of known) named = named.replaceAll(`"${there}"`, `"${here}"`)
  return named
}

async function put(
  tx: Tx,
  kind: Kind,
  row: Stored,
  replace: boolean,
  known: Map<string, string>,
): Promise<Result> {
  const table = kind.table as 'people'
  const sameKey = (key: readonly string[], values: Stored) =>
    key.reduce(
      (query, column) => query.where(column as 'id', '=', values[column] as string),
      tx.selectFrom(table).selectAll(),
    )
  const builtIn = kind.builtIn?.(row)
  const own = builtIn === undefined ? undefined : await builtInHere(tx, kind, builtIn)
  if (own !== undefined && own.id !== row.id) known.set(String(row.id), String(own.id))
  const here = own === undefined ? row : { ...row, id: own.id ?? null }
  const before = own ?? (await sameKey(kind.key, row).executeTakeFirst())
  if (before !== undefined) {
    // When something built in was made is told by each database itself.
    const same = Object.entries(here).every(
      ([column, value]) =>
        (own !== undefined && /^(created|updated)_at$/.test(column)) || isSame(before[column as 'id'], value),
    )
    if (same) return 'unchanged'
    if (!replace) return { refused: `is there already${own === undefined ? '' : ', built in'}, and differs` }
    await holdUser(tx, kind, here)
    await change(tx, kind, here)
    await kind.written?.(tx, here, before as unknown as Stored)
    return 'replaced'
  }
  await tx
    .insertInto(table)
    .values(row as never)
    .execute()
  await kind.written?.(tx, row, undefined)
  return 'added'
}

async function builtInHere(tx: Tx, kind: Kind, builtIn: string) {
  const rows = await tx
    .selectFrom(kind.table as 'people')
    .selectAll()
    .$if(kind.table === 'groups', (query) => query.where('type' as 'id', '=', 'BUILT_IN'))
    .$if(kind.table !== 'groups', (query) => query.where('system' as 'id', '=', 1 as never))
    .execute()
  return (rows as unknown as readonly Stored[]).find((row) => kind.builtIn?.(row) === builtIn)
}

/**
 * What a file replaces of a user, the user or a credential, counts as a change of what sign-ins are judged by: it raises
 * the user's version, and the user's row is locked first, as everywhere.
 */
async function holdUser(tx: Tx, { table }: Kind, row: Stored): Promise<void> {
  const id = table === 'people' ? row.id : table === 'credentials' ? row.person_id : undefined
  if (id === undefined) return
  await tx
    .updateTable('people')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', String(id))
    .execute()
}

const change = (tx: Tx, { table, key }: Kind, row: Stored) =>
  key
    .reduce(
      (query, column) => query.where(column as 'id', '=', row[column] as string),
      tx.updateTable(table as keyof Schema as 'people').set(row as never),
    )
    .execute()

/** Integers come as texts from one driver and as numbers from the other. */
const isSame = (left: unknown, right: unknown): boolean =>
  left === right || (left !== null && right !== null && String(left) === String(right))
