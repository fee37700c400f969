import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { told } from './unavailable.ts'

/**
 * SQLite in this process, through `node:sqlite`. WAL with synchronous=FULL: what was acknowledged survives a
 * kill and a power cut. Transactions begin IMMEDIATE, so two processes on one file wait instead of failing halfway.
 */
export function sqliteDialect(path: string): Dialect {
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => new NodeSqliteDriver(path),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/**
 * Kysely migrates SQLite outside of a transaction, so two processes that start at once would both create the tables.
 * SQLite has transactional DDL, and BEGIN IMMEDIATE lets the second one see what the first one did.
 */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class NodeSqliteDriver implements Driver {
  readonly #path: string
  #database: DatabaseSync | undefined
  #connection: NodeSqliteConnection | undefined
  // One connection, handed from caller to caller: a transaction keeps it until it ends.
  #turn: Promise<void> = Promise.resolve()
  #endTurn: () => void = () => {}

  constructor(path: string) {
    this.#path = path
  }

  async init(): Promise<void> {
    const database = new DatabaseSync(this.#path, { timeout: 0 })
    this.#database = database
    // Turning WAL on takes the whole file for a moment, which several processes may want in the same one.
    await whenFree(() =>
      database.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; ' +
          // In KiB: the indexes of a million people, so that a look-up reads no file. Taken only as it is used.
          'PRAGMA cache_size = -65536; ' +
          // In pages: moving the log into the file costs two more syncs, so it is done for a few hundred steps at once.
          'PRAGMA wal_autocheckpoint = 4000',
      ),
    )
    this.#connection = new NodeSqliteConnection(database)
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn
    let end = () => {}
    this.#turn = new Promise((resolve) => {
      end = resolve
    })
    await before
    this.#endTurn = end
    if (this.#connection === undefined) throw new Error('the database is closed')
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#endTurn()
  }

  async beginTransaction(
    connection: DatabaseConnection,
    { accessMode }: TransactionSettings = {},
  ): Promise<void> {
    // A reader sees one state of the file and keeps no writer waiting.
    await connection.executeQuery(CompiledQuery.raw(accessMode === 'read only' ? 'begin' : 'begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite may have rolled back by itself (disk full); a second rollback would hide the first error.
    if (this.#database?.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async destroy(): Promise<void> {
    this.#connection = undefined
    this.#database?.close()
    this.#database = undefined
  }
}

const longestWaitMs = 5000

/**
 * Does something as soon as no other connection is writing. SQLite's own waiting would stop this whole process, and for
 * good where the other connection is in it too; this gives way to it instead.
 */
async function whenFree<T>(work: () => T): Promise<T> {
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

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, { readonly statement: StatementSync; readonly reads: boolean }>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const parameters = query.parameters as SQLInputValue[]
    return whenFree(() => {
      const { statement, reads } = this.#prepare(query.sql)
      if (reads) return { rows: statement.all(...parameters) as R[] }
      const { changes } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes) }
    })
  }

  // biome-ignore lint/correctness/useYield: the interface asks for a generator; nothing here streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('SQLite queries are not streamed')
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
