import { expect, test } from 'vitest'
import { reasonText, secretsOf } from './reason-text.ts'

test('a reason stays readable', () => {
  expect(
    reasonText('Can’t send mail - all recipients were rejected: 550 5.7.1 SPF check failed for 192.0.2.1'),
  ).toBe('Can’t send mail - all recipients were rejected: 550 5.7.1 SPF check failed for 192.0.2.1')
  expect(reasonText('127.0.0.1:2525: connect ECONNREFUSED 127.0.0.1:2525')).toContain(
    ':2525: connect ECONNREFUSED',
  )
  expect(reasonText('550-no such user\r\n550 learn more')).toBe('550-no such user 550 learn more')
})

test('a reason holds nothing that a terminal obeys, and is cut', () => {
  expect(reasonText('550 \u001b]0;owned\u0007\u001b[2Jno\u202e\u2066\u009b1m\u2028\u0000 user')).toBe(
    '550 ]0;owned [2Jno 1m user',
  )
  expect(reasonText('no '.repeat(1000))).toHaveLength(300)
})

test('a reason holds no address, no link, no code and no token', () => {
  expect(reasonText('550 <mary@example.com>: unknown, not even MARY@EXAMPLE.COM')).toBe(
    '550 (address): unknown, not even (address)',
  )
  expect(reasonText('554 see https://id.acme.example/x?token=abc, code 428571')).toBe(
    '554 see (link) code (number)',
  )
  // A long code has no six digits in a row; a link may be wrapped.
  expect(reasonText('554 your K7QX2MB9RT is spam', ['K7QX2MB9RT'])).toBe('554 your (hidden) is spam')
  expect(reasonText('554 spam: =\n kZ8aQ1vTq0WcY2mE4nR7pL3s is it')).toBe('554 spam: = (hidden) is it')
})

test('the secrets of a mail are its codes and links', () => {
  const link = 'https://id.acme.example/x'
  expect(
    secretsOf('ForgotPassword', { oneTimePassword: '428571', resetPasswordLink: link, 'org.name': 'Acme' }),
  ).toEqual(['428571', link])
})
