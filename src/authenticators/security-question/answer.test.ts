import { describe, expect, test } from 'vitest'
import {
  answerProblem,
  comparableAnswer,
  earlierForms,
  keyOfQuestion,
  questionProblem,
  questionTexts,
} from './index.ts'

// What users call the same answer.
const same: readonly (readonly [what: string, set: string, ...given: string[]])[] = [
  ['outer white space', 'Île-de-France ', 'Île-de-France', '\tÎle-de-France\n'],
  ['composition', 'Île-de-France', 'Île-de-France'.normalize('NFD'), 'Île-de-France'.normalize('NFC')],
  ['case', 'Île-de-France', 'ÎLE-DE-FRANCE', 'île-de-france'],
  ['the dotted capital I', 'İstanbul', 'istanbul', 'ISTANBUL', 'İSTANBUL', 'i̇stanbul', 'I\u0307STANBUL'],
  ['the dotless small i', 'ılgaz ırmak', 'ILGAZ IRMAK', 'ilgaz irmak', 'Ilgaz Irmak'],
  ['sharp s', 'Straße 12', 'STRASSE 12', 'strasse 12', 'STRAẞE 12'],
  ['the final sigma', 'Οδυσσεύς', 'ΟΔΥΣΣΕΎΣ', 'οδυσσεύσ'],
  ['ligatures', 'ﬁre station', 'fire station', 'FIRE STATION'],
  ['full width', 'Tokyo 2020', 'Ｔｏｋｙｏ　２０２０', 'ＴＯＫＹＯ 2020'],
  ['half width', 'カタカナ', 'ｶﾀｶﾅ'],
  ['white space inside', 'my old dog', 'my  old\u3000dog', 'my\u00a0old\tdog', 'my\u2003old \u2028dog'],
  ['what is not seen', 'wallpaper', 'wall\u00adpaper', 'wall\u200bpaper', '\ufeffwallpaper\u200d'],
]
describe('an answer is the same whatever differs of', () => {
  test.each(same)('%s', (_, set, ...given) => {
    for (const one of given) expect(comparableAnswer(one)).toBe(comparableAnswer(set))
  })
})

test.each([
  ['Paris', 'Pariš'],
  ['resume', 'résumé'],
  ['Ann Arbor', 'AnnArbor'],
  ['12345', '12346'],
])('%s is not %s', (one, other) => {
  expect(comparableAnswer(one)).not.toBe(comparableAnswer(other))
})

test('of every character, what is compared stays the same when it is compared again, in whatever case it was', () => {
  const changing: string[] = []
  for (let point = 0; point <= 0x1ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue
    const letter = String.fromCodePoint(point)
    const once = comparableAnswer(`a${letter}b`)
    const others = [
      once,
      `a${letter}b`.toUpperCase(),
      `a${letter}b`.toLowerCase(),
      `a${letter}b`.normalize('NFD'),
    ]
    if (others.some((one) => comparableAnswer(one) !== once)) changing.push(`${point.toString(16)} ${letter}`)
  }
  expect(changing).toEqual([])
})

test('what was hashed in the earlier form is found by what is typed today', () => {
  const earlier = (answer: string) => answer.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
  for (const [set, ...given] of [
    ['Île-de-France ', 'ÎLE-DE-FRANCE', 'île-de-france'.normalize('NFD'), 'Île-de-France'],
    ['İstanbul', 'istanbul', 'İSTANBUL', 'İstanbul', 'ISTANBUL'],
    ['my dog', 'MY\u3000DOG', 'ｍｙ ｄｏｇ'],
    ['Straße', 'straße', 'Straße'],
  ] as const) {
    for (const one of given) expect(earlierForms(one), one).toContain(earlier(set))
    expect(earlierForms(set).length).toBeLessThanOrEqual(4)
  }
})

const names = ['mary.major@example.com', 'mary.major@example.com']
test.each([
  ['tea', 'too-short'],
  ['t e', 'too-short'],
  [' t\u200b\u200be\u3000a ', 'short enough to be 5'],
  ['abc\u00ad\u200b', 'too-short'],
  ['x'.repeat(101), 'too-long'],
  ['KETTLE', 'in-question'],
  ['ｋｅｔｔｌｅ', 'in-question'],
  ['Major', 'in-name'],
  ['mary.major', 'in-name'],
  ['MARY.MAJOR@EXAMPLE.COM', 'in-name'],
  ['Majorca', undefined],
  ['Rose', undefined],
])('an answer %j: %s', (answer, problem) => {
  const found = answerProblem({ question: 'Where did the kettle come from?', answer }, names)
  expect(found).toBe(problem === 'short enough to be 5' ? undefined : problem)
})

test.each([
  ['Whose cat was it?', undefined],
  ['誰の猫ですか', undefined],
  ['4 < 5, or is it?', undefined],
  ['x'.repeat(256), 'too-long'],
  ['<b>Whose</b> cat?', 'tags'],
  ['< script>', 'tags'],
  ['<!-- -->', 'tags'],
  ['???', 'unreadable'],
  ['\u200b\u2060', 'unreadable'],
  ['Whose\u0000cat', 'unreadable'],
  ['\u202eWhose cat', 'unreadable'],
])('a question %j: %s', (question, problem) => {
  expect(questionProblem(question)).toBe(problem)
})

test('a text of the list has the key of the list, and any other one is custom', () => {
  for (const [key, text] of Object.entries(questionTexts)) expect(keyOfQuestion(text)).toBe(key)
  expect([keyOfQuestion('Whose cat?'), keyOfQuestion('constructor')]).toEqual(['custom', 'custom'])
  expect(Object.keys(questionTexts)).toHaveLength(19)
})
