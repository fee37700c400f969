import { expect, test } from 'vitest'
import { createSecrets } from '../../base/index.ts'
import { codeIn, codesData, codesOf, resealedCodes, withoutCode } from './codes.ts'

const secrets = createSecrets(['a secret for this test only, long'])
const derived = (nonce: string) => (purpose: string) => secrets.hash('derived', `${purpose} ${nonce}`)
const codes = codesOf(derived('one'))

test('a set has ten codes of eighty bits, of letters and digits that are not confused with each other', () => {
  expect(codes).toHaveLength(10)
  for (const code of codes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
  const many = Array.from({ length: 200 }, (_, index) => codesOf(derived(`of ${index}`))).flat()
  expect(new Set(many).size).toBe(2000)
  // Each of the 32 is about as likely as another: 32,000 letters, 1,000 of each.
  const letters = many.join('').replaceAll('-', '')
  for (const letter of '0123456789ABCDEFGHJKMNPQRSTVWXYZ') {
    const found = letters.split(letter).length - 1
    expect([letter, found > 850 && found < 1150]).toEqual([letter, true])
  }
  expect(codesOf(derived('one'))).toEqual(codes)
})

test('a code is read however it was typed', () => {
  const [code = ''] = codes
  for (const typed of [
    code.toLowerCase(),
    code.replaceAll('-', ''),
    ` ${code.replaceAll('-', ' \u2013 ')} `,
    code.replaceAll('0', 'o').replaceAll('1', 'l'),
    [...code]
      .map((letter) => (letter === '-' ? letter : String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)))
      .join(''),
  ]) {
    expect(codeIn(typed)).toBe(code.replaceAll('-', ''))
  }
  for (const nothing of ['', ' ', '-', ' - – ']) expect(codeIn(nothing)).toBeUndefined()
  expect(codeIn('A'.repeat(1_000_000))?.length).toBeLessThan(64)
})

test('each is good once, in any order, until none is left', () => {
  let data = codesData(codes, secrets)
  expect(JSON.stringify(data)).not.toContain(codes[0])
  for (const [index, code] of codes.toReversed().entries()) {
    const left = withoutCode(data, code, secrets)
    expect(left?.left).toBe(9 - index)
    data = left ?? data
    expect(withoutCode(data, code, secrets)).toBeUndefined()
  }
  expect(withoutCode(data, '', secrets)).toBeUndefined()
})

test('is no other code: not a hash, not a prefix, not one of another set', () => {
  const data = codesData(codes, secrets)
  for (const other of [
    codesOf(derived('two'))[0] ?? '',
    codes[0]?.slice(0, 18) ?? '',
    `${codes[0]}0`,
    data.sealedHashes,
  ])
    expect(withoutCode(data, other, secrets)).toBeUndefined()
})

test('survives the rotation of the secret', () => {
  const data = codesData(codes, secrets)
  const both = createSecrets(['another secret for this test, long', 'a secret for this test only, long'])
  both.makeCurrent(both.versions[0] ?? '', both.versions.slice(1))
  const moved = resealedCodes(data, both)
  expect(moved && resealedCodes(moved, both)).toBeUndefined()
  const alone = createSecrets(['another secret for this test, long'])
  expect(moved && withoutCode(moved, codes[3] ?? '', alone)?.left).toBe(9)
  expect(() => withoutCode(data, codes[3] ?? '', alone)).toThrow()
})
