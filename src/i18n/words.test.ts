import { describe, expect, test } from 'vitest'
import {
  dateInWords,
  directionOf,
  fill,
  isLanguageTag,
  languageFor,
  languages,
  spanInWords,
  timeInWords,
  wordsFor,
} from './index.ts'

describe('the language for a locale', () => {
  const among = ['en', 'de', 'pt-BR']

  test.each([
    ['de', 'de'],
    ['de-AT', 'de'],
    ['DE_at', 'de'],
    ['pt-br', 'pt-BR'],
    ['pt', 'en'],
    ['zh-Hant-TW', 'en'],
    ['', 'en'],
    ['__proto__', 'en'],
    [undefined, 'en'],
  ])('%s is served by %s', (locale, language) => {
    expect(languageFor(locale, among)).toBe(language)
  })

  test('words that are not there are English', () => {
    expect(wordsFor('tlh')).toBe(languages.en)
    expect(wordsFor(undefined).language).toBe('en')
  })
})

test('names are replaced everywhere, and a value is never read as a name', () => {
  expect(fill('${a} and ${b.c}, ${a}', { a: '${b.c}', 'b.c': '$& $1' })).toBe('${b.c} and $& $1, ${b.c}')
})

test('a name without a value stays visible', () => {
  expect(fill('Hi ${name}', {})).toBe('Hi ${name}')
})

test.each([
  [300_000, '5 minutes'],
  [60_000, '1 minute'],
  [5_400_000, '90 minutes'],
  [3_600_000, '1 hour'],
  [259_200_000, '3 days'],
  [90_000, '90 seconds'],
  [0, '1 second'],
])('%i milliseconds are %s', (ms, words) => {
  expect(spanInWords('en', ms)).toBe(words)
})

test('spans and dates follow the language', () => {
  expect(spanInWords('de', 300_000)).toBe('5 Minuten')
  expect(dateInWords('en', 1_795_356_300_000)).toBe('November 22, 2026')
  expect(dateInWords('de', 1_795_356_300_000)).toBe('22. November 2026')
  expect(timeInWords('en', 1_795_356_300_000).replace(/\s/g, ' ')).toBe('2:05 PM UTC')
})

test.each([
  ['en', 'ltr'],
  ['ja', 'ltr'],
  ['ar', 'rtl'],
  ['he-IL', 'rtl'],
  ['fa', 'rtl'],
  ['az-Arab', 'rtl'],
])('%s is written %s', (language, direction) => {
  expect(directionOf(language)).toBe(direction)
})

test('language tags are distinguished from other names', () => {
  expect(['de', 'pt-BR', 'zh-Hant', 'en-US'].filter(isLanguageTag)).toHaveLength(4)
  expect(['', 'partials', 'en-12', 'de_AT', '../de', 'images'].filter(isLanguageTag)).toEqual([])
})

test('no sentence is empty, and its names are those that templates and pages use', () => {
  const sentences = (tree: object): string[] =>
    Object.values(tree).flatMap((value) => (typeof value === 'string' ? [value] : sentences(value)))
  const english = sentences(wordsFor('en'))

  expect(english.every((sentence) => sentence.trim() === sentence && sentence.length > 1)).toBe(true)
  for (const words of Object.values(languages)) expect(sentences(words)).toHaveLength(english.length)
})
