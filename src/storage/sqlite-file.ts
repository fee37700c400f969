import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { CompiledQuery, QueryResult } from 'kysely'
import { translateDatabaseError } from './unavailable.ts'

const longestWaitMs = 5000

/**
 * Runs `work`, and again while another connection holds the write lock (SQLITE_BUSY), for 5 seconds. SQLite's own busy
 * timeout blocks the event loop: a lock that another connection of this process holds would then never be released.
 */
export async function retryWhileBusy<T>(work: () => T): Promise<T> {
  for (let waited = 0, next = 1; ; waited += next, next = Math.min(next * 2, 20)) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || waited > longestWaitMs) throw translateDatabaseError(error)
      await pause(next)
    }
  }
}

// SQLITE_BUSY and its extended codes.
const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5

/** One connection to a database file, with its prepared statements. */
export class SqliteFile {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, { readonly statement: StatementSync; readonly returnsRows: boolean }>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  run<R>(query: Pick<CompiledQuery, 'sql' | 'parameters'>): Promise<QueryResult<R>> {
    const parameters = query.parameters as SQLInputValue[]
    return retryWhileBusy(() => {
      const { statement, returnsRows } = this.#prepare(query.sql)
      if (returnsRows) return { rows: statement.all(...parameters) as R[] }
      const { changes } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes) }
    })
  }

  /** Runs a statement that has no parameters and returns no rows. */
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
    // SQL that is written by hand numbers its parameters as PostgreSQL does (`$1`); SQLite's form is `?1`.
    const statement = this.#database.prepare(sql.replace(/\$(?=\d)/g, '?'))
    const prepared = { statement, returnsRows: statement.columns().length > 0 }
    // The engine has fewer texts than this. The cap bounds memory where a list in a text has varying length.
    if (this.#prepared.size >= 500) this.#prepared.clear()
    this.#prepared.set(sql, prepared)
    return prepared
  }
}
