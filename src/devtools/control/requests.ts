import { isoTime, ProtocolError, parseDuration, parseTime } from '../../base/index.ts'
import { personStatuses } from '../../directory/index.ts'
import type { NewPerson, PathFault, PersonChanges, SignInRequest } from './port.ts'
import type { SmtpFault } from './smtp-sink.ts'

/**
 * Reads what came in over HTTP. Written by hand: a schema compiler takes several times as long to start as the
 * rest of the testing kit, for five small bodies. Every function throws a ProtocolError 400 that names the member.
 */

export const badRequest = (description: string): ProtocolError =>
  new ProtocolError(400, 'bad_request', description)

/** The members of a JSON object, none but those that are known: a misspelt name must not go unnoticed. */
function membersOf<Name extends string>(
  body: unknown,
  names: readonly Name[],
): Partial<Record<Name, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('the body is a JSON object')
  }
  for (const name of Object.keys(body)) {
    if (!names.some((known) => known === name)) {
      throw badRequest(
        `${JSON.stringify(name.slice(0, 40))} is not known here; known are ${names.join(', ')}`,
      )
    }
  }
  return body as Partial<Record<Name, unknown>>
}

function textOf(value: unknown, name: string): string {
  // NUL is legal in JSON, and a database refuses it with an error of its own.
  if (typeof value !== 'string' || value.length > 1024 || value.includes('\0')) {
    throw badRequest(`${name} is a text of at most 1024 characters`)
  }
  return value
}

function wholeNumber(value: unknown, name: string, from: number, to: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < from || value > to) {
    throw badRequest(`${name} is a whole number from ${from} to ${to}`)
  }
  return value
}

function textsOf<Name extends string>(body: unknown, names: readonly Name[]): Partial<Record<Name, string>> {
  const members = membersOf(body, names)
  const texts: Partial<Record<Name, string>> = {}
  for (const name of names) {
    if (members[name] !== undefined) texts[name] = textOf(members[name], name)
  }
  return texts
}

/** Texts, but for the status, which is one of the lifecycle's. */
function personOf<Name extends string>(body: unknown, names: readonly Name[]) {
  const { status: name, ...texts } = textsOf(body, [...names, 'status'])
  if (name === undefined) return texts
  const status = personStatuses.find((known) => known === name)
  if (status === undefined) throw badRequest(`status is one of ${personStatuses.join(', ')}`)
  return { ...texts, status }
}

const changeable = ['email', 'password', 'firstName', 'lastName', 'locale'] as const

export function readNewPerson(body: unknown): NewPerson {
  const { login, ...others } = personOf(body, ['login', ...changeable])
  if (!login) throw badRequest('login is needed: the name the person signs in with')
  return { login, ...others }
}

export function readPersonChanges(body: unknown): PersonChanges {
  const changes = personOf(body, changeable)
  if (Object.keys(changes).length === 0) {
    throw badRequest(`nothing to change; known are ${changeable.join(', ')}, status`)
  }
  return changes
}

/** Who is to be signed in, and to what. */
export function readSignIn(body: unknown): SignInRequest & { readonly login: string } {
  const { login, client, scopes, server } = membersOf(body, ['login', 'client', 'scopes', 'server'])
  if (server !== undefined && server !== 'default' && server !== 'org') {
    throw badRequest('server is one of default, org')
  }
  if (scopes !== undefined && !Array.isArray(scopes)) throw badRequest('scopes is a list of texts')
  if (login === undefined) throw badRequest('login is needed: the name the person signs in with')
  return {
    login: textOf(login, 'login'),
    ...(client !== undefined && { client: textOf(client, 'client') }),
    ...(scopes !== undefined && { scopes: scopes.map((scope) => textOf(scope, 'scopes')) }),
    ...(server !== undefined && { server }),
  }
}

const latest = parseTime('9999-12-31T23:59:59Z') ?? 0

/** Where the clock is to stand, in epoch milliseconds; `now` is where it stands. */
export function readClockMove(
  body: unknown,
  now: number,
): { readonly advance: number } | { readonly set: number } {
  const { advance, now: target } = membersOf(body, ['advance', 'now'])
  if ((advance === undefined) === (target === undefined)) {
    throw badRequest('either {"advance":"5m"} or {"now":"2030-01-31T12:00:00Z"}')
  }
  if (advance !== undefined) {
    const span = parseDuration(textOf(advance, 'advance'))
    if (span === undefined || span < 0 || now + span > latest) {
      throw badRequest('advance is a span such as 500ms, 90s, 5m, 1h30m or 2d')
    }
    return { advance: Math.round(span) }
  }
  const text = textOf(target, 'now')
  // A time without a zone would mean another moment on every machine.
  const at = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? parseTime(text) : undefined
  if (at === undefined || at < 0 || at > latest) {
    throw badRequest(`now is an ISO time with its zone, such as ${isoTime(0)}`)
  }
  return { set: at }
}

const smtpFaults = ['refuse', 'drop', 'slow'] as const

export function readFault(body: unknown): PathFault | Required<SmtpFault> {
  const {
    path,
    status = 503,
    smtp,
    delay,
    times: count = 1,
  } = membersOf(body, ['path', 'status', 'smtp', 'delay', 'times'])
  const times = wholeNumber(count, 'times', 1, 1000)
  if ((path === undefined) === (smtp === undefined)) {
    throw badRequest('either {"path":"/idp/idx/identify","status":503} or {"smtp":"refuse"}')
  }
  if (path !== undefined) {
    if (!/^\/[^?#]*$/.test(textOf(path, 'path'))) throw badRequest('path begins with / and has no query')
    return { path: textOf(path, 'path'), status: wholeNumber(status, 'status', 400, 599), times }
  }
  const kind = smtpFaults.find((known) => known === smtp)
  if (kind === undefined) throw badRequest(`smtp is one of ${smtpFaults.join(', ')}`)
  if (kind !== 'slow') return { smtp: kind, times }
  const delayMs = parseDuration(textOf(delay ?? '2s', 'delay'))
  if (delayMs === undefined || delayMs < 0 || delayMs > 60_000) {
    throw badRequest('delay is a span of at most 60s')
  }
  return { smtp: kind, times, delayMs }
}

/** A parameter of the query; given twice it is refused, because nobody can tell which one counts. */
export function readParameter(query: unknown, name: string): string | undefined {
  const value = (query as Record<string, unknown>)[name]
  if (value === undefined) return undefined
  const text = textOf(value, name).trim()
  if (text === '') throw badRequest(`${name} is empty`)
  return text
}

const longestWaitMs = 60_000

export function readTimeout(query: unknown): number {
  const text = readParameter(query, 'timeout') ?? '5000'
  if (!/^\d{1,6}$/.test(text) || Number(text) > longestWaitMs) {
    throw badRequest(`timeout is a number of milliseconds from 0 to ${longestWaitMs}`)
  }
  return Number(text)
}

/** An id as it stands in a path. What no id looks like is simply not there. */
export function readId(parameters: unknown): string {
  const { id } = parameters as { readonly id: string }
  if (!/^[\w-]{1,64}$/.test(id)) throw notFound('nothing here has this id')
  return id
}

export const notFound = (description: string): ProtocolError =>
  new ProtocolError(404, 'not_found', description)
