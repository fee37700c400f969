import { domainToASCII } from 'node:url'
import type { MailMessage, SendMailOptions } from 'nodemailer'
import { type Mailbox, MailRefused, type OutgoingMail } from './transport.ts'

/** Line ends and control characters, also those of Unicode: what could end a header and begin another. */
const controls = /[\p{Cc}\u2028\u2029]+/gu

export const headerSafe = (text: string): string => text.replace(controls, ' ').trim()

// One `@`, nothing invisible, nothing that a parser of address lists could take for a quote, a comment, a group or a
// second address.
const plainAddress = /^[^\s\p{C}@"(),:;<>[\\\]]+@[^\s\p{C}@"(),:;<>[\\\]]+$/u

/**
 * The message as nodemailer takes it. The one recipient is handed over as an object, in the header and in the
 * envelope, so no address parser ever reads it: parsers that did have mailed to strangers.
 * @throws MailRefused when the recipient is not one plain address.
 */
export function compose(mail: OutgoingMail, from: Mailbox): SendMailOptions {
  if (!plainAddress.test(mail.to)) {
    throw new MailRefused('the recipient is not one plain address', { permanent: true })
  }
  const to = { address: mail.to, name: '' }
  const sender = { address: from.address, name: headerSafe(from.name) }
  return {
    from: sender,
    to,
    envelope: { from: { address: from.address, name: '' }, to },
    subject: headerSafe(mail.subject),
    text: mail.text,
    html: mail.html,
    messageId: `<${mail.id}@${domainToASCII(domainOf(from.address)) || 'localhost'}>`,
    headers: {
      'X-Rekey-Template': headerSafe(mail.template),
      'Content-Language': headerSafe(mail.language),
      // RFC 3834, section 5: vacation responders stay silent. The second is for those that know no RFC.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    // Nothing in a mail may make this process read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)

/**
 * A step of nodemailer's own: compares the envelope that it made with the stored address, before a byte is sent. Only
 * forms that mean the same mailbox on the wire pass: the domain in ASCII (RFC 5891), a local part with odd dots in
 * quotes (RFC 5321, section 4.1.2).
 */
export function checkEnvelope(mail: MailMessage, done: (error?: Error | null) => void): void {
  const { to } = mail.data
  const address = typeof to === 'object' && 'address' in to ? String(to.address) : ''
  const recipients = [mail.message.getEnvelope().to].flat()
  const exact = recipients.length === 1 && sameMailbox(address).includes(String(recipients[0]))
  done(exact ? null : new MailRefused('the envelope would not name the stored address', { permanent: true }))
}

function sameMailbox(address: string): readonly string[] {
  const local = address.slice(0, address.lastIndexOf('@'))
  const domain = domainOf(address)
  return [domain, domainToASCII(domain)].flatMap((host) => [`${local}@${host}`, `"${local}"@${host}`])
}
