import type nodemailer from 'nodemailer'
import { type Logger, silentLogger } from '../../base/index.ts'
import { checkEnvelope, compose } from './compose.ts'
import { type Mailbox, MailRefused, type Transport } from './transport.ts'

export interface SmtpOptions {
  /** `smtp://user:password@host:port` or `smtps://…`; `?requireTLS=true` insists on STARTTLS. */
  readonly url: string
  readonly from: Mailbox
  /** The largest number of open connections. */
  readonly connections?: number
  readonly log?: Logger
}

// A server that is silent for longer counts as unavailable; the outbox tries again.
const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }
// The limit for the whole delivery, against slow servers. Shorter than the worker's lease: otherwise a second worker
// could send the same mail at the same time.
const wholeMs = 45_000

/** Sends mails over SMTP (RFC 5321), with a pool of connections that stay open between mails. */
export function createSmtpTransport(options: SmtpOptions): Transport {
  const { url, from, connections = 5, log = silentLogger } = options
  let pool: Promise<ReturnType<typeof openPool>> | undefined

  // Loaded with the first mail, so that the start of the engine does not wait for it.
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
    // The outbox decides about retries: it knows when a mail expires.
    maxRequeues: 0,
    ...timeouts,
  })
  transporter.use('stream', checkEnvelope)
  return transporter
}

/** Final refusals are 5xx answers to the recipient or the message. Failures that an administrator can fix are retried. */
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
