import { isoTime, type Secrets } from '../base/index.ts'
import type { Db, Storage } from '../storage/index.ts'
import { formatVersion, lineOf, type Table, tables } from './tables.ts'

/** The number of exported rows by table. */
export type Summary = Readonly<Record<string, number>>

const batch = 500

export interface ExportOptions {
  readonly secrets: Secrets
  readonly now: number
  /** Writes a line. A returned promise is awaited before the next line. */
  write(line: string): void | Promise<void>
  /** Called from time to time with the number of rows that are done. */
  progress?(done: number, of: number): void
}

/**
 * Writes all data of an installation as a consistent snapshot, even if it changes during the export. Reads in batches,
 * so that a million users do not have to fit into memory.
 */
export const exportLines = (storage: Storage, options: ExportOptions): Promise<Summary> =>
  storage.snapshot(async (db) => {
    const { secrets, now, write, progress } = options
    const { total } = await countsOf(db)
    await write(
      JSON.stringify({
        rekey: 'export',
        version: formatVersion,
        createdAt: isoTime(now),
        // The version of the master secret: the hashes of client secrets can be verified only with the same one.
        secret: secrets.version,
      }),
    )
    const summary: Record<string, number> = {}
    let done = 0
    for (const [kind, table] of Object.entries(tables)) {
      summary[kind] = 0
      for await (const row of rowsOf(db, table)) {
        await write(lineOf(kind, table, row))
        summary[kind]++
        if (++done % batch === 0) progress?.(done, total)
      }
    }
    progress?.(total, total)
    return summary
  })

async function countsOf(db: Db): Promise<{ readonly total: number }> {
  let total = 0
  for (const { name } of Object.values(tables)) {
    const { count } = await db
      .selectFrom(name as 'people')
      .select((eb) => eb.fn.countAll().as('count'))
      .executeTakeFirstOrThrow()
    total += Number(count)
  }
  return { total }
}

/**
 * All rows of a table in the order of their keys, a batch at a time. The key is compared as one value, which both databases
 * answer by a range of its index: written as `a > x or (a = x and b > y)`, PostgreSQL reads all rows before it in each
 * batch, and an export of a million users takes hours.
 */
async function* rowsOf(
  db: Db,
  { name, key, keyPattern }: Table,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const [first = '', second] = key as readonly 'group_id'[]
  let last: Readonly<Record<string, unknown>> | undefined
  for (;;) {
    const after = last
    const rows = await db
      .selectFrom(name as 'memberships')
      .selectAll()
      .$if(after !== undefined, (query) =>
        query.where((eb) => {
          const values = key.map((column) => String(after?.[column]))
          const [one = '', two = ''] = values
          if (second === undefined) return eb(first as 'group_id', '>', one)
          return eb(eb.refTuple(first as 'group_id', second), '>', eb.tuple(one, two))
        }),
      )
      .orderBy(first as 'group_id')
      .$if(second !== undefined, (query) => query.orderBy(second as 'group_id'))
      .limit(batch)
      .execute()
    for (const row of rows) {
      const values: Readonly<Record<string, unknown>> = { ...row }
      if (keyPattern === undefined || keyPattern.test(String(values[first]))) yield values
    }
    if (rows.length < batch) return
    last = rows.at(-1) && { ...rows.at(-1) }
  }
}
