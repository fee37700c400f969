import { expect, test } from 'vitest'
import { processorMs } from '../../../test/support/machine.ts'
import { codeIn, linkIn, readMail } from './mail-content.ts'

const lines = (...all: readonly string[]): Buffer => Buffer.from(all.join('\r\n'))

test('reads sender, subject, both parts, code, link and template of a mail', async () => {
  const mail = await readMail(
    lines(
      'From: "Acme Accounts" <no-reply@acme.example>',
      'To: ada@example.com',
      'Subject: =?utf-8?B?UGFzc3dvcnQgenVyw7xja3NldHplbg==?=',
      'X-Rekey-Template: ForgotPassword',
      'MIME-Version: 1.0',
      'Content-Type: multipart/alternative; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'Enter a code instead: 123456',
      '--b',
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '<a id=3D"reset-password-link" href=3D"http://localhost:9000/email/verify/0=',
      'oa1?token=3DftABC">Reset</a>',
      '--b--',
    ),
  )

  expect(mail).toMatchObject({
    from: 'Acme Accounts <no-reply@acme.example>',
    subject: 'Passwort zurücksetzen',
    code: '123456',
    link: 'http://localhost:9000/email/verify/0oa1?token=ftABC',
    template: 'ForgotPassword',
  })
  expect(mail.text).toContain('Enter a code instead')
  expect(mail.html).toContain('reset-password-link')
})

test('a mail without code, link, template and HTML has null and empty text in their places', async () => {
  const mail = await readMail(lines('From: a@b.example', 'Subject: Hello', '', 'Your password was changed.'))

  expect(mail).toMatchObject({ from: 'a@b.example', html: '', code: null, link: null, template: null })
})

test('bytes that are not a mail are stored as an empty mail', async () => {
  const mail = await readMail(Buffer.from([0, 255, 13, 10, 1, 2, 3]))

  expect(mail).toMatchObject({ from: '', subject: '', code: null, link: null, template: null })
})

test('a template header that is no plain name is not taken over', async () => {
  const mail = await readMail(lines('X-Rekey-Template: <b>oh</b>', 'Subject: x', '', 'x'))

  expect(mail.template).toBeNull()
})

test.each([
  ['Enter a code instead: 123456', '123456'],
  ['Enter a code instead: 123456.', '123456'],
  ['Enter a code instead: A1B2C3D4E5', 'A1B2C3D4E5'],
  ['Enter a code instead: 12345', null],
  ['Enter a code instead: 1234567', null],
  ['Enter a code instead: A1B2C3D4E5F', null],
  ['Gib stattdessen den Code ein: 123456', '123456'],
  ['Saisissez plutôt ce code : 123456\r', '123456'],
  ['または、コードを入力してください：654321', '654321'],
  ['أو أدخل الرمز: \u2068123456\u2069', '123456'],
  ['Hello\n\n  ABCD2345EF  \n\nBye', 'ABCD2345EF'],
  ['Betreff: BESTAETIGT', null],
  ['Call 123456 for help', null],
  ['Order 123456', null],
])('the code in the text %j is %j', (text, code) => {
  expect(codeIn(text, '')).toBe(code)
})

test.each([
  ['enter this code: <b>123456</b>', '123456'],
  ['enter the verification code: <strong>123456</strong>', '123456'],
  ["<p>Can't use the link? Enter a code instead: 123456</p>", '123456'],
  ['<p>123456</p>', null],
])('the code in the markup %j is %j', (markup, code) => {
  expect(codeIn('', markup)).toBe(code)
})

test.each([
  ['<a id="reset-password-link" href="https://h/x?a=1&amp;b=2">', 'https://h/x?a=1&b=2'],
  ['<a id="reset-password-link" href="https://h/&#38;&#x26;&quot;">', 'https://h/&&"'],
  ['<a id="logo" href="https://h/"><a id="unlock-account-link" href="https://h/unlock">', 'https://h/unlock'],
  ['<a id="my-own-button" href="https://h/own">', 'https://h/own'],
  ['<a href="https://h/x" id="reset-password-link">', null],
  ['<a id="reset-password-link" href="javascript:alert(1)">', null],
  ['<a id="reset-password-link" href="&#106;avascript:alert(1)">', null],
  ['<a id="reset-password-link" href="data:text/html,x">', null],
])('the link in %j is %j', (markup, link) => {
  expect(linkIn(markup)).toBe(link)
})

test('a mail designed to slow the patterns down takes no noticeable time', () => {
  const hostile = `${'\n '.repeat(300_000)}${': '.repeat(300_000)}${'<a id="'.repeat(100_000)}`
  const before = processorMs()

  expect(codeIn(hostile, hostile)).toBeNull()
  expect(linkIn(hostile)).toBeNull()
  expect(processorMs() - before).toBeLessThan(1000)
})
