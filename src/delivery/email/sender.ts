import type { Mailbox } from './transport.ts'

/** The accepted forms, for messages. */
export const senderForms =
  'must be an address such as no-reply@example.com, or Example <no-reply@example.com>'

/** As `compose` wants an address: one `@`, no invisible characters, none that a parser of address lists reads as a sign. */
export const plainAddress = /^[^\s\p{C}@"(),:;<>[\\\]]+@[^\s\p{C}@"(),:;<>[\\\]]+$/u
/** RFC 5322, section 3.4: a display name, in quotes or not, and the address in angle brackets. */
const named = /^(?:"((?:[^"\\]|\\.)*)"|([^"<>]*?))\s*<([^<>]*)>$/su

/**
 * Reads the sender of mails: an address, or the usual form with a name (RFC 5322, section 3.4). The name is empty where
 * there is none. Undefined for anything else: as the envelope's sender it would be refused with every mail.
 */
export function parseSender(text: string): Mailbox | undefined {
  const trimmed = text.trim()
  if (isAddress(trimmed)) return { address: trimmed, name: '' }
  const [, quoted, plain, inner = ''] = named.exec(trimmed) ?? []
  const name = (quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1')).trim()
  // No control characters: a line break would begin another header.
  return isAddress(inner.trim()) && isSenderName(name) ? { address: inner.trim(), name } : undefined
}

const isAddress = (text: string): boolean =>
  text.length <= 254 && plainAddress.test(text) && text.indexOf('@') <= 64 && !/@[.-]|[.-]$|\.\./.test(text)

/** Whether a text can be the display name of a sender: one line of at most 200 characters. */
export const isSenderName = (text: string): boolean =>
  text.length <= 200 && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text)
