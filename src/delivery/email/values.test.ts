import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { fc } from '../../../test/support/draws.ts'
import { defuse, renderValue } from './values.ts'

const inText = { html: false, inAddress: false }
const inHtml = { html: true, inAddress: false }
const inAddress = { html: true, inAddress: true }
const as = (kind: Parameters<typeof renderValue>[0]['kind']) => ({ name: 'x', kind })

/** The links that a mail program detects in a text. */
const linkified = async (text: string): Promise<string> =>
  (await simpleParser(`Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`)).textAsHtml ?? ''

describe('a name', () => {
  test.each([
    ['Mary', 'Mary'],
    ['Mary-Jane O’Neill', 'Mary-Jane O’Neill'],
    ['J. R. Smith, Ph.D.', 'J. R. Smith, Ph. D.'],
    ['Firefox 145.0.1', 'Firefox 145.0.1'],
    ['فاطمة', 'فاطمة'],
    ['👩‍🔬', '👩‍🔬'],
    ['evil.example', 'evil. example'],
    ['https://evil.example/x?a=b', 'https: / evil. example / x?a=b'],
    ['www.evil.example', 'www. evil. example'],
    ['evil。example', 'evil。 example'],
    ['mailto:eve@evil.example', 'mailto: eve@ evil. example'],
    ['@eve', '@ eve'],
    ['\\\\evil\\share', '/ evil / share'],
    ['Mary\r\nBcc: eve', 'Mary Bcc: eve'],
    ['Mary\u2028Enter: 1', 'Mary Enter: 1'],
    ['ab\u202ecd\u200b', 'abcd'],
    ['ev\u200bil.\u200bexample', 'evil. example'],
  ])('%j is renderValue as %j', (value, expected) => {
    expect(renderValue(as('name'), value, inText)).toBe(expected)
  })

  test('no more of it than a name has room for is renderValue', () => {
    const value = 'Your account is locked, call us now at once '.repeat(20)
    expect([...renderValue(as('name'), value, inText)].length).toBeLessThanOrEqual(80)
  })

  test('whatever it is, a mail program makes no link of it', async () => {
    const parts = [
      'http://',
      'https:',
      '//',
      '/',
      'www.',
      'evil',
      '.',
      'com',
      'example.org',
      '@',
      ':',
      '\\',
      ' ',
      '。',
      'ftp:',
      '\u200b',
      '?',
      '#',
      'a',
      '1',
    ]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...parts), { maxLength: 12 }), async (pieces) => {
        expect(await linkified(`Hi ${defuse(pieces.join(''))},`)).not.toContain('<a ')
      }),
      { numRuns: 300 },
    )
  })

  test('defusing is idempotent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (value) => {
        expect(defuse(defuse(value))).toBe(defuse(value))
      }),
    )
  })

  test('markup in it is escaped in HTML and plain in text', () => {
    const value = '<b>"Mary" & \'co\''
    expect(renderValue(as('name'), value, inHtml)).toBe('&lt;b&gt;&quot;Mary&quot; &amp; &#39;co&#39;')
    expect(renderValue(as('name'), value, inText)).toBe(value)
  })
})

test('an email address stays the same, and text that only resembles one is defused', () => {
  expect(renderValue(as('email'), 'mary.jones@mail.example.com', inText)).toBe('mary.jones@mail.example.com')
  expect(renderValue(as('email'), 'https://evil.example/@x.example', inText)).not.toContain('://')
  expect(renderValue(as('email'), 'evil.example', inText)).toBe('evil. example')
})

test('network addresses are renderValue as they are, anything else in their place is not', () => {
  expect(renderValue(as('ip'), '203.0.113.9', inText)).toBe('203.0.113.9')
  expect(renderValue(as('ip'), '2001:db8::1', inText)).toBe('2001:db8::1')
  expect(renderValue(as('ip'), 'evil.example', inText)).toBe('evil. example')
})

test('a link must be of the web, and its ampersands are escaped in HTML only', () => {
  const link = 'https://id.acme.example/email/verify/0oa1?token=ft1&x=2'
  expect(renderValue(as('link'), link, inText)).toBe(link)
  expect(renderValue(as('link'), link, inAddress)).toBe(link.replace('&', '&amp;'))
  for (const bad of [
    'javascript:alert(1)',
    'data:text/html,x',
    '/verify',
    'https://a.example/"onclick=',
    'https://a.example/a b',
    '',
  ]) {
    expect(() => renderValue(as('link'), bad, inAddress)).toThrow('not an http or https address')
  }
})

test('a value within an address is encoded as one part of it', () => {
  expect(renderValue(as('client'), 'a&b=c/../#"', inAddress)).toBe('a%26b%3Dc%2F..%2F%23%22')
})
