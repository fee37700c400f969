import type pg from 'pg'
import type { Client, ClientBase, ClientConfig, Pool, PoolClient, PoolConfig } from 'pg'
import { type PostgresAddress, type PostgresHost, tlsOptions } from './postgres-url.ts'

type Driver = typeof pg

/**
 * The servers of one `postgres://` address. Connections go to one server, the first that is fit for the address
 * (`target_session_attrs`), until it fails or takes no writes any more; then to the next one, in the order of the address.
 * What was opened before stays with its server: the pool closes a connection that has become useless.
 */
export interface PostgresServers {
  /** A pool over them. Options that the address sets override those that are passed. */
  pool(options: PoolConfig): Pool
  /** One connection, for work that must not share the pool's. The caller ends it. */
  connect(options: ClientConfig): Promise<Client>
}

/** A server answered and is not what the address asks for: a standby, or one that takes no writes. */
class UnfitServer extends Error {
  /** As PostgreSQL itself says it of a write: read_only_sql_transaction. */
  readonly code = '25006'

  constructor({ host, port }: PostgresHost) {
    super(`the server ${host}:${port} takes no writes`)
    this.name = 'UnfitServer'
  }
}

/** Reads the certificates that the address names. @throws DatabaseUrlError where they cannot be used. */
export function postgresServers(driver: Driver, address: PostgresAddress): PostgresServers {
  const { hosts, session, settings } = address
  const ssl = tlsOptions(address.tls)
  let current = 0
  const server = (): PostgresHost => hosts[current] ?? hosts[0]
  /** Later connections go to the next server, unless another caller has moved on from this one already. */
  const leave = (left: PostgresHost): void => {
    if (server() === left) current = (current + 1) % hosts.length
  }
  const fromAddress = <T extends ClientConfig>(options: T): T => ({
    ...options,
    ...settings,
    ...(ssl !== undefined && { ssl }),
  })

  class ServerClient extends driver.Client {
    readonly server: PostgresHost

    constructor(options: ClientConfig = {}) {
      const chosen = server()
      super({ ...options, ...chosen })
      this.server = chosen
    }
  }

  async function refuseUnfit(client: ClientBase): Promise<void> {
    if (session === 'any' || !(client instanceof ServerClient)) return
    const { rows } = await client.query<{ unfit: boolean }>(unfitness[session])
    if (rows[0]?.unfit !== false) throw new UnfitServer(client.server)
  }

  /** Tries the servers until one connects. An error that the next server would not mend ends the search. */
  async function first<T>(connect: () => Promise<T>): Promise<T> {
    let unfit: unknown
    for (let left = hosts.length; ; left--) {
      const tried = server()
      try {
        return await connect()
      } catch (error) {
        if (!isOfServer(error)) throw error
        leave(tried)
        // A server that answers and takes no writes says more than one that does not answer.
        if (error instanceof UnfitServer) unfit ??= error
        if (left <= 1) throw unfit ?? error
      }
    }
  }

  // A pool whose `connect` goes on to the next server. The form with a callback is that of `pool.query`.
  class ServerPool extends driver.Pool {
    override connect(): Promise<PoolClient>
    override connect(callback: Parameters<Pool['connect']>[0]): void
    override connect(callback?: Parameters<Pool['connect']>[0]): Promise<PoolClient> | undefined {
      const found = first(() => super.connect())
      if (callback === undefined) return found
      found.then(
        (client) => callback(undefined, client, (error) => client.release(error)),
        (error: Error) => callback(error, undefined, () => {}),
      )
      return undefined
    }
  }

  return {
    pool(options) {
      const { onConnect } = options
      return new ServerPool({
        ...fromAddress(options),
        Client: ServerClient,
        // Awaited: the pool ends a connection for .
        onConnect: async (client) => {
          await refuseUnfit(client)
          await onConnect?.(client)
        },
      })
    },
    connect: (options) =>
      first(async () => {
        const client = new ServerClient(fromAddress(options))
        try {
          await client.connect()
          await refuseUnfit(client)
          return client
        } catch (error) {
          await client.end().catch(() => {})
          throw error
        }
      }),
  }
}

/** libpq's tests of `target_session_attrs`. A standby's transactions are read-only as well. */
const unfitness = {
  'read-write': "select current_setting('transaction_read_only')::boolean as unfit",
  primary: 'select pg_is_in_recovery() as unfit',
} as const

/**
 * Whether another server may do better. As in libpq a refusal by the server itself (of the password, of the database) ends
 * the search; one that starts or stops (57P01 to 57P03) does not. So does a pool that is used up: it is no server's.
 */
function isOfServer(error: unknown): boolean {
  if (error instanceof UnfitServer) return true
  if (!(error instanceof Error) || /timeout exceeded|after calling end/.test(error.message)) return false
  const code = 'code' in error ? String(error.code) : ''
  // The classes of SQLSTATE; the names of the system's errors, such as EPIPE, begin with E.
  return !/^[0-9FHPX][0-9A-Z]{4}$/.test(code) || code.startsWith('57P') || code.startsWith('08')
}
