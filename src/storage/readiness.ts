import { setTimeout as pause } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import { ProtocolError } from '../base/index.ts'
import { type ConnectionOptions, ConnectionPool, type PoolFactory, takesWrites } from './postgres-pool.ts'
import type { ReadyCheck, StorageChecks } from './state.ts'
import { databaseFault } from './unavailable.ts'

/** What the errors of a database have shown of its disk. */
export class DiskState {
  #trouble = 'ok'
  #errors = 0

  /** Records an error, if it says something about the disk. */
  note(error: unknown): void {
    const { disk } = databaseFault(error)
    if (disk !== undefined) this.suspect(disk)
  }

  suspect(trouble: string): void {
    this.#trouble = trouble
    this.#errors++
  }

  /** A check by `write`, which needs as much new room as a few sign-ins and leaves nothing behind. */
  check(write: () => Promise<void>): ReadyCheck {
    return async () => {
      if (this.#trouble === 'ok') return 'ok'
      const errors = this.#errors
      try {
        await write()
        // An error that came meanwhile is newer than the room that was found.
        if (this.#errors === errors) this.#trouble = 'ok'
        return 'ok'
      } catch (error) {
        this.note(error)
        return this.#trouble
      }
    }
  }
}

/** In milliseconds, for a connection and for an answer: a check is worth nothing once its caller has given up. */
const checkTimeout = 2_000

/**
 * The checks of PostgreSQL. They have a connection of their own: a pool that one locked table has filled is no reason to
 * take every node away.
 */
export function createPostgresChecks(
  createPool: PoolFactory,
  options: Pick<ConnectionOptions, 'maxLifetimeSeconds' | 'log'>,
  pool: ConnectionPool,
  disk: DiskState,
): { readonly checks: StorageChecks; readonly close: () => Promise<void> } {
  const own = new ConnectionPool(createPool, {
    ...options,
    size: 1,
    connectTimeout: checkTimeout,
    queryTimeout: checkTimeout,
    idleTimeout: 30_000,
    session: {},
  })

  async function database(): Promise<string> {
    try {
      if (await isWritable(own)) return 'ok'
      // A session keeps the settings that it began with, so the answer counts once a new session gives it, too.
      own.suspectAll()
      if (!(await isWritable(own))) return 'read-only'
      // The pool's sessions are as old as the one that was read-only.
      pool.suspectAll()
      return 'ok'
    } catch (error) {
      if (!isCrowded(error)) return reasonOf(error)
      // No room for one more connection, which says nothing about those that are open.
      const answer = isWritable(pool).then((writable) => (writable ? 'ok' : 'read-only'), reasonOf)
      return Promise.race([answer, pause(checkTimeout, 'no answer', { ref: false })])
    }
  }

  const write = () =>
    withConnection(own, async (client) => {
      // A new file, so that what older rows have left free in the existing ones is no answer. Nothing of it lasts.
      await client.query('begin')
      try {
        await client.query(
          'create temporary table rekey_disk_check on commit drop as' +
            ' select repeat(md5(n::text), 8) as filler from generate_series(1, 4096) as n',
        )
      } finally {
        await client.query('rollback')
      }
    })

  return { checks: { database, disk: disk.check(write) }, close: () => own.end() }
}

const isWritable = (pool: ConnectionPool): Promise<boolean> => withConnection(pool, takesWrites)

async function withConnection<T>(
  pool: ConnectionPool,
  work: (client: Pick<ClientBase, 'query'>) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  try {
    return await work(client)
  } catch (error) {
    pool.note(client, error)
    throw error
  } finally {
    pool.release(client)
  }
}

/** The database's own error, of one that was made into an answer for callers already. */
const causeOf = (error: unknown): unknown => (error instanceof ProtocolError ? error.cause : error)

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

// 53300 of PostgreSQL; PgBouncer reports the same as 08P01.
function isCrowded(error: unknown): boolean {
  const cause = causeOf(error)
  return (
    codeOf(cause) === '53300' ||
    (cause instanceof Error && /no more connections allowed|too many clients/i.test(cause.message))
  )
}

function reasonOf(error: unknown): string {
  const cause = causeOf(error)
  const code = codeOf(cause)
  // Of several servers only one that takes no writes answered.
  if (code === '25006') return 'read-only'
  // 28: the user or the password; 3D000: there is no such database.
  if (code.startsWith('28') || code === '3D000') return 'refused'
  if (code === '57014' || (cause instanceof Error && /timeout/i.test(cause.message))) return 'no answer'
  return 'unreachable'
}
