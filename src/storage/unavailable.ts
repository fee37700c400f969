import { ProtocolError, tryAgain } from '../base/index.ts'

/** What an error of the database says about the database. */
export interface DatabaseFault {
  /** Whether the same request may succeed a moment later. */
  readonly isUnavailable: boolean
  /**
   * The connections that must not be used again: the one that the error came over, or all that are open at that moment,
   * since a server that stops, or that a failover has made read-only, is the same behind each of them.
   */
  readonly suspects: 'none' | 'connection' | 'all'
  /** What the error says about the disk, in a word that `GET /health/ready` may show. */
  readonly disk?: 'full' | 'read-only' | 'failing'
}

const transient: DatabaseFault = { isUnavailable: true, suspects: 'none' }
const lostConnection: DatabaseFault = { isUnavailable: true, suspects: 'connection' }
const lostServer: DatabaseFault = { isUnavailable: true, suspects: 'all' }
const internal: DatabaseFault = { isUnavailable: false, suspects: 'none' }

// SQLSTATE codes (PostgreSQL, appendix A) of what ends by itself; a class stands for those of its codes that are not named.
const postgresFaults: Readonly<Record<string, DatabaseFault>> = {
  '08': lostServer, // connection exceptions; PgBouncer reports its own failures as 08P01
  '53': transient, // too many connections and other limits
  '53100': { ...transient, disk: 'full' },
  '53200': lostConnection, // out of memory: what the session has grown to is given back
  '58000': { ...transient, disk: 'failing' },
  '58030': { ...transient, disk: 'failing' },
  '25006': lostServer, // a write to a server that failover or a full disk has made read-only
  '25P03': lostConnection, // idle in a transaction for too long: the server has closed the session
  '25P04': lostConnection, // a transaction that took too long: likewise
  '40003': lostServer, // whether the statement was completed is not known
  '55P03': transient, // a lock that was not available in time
  '57014': transient, // statement timeout
  '57P01': lostServer, // the server stops,
  '57P02': lostServer, // has crashed,
  '57P03': lostServer, // starts,
  '57P04': lostServer, // or has dropped the database
  '57P05': lostConnection, // idle for longer than the server allows
  // A migration has changed the result of a prepared statement, which every connection may have prepared.
  '0A000': { isUnavailable: false, suspects: 'all' },
  // A prepared statement that the server has not, or has already: a pooler has changed the connection behind this one.
  '26000': lostConnection,
  '42P05': lostConnection,
}

// The network: refused, broken, out of reach, not resolved.
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOENT',
  'ENOTCONN',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
])
/** Limits of this process: open files, buffers of the network. They say nothing about the server. */
const hostCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

/** Messages of the driver, for its errors without a code. A caller that waited for a connection saw none of it. */
const waitedTooLong = /^timeout exceeded when trying to connect/i
const brokenConnection =
  /connection terminated|timeout expired|client has encountered a connection error|client was closed|query read timeout|connection is not queryable/i

// SQLite: BUSY (after our own retries), NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL.
const sqliteFaults: Readonly<Record<number, DatabaseFault>> = {
  5: transient,
  7: transient,
  8: { ...transient, disk: 'read-only' },
  10: { ...transient, disk: 'failing' },
  13: { ...transient, disk: 'full' },
  14: transient,
  15: transient,
}

/** What an error of SQLite, of PostgreSQL or of its driver means. An error of any other kind is an internal one. */
export function databaseFault(error: unknown): DatabaseFault {
  if (error instanceof ProtocolError) return error.cause === undefined ? internal : databaseFault(error.cause)
  if (!(error instanceof Error)) return internal
  if ('errcode' in error) return sqliteFaults[Number(error.errcode) & 0xff] ?? internal
  const code = 'code' in error ? String(error.code) : ''
  // A file system that was remounted after a fault of its disk: PostgreSQL reports EROFS as a missing privilege.
  if (code === '42501' && /read-only file system/i.test(error.message)) {
    return { ...transient, disk: 'read-only' }
  }
  if (networkCodes.has(code)) return lostServer
  if (hostCodes.has(code) || waitedTooLong.test(error.message)) return transient
  const known = postgresFaults[code] ?? (isSqlState(code) ? postgresFaults[code.slice(0, 2)] : undefined)
  if (known !== undefined) return known
  return brokenConnection.test(error.message) ? lostServer : internal
}

const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code)

/** Serialization failure and deadlock: PostgreSQL rolled the transaction back because of a concurrent one. */
const conflicts = new Set(['40001', '40P01'])

const isConflict = (error: Error): boolean => 'code' in error && conflicts.has(String(error.code))

/**
 * The answer 503 with `Retry-After`, for a request that a database prevents.
 * @param detail for the log: what is wrong with the database
 */
export const unavailable = (detail: string, cause: unknown): ProtocolError =>
  new ProtocolError(tryAgain.status, tryAgain.code, tryAgain.description, {
    detail,
    cause,
    headers: tryAgain.headers,
  })

/**
 * Turns an error of an unreachable, read-only or full database, or of a transaction that the database took back, into 503
 * with `Retry-After`. Nothing is written by halves, so the caller may repeat the request; where a connection breaks during
 * COMMIT the change may have been written, and the repeated request finds it done. For the same reason such a change is
 * never repeated here. Any other error comes back as it is. A conflict that outlasts the retries of `transaction` is no
 * internal error: a caller who can keep one up must not make another user's request look broken (A50).
 */
export function translateDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ProtocolError) return error
  if (isConflict(error)) return unavailable(`the database took the transaction back: ${error.message}`, error)
  if (!databaseFault(error).isUnavailable) return error
  return unavailable(`the database is away: ${error.message}${poolerHint(error)}`, error)
}

// PgBouncer and others in transaction mode: a prepared statement of one server connection is asked of another.
const poolerCodes = new Set(['26000', '42P05'])

/** What to set where an error shows that a pooler stands between, which does not keep a session to its connection. */
export function poolerHint(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  if (poolerCodes.has(code)) {
    return '; a pooler in transaction mode stands in front of PostgreSQL: set database.pooler to "transaction" (REKEY_DATABASE_POOLER=transaction)'
  }
  if (/unsupported startup parameter/i.test(error.message)) {
    return '; the pooler in front of PostgreSQL refuses a parameter of DATABASE_URL: remove it there, or name it in the ignore_startup_parameters of PgBouncer'
  }
  return ''
}

/** What an error comes from: the database's own error, where it was made into an answer for callers. */
export function causeOf(error: unknown): unknown {
  return error instanceof ProtocolError && error.cause !== undefined ? causeOf(error.cause) : error
}

/** The database's own code, also of an error that was made into an answer for callers already; empty where it has none. */
export function errorCode(error: unknown): string {
  const cause = causeOf(error)
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}
