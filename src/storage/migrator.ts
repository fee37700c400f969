import { setTimeout as pause } from 'node:timers/promises'
import {
  type CompiledQuery,
  CreateIndexNode,
  DummyDriver,
  Kysely,
  type KyselyPlugin,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import type { Migration } from 'kysely/migration'
import { isoTime, type Logger, parseTime, systemClock } from '../base/index.ts'
import type { Schema } from './tables.ts'
import { causeOf, errorCode } from './unavailable.ts'

type Db = Kysely<Schema>

/**
 * A change of the schema. Without `contract` it only expands: versions from before it run on beside it and on its
 * result. What takes something away that an older version reads or writes has to name, as `contract`, the newest migration
 * that a version must know to run on the result. CONTRIBUTING.md, "Add a table", has the rule.
 */
export interface SchemaChange extends Migration {
  readonly contract?: string
}

export type SchemaChanges = Readonly<Record<string, SchemaChange>>

/** How a migration behaves towards those who use the database meanwhile; the defaults are those of production. */
export interface MigrateOptions {
  /** The migrations that this version knows, by name. */
  readonly migrations?: SchemaChanges
  /** How long a migration waits for a lock while others queue behind it, in milliseconds. */
  readonly lockTimeoutMs?: number
  /** For how long a migration that gets no lock is tried again, in milliseconds. */
  readonly patienceMs?: number
  /** The number of rows from which on indexes are built without blocking writers. */
  readonly largeTable?: number
}

/** How a database and this version fit together. */
export interface SchemaState {
  /** The migrations that `migrate()` would run. */
  readonly pending: readonly string[]
  /** Migrations of a newer version, under which this one can run. */
  readonly newer: readonly string[]
}

/** The database cannot be migrated, or is not one that this version runs on. The message says what to do. */
export class SchemaError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'SchemaError'
  }
}

const defaults = { lockTimeoutMs: 3_000, patienceMs: 600_000, largeTable: 10_000 }

// The table of Kysely's own migrator, as earlier versions have left it and still read it.
const table = 'kysely_migration'
/** The lock of Kysely's migrator on PostgreSQL: versions that still use it wait for this one, and this one for them. */
const lockId = sql.lit('3853314791062309107')
/** Which older versions may run (0010-contracts). Not in the schema: nothing but migrations reads or writes it. */
const contractTable = 'migration_contracts'

interface Contract {
  readonly migration: string
  /** The newest migration that a version must know; null: any version that ran before may run on. */
  readonly oldest: string | null
}

interface Executed {
  readonly name: string
  readonly timestamp: string
}

async function hasTable(db: Db, name: string): Promise<boolean> {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
  const { rows } = isPostgres
    ? await sql`select 1 from (select to_regclass(${name}) as found) as looked where found is not null`.execute(
        db,
      )
    : await sql`select 1 from sqlite_master where name = ${name}`.execute(db)
  return rows.length > 0
}

async function executedIn(db: Db): Promise<readonly Executed[]> {
  if (!(await hasTable(db, table))) return []
  const { rows } = await sql<Executed>`select name, timestamp from ${sql.table(table)}`.execute(db)
  return rows
}

/**
 * Compares the database with the migrations that this version knows. Throws a SchemaError where a newer version has migrated
 * it and does not say that this one may run on the result.
 */
export async function schemaState(db: Db, known: SchemaChanges): Promise<SchemaState> {
  const executed = (await executedIn(db)).map(({ name }) => name).toSorted()
  const pending = Object.keys(known).filter((name) => !executed.includes(name))
  const newer = executed.filter((name) => !Object.hasOwn(known, name))
  const newest = Object.keys(known).at(-1) ?? ''
  if (newer.length === 0) return { pending, newer }
  if (pending.length > 0) {
    throw new SchemaError(
      `the database was migrated by another line of development: it has ${newer.join(', ')} and lacks ${pending.join(', ')}; this version cannot run on it`,
    )
  }
  const contracts = await contractsIn(db)
  const reasons = newer.flatMap((name) => {
    const contract = contracts.get(name)
    if (contract === undefined) return [`nothing says that an older version can run with ${name}`]
    const { oldest } = contract
    if (oldest === null || Object.hasOwn(known, oldest)) return []
    return [`${name} needs a version that knows ${oldest}`]
  })
  if (reasons.length === 0) return { pending, newer }
  throw new SchemaError(
    `the database was migrated by a newer version of Rekey (${newer.join(', ')}), and this one, which knows the migrations up to ${newest}, cannot run on it: ${reasons.join('; ')}. Start the newer version again, or restore the backup from before the upgrade; see docs/deploy.md, "Upgrade and rollback"`,
  )
}

/** What migrations say of older versions, by their names; those that ran before there was such a table say nothing. */
async function contractsIn(db: Db): Promise<ReadonlyMap<string, Contract>> {
  if (!(await hasTable(db, contractTable))) return new Map()
  const { rows } = await sql<Contract>`select migration, oldest from ${sql.table(contractTable)}`.execute(db)
  return new Map(rows.map((row) => [row.migration, row]))
}

/**
 * Brings a SQLite database up to date, each migration in a transaction of its own. Of several processes one migrates at a
 * time: transactions begin IMMEDIATE. Answers the names of what was applied.
 */
export async function migrateSqlite(
  db: Db,
  log: Logger,
  { migrations = {} }: MigrateOptions,
): Promise<readonly string[]> {
  const { pending } = await schemaState(db, migrations)
  const applied: string[] = []
  for (const name of pending) {
    const began = performance.now()
    const isApplied = await db
      .transaction()
      .execute((tx) => apply(tx, name, migrations[name]))
      .catch((error) => {
        throw failure(name, error)
      })
    if (!isApplied) continue
    applied.push(name)
    log.info({ migration: name, ms: Math.round(performance.now() - began) }, 'migrated')
  }
  return applied
}

/** Runs a migration and notes it, in the transaction that is passed; false where another node has done it meanwhile. */
async function apply(tx: Db, name: string, change: SchemaChange | undefined): Promise<boolean> {
  if (change === undefined) return false
  await sql`create table if not exists ${sql.table(table)} (
    name varchar(255) not null primary key, timestamp varchar(255) not null)`.execute(tx)
  const executed = await executedIn(tx)
  if (executed.some((one) => one.name === name)) return false
  await change.up(tx as Kysely<unknown>)
  // In the order in which they ran, whatever the clocks of the nodes say: earlier versions sort by it.
  const latest = Math.max(0, ...executed.map(({ timestamp }) => parseTime(timestamp) ?? 0))
  const timestamp = isoTime(Math.max(systemClock.now(), latest + 1))
  await sql`insert into ${sql.table(table)} (name, timestamp) values (${name}, ${timestamp})`.execute(tx)
  if (await hasTable(tx, contractTable)) {
    await sql`insert into ${sql.table(contractTable)} (migration, oldest)
      values (${name}, ${change.contract ?? null})`.execute(tx)
  }
  return true
}

/** An error of a migration with its real cause: over HTTP an unavailable database is only a 503. */
function failure(name: string, error: unknown, blockedBy = ''): unknown {
  if (error instanceof SchemaError) return error
  const cause = causeOf(error)
  const why = cause instanceof Error ? cause.message : String(cause)
  const done = 'Nothing of it was changed, and it can be run again'
  return new SchemaError(`the migration ${name} failed: ${why}${blockedBy && ` (${blockedBy})`}. ${done}`, {
    cause: error,
  })
}

/** PostgreSQL: lock timeout, deadlock, serialization failure. Nothing was written, and the same may succeed later. */
const retried = new Set(['55P03', '40P01', '40001'])

/**
 * Brings a PostgreSQL database up to date on connections of its own, which have no statement timeout.
 *
 * - One node at a time, by an advisory lock that a transaction holds on a connection of its own. It is asked for, never
 *   waited for in a statement: that would hold a snapshot, for which the concurrent build of an index waits.
 * - Each migration is a transaction. It waits for a lock only shortly, because all sign-ins queue behind it, and is tried
 *   again; meanwhile the log says which session it waits for.
 * - An index on a table with many rows is built concurrently beforehand, so that writers go on. What a failed build leaves
 *   behind, an invalid index, is removed and built again.
 *
 * Migrations that are done stay done: a run that was interrupted is continued by the next one.
 */
export async function migratePostgres(
  own: Db,
  log: Logger,
  { migrations = {}, ...given }: MigrateOptions,
): Promise<readonly string[]> {
  const options = { ...defaults, ...given }
  return underLock(own, log, options, async (lockTx) => {
    const applied: string[] = []
    // Read again: the node that held the lock before has migrated.
    const { pending } = await schemaState(own, migrations)
    for (const name of pending) {
      const change = migrations[name]
      if (change === undefined) continue
      const began = performance.now()
      const run: Run = { own, lockTx, log, name, change, ...options }
      await buildIndexes(run)
      if (!(await patiently(run))) continue
      applied.push(name)
      log.info({ migration: name, ms: Math.round(performance.now() - began) }, 'migrated')
    }
    return applied
  })
}

type Limits = Required<Omit<MigrateOptions, 'migrations'>>

interface Run extends Limits {
  readonly own: Db
  /** The transaction that holds the lock of the migration; its connection is free for questions. */
  readonly lockTx: Db
  readonly log: Logger
  readonly name: string
  readonly change: SchemaChange
}

async function underLock<T>(
  own: Db,
  log: Logger,
  { patienceMs }: Limits,
  work: (lockTx: Db) => Promise<T>,
): Promise<T> {
  for (let waited = 0; ; waited += 250) {
    const done = await own.transaction().execute(async (tx) => {
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx)
      const { rows } = await sql<{ taken: boolean }>`
        select pg_try_advisory_xact_lock(${lockId}) as taken`.execute(tx)
      return rows[0]?.taken ? { result: await work(tx) } : undefined
    })
    if (done !== undefined) return done.result
    if (waited === 0) log.info('another node migrates the database: waiting for it')
    if (waited > patienceMs) {
      throw new SchemaError('another node has been migrating the database for too long: see its log')
    }
    await pause(250)
  }
}

/** Runs the migration in a transaction, again where it does not get its locks. */
async function patiently(run: Run): Promise<boolean> {
  const { own, lockTx, log, name, change, lockTimeoutMs, patienceMs } = run
  const began = performance.now()
  for (let attempt = 1; ; attempt++) {
    let watch: Watch | undefined
    try {
      return await own.transaction().execute(async (tx) => {
        await sql`set local statement_timeout = 0`.execute(tx)
        await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx)
        await sql`set local lock_timeout = ${sql.lit(lockTimeoutMs)}`.execute(tx)
        watch = await watchBlockers(tx, lockTx, log, name)
        return apply(tx.withPlugin(onlyMissingIndexes), name, change)
      })
    } catch (error) {
      const blockedBy = watch?.blockedBy() ?? ''
      const isOver = performance.now() - began > patienceMs
      if (isOver || !retried.has(errorCode(error))) throw failure(name, error, blockedBy)
      log.warn(
        { migration: name, attempt, blockedBy },
        'the migration got no lock in time: it is tried again',
      )
      // Time for what has queued up behind the lock.
      await pause(Math.min(attempt * 1000, 5000, lockTimeoutMs))
    } finally {
      watch?.end()
    }
  }
}

interface Watch {
  /** The sessions that the migration was last seen waiting for, as a sentence; empty: none. */
  blockedBy(): string
  end(): void
}

/** Looks once a second for which sessions a connection waits, and logs them when they change. */
async function watchBlockers(watched: Db, asking: Db, log: Logger, migration: string): Promise<Watch> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(watched)
  const pid = rows[0]?.pid ?? 0
  let last = ''
  let isAsking = false
  const look = async (): Promise<void> => {
    if (isAsking) return
    isAsking = true
    try {
      const found = await blockersOf(asking, pid)
      if (found !== '' && found !== last)
        log.warn({ migration, blockedBy: found }, 'a migration waits for a lock')
      if (found !== '') last = found
    } catch (error) {
      log.debug({ err: error }, 'the sessions that a migration waits for could not be read')
    } finally {
      isAsking = false
    }
  }
  const timer = setInterval(() => void look(), 1000)
  return { blockedBy: () => last, end: () => clearInterval(timer) }
}

interface Blocker {
  readonly pid: number
  readonly program: string | null
  readonly state: string | null
  readonly query: string | null
  readonly relation: string | null
}

/**
 * The sessions that hold what a connection waits for. The server shows statements of the same role only. The question has
 * no parameters: with them it would be a portal, which holds its snapshot until the transaction ends, and the concurrent
 * build of an index waits for snapshots.
 */
async function blockersOf(db: Db, id: number): Promise<string> {
  const pid = sql.lit(id)
  const { rows } = await sql<Blocker>`
    select pid, application_name as program, state, left(query, 200) as query,
      (select relation::regclass::text from pg_locks where pid = ${pid} and not granted limit 1) as relation
    from pg_stat_activity where pid = any(pg_blocking_pids(${pid}))`.execute(db)
  return rows
    .map(({ pid: holder, program, state, query, relation }) => {
      // What another program wrote into its statement is not ours to log.
      const text = query
        ?.replace(/'(?:[^']|'')*'/g, "'…'")
        .replace(/\s+/g, ' ')
        .slice(0, 100)
      const of = relation === null ? '' : ` on ${relation}`
      return `waiting for a lock${of} of process ${holder} of the server (${program || 'unnamed'}, ${state ?? 'state unknown'}): ${text}`
    })
    .join('; ')
}

/** `create index` of a migration, where the index has been built beforehand. */
const onlyMissingIndexes: KyselyPlugin = {
  transformQuery: ({ node }) => (node.kind === 'CreateIndexNode' ? { ...node, ifNotExists: true } : node),
  transformResult: async ({ result }) => result,
}

interface Index {
  readonly name: string
  readonly table: string
  readonly text: string
}

async function buildIndexes(run: Run): Promise<void> {
  const { own, lockTx, log, name, change, largeTable, patienceMs } = run
  for (const index of await indexesOf(change)) {
    await own.connection().execute(async (db) => {
      const { rows } = await sql<{ isTable: boolean; isValid: boolean | null }>`
        select to_regclass(${index.table}) is not null as "isTable",
          (select indisvalid from pg_index where indexrelid = to_regclass(${index.name})) as "isValid"`.execute(
        db,
      )
      const [{ isTable, isValid } = { isTable: false, isValid: null }] = rows
      if (!isTable || isValid) return
      const drop = `drop index concurrently if exists "${index.name}"`
      await sql`set statement_timeout = 0`.execute(db)
      // No writer queues behind a concurrent build: it may wait.
      await sql`set lock_timeout = ${sql.lit(patienceMs)}`.execute(db)
      const watch = await watchBlockers(db, lockTx, log, name)
      try {
        if (isValid === false) {
          log.warn(
            { migration: name, index: index.name },
            'an index was not built to its end: building it anew',
          )
          await sql.raw(drop).execute(db)
        }
        if (!(await isLarge(db, index.table, largeTable))) return
        log.info({ migration: name, index: index.name }, 'building an index, writers go on meanwhile')
        await sql.raw(index.text).execute(db)
      } catch (error) {
        // A column that this migration adds: the index is made with it.
        if (errorCode(error) === '42703') return
        throw failure(name, error, watch.blockedBy())
      } finally {
        watch.end()
        await sql`reset lock_timeout`.execute(db).catch(() => {})
      }
    })
  }
}

async function isLarge(db: Db, name: string, rows: number): Promise<boolean> {
  const found = await sql`select 1 from ${sql.table(name)} offset ${rows} limit 1`.execute(db)
  return found.rows.length > 0
}

/** The indexes that a migration makes, as concurrent builds. */
async function indexesOf(change: SchemaChange): Promise<readonly Index[]> {
  const queries = await statementsOf(change, 'postgres')
  return queries.flatMap(({ query, sql: text }) => {
    if (!CreateIndexNode.is(query) || query.table === undefined) return []
    return {
      name: query.name.name,
      table: query.table.table.identifier.name,
      text: text.replace(/^create (unique )?index /, 'create $1index concurrently if not exists '),
    }
  })
}

/** What a migration would run on an empty database: nothing is run, and every question finds nothing. */
export async function statementsOf(
  change: SchemaChange,
  kind: 'sqlite' | 'postgres',
): Promise<readonly CompiledQuery[]> {
  const queries: CompiledQuery[] = []
  const isPostgres = kind === 'postgres'
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => (isPostgres ? new PostgresAdapter() : new SqliteAdapter()),
      createDriver: () => new DummyDriver(),
      createIntrospector: (on) => (isPostgres ? new PostgresIntrospector(on) : new SqliteIntrospector(on)),
      createQueryCompiler: () => (isPostgres ? new PostgresQueryCompiler() : new SqliteQueryCompiler()),
    },
    log: ({ query }) => void queries.push(query),
  })
  await change.up(db)
  await db.destroy()
  return queries
}
