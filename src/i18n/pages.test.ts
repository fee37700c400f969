import { describe, expect, test } from 'vitest'
import { languages, pageLanguages } from './index.ts'

/** All sentences by path. */
const sentencesOf = (tree: object, path: readonly string[] = []): (readonly [string, string])[] =>
  Object.entries(tree).flatMap(([name, value]) =>
    typeof value === 'string'
      ? [[[...path, name].join(' '), value] as const]
      : sentencesOf(value, [...path, name]),
  )

const namesIn = (sentence: string): string[] => sentence.match(/\$\{[^}]*\}/g)?.toSorted() ?? []
const english = sentencesOf(pageLanguages.en ?? {})

test('the pages speak the languages of the mails', () => {
  expect(Object.keys(pageLanguages)).toEqual(Object.keys(languages))
})

describe.each(Object.keys(pageLanguages).filter((tag) => tag !== 'en'))('%s', (tag) => {
  const own = new Map(sentencesOf(pageLanguages[tag] ?? {}))

  test('has every sentence, in the order of the English ones, with the same names', () => {
    expect([...own.keys()]).toEqual(english.map(([path]) => path))
    for (const [path, sentence] of english) {
      expect(namesIn(own.get(path) ?? ''), path).toEqual(namesIn(sentence))
    }
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
    expect(same.map(([path]) => path).filter((path) => !path.endsWith('okta_verify'))).toEqual(
      tag === 'es' ? ['errorTitle'] : [],
    )
  })
})
