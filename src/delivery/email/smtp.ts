import type nodemailer from 'nodemailer'
import { type Logger, silentLogger } from '../../base/index.ts'
import { checkEnvelope, compose } from './compose.ts'
import { type Mailbox, MailRefused, type Transport } from './transport.ts'

export interface SmtpOptions {
  /** `smtp://user:password@host:port` or `smtps://…`; `?requireTLS=true` insists on STARTTLS. */
  readonly url: string
  readonly from: Mailbox
  /** Open connections at most. */
  readonly connections?: number
  readonly log?: Logger
}

// A server that is silent for longer is as good as down; the outbox tries again.
const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }
// One that drips is cut off as well, within the worker's lease, or two workers would be sending at once.
const wholeMs = 45_000

/** Mail over SMTP (RFC 5321), on a pool of connections that stay open between mails. */
export function createSmtpTransport(options: SmtpOptions): Transport {
  const { url, from, connections = 5, log = silentLogger } = options
  let pool: Promise<ReturnType<typeof openPool>> | undefined

  // Loaded with the first mail: an engine that starts does not wait for it.
  const opened = () => {
    pool ??= import('nodemailer').then(({ default: mailer }) => openPool(mailer, url, connections))
    return pool
  }

  return {
    name: 'smtp',
    async send(mail) {
      const message = compose(mail, from)
      const transporter = await opened()
      await transporter.sendMail({ ...message, signal: AbortSignal.timeout(wholeMs) }).catch((error) => {
        log.debug({ err: error, mail: mail.id }, 'the mail server did not take a mail')
        throw refusal(error)
      })
    },
    async verify() {
      await (await opened()).verify()
    },
    async close() {
      if (pool !== undefined) (await pool).close()
      pool = undefined
    },
  }
}

function openPool(mailer: typeof nodemailer, url: string, maxConnections: number) {
  const transporter = mailer.createTransport({
    url,
    pool: true,
    maxConnections,
    // Repeating is the outbox's business, which knows until when a mail is worth sending.
    maxRequeues: 0,
    ...timeouts,
  })
  transporter.use('stream', checkEnvelope)
  return transporter
}

/** Which answers are final: 5xx to the recipient or the message. Whatever an operator can mend is tried again. */
function refusal(error: unknown): MailRefused {
  if (error instanceof MailRefused) return error
  const {
    responseCode = 0,
    command = '',
    message = '',
  } = error as {
    responseCode?: number
    command?: string
    message?: string
  }
  const permanent = responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA')
  return new MailRefused(message, { permanent, cause: error })
}
