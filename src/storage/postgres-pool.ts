import type { ClientBase, Pool, PoolClient, PoolConfig } from 'pg'
import { type Logger, ProtocolError, systemRandom, untraced } from '../base/index.ts'
import type { PoolLoad } from './state.ts'
import { databaseFault, poolerHint, unavailable } from './unavailable.ts'

/** How connections are made, and for how long they are used. */
export interface ConnectionOptions {
  readonly size: number
  /** How long to wait for a connection, in milliseconds: to a server, or of a full pool. */
  readonly connectTimeout: number
  /** After which time without an answer a connection is given up, in milliseconds; 0: never. */
  readonly queryTimeout: number
  /** For how long an unused connection stays open, in milliseconds. */
  readonly idleTimeout: number
  /** For how long a connection is used at most, in seconds; 0: without end. */
  readonly maxLifetimeSeconds: number
  /**
   * Settings of each session, by name, unless the address of the database has others. By statements, not as parameters
   * of the start: PgBouncer refuses those that it does not know. They travel with the first statement, and a server that
   * does not know one is used without it.
   */
  readonly session: Readonly<Record<string, string>>
  readonly log: Logger
}

/**
 * Makes the driver's pool, with what is known about the servers: there may be several, of which each new connection is
 * made to the one that takes writes.
 */
export type PoolFactory = (options: PoolConfig) => Pool

interface ConnectionState {
  /** Of all connections that were opened between two failures the same number. */
  readonly generation: number
  /** When its lifetime ends, on the clock of `performance.now()`. */
  readonly expiresAt: number
  /** Set where this connection alone must not be used again. */
  isSuspect: boolean
}

/**
 * Connections to PostgreSQL. A connection is closed on its release once its lifetime has passed, once an error has made it
 * suspect, or once an error on another one has made all of them suspect: after a failover they lead to a server that
 * refuses every write, answers all the same, and would never break by itself (report 21).
 */
export class ConnectionPool {
  readonly #pool: Pool
  readonly #options: ConnectionOptions
  readonly #states = new WeakMap<object, ConnectionState>()
  #generation = 0

  constructor(createPool: PoolFactory, options: ConnectionOptions) {
    const { size, connectTimeout, queryTimeout, idleTimeout, log } = options
    this.#options = options
    this.#pool = createPool({
      max: size,
      connectionTimeoutMillis: connectTimeout,
      query_timeout: queryTimeout,
      idleTimeoutMillis: idleTimeout,
      keepAlive: true,
      application_name: 'rekey',
      // Statements that are sent without awaiting the previous one share a packet, and so do their results.
      pipeline: true,
    })
    this.#pool.on('connect', (client) => this.#begin(client))
    // An idle connection that the server closes: the pool drops it, and the others are suspect for the same reason.
    this.#pool.on('error', (error, client) => {
      log.warn(reasonOf(error), 'a database connection was lost')
      this.note(client, error)
    })
  }

  /** The driver's settings, for Kysely. */
  get settings(): object {
    return this.#pool.options
  }

  get load(): PoolLoad {
    const { totalCount, idleCount, waitingCount } = this.#pool
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount, most: this.#options.size }
  }

  /** A connection that may be used. Rejects with 503 where there is none in time. */
  async connect(): Promise<PoolClient> {
    if (this.#pool.idleCount > 0 && this.#pool.waitingCount === 0) return this.#take()
    // Several servers that do not answer, tried one after the other, share one limit of time.
    return withDeadline(this.#options.connectTimeout, this.#take(), (client) => this.release(client))
  }

  /** Gives a connection back, or closes it. */
  release(client: PoolClient, destroy = false): void {
    client.release(destroy || !this.#isUsable(client))
  }

  /** Draws the conclusions from an error that came over a connection. */
  note(client: object, error: unknown): void {
    const state = this.#states.get(client)
    const { suspects } = databaseFault(error)
    if (state === undefined || suspects === 'none') return
    state.isSuspect = true
    // An older connection that fails later is no reason to suspect those which were opened since.
    if (suspects === 'all' && state.generation === this.#generation) this.suspectAll()
  }

  /** Closes every connection that is open now: idle ones before they are used again, the others on their release. */
  suspectAll(): void {
    this.#generation++
  }

  async end(): Promise<void> {
    await this.#pool.end()
  }

  #begin(client: PoolClient): void {
    const { maxLifetimeSeconds, session, log } = this.#options
    // Each a little shorter, by a tenth at most: connections that were opened together do not end together.
    const jitter = 1 - (0.1 * systemRandom.bytes(2).readUInt16BE()) / 0xffff
    const expiresAt =
      maxLifetimeSeconds === 0
        ? Number.POSITIVE_INFINITY
        : performance.now() + maxLifetimeSeconds * 1000 * jitter
    this.#states.set(client, { generation: this.#generation, expiresAt, isSuspect: false })
    // A connection that breaks fails its query and emits `error`, which would end the process without a listener.
    client.on('error', (error) => log.warn(reasonOf(error), 'a database connection broke'))
    const { connectionParameters: given } = client as {
      readonly connectionParameters?: Readonly<Record<string, unknown>>
    }
    for (const [name, value] of Object.entries(session)) {
      // The address has it: `?statement_timeout=5000`.
      if (given?.[name]) continue
      client
        .query(`set ${name} = ${value}`)
        .catch((error) => log.debug({ err: error }, `the database refused to set ${name}`))
    }
  }

  #isUsable(client: object): boolean {
    const state = this.#states.get(client)
    return (
      state !== undefined &&
      !state.isSuspect &&
      state.generation === this.#generation &&
      performance.now() < state.expiresAt
    )
  }

  async #take(): Promise<PoolClient> {
    for (;;) {
      let client: PoolClient
      try {
        // The connection outlives the request that opens it, so it must not belong to that request's trace.
        client = await untraced(() => this.#pool.connect())
      } catch (error) {
        throw notConnected(error)
      }
      // Each suspect one is closed here once, and a new one is usable: this comes to an end.
      if (this.#isUsable(client)) return client
      client.release(true)
    }
  }
}

/** Without the stack, which is the driver's: the line may stand in the output of a command. */
const reasonOf = (error: Error & { readonly code?: string }) => ({
  reason: error.message || error.name,
  ...(error.code !== undefined && { code: error.code }),
})

/** Whether a session may write: its server is no standby, and neither server nor database nor role is set to read-only. */
export async function takesWrites(client: Pick<ClientBase, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ writable: boolean }>(
    "select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as writable",
  )
  return rows[0]?.writable === true
}

/**
 * Where there is no connection nothing was written, whatever the reason is: a password that is being changed, a database
 * that is being restored or a server that starts are outages as much as one that does not answer.
 */
function notConnected(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ProtocolError) return error
  return unavailable(`the database is away: ${error.message || error.name}${poolerHint(error)}`, error)
}

/** `work`, or 503 once the time has passed; what `work` yields afterwards is passed to `late`. */
function withDeadline<T>(ms: number, work: Promise<T>, late: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const timer = setTimeout(() => {
      isOver = true
      reject(notConnected(new Error('timeout exceeded when trying to connect')))
    }, ms)
    work.then(
      (value) => {
        clearTimeout(timer)
        if (isOver) late(value)
        else resolve(value)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
