import { simpleParser } from 'mailparser'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createMemoryTransport,
  createSmtpTransport,
  MailRefused,
  type OutgoingMail,
  type Transport,
} from '../../src/delivery/index.ts'
import { startSmtpServer, type TestSmtpServer } from '../support/smtp-server.ts'

const from = { address: 'no-reply@acme.example', name: 'Acme' }
const mail: OutgoingMail = {
  id: 'maiAAAAAAAAAAAAAAAAA',
  to: 'mary@example.com',
  subject: 'Reset your password',
  text: 'Hi Mary,\n\nEnter a code instead: 123456\n',
  html: '<p>Hi Mary,</p><p>Enter a code instead: 123456</p>',
  template: 'ForgotPassword',
  language: 'en',
}

interface Outlet {
  readonly transport: Transport
  /** What came out: the message, and where a server can tell, who it was for. */
  arrived(): readonly { readonly to: readonly string[]; readonly source: string }[]
  close(): Promise<void>
}

const outlets: Readonly<Record<string, () => Promise<Outlet>>> = {
  async smtp() {
    const server = await startSmtpServer()
    const transport = createSmtpTransport({ url: server.url, from })
    const close = async (): Promise<void> => {
      await transport.close()
      await server.close()
    }
    return { transport, arrived: () => server.received, close }
  },
  async memory() {
    const transport = createMemoryTransport({ from })
    const arrived = () => transport.mails.map(({ to, source }) => ({ to: [to], source: source.toString() }))
    return { transport, arrived, close: () => transport.close() }
  },
}

for (const [name, open] of Object.entries(outlets)) {
  describe(`the ${name} transport`, () => {
    let outlet: Outlet
    beforeEach(async () => {
      outlet = await open()
    })
    afterEach(() => outlet.close())

    test('a mail arrives with its subject, both of its parts, its sender and its one recipient', async () => {
      await outlet.transport.send(mail)

      const [arrived] = outlet.arrived()
      const parsed = await simpleParser(arrived?.source ?? '')
      expect(arrived?.to).toEqual([mail.to])
      expect(parsed).toMatchObject({ subject: mail.subject, text: mail.text, html: mail.html })
      expect(parsed.from?.value).toEqual([from])
      expect(parsed.to).toMatchObject({ value: [{ address: mail.to, name: '' }] })
    })

    test('it names its template, its language, and that no person wrote it', async () => {
      await outlet.transport.send(mail)

      const { headers } = await simpleParser(outlet.arrived()[0]?.source ?? '')
      expect(headers.get('x-rekey-template')).toBe('ForgotPassword')
      expect(headers.get('content-language')).toBe('en')
      expect(headers.get('auto-submitted')).toBe('auto-generated')
    })

    test('a mail that is sent twice carries the same Message-ID, so that a mailbox can fold it', async () => {
      await outlet.transport.send(mail)
      await outlet.transport.send(mail)
      await outlet.transport.send({ ...mail, id: 'maiBBBBBBBBBBBBBBBBB' })

      const ids = await Promise.all(
        outlet.arrived().map(async ({ source }) => (await simpleParser(source)).messageId),
      )
      expect(ids[0]).toBe('<maiAAAAAAAAAAAAAAAAA@acme.example>')
      expect(ids[1]).toBe(ids[0])
      expect(ids[2]).not.toBe(ids[0])
    })

    test('texts of other scripts arrive as they were written', async () => {
      const other = {
        subject: 'パスワードの再設定 – éü 🔑',
        text: 'مرحبا\n.\nFrom here\n',
        html: '<p dir="rtl">مرحبا</p>',
      }
      await outlet.transport.send({ ...mail, ...other })

      expect(await simpleParser(outlet.arrived()[0]?.source ?? '')).toMatchObject(other)
    })

    test('a recipient that is not one plain address is refused for good, and nothing leaves', async () => {
      const bad = ['', 'mary', 'a@b.example, c@d.example', 'mary@example.com\r\nBcc: eve@evil.example']
      for (const to of bad) {
        const refused = await outlet.transport.send({ ...mail, to }).catch((error: unknown) => error)
        expect(refused).toBeInstanceOf(MailRefused)
        expect(refused).toMatchObject({ permanent: true })
      }
      expect(outlet.arrived()).toEqual([])
    })

    test('many mails at once arrive once each', async () => {
      const ids = Array.from({ length: 40 }, (_, index) => `mai${String(index).padStart(17, '0')}`)
      await Promise.all(ids.map((id) => outlet.transport.send({ ...mail, id, to: `${id}@example.com` })))

      expect(
        outlet
          .arrived()
          .flatMap(({ to }) => to)
          .sort(),
      ).toEqual(ids.map((id) => `${id}@example.com`))
    })

    test('it answers whether the way out is open', async () => {
      await expect(outlet.transport.verify()).resolves.toBeUndefined()
    })
  })
}

describe('what a mail server answers', () => {
  let server: TestSmtpServer
  let transport: Transport
  beforeEach(async () => {
    server = await startSmtpServer()
    transport = createSmtpTransport({ url: server.url, from })
  })
  afterEach(async () => {
    await transport.close()
    await server.close()
  })
  const refused = () =>
    transport.send(mail).then(
      () => undefined,
      (error: unknown) => error,
    )

  test.each([
    ['recipient', 550, true],
    ['message', 554, true],
    ['recipient', 450, false],
    ['message', 451, false],
  ] as const)('a %s refused with %i is final: %s', async (at, code, permanent) => {
    server.refuse(at, code)
    expect(await refused()).toMatchObject({ name: 'MailRefused', permanent })

    await transport.send(mail)
    expect(server.received).toHaveLength(1)
  })

  test('a server that is away is worth another try, and a new connection is made when it is back', async () => {
    await transport.send(mail)
    await server.close()
    expect(await refused()).toMatchObject({ name: 'MailRefused', permanent: false })
    await expect(transport.verify()).rejects.toThrow()
  })
})
