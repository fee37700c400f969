import { invalidRequest } from './errors.ts'

/** The parameters of a request: each name once, each value a text of a sensible length without control characters. */
export type Form = ReadonlyMap<string, string>

const maxLength = 4096

/**
 * Reads form-urlencoded text or a query. A parameter given twice is refused (RFC 6749, section 3.1): two readers that
 * pick different ones are how one client's request becomes another's.
 */
export function readForm(text: string): Form {
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    // The name is repeated only where it is a plain one: the description is shown to people.
    const shown = /^\w{1,40}$/.test(name) ? `'${name}' ` : ''
    if (form.has(name)) throw invalidRequest(`The ${shown}parameter must not be given more than once.`)
    if (value.length > maxLength) throw invalidRequest(`The ${shown}parameter is too long.`)
    // U+FFFD stands where the bytes were not UTF-8.
    if (/\p{Cc}|\uFFFD/u.test(value)) {
      throw invalidRequest(`The ${shown}parameter has characters that are not allowed.`)
    }
    form.set(name, value)
  }
  return form
}

/** Parameters that another reader has taken apart. */
export const formOf = (parameters: Readonly<Record<string, unknown>>): Form =>
  new Map(
    Object.entries(parameters).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )

/** A parameter that must be there. */
export function required(form: Form, name: string): string {
  const value = form.get(name)
  if (value === undefined || value === '') throw invalidRequest(`The '${name}' parameter is required.`)
  return value
}

/** A parameter that may be absent; an empty one counts as absent (RFC 6749, section 3.1). */
export const optional = (form: Form, name: string): string | undefined => form.get(name) || undefined
