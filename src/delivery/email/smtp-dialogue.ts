import { connect, type Socket } from 'node:net'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { ComposedMail } from './compose.ts'
import { reasonText } from './reason-text.ts'
import { reasonOf, type SmtpStage } from './smtp-replies.ts'
import { isLoopback, type SmtpTarget } from './smtp-url.ts'
import { MailRefused } from './transport.ts'

/**
 * How long a server may take, in milliseconds (RFC 5321, section 4.5.3.2). A client that gives up earlier sends a mail
 * again that a slow server has taken (RFC 1047; report 4).
 */
export interface SmtpTimeouts {
  /** For the TCP connection; the RFC names no limit. */
  readonly connect: number
  readonly greeting: number
  /** EHLO, STARTTLS, AUTH, MAIL, RCPT and RSET. */
  readonly command: number
  /** The reply to DATA. */
  readonly data: number
  /** Until the server has read the message. */
  readonly block: number
  /** The reply to the final dot. */
  readonly dot: number
}

const minute = 60_000
export const rfcTimeouts: SmtpTimeouts = {
  connect: 30_000,
  greeting: 5 * minute,
  command: 5 * minute,
  data: 2 * minute,
  block: 3 * minute,
  dot: 10 * minute,
}

export interface DialogueOptions {
  readonly target: SmtpTarget
  /** The name for EHLO. */
  readonly name: string
  /** Allows a server that is not on this machine to be spoken to without TLS, or with a certificate that is not valid. */
  readonly insecurePlain: boolean
  readonly timeouts: SmtpTimeouts
}

/** What the client waits for: a reply, or the message to be read (`block`). */
type Wait =
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'tls'
  | 'auth'
  | 'mail'
  | 'recipient'
  | 'data'
  | 'block'
  | 'dot'
  | 'reset'

const waitFor: Readonly<Record<string, Wait>> = {
  EHLO: 'ehlo',
  HELO: 'ehlo',
  STARTTLS: 'starttls',
  MAIL: 'mail',
  RCPT: 'recipient',
  DATA: 'data',
  RSET: 'reset',
}

/** An error of nodemailer. */
interface SmtpError extends Error {
  readonly response?: string
  readonly command?: string
}

/** One session with a mail server, for one mail after another. The library speaks the protocol; this knows where it stands, and for how long it may wait. */
export class SmtpDialogue {
  readonly #connection: SMTPConnection
  readonly #options: DialogueOptions
  /** What is waited for, the next reply first: with PIPELINING there are several. */
  #waits: Wait[] = ['greeting']
  #extensions = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #fail: ((error: Error) => void) | undefined
  #waitingSince = performance.now()
  /** Whether all of the message was written, so that the server may have taken it. */
  #handed = false
  #alive = true
  /** How long the server took for its latest reply, in milliseconds. */
  replyMs = 0
  /** How many mails were sent in this session. */
  mails = 0
  /** Called when the session has ended, also while it is idle. */
  onEnd: () => void = () => {}

  private constructor(options: DialogueOptions, Connection: typeof SMTPConnection, socket: Socket) {
    this.#options = options
    const { target, name, insecurePlain, timeouts } = options
    const local = isLoopback(socket.remoteAddress ?? '')
    const mayBePlain = !target.requireTls && (local || insecurePlain)
    this.#connection = new Connection({
      host: target.host,
      port: target.port,
      connection: socket,
      secure: target.implicitTls,
      name,
      // RFC 8314: nothing leaves this machine in clear; what strips STARTTLS from the greeting gets no mail (report 19).
      requireTLS: !target.implicitTls && !mayBePlain,
      opportunisticTLS: !target.implicitTls && mayBePlain && insecurePlain,
      tls: { rejectUnauthorized: target.implicitTls || target.requireTls || !insecurePlain },
      // This class has the limits, by what is waited for.
      connectionTimeout: 2 * timeouts.greeting + timeouts.command,
      greetingTimeout: timeouts.greeting,
      socketTimeout: 2 * timeouts.dot + timeouts.greeting,
      socketCloseTimeout: 1000,
      transactionLog: true,
      logger: {
        debug: (entry: { readonly tnx?: string }, text: unknown) => this.#noteLine(entry.tnx, String(text)),
        info: (entry: { readonly tnx?: string }) => this.#noteLine(entry.tnx, ''),
        trace: () => {},
        warn: () => {},
        error: () => {},
        fatal: () => {},
      } as never,
    })
    this.#connection.on('error', (error: Error) => this.#end(error))
    // A callback that follows says why: the server's 421 comes after the end of the session.
    this.#connection.on('end', () =>
      queueMicrotask(() => this.#end(new Error('the mail server closed the connection'))),
    )
  }

  /**
   * Connects, greets, encrypts and authenticates.
   * @throws MailRefused if that is not possible, or if the connection would leave this machine without TLS.
   */
  static async open(options: DialogueOptions, signal?: AbortSignal): Promise<SmtpDialogue> {
    // First: what happens to a socket meanwhile would happen unheard.
    const { default: Connection } = await import('nodemailer/lib/smtp-connection')
    const socket = await openSocket(options, signal)
    const dialogue = new SmtpDialogue(options, Connection, socket)
    try {
      await dialogue.#run(signal, (done) => dialogue.#connection.connect(done))
      const { user, password } = options.target
      if (user !== '' && dialogue.#connection.allowsAuth) {
        await dialogue.#run(signal, (done) => dialogue.#connection.login({ user, pass: password }, done))
      }
    } catch (error) {
      dialogue.close()
      throw error
    }
    return dialogue
  }

  get isAlive(): boolean {
    return this.#alive
  }

  /** @throws MailRefused */
  async send({ envelope, source }: ComposedMail, signal?: AbortSignal): Promise<void> {
    this.#handed = false
    this.mails++
    // RFC 6531, section 3.2: an address in another script goes to servers alone that say they understand it.
    if (/[^\p{ASCII}]/u.test(envelope.to) && !this.#extensions.has('SMTPUTF8'))
      throw new MailRefused('the address needs SMTPUTF8, which the mail server does not offer', {
        reason: 'content',
      })
    if (/[^\p{ASCII}]/u.test(envelope.from) && !this.#extensions.has('SMTPUTF8'))
      throw new MailRefused('the sender (mail.from) needs SMTPUTF8, which the mail server does not offer', {
        reason: 'policy',
      })
    const sized = { ...envelope, size: source.length }
    await this.#run(signal, (done) => this.#connection.send(sized, source, done))
    this.#handed = false
  }

  /** Makes the session ready for another mail. @throws MailRefused */
  reset(signal?: AbortSignal): Promise<void> {
    this.#handed = false
    return this.#run(signal, (done) => this.#connection.reset(done))
  }

  quit(): void {
    if (this.#alive) this.#connection.quit()
    setTimeout(() => this.close(), 1000).unref()
  }

  close(): void {
    this.#end(new Error('the connection was closed'))
    this.#connection.close()
  }

  /** One operation of the library, which ends with its callback, the end of the session, a limit or the signal. */
  #run(
    signal: AbortSignal | undefined,
    start: (done: (error?: Error | null) => void) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (error?: Error | null): void => {
        if (this.#fail === undefined) return
        this.#fail = undefined
        clearTimeout(this.#timer)
        signal?.removeEventListener('abort', abort)
        if (error) reject(this.#refusalOf(error))
        else resolve()
      }
      const abort = (): void => this.#end(new GivenUp('this node is shutting down'))
      this.#fail = finish
      if (!this.#alive) return finish(new Error('the connection was closed'))
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort)
      this.#limit()
      start(finish)
    })
  }

  /** The session is over; an operation under way fails with the error. */
  #end(error: Error): void {
    const fail = this.#fail
    const wasAlive = this.#alive
    this.#alive = false
    clearTimeout(this.#timer)
    // Before the connection is closed, which would call it with a lesser error.
    fail?.(error)
    if (!wasAlive) return
    this.#connection?.close()
    this.onEnd()
  }

  /** Follows the dialogue by what the library logs of it: commands, replies, and the end of a message. */
  #noteLine(kind: string | undefined, text: string): void {
    const [wait] = this.#waits
    if (kind === 'client') {
      const verb = /^\w+/.exec(text)?.[0].toUpperCase() ?? ''
      // What is no command of its own is the rest of AUTH.
      this.#waits.push(waitFor[verb] ?? 'auth')
    } else if (kind === 'server') {
      this.replyMs = performance.now() - this.#waitingSince
      this.#waits.shift()
      if (wait === 'ehlo') this.#extensions = extensionsIn(text)
      if (wait === 'starttls' && text.startsWith('2')) this.#waits.push('tls')
      if (wait === 'data' && /^[23]/.test(text)) this.#waits.push('block')
    } else if (kind === 'message') {
      this.#waits = this.#waits.map((one) => (one === 'block' ? 'dot' : one))
      this.#handed = true
    } else return
    if (kind === 'client' && this.#waits[0] === 'tls') this.#waits.shift()
    this.#waitingSince = performance.now()
    if (this.#fail !== undefined) this.#limit()
  }

  #limit(): void {
    const { timeouts, target } = this.#options
    const wait = this.#waits[0] ?? 'ehlo'
    const ms =
      wait === 'greeting' || wait === 'data' || wait === 'block' || wait === 'dot'
        ? timeouts[wait]
        : timeouts.command
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const what =
        wait === 'dot' ? 'the message' : wait === 'greeting' ? 'the connection' : wait.toUpperCase()
      this.#end(new GivenUp(`${target.host} did not answer ${what} within ${Math.round(ms / 1000)} s`))
    }, ms)
    this.#timer.unref()
  }

  /** Without the library's error, which holds the server's words as they came. */
  #refusalOf(error: SmtpError): MailRefused {
    if (error instanceof MailRefused) return error
    const { response } = error
    const message = reasonText(error.message)
    if (typeof response === 'string' && /^[45]\d\d/.test(response)) {
      const stage = stageOfCommand(error.command, this.#handed)
      if (stage === 'starttls' && !this.#extensions.has('STARTTLS')) return this.#plainRefused(response)
      return new MailRefused(message, { reason: reasonOf(stage, response) })
    }
    if (this.#handed) {
      const options = { reason: 'unanswered', brokeOff: !(error instanceof GivenUp) } as const
      return new MailRefused(`${message}, after the whole message: it may have been delivered`, options)
    }
    return new MailRefused(message, { reason: 'connection' })
  }

  #plainRefused(response: string): MailRefused {
    const { host } = this.#options.target
    return new MailRefused(
      `${host} offers no STARTTLS, and nothing is sent without TLS; mail.insecurePlainSmtp allows it: ${reasonText(response)}`,
      { reason: 'connection' },
    )
  }
}

/** The wait was ended here, by a limit or a shutdown, and not by the server. */
class GivenUp extends Error {}

/** The stage that an error of the library belongs to. */
function stageOfCommand(command: string | undefined, handed: boolean): SmtpStage {
  if (command === 'MAIL FROM') return 'mail'
  if (command === 'RCPT TO') return 'recipient'
  if (command === 'DATA') return handed ? 'message' : 'data'
  if (command?.startsWith('AUTH')) return 'auth'
  if (command === 'STARTTLS') return 'starttls'
  return command === 'EHLO' || command === 'HELO' ? 'ehlo' : 'connect'
}

const extensionsIn = (reply: string): Set<string> =>
  new Set(
    reply
      .split('\n')
      .slice(1)
      .map((line) => /^\d{3}[ -]([\w-]+)/.exec(line)?.[1]?.toUpperCase() ?? ''),
  )

/** A TCP connection. Opened here, since the library's limit for it would be one with that for the greeting. */
function openSocket({ target, timeouts }: DialogueOptions, signal?: AbortSignal): Promise<Socket> {
  const { host, port } = target
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const fail = (cause: Error): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.destroy()
      const { errors } = cause as AggregateError
      const message = cause.message || (errors?.[0] as Error | undefined)?.message || 'no connection'
      reject(new MailRefused(`${host}:${port}: ${message}`, { reason: 'connection', cause }))
    }
    const late = (): void => fail(new Error(`no connection within ${Math.round(timeouts.connect / 1000)} s`))
    const timer = setTimeout(late, timeouts.connect)
    const abort = (): void => fail(new GivenUp('this node is shutting down'))
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort)
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.off('error', fail)
      // An error without a listener would end the process.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
