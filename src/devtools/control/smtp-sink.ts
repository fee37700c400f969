import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { SMTPServer, SMTPServerDataStream, SMTPServerSession } from 'smtp-server'
import { type Clock, type Logger, silentLogger } from '../../base/index.ts'
import { createMessages, type MessageStore } from './messages.ts'

/** Failures of deliveries: a temporary refusal after DATA, a late answer, or a dropped connection. */
export type SmtpFault =
  | { readonly smtp: 'refuse'; readonly times?: number }
  | { readonly smtp: 'drop'; readonly times?: number }
  | { readonly smtp: 'slow'; readonly times?: number; readonly delayMs?: number }

export interface SmtpSink {
  readonly port: number
  /** The address for the mail transport of the engine. */
  readonly url: string
  readonly messages: MessageStore
  readonly faults: { next(fault: SmtpFault): void; clear(): void }
  /** Closes open connections instead of waiting for clients with connection pools. */
  close(): Promise<void>
}

export interface SmtpSinkOptions {
  /** The default is 0: any free port. */
  readonly port?: number
  /** The largest mail that is accepted, in bytes. */
  readonly maxBytes?: number
  readonly messages?: MessageStore
  /** The clock for `sentAt`, if no store is given. */
  readonly clock?: Clock
  readonly logger?: Logger
}

/** A reply other than 250, with a code of RFC 5321, section 4.2. */
class SmtpRefusal extends Error {
  readonly responseCode: number

  constructor(responseCode: number, message: string) {
    super(message)
    this.responseCode = responseCode
  }
}

/** Starts a real SMTP server on loopback that delivers nothing: it puts all mails into the message store. */
export async function startSmtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const { port = 0, maxBytes = 2 * 1024 * 1024, logger = silentLogger } = options
  const messages = options.messages ?? createMessages(options.clock ? { clock: options.clock } : {})
  const sockets = new Map<number, Socket>()
  const faults = createFaults()

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    // Taken before the first byte, so that two concurrent deliveries use two faults.
    const fault = faults.take()
    const source = await collect(stream, maxBytes, () => {
      if (fault?.smtp === 'drop') sockets.get(session.remotePort)?.destroy()
    })
    if (fault?.smtp === 'refuse')
      throw new SmtpRefusal(451, 'refused as requested by /faults, try again later')
    // A short mail may be received completely before the connection is dropped. The sender does not know: do not store it.
    if (fault?.smtp === 'drop') throw new SmtpRefusal(451, 'dropped as requested by /faults')
    if (fault?.smtp === 'slow') await new Promise((done) => setTimeout(done, fault.delayMs ?? 2000).unref())
    const recipients = session.envelope.rcptTo.map(({ address }) => address)
    await messages.add(source, recipients)
  }

  // Loaded with the first connection: the package is 50 ms to load, and many tests read no mail.
  let dialogue: Promise<SMTPServer> | undefined
  async function openDialogue(): Promise<SMTPServer> {
    const { SMTPServer: Dialogue } = await import('smtp-server')
    const opened = new Dialogue({
      name: 'localhost',
      banner: 'Rekey inbox',
      size: maxBytes,
      // A reverse DNS query would leave the machine and, without a network, take seconds.
      disableReverseLookup: true,
      disabledCommands: ['STARTTLS'],
      // A TLS context is created anyway; without the root certificates that takes 1 ms instead of 15 ms.
      ca: [],
      authOptional: true,
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) => done(null, { user: auth.username ?? 'anyone' }),
      onData: (stream, session, done) => {
        receive(stream, session).then(() => done(null, 'stored in the inbox'), done)
      },
    })
    // Clients that disconnect in the middle are normal and must not end the process.
    opened.on('error', (error) => logger.debug({ err: error }, 'an SMTP connection broke off'))
    return opened
  }

  // It is the server that speaks first (RFC 5321, section 3.1): a client waits for the greeting.
  const server = createServer((socket) => {
    const { remotePort = 0 } = socket
    sockets.set(remotePort, socket)
    socket.once('close', () => sockets.delete(remotePort))
    socket.on('error', (error) => logger.debug({ err: error }, 'an SMTP connection broke off'))
    dialogue ??= openDialogue()
    dialogue.then(
      (opened) => {
        if (!socket.destroyed) opened.server.emit('connection', socket)
      },
      (error) => {
        logger.error({ err: error }, 'the SMTP server of the inbox does not load')
        socket.destroy()
      },
    )
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  const address = server.address() as AddressInfo
  return {
    port: address.port,
    url: `smtp://127.0.0.1:${address.port}`,
    messages,
    faults,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        for (const socket of sockets.values()) socket.destroy()
      }),
  }
}

/** Reads a mail up to the size limit. The rest is read and discarded, as RFC 5321 requires. */
async function collect(
  stream: SMTPServerDataStream,
  maxBytes: number,
  onFirstBytes: () => void,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (length === 0) onFirstBytes()
    length += chunk.length
    if (length <= maxBytes) chunks.push(chunk)
  }
  if (length > maxBytes) throw new SmtpRefusal(552, `the message is larger than ${maxBytes} bytes`)
  return Buffer.concat(chunks)
}

function createFaults() {
  let waiting: SmtpFault[] = []
  return {
    next(fault: SmtpFault): void {
      waiting.push(...Array.from({ length: fault.times ?? 1 }, () => fault))
    },
    clear(): void {
      waiting = []
    },
    take: (): SmtpFault | undefined => waiting.shift(),
  }
}
