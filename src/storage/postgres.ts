import type { Socket } from 'node:net'
import {
  type Dialect,
  type PostgresCursor,
  PostgresDialect,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely'
import type { Pool, PoolClient, PoolConfig } from 'pg'
import { type Logger, untraced } from '../base/index.ts'
import { postgresServers } from './postgres-hosts.ts'
import type { PostgresAddress } from './postgres-url.ts'
import { translateDatabaseError } from './unavailable.ts'

/** In milliseconds. Without limits every request waits for a server that does not answer, long after it is back. */
const statementTimeout = 10_000
const connectTimeout = 5_000

/**
 * For migrations and exports: a step may take as long as there is data, and a transaction may wait for a slow reader of
 * what it writes. A timeout of the role still applies, so each transaction sets its own to 0, too.
 */
export const unlimited: PoolConfig = {
  statement_timeout: 0,
  query_timeout: 0,
  idle_in_transaction_session_timeout: 0,
}

/** The state of the connection pool. */
export interface PoolLoad {
  readonly busy: number
  readonly idle: number
  /** Statements and transactions that wait for a connection. */
  readonly waiting: number
  readonly most: number
}

/** PostgreSQL through `pg`, with a pool of connections. Loaded on demand: an embedded engine never pays for it. */
export async function postgresDialect(
  address: PostgresAddress,
  poolSize: number,
  log: Logger,
  /** What is different for a pool that serves no requests. */
  changes: PoolConfig = {},
): Promise<{ readonly dialect: Dialect; readonly pool: () => PoolLoad }> {
  const { default: pg } = await import('pg')
  // Epoch milliseconds fit a double exactly until the year 287396.
  pg.types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = postgresServers(pg, address).pool({
    max: poolSize,
    connectionTimeoutMillis: connectTimeout,
    statement_timeout: statementTimeout,
    // Longer than the server's own limit: ends a statement where the server is gone without closing the connection.
    query_timeout: statementTimeout + 2_000,
    keepAlive: true,
    idle_in_transaction_session_timeout: statementTimeout,
    application_name: 'rekey',
    // Statements that are sent without awaiting the previous one share a packet, and so do their results.
    pipeline: true,
    ...changes,
  })
  // A connection that breaks fails its query and emits `error`, which would end the process without a listener.
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ err: error }, 'a database connection broke'))
    for (const setting of planning) {
      client.query(setting).catch((error) => log.debug({ err: error }, `the database refused: ${setting}`))
    }
  })
  // The same of an idle connection that the server closes; the next query opens a new one.
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'))
  const names = createStatementNames()
  const dialect = new PostgresDialect({
    pool: {
      connect: async () => new PreparingClient(await connect(pool), names),
      end: () => pool.end(),
      options: pool.options,
    },
  })
  return {
    dialect,
    pool: () => ({
      busy: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      most: poolSize,
    }),
  }
}

/**
 * Every statement has an index that serves it. A prepared statement caches its plan, though: made while a table was
 * small, it is a sequential scan, and remains one long after the table has grown, until the next ANALYZE.
 */
const planning = ['set enable_seqscan = off', 'set jit = off']

/**
 * The engine has fewer texts than this. The cap bounds the server's memory where a list in a text has varying length.
 */
const maxNames = 500

interface StatementNames {
  of(text: string): string | undefined
  /** Makes new names from now on: a migration has changed the results of statements, on every connection of the pool. */
  renew(): void
}

/** Names for prepared statements: a connection parses a named one once and plans it a few times at most. */
function createStatementNames(): StatementNames {
  const names = new Map<string, string>()
  let generation = 1
  return {
    of(text) {
      const known = names.get(text)
      if (known !== undefined || names.size >= maxNames) return known
      const name = `rekey_${generation}_${names.size + 1}`
      names.set(text, name)
      return name
    },
    renew() {
      generation++
      names.clear()
    },
  }
}

/**
 * What is written to a connection until the present tick ends leaves in one packet: BEGIN and the first statement, and
 * statements that do not wait for each other. A system call costs more than many a statement does.
 */
function sendTogether(client: PoolClient): void {
  const { stream } = (client as PoolClient & { readonly connection: { readonly stream: Socket } }).connection
  stream.cork()
  process.nextTick(() => stream.uncork())
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    // The connection outlives the request that opens it, so it must not belong to that request's trace.
    return await untraced(() => pool.connect())
  } catch (error) {
    throw translateDatabaseError(error)
  }
}

/**
 * A connection as Kysely wants it, with two savings: statements are prepared by name, and BEGIN is sent together with
 * the first statement of its transaction instead of in a round trip of its own.
 */
class PreparingClient implements PostgresPoolClient {
  readonly #client: PoolClient
  readonly #names: StatementNames
  #beginPending = false
  #isTransaction = false
  /** Set where a migration has changed the result of a prepared statement: the connection is closed on release. */
  #outdated = false

  constructor(client: PoolClient, names: StatementNames) {
    this.#client = client
    this.#names = names
  }

  query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>
  query<R>(
    text: string | PostgresCursor<R>,
    values: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    // Kysely passes a cursor for streams only, which the engine does not use.
    if (typeof text !== 'string') throw new Error('PostgreSQL queries are not streamed')
    return text === 'begin' ? this.#begin() : this.#run<R>(text, values)
  }

  async #begin<R>(): Promise<PostgresQueryResult<R>> {
    this.#beginPending = true
    this.#isTransaction = true
    return { command: 'SELECT', rowCount: 0, rows: [] }
  }

  async #run<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    if (text.startsWith('start transaction')) this.#isTransaction = true
    else if (text === 'commit' || text === 'rollback') this.#isTransaction = false
    const name = values.length === 0 ? undefined : this.#names.of(text)
    sendTogether(this.#client)
    try {
      if (this.#beginPending) {
        this.#beginPending = false
        // BEGIN fails only with its connection; the statement that follows then rejects with the same error.
        this.#client.query('begin').catch(() => {})
      }
      return await this.#send<R>(text, values, name)
    } catch (error) {
      throw translateDatabaseError(error)
    }
  }

  async #send<R>(
    text: string,
    values: readonly unknown[],
    name: string | undefined,
  ): Promise<PostgresQueryResult<R>> {
    try {
      const result = await this.#client.query({ text, values: [...values], ...(name && { name }) })
      return result as PostgresQueryResult<R>
    } catch (error) {
      // 0A000, "cached plan must not change result type": a newer version has added a column to a table that this one
      // reads. The statement was not run: alone it is sent again, a transaction is run again by its caller.
      if (name === undefined || !(error instanceof Error && 'code' in error && error.code === '0A000'))
        throw error
      this.#outdated = true
      this.#names.renew()
      if (this.#isTransaction) throw error
      return this.#send(text, values, undefined)
    }
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy || this.#outdated)
  }
}
