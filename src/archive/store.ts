import type { Db, Tx } from '../storage/index.ts'
import { type Kind, kinds, settingKeys } from './kinds.ts'

type Row = Readonly<Record<string, unknown>>

const batch = 500

/** Every line but the header, from one snapshot of the database: writers go on, and none of what they do is seen. */
export async function exportLines(db: Db, write: (line: string) => Promise<void>): Promise<void> {
  const snapshot = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  await snapshot.execute(async (tx) => {
    for (const kind of kinds) {
      for (let after: Row | undefined, rows = await next(tx, kind, after); rows.length > 0; ) {
        for (const row of rows) await write(lineOf(kind, row))
        after = rows.at(-1)
        rows = rows.length < batch ? [] : await next(tx, kind, after)
      }
    }
  })
}

async function next(tx: Tx, { table, columns, key }: Kind, after: Row | undefined): Promise<readonly Row[]> {
  const { dynamic } = tx
  let query = tx
    .selectFrom(table as 'settings')
    .select(Object.keys(columns).map((one) => dynamic.ref<never>(one)))
  for (const one of key) query = query.orderBy(dynamic.ref<never>(one))
  if (table === 'settings') query = query.where('key', 'in', settingKeys)
  if (after !== undefined) {
    const [first = '', second] = key
    const column = (name: string) => dynamic.ref<string>(name)
    query = query.where((eb) =>
      eb.or([
        eb(column(first), '>', after[first] as never),
        ...(second === undefined
          ? []
          : [
              eb.and([
                eb(column(first), '=', after[first] as never),
                eb(column(second), '>', after[second] as never),
              ]),
            ]),
      ]),
    )
  }
  return (await query.limit(batch).execute()) as readonly Row[]
}

function lineOf({ kind, columns }: Kind, row: Row): string {
  const told = Object.entries(columns).flatMap(([name, type]) =>
    type === 'made' ? [] : [[name, type === 'json' ? JSON.parse(String(row[name])) : row[name]]],
  )
  return JSON.stringify({ kind, ...Object.fromEntries(told) })
}

/** Adds a row, or says what is there in its place. */
export async function addRow(tx: Tx, kind: Kind, row: Row): Promise<'added' | 'same' | 'other'> {
  const { table, key, columns } = kind
  const added = await tx
    .insertInto(table as 'settings')
    .values(row as never)
    .onConflict((oc) => oc.doNothing())
    .executeTakeFirst()
  if (Number(added.numInsertedOrUpdatedRows ?? 0) > 0) return 'added'
  let query = tx.selectFrom(table as 'settings').selectAll()
  for (const one of key) query = query.where(tx.dynamic.ref<string>(one), '=', row[one] as never)
  const there = (await query.executeTakeFirst()) as Row | undefined
  return there !== undefined && Object.keys(columns).every((one) => there[one] === row[one])
    ? 'same'
    : 'other'
}

export const hasRow = async (tx: Tx, table: Kind['table'], id: string): Promise<boolean> =>
  (await tx
    .selectFrom(table as 'people')
    .select('id')
    .where('id', '=', id)
    .executeTakeFirst()) !== undefined
