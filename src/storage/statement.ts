import type { Compilable, CompiledQuery, DialectAdapter, QueryResult } from 'kysely'
import { execute } from './connection.ts'
import { type Db, run } from './storage.ts'
import type { NewRow, Schema } from './tables.ts'

/** Stands in a compiled statement for a value that is given at each run. */
class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** Names a value that is given at each run. */
export type Value<Values> = <Name extends keyof Values & string>(name: Name) => Values[Name]

/**
 * A statement that is built once and run with other values each time: for those of every sign-in and recovery, where
 * building the text costs more than running it. `build` runs once a database, so its text must depend on nothing else.
 */
export function statement<Values extends object, Result>(
  build: (db: Db, value: Value<Values>) => Compilable<Result>,
): (db: Db, values: Values) => Promise<QueryResult<Result>> {
  // The adapter identifies the database: a transaction shares it, and another engine of this process has its own.
  const compiled = new WeakMap<
    DialectAdapter,
    { readonly query: CompiledQuery<Result>; readonly names: readonly (string | undefined)[] }
  >()
  return (db, values) => {
    const { adapter } = db.getExecutor()
    let known = compiled.get(adapter)
    if (known === undefined) {
      const query = build(db, (name) => new Placeholder(name) as never).compile()
      const names = query.parameters.map((one) => (one instanceof Placeholder ? one.name : undefined))
      known = { query, names }
      compiled.set(adapter, known)
    }
    const { query, names } = known
    const valuesByName = values as Readonly<Record<string, unknown>>
    const parameters = names.map((name, at) =>
      name === undefined ? query.parameters[at] : valuesByName[name],
    )
    return execute(db, { ...query, parameters })
  }
}

/**
 * Inserts rows that all have the same columns, in one statement whose text is built once.
 * @param suffix the SQL after the values: `on conflict …`, `returning …`
 */
export async function insert<Table extends keyof Schema & string, Result = never>(
  db: Db,
  table: Table,
  rows: readonly NewRow<Table>[],
  suffix = '',
): Promise<readonly Result[]> {
  const [first] = rows
  if (first === undefined) return []
  const columns = Object.keys(first)
  const values = rows.flatMap((row) => columns.map((column) => (row as Record<string, unknown>)[column]))
  return run<Result>(db, textOf(table, columns, rows.length, suffix), values)
}

const texts = new Map<string, string>()

function textOf(table: string, columns: readonly string[], rows: number, suffix: string): string {
  const key = [table, rows, suffix, ...columns].join()
  const known = texts.get(key)
  if (known !== undefined) return known
  const row = (at: number) =>
    `(${columns.map((_, column) => `$${at * columns.length + column + 1}`).join(', ')})`
  const lists = Array.from({ length: rows }, (_, at) => row(at))
  const text = `insert into ${table} (${columns.join(', ')}) values ${lists.join(', ')} ${suffix}`
  texts.set(key, text)
  return text
}
