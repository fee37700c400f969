import { setTimeout as pause } from 'node:timers/promises'
import { CompiledQuery, type Dialect, Kysely, PostgresAdapter, sql, type Transaction } from 'kysely'
import { type Logger, silentLogger } from '../base/index.ts'
import { execute, openPipeline, openShortcut } from './connection.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { decidesMark, Undecided } from './fused.ts'
import { migrations } from './migrations/index.ts'
import {
  type MigrateOptions,
  migratePostgres,
  migrateSqlite,
  type SchemaState,
  schemaState,
} from './migrator.ts'
import { firstCause, openPending, Pending, withPendingOf } from './pending.ts'
import { postgresDialect } from './postgres.ts'
import { createSqliteChecks, sqliteDialect } from './sqlite.ts'
import type { LockWaits } from './sqlite-file.ts'
import type { Pooler, PoolLoad, StorageChecks } from './state.ts'
import type { Schema } from './tables.ts'
import { errorCode } from './unavailable.ts'

/** Queries run on the database, or on one transaction of it. */
export type Db = Kysely<Schema>
export type Tx = Transaction<Schema>

export interface Storage {
  readonly kind: 'sqlite' | 'postgres'
  readonly db: Db
  /**
   * Runs `work` in one transaction, rolled back where it throws. Runs it again after a serialization failure or
   * deadlock.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * Runs `work` on the database as it is at one moment, without the changes of others meanwhile. It must not write. On a
   * connection of its own: it may take as long as there is data.
   */
  snapshot<T>(work: (db: Db) => Promise<T>): Promise<T>
  /**
   * Brings the schema up to date and answers the names of the migrations that were applied; safe to call from several
   * processes at once. Throws a SchemaError where that fails, or where a newer version has migrated the database and does
   * not say that this one may run on it.
   */
  migrate(options?: MigrateOptions): Promise<readonly string[]>
  /** What `migrate()` would run, and what a newer version has run. Throws a SchemaError where this version cannot run. */
  schemaState(): Promise<SchemaState>
  /** The database server's time in epoch milliseconds, or undefined where the database is in this process. */
  serverTime(): Promise<number | undefined>
  /** The latest change of one of the newest transactions, in epoch milliseconds; 0 in an empty database. */
  highestTime(): Promise<number>
  /** Empties every table but the migrations' own: for an engine that starts over from its seed. */
  clear(except?: readonly (keyof Schema)[]): Promise<void>
  /**
   * SQLite: writes the write-ahead log into the file and empties it, so that no earlier form of a row stands in it, where
   * no other connection reads from it at the moment. PostgreSQL does so by itself.
   */
  flush(): Promise<void>
  /** How the connections are used, or undefined where the database is in this process. */
  pool(): PoolLoad | undefined
  /**
   * How often and how long this process has waited for another one that wrote to the same SQLite file; undefined with
   * PostgreSQL, whose server knows (`pg_stat_activity`).
   */
  lockWaits(): LockWaits | undefined
  /** Whether the database does what this node needs. Each call asks it. */
  readonly checks: StorageChecks
  close(): Promise<void>
}

export interface StorageOptions {
  /** `memory`, `sqlite:PATH` or `postgres://…`. */
  readonly url: string
  /** Connections to PostgreSQL. */
  readonly poolSize?: number
  /** What stands between the engine and PostgreSQL; `session` by default. */
  readonly pooler?: Pooler
  /** For how long a connection to PostgreSQL is used at most; 0: without end. Half an hour by default. */
  readonly maxLifetimeSeconds?: number
  readonly log?: Logger
}

/** Opens a database. The schema is not touched: call `migrate()`. @throws DatabaseUrlError for an address that is none. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { url, poolSize = 10, pooler = 'session', maxLifetimeSeconds = 1800, log = silentLogger } = options
  const address = parseDatabaseUrl(url)
  const kind = address.kind === 'postgres' ? 'postgres' : 'sqlite'
  const database: OpenDatabase =
    address.kind === 'postgres'
      ? await postgresDialect({ address, poolSize, pooler, maxLifetimeSeconds, log })
      : openSqlite(address.kind === 'memory' ? ':memory:' : address.path)
  const db = new Kysely<Schema>({ dialect: database.dialect })
  const { checks, pool } = database
  database.onOpened?.(db)
  /** Runs `work` on connections of its own, without the timeouts of requests; SQLite has one writer anyway. */
  const onOwn = async <T>(work: (own: Db) => Promise<T>): Promise<T> => {
    if (address.kind !== 'postgres') return work(db)
    const options = { address, poolSize: 2, pooler, maxLifetimeSeconds, isUnlimited: true, log }
    const own = new Kysely<Schema>({ dialect: (await postgresDialect(options)).dialect })
    try {
      return await work(own)
    } finally {
      await own.destroy()
    }
  }

  return {
    kind,
    db,
    transaction: (work) => retrying(() => inTransaction(db, work)),
    snapshot: (work) => (kind === 'sqlite' ? snapshot(db, work) : onOwn((own) => snapshot(own, work))),
    migrate: (given = {}) => {
      const how = { migrations, ...given }
      return kind === 'sqlite' ? migrateSqlite(db, log, how) : onOwn((own) => migratePostgres(own, log, how))
    },
    schemaState: () => schemaState(db, migrations),
    async serverTime() {
      if (kind === 'sqlite') return undefined
      const { rows } = await sql<{
        now: number
      }>`select extract(epoch from clock_timestamp()) * 1000 as now`.execute(db)
      return Math.round(Number(rows[0]?.now))
    },
    highestTime: () => latestChange(db),
    async clear(except = []) {
      await db.transaction().execute(async (tx) => {
        for (const table of tables) {
          if (!except.includes(table)) await tx.deleteFrom(table).execute()
        }
      })
    },
    async flush() {
      if (kind === 'sqlite') await sql`pragma wal_checkpoint(truncate)`.execute(db)
    },
    pool,
    lockWaits: () => database.waits && { ...database.waits },
    checks: typeof checks === 'function' ? checks(db) : checks,
    close: () => db.destroy(),
  }
}

async function inTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  const pending = new Pending()
  try {
    const result = await db.transaction().execute(async (tx) => {
      await openPipeline(tx)
      openPending(tx, pending)
      const done = await work(tx)
      // PostgreSQL takes COMMIT for ROLLBACK where a statement before it has failed, so that it need not be waited for.
      if (!locksRows(tx) || pending.hasFailed) await pending.settle()
      return done
    })
    // What has failed in this process alone, which PostgreSQL does not know of, is no success.
    await pending.settle()
    return result
  } catch (error) {
    await pending.settle(error)
    throw error
  }
}

/**
 * The latest change of the newest transactions; 0 where there is none. Each lives for minutes, so that what it misses of an older
 * one is no more than that; and no index has the time of a change, which would make each of them dearer.
 */
export async function latestChange(db: Db): Promise<number> {
  const text = `
    select max(updated_at) as at from (select updated_at from transactions order by created_at desc limit 1000) as newest`
  const [row] = await run<{ at: number | null }>(db, text, [])
  return Number(row?.at ?? 0)
}

interface OpenDatabase {
  readonly dialect: Dialect
  readonly pool: () => PoolLoad | undefined
  readonly waits?: LockWaits
  readonly checks: StorageChecks | ((db: Db) => StorageChecks)
  onOpened?(db: Db): void
}

function openSqlite(path: string): OpenDatabase {
  const { dialect, driver, file, disk, waits } = sqliteDialect(path)
  return {
    dialect,
    pool: () => undefined,
    waits,
    checks: (db) => createSqliteChecks(db, file, disk),
    // Kysely opens the driver with the first statement, and closes it.
    onOpened: (db) =>
      openShortcut(db, {
        executeQuery: <R>(query: CompiledQuery) =>
          driver.isOpen ? driver.executeQuery<R>(query) : db.executeQuery<R>(query as CompiledQuery<R>),
      }),
  }
}

// A record, not a list: a table that the schema has and this has not does not compile.
const tableNames: Readonly<Record<keyof Schema, true>> = {
  people: true,
  names: true,
  enrollments: true,
  enrollment_skips: true,
  remembered_devices: true,
  person_tokens: true,
  factor_challenges: true,
  account_changes: true,
  groups: true,
  memberships: true,
  clients: true,
  client_groups: true,
  client_people: true,
  client_scopes: true,
  user_consents: true,
  trusted_origins: true,
  policies: true,
  policy_rules: true,
  sessions: true,
  interactions: true,
  transactions: true,
  artifacts: true,
  signing_keys: true,
  outbox: true,
  mail_suppressions: true,
  budgets: true,
  events: true,
  api_tokens: true,
  settings: true,
}
const tables = Object.keys(tableNames) as readonly (keyof Schema)[]

const snapshot = <T>(db: Db, work: (db: Db) => Promise<T>): Promise<T> =>
  db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      // A role may have timeouts of its own.
      if (locksRows(tx)) {
        await sql`set local statement_timeout = 0`.execute(tx)
        await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx)
      }
      return work(tx)
    })

// PostgreSQL: serialization failure, deadlock, and a prepared statement whose result type a migration has changed. In
// all three the transaction was rolled back and may be run again.
const retriable = new Set(['40001', '40P01', '0A000'])

/**
 * How long a transaction waits before it is tried again, in milliseconds, by how often it has failed. At once it could take
 * the row again that the other one of a circle has just been woken for, and meet it in the same circle.
 */
const pauses = [25, 100]

async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const ms = pauses[attempt - 1]
      if (ms === undefined || !retriable.has(errorCode(error))) throw error
      await pause(ms)
    }
  }
}

/**
 * Runs a part of a transaction: where it throws, what it has written is undone, and the transaction goes on. The error
 * comes through. One part at a time.
 */
export async function partOf<T>(tx: Tx, work: () => Promise<T>): Promise<T> {
  await run(tx, 'savepoint part', [])
  try {
    return await withPendingOf(tx, work)
  } catch (error) {
    await run(tx, 'rollback to savepoint part', [])
    throw error
  } finally {
    await run(tx, 'release savepoint part', [])
  }
}

/** Whether an insert or update failed because a unique column already holds the value. */
export function isUniqueViolation(error: unknown): boolean {
  if (errorCode(error) === '23505') return true // PostgreSQL
  // SQLite: SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY.
  return error instanceof Error && 'errcode' in error && (error.errcode === 2067 || error.errcode === 1555)
}

/**
 * Runs SQL that is written by hand, with `$1`, `$2` … for its parameters: for the few statements that every request
 * runs, where building the text costs more than running it.
 */
export async function run<Result>(
  db: Db,
  text: string,
  parameters: readonly unknown[],
): Promise<readonly Result[]> {
  return (await execute(db, { ...bare, sql: text, parameters } as CompiledQuery<Result>)).rows
}

/**
 * Runs a conditional change in a transaction that must not go on where it changes no row: rejects with `otherwise()` then. On
 * PostgreSQL it is the server that fails, so that what follows may travel with it, COMMIT as well (`withCommit`): all is undone.
 */
export async function decide(
  tx: Tx,
  { text, parameters }: { readonly text: string; readonly parameters: readonly unknown[] },
  otherwise: () => Error,
): Promise<void> {
  if (locksRows(tx)) {
    try {
      await run(tx, decidesMark + text, parameters)
    } catch (error) {
      throw error instanceof Undecided ? otherwise() : error
    }
  } else if ((await change(tx, text, parameters)) === 0) throw otherwise()
}

/** Runs a change that is written by hand; answers how many rows it has changed. */
export async function change(db: Db, text: string, parameters: readonly unknown[]): Promise<number> {
  const { numAffectedRows = 0n } = await execute(db, { ...bare, sql: text, parameters } as CompiledQuery)
  return Number(numAffectedRows)
}

/** What Kysely has of a query besides its text: nothing reads it of one that is written by hand, and to build it costs. */
const bare = CompiledQuery.raw('')

/** Placeholders for a list of values in such a statement: `$3, $4, $5`, the first of them `$from`. */
export const slots = (values: readonly unknown[], from: number): string =>
  values.map((_, index) => `$${from + index}`).join(', ')

/**
 * Runs parts of one transaction that do not need each other's results at the same time, so that their statements travel
 * to the server together (pipelining). Settles after all of them; throws the error that is the cause of the others.
 */
export async function together<T>(works: readonly (T | Promise<T>)[]): Promise<readonly T[]> {
  const failures: unknown[] = []
  const results = await Promise.all(
    works.map(async (work) => {
      try {
        return [await work]
      } catch (error) {
        failures.push(error)
        return []
      }
    }),
  )
  if (failures.length > 0) throw firstCause(failures)
  return results.flat(1) as T[]
}

/** A table's columns for a select list, each with a prefixed alias: rows of several joined tables come back as one. */
export const prefixed = (table: string, prefix: string, columns: readonly string[]): string =>
  columns.map((column) => `${table}.${column} as ${prefix}${column}`).join(', ')

/**
 * Reads one table's row out of such a result; undefined where an outer join found none: then the first column is null. Made once
 * for a statement: names that are put together for each row would cost more than everything else that is read of it.
 */
export function unprefixing<Name extends string>(
  prefix: string,
  columns: readonly [Name, ...(readonly Name[])],
): (row: Readonly<Record<string, unknown>>) => Record<Name, unknown> | undefined {
  const named = columns.map((column) => [column, `${prefix}${column}`] as const)
  const first = `${prefix}${columns[0]}`
  return (row) => {
    if (row[first] === null) return undefined
    const own: Partial<Record<Name, unknown>> = {}
    for (const [column, name] of named) own[column] = row[name]
    return own as Record<Name, unknown>
  }
}

/**
 * Takes a named lock until the transaction ends. Transactions with the same name run one after the other, on any number
 * of nodes, and each sees what the previous one committed. The lock is a row that all of them write; nodes of an earlier
 * version write the same row, so its key keeps the prefix `turn.`.
 */
export async function takeLock(tx: Tx, name: string): Promise<void> {
  await tx
    .insertInto('settings')
    .values({ key: `turn.${name}`, value: '' })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value: '' }))
    .execute()
}

/**
 * Whether a row that is read can be locked until the transaction ends. SQLite needs no lock: its transactions begin
 * IMMEDIATE, so that one at a time writes.
 */
export const locksRows = (db: Db): boolean => db.getExecutor().adapter instanceof PostgresAdapter
