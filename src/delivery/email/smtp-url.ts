import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'

const encoded = 'characters such as / ? # @ : in a password must be written as %2F %3F %23 %40 %3A'

/** The mail server that a URL names. */
export interface SmtpTarget {
  readonly host: string
  readonly port: number
  /** `smtps:`: TLS from the first byte. */
  readonly implicitTls: boolean
  readonly user: string
  readonly password: string
  /** `?name=`: the name for EHLO. */
  readonly name: string | undefined
  /** `?requireTLS=true`: TLS on loopback too. */
  readonly requireTls: boolean
}

const forms = 'smtp://user:password@host:587 or smtps://user:password@host:465'

/**
 * What is wrong with the address of a mail server, as the end of a sentence that begins with the name of the option;
 * undefined if nothing is. Contains nothing of the address, which may hold a password.
 */
export function smtpUrlProblem(text: string): string | undefined {
  try {
    parseSmtpUrl(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * Reads the address of a mail server: `smtp://` (port 587 by default) or `smtps://` (465), user and password
 * percent-encoded, `?name=` and `?requireTLS=true`.
 * @throws Error that names the accepted forms and repeats nothing of the URL: it may contain a password.
 */
export function parseSmtpUrl(text: string): SmtpTarget {
  if (text.trim() === '') throw new Error(`is blank: it must be ${forms}`)
  if (/^["'`]|["'`]$/.test(text)) throw new Error(`has quotes around it; it must be ${forms}`)
  if (!/^smtps?:\/\//i.test(text)) throw new Error(`must be ${forms}`)
  const url = URL.parse(text)
  if (url === null) throw new Error(`has a host or a port that is none; it must be ${forms}; ${encoded}`)
  const { protocol, hostname, port, username, password, pathname, searchParams, hash } = url
  const host = decoded(hostname.replace(/^\[(.*)\]$/, '$1'))
  if (!isHost(host) || port === '0') throw new Error(`names no host; it must be ${forms}`)
  if ((pathname !== '' && pathname !== '/') || hash !== '')
    throw new Error(`has something behind the host; ${encoded}`)
  if (username === '' && password !== '') throw new Error(`has a password and no user; it must be ${forms}`)
  for (const name of searchParams.keys()) {
    if (name === 'name' || name === 'requireTLS') continue
    const instead = /tls/i.test(name) ? '; mail.insecurePlainSmtp allows mails without TLS' : ''
    // Part of a password, perhaps, with a character that is not encoded: then it is not repeated.
    const found = /^[a-z]{3,40}$/i.test(name)
      ? `the parameter ${name}, which does nothing`
      : 'a parameter that does nothing'
    throw new Error(`has ${found}; there are name and requireTLS alone${instead}; ${encoded}`)
  }
  const requireTls = searchParams.get('requireTLS')
  if (requireTls !== null && requireTls !== 'true')
    throw new Error(
      'has requireTLS with another value than true; mail.insecurePlainSmtp allows mails without TLS',
    )
  const name = searchParams.get('name')
  if (name !== null && !isHeloName(name))
    throw new Error('has a name that is neither a host name nor an address in brackets')
  const implicitTls = protocol === 'smtps:'
  return {
    host,
    port: port === '' ? (implicitTls ? 465 : 587) : Number(port),
    implicitTls,
    user: decoded(username),
    password: decoded(password),
    name: name ?? undefined,
    requireTls: requireTls === 'true',
  }
}

const isHost = (host: string): boolean => isIP(host) !== 0 || /^[\p{L}\p{N}_.-]+$/u.test(host)

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('has a % that is not followed by two hexadecimal digits; % itself is %25')
  }
}

/** Whether a text may follow EHLO (RFC 5321, section 4.1.1.1): a host name, or an address literal. */
export const isHeloName = (text: string): boolean =>
  /^(?=.{1,255}$)[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/i.test(text) ||
  /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[\da-f:.]+)\]$/i.test(text)

/**
 * The name for EHLO: the first of the candidates that is a name of the Internet, such as the issuer's host or the
 * sender's domain. Relays answer 421 to `[127.0.0.1]`, which is what a container's host name becomes (report 15).
 */
export function heloNameFrom(candidates: readonly (string | undefined)[]): string {
  const names = candidates.flatMap((candidate) => domainToASCII(candidate ?? '') || [])
  const proper = names.find((name) => name.includes('.') && !isIP(name) && isHeloName(name))
  return proper ?? names.find((name) => !isIP(name) && isHeloName(name)) ?? 'localhost'
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether a connection to this network address stays on this machine. Decided by the address that was connected to, never by a name. */
export function isLoopback(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
