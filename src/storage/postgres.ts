import { type Dialect, PostgresDialect } from 'kysely'
import type { Logger } from '../base/index.ts'

/** Limits that keep one bad minute of the database from becoming a bad hour of the engine, in milliseconds. */
const statementTimeout = 10_000
const connectTimeout = 5_000

/** PostgreSQL through `pg`, with a pool of connections. Loaded on demand: an embedded engine never pays for it. */
export async function postgresDialect(url: string, poolSize: number, log: Logger): Promise<Dialect> {
  const { default: pg } = await import('pg')
  // Epoch milliseconds fit a double exactly until the year 287396.
  pg.types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectTimeout,
    statement_timeout: statementTimeout,
    idle_in_transaction_session_timeout: statementTimeout,
    application_name: 'rekey',
  })
  // An idle connection that the server ends must not end the process; the next query opens a new one.
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'))
  return new PostgresDialect({ pool })
}
