import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { DevEnvironment } from '../../testing/index.ts'
import { startAt, startEnvironment } from '../control/environment.fixture.ts'
import type { ControlServer } from '../control/server.ts'
import type { SmtpSink } from '../control/smtp-sink.ts'

let sink: SmtpSink
let server: ControlServer
let appUrl: string | undefined
let environment: DevEnvironment

beforeAll(async () => {
  environment = await startEnvironment({ hints: { appUrl: () => appUrl, login: 'mary@example.com' } })
  sink = environment.sink
  server = environment.control
})
beforeEach(async () => {
  appUrl = 'http://localhost:8080'
  await environment.reset()
  await environment.port.clock.set(startAt)
})
afterAll(() => environment.close())

const link = 'http://localhost:9000/email/verify/0oa1?token=ftABC'

async function arrive({
  to = 'ada@example.com',
  subject = 'Reset',
  html = '',
  text = 'Enter a code instead: 123456',
}) {
  const parts = [
    `From: Acme <no-reply@acme.example>\r\nSubject: ${subject}\r\nMIME-Version: 1.0`,
    'Content-Type: multipart/alternative; boundary=b\r\n',
    `--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}`,
    ...(html ? [`--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}`] : []),
    '--b--\r\n',
  ]
  const [message] = await sink.messages.add(Buffer.from(parts.join('\r\n')), [to])
  return message?.id ?? ''
}

async function page(path: string) {
  const response = await fetch(server.url + path)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

test('an empty inbox has instructions, with the address of the app as soon as it is known', async () => {
  const { text, status } = await page('/')

  expect(status).toBe(200)
  expect(text).toContain('No mail yet')
  expect(text).toContain('href="http://localhost:8080/recover-password"')
  expect(text).toContain('mary@example.com')
  expect(text).toContain(sink.url)

  appUrl = undefined
  expect((await page('/')).text).toContain('Request a new password in your app')
})

test('the list shows recipient, subject, time, code and link', async () => {
  const id = await arrive({ html: `<a id="reset-password-link" href="${link}">Reset</a>` })
  const { text } = await page('/')

  expect(text).toContain(`href="/inbox/${id}"`)
  expect(text).toContain('ada@example.com')
  expect(text).toContain('<time datetime="2023-11-14T22:13:20.000Z"')
  expect(text).toContain('data-copy="123456"')
  expect(text).toContain(`data-copy="${link}"`)
  expect(text).toContain('1 message<')
})

test.each([
  ['ADA', ['to ada', 'about ada']],
  ['to ada', ['to ada']],
  ['acme', ['to ada', 'about ada', 'else']],
  ['zebra', []],
])('searching for %j finds %j', async (search, found) => {
  await arrive({ to: 'ada@example.com', subject: 'to ada' })
  await arrive({ to: 'bob@example.com', subject: 'about ada' })
  await arrive({ to: 'bob@example.com', subject: 'else' })
  const { text } = await page(`/?q=${encodeURIComponent(search)}`)

  for (const subject of ['to ada', 'about ada', 'else']) {
    expect(text.includes(`<span class="row-subject">${subject}</span>`)).toBe(found.includes(subject))
  }
  if (found.length === 0) expect(text).toContain('Nothing found')
})

test('a search stays when a message is opened', async () => {
  const id = await arrive({})
  const { text } = await page('/?q=ada')

  expect(text).toContain(`href="/inbox/${id}?q=ada"`)
  expect((await page(`/inbox/${id}?q=ada`)).text).toContain('value="ada"')
})

test('a list that is too long for a page shows the newest messages with a note', async () => {
  for (let count = 0; count < 201; count++) await arrive({ subject: `mail ${count}` })
  const { text } = await page('/')

  expect(text).toContain('The newest 200 of 201 messages')
  expect(text).not.toContain('>mail 0<')
  expect((await page('/?q=mail+0')).text).toContain('>mail 0<')
})

test('a message is there as HTML, as text and as source', async () => {
  const id = await arrive({ html: `<a id="reset-password-link" href="${link}">Reset</a>` })

  expect((await page(`/inbox/${id}`)).text).toContain(`<iframe class="mail-frame" src="/inbox/${id}/mail"`)
  expect((await page(`/inbox/${id}?view=text`)).text).toMatch(/<pre[^>]*>Enter a code instead: 123456/)
  expect((await page(`/inbox/${id}?view=source`)).text).toContain('Content-Type: multipart/alternative')
  expect((await page(`/inbox/${id}?view=other`)).text).toContain('<iframe')
})

test('a mail without HTML opens as text, with a note', async () => {
  const id = await arrive({})

  expect((await page(`/inbox/${id}`)).text).toContain('Enter a code instead')
  expect((await page(`/inbox/${id}?view=html`)).text).toContain('has no HTML part')
})

test('a deleted message links back to the list', async () => {
  const { status, text } = await page('/inbox/msg0000000099')

  expect(status).toBe(404)
  expect(text).toContain('This message is gone')
  expect((await page('/inbox/%00')).status).toBe(404)
})

test('no content of a mail becomes markup of the page', async () => {
  const hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
  const id = await arrive({ to: `"${hostile}"@example.com`, subject: hostile, text: hostile, html: hostile })

  for (const path of ['/', `/inbox/${id}`, `/inbox/${id}?view=text`, `/inbox/${id}?view=source`]) {
    const { text } = await page(path)
    expect(text).not.toContain('<script>')
    expect(text).not.toContain('<img src=x')
  }
  const { text } = await page(`/?q=${encodeURIComponent(hostile)}`)
  expect(text).not.toContain('<script>')
})

test('the pages run no script and no style but their own files', async () => {
  const policy = (await page('/')).headers.get('content-security-policy') ?? ''

  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).not.toMatch(/unsafe|\*|data:/)
  expect((await page('/')).text).not.toMatch(/<[^>]* style=|<style|<script(?! src="\/assets\/inbox\.js")/)
})

test('a mail is shown in a sandbox that loads no resources from the network', async () => {
  const id = await arrive({ html: '<p>Hi</p><img src="http://tracker.example/p.gif">' })
  const mail = await page(`/inbox/${id}/mail`)
  const policy = mail.headers.get('content-security-policy') ?? ''

  expect(policy).toMatch(/^default-src 'none';/)
  expect(policy).toContain('sandbox allow-popups allow-popups-to-escape-sandbox')
  expect(policy).not.toMatch(/allow-scripts|allow-same-origin|https?:|script-src/)
  expect(mail.text).toContain('<p>Hi</p>')

  const { text } = await page(`/inbox/${id}`)
  expect(text).toMatch(/<iframe[^>]*\ssandbox="allow-popups allow-popups-to-escape-sandbox"/)
  expect(text).toContain('from the network are not loaded')
})

test.each([
  '/ui/ui.css',
  '/ui/dom.js',
  '/ui/icon.svg',
  '/assets/inbox.js',
  '/assets/flows.js',
  '/assets/tools.js',
])('%s is served, as what it is', async (path) => {
  const { status, headers, text } = await page(path)

  expect(status).toBe(200)
  expect(headers.get('content-type')).toMatch(/^(text\/css|text\/javascript|image\/svg\+xml)/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(text.length).toBeGreaterThan(100)
})

test('no other file is served', async () => {
  for (const path of ['/assets/', '/assets/..%2findex.ts', '/assets/%2e%2e/index.ts']) {
    expect((await page(path)).status).toBe(404)
  }
})
