import { apiError, ProtocolError, type Secrets, secretVersionOf } from '../base/index.ts'
import type { People } from '../people/index.ts'
import {
  claimSecret,
  isUniqueViolation,
  partOf,
  type Schema,
  type Storage,
  type Tx,
} from '../storage/index.ts'
import { isBeingImported, newRun, type Run, replacing, userOfRow } from './replaced.ts'
import {
  formatVersion,
  type Line,
  longestLine,
  rowOf,
  type Stored,
  type Table,
  tables,
  upgradedLine,
} from './tables.ts'

/** The result of an import. */
export interface ImportResult {
  readonly added: number
  readonly replaced: number
  readonly unchanged: number
  /** The refused lines with the reasons; the first thousand at most. */
  readonly problems: readonly { readonly line: number; readonly why: string }[]
  readonly refused: number
}

interface ImportOptions {
  readonly secrets: Secrets
  /** Brings about what follows from the changes of users. */
  readonly people: Pick<People, 'written'>
  /** Replaces a row that has the same id and differs. */
  readonly replace?: boolean
  /** Imports apps without the hashes of their secrets: they were made with another REKEY_SECRET. */
  readonly withoutSecrets?: boolean
  /** Answers what the import would, and changes nothing: all of it is one transaction, which is rolled back. */
  readonly dryRun?: boolean
  /** Called from time to time with the number of lines that are done. */
  progress?(lines: number): void
}

const batch = 200
const mostProblems = 1000

/** Runs `work` in a transaction that is always rolled back. It is not run again: what it reads is read once. */
async function rolledBack<T>(storage: Storage, work: (tx: Tx) => Promise<T>): Promise<T> {
  let outcome: Promise<T> | undefined
  const over = new Error('a dry run is rolled back')
  await storage
    .transaction(async (tx) => {
      outcome = work(tx)
      await outcome.catch(() => {})
      throw over
    })
    .catch((error: unknown) => {
      if (error !== over) throw error
    })
  if (outcome === undefined) throw over
  return outcome
}

interface Numbered {
  readonly number: number
  readonly text: string
}

/**
 * Imports the lines of an export. A line that is refused is reported with its number and the reason; the others are
 * imported. Each batch is one transaction, so an interrupted import can be run again. Throws a ProtocolError if the file
 * is not an export, or was made with another secret.
 */
export async function importLines(
  storage: Storage,
  lines: AsyncIterable<string>,
  options: ImportOptions,
): Promise<ImportResult> {
  const numbered = lines[Symbol.asyncIterator]()
  const head = await numbered.next()
  checkHead(head.done ? '' : head.value, options)
  if (options.dryRun) {
    return rolledBack(storage, (tx) => importAll((work) => partOf(tx, () => work(tx)), numbered, options))
  }
  await claimSecret(storage, options.secrets)
  return importAll((work) => storage.transaction(work), numbered, options)
}

/** @param atomically runs the import of a batch, which is undone as a whole where it throws */
async function importAll(
  atomically: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>,
  numbered: AsyncIterator<string>,
  options: ImportOptions,
): Promise<ImportResult> {
  const tally = { added: 0, replaced: 0, unchanged: 0, refused: 0 }
  const problems: { line: number; why: string }[] = []
  const refuse = (line: number, why: string) => {
    tally.refused++
    if (problems.length < mostProblems) problems.push({ line, why })
  }
  // Built-in rows have different ids in each database: maps the ids of the file to the ids here.
  const builtInIds = new Map<string, string>()

  const run = newRun()

  const importBatch = (part: readonly Numbered[]) =>
    atomically(async (tx) => {
      const results: Result[] = []
      for (const { text } of part) results.push(await importLine(tx, text, options, builtInIds, run))
      return results
    })
  const importOrSplit = async (part: readonly Numbered[]): Promise<readonly Result[]> => {
    try {
      return await importBatch(part)
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === undefined) throw error
      if (part.length === 1) return [{ refused: refusal }]
      // One conflicting line fails the whole batch: import the lines one by one.
      const results: Result[] = []
      for (const one of part) results.push(...(await importOrSplit([one])))
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
    if (waiting.length < batch) continue
    count(waiting, await importOrSplit(waiting))
    waiting = []
    options.progress?.(number)
  }
  if (waiting.length > 0) count(waiting, await importOrSplit(waiting))
  options.progress?.(number)
  return { ...tally, problems }
}

/** Why a line cannot be written; undefined where the error is about something else. */
function refusalOf(error: unknown): string | undefined {
  if (isUniqueViolation(error)) return 'a name that must be unique is in use already'
  return error instanceof ProtocolError && error.status === 400 ? error.causes.join('; ') : undefined
}

function checkHead(text: string, { secrets, withoutSecrets }: ImportOptions): void {
  const head = parsed(text)
  if (head?.rekey !== 'export') throw unusable('the file is not an export of rekey')
  if (typeof head.version !== 'number' || head.version > formatVersion) {
    throw unusable(
      `the file was written by a newer version of rekey: its format is ${String(head.version).slice(0, 10)}, and this version reads up to ${formatVersion}. Import it with that version or a newer one`,
    )
  }
  const versions = secrets.hashes('version', '').map((hash) => hash.split('.')[0])
  if (withoutSecrets || versions.includes(String(head.secret))) return
  throw unusable(
    'the file is from an installation with another REKEY_SECRET, so the client secrets in it cannot be verified here: add that secret as a second one, or use --without-secrets',
  )
}

const unusable = (why: string): ProtocolError => apiError('E0000001', { summary: why, causes: [why] })

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

async function importLine(
  tx: Tx,
  text: string,
  { secrets, people, replace = false, withoutSecrets = false }: ImportOptions,
  builtInIds: Map<string, string>,
  run: Run,
): Promise<Result> {
  if (text.length > longestLine) return { refused: `is longer than ${longestLine} characters` }
  const read = parsed(withBuiltInIds(text, builtInIds))
  if (read === undefined) return { refused: 'is not a JSON object' }
  const line = upgradedLine(read)
  const table =
    typeof line.kind === 'string' && Object.hasOwn(tables, line.kind) ? tables[line.kind] : undefined
  if (table === undefined) return { refused: 'has an unknown kind' }
  let row: Stored
  try {
    row = rowOf(table, table.name === 'clients' && withoutSecrets ? { ...line, secrets: [] } : line)
  } catch (error) {
    if (error instanceof ProtocolError) return { refused: error.causes[0] ?? error.description }
    throw error
  }
  if (table.keyPattern !== undefined && !table.keyPattern.test(String(row[table.key[0] ?? '']))) {
    return { refused: 'is a setting that cannot be imported' }
  }
  if (table.name === 'enrollments' && isUnreadable(line.data, secrets)) {
    return { refused: 'data: is sealed with another REKEY_SECRET: add that secret behind the present one' }
  }
  if (table.name === 'clients' && !withoutSecrets && isUnreadable(line.secrets, secrets)) {
    return {
      refused: 'secrets: are hashed with another REKEY_SECRET: add that secret, or use --without-secrets',
    }
  }
  for (const [column, parentTable] of Object.entries(table.parents ?? {})) {
    const [parent] = await tx
      .selectFrom(parentTable as 'people')
      .select('id')
      .where('id', '=', String(row[column]))
      .execute()
    if (parent === undefined) return { refused: `refers to a row of ${parentTable} that does not exist` }
  }
  return put(tx, table, row, { people, replace, builtInIds, run })
}

/**
 * Whether a line has hashes or sealed texts of a secret that is not configured: nothing could ever check or open them. An
 * installation that has rotated its secret may export some of the one before, which the head of the file does not name.
 */
function isUnreadable(value: unknown, secrets: Secrets): boolean {
  if (typeof value === 'string')
    return value.length > 40 && secretVersionOf(value) !== '' && !secrets.knows(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some((member) => isUnreadable(member, secrets))
}

/** Replaces the ids of built-in rows, wherever they occur in a line, with their ids in this database. */
function withBuiltInIds(text: string, builtInIds: ReadonlyMap<string, string>): string {
  let result = text
  for (const [theirs, ours] of builtInIds) result = result.replaceAll(`"${theirs}"`, `"${ours}"`)
  return result
}

interface Putting extends Pick<ImportOptions, 'people'> {
  readonly replace: boolean
  readonly builtInIds: Map<string, string>
  readonly run: Run
}

async function put(
  tx: Tx,
  table: Table,
  row: Stored,
  { people, replace, builtInIds, run }: Putting,
): Promise<Result> {
  const name = table.name as 'people'
  const sameKey = (key: readonly string[], values: Stored) =>
    key.reduce(
      (query, column) => query.where(column as 'id', '=', values[column] as string),
      tx.selectFrom(name).selectAll(),
    )
  const builtIn = table.builtIn?.(row)
  const own = builtIn === undefined ? undefined : await findBuiltIn(tx, table, builtIn)
  if (own !== undefined && own.id !== row.id) builtInIds.set(String(row.id), String(own.id))
  const after = own === undefined ? row : { ...row, id: own.id ?? null }
  const before = own ?? (await sameKey(table.key, row).executeTakeFirst())
  if (before !== undefined) {
    // Built-in rows have different times in each database, which is no difference.
    const same = Object.entries(after).every(
      ([column, value]) =>
        (own !== undefined && /^(created|updated)_at$/.test(column)) || isSame(before[column as 'id'], value),
    )
    if (same) return 'unchanged'
    if (!replace)
      return { refused: `differs from the ${own === undefined ? '' : 'built-in '}row in the database` }
    const write = async (): Promise<void> => {
      await change(tx, table, after)
      await table.written?.(tx, after, before as unknown as Stored)
    }
    await holdUser(tx, table, after)
    const user = userOfRow(table, after)
    if (user === undefined) await write()
    else await replacing(tx, people, run, user, write)
    return 'replaced'
  }
  const insert = async (): Promise<void> => {
    await tx
      .insertInto(name)
      .values(row as never)
      .execute()
    await table.written?.(tx, row, undefined)
  }
  const user = userOfRow(table, row)
  if (user === undefined || name === 'people' || (await isBeingImported(tx, run, user))) {
    await insert()
    if (user !== undefined) run.added.add(user)
  } else {
    await holdUser(tx, table, row)
    await replacing(tx, people, run, user, insert)
  }
  return 'added'
}

async function findBuiltIn(tx: Tx, table: Table, builtIn: string) {
  const rows = await tx
    .selectFrom(table.name as 'people')
    .selectAll()
    .$if(table.name === 'groups', (query) => query.where('type' as 'id', '=', 'BUILT_IN'))
    .$if(table.name !== 'groups', (query) => query.where('system' as 'id', '=', 1 as never))
    .execute()
  return (rows as unknown as readonly Stored[]).find((row) => table.builtIn?.(row) === builtIn)
}

/**
 * What a file replaces of a user, the user or an enrollment, counts as a change of what sign-ins are checked against: it raises
 * the user's version, and the user's row is locked first, as everywhere.
 */
async function holdUser(tx: Tx, table: Table, row: Stored): Promise<void> {
  const id = userOfRow(table, row)
  if (id === undefined) return
  await tx
    .updateTable('people')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

const change = (tx: Tx, { name, key }: Table, row: Stored) =>
  key
    .reduce(
      (query, column) => query.where(column as 'id', '=', row[column] as string),
      tx.updateTable(name as keyof Schema as 'people').set(row as never),
    )
    .execute()

/** Compares column values: one driver returns integers as strings, the other as numbers. */
const isSame = (left: unknown, right: unknown): boolean =>
  left === right || (left !== null && right !== null && String(left) === String(right))
