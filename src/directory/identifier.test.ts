import { describe, expect, test } from 'vitest'
import { fc } from '../../test/support/draws.ts'
import { compareKey, looksLikeAddress, maskAddress } from './identifier.ts'

const unassigned = /\p{Cn}/u

describe('the compare key', () => {
  test('of a key is the key, for every code point there is', () => {
    const unstable: string[] = []
    for (let point = 0; point <= 0x10ffff; point++) {
      const character = String.fromCodePoint(point)
      // Those that are not assigned are all treated alike: once is enough for them.
      const texts = unassigned.test(character) ? [character] : [character, `a@b${character}.c`]
      for (const text of texts) {
        const key = compareKey(text)
        if (key !== text && compareKey(key) !== key) unstable.push(`U+${point.toString(16)} in ${text}`)
      }
    }
    expect(unstable).toEqual([])
  })

  test('of a key is the key, for any text', () => {
    const odd = fc.constantFrom(
      ...'aAiIıİſßẞﬁKÅΣς＠@.。-_ ¨´\u00AD\u200B\u0307\u0345٠①½/?#:%\\[]',
      '\uD800',
      'xn--',
      '%41',
    )
    const text = fc.array(fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 8 })
    fc.assert(
      fc.property(text, (parts) => {
        const key = compareKey(parts.join(''))
        expect(compareKey(key)).toBe(key)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['upper and lower case', 'Mary@Example.COM', 'mary@example.com'],
    ['blanks around it', ' mary@example.com\u00A0\n', 'mary@example.com'],
    ['a full-width @', 'mary\uFF20example.com', 'mary@example.com'],
    ['full-width letters', '\uFF2D\uFF21\uFF32\uFF39@example.com', 'mary@example.com'],
    ['a ligature', '\uFB01x@example.com', 'fix@example.com'],
    ['the Kelvin sign', '\u212Aim@example.com', 'kim@example.com'],
    ['composed and decomposed letters', 'ame\u0301lie@example.com', 'am\u00E9lie@example.com'],
    [
      'a domain in letters of its own and in ASCII',
      'mary@m\u00FCnchen.example',
      'mary@xn--mnchen-3ya.example',
    ],
    ['a domain with a soft hyphen', 'mary@exam\u00ADple.com', 'mary@example.com'],
    ['an ideographic full stop', 'mary@example\u3002com', 'mary@example.com'],
  ])('is the same with %s', (_, one, other) => {
    expect(compareKey(one)).toBe(compareKey(other))
  })

  test.each([
    ['a dotless i', 'm\u0131ke@example.com', 'mike@example.com'],
    ['a dotless i in the domain', 'mary@g\u0131thub.com', 'mary@github.com'],
    ['a dotted capital I, which lower-cases to two', 'm\u0130ke@example.com', 'mi\u0307ke@example.com'],
    ['a sharp s, which upper-cases to two letters', 'stra\u00DFe@example.com', 'strasse@example.com'],
    ['a Cyrillic letter that looks the same', 'm\u0430ry@example.com', 'mary@example.com'],
    ['an accent', 'm\u00E4ry@example.com', 'mary@example.com'],
    ['a tag behind a plus', 'mary+shop@example.com', 'mary@example.com'],
    ['dots', 'm.ary@example.com', 'mary@example.com'],
    ['a blank inside', 'ma ry@example.com', 'mary@example.com'],
    ['a path behind the domain', 'mary@example.com/eve', 'mary@example.com'],
    ['a query behind the domain', 'mary@example.com?eve', 'mary@example.com'],
    ['a backslash behind the domain', 'mary@example.com\\eve', 'mary@example.com'],
    ['an escaped domain', 'mary@%65xample.com', 'mary@example.com'],
    ['a port', 'mary@example.com:80', 'mary@example.com'],
    ['another domain behind', 'mary@example.com@evil.example', 'mary@example.com'],
    ['a number for an address', 'mary@127.1', 'mary@127.0.0.1'],
  ])('is another with %s', (_, one, other) => {
    expect(compareKey(one)).not.toBe(compareKey(other))
  })

  test('of a name without a domain is the name', () => {
    expect(compareKey('Mary')).toBe('mary')
    expect(compareKey('@example.com')).toBe('@example.com')
    expect(compareKey('')).toBe('')
  })
})

test.each([
  ['mary@example.com', 'm***y@example.com'],
  ['ab@example.com', 'a***@example.com'],
  ['a@example.com', 'a***@example.com'],
  ['\u{1F511}key\u{1F511}@example.com', '\u{1F511}***\u{1F511}@example.com'],
  ['a@b@example.com', 'a***b@example.com'],
])('%s is shown as %s', (address, masked) => {
  expect(maskAddress(address)).toBe(masked)
})

test('a mask tells no more letters of the name than the first and the last', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{3,30}$/), (name) => {
      const masked = maskAddress(`${name}@example.com`)
      expect(masked).toBe(`${name[0]}***${name.at(-1)}@example.com`)
    }),
  )
})

test.each(['mary@example.com', "o'hara+tag@example.com", 'am\u00E9lie@m\u00FCnchen.example', 'a@b'])(
  '%s can be an address',
  (text) => expect(looksLikeAddress(text)).toBe(true),
)

test.each([
  'mary',
  '@example.com',
  'mary@',
  'mary@eve@example.com',
  'mary@example.com,eve@example.com',
  'mary@example.com;eve@example.com',
  'Mary <mary@example.com>',
  '"mary"@example.com',
  'team:mary@example.com',
  'mary@[127.0.0.1]',
  'mary(home)@example.com',
  'ma ry@example.com',
  'mary@exa\nmple.com',
  `${'a'.repeat(250)}@b.com`,
])('%j cannot be an address', (text) => expect(looksLikeAddress(text)).toBe(false))
