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

/**
 * What a caller is told of a database error: where the database is away or full, to come again; nothing was kept.
 * Any other error as it is.
 */
export function told(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ProtocolError || !isAway(error)) return error
  return new ProtocolError(
    503,
    'E0000010',
    'The service is temporarily unavailable. Try again in a moment.',
    {
      detail: `the database is away: ${error.message}`,
      cause: error,
      headers: { 'Retry-After': '2' },
    },
  )
}
