import { escapeHtml } from '../../base/index.ts'
import type { Kind } from './definitions.ts'

// Longer than real names, and too short to put a message of an attacker into a mail.
const longestName = 80

// Line breaks could forge lines in the text part; marks of direction and width could change how a text reads.
const lineEnds = /[\p{Cc}\p{Zl}\p{Zp}]+/gu
const invisible = /[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu

const oneLine = (value: string): string => value.replace(lineEnds, ' ').replace(invisible, '').trim()

/**
 * Changes a text so that no mail program turns it into a link. Mail programs link everything that resembles an address,
 * and an attacker can choose the name of an account. `evil.example/x` becomes `evil. example / x`.
 */
export function defuse(value: string): string {
  const letters = [...oneLine(value)]
  const short =
    letters.length > longestName ? `${letters.slice(0, longestName - 1).join('')}…` : letters.join('')
  return short
    .replace(/[\\/／⁄∕]+/gu, ' / ')
    .replace(/([:：@＠])(?=\S)/gu, '$1 ')
    .replace(/([.。．｡․])(?=[\p{L}\p{M}])/gu, '$1 ')
    .replace(/ {2,}/g, ' ')
    .trim()
}

const addressShape = /^[^\s@:\\/]{1,64}@[\p{L}\p{N}.-]{1,253}$/u
const ipShape = /^[\da-f.:]{2,45}$/i

/** The value as it is shown in a text, before escaping. */
function readable(kind: Kind, value: string): string {
  if (kind === 'name' || kind === 'client') return defuse(value)
  if (kind === 'email') return addressShape.test(value) ? oneLine(value) : defuse(value)
  if (kind === 'ip') return ipShape.test(value) ? value : defuse(value)
  return oneLine(value)
}

/** A complete address for a link. @throws if it is not a web address: an error of the calling code, nothing is sent. */
function link(name: string, value: string): string {
  const { protocol } = URL.parse(value) ?? { protocol: '' }
  if ((protocol === 'https:' || protocol === 'http:') && !/[\s"'<>\\]/.test(value)) return value
  throw new Error(`the value of \${${name}} is not an http or https address`)
}

/**
 * Renders the value of a variable into a mail.
 * @param place HTML or text, and whether the variable is part of an address: then the value is encoded as one part.
 */
export function renderValue(
  variable: { readonly name: string; readonly kind: Kind },
  value: string,
  place: { readonly html: boolean; readonly inAddress: boolean },
): string {
  const { name, kind } = variable
  if (kind === 'link') return place.html ? escapeHtml(link(name, value)) : link(name, value)
  if (place.inAddress) return encodeURIComponent(value)
  return place.html ? escapeHtml(readable(kind, value)) : readable(kind, value)
}
