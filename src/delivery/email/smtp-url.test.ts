import { describe, expect, test } from 'vitest'
import { parseSender } from './sender.ts'
import { heloNameFrom, isLoopback, parseSmtpUrl } from './smtp-url.ts'

describe('the address of a mail server', () => {
  test('names host, port, encryption and credentials', () => {
    expect(parseSmtpUrl('smtp://user:p%40ss%2F@mail.example.com')).toMatchObject({
      host: 'mail.example.com',
      port: 587,
      implicitTls: false,
      user: 'user',
      password: 'p@ss/',
    })
    expect(parseSmtpUrl('smtps://mail.example.com')).toMatchObject({ port: 465, implicitTls: true, user: '' })
    expect(parseSmtpUrl('smtp://[::1]:25/')).toMatchObject({ host: '::1', port: 25 })
    expect(parseSmtpUrl('smtp://relay?name=id.example.com&requireTLS=true')).toMatchObject({
      name: 'id.example.com',
      requireTls: true,
    })
  })

  test.each([
    'ftp://mail.example.com',
    'mail.example.com:587',
    'smtp://',
    'smtp://user:p/ss@mail.example.com',
    'smtp://user:p#ss@mail.example.com',
    'smtp://user:p%ss@mail.example.com',
    'smtp://mail.example.com?requireTLS=false',
    'smtp://mail.example.com?ignoreTLS=true',
    'smtp://mail.example.com?tls.rejectUnauthorized=false',
    'smtp://mail.example.com?name=a b',
    '',
  ])('%j is refused, and its password is not repeated', (text) => {
    expect(() => parseSmtpUrl(text)).toThrow(/^(must|names|has|is)/)
    expect(() => parseSmtpUrl(text)).not.toThrow(/p[/#%]ss/)
  })
})

test('the name for EHLO is the first that is one of the Internet', () => {
  expect(heloNameFrom(['id.acme.example', 'acme.example'])).toBe('id.acme.example')
  expect(heloNameFrom(['localhost', 'acme.example'])).toBe('acme.example')
  expect(heloNameFrom(['127.0.0.1', '[::1]', 'acme.example'])).toBe('acme.example')
  expect(heloNameFrom([undefined, 'exämple.example'])).toBe('xn--exmple-cua.example')
  expect(heloNameFrom([undefined, 'localhost'])).toBe('localhost')
  expect(heloNameFrom(['a b', ''])).toBe('localhost')
})

test('loopback is 127.0.0.0/8 and ::1', () => {
  for (const local of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])
    expect(isLoopback(local)).toBe(true)
  for (const other of ['10.0.0.1', '192.0.2.1', '::2', '::ffff:10.0.0.1', 'localhost', ''])
    expect(isLoopback(other)).toBe(false)
})

test('a sender is an address, with a display name or without', () => {
  const address = 'no-reply@acme.example'
  expect(parseSender(address)).toEqual({ address, name: '' })
  expect(parseSender(`Acme <${address}>`)).toEqual({ address, name: 'Acme' })
  expect(parseSender(` "Acme, \\"Inc.\\"" <${address}> `)).toEqual({ address, name: 'Acme, "Inc."' })
  expect(parseSender(`<${address}>`)).toEqual({ address, name: '' })
  for (const bad of [
    '',
    'no-reply',
    'a@b.example, c@d.example',
    `Acme ${address}`,
    `Acme <no-reply>`,
    `A\r\nB <${address}>`,
  ])
    expect(parseSender(bad)).toBeUndefined()
})
