import {
  didYouMean,
  isoTime,
  ProtocolError,
  parseDuration,
  parseTime,
  unknownName,
} from '../../base/index.ts'
import { type Channel, channels } from '../../delivery/index.ts'
import { personStatuses } from '../../directory/index.ts'
import { scopes as knownScopes } from '../../oidc/index.ts'
import type { TypedFactor } from '../environment/factors.ts'
import type { NewPerson, PathFault, PersonChanges, SignInRequest } from './port.ts'
import type { SmtpFault } from './smtp-sink.ts'

/**
 * Parses HTTP requests. Written by hand: a schema compiler would take several times as long to start as the rest of the
 * testing kit, for five small bodies. Every function throws a ProtocolError 400 with the name of the member.
 */

export const badRequest = (description: string): ProtocolError =>
  new ProtocolError(400, 'bad_request', description)

/** The members of a JSON object. Unknown members are refused, so that mistyped names are noticed. */
function membersOf<Name extends string>(
  body: unknown,
  names: readonly Name[],
): Partial<Record<Name, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('the body must be a JSON object')
  }
  const unknown = unknownName(body, names)
  if (unknown !== undefined) throw badRequest(unknown)
  return body as Partial<Record<Name, unknown>>
}

function textOf(value: unknown, name: string): string {
  // NUL is valid in JSON, but PostgreSQL refuses it.
  if (typeof value !== 'string' || value.length > 1024 || value.includes('\0')) {
    throw badRequest(`${name} must be a text of at most 1024 characters`)
  }
  return value
}

function wholeNumber(value: unknown, name: string, from: number, to: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < from || value > to) {
    throw badRequest(`${name} must be a whole number from ${from} to ${to}`)
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

/** The members of a user: texts, and a status. */
function personOf<Name extends string>(body: unknown, names: readonly Name[]) {
  const { status: name, ...texts } = textsOf(body, [...names, 'status'])
  if (name === undefined) return texts
  const status = personStatuses.find((known) => known === name)
  if (status === undefined) throw badRequest(`status must be one of ${personStatuses.join(', ')}`)
  return { ...texts, status }
}

const changeable = ['email', 'password', 'firstName', 'lastName', 'locale'] as const

export function readNewPerson(body: unknown): NewPerson {
  const known = ['login', ...changeable, 'status', 'emailVerified', 'phone', 'factors'] as const
  const { emailVerified, phone, factors, ...members } = membersOf(body, known)
  if (factors !== undefined && !(Array.isArray(factors) && factors.every((one) => isTyped(one))))
    throw badRequest('factors must be a list of objects with a type, such as {"type":"google_otp"}')
  if (emailVerified !== undefined && typeof emailVerified !== 'boolean')
    throw badRequest('emailVerified must be true or false')
  const { login, ...others } = personOf(members, ['login', ...changeable])
  if (!login) throw badRequest('login is needed: the name the user signs in with')
  return {
    login,
    ...others,
    ...(emailVerified !== undefined && { emailVerified }),
    ...(phone !== undefined && { phone: textOf(phone, 'phone') }),
    ...(factors !== undefined && { factors: factors as readonly TypedFactor[] }),
  }
}

const isTyped = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as { readonly type?: unknown }).type === 'string'

/** What to enrol: its type, and what that needs, which is read where it is enrolled. */
export function readFactor(body: unknown): TypedFactor {
  if (!isTyped(body)) throw badRequest('type is needed: the key of an authenticator, such as google_otp')
  return body as TypedFactor
}

/** Runs what enrols a factor: what cannot be enrolled is refused with its reason, as every other member of a body is. */
export async function refusing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof TypeError && error.message.startsWith('factors.'))) throw error
    throw badRequest(error.message.replace(/^factors\.enroll: /, ''))
  }
}

export function readPersonChanges(body: unknown): PersonChanges {
  const changes = personOf(body, changeable)
  if (Object.keys(changes).length === 0) {
    throw badRequest(`nothing to change; known are ${changeable.join(', ')}, status`)
  }
  return changes
}

/** The user to sign in, and the client. */
export function readSignIn(body: unknown): SignInRequest & { readonly login: string } {
  const { login, client, scopes, server } = membersOf(body, ['login', 'client', 'scopes', 'server'])
  if (server !== undefined && server !== 'default' && server !== 'org') {
    throw badRequest('server must be one of default, org')
  }
  if (scopes !== undefined && !Array.isArray(scopes)) throw badRequest('scopes must be a list of texts')
  const foreign = scopes?.find((scope) => !(knownScopes as readonly unknown[]).includes(scope))
  if (foreign !== undefined) {
    const name = String(foreign).slice(0, 40)
    throw badRequest(
      `scopes: ${JSON.stringify(name)} is not a scope${didYouMean(name, knownScopes)}; known are ${knownScopes.join(', ')}`,
    )
  }
  if (login === undefined) throw badRequest('login is needed: the name the user signs in with')
  return {
    login: textOf(login, 'login'),
    ...(client !== undefined && { client: textOf(client, 'client') }),
    ...(scopes !== undefined && { scopes: scopes.map((scope) => textOf(scope, 'scopes')) }),
    ...(server !== undefined && { server }),
  }
}

const latest = parseTime('9999-12-31T23:59:59Z') ?? 0

/** The requested move of the clock. `now` is its current time in epoch milliseconds. */
export function readClockMove(
  body: unknown,
  now: number,
): { readonly advance: number } | { readonly set: number } {
  const { advance, now: target } = membersOf(body, ['advance', 'now'])
  if ((advance === undefined) === (target === undefined)) {
    throw badRequest('the body must be {"advance":"5m"} or {"now":"2030-01-31T12:00:00Z"}')
  }
  if (advance !== undefined) {
    const span = parseDuration(textOf(advance, 'advance'))
    if (span === undefined || span < 0 || now + span > latest) {
      throw badRequest('advance must be a duration such as 500ms, 90s, 5m, 1h30m or 2d')
    }
    return { advance: Math.round(span) }
  }
  const text = textOf(target, 'now')
  // A time without a zone would depend on the time zone of the machine.
  const at = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? parseTime(text) : undefined
  if (at === undefined || at < 0 || at > latest) {
    throw badRequest(`now must be an ISO time with its zone, such as ${isoTime(0)}`)
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
    throw badRequest('the body must be {"path":"/idp/idx/identify","status":503} or {"smtp":"refuse"}')
  }
  if (path !== undefined) {
    if (!/^\/[^?#]*$/.test(textOf(path, 'path'))) throw badRequest('path must begin with / and have no query')
    return { path: textOf(path, 'path'), status: wholeNumber(status, 'status', 400, 599), times }
  }
  const kind = smtpFaults.find((known) => known === smtp)
  if (kind === undefined) throw badRequest(`smtp must be one of ${smtpFaults.join(', ')}`)
  if (kind !== 'slow') return { smtp: kind, times }
  const delayMs = parseDuration(textOf(delay ?? '2s', 'delay'))
  if (delayMs === undefined || delayMs < 0 || delayMs > 60_000) {
    throw badRequest('delay must be a duration of at most 60s')
  }
  return { smtp: kind, times, delayMs }
}

/** Refuses members in the body of a call that takes none. */
export const readNothing = (body: unknown): unknown => membersOf(body ?? {}, [])

/** Refuses query parameters that a call does not have: a mistyped one would be ignored, and all answered. */
export function checkQuery(query: unknown, names: readonly string[]): void {
  const unknown = unknownName(query as object, names, 'parameter')
  if (unknown !== undefined) throw badRequest(unknown)
}

/** A query parameter. Refused if it is given twice, because it would be ambiguous. */
export function readParameter(query: unknown, name: string): string | undefined {
  const value = (query as Record<string, unknown>)[name]
  if (value === undefined) return undefined
  const text = textOf(value, name).trim()
  if (text === '') throw badRequest(`${name} is empty`)
  return text
}

export function readChannel(query: unknown): Channel | undefined {
  const text = readParameter(query, 'channel')
  const channel = channels.find((one) => one === text)
  if (text !== undefined && channel === undefined)
    throw badRequest(`channel is one of ${channels.join(', ')}`)
  return channel
}

const longestWaitMs = 60_000

export function readTimeout(query: unknown): number {
  const text = readParameter(query, 'timeout') ?? '5000'
  if (!/^\d{1,6}$/.test(text) || Number(text) > longestWaitMs) {
    throw badRequest(`timeout is a number of milliseconds from 0 to ${longestWaitMs}`)
  }
  return Number(text)
}

/** The id in a path. A text that is not a valid id is answered as not found. */
export function readId(parameters: unknown): string {
  const { id } = parameters as { readonly id: string }
  if (!/^[\w-]{1,64}$/.test(id)) throw notFound('there is nothing with this id')
  return id
}

export const notFound = (description: string): ProtocolError =>
  new ProtocolError(404, 'not_found', description)
