import { describe, expect, test } from 'vitest'
import { acceptedLocales, directionOf, languageFor, languages, wordsFor } from './index.ts'

/** All sentences by path, such as `mail.common.footer`. */
const sentencesOf = (tree: object, path = ''): (readonly [string, string])[] =>
  Object.entries(tree).flatMap(([name, value]) =>
    typeof value === 'string' ? [[path + name, value] as const] : sentencesOf(value, `${path}${name}.`),
  )

const namesIn = (sentence: string): string[] => sentence.match(/\$\{[^}]*\}/g)?.toSorted() ?? []

const english = sentencesOf(wordsFor('en'))
const others = Object.keys(languages).filter((tag) => tag !== 'en')

test('there is English, and what was promised besides', () => {
  expect(others).toEqual(['de', 'es', 'fr', 'ja', 'ar'])
  expect(wordsFor('en').review).toBe('signed')
  // Remove a language from this list once a native speaker has signed its catalogue.
  expect(others.filter((tag) => wordsFor(tag).review === 'machine-drafted')).toEqual(others)
})

describe.each(others)('%s', (tag) => {
  const own = new Map(sentencesOf(wordsFor(tag)))

  test('has every sentence, in the order of the English ones', () => {
    expect([...own.keys()]).toEqual(english.map(([path]) => path))
    expect(own.get('language')).toBe(tag)
  })

  test.each(english)('%s has the same names', (path, sentence) => {
    expect(namesIn(own.get(path) ?? '')).toEqual(namesIn(sentence))
  })

  test('is plain text: no markup, no invisible letters, no blanks around', () => {
    for (const [path, sentence] of own) {
      expect(sentence, path).not.toMatch(/[<>&\u00ad\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/)
      expect(sentence, path).toBe(sentence.trim())
      expect(sentence.replace(/\$\{[\w.]+\}/g, ''), path).not.toMatch(/[${}]/)
    }
  })

  test('has its own text for every sentence', () => {
    const same = english.filter(([path, sentence]) => /\s/.test(sentence) && own.get(path) === sentence)
    expect(same.map(([path]) => path).filter((path) => path !== 'context.moment')).toEqual([])
  })

  test('has a colon before a code, where programs that read mails search for it', () => {
    for (const path of [
      'mail.common.codeInstead',
      'mail.ForgotPassword.codeOnly',
      'mail.EmailChallenge.codeOnly',
      'mail.SelfServiceUnlock.codeOnly',
      'mail.RegistrationEmailVerification.codeOnly',
    ]) {
      expect(own.get(path), path).toMatch(/[:：]$/)
    }
  })
})

test('Arabic is written from right to left, the others are not', () => {
  expect(Object.keys(languages).filter((tag) => directionOf(tag) === 'rtl')).toEqual(['ar'])
})

test.each([
  ['de-AT,de;q=0.9,en;q=0.8', 'de-AT,de,en'],
  ['en;q=0.5, fr', 'fr,en'],
  ['fr;q=0, es', 'es'],
  ['*', undefined],
  ['ja;q=oops, ar', 'ar'],
  ['<script>, de', 'de'],
  ['', undefined],
  [undefined, undefined],
])('Accept-Language %s asks for %s', (header, locales) => {
  expect(acceptedLocales(header)).toBe(locales)
})

test('of several locales the first that is known serves', () => {
  expect(languageFor('tlh,de-CH,fr')).toBe('de')
  expect(languageFor('tlh,')).toBe('en')
  expect(languageFor(acceptedLocales('pt-BR,pt;q=0.9,es-MX;q=0.8'))).toBe('es')
})
