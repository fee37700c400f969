import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { createSecureContext, TLSSocket } from 'node:tls'
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
    const text = at === 'recipient' ? 'no such user' : 'as told'
    return code === undefined ? undefined : Object.assign(new Error(text), { responseCode: code })
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

/** A certificate for localhost, mail.test and 127.0.0.1 that no authority has signed, and its key: for tests only. */
export const testCertificate = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBYLqnuaXdYeiQhLM
pgTaEGprp1EGlhmSpd8tl1OVGmqhRANCAAQukpi2oGVpbUfeqvLftLnxZRYq5vHo
GSmQXcoObLWI46l9zFtkVICAqXwotA4if5n2Btj6Yl+/qneIVqXWGDvR
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBpTCCAUygAwIBAgIUKpMdIQiWHa14MM5YfNCqZijFbVEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbWFpbC50ZXN0MCAXDTI2MTEyNzIyMTkxOFoYDzIxMjYxMTAz
MjIxOTE4WjAUMRIwEAYDVQQDDAltYWlsLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQukpi2oGVpbUfeqvLftLnxZRYq5vHoGSmQXcoObLWI46l9zFtkVICA
qXwotA4if5n2Btj6Yl+/qneIVqXWGDvRo3oweDAdBgNVHQ4EFgQUlK7NoTcPOWW/
bUFpavKfAVKdJiEwHwYDVR0jBBgwFoAUlK7NoTcPOWW/bUFpavKfAVKdJiEwDwYD
VR0TAQH/BAUwAwEB/zAlBgNVHREEHjAcgglsb2NhbGhvc3SCCW1haWwudGVzdIcE
fwAAATAKBggqhkjOPQQDAgNHADBEAiA68r1UUppPr6VNDDm0PxNlm2jZiv9zHzFN
/Pqw30LI4AIgTE83n/bIieCwE4fu5p4jhCkKxWb32R82VKTPOqRj4SU=
-----END CERTIFICATE-----
`,
}

/** An address of this machine that is not on loopback, or undefined where it has none. */
export const outerAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address

/** What a scripted server does with a command: a reply, or no reply. */
export type SmtpAnswer =
  | string
  | 'silence'
  | 'drop'
  | { readonly afterMs: number; readonly reply: string }
  | undefined

/** Where in the dialogue an answer is given. `message` is the reply to the final dot. */
export type SmtpMoment =
  | 'greeting'
  | 'EHLO'
  | 'STARTTLS'
  | 'AUTH'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'message'
  | 'RSET'

export interface ScriptedSmtpOptions {
  readonly host?: string
  /** Behind `250-`, such as `PIPELINING`; STARTTLS is offered once. */
  readonly extensions?: readonly string[]
  /** TLS from the first byte. */
  readonly implicitTls?: boolean
  /** The answer at a moment, else the usual one. */
  answer?(moment: SmtpMoment, line: string): SmtpAnswer
}

export interface ScriptedSmtpServer {
  readonly port: number
  readonly url: string
  /** Every line of a client, in order, with whether it came over TLS. */
  readonly lines: readonly { readonly line: string; readonly tls: boolean }[]
  readonly received: readonly (Received & { readonly tls: boolean })[]
  readonly connections: number
  /** Replaces the answers. */
  answers(answer: NonNullable<ScriptedSmtpOptions['answer']>): void
  close(): Promise<void>
}

const usual: Readonly<Record<SmtpMoment, string>> = {
  greeting: '220 mail.test ESMTP',
  EHLO: '',
  STARTTLS: '220 go ahead',
  AUTH: '235 2.7.0 welcome',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go on',
  message: '250 2.0.0 taken',
  RSET: '250 2.0.0 ok',
}

/** A real SMTP server on loopback that does at each moment what a script says: every way in which servers misbehave. */
export async function startScriptedSmtp(options: ScriptedSmtpOptions = {}): Promise<ScriptedSmtpServer> {
  const { host = '127.0.0.1', extensions = [], implicitTls = false } = options
  const lines: { line: string; tls: boolean }[] = []
  const received: (Received & { tls: boolean })[] = []
  const sockets = new Set<Socket>()
  const secureContext = createSecureContext(testCertificate)
  let answer = options.answer ?? (() => undefined)
  let connections = 0

  function serve(socket: Socket, tls: boolean, greets: boolean): void {
    let rest = ''
    let envelope = { from: '', to: [] as string[] }
    let inData: string | undefined
    const send = (text: string): void => void (socket.writable && socket.write(`${text}\r\n`))
    const act = (moment: SmtpMoment, line: string, standard = usual[moment]): string | undefined => {
      const chosen = answer(moment, line) ?? standard
      if (chosen === 'silence') return undefined
      if (chosen === 'drop') {
        socket.destroy()
        return undefined
      }
      if (typeof chosen === 'string') {
        send(chosen)
        return chosen
      }
      const { afterMs, reply } = chosen
      setTimeout(() => send(reply), afterMs)
      return reply
    }
    const take = (line: string): void => {
      if (inData !== undefined) {
        if (line !== '.') {
          inData += `${line.replace(/^\./, '')}\r\n`
          return
        }
        const source = inData
        inData = undefined
        const said = act('message', '.')
        if (said?.startsWith('2')) received.push({ ...envelope, source, tls })
        envelope = { from: '', to: [] }
        return
      }
      lines.push({ line, tls })
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'EHLO' || verb === 'HELO') {
        const offered = extensions.filter((name) => !(tls && name === 'STARTTLS'))
        act(
          'EHLO',
          line,
          ['mail.test', ...offered]
            .map((name, at, all) => `250${at === all.length - 1 ? ' ' : '-'}${name}`)
            .join('\r\n'),
        )
      } else if (verb === 'STAR') {
        const said = act(
          'STARTTLS',
          line,
          extensions.includes('STARTTLS') ? usual.STARTTLS : '502 5.5.1 unknown',
        )
        if (said?.startsWith('220')) upgrade(socket)
      } else if (verb === 'AUTH') act('AUTH', line)
      else if (verb === 'MAIL') {
        envelope.from = /<([^>]*)>/.exec(line)?.[1] ?? ''
        act('MAIL', line)
      } else if (verb === 'RCPT') {
        const said = act('RCPT', line)
        if (said?.startsWith('2')) envelope.to.push(/<([^>]*)>/.exec(line)?.[1] ?? '')
      } else if (verb === 'DATA') {
        const said = act('DATA', line, envelope.to.length === 0 ? '503 5.5.1 no recipient' : usual.DATA)
        if (said?.startsWith('3')) inData = ''
      } else if (verb === 'RSET') act('RSET', line)
      else if (verb === 'QUIT') {
        send('221 bye')
        socket.end()
      } else send('500 5.5.2 what?')
    }
    const onData = (chunk: Buffer): void => {
      const parts = (rest + chunk.toString('utf8')).split('\r\n')
      rest = parts.pop() ?? ''
      for (const line of parts) take(line)
    }
    function upgrade(plain: Socket): void {
      plain.off('data', onData)
      serve(new TLSSocket(plain, { isServer: true, secureContext }), true, false)
    }
    socket.on('error', () => {})
    socket.on('data', onData)
    if (greets) act('greeting', '')
  }

  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    if (implicitTls) serve(new TLSSocket(socket, { isServer: true, secureContext }), true, true)
    else serve(socket, false, true)
  })
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${implicitTls ? 'smtps' : 'smtp'}://${host}:${port}`,
    lines,
    received,
    get connections() {
      return connections
    },
    answers(next) {
      answer = next
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
