import { ProtocolError, tryAgain } from '../base/index.ts'

// Codes of PostgreSQL and of the network for outages that end by themselves: connections refused, broken or used up
// (class 08, 53300), a server that stops or starts (57P01 to 57P03), statement timeout (57014), disk full (53100), a
// write to a server that failover has made a standby (25006).
const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '53100',
  '53300',
  '25006',
])
/** Messages of the driver, for its errors without a code. */
const unavailableMessages =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|query read timeout|connection is not queryable/i
// SQLite: SQLITE_BUSY (after our own retries), IOERR, FULL, CANTOPEN, PROTOCOL.
const unavailableSqlite = new Set([5, 10, 13, 14, 15])

function isUnavailable(error: Error): boolean {
  if ('errcode' in error) return unavailableSqlite.has(Number(error.errcode) & 0xff)
  const code = 'code' in error ? String(error.code) : ''
  return unavailableCodes.has(code) || code.startsWith('08') || unavailableMessages.test(error.message)
}

/** Serialization failure and deadlock: PostgreSQL rolled the transaction back because of a concurrent one. */
const conflicts = new Set(['40001', '40P01'])

const isConflict = (error: Error): boolean => 'code' in error && conflicts.has(String(error.code))

/**
 * Turns an error of an unreachable or full database, or of a transaction that the database took back, into 503 with
 * `Retry-After`: nothing was committed, so the caller may repeat the request. Any other error comes back as it is. A
 * conflict that outlasts the retries of `transaction` is no internal error: a caller who can keep one up must not make
 * another user's request look broken (A50).
 */
export function translateDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ProtocolError) return error
  if (!isConflict(error) && !isUnavailable(error)) return error
  const why = isConflict(error) ? 'the database took the transaction back' : 'the database is away'
  const { status, code, description, headers } = tryAgain
  return new ProtocolError(status, code, description, {
    detail: `${why}: ${error.message}`,
    cause: error,
    headers,
  })
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
