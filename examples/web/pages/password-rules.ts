import type { Words } from '../words.ts'

/** A rule of the password policy. `isMet` exists for rules that the app can check itself. */
export interface Rule {
  readonly text: string
  readonly isMet?: (password: string) => boolean
}

/** The rules in `nextStep.authenticator.settings`, which the SDK returns unchanged from the server. */
export function rulesOf(settings: unknown, words: Words['reset']): readonly Rule[] {
  const { complexity, age } = membersOf(settings)
  const { excludeUsername, excludeAttributes, ...counts } = membersOf(complexity)
  const attributes = Array.isArray(excludeAttributes) ? excludeAttributes : []
  const history = countOf(membersOf(age).historyCount)

  const characters = countOf(counts.minLength)
  const rules: readonly (Rule | false)[] = [
    characters > 0 && {
      text: words.minLength(characters),
      // Counts code points: an emoji is one character.
      isMet: (password) => [...password.normalize('NFC')].length >= characters,
    },
    countOf(counts.minLowerCase) > 0 && { text: words.minLowerCase, isMet: (it) => /\p{Ll}/u.test(it) },
    countOf(counts.minUpperCase) > 0 && { text: words.minUpperCase, isMet: (it) => /\p{Lu}/u.test(it) },
    countOf(counts.minNumber) > 0 && { text: words.minNumber, isMet: (it) => /\p{Nd}/u.test(it) },
    countOf(counts.minSymbol) > 0 && { text: words.minSymbol, isMet: (it) => /[^\p{L}\p{Nd}]/u.test(it) },
    excludeUsername === true && { text: words.excludeUsername },
    attributes.includes('firstName') && { text: words.excludeFirstName },
    attributes.includes('lastName') && { text: words.excludeLastName },
    history > 0 && { text: words.history(history) },
  ]
  return rules.filter((rule) => rule !== false)
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

const countOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
