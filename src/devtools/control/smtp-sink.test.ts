import { once } from 'node:events'
import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { onThisMachine } from '../../../test/support/machine.ts'
import { type SmtpSink, type SmtpSinkOptions, startSmtpSink } from './smtp-sink.ts'

const sinks: SmtpSink[] = []
afterEach(() => Promise.all(sinks.splice(0).map((sink) => sink.close())))

async function sinkAndSender(options: SmtpSinkOptions = {}) {
  const sink = await startSmtpSink(options)
  sinks.push(sink)
  const transport = createTransport({ url: sink.url, pool: true, maxConnections: 2 })
  onTestFinished(() => transport.close())
  const send = (more: object = {}) =>
    transport.sendMail({
      from: 'no-reply@acme.example',
      to: 'ada@example.com',
      subject: 'Hi',
      text: 'x',
      ...more,
    })
  return { sink, send }
}

test('what is sent over SMTP is in the store when the sender has its answer', async () => {
  const { sink, send } = await sinkAndSender()
  await send({
    subject: 'Account password reset',
    text: 'Enter a code instead: 123456',
    html: '<a id="reset-password-link" href="http://localhost:9000/email/verify/0oa1?token=ftABC">Reset</a>',
    headers: { 'X-Rekey-Template': 'ForgotPassword' },
  })

  expect(sink.messages.all()).toMatchObject([
    {
      to: 'ada@example.com',
      from: 'no-reply@acme.example',
      subject: 'Account password reset',
      code: '123456',
      link: 'http://localhost:9000/email/verify/0oa1?token=ftABC',
      template: 'ForgotPassword',
    },
  ])
})

test('the recipient is the envelope’s, not the header’s', async () => {
  const { sink, send } = await sinkAndSender()
  await send({
    to: 'shown@example.com',
    envelope: { from: 'a@b.example', to: ['real@example.com', 'cc@example.com'] },
  })

  expect(sink.messages.all().map(({ to }) => to)).toEqual(['cc@example.com', 'real@example.com'])
})

test('an address in its own letters is found in either spelling', async () => {
  const { sink, send } = await sinkAndSender()
  await send({ to: 'ada@bücher.example' })

  expect(sink.messages.to('Ada@Bücher.example')).toHaveLength(1)
  expect(sink.messages.to('ada@xn--bcher-kva.example')).toHaveLength(1)
})

test('the source is stored byte for byte, including dots at the beginning of lines', async () => {
  const { sink, send } = await sinkAndSender()
  await send({ text: '.hidden\n..twice\n.' })
  const [message] = sink.messages.all()

  expect(message?.text).toContain('.hidden\n..twice\n.')
  expect(sink.messages.source(message?.id ?? '')?.toString()).toMatch(/^From: no-reply@acme\.example\r\n/)
})

test('exactly the next deliveries are refused, for now, as a busy server would', async () => {
  const { sink, send } = await sinkAndSender()
  sink.faults.next({ smtp: 'refuse', times: 2 })

  await expect(send()).rejects.toMatchObject({ responseCode: 451, command: 'DATA' })
  await expect(send()).rejects.toMatchObject({ responseCode: 451 })
  expect(sink.messages.all()).toEqual([])
  await send()
  expect(sink.messages.all()).toHaveLength(1)
})

test('faults that were cleared do not happen', async () => {
  const { sink, send } = await sinkAndSender()
  sink.faults.next({ smtp: 'refuse', times: 5 })
  sink.faults.clear()

  await send()
  expect(sink.messages.all()).toHaveLength(1)
})

test('a dropped connection leaves no answer and no mail, and the next one is served', async () => {
  const { sink, send } = await sinkAndSender()
  sink.faults.next({ smtp: 'drop' })

  await expect(send()).rejects.not.toHaveProperty('responseCode')
  expect(sink.messages.all()).toEqual([])
  await send()
  expect(sink.messages.all()).toHaveLength(1)
})

test('a slow delivery is answered late, and the mail is stored', async () => {
  const { sink, send } = await sinkAndSender()
  sink.faults.next({ smtp: 'slow', delayMs: 120 })
  const before = performance.now()
  await send()

  expect(performance.now() - before).toBeGreaterThanOrEqual(100)
  expect(sink.messages.all()).toHaveLength(1)
})

test('a mail above the size limit is refused permanently and not stored', async () => {
  const { sink, send } = await sinkAndSender({ maxBytes: 2000 })

  await expect(send({ text: 'x'.repeat(4000) })).rejects.toThrow(/size|larger/i)
  expect(sink.messages.all()).toEqual([])
})

test('a sender may log in with anything, or not at all', async () => {
  const { sink, send } = await sinkAndSender()
  const transport = createTransport({
    port: sink.port,
    host: '127.0.0.1',
    auth: { user: 'any', pass: 'thing' },
  })
  await transport.sendMail({ from: 'a@b.example', to: 'ada@example.com', text: 'with' })
  await send({ text: 'without' })

  expect(sink.messages.all()).toHaveLength(2)
})

test('a client that disconnects in the middle does not affect others', async () => {
  const { sink, send } = await sinkAndSender()
  const socket = connect(sink.port, '127.0.0.1')
  await once(socket, 'data')
  socket.write('EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ada@example.com>\r\nDATA\r\nhalf a m')
  await once(socket, 'data')
  socket.resetAndDestroy()

  await send()
  expect(sink.messages.all()).toHaveLength(1)
})

test('closing does not wait for open connections', async () => {
  const sink = await startSmtpSink()
  const socket = connect(sink.port, '127.0.0.1')
  await once(socket, 'data')
  const before = performance.now()
  await Promise.all([sink.close(), once(socket, 'close')])

  expect(performance.now() - before).toBeLessThan(onThisMachine(1000))
  await sink.close()
})

test('a port that is taken is an error at start', async () => {
  const { sink } = await sinkAndSender()

  await expect(startSmtpSink({ port: sink.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('only this machine reaches the server', async () => {
  const { sink } = await sinkAndSender()

  expect(sink.url).toBe(`smtp://127.0.0.1:${sink.port}`)
})
