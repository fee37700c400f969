import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, createSecureContext } from 'node:tls'
import type { ClientConfig } from 'pg'
import { didYouMean } from '../base/index.ts'
import { DatabaseUrlError } from './database-url-error.ts'

/** A PostgreSQL server: a name, an IP address, or the folder of its Unix socket. */
export interface PostgresHost {
  readonly host: string
  readonly port: number
}

/** What a `postgres://` address says, in the terms of libpq. */
export interface PostgresAddress {
  /** In the order in which they are tried. */
  readonly hosts: readonly [PostgresHost, ...PostgresHost[]]
  /** What a server must be for this engine: any, one that takes writes, or one that is no standby. */
  readonly session: 'any' | 'read-write' | 'primary'
  readonly tls: PostgresTls
  /** Everything else, as `pg` takes it. What the address does not set is absent. */
  readonly settings: Readonly<
    Pick<
      ClientConfig,
      | 'user'
      | 'database'
      | 'options'
      | 'application_name'
      | 'statement_timeout'
      | 'lock_timeout'
      | 'query_timeout'
      | 'idle_in_transaction_session_timeout'
      | 'connectionTimeoutMillis'
      | 'keepAliveInitialDelayMillis'
      | 'sslnegotiation'
    >
  > & { readonly password?: string }
}

/**
 * `unset`: neither the address nor PGSSLMODE says anything, which is no TLS. `require` encrypts and verifies nothing; `verify-ca` verifies the
 * certificate; `verify-full` also the name of the host.
 */
export interface PostgresTls {
  readonly mode: 'unset' | 'disable' | 'require' | 'verify-ca' | 'verify-full'
  /** Files in PEM. Without `rootCert` the certificate authorities of Node count. */
  readonly rootCert?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

const form = 'postgres://user:password@host:5432/database'
const encoded = 'characters such as / ? # @ : in a password must be written as %2F %3F %23 %40 %3A'

/**
 * Reads a connection URI of PostgreSQL (libpq, section 34.1.1.2), with one host or several. Parameters that are not
 * supported are refused by name: ignored, `channel_binding=require` would protect nothing.
 * Reads no file. @throws DatabaseUrlError
 *
 * @param pgSslMode counts where the address has no `sslmode`, and means the same
 */
export function parsePostgresUrl(url: string, pgSslMode = process.env.PGSSLMODE): PostgresAddress {
  const parts = /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#)?/i.exec(url)
  if (parts === null) throw new DatabaseUrlError(`must have two slashes: ${form}`)
  const [, authority = '', path = '', query = '', hash] = parts
  if (hash !== undefined) throw new DatabaseUrlError(`has a # in it; ${encoded}`)
  if (/\s/.test(url)) throw new DatabaseUrlError(`has a blank in it; it is written as %20`)
  if (path.includes('/')) throw new DatabaseUrlError(`has more than one part behind the host; ${encoded}`)
  const parameters = parametersOf(query)
  // The last @: a host has none, a password that was not encoded may.
  const at = authority.lastIndexOf('@')
  const [user = '', ...password] = authority.slice(0, Math.max(at, 0)).split(':')
  const hosts = hostsOf(authority.slice(at + 1), parameters)
  const database = parameters.get('dbname') ?? decoded(path)
  const userName = parameters.get('user') ?? decoded(user)
  const secret = parameters.get('password') ?? decoded(password.join(':'))
  return {
    hosts,
    session: sessionOf(parameters.get('target_session_attrs'), hosts.length),
    tls: tlsOf(parameters, pgSslMode),
    settings: {
      ...(userName && { user: userName }),
      ...(secret && { password: secret }),
      ...(database && { database }),
      ...settingsOf(parameters),
    },
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new DatabaseUrlError('has a % that is not followed by two hexadecimal digits; % itself is %25')
  }
}

/** The parameters by name, decoded. Throws for an unknown name and for one that is given twice. */
function parametersOf(query: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [encodedName = '', ...value] = pair.split('=')
    const name = decoded(encodedName)
    if (!Object.hasOwn(parameterNames, name)) {
      throw new DatabaseUrlError(
        // A name may be the rest of a password: it is shown only if it looks like the name of a parameter.
        /^[a-z_]{3,40}$/i.test(name)
          ? `has the parameter ${name}, which is not supported${didYouMean(name, Object.keys(parameterNames))}`
          : `has a parameter that is not supported; ${encoded}`,
      )
    }
    if (found.has(name)) throw new DatabaseUrlError(`has the parameter ${name} twice`)
    found.set(name, decoded(value.join('=')))
  }
  return found
}

type Rule = readonly string[] | 'text' | 'milliseconds' | 'seconds'

/**
 * The parameters that are understood: a list has the values that are. `sslmode` and `target_session_attrs` are read
 * elsewhere, with words for the values that libpq has and this engine has not.
 */
const parameterNames: Readonly<Record<string, Rule>> = {
  host: 'text',
  port: 'text',
  user: 'text',
  password: 'text',
  dbname: 'text',
  options: 'text',
  application_name: 'text',
  fallback_application_name: 'text',
  client_encoding: ['utf8', 'UTF8', 'auto'],
  connect_timeout: 'seconds',
  keepalives: ['1'],
  keepalives_idle: 'seconds',
  statement_timeout: 'milliseconds',
  lock_timeout: 'milliseconds',
  query_timeout: 'milliseconds',
  idle_in_transaction_session_timeout: 'milliseconds',
  target_session_attrs: 'text',
  load_balance_hosts: ['disable'],
  channel_binding: ['disable', 'prefer'],
  gssencmode: ['disable', 'prefer'],
  sslmode: 'text',
  ssl: ['true', 'false', '1', '0'],
  sslrootcert: 'text',
  sslcert: 'text',
  sslkey: 'text',
  sslpassword: 'text',
  sslnegotiation: ['postgres', 'direct'],
  uselibpqcompat: ['true', 'false'],
}

/** A day: a timer of more than 24 days would end at once. */
const mostSeconds = 86_400

function settingsOf(parameters: ReadonlyMap<string, string>): PostgresAddress['settings'] {
  for (const [name, value] of parameters) {
    const rule = parameterNames[name]
    if (Array.isArray(rule) && !rule.includes(value)) {
      throw new DatabaseUrlError(
        `has ${name} with a value that is not supported; supported: ${rule.join(', ')}`,
      )
    }
    if ((rule === 'seconds' || rule === 'milliseconds') && !/^\d{1,9}$/.test(value)) {
      throw new DatabaseUrlError(`must have a whole number of ${rule} as ${name}`)
    }
    if (rule === 'seconds' && Number(value) > mostSeconds) {
      throw new DatabaseUrlError(`must have ${name}, at most ${mostSeconds} seconds`)
    }
  }
  const number = (name: string, factor = 1) => {
    const value = parameters.get(name)
    return value === undefined ? undefined : Number(value) * factor
  }
  const settings = {
    options: parameters.get('options'),
    application_name: parameters.get('application_name') ?? parameters.get('fallback_application_name'),
    statement_timeout: number('statement_timeout'),
    lock_timeout: number('lock_timeout'),
    query_timeout: number('query_timeout'),
    idle_in_transaction_session_timeout: number('idle_in_transaction_session_timeout'),
    connectionTimeoutMillis: number('connect_timeout', 1000),
    keepAliveInitialDelayMillis: number('keepalives_idle', 1000),
    sslnegotiation: parameters.get('sslnegotiation'),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

const defaultPort = '5432'

/**
 * The hosts of the address, or of the parameter `host`. With both, libpq would silently forget those of the address: only
 * the folder of a socket may stand beside one host, which many programs need as a dummy.
 */
function hostsOf(text: string, parameters: ReadonlyMap<string, string>): PostgresAddress['hosts'] {
  const named = parameters.get('host')
  if (named !== undefined && text !== '' && (text.includes(',') || !/^\/[^,]*$/.test(named))) {
    throw new DatabaseUrlError('names hosts twice, in front of the database and as host=; leave one out')
  }
  const ports = parameters.get('port')?.split(',')
  const entries = named === undefined ? text.split(',').map(hostAndPort) : named.split(',').map(bareHost)
  if (ports !== undefined && ports.length > 1 && ports.length !== entries.length) {
    throw new DatabaseUrlError('must have as many ports as hosts, or one port for all')
  }
  const [first, ...others] = entries.map(([host, port], index) => ({
    host: checkedHost(host),
    port: checkedPort(ports?.[ports.length === 1 ? 0 : index] || port || defaultPort),
  }))
  return first === undefined ? noHost() : [first, ...others]
}

const bareHost = (host: string): readonly [string, string] => [host, '']

function hostAndPort(text: string): readonly [host: string, port: string] {
  const [, literal, afterLiteral = ''] = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? []
  if (literal !== undefined) return [literal, afterLiteral]
  const colon = text.indexOf(':')
  return colon === -1 ? [decoded(text), ''] : [decoded(text.slice(0, colon)), text.slice(colon + 1)]
}

function checkedHost(host: string): string {
  if (host === '') return noHost()
  const isHost = host.startsWith('/') || isIPv6(host) || /^[\p{L}\p{N}_.-]+$/u.test(host)
  if (!isHost) {
    throw new DatabaseUrlError(
      `has a host that is neither a name nor an address (IPv6 in brackets); ${form}; ${encoded}`,
    )
  }
  return host
}

function checkedPort(port: string): number {
  if (/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536) return Number(port)
  throw new DatabaseUrlError(`has a port that is no number from 1 to 65535; ${encoded}`)
}

function noHost(): never {
  throw new DatabaseUrlError(`names no host; ${form}, or ?host=/folder for a Unix socket`)
}

/**
 * Of several hosts one is asked for that takes writes, unless the address says otherwise: the engine writes with every
 * request, so that a standby, which libpq's default would take as well, is of no use.
 */
function sessionOf(text: string | undefined, hosts: number): PostgresAddress['session'] {
  if (text === undefined) return hosts === 1 ? 'any' : 'read-write'
  if (text === 'any' || text === 'read-write' || text === 'primary') return text
  if (['read-only', 'standby', 'prefer-standby'].includes(text)) {
    throw new DatabaseUrlError(
      `has target_session_attrs=${text}, but the engine writes; supported: read-write, primary, any`,
    )
  }
  throw new DatabaseUrlError('has an unknown target_session_attrs; supported: read-write, primary, any')
}

/** The modes of libpq that are refused, and why. */
const refusedModes: Readonly<Record<string, string>> = {
  allow: 'sends everything in clear to a server that accepts it',
  prefer:
    'sends the password and everything else in clear where the server, or a host that poses as it, offers no TLS',
}

function tlsOf(parameters: ReadonlyMap<string, string>, pgSslMode: string | undefined): PostgresTls {
  const rootCert = parameters.get('sslrootcert')
  const [cert, key] = [parameters.get('sslcert'), parameters.get('sslkey')]
  const passphrase = parameters.get('sslpassword')
  const { mode, name } = modeOf(parameters, pgSslMode, rootCert !== undefined)
  if ((cert === undefined) !== (key === undefined)) {
    throw new DatabaseUrlError('must have sslcert and sslkey together')
  }
  const withFiles = [rootCert, cert].some((text) => text !== undefined)
  if (withFiles && (mode === 'unset' || mode === 'disable')) {
    throw new DatabaseUrlError(
      'has certificates, but no TLS that uses them: add sslmode=verify-full (or verify-ca, require)',
    )
  }
  if (rootCert === 'system' && mode !== 'verify-full') {
    throw new DatabaseUrlError('has sslrootcert=system, which needs sslmode=verify-full')
  }
  if (mode === 'verify-ca' && rootCert === undefined) {
    throw new DatabaseUrlError(`has ${name}=verify-ca, which needs sslrootcert=FILE in the address`)
  }
  return {
    mode,
    ...(rootCert !== undefined && rootCert !== 'system' && { rootCert }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
  }
}

/** The mode, and the name of what says it. Left to the driver a mistyped PGSSLMODE would mean clear text. */
function modeOf(
  parameters: ReadonlyMap<string, string>,
  pgSslMode: string | undefined,
  hasRootCert: boolean,
): { readonly mode: PostgresTls['mode']; readonly name: string } {
  const ssl = parameters.get('ssl')
  const sslmode = parameters.get('sslmode')
  // `ssl` is the driver's own: with TLS it verifies the certificate and the host.
  if (ssl !== undefined) {
    if (sslmode !== undefined) throw new DatabaseUrlError('has ssl and sslmode: sslmode is enough')
    return { mode: ssl === 'true' || ssl === '1' ? 'verify-full' : 'disable', name: 'ssl' }
  }
  if (sslmode !== undefined) return { mode: namedMode('sslmode', sslmode, hasRootCert), name: 'sslmode' }
  if (!pgSslMode) return { mode: 'unset', name: 'sslmode' }
  return { mode: namedMode('PGSSLMODE', pgSslMode, hasRootCert), name: 'PGSSLMODE' }
}

function namedMode(name: 'sslmode' | 'PGSSLMODE', mode: string, hasRootCert: boolean): PostgresTls['mode'] {
  const refused = Object.hasOwn(refusedModes, mode) ? refusedModes[mode] : undefined
  if (refused !== undefined) {
    throw new DatabaseUrlError(
      `has ${name}=${mode}, which ${refused}; choose disable, require, verify-ca or verify-full`,
    )
  }
  // As libpq: with a root certificate `require` is `verify-ca`, for compatibility. `no-verify` is the driver's own name.
  if (mode === 'no-verify') return 'require'
  if (mode === 'require') return hasRootCert ? 'verify-ca' : 'require'
  if (mode === 'disable' || mode === 'verify-ca' || mode === 'verify-full') return mode
  throw new DatabaseUrlError(
    `has an unknown ${name}; supported: disable, require, verify-ca, verify-full (and no-verify, which is require)`,
  )
}

/**
 * The TLS options of an address as `pg` takes them: undefined and false are no TLS. Reads the files
 * of certificates. @throws DatabaseUrlError where a file cannot be read or used, with its name and never its content.
 */
export function tlsOptions(tls: PostgresTls): ConnectionOptions | false | undefined {
  if (tls.mode === 'unset') return undefined
  if (tls.mode === 'disable') return false
  const { rootCert, cert, key, passphrase } = tls
  const files = {
    ...(rootCert !== undefined && { ca: pem('sslrootcert', rootCert) }),
    ...(cert !== undefined && { cert: pem('sslcert', cert) }),
    ...(key !== undefined && { key: pem('sslkey', key) }),
    ...(passphrase !== undefined && { passphrase }),
  }
  try {
    createSecureContext(files)
  } catch (cause) {
    throw new DatabaseUrlError(
      'has certificates that cannot be used: sslkey must belong to sslcert, all three in PEM, with sslpassword where the key has one',
      { cause },
    )
  }
  return {
    ...files,
    rejectUnauthorized: tls.mode !== 'require',
    checkServerIdentity: tls.mode === 'verify-full' ? checkServerIdentity : () => undefined,
  }
}

function pem(parameter: string, path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN ')) return text
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    throw new DatabaseUrlError(`has ${parameter}=${path}, which cannot be read (${code})`, { cause })
  }
  throw new DatabaseUrlError(`has ${parameter}=${path}, which is no file in PEM`)
}
