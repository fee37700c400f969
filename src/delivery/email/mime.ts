// The few parts of MIME that our mails have: fields of a header, and the bodies of a text and a page. A library that composes
// every kind of message costs several times as much, and reads addresses anew, which has sent mails to other recipients (A27).

const eol = '\r\n'
/** RFC 5322, section 2.1.1: what a line should have at most, without its end. */
const longestLine = 76
/** RFC 5322, section 2.1.1: what a line must not exceed is 998; servers in between may add to it. */
const longestPlainLine = 900

/** Printable ASCII, which stands in a field as it is. */
const isPrintable = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

/**
 * A field of a header, folded (RFC 5322, section 2.2.3), with its end. The value must be one line without control characters,
 * which would begin another field.
 */
export function field(name: string, value: string): string {
  if (name.length + 2 + value.length <= longestLine) return `${name}: ${value}${eol}`
  let text = `${name}:`
  let length = text.length
  for (const word of value.split(' ')) {
    // A line of nothing but spaces would end the header for some readers.
    const folds = length + 1 + word.length > longestLine && length > 1 && word !== ''
    text += folds ? `${eol} ${word}` : ` ${word}`
    length = folds ? 1 + word.length : length + 1 + word.length
  }
  return text + eol
}

/** Text of a field without structure, such as a subject: encoded words where it is not plain ASCII (RFC 2047). */
export const unstructured = (text: string): string =>
  // What reads like an encoded word would be decoded.
  isPrintable(text) && !text.includes('=?') && !hasLongWord(text) ? text : encodedWords(text)

const hasLongWord = (text: string): boolean => text.length > longestLine && /\S{70}/.test(text)

/** The display name of a mailbox (RFC 5322, section 3.2.4; RFC 2047, section 5). */
export function phrase(name: string): string {
  if (!isPrintable(name) || name.includes('=?') || hasLongWord(name)) return encodedWords(name)
  return /^[\w ]*$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
}

/**
 * RFC 2047, sections 2 and 5: an encoded word has at most 75 characters, and no part of one of the text. With so many bytes it
 * stands on one line with the field's name.
 */
const bytesOfWord = 39

function encodedWords(text: string): string {
  const words: string[] = []
  let part = ''
  let bytes = 0
  for (const character of text) {
    const size = Buffer.byteLength(character)
    if (bytes + size > bytesOfWord) {
      words.push(part)
      part = ''
      bytes = 0
    }
    part += character
    bytes += size
  }
  words.push(part)
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ')
}

/** A body with the fields that describe it; its lines end with CRLF, the last one included. */
export function textPart(subtype: 'plain' | 'html', text: string): string {
  const lines = text.replace(/\r\n?/g, '\n')
  const [encoding, body] = encoded(lines)
  return `Content-Type: text/${subtype}; charset=utf-8${eol}Content-Transfer-Encoding: ${encoding}${eol}${eol}${body}${eol}`
}

/** Whether there is a line that a server may cut. */
function hasLongLine(text: string): boolean {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from)
    if ((end < 0 ? text.length : end) - from > longestPlainLine) return true
    if (end < 0) return false
    from = end + 1
  }
  return false
}

function encoded(text: string): readonly [encoding: string, body: string] {
  if (!/[^\t\n\x20-\x7e]/.test(text) && !hasLongLine(text)) return ['7bit', text.replaceAll('\n', eol)]
  const foreign = text.match(/[^\0-\u024f]/g)?.length ?? 0
  // Three times as long in quoted-printable.
  if (foreign > text.length / 6) return ['base64', base64(text.replaceAll('\n', eol))]
  return ['quoted-printable', text.split('\n').map(quotedPrintable).join(eol)]
}

const base64 = (text: string): string =>
  Buffer.from(text)
    .toString('base64')
    .replace(/.{76}(?=.)/g, `$&${eol}`)

const hex = Array.from({ length: 256 }, (_, byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)

/** A line in quoted-printable (RFC 2045, section 6.7). */
function quotedPrintable(line: string): string {
  const quoted = Buffer.from(line)
    .toString('latin1')
    .replace(/[^\t\x20-\x3c\x3e-\x7e]|[\t ]$/g, (byte) => hex[byte.charCodeAt(0)] ?? '')
  if (quoted.length <= longestLine) return quoted
  let result = ''
  let from = 0
  while (quoted.length - from > longestLine) {
    let to = from + longestLine - 1
    // Not within the three characters of a byte.
    const sign = quoted.lastIndexOf('=', to - 1)
    if (sign > to - 3) to = sign
    result += `${quoted.slice(from, to)}=${eol}`
    from = to
  }
  return result + quoted.slice(from)
}
