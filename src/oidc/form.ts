import { isObject } from '../base/index.ts'
import { invalidRequest } from './errors.ts'

/** The parameters of a request: each name once, each value of limited length and without control characters. */
export type Form = ReadonlyMap<string, string>

const maxLength = 4096
/**
 * Tokens are as long as the engine makes them: that of a user in 250 groups has 25 kB, and 100 kB where their names are as
 * long as names may be (report 3). An address holds 64 kB; a body of these endpoints holds all of it (`tokenBodyLimit`).
 */
const maxTokenLength = 250_000
/** How large a body with a token may be, in bytes. */
export const tokenBodyLimit = 256 * 1024
const tokens = new Set(['id_token_hint', 'token', 'access_token'])

/**
 * Reads form-urlencoded text or a query. A parameter that is given twice is refused (A22, RFC 6749 section 3.1): where
 * two readers pick different ones, a request is checked for one client and executed for another.
 */
export function readForm(text: string): Form {
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) addParameter(form, name, value)
  return form
}

/**
 * The same of an object in JSON, as Okta's documentation pushes a request: texts and numbers alone, held to what a form is held to (A47, A72).
 *
 * @throws ProtocolError where it is anything else
 */
export function readJsonForm(text: string): Form {
  const members = parsed(text)
  if (!isObject(members)) throw invalidRequest('The request body must be a JSON object.')
  // `JSON.parse` takes the last of two members with one name, where another reader may take the first.
  const names = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, isName]) => isName !== undefined)
  const form = new Map<string, string>()
  for (const [name, value] of Object.entries(members)) {
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw invalidRequest('The parameters of the request must be texts.')
    }
    addParameter(form, name, String(value))
  }
  if (names.length !== form.size) throw invalidRequest('A parameter must not be given more than once.')
  return form
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidRequest('The request body is not JSON.')
  }
}

function addParameter(form: Map<string, string>, name: string, value: string): void {
  // The name is repeated only where it is a plain word: the description may be displayed, markup included.
  const shown = /^\w{1,40}$/.test(name) ? `'${name}' ` : ''
  if (form.has(name)) throw invalidRequest(`The ${shown}parameter must not be given more than once.`)
  if (value.length > (tokens.has(name) ? maxTokenLength : maxLength))
    throw invalidRequest(`The ${shown}parameter is too long.`)
  // URLSearchParams decodes bytes that are not UTF-8 as U+FFFD.
  if (/\p{Cc}|\uFFFD/u.test(value)) {
    throw invalidRequest(`The ${shown}parameter has characters that are not allowed.`)
  }
  form.set(name, value)
}

/** A required parameter. */
export function required(form: Form, name: string): string {
  const value = form.get(name)
  if (value === undefined || value === '') throw invalidRequest(`The '${name}' parameter is required.`)
  return value
}

/** An optional parameter; an empty one counts as absent (RFC 6749, section 3.1). */
export const optional = (form: Form, name: string): string | undefined => form.get(name) || undefined
