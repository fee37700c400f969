import { domainToASCII } from 'node:url'
import type { MailMessage, SendMailOptions } from 'nodemailer'
import { plainAddress } from './sender.ts'
import { type Mailbox, MailRefused, type OutgoingMail } from './transport.ts'

/** Line breaks and control characters, including those of Unicode: they could end a header and begin another. */
const controls = /[\p{Cc}\u2028\u2029]+/gu

export const headerSafe = (text: string): string => text.replace(controls, ' ').trim()

/**
 * Composes the message for nodemailer. The recipient is passed as an object in the header and in the envelope, so that
 * no address parser reads it: such parsers have sent mails to other recipients.
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
      // RFC 3834, section 5: suppresses vacation responders. The second header is for those that ignore the RFC.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    // The content of a mail must not make this process read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)

/**
 * A plugin of nodemailer: compares the envelope with the stored address before anything is sent. Accepts only forms of
 * the same mailbox: the domain in ASCII (RFC 5891), a local part with unusual dots in quotes (RFC 5321, section 4.1.2).
 */
export function checkEnvelope(mail: MailMessage, done: (error?: Error | null) => void): void {
  const { to } = mail.data
  const address = typeof to === 'object' && 'address' in to ? String(to.address) : ''
  const recipients = [mail.message.getEnvelope().to].flat()
  const exact = recipients.length === 1 && sameMailbox(address).includes(String(recipients[0]))
  done(exact ? null : new MailRefused('the envelope would not name the stored address', { permanent: true }))
}

/** A message as it goes over the wire, and its envelope. */
export interface ComposedMail {
  readonly source: Buffer
  /** The addresses for MAIL and RCPT, domains in ASCII. */
  readonly envelope: { readonly from: string; readonly to: string }
}

/** Loads nodemailer, and returns what turns a composed message into bytes. */
export async function openComposer(): Promise<(message: SendMailOptions) => Promise<ComposedMail>> {
  const { default: nodemailer } = await import('nodemailer')
  const transporter = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  transporter.use('stream', checkEnvelope)
  return async (message) => {
    const { message: source, envelope } = await transporter.sendMail(message)
    if (!Buffer.isBuffer(source)) throw new Error('the composed mail is not in one piece')
    const { from, to } = envelope
    return { source, envelope: { from: from || '', to: to[0] ?? '' } }
  }
}

function sameMailbox(address: string): readonly string[] {
  const local = address.slice(0, address.lastIndexOf('@'))
  const domain = domainOf(address)
  return [domain, domainToASCII(domain)].flatMap((host) => [`${local}@${host}`, `"${local}"@${host}`])
}
