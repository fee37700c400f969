import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import type { Mailbox } from './transport.ts'

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

const forms = 'smtp://HOST:PORT, smtp://USER:PASSWORD@HOST:PORT or smtps://…'

/**
 * Reads the address of a mail server: `smtp://` (port 587 by default) or `smtps://` (465), user and password
 * percent-encoded, `?name=` and `?requireTLS=true`.
 * @throws Error that names the accepted forms and repeats nothing of the URL: it may contain a password.
 */
export function parseSmtpUrl(text: string): SmtpTarget {
  const url = URL.parse(text)
  if (url === null) throw new Error(`must be ${forms}`)
  const { protocol, hostname, port, username, password, pathname, searchParams, hash } = url
  if (protocol !== 'smtp:' && protocol !== 'smtps:') throw new Error(`must be ${forms}`)
  const host = decoded(hostname.replace(/^\[(.*)\]$/, '$1'))
  if (host === '') throw new Error(`names no host: must be ${forms}`)
  if ((pathname !== '' && pathname !== '/') || hash !== '')
    throw new Error(
      `has something behind the port: write / ? # and @ of a password as %2F %3F %23 and %40; must be ${forms}`,
    )
  for (const name of searchParams.keys()) {
    if (name === 'name' || name === 'requireTLS') continue
    const instead = /tls/i.test(name) ? '; mail.insecurePlainSmtp allows mails without TLS' : ''
    throw new Error(`has the parameter "${name}"; there are name and requireTLS alone${instead}`)
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

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('has a % that begins no percent-encoded character; write % itself as %25')
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

/**
 * Reads a sender: `no-reply@acme.example`, or with a display name, `Acme <no-reply@acme.example>` or
 * `"Acme, Inc." <no-reply@acme.example>`. The name is empty where there is none. Undefined for anything else.
 */
export function parseMailbox(text: string): Mailbox | undefined {
  const [, quoted, plain, inBrackets] =
    /^\s*(?:"((?:[^"\\]|\\.)*)"|([^"<>]*?))\s*<([^<>]*)>\s*$/s.exec(text) ?? []
  const address = (inBrackets ?? text).trim()
  const name = (quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '').trim()
  if (!plainAddress.test(address) || /\p{Cc}/u.test(name)) return undefined
  return { address, name }
}

/** One `@`, no invisible characters, and none that a parser of address lists could read as a quote, a comment, a group or a second address. */
export const plainAddress = /^[^\s\p{C}@"(),:;<>[\\\]]+@[^\s\p{C}@"(),:;<>[\\\]]+$/u
