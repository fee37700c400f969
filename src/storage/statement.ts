import type { Compilable, CompiledQuery, DialectAdapter, QueryResult } from 'kysely'
import type { NewRow, Schema } from './schema.ts'
import { type Db, run } from './storage.ts'

/** Stands in a statement for a value that is told when it runs. */
class Slot {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** Names a value that is told later. */
export type Value<Values> = <Name extends keyof Values & string>(name: Name) => Values[Name]

/**
 * A statement that is built once and run with other values each time: for those that every recovery runs, where building
 * the text anew costs more than running it. What is built may depend on nothing but its database.
 */
export function statement<Values extends object, Result>(
  build: (db: Db, value: Value<Values>) => Compilable<Result>,
): (db: Db, values: Values) => Promise<QueryResult<Result>> {
  // Each engine of a process has its own adapter, and a transaction has that of its database.
  const compiled = new WeakMap<DialectAdapter, CompiledQuery<Result>>()
  return (db, values) => {
    const { adapter } = db.getExecutor()
    let query = compiled.get(adapter)
    if (query === undefined) {
      query = build(db, (name) => new Slot(name) as never).compile()
      compiled.set(adapter, query)
    }
    const told = values as Readonly<Record<string, unknown>>
    return db.executeQuery<Result>({
      ...query,
      parameters: query.parameters.map((one) => (one instanceof Slot ? told[one.name] : one)),
    })
  }
}

/**
 * Inserts rows that all have the same columns, in one statement whose text is written once.
 * @param then what follows the values, written out: `on conflict …`, `returning …`
 */
export async function insert<Table extends keyof Schema & string, Result = never>(
  db: Db,
  table: Table,
  rows: readonly NewRow<Table>[],
  then = '',
): Promise<readonly Result[]> {
  const [first] = rows
  if (first === undefined) return []
  const columns = Object.keys(first)
  const values = rows.flatMap((row) => columns.map((column) => (row as Record<string, unknown>)[column]))
  return run<Result>(db, textOf(table, columns, rows.length, then), values)
}

const texts = new Map<string, string>()

function textOf(table: string, columns: readonly string[], rows: number, then: string): string {
  const key = [table, rows, then, ...columns].join()
  const known = texts.get(key)
  if (known !== undefined) return known
  const row = (at: number) =>
    `(${columns.map((_, column) => `$${at * columns.length + column + 1}`).join(', ')})`
  const lists = Array.from({ length: rows }, (_, at) => row(at))
  const text = `insert into ${table} (${columns.join(', ')}) values ${lists.join(', ')} ${then}`
  texts.set(key, text)
  return text
}
