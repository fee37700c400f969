import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { CompiledQuery, QueryResult } from 'kysely'
import { translateDatabaseError } from './unavailable.ts'

const longestWaitMs = 5000

/** How often work on a file has waited for a lock that another process or connection held, and for how long in all. */
export interface LockWaits {
  readonly count: number
  readonly ms: number
}

/** Counts waits for locks. */
export class LockWaitCounter implements LockWaits {
  count = 0
  ms = 0

  add(ms: number): void {
    this.count++
    this.ms += ms
  }
}

/**
 * Runs `work`, and again while another connection holds the write lock (SQLITE_BUSY), for 5 seconds. SQLite's own busy
 * timeout blocks the event loop: a lock that another connection of this process holds would then never be released.
 *
 * @param options.waits counts it where it has waited, whether or not it got the lock
 */
export async function retryWhileBusy<T>(
  work: () => T,
  options: {
    readonly translate?: (error: unknown) => unknown
    readonly waits?: LockWaitCounter | undefined
  } = {},
): Promise<T> {
  const { translate = translateDatabaseError, waits } = options
  let begun: number | undefined
  try {
    for (let waited = 0, next = 1; ; waited += next, next = Math.min(next * 2, 20)) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error) || waited > longestWaitMs) throw translate(error)
        begun ??= performance.now()
        await pause(next)
      }
    }
  } finally {
    if (begun !== undefined) waits?.add(performance.now() - begun)
  }
}

// SQLITE_BUSY and its extended codes.
const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5

/** A write over a connection that was opened for reading: a fault of the caller, not of the disk. */
const isMisuse = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 8

/** One connection to a database file, with its prepared statements. */
export class SqliteFile {
  readonly #database: DatabaseSync
  readonly #isReader: boolean
  readonly #onError: (error: unknown) => void
  readonly #waits: LockWaitCounter | undefined
  readonly #prepared = new Map<string, { readonly statement: StatementSync; readonly returnsRows: boolean }>()

  /**
   * @param options.onError is given the errors of SQLite that may say something about the disk
   * @param options.waits counts how often a lock was waited for
   */
  constructor(
    database: DatabaseSync,
    options: {
      readonly isReader?: boolean
      readonly onError?: (error: unknown) => void
      readonly waits?: LockWaitCounter
    } = {},
  ) {
    this.#database = database
    this.#waits = options.waits
    this.#isReader = options.isReader ?? false
    this.#onError = options.onError ?? (() => {})
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  async run<R>(query: Pick<CompiledQuery, 'sql' | 'parameters'>): Promise<QueryResult<R>> {
    // At once where nothing holds the lock, which is nearly always: what waits and tries again is built only then.
    try {
      return this.#runOnce<R>(query)
    } catch (error) {
      if (isBusy(error)) {
        const options = { translate: this.#translated, waits: this.#waits }
        return retryWhileBusy(() => this.#runOnce<R>(query), options)
      }
      throw this.#translated(error)
    }
  }

  readonly #translated = (error: unknown): unknown =>
    this.#isReader && isMisuse(error) ? error : translateDatabaseError(error)

  #runOnce<R>({ sql, parameters }: Pick<CompiledQuery, 'sql' | 'parameters'>): QueryResult<R> {
    try {
      const { statement, returnsRows } = this.#prepare(sql)
      const values = parameters as SQLInputValue[]
      if (returnsRows) return { rows: statement.all(...values) as R[] }
      const { changes } = statement.run(...values)
      return { rows: [], numAffectedRows: BigInt(changes) }
    } catch (error) {
      this.#note(error)
      throw error
    }
  }

  /** Runs a statement that has no parameters and returns no rows. */
  exec(sql: string): void {
    try {
      this.#prepare(sql).statement.run()
    } catch (error) {
      this.#note(error)
      throw error
    }
  }

  /** Begins a transaction that writes: waits while another process or connection does. */
  beginWriting(): Promise<void> {
    return retryWhileBusy(() => this.exec('begin immediate'), { waits: this.#waits })
  }

  #note(error: unknown): void {
    if (!this.#isReader || !isMisuse(error)) this.#onError(error)
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
