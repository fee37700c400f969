import { ProtocolError } from '../base/index.ts'

// What PostgreSQL and the way to it say when the database is away, and will be back: connections refused, broken or
// used up (class 08, 53300), shutting down or starting (57P01 to 57P03), statements that ran into their timeout (57014),
// no space (53100), a standby that was promoted away (25006).
const away = new Set([
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
/** The driver's own words where there is no code. */
const awayText =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|query read timeout|connection is not queryable/i
// SQLite: busy for longer than we wait, read error, full, cannot be opened, locked by another process's recovery.
const awaySqlite = new Set([5, 10, 13, 14, 15])

function isAway(error: Error): boolean {
  if ('errcode' in error) return awaySqlite.has(Number(error.errcode) & 0xff)
  const code = 'code' in error ? String(error.code) : ''
  return away.has(code) || code.startsWith('08') || awayText.test(error.message)
}

/** PostgreSQL took a transaction back because of what others did at once: serialization failure, deadlock. */
const conflicts = new Set(['40001', '40P01'])

const isConflict = (error: Error): boolean => 'code' in error && conflicts.has(String(error.code))

/** The answer where nothing was written and the same request may succeed a moment later. */
export const comeAgain = {
  status: 503,
  code: 'E0000010',
  description: 'The service is temporarily unavailable. Try again in a moment.',
  headers: { 'Retry-After': '2' },
} as const

/**
 * What a caller is told of a database error: where the database is away or full, or took the transaction back, to come
 * again; nothing was kept. Any other error as it is. A conflict that lasts longer than the retries of `transaction` is
 * no internal error: somebody who can keep one up must not make another's request look broken (A50).
 */
export function told(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ProtocolError) return error
  if (!isConflict(error) && !isAway(error)) return error
  const why = isConflict(error) ? 'the database took the transaction back' : 'the database is away'
  const { status, code, description, headers } = comeAgain
  return new ProtocolError(status, code, description, {
    detail: `${why}: ${error.message}`,
    cause: error,
    headers,
  })
}
