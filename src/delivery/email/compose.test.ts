import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser'
import nodemailer from 'nodemailer'
import { expect, test } from 'vitest'
import { fc } from '../../../test/support/draws.ts'
import { compose, headerSafe } from './compose.ts'
import { loadTemplates } from './templates.ts'
import type { OutgoingMail } from './transport.ts'

const mail: OutgoingMail = {
  id: 'maiAAAAAAAAAAAAAAAAA',
  to: 'mary@example.com',
  subject: 'Reset your password',
  text: 'x',
  html: '<p>x</p>',
  template: 'ForgotPassword',
  language: 'en',
}
const from = { address: 'no-reply@acme.example', name: 'Acme' }
const now = Date.UTC(2026, 10, 28, 14, 5, 9)
const composed = (given: Partial<OutgoingMail>, name = from.name) =>
  compose({ ...mail, ...given }, { ...from, name }, now)
const sourceOf = (given: Partial<OutgoingMail>, name?: string) => composed(given, name).source.toString()
const parsed = (given: Partial<OutgoingMail>, name?: string): Promise<ParsedMail> =>
  simpleParser(composed(given, name).source)
const mailboxes = (list: AddressObject | readonly AddressObject[] | undefined) =>
  [list ?? []].flat().flatMap(({ value }) => value)

test('the message is the one that the library composes, as a reader of mails sees it', async () => {
  const transporter = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  const renderer = await loadTemplates()
  for (const locale of ['en', 'de', 'ja', 'ar', 'fr']) {
    const rendered = renderer.render({
      template: 'EmailChallenge',
      locale,
      variables: { verificationToken: '428571', 'org.name': 'Exämple & Söhne', lifetime: '5' },
    })
    const { message } = await transporter.sendMail({
      from: { address: from.address, name: 'Exämple, "Inc."' },
      to: { address: mail.to, name: '' },
      ...rendered,
      date: new Date(now),
      messageId: '<maiAAAAAAAAAAAAAAAAA@acme.example>',
      headers: {
        'X-Rekey-Template': 'ForgotPassword',
        'Content-Language': rendered.language,
        'Auto-Submitted': 'auto-generated',
        'X-Auto-Response-Suppress': 'All',
      },
    })
    const seen = ({ headers, headerLines: _, ...rest }: ParsedMail) => ({
      ...rest,
      // Each composer draws its own MIME boundary (RFC 2046, section 5.1.1), which stands in Content-Type. The parts that it
      // separates are compared below.
      headers: [...headers].filter(([name]) => name !== 'content-type'),
    })
    const expected = seen(await simpleParser(message as Buffer))
    const ours = seen(await parsed({ ...rendered }, 'Exämple, "Inc."'))
    expect(ours).toEqual(expected)
    expect(ours.html).toBe(rendered.html)
    expect(ours.text).toBe(rendered.text)
  }
})

test('whatever the texts are, they arrive as they were written, in lines that every server takes', async () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 30 }),
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom(
      '\n',
      '.\n',
      '=',
      ' \n',
      '\t\n',
      'ä',
      'あ',
      '--rekey-maiAAAAAAAAAAAAAAAAA',
      'x'.repeat(1200),
    ),
  )
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) =>
    pieces
      .join('')
      .replace(/[\r\0]/g, '')
      .toWellFormed(),
  )
  await fc.assert(
    fc.asyncProperty(text, text, async (plain, page) => {
      const source = sourceOf({ text: `${plain}\n`, html: `<p>${page}</p>` })
      expect(source).not.toMatch(/[^\r]\n|\r[^\n]|[^\n]{999}/)
      expect(source).toMatch(/^[\t\r\n\x20-\x7e]*$/)
      const { text, html } = await simpleParser(source)
      expect(text).toBe(`${plain}\n`)
      expect(html).toBe(`<p>${page}</p>`)
    }),
    { numRuns: 150 },
  )
})

test('whatever a subject or a name is, it arrives as it was written', async () => {
  const value = fc
    .oneof(
      fc.string({ unit: 'grapheme', maxLength: 128 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 128 }),
      fc.constantFrom(
        '=?utf-8?q?eve?=',
        'a"b\\c',
        'x'.repeat(128),
        `${'word '.repeat(25)}end`,
        '🔑'.repeat(60),
      ),
    )
    // A reader of mails takes several spaces for one where a line was folded.
    .map((text) => headerSafe(text).replace(/\s+/g, ' ').trim())
    .filter((text) => text !== '')
  await fc.assert(
    fc.asyncProperty(value, value, async (subject, name) => {
      const source = sourceOf({ subject }, name)
      const head = source.slice(0, source.indexOf('\r\n\r\n'))
      for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(200)
      const read = await simpleParser(source)
      expect(read.subject).toBe(subject)
      expect(mailboxes(read.from)).toEqual([{ address: from.address, name }])
    }),
    { numRuns: 200 },
  )
})

test('the envelope names the stored address, in a form that means the same mailbox', () => {
  const envelopeOf = (to: string) => composed({ to }).envelope
  expect(envelopeOf('mary@example.com')).toEqual({ from: from.address, to: 'mary@example.com' })
  expect(envelopeOf('Mary@example.com').to).toBe('Mary@example.com')
  expect(envelopeOf('mary@exämple.example').to).toBe('mary@xn--exmple-cua.example')
  expect(envelopeOf('märy@xn--exmple-cua.example').to).toBe('märy@exämple.example')
  expect(envelopeOf('mary..jones@example.com').to).toBe('"mary..jones"@example.com')
  expect(envelopeOf("o'neill+tag@example.com").to).toBe("o'neill+tag@example.com")
})

test('the header names who the envelope names', async () => {
  for (const to of ['mary@example.com', 'mary@exämple.example', 'mary..jones@example.com']) {
    const { envelope, source } = composed({ to })
    const [line] = /^To: .*$/m.exec(source.toString()) ?? []
    expect(line?.trim()).toBe(`To: ${envelope.to}`)
    expect(mailboxes((await simpleParser(source)).to)).toHaveLength(1)
  }
})

test('what could end a header is taken out of every header value', () => {
  const evil = 'x\r\nBcc: eve@evil.example\u2028y\0z\u0085'
  const source = sourceOf({ subject: evil, template: evil, language: evil, id: evil }, evil)
  expect(source).not.toMatch(/^Bcc:/im)
  expect(source.slice(0, source.indexOf('\r\n\r\n'))).not.toMatch(/[^\r]\n|\r[^\n]|\u2028|\0|\u0085/)
  expect(headerSafe(evil)).toBe('x Bcc: eve@evil.example y z')
})

test('composed again it is the same message to the byte', () => {
  expect(sourceOf({})).toBe(sourceOf({}))
})
