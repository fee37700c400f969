import { ConfigError, ProtocolError, shownCauses } from '../base/index.ts'
import { SchemaError } from '../storage/index.ts'
import { CommandError, UsageError } from './command.ts'

/** Renders an error as lines for standard error: what is wrong and how to fix it. */
export function explain(error: unknown): readonly string[] {
  if (error instanceof UsageError) return usage(error)
  if (error instanceof CommandError || error instanceof SchemaError) return [`rekey: ${error.message}`]
  if (error instanceof ConfigError) return `rekey: ${error.message}`.split('\n')
  // Over HTTP an unavailable database is only a 503. An administrator needs its address: it is in the cause.
  const isUnavailable = error instanceof Error && !(error instanceof ProtocolError && error.status !== 503)
  const cause = isUnavailable ? fromSystem((error.cause ?? {}) as SystemError) : undefined
  if (cause !== undefined) return [`rekey: ${cause}`]
  // The database's own words: "temporarily unavailable" says nothing of what to do about it.
  if (error instanceof ProtocolError && error.status === 503 && error.detail !== undefined) {
    return [`rekey: ${error.detail}`]
  }
  // The causes and descriptions of API errors are written for the caller: print them as they are.
  if (error instanceof ProtocolError) {
    return (error.causes.length > 0 ? shownCauses(error.causes) : [error.description]).map(
      (line) => `rekey: ${line}`,
    )
  }
  const explanation = fromSystem(error as SystemError)
  if (explanation !== undefined) return [`rekey: ${explanation}`]
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return ['rekey: unexpected error', ...text.split('\n').map((line) => `  ${line}`)]
}

/** The same in one line, for a sentence that goes on with it. */
export const reasonOf = (error: unknown): string =>
  explain(error)
    .map((line) => line.replace(/^rekey: /, '').trim())
    .join(' ')

function usage({ message, command }: UsageError): readonly string[] {
  // Called without arguments, the message is the overview: print it as it is.
  if (message.includes('\n')) return message.split('\n')
  return [`rekey: ${message}`, `see: rekey ${command === undefined ? '' : `${command} `}--help`]
}

interface SystemError extends Error {
  readonly code?: string
  readonly errcode?: number
  readonly address?: string
  readonly port?: number
  readonly errors?: readonly SystemError[]
  readonly syscall?: string
}

/** The address to listen on is of no use: not of this machine, or of a kind that this machine has not. */
const fromListening = ({ code, address }: SystemError): string =>
  `cannot listen on ${address ?? 'this address'} (${code}): set REKEY_HOST (http.host, --host) to an address of this machine, such as 0.0.0.0, :: or 127.0.0.1`

const unreachable = ['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN']

/** Explains errors of the operating system, SQLite and PostgreSQL; undefined for any other error. */
function fromSystem(error: SystemError): string | undefined {
  const { code = '', errcode = 0, message } = error
  const { address, port } = error.errors?.[0] ?? error
  const where =
    port === undefined
      ? address === undefined
        ? ''
        : ` at ${address}`
      : ` at ${address ?? 'localhost'}:${port}`
  if (code === 'EADDRINUSE')
    return `port ${port} is in use: stop the process there, or choose another port with --port`
  if (code === 'EACCES' && port !== undefined)
    return `port ${port} needs more rights than this user has; choose one above 1023`
  if (error.syscall === 'listen' || error.syscall === 'bind') return fromListening(error)
  // By name: the class is in a folder that `rekey --help` must not wait for.
  if (error.name === 'DatabaseUrlError') return `database.url: ${message} (DATABASE_URL)`
  // A Unix socket that does not exist.
  const isNoSocket = code === 'ENOENT' && error.syscall === 'connect'
  if (unreachable.includes(code) || isNoSocket) {
    return `no server answers${where} (${code}); check the address, and that the server is running`
  }
  const fromPostgres = postgresWords(code, message)
  if (fromPostgres !== undefined) return fromPostgres
  if (code === 'ERR_SQLITE_ERROR') return fromSqlite(errcode & 0xff, message)
  return undefined
}

/** Explains what a PostgreSQL server, or the driver, says of a connection that DATABASE_URL cannot have. */
function postgresWords(code: string, message: string): string | undefined {
  if (code === '28000' && /no encryption|SSL/i.test(message))
    return 'the database takes no connection without TLS; set sslmode=verify-full (or require) in DATABASE_URL'
  if (code === '28P01' || code === '28000')
    return 'the database refuses this user or password; see DATABASE_URL'
  if (code === '3D000') return `${message}; create it first, or set another one in DATABASE_URL`
  if (code === '25006')
    return 'the database takes no writes: name its primary in DATABASE_URL, or all servers with commas between them'
  if (code === '42501') return `the database says: ${message}; the user of DATABASE_URL must own its schema`
  if (code === '57P03') return `the database says: ${message}; try again in a moment`
  if (code === '53300') return 'the database has no connection left for this user; see its max_connections'
  if (/does not support SSL/i.test(message))
    return 'the database offers no TLS, which sslmode in DATABASE_URL asks for'
  if (/CERT|SIGNATURE|^ERR_(TLS|SSL)|^EPROTO$/.test(code))
    return `the TLS connection fails (${code}): ${message}; see sslmode and sslrootcert in DATABASE_URL`
  if (/connection timeout|timeout expired|timeout exceeded/i.test(message))
    return 'the database does not answer in time; check the address in DATABASE_URL, and that the server is running'
  return undefined
}

function fromSqlite(errcode: number, message: string): string | undefined {
  if (errcode === 14)
    return 'cannot open the database file: check that its folder exists and that this user may write to it'
  if (errcode === 26) return 'the database file is not an SQLite database'
  if (errcode === 8) return 'this user may not write to the database file'
  if (errcode === 13) return 'the disk of the database is full'
  return errcode === 5 ? 'another process has locked the database' : `the database: ${message}`
}
