import { domainToASCII, domainToUnicode } from 'node:url'
import { mailTime } from '../../base/index.ts'
import { field, phrase, textPart, unstructured } from './mime.ts'
import { plainAddress } from './sender.ts'
import { type Mailbox, MailRefused, type OutgoingMail } from './transport.ts'

/** Line breaks and control characters, including those of Unicode: they could end a header and begin another. */
const controls = /[\p{Cc}\u2028\u2029]+/gu

export const headerSafe = (text: string): string => text.replace(controls, ' ').trim()

/** A message as it goes over the wire, and its envelope. */
export interface ComposedMail {
  readonly source: Buffer
  /** The addresses for MAIL and RCPT, domains in ASCII. */
  readonly envelope: { readonly from: string; readonly to: string }
}

/**
 * Composes a message (RFC 5322, RFC 2045): a text and a page of the same content. The recipient's address is the stored one in the
 * header and in the envelope: no parser of addresses reads it, since such parsers have sent mails to other recipients (A27).
 * @param now its Date, in epoch milliseconds.
 * @throws MailRefused when the recipient is not one plain address.
 */
export function compose(mail: OutgoingMail, from: Mailbox, now: number): ComposedMail {
  if (!plainAddress.test(mail.to)) {
    throw new MailRefused('the recipient is not one plain address', { permanent: true })
  }
  const to = written(mail.to)
  const sender = written(from.address)
  const name = headerSafe(from.name)
  const parts = [textPart('plain', mail.text), textPart('html', mail.html)]
  const boundary = boundaryOf(mail.id, parts)
  const domain = domainToASCII(domainOf(from.address)) || 'localhost'
  const source = [
    field('X-Rekey-Template', unstructured(headerSafe(mail.template))),
    field('Content-Language', unstructured(headerSafe(mail.language))),
    // RFC 3834, section 5: suppresses vacation responders. The second header is for those that ignore the RFC.
    'Auto-Submitted: auto-generated\r\n',
    'X-Auto-Response-Suppress: All\r\n',
    field('From', name === '' ? sender : `${phrase(name)} <${sender}>`),
    field('To', to),
    field('Subject', unstructured(headerSafe(mail.subject))),
    `Message-ID: <${headerSafe(mail.id)}@${domain}>\r\n`,
    `Date: ${mailTime(now)}\r\n`,
    'MIME-Version: 1.0\r\n',
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n`,
    ...parts.map((part) => `--${boundary}\r\n${part}`),
    `--${boundary}--\r\n`,
  ].join('')
  return { source: Buffer.from(source), envelope: { from: sender, to } }
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)

/** RFC 5322, section 3.2.3, with the letters that RFC 6531 adds: what needs no quotes. */
const dotAtom = /^[\w!#$%&'*+\-/=?^`{|}~\x80-\uffff]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\x80-\uffff]+)*$/

/**
 * A plain address in the form of the same mailbox that goes over the wire: the domain in ASCII (RFC 5891) unless the local part
 * needs UTF-8 anyway (RFC 6531), a local part with unusual dots in quotes (RFC 5321, section 4.1.2).
 */
function written(address: string): string {
  const domain = domainOf(address)
  const local = address.slice(0, address.length - domain.length - 1)
  const host = /[^\0-\x7f]/.test(local) ? domainToUnicode(domain) : domainToASCII(domain)
  return `${dotAtom.test(local) ? local : `"${local}"`}@${host || domain}`
}

/** A line that is in none of the parts (RFC 2046, section 5.1.1). By the mail's id, so that composed again it is the same mail. */
function boundaryOf(id: string, parts: readonly string[]): string {
  const name = `rekey-${id.replace(/[^A-Za-z0-9]/g, '').slice(0, 40)}`
  for (let extra = 0; ; extra++) {
    const boundary = extra === 0 ? name : `${name}-${extra}`
    if (!parts.some((part) => part.includes(`--${boundary}`))) return boundary
  }
}
