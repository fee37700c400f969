import type { CompiledQuery, QueryResult } from 'kysely'
import type { SqliteFile } from './sqlite-file.ts'
import { translateDatabaseError, unavailable } from './unavailable.ts'

/** Changes that share one database transaction, and so one sync of the disk. */
interface Batch {
  /** Resolves once the batch is on the disk; rejects where all of it is lost. */
  readonly flushed: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

function newBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A change that failed by itself does not await its batch: without this a lost batch is an unhandled rejection.
  promise.catch(() => {})
  return { flushed: promise, resolve, reject }
}

export interface WriterOptions {
  /** Whether changes that arrive together share a transaction. False: each change is flushed by itself. */
  readonly groupCommit: boolean
  /** Whether the file is still the one at its path: what is written to another one is lost with the process. */
  readonly isPresent?: () => boolean
}

/**
 * The one connection that writes, with group commit: one transaction a batch, one savepoint a change; callers resolve
 * after the sync. A sync of the disk costs more than all statements of a change, so changes that arrive together share
 * one. A change that fails rolls back to its own savepoint and leaves the rest of the batch alone.
 *
 *     no batch ── begin(): lock the mutex, BEGIN IMMEDIATE, SAVEPOINT ─────────┐
 *                                                                              ▼
 *     open batch ── begin(): lock the mutex, SAVEPOINT ─────────────────────▶ change
 *          ▲                                                                   │
 *          ├── commit():   RELEASE, unlock the mutex, await the batch ◀────────┤
 *          └── rollback(): ROLLBACK TO, RELEASE, unlock the mutex ◀────────────┤
 *     open batch ── flush(): COMMIT ──▶ no batch, callers resolve              │
 *     open batch ── discard(): ROLLBACK ──▶ no batch, callers reject ◀─────────┘
 *                   (COMMIT failed, or SQLite ended the transaction by itself)
 */
export class SqliteWriter {
  readonly #file: SqliteFile
  readonly #groupCommit: boolean
  readonly #isPresent: () => boolean
  /** Settles when the last caller in the queue unlocks. */
  #mutex: Promise<void> = Promise.resolve()
  #batch: Batch | undefined

  constructor(file: SqliteFile, { groupCommit, isPresent = () => true }: WriterOptions) {
    this.#file = file
    this.#groupCommit = groupCommit
    this.#isPresent = isPresent
  }

  /** Begins a change and holds the mutex. Answers what unlocks it: to be passed to `commit` or `rollback`. */
  async begin(): Promise<() => void> {
    const unlock = await this.#lock()
    try {
      await this.#openBatch()
      this.#file.exec('savepoint change')
      return unlock
    } catch (error) {
      unlock()
      throw translateDatabaseError(error)
    }
  }

  /** Runs a statement within the change. */
  async run<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const batch = this.#batch
    // The batch was discarded: outside of a transaction the statement would last, without the rest of its change.
    if (batch === undefined) throw new Error('the transaction is over')
    try {
      return await this.#file.run<R>(query)
    } catch (error) {
      // SQLite rolls a transaction back by itself where the disk is full or broken: then the whole batch is lost.
      if (!this.#file.isTransaction) this.#discard(error)
      throw error
    }
  }

  /** Ends the change and unlocks. Resolves once it is on the disk; rejects where it is lost. */
  async commit(unlock: () => void): Promise<void> {
    const batch = this.#batch
    try {
      if (batch === undefined) throw new Error('the transaction is over')
      this.#file.exec('release change')
      if (!this.#groupCommit) this.#flush()
    } catch (error) {
      this.#discard(error)
      throw translateDatabaseError(error)
    } finally {
      unlock()
    }
    await batch.flushed
  }

  /** Undoes the change and unlocks. */
  async rollback(unlock: () => void): Promise<void> {
    try {
      if (this.#batch !== undefined) {
        this.#file.exec('rollback to change')
        this.#file.exec('release change')
        if (!this.#groupCommit) this.#flush()
      }
    } catch (error) {
      // Not thrown: the caller of rollback has the error that made it roll back.
      this.#discard(error)
    } finally {
      unlock()
    }
  }

  /** Runs a change of one statement. What changes no rows (a pragma, say) runs outside of any transaction. */
  async runSingle<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const unlock = await this.#lock()
    try {
      if (!this.#groupCommit || !isChange(query.sql)) {
        this.#flush()
        return await this.#file.run<R>(query)
      }
      const batch = await this.#openBatch()
      const result = await this.run<R>(query)
      unlock()
      await batch.flushed
      return result
    } finally {
      unlock()
    }
  }

  async close(): Promise<void> {
    const unlock = await this.#lock()
    try {
      this.#flush()
    } finally {
      this.#file.close()
      unlock()
    }
  }

  async #lock(): Promise<() => void> {
    const previous = this.#mutex
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#mutex = promise
    await previous
    return resolve
  }

  async #openBatch(): Promise<Batch> {
    if (this.#batch !== undefined) return this.#batch
    if (!this.#isPresent()) throw fileGone()
    await this.#file.beginWriting()
    const batch = newBatch()
    this.#batch = batch
    // At the end of this cycle of the event loop: the requests that have arrived by then join the batch.
    if (this.#groupCommit) setImmediate(() => void this.#flushLocked(batch))
    return batch
  }

  async #flushLocked(batch: Batch): Promise<void> {
    const unlock = await this.#lock()
    if (this.#batch === batch) {
      try {
        this.#flush()
      } catch {
        // Each caller of the batch gets the error as the rejection of `flushed`.
      }
    }
    unlock()
  }

  /** Commits the open batch, if any: its changes are on the disk. */
  #flush(): void {
    const batch = this.#batch
    if (batch === undefined) return
    try {
      this.#file.exec('commit')
      this.#batch = undefined
      batch.resolve()
    } catch (error) {
      this.#discard(error)
      throw translateDatabaseError(error)
    }
  }

  /** Rolls the open batch back, if any: its callers reject. */
  #discard(error: unknown): void {
    const batch = this.#batch
    this.#batch = undefined
    if (this.#file.isTransaction) this.#file.exec('rollback')
    batch?.reject(translateDatabaseError(error))
  }
}

const fileGone = (): Error => {
  const what = 'the database file was removed or replaced while it was open'
  return unavailable(`${what}: put it back, or restart`, new Error(what))
}

const isChange = (sql: string): boolean => /^\s*(?:insert|update|delete|with)\b/i.test(sql)
