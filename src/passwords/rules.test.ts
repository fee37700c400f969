import { describe, expect, test } from 'vitest'
import { fc } from '../../test/support/draws.ts'
import { isTooLong, longestPassword, type PasswordRules, passwordSettings } from '../policies/index.ts'
import { isCommonPassword } from './common.ts'
import { meetsRules, requirementsSentence, unmetRequirements } from './rules.ts'

const modern: PasswordRules = {
  minLength: 12,
  minLowerCase: 0,
  minUpperCase: 0,
  minNumber: 0,
  minSymbol: 0,
  excludeUsername: true,
  excludeAttributes: ['firstName', 'lastName'],
  excludeCommon: true,
  historyCount: 1,
  minAgeMinutes: 0,
  maxAgeDays: 0,
  expireWarnDays: 0,
}
const classes: PasswordRules = {
  ...modern,
  minLength: 8,
  minLowerCase: 1,
  minUpperCase: 1,
  minNumber: 1,
  minSymbol: 1,
  excludeAttributes: [],
  historyCount: 4,
}
const mary = {
  login: 'mary.major@example.com',
  email: 'mary@example.com',
  firstName: 'Mary',
  lastName: 'Major',
}

describe('a password by length and names alone', () => {
  test.each([
    ['twelve letters', 'abcdefghijkl', true],
    ['eleven letters', 'abcdefghijk', false],
    ['twelve emoji, each one character', '\u{1F511}'.repeat(12), true],
    ['eleven emoji, of twenty-two units', '\u{1F511}'.repeat(11), false],
    ['twelve letters in two pieces each', 'e\u0301'.repeat(12), true],
    ['eleven letters in two pieces each', 'e\u0301'.repeat(11), false],
    ['two hundred and fifty-six characters', 'x'.repeat(256), true],
    ['one character more', 'x'.repeat(257), false],
    ['two hundred and fifty-six emoji', '\u{1F511}'.repeat(256), true],
    ['blanks', 'correct horse battery', true],
    ['a lone surrogate, which no hash would keep', `abcdefghijkl\uD800`, false],
    ['a part of the username', 'my-MAJOR-password', false],
    ['a short part of the username only', 'com-com-com-com', true],
    ['the first name, in whatever case', 'i am mARy, you know', false],
  ])('%s', (_, password, good) => {
    expect(meetsRules(password, modern, mary)).toBe(good)
  })

  test('a name of one or two letters blocks nothing', () => {
    expect(meetsRules('abcdefghijkl', modern, { ...mary, firstName: 'a', lastName: 'Li' })).toBe(true)
  })
})

describe('a password of four classes', () => {
  test.each([
    ['one of each', 'aB3$efgh', true],
    ['no lower case', 'AB3$EFGH', false],
    ['no upper case', 'ab3$efgh', false],
    ['no number', 'aBc$efgh', false],
    ['no symbol', 'aB3defgh', false],
    ['a blank is no symbol', 'aB3 efgh', false],
    ['letters and digits of other scripts', '\u0434\u0414\u0663\u20AC\u0434\u0434\u0434\u0434', true],
  ])('%s', (_, password, good) => {
    expect(meetsRules(password, classes, mary)).toBe(good)
  })

  test('more than one of a class may be asked for', () => {
    const rules = { ...classes, minNumber: 3 }
    expect([meetsRules('aB3$ef12', rules, mary), meetsRules('aB3$efg1', rules, mary)]).toEqual([true, false])
  })
})

test('what is told in words is what is checked', () => {
  expect(requirementsSentence(modern, mary)).toBe(
    'Password requirements: at least 12 characters, no parts of your username, does not include your first name, does not include your last name. Your password cannot be your current password.',
  )
  expect(requirementsSentence({ ...classes, minNumber: 2, historyCount: 0 }, mary)).toBe(
    'Password requirements: at least 8 characters, a lowercase letter, an uppercase letter, a number (at least 2), a symbol, no parts of your username.',
  )
  expect(requirementsSentence(classes, mary)).toMatch(
    /Your password cannot be any of your last 4 passwords\.$/,
  )
})

test.each([
  ['short', modern, ['at least 12 characters']],
  ['marymarymary', modern, ['no parts of your username', 'does not include your first name']],
  ['ABCDEFGH', classes, ['a lowercase letter', 'a number', 'a symbol']],
  ['x'.repeat(257), classes, ['at most 256 characters']],
  ['abcdefghijkl\uD800', modern, ['only whole characters']],
  ['abcdefghijkl', modern, []],
])('of %s the requirements are named that are not met', (password, rules, words) => {
  expect(unmetRequirements(password, rules, mary)).toEqual(words)
})

test('only settings that the sign-in widget knows are sent: another one breaks it', () => {
  const { complexity, age } = passwordSettings(classes)
  expect(Object.keys(complexity ?? {})).toEqual([
    'minLength',
    'minLowerCase',
    'minUpperCase',
    'minNumber',
    'minSymbol',
    'excludeUsername',
    'excludeAttributes',
  ])
  expect(age).toEqual({ minAgeMinutes: 0, historyCount: 4 })
})

test('a longer password never fails where a shorter one was long enough, up to the limit', () => {
  const rules = { ...modern, excludeUsername: false, excludeAttributes: [] }
  const character = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })
  fc.assert(
    fc.property(fc.array(character, { maxLength: 300 }), character, (characters, more) => {
      const password = characters.join('')
      const longer = password + more
      if (meetsRules(password, rules, mary)) expect(meetsRules(longer, rules, mary)).toBe(!isTooLong(longer))
      expect(isTooLong(password)).toBe([...password.normalize('NFC')].length > longestPassword)
    }),
  )
})

test('a common password is known in whatever case, an uncommon one is not', async () => {
  expect(
    await Promise.all(['password', 'PassWord', 'qwertyuiop', '123456789'].map(isCommonPassword)),
  ).toEqual([true, true, true, true])
  expect(await isCommonPassword('Lighthouse-Biscuit-77')).toBe(false)
  expect(await isCommonPassword('constructor of worlds')).toBe(false)
})
