import { type Dialect, PostgresDialect, type PostgresPoolClient, type PostgresQueryResult } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { type Logger, untraced } from '../base/index.ts'
import { told } from './unavailable.ts'

/** Limits that keep one bad minute of the database from becoming a bad hour of the engine, in milliseconds. */
const statementTimeout = 10_000
const connectTimeout = 5_000

/** How the connections to the database are used. */
export interface PoolLoad {
  readonly busy: number
  readonly idle: number
  /** Who waits for one. */
  readonly waiting: number
  readonly most: number
}

/** PostgreSQL through `pg`, with a pool of connections. Loaded on demand: an embedded engine never pays for it. */
export async function postgresDialect(
  url: string,
  poolSize: number,
  log: Logger,
): Promise<{ readonly dialect: Dialect; readonly pool: () => PoolLoad }> {
  const { default: pg } = await import('pg')
  // Epoch milliseconds fit a double exactly until the year 287396.
  pg.types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectTimeout,
    statement_timeout: statementTimeout,
    // Where the server is gone without a word it does not end the statement: then we do.
    query_timeout: statementTimeout + 2_000,
    keepAlive: true,
    idle_in_transaction_session_timeout: statementTimeout,
    application_name: 'rekey',
    // What is asked without waiting for the answer before travels with it, and so does the answer.
    pipeline: true,
  })
  // One that breaks while it is in use fails its query; the event, unheard, would end the process with it.
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ err: error }, 'a database connection broke'))
    for (const setting of planning) {
      client.query(setting).catch((error) => log.debug({ err: error }, `the database refused: ${setting}`))
    }
  })
  // An idle connection that the server ends must not end the process; the next query opens a new one.
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'))
  const nameOf = namesOfStatements()
  const dialect = new PostgresDialect({
    pool: {
      connect: async () => named(await connected(pool), nameOf),
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
 * Every statement has its index. A plan is kept from when its connection was young, though, and tables that were small
 * or empty then are read from end to end by it, long after they have grown: until the next ANALYZE.
 */
const planning = ['set enable_seqscan = off', 'set jit = off']

/** The product's statements are few; a cap keeps lists of varying length from filling the server's memory. */
const mostNames = 500

/** Names for statements, so that a connection has each of them parsed once and planned a few times. */
function namesOfStatements(): (text: string) => string | undefined {
  const names = new Map<string, string>()
  return (text) => {
    const known = names.get(text)
    if (known !== undefined || names.size >= mostNames) return known
    const name = `rekey_${names.size + 1}`
    names.set(text, name)
    return name
  }
}

async function connected(pool: Pool): Promise<PoolClient> {
  try {
    // A connection outlives the request that opens it.
    return await untraced(() => pool.connect())
  } catch (error) {
    throw told(error)
  }
}

/** A connection that prepares what it runs, and that begins a transaction together with its first statement. */
function named(client: PoolClient, nameOf: (text: string) => string | undefined): PostgresPoolClient {
  let outdated = false
  let begins = false
  return {
    // Kysely's other form, with a cursor, is for streams, which nothing here uses.
    async query<R>(text: unknown, values?: readonly unknown[]) {
      if (typeof text !== 'string') throw new Error('PostgreSQL queries are not streamed')
      if (text === 'begin') {
        begins = true
        return { command: 'BEGIN', rowCount: null, rows: [] } as unknown as PostgresQueryResult<R>
      }
      const name = values === undefined || values.length === 0 ? undefined : nameOf(text)
      try {
        if (begins) {
          begins = false
          // Where it fails the connection is gone, and the statement behind it fails the same way.
          client.query('begin').catch(() => {})
        }
        const result = await client.query({ text, values: [...(values ?? [])], ...(name && { name }) })
        return result as unknown as PostgresQueryResult<R>
      } catch (error) {
        // A migration has changed a table that a prepared statement answers: this connection must start over.
        if (error instanceof Error && 'code' in error && error.code === '0A000') outdated = true
        throw told(error)
      }
    },
    release: (error?: Error | boolean) => client.release(error || outdated),
  } as PostgresPoolClient
}
