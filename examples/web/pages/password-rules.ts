import type { Words } from '../words.ts'

/** A rule of the password policy. `isMet` exists for rules that the app can check itself. */
export interface Rule {
  readonly text: string
  /** What is wrong with a password that breaks it, as a clause; empty for rules that the app always checks. */
  readonly broken: string
  readonly isMet?: (password: string) => boolean
}

/** The rules in `nextStep.authenticator.settings`, which the SDK returns unchanged from the server. */
export function rulesOf(settings: unknown, words: Words['reset'], username?: string): readonly Rule[] {
  const { complexity, age } = membersOf(settings)
  const { excludeUsername, excludeAttributes, ...counts } = membersOf(complexity)
  const attributes = Array.isArray(excludeAttributes) ? excludeAttributes : []
  const history = countOf(membersOf(age).historyCount)

  const characters = countOf(counts.minLength)
  const rules: readonly (Rule | false)[] = [
    characters > 0 && {
      text: words.minLength(characters),
      broken: '',
      // Counts code points: an emoji is one character.
      isMet: (password) => [...password.normalize('NFC')].length >= characters,
    },
    countOf(counts.minLowerCase) > 0 && {
      text: words.minLowerCase,
      broken: '',
      isMet: (it) => /\p{Ll}/u.test(it),
    },
    countOf(counts.minUpperCase) > 0 && {
      text: words.minUpperCase,
      broken: '',
      isMet: (it) => /\p{Lu}/u.test(it),
    },
    countOf(counts.minNumber) > 0 && { text: words.minNumber, broken: '', isMet: (it) => /\p{Nd}/u.test(it) },
    countOf(counts.minSymbol) > 0 && {
      text: words.minSymbol,
      broken: '',
      isMet: (it) => /[^\p{L}\p{Nd}]/u.test(it),
    },
    excludeUsername === true && {
      text: words.excludeUsername,
      broken: words.hasUsername,
      ...(username !== undefined && { isMet: (it: string) => !hasPartOf(username, it) }),
    },
    attributes.includes('firstName') && { text: words.excludeFirstName, broken: words.hasFirstName },
    attributes.includes('lastName') && { text: words.excludeLastName, broken: words.hasLastName },
    history > 0 && { text: words.history(history), broken: words.wasUsed(history) },
  ]
  return rules.filter((rule) => rule !== false)
}

/** Okta's rule: the parts of a username between its separators, of four characters and more. */
const hasPartOf = (username: string, password: string): boolean =>
  username
    .split(/[.,\-_#@+\s]+/)
    .some((part) => [...part].length >= 4 && folded(password).includes(folded(part)))

const folded = (text: string): string => text.normalize('NFKC').toLowerCase()

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

const countOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
