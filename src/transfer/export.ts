import { isoTime, type Secrets } from '../base/index.ts'
import type { Db, Storage } from '../storage/index.ts'
import { formatVersion, type Kind, kinds, lineOf } from './kinds.ts'

/** How many of each kind there were. */
export type Summary = Readonly<Record<string, number>>

const batch = 500

export interface ExportOptions {
  readonly secrets: Secrets
  readonly now: number
  /** Takes each line, and what must be waited for. */
  write(line: string): void | Promise<void>
  /** Told now and then how far it is. */
  progress?(done: number, of: number): void
}

/**
 * Writes everything that an installation holds, as it is at one moment, whoever changes it meanwhile. Reads in batches: a
 * million people do not stand in memory.
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
        // Which secret the hashes of apps' secrets were made with: its version, which stands in each of them.
        secret: secrets.version,
      }),
    )
    const summary: Record<string, number> = {}
    let done = 0
    for (const [name, kind] of Object.entries(kinds)) {
      summary[name] = 0
      for await (const row of rowsOf(db, kind)) {
        await write(lineOf(name, kind, row))
        summary[name]++
        if (++done % batch === 0) progress?.(done, total)
      }
    }
    progress?.(total, total)
    return summary
  })

async function countsOf(db: Db): Promise<{ readonly total: number }> {
  let total = 0
  for (const { table } of Object.values(kinds)) {
    const { count } = await db
      .selectFrom(table as 'people')
      .select((eb) => eb.fn.countAll().as('count'))
      .executeTakeFirstOrThrow()
    total += Number(count)
  }
  return { total }
}

/** All rows of a kind in the order of their keys. */
async function* rowsOf(
  db: Db,
  { table, key, only }: Kind,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const [first = '', second] = key
  let last: Readonly<Record<string, unknown>> | undefined
  for (;;) {
    const after = last
    const rows = await db
      .selectFrom(table as 'memberships')
      .selectAll()
      .$if(after !== undefined, (query) =>
        query.where((eb) => {
          const beyond = eb(first as 'group_id', '>', String(after?.[first]))
          if (second === undefined) return beyond
          const same = eb(first as 'group_id', '=', String(after?.[first]))
          return eb.or([beyond, eb.and([same, eb(second as 'person_id', '>', String(after?.[second]))])])
        }),
      )
      .orderBy(first as 'group_id')
      .$if(second !== undefined, (query) => query.orderBy(second as 'person_id'))
      .limit(batch)
      .execute()
    for (const row of rows) {
      const values: Readonly<Record<string, unknown>> = { ...row }
      if (only === undefined || only.test(String(values[first]))) yield values
    }
    if (rows.length < batch) return
    last = rows.at(-1) && { ...rows.at(-1) }
  }
}
