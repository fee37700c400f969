import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { CompiledQuery, QueryResult } from 'kysely'
import { told } from './unavailable.ts'

const longestWaitMs = 5000

/**
 * Does something as soon as no other connection is writing. SQLite's own waiting would stop this whole process, and for
 * good where the other connection is in it too; this gives way to it instead.
 */
export async function whenFree<T>(work: () => T): Promise<T> {
  for (let waited = 0, next = 1; ; waited += next, next = Math.min(next * 2, 20)) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || waited > longestWaitMs) throw told(error)
      await pause(next)
    }
  }
}

// SQLITE_BUSY and its extended codes.
const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5

/** One connection to a file, with the statements that it has prepared. */
export class SqliteFile {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, { readonly statement: StatementSync; readonly reads: boolean }>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  run<R>(query: Pick<CompiledQuery, 'sql' | 'parameters'>): Promise<QueryResult<R>> {
    const parameters = query.parameters as SQLInputValue[]
    return whenFree(() => {
      const { statement, reads } = this.#prepare(query.sql)
      if (reads) return { rows: statement.all(...parameters) as R[] }
      const { changes } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes) }
    })
  }

  /** A statement without parameters and without an answer. */
  exec(sql: string): void {
    this.#prepare(sql).statement.run()
  }

  close(): void {
    this.#prepared.clear()
    this.#database.close()
  }

  #prepare(sql: string) {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    // Statements that are written out number their parameters as PostgreSQL does.
    const statement = this.#database.prepare(sql.replace(/\$(?=\d)/g, '?'))
    const prepared = { statement, reads: statement.columns().length > 0 }
    // The product's statements are few; a cap keeps lists of varying length from filling memory.
    if (this.#prepared.size >= 500) this.#prepared.clear()
    this.#prepared.set(sql, prepared)
    return prepared
  }
}
