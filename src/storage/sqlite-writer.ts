import type { CompiledQuery, QueryResult } from 'kysely'
import { type SqliteFile, whenFree } from './sqlite-file.ts'
import { told } from './unavailable.ts'

/** Changes that are kept together: with one sync of the disk for all of them. */
interface Group {
  /** Settles once they are on the disk; rejects where none of them is. */
  readonly kept: Promise<void>
  keep(): void
  lose(error: unknown): void
}

function newGroup(): Group {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Nobody may be waiting when it is lost: a member that failed by itself does not.
  promise.catch(() => {})
  return { kept: promise, keep: resolve, lose: reject }
}

export interface WriterOptions {
  /** Whether changes that come at once may wait for each other, to be kept together. */
  readonly together: boolean
}

/**
 * The one connection that writes, taken in turns. A sync of the disk costs more than all statements of a change, so
 * changes that are ready at once become one transaction of the database, each a savepoint of it: one that fails takes
 * back its own alone. Nobody is told that hers is kept before all of it is on the disk.
 */
export class SqliteWriter {
  readonly #file: SqliteFile
  readonly #together: boolean
  #turn: Promise<void> = Promise.resolve()
  #group: Group | undefined

  constructor(file: SqliteFile, { together }: WriterOptions) {
    this.#file = file
    this.#together = together
  }

  /** Begins a change. Answers what ends the turn; until then nobody else writes. */
  async begin(): Promise<() => void> {
    const end = await this.#takeTurn()
    try {
      await this.#join()
      this.#file.exec('savepoint change')
      return end
    } catch (error) {
      end()
      throw told(error)
    }
  }

  /** A statement within the change. */
  async run<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const group = this.#group
    // Outside of a transaction it would stay, though the change that it belongs to is lost.
    if (group === undefined) throw new Error('the transaction is over')
    try {
      return await this.#file.run<R>(query)
    } catch (error) {
      // SQLite ends a transaction by itself where the disk is full or broken: then all that was in it is lost.
      if (!this.#file.isTransaction) this.#giveUp(error)
      throw error
    }
  }

  /** Ends the change and the turn. Settles once it is on the disk; rejects where it is not. */
  async commit(end: () => void): Promise<void> {
    const group = this.#group
    try {
      if (group === undefined) throw new Error('the transaction is over')
      this.#file.exec('release change')
      if (!this.#together) this.#keep()
    } catch (error) {
      this.#giveUp(error)
      throw told(error)
    } finally {
      end()
    }
    await group.kept
  }

  /** Takes the change back and ends the turn. */
  async rollback(end: () => void): Promise<void> {
    try {
      if (this.#group !== undefined) {
        this.#file.exec('rollback to change')
        this.#file.exec('release change')
        if (!this.#together) this.#keep()
      }
    } catch (error) {
      // Why it is taken back is told by whoever takes it back.
      this.#giveUp(error)
    } finally {
      end()
    }
  }

  /** A change of one statement. What is no change of rows (a pragma, say) runs outside of any transaction. */
  async alone<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const end = await this.#takeTurn()
    try {
      if (!this.#together || !isChange(query.sql)) {
        this.#keep()
        return await this.#file.run<R>(query)
      }
      const group = await this.#join()
      const result = await this.run<R>(query)
      end()
      await group.kept
      return result
    } finally {
      end()
    }
  }

  async close(): Promise<void> {
    const end = await this.#takeTurn()
    try {
      this.#keep()
    } finally {
      this.#file.close()
      end()
    }
  }

  async #takeTurn(): Promise<() => void> {
    const before = this.#turn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turn = promise
    await before
    return resolve
  }

  async #join(): Promise<Group> {
    if (this.#group !== undefined) return this.#group
    await whenFree(() => this.#file.exec('begin immediate'))
    const group = newGroup()
    this.#group = group
    // Whoever is ready by then comes along: the requests that have arrived meanwhile.
    if (this.#together) setImmediate(() => void this.#keepInTurn(group))
    return group
  }

  async #keepInTurn(group: Group): Promise<void> {
    const end = await this.#takeTurn()
    if (this.#group === group) {
      try {
        this.#keep()
      } catch {
        // Its members are told.
      }
    }
    end()
  }

  /** Puts what was changed since the last time on the disk. */
  #keep(): void {
    const group = this.#group
    if (group === undefined) return
    try {
      this.#file.exec('commit')
      this.#group = undefined
      group.keep()
    } catch (error) {
      this.#giveUp(error)
      throw told(error)
    }
  }

  #giveUp(error: unknown): void {
    const group = this.#group
    this.#group = undefined
    if (this.#file.isTransaction) this.#file.exec('rollback')
    group?.lose(told(error))
  }
}

const isChange = (sql: string): boolean => /^\s*(?:insert|update|delete|with)\b/i.test(sql)
