import nodemailer from 'nodemailer'
import { expect, test } from 'vitest'
import { checkEnvelope, compose, headerSafe } from './compose.ts'

const mail = {
  id: 'maiAAAAAAAAAAAAAAAAA',
  to: 'mary@example.com',
  subject: 'Reset your password',
  text: 'x',
  html: '<p>x</p>',
  template: 'ForgotPassword',
  language: 'en',
}
const from = { address: 'no-reply@acme.example', name: 'Acme' }

/** Composes a message with nodemailer, with the given envelope, and checks it. */
async function checked(stored: string, envelope: string | readonly string[]): Promise<string> {
  const transporter = nodemailer.createTransport({ streamTransport: true })
  transporter.use('stream', checkEnvelope)
  const to = { address: stored, name: '' }
  const message = { ...compose(mail, from), to, envelope: { from: from.address, to: [...[envelope].flat()] } }
  return transporter.sendMail(message).then(
    () => 'sent',
    (error: Error) => error.message,
  )
}

test('an envelope that names the stored address passes, in the forms that mean the same mailbox', async () => {
  expect(await checked('mary@example.com', 'mary@example.com')).toBe('sent')
  expect(await checked('mary@exämple.example', 'mary@xn--exmple-cua.example')).toBe('sent')
  expect(await checked('mary..jones@example.com', '"mary..jones"@example.com')).toBe('sent')
})

test('an envelope with another recipient, or with more recipients, is not sent', async () => {
  const refused = 'the envelope would not name the stored address'
  expect(await checked('mary@example.com', 'eve@evil.example')).toBe(refused)
  expect(await checked('mary@example.com', ['mary@example.com', 'eve@evil.example'])).toBe(refused)
  expect(await checked('mary@example.com', 'Mary@example.com')).toBe(refused)
})

test('what could end a header is taken out of every header value', () => {
  const evil = 'x\r\nBcc: eve@evil.example\u2028y\0z\u0085'
  const message = compose({ ...mail, subject: evil, template: evil, language: evil }, { ...from, name: evil })
  expect(JSON.stringify([message.subject, message.from, message.headers])).not.toMatch(
    /\\r|\\n|\u2028|\\u0000|\u0085/,
  )
  expect(headerSafe(evil)).toBe('x Bcc: eve@evil.example y z')
})
