import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { SqliteFile, whenFree } from './sqlite-file.ts'
import { SqliteWriter } from './sqlite-writer.ts'

/**
 * SQLite in this process, through `node:sqlite`. WAL with synchronous=FULL: what was acknowledged survives a
 * kill and a power cut. Transactions begin IMMEDIATE, so two processes on one file wait instead of failing halfway.
 * One connection writes; another one reads beside it, so that a look waits for no writer and sees only what is kept.
 */
export function sqliteDialect(path: string): Dialect {
  return {
    createAdapter: () => new ConcurrentSqliteAdapter(),
    createDriver: () => new NodeSqliteDriver(path),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

class ConcurrentSqliteAdapter extends SqliteAdapter {
  /**
   * Kysely migrates SQLite outside of a transaction, so two processes that start at once would both create the tables.
   * SQLite has transactional DDL, and BEGIN IMMEDIATE lets the second one see what the first one did.
   */
  override get supportsTransactionalDdl(): boolean {
    return true
  }

  // Whose turn it is to write is the driver's business: it knows who only reads.
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

// In KiB: the indexes of a million people, so that a look-up reads no file. Taken only as it is used.
const memory = 'PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; '

function open(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  return new DatabaseSync(path, { timeout: 0, ...options })
}

class NodeSqliteDriver implements Driver {
  readonly #path: string
  #open: Open | undefined

  constructor(path: string) {
    this.#path = path
  }

  async init(): Promise<void> {
    const database = open(this.#path)
    // Turning WAL on takes the whole file for a moment, which several processes may want in the same one.
    await whenFree(() =>
      database.exec(
        `${memory}PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ` +
          // In pages: moving the log into the file costs two more syncs, so it is done for a few hundred steps at once.
          'PRAGMA wal_autocheckpoint = 4000',
      ),
    )
    // A database in memory is its connection's alone, and has no disk to wait for.
    const isFile = this.#path !== ':memory:'
    this.#open = {
      writer: new SqliteWriter(new SqliteFile(database), { together: isFile }),
      reader: isFile ? this.#openReader() : undefined,
      openReader: () => (isFile ? this.#openReader() : undefined),
    }
  }

  #openReader(): SqliteFile {
    const database = open(this.#path, { readOnly: true })
    database.exec(memory)
    return new SqliteFile(database)
  }

  async acquireConnection(): Promise<SqliteSession> {
    if (this.#open === undefined) throw new Error('the database is closed')
    return new SqliteSession(this.#open)
  }

  async releaseConnection(session: SqliteSession): Promise<void> {
    session.end()
  }

  async beginTransaction(session: SqliteSession, settings: TransactionSettings = {}): Promise<void> {
    await session.begin(settings.accessMode === 'read only')
  }

  async commitTransaction(session: SqliteSession): Promise<void> {
    await session.commit()
  }

  async rollbackTransaction(session: SqliteSession): Promise<void> {
    await session.rollback()
  }

  async destroy(): Promise<void> {
    const { reader, writer } = this.#open ?? {}
    this.#open = undefined
    reader?.close()
    // Last, so that closing it moves the log into the file.
    await writer?.close()
  }
}

interface Open {
  readonly writer: SqliteWriter
  readonly reader: SqliteFile | undefined
  /** Another one, for somebody who wants to go on seeing the database as it is now. */
  openReader(): SqliteFile | undefined
}

const isLook = (sql: string): boolean => /^\s*select\b/i.test(sql)

/** What Kysely takes for a connection: one statement, or one transaction. */
class SqliteSession implements DatabaseConnection {
  readonly #open: Open
  /** Gives the turn to write back, while this has it. */
  #endTurn: (() => void) | undefined
  #snapshot: SqliteFile | undefined

  constructor(open: Open) {
    this.#open = open
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { reader, writer } = this.#open
    if (this.#snapshot !== undefined) return this.#snapshot.run(query)
    if (this.#endTurn !== undefined) return writer.run(query)
    return reader !== undefined && isLook(query.sql) ? reader.run(query) : writer.alone(query)
  }

  async begin(readOnly: boolean): Promise<void> {
    const snapshot = readOnly ? this.#open.openReader() : undefined
    if (snapshot === undefined) {
      this.#endTurn = await this.#open.writer.begin()
      return
    }
    this.#snapshot = snapshot
    snapshot.exec('begin')
  }

  async commit(): Promise<void> {
    const end = this.#endTurn
    this.#endTurn = undefined
    if (end !== undefined) await this.#open.writer.commit(end)
  }

  async rollback(): Promise<void> {
    const end = this.#endTurn
    this.#endTurn = undefined
    if (end !== undefined) await this.#open.writer.rollback(end)
  }

  end(): void {
    this.#snapshot?.close()
    this.#snapshot = undefined
    this.#endTurn?.()
    this.#endTurn = undefined
  }

  // biome-ignore lint/correctness/useYield: the interface asks for a generator; nothing here streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('SQLite queries are not streamed')
  }
}
