import { ConfigError, ProtocolError } from '../base/index.ts'
import { CommandError, UsageError } from './command.ts'

/** An error as lines for standard error: what is wrong and what to do about it. */
export function explain(error: unknown): readonly string[] {
  if (error instanceof UsageError) return usage(error)
  if (error instanceof CommandError) return [`rekey: ${error.message}`]
  if (error instanceof ConfigError) return `rekey: ${error.message}`.split('\n')
  // To visitors a database that is away is a moment to wait; whoever runs it wants to know where it was looked for.
  const isAway = error instanceof Error && !(error instanceof ProtocolError && error.status !== 503)
  const cause = isAway ? fromSystem((error.cause ?? {}) as SystemError) : undefined
  if (cause !== undefined) return [`rekey: ${cause}`]
  // What an owner's own call was refused for is told whole; `description` is made for it.
  if (error instanceof ProtocolError) {
    return (error.causes.length > 0 ? error.causes : [error.description]).map((line) => `rekey: ${line}`)
  }
  const known = fromSystem(error as SystemError)
  if (known !== undefined) return [`rekey: ${known}`]
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return ['rekey: this should not have happened', ...text.split('\n').map((line) => `  ${line}`)]
}

function usage({ message, command }: UsageError): readonly string[] {
  // The overview is itself the answer to being called with nothing.
  if (message.includes('\n')) return message.split('\n')
  return [`rekey: ${message}`, `see: rekey ${command === undefined ? '' : `${command} `}--help`]
}

interface SystemError extends Error {
  readonly code?: string
  readonly errcode?: number
  readonly address?: string
  readonly port?: number
  readonly errors?: readonly SystemError[]
}

/** What the system, SQLite and PostgreSQL say when the world around is not as it should be. */
function fromSystem(error: SystemError): string | undefined {
  const { code = '', errcode = 0, message } = error
  const { address, port } = error.errors?.[0] ?? error
  const where = port === undefined ? '' : ` at ${address ?? 'localhost'}:${port}`
  if (code === 'EADDRINUSE')
    return `port ${port} is taken: end what runs there, or choose another one with --port`
  if (code === 'EACCES' && port !== undefined)
    return `port ${port} is not for this user; choose one above 1023`
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ETIMEDOUT') {
    return `nothing answers${where} (${code}); is the address right, and is the server up?`
  }
  if (code === 'ERR_SQLITE_ERROR') return fromSqlite(errcode & 0xff, message)
  if (code === '28P01' || code === '28000')
    return 'the database refuses this user or password; see DATABASE_URL'
  if (code === '3D000') return `${message}; create it first, or name another one in DATABASE_URL`
  return undefined
}

function fromSqlite(errcode: number, message: string): string | undefined {
  if (errcode === 14)
    return 'the database file cannot be opened: is its folder there, and may this user write to it?'
  if (errcode === 26) return 'the database file is no SQLite database'
  if (errcode === 8) return 'the database file may only be read by this user'
  if (errcode === 13) return 'the disk of the database is full'
  return errcode === 5 ? 'another process keeps the database locked' : `the database: ${message}`
}
