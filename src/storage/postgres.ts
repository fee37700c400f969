import type { Socket } from 'node:net'
import {
  type Dialect,
  type PostgresCursor,
  PostgresDialect,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely'
import type { PoolClient } from 'pg'
import { type Logger, plainHash } from '../base/index.ts'
import { grouped, type Outgoing, type RawResult } from './fused.ts'
import { postgresServers } from './postgres-hosts.ts'
import { ConnectionPool, type PoolFactory } from './postgres-pool.ts'
import type { PostgresAddress } from './postgres-url.ts'
import { createPostgresChecks, DiskState } from './readiness.ts'
import type { Pooler, PoolLoad, StorageChecks } from './state.ts'
import { translateDatabaseError } from './unavailable.ts'

/** In milliseconds. Without limits every request waits for a server that does not answer, long after it is back. */
const statementTimeout = 10_000
const connectTimeout = 5_000
/** Longer than the server's own limit: ends a statement where the server is gone without closing the connection. */
const queryTimeout = statementTimeout + 2_000
const idleTimeout = 10_000

export interface PostgresOptions {
  readonly address: PostgresAddress
  readonly poolSize: number
  readonly pooler: Pooler
  readonly maxLifetimeSeconds: number
  /** Without limits of time, for work that may take as long as there is data. */
  readonly isUnlimited?: boolean
  readonly log: Logger
}

export interface PostgresDatabase {
  readonly dialect: Dialect
  readonly pool: () => PoolLoad
  readonly checks: StorageChecks
}

/** PostgreSQL through `pg`, with a pool of connections. Loaded on demand: an embedded engine never pays for it. */
export async function postgresDialect(options: PostgresOptions): Promise<PostgresDatabase> {
  const { address, poolSize, pooler, maxLifetimeSeconds, isUnlimited = false, log } = options
  const { default: pg } = await import('pg')
  // Epoch milliseconds fit a double exactly until the year 287396.
  pg.types.setTypeParser(pg.types.builtins.INT8, Number)
  const servers = postgresServers(pg, address)
  const createPool: PoolFactory = (settings) => servers.pool(settings)
  const timeLimits = isUnlimited ? noLimits : limits
  const pool = new ConnectionPool(createPool, {
    size: poolSize,
    connectTimeout,
    queryTimeout: isUnlimited ? 0 : queryTimeout,
    idleTimeout,
    maxLifetimeSeconds,
    session: pooler === 'session' ? { ...timeLimits, ...planning } : {},
    log,
  })
  const disk = new DiskState()
  const { checks, close } = createPostgresChecks(createPool, { maxLifetimeSeconds, log }, pool, disk)
  const names = pooler === 'session' ? createStatementNames() : () => undefined
  const beginText = pooler === 'session' ? 'begin' : ['begin', ...locally(timeLimits)].join('; ')
  const dialect = new PostgresDialect({
    pool: {
      connect: async () => new PreparingClient(await pool.connect(), { pool, disk, names, beginText }),
      async end() {
        await close()
        await pool.end()
      },
      options: pool.settings,
    },
  })
  return { dialect, pool: () => pool.load, checks }
}

const limits = {
  statement_timeout: String(statementTimeout),
  idle_in_transaction_session_timeout: String(statementTimeout),
}
const noLimits = { statement_timeout: '0', idle_in_transaction_session_timeout: '0' }

const locally = (settings: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(settings).map(([name, value]) => `set local ${name} = ${value}`)

/**
 * Every statement has an index that serves it. A prepared statement caches its plan, though: made while a table was
 * small, it is a sequential scan, and remains one long after the table has grown, until the next ANALYZE. Statements
 * without a name are planned each time, for the size that the table has then.
 */
const planning = { enable_seqscan: 'off', jit: 'off' }

/**
 * The engine has fewer texts than this. The cap bounds the server's memory where a list in a text has varying length.
 */
const maxNames = 500

/**
 * Names for prepared statements: a connection parses a named one once and plans it a few times at most. A name is made
 * from its text: behind a pooler that changes connections a number could name another node's statement, which would
 * then be run with these parameters.
 */
function createStatementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>()
  return (text) => {
    const known = names.get(text)
    if (known !== undefined || names.size >= maxNames) return known
    const name = `rekey_${plainHash(text)}`
    names.set(text, name)
    return name
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

const endings = new Set(['commit', 'rollback'])

/** Whether it may come after the end of a transaction. */
const mayFollow = (text: string): boolean => endings.has(text) || text.startsWith('start transaction')

/** A statement that waits for the others of its tick. */
interface Gathered extends Outgoing {
  resolve(result: RawResult): void
  reject(error: unknown): void
}

interface ClientParts {
  readonly pool: ConnectionPool
  readonly disk: DiskState
  readonly names: (text: string) => string | undefined
  /** BEGIN, with what holds for its transaction only. */
  readonly beginText: string
}

/**
 * A connection as Kysely wants it, with three savings: statements are prepared by name, BEGIN is sent together with the first
 * statement of its transaction instead of in a round trip of its own, and changes of a transaction that are given at the
 * same time are put together (`grouped`).
 */
class PreparingClient implements PostgresPoolClient {
  readonly #client: PoolClient
  readonly #parts: ClientParts
  #beginPending = false
  #inTransaction = false
  /** In a transaction whose statements each see what the ones before have done: one that reads and writes. */
  #gathers = false
  #isSnapshot = false
  /** Its transaction has ended, or it was given back. */
  #isOver = false
  /** Given in this tick, and not sent yet. */
  #gathered: Gathered[] = []

  constructor(client: PoolClient, parts: ClientParts) {
    this.#client = client
    this.#parts = parts
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
    this.#inTransaction = true
    this.#gathers = true
    this.#isOver = false
    return { command: 'SELECT', rowCount: 0, rows: [] }
  }

  #run<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    // It would be written by itself, or in the transaction of another request, which may have the connection by then.
    if (this.#isOver && !mayFollow(text))
      return Promise.reject(new Error('a statement came after the end of its transaction'))
    if (this.#gathers && values.length > 0)
      return this.#gather(text, values) as Promise<PostgresQueryResult<R>>
    this.#sendGathered()
    return this.#dispatch(text, values)
  }

  #gather(text: string, values: readonly unknown[]): Promise<RawResult> {
    if (this.#gathered.length === 0) process.nextTick(() => this.#sendGathered())
    const { promise, resolve, reject } = Promise.withResolvers<RawResult>()
    this.#gathered.push({ text, values, resolve, reject })
    return promise
  }

  #sendGathered(): void {
    const gathered = this.#gathered
    if (gathered.length === 0) return
    this.#gathered = []
    for (const group of grouped(gathered)) {
      const parts = group.parts.flatMap((at) => gathered[at] ?? [])
      this.#dispatch(group.text, group.values).then(
        (result) => {
          const results = group.results(result as RawResult)
          parts.forEach((part, index) => void part.resolve(results[index] as RawResult))
        },
        (error) => {
          const failures = group.failures(error)
          parts.forEach((part, index) => void part.reject(failures[index]))
        },
      )
    }
  }

  async #dispatch<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    const { pool, disk, names, beginText } = this.#parts
    const name = values.length === 0 ? undefined : names(text)
    if (text.startsWith('start transaction')) {
      this.#inTransaction = true
      this.#isOver = false
      this.#isSnapshot = text.includes('read only')
    } else if (endings.has(text)) {
      this.#isOver = this.#inTransaction
      this.#inTransaction = false
      this.#gathers = false
      this.#isSnapshot = false
    }
    sendTogether(this.#client)
    try {
      if (this.#beginPending) {
        this.#beginPending = false
        // BEGIN fails only with its connection; the statement that follows then rejects with the same error.
        this.#client.query(beginText).catch(() => {})
      }
      return await this.#send<R>(text, values, name)
    } catch (error) {
      // A write in a snapshot is a fault of the caller: it says nothing about the server.
      if (this.#isSnapshot && codeOf(error) === '25006') throw error
      disk.note(error)
      pool.note(this.#client, error)
      throw translateDatabaseError(error)
    }
  }

  async #send<R>(text: string, values: readonly unknown[], name?: string): Promise<PostgresQueryResult<R>> {
    try {
      const result = await this.#client.query({ text, values: [...values], ...(name && { name }) })
      return result as PostgresQueryResult<R>
    } catch (error) {
      // A migration has changed the result of a prepared statement ("cached plan must not change result type"). It was
      // not run, and outside of a transaction it can be, without its name; a transaction is run again by its caller.
      if (name === undefined || this.#inTransaction || codeOf(error) !== '0A000') throw error
      this.#parts.pool.note(this.#client, error)
      return this.#send<R>(text, values)
    }
  }

  release(destroy?: boolean): void {
    this.#isOver = true
    this.#parts.pool.release(this.#client, destroy)
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''
