import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A message as a real SMTP server got it. */
interface Received {
  readonly from: string
  readonly to: readonly string[]
  readonly source: string
}

export interface TestSmtpServer {
  readonly url: string
  readonly received: readonly Received[]
  /** How many messages began to come in, also those that were refused or never answered. */
  readonly attempts: number
  /** Answers the next recipients or messages with a code of RFC 5321, section 4.2. */
  refuse(at: 'recipient' | 'message', code: number, times?: number): void
  /** Accepts messages and never confirms them, until set otherwise. */
  hang(hanging: boolean): void
  /** Lets go of what was received so far. */
  forget(): void
  close(): Promise<void>
}

/** A real SMTP server on loopback that can be made to misbehave. */
export async function startSmtpServer(): Promise<TestSmtpServer> {
  const received: Received[] = []
  const refusals = { recipient: [] as number[], message: [] as number[] }
  let hanging = false
  let attempts = 0
  const refusal = (at: 'recipient' | 'message'): Error | undefined => {
    const code = refusals[at].shift()
    return code === undefined ? undefined : Object.assign(new Error('as told'), { responseCode: code })
  }

  const server = new SMTPServer({
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: (_address, _session, done) => done(refusal('recipient')),
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      attempts++
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (hanging) return
        const error = refusal('message')
        if (error !== undefined) return done(error)
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          source: Buffer.concat(chunks).toString('utf8'),
        })
        done(null, 'taken')
      })
    },
  })
  // Clients that break off in the middle are part of the tests.
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo

  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    get attempts() {
      return attempts
    },
    refuse(at, code, times = 1) {
      for (let time = 0; time < times; time++) refusals[at].push(code)
    },
    hang(value) {
      hanging = value
    },
    forget() {
      received.length = 0
    },
    close: () =>
      new Promise((resolve) => {
        for (const connection of server.connections) connection.close()
        server.close(() => resolve())
      }),
  }
}
