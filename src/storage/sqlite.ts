import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { DiskState } from './readiness.ts'
import { LockWaitCounter, type LockWaits, retryWhileBusy, SqliteFile } from './sqlite-file.ts'
import { SqliteWriter } from './sqlite-writer.ts'
import type { StorageChecks } from './state.ts'
import type { Schema } from './tables.ts'

/**
 * SQLite in this process, through `node:sqlite`. WAL with synchronous=FULL: what was acknowledged survives a kill and
 * a power cut. Transactions begin IMMEDIATE: of two processes on one file the second waits for the write lock, where a
 * deferred one would fail at its first write. One connection writes. Reads outside of a transaction use a second one:
 * they never wait for a writer and see committed data only.
 */
export function sqliteDialect(path: string): {
  readonly dialect: Dialect
  /** What runs statements outside of transactions while the database is open. */
  readonly driver: Pick<NodeSqliteDriver, 'isOpen' | 'executeQuery'>
  readonly file: FileOnDisk
  readonly disk: DiskState
  readonly waits: LockWaits
} {
  const file = new FileOnDisk(path)
  const disk = new DiskState()
  const waits = new LockWaitCounter()
  const driver = new NodeSqliteDriver(file, { disk, waits })
  const dialect: Dialect = {
    createAdapter: () => new ConcurrentSqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
  return { dialect, driver, file, disk, waits }
}

/**
 * A database file at its path. Where it is deleted or replaced while it is open, SQLite goes on with a file that has no
 * name any more: what it wrote there would be lost with the process.
 */
class FileOnDisk {
  readonly path: string
  #opened: string | undefined

  constructor(path: string) {
    this.path = path
  }

  get isInMemory(): boolean {
    return this.path === ':memory:'
  }

  /** Remembers which file the path names: the one that was opened. */
  opened(): void {
    if (!this.isInMemory) this.#opened = this.#identity()
  }

  /** Whether the path still names the file that was opened. */
  isPresent(): boolean {
    return this.#opened === undefined || this.#identity() === this.#opened
  }

  #identity(): string {
    const stat = statSync(this.path, { throwIfNoEntry: false })
    return stat === undefined ? '' : `${stat.dev} ${stat.ino}`
  }
}

/** Below this room on the disk, in bytes, a check writes, to find out whether it is too little. */
const littleRoom = 1024 * 1024
/** The size of what a check writes, in bytes. */
const checkSize = 128 * 1024
const checkKey = 'disk.check'

/** The checks of a database file. */
export function createSqliteChecks(db: Kysely<Schema>, file: FileOnDisk, disk: DiskState): StorageChecks {
  const write = disk.check(async () => {
    const value = 'x'.repeat(checkSize)
    await db
      .insertInto('settings')
      .values({ key: checkKey, value })
      .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
      .execute()
    // A change of its own: pages that one transaction takes and gives back are never written.
    await db.deleteFrom('settings').where('key', '=', checkKey).execute()
  })
  return {
    async database() {
      if (!file.isPresent()) return 'gone'
      return db.executeQuery(CompiledQuery.raw('select 1')).then(
        () => 'ok',
        () => 'unreachable',
      )
    },
    async disk() {
      // A file that is gone would be refused the write, which says nothing about the disk.
      if (file.isInMemory || !file.isPresent()) return 'ok'
      const room = await statfs(file.path).catch(() => undefined)
      if (room !== undefined && room.bavail * room.bsize < littleRoom) disk.suspect('full')
      return write()
    },
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

  // Kysely would otherwise run one query at a time, reads included. The writer has a mutex of its own.
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

// The page cache in KiB: the indexes of a million users fit, so that a look-up reads no file. Allocated as it is used.
const memory = 'PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; '

function open(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  return new DatabaseSync(path, { timeout: 0, ...options })
}

/**
 * Creates a new file for its owner alone, whatever the umask: it holds password hashes. SQLite gives the files of
 * the write-ahead log the same rights. A file that exists keeps its own.
 */
function makePrivate(path: string): void {
  // Not a file of this name: `:memory:`, a URI, or the temporary database of an empty name.
  if (path === '' || path.startsWith(':') || path.startsWith('file:') || existsSync(path)) return
  try {
    closeSync(openSync(path, 'a', 0o600))
  } catch {
    // SQLite reports what is wrong with the path.
  }
}

class NodeSqliteDriver implements Driver {
  readonly #onDisk: FileOnDisk
  readonly #disk: DiskState
  readonly #waits: LockWaitCounter
  #connections: Connections | undefined

  constructor(
    onDisk: FileOnDisk,
    { disk, waits }: { readonly disk: DiskState; readonly waits: LockWaitCounter },
  ) {
    this.#onDisk = onDisk
    this.#disk = disk
    this.#waits = waits
  }

  async init(): Promise<void> {
    makePrivate(this.#onDisk.path)
    const database = open(this.#onDisk.path)
    // Switching to WAL locks the whole file for a moment, which several starting processes may do at once.
    await retryWhileBusy(() =>
      database.exec(
        `${memory}PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ` +
          // What is deleted is overwritten: else an erased user would stand in the file until the room is needed.
          'PRAGMA secure_delete = ON; ' +
          // In pages. A checkpoint costs two more syncs, so it is done once for some hundreds of transactions.
          'PRAGMA wal_autocheckpoint = 4000',
      ),
    )
    // A database in memory is visible to its one connection only, and has no disk to sync.
    const isFile = !this.#onDisk.isInMemory
    this.#onDisk.opened()
    const file = new SqliteFile(database, {
      onError: (error) => this.#disk.note(error),
      waits: this.#waits,
    })
    this.#connections = {
      writer: new SqliteWriter(file, { groupCommit: isFile, isPresent: () => this.#onDisk.isPresent() }),
      reader: isFile ? this.#openReader() : undefined,
      openReader: () => (isFile ? this.#openReader() : undefined),
    }
  }

  #openReader(): SqliteFile {
    const database = open(this.#onDisk.path, { readOnly: true })
    database.exec(memory)
    return new SqliteFile(database, { isReader: true, onError: (error) => this.#disk.note(error) })
  }

  get isOpen(): boolean {
    return this.#connections !== undefined
  }

  /** Runs a statement outside of a transaction. */
  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return (await this.acquireConnection()).executeQuery<R>(query)
  }

  async acquireConnection(): Promise<SqliteSession> {
    if (this.#connections === undefined) throw new Error('the database is closed')
    return new SqliteSession(this.#connections)
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
    const { reader, writer } = this.#connections ?? {}
    this.#connections = undefined
    reader?.close()
    // The last connection to close checkpoints the write-ahead log into the file: only the writer may.
    await writer?.close()
  }
}

interface Connections {
  readonly writer: SqliteWriter
  readonly reader: SqliteFile | undefined
  /** A further connection for a snapshot, whose long read transaction must not freeze the shared reader. */
  openReader(): SqliteFile | undefined
}

const isRead = (sql: string): boolean => /^\s*select\b/i.test(sql)

/** What Kysely takes for a connection: it is acquired for one statement, or for one transaction. */
class SqliteSession implements DatabaseConnection {
  readonly #connections: Connections
  /** Unlocks the writer's mutex; set while this session's transaction holds it. */
  #unlock: (() => void) | undefined
  #snapshot: SqliteFile | undefined

  constructor(connections: Connections) {
    this.#connections = connections
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { reader, writer } = this.#connections
    if (this.#snapshot !== undefined) return this.#snapshot.run(query)
    if (this.#unlock !== undefined) return writer.run(query)
    return reader !== undefined && isRead(query.sql) ? reader.run(query) : writer.runSingle(query)
  }

  async begin(readOnly: boolean): Promise<void> {
    const snapshot = readOnly ? this.#connections.openReader() : undefined
    if (snapshot === undefined) {
      this.#unlock = await this.#connections.writer.begin()
      return
    }
    this.#snapshot = snapshot
    snapshot.exec('begin')
  }

  async commit(): Promise<void> {
    const unlock = this.#unlock
    this.#unlock = undefined
    if (unlock !== undefined) await this.#connections.writer.commit(unlock)
  }

  async rollback(): Promise<void> {
    const unlock = this.#unlock
    this.#unlock = undefined
    if (unlock !== undefined) await this.#connections.writer.rollback(unlock)
  }

  end(): void {
    this.#snapshot?.close()
    this.#snapshot = undefined
    this.#unlock?.()
    this.#unlock = undefined
  }

  // biome-ignore lint/correctness/useYield: the interface asks for a generator; nothing here streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('SQLite queries are not streamed')
  }
}
