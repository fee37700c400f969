import type { Profile } from '../directory/index.ts'
import type { PasswordRules } from '../policies/index.ts'
import { folded } from './common.ts'

/** More characters than this are refused, never cut off (code points). */
export const longestPassword = 256

/** Code points of the form that is hashed: an accent that was typed by itself must not count as a character more. */
const lengthOf = (text: string): number => [...text.normalize('NFC')].length

interface Rule {
  /** As in "Password requirements: at least 8 characters, a number." */
  readonly says: string
  holds(password: string): boolean
}

const atLeast = (count: number, pattern: RegExp, says: string): Rule[] =>
  count > 0
    ? [
        {
          says: count === 1 ? says : `${says} (at least ${count})`,
          holds: (password) => [...password].filter((character) => pattern.test(character)).length >= count,
        },
      ]
    : []

const contains = (password: string, part: string): boolean => folded(password).includes(folded(part))

/** The parts of a username that a password must not contain: those of four characters and more. */
const partsOf = (login: string): readonly string[] =>
  login.split(/[.,\-_#@+\s]+/).filter((part) => lengthOf(part) >= 4)

const attributeNames: Readonly<Record<string, string>> = { firstName: 'first name', lastName: 'last name' }

/** The rules in force for a user, as a list to check and to read aloud. */
function rulesFor(rules: PasswordRules, profile: Profile): readonly Rule[] {
  return [
    {
      says: `at least ${rules.minLength} characters`,
      holds: (password) => lengthOf(password) >= rules.minLength,
    },
    {
      says: `at most ${longestPassword} characters`,
      holds: (password) => lengthOf(password) <= longestPassword,
    },
    ...atLeast(rules.minLowerCase, /\p{Ll}/u, 'a lowercase letter'),
    ...atLeast(rules.minUpperCase, /\p{Lu}/u, 'an uppercase letter'),
    ...atLeast(rules.minNumber, /\p{Nd}/u, 'a number'),
    ...atLeast(rules.minSymbol, /[^\p{L}\p{Nd}\s]/u, 'a symbol'),
    ...(rules.excludeUsername
      ? [
          {
            says: 'no parts of your username',
            holds: (password: string) => !partsOf(profile.login).some((part) => contains(password, part)),
          },
        ]
      : []),
    ...rules.excludeAttributes.map((attribute) => ({
      says: `does not include your ${attributeNames[attribute] ?? attribute}`,
      holds(password: string) {
        const value = profile[attribute]
        // A last name "A" must not block every password with an "a".
        return typeof value !== 'string' || lengthOf(value) < 3 || !contains(password, value)
      },
    })),
  ]
}

const historySentence = ({ historyCount }: PasswordRules): string =>
  historyCount === 0
    ? ''
    : historyCount === 1
      ? ' Your password cannot be your current password.'
      : ` Your password cannot be any of your last ${historyCount} passwords.`

/** The requirements as one sentence, as Okta's `password.passwordRequirementsNotMet` carries it. */
export function requirementsSentence(rules: PasswordRules, profile: Profile): string {
  const list = rulesFor(rules, profile)
    // The upper bound is shown only to users who exceed it: it would puzzle all others.
    .filter(({ says }) => !says.startsWith('at most'))
    .map(({ says }) => says)
    .join(', ')
  return `Password requirements: ${list}.${historySentence(rules)}`
}

/** Whether a password meets the rules that can be checked by looking at it. */
export const meetsRules = (password: string, rules: PasswordRules, profile: Profile): boolean =>
  password.isWellFormed() && rulesFor(rules, profile).every((rule) => rule.holds(password))

export const isTooLong = (password: string): boolean => lengthOf(password) > longestPassword

/** The settings as they stand in a response; only keys that the widget knows. */
export const settingsOf = (rules: PasswordRules): Readonly<Record<string, unknown>> => ({
  complexity: {
    minLength: rules.minLength,
    minLowerCase: rules.minLowerCase,
    minUpperCase: rules.minUpperCase,
    minNumber: rules.minNumber,
    minSymbol: rules.minSymbol,
    excludeUsername: rules.excludeUsername,
    excludeAttributes: rules.excludeAttributes,
  },
  age: { minAgeMinutes: rules.minAgeMinutes, historyCount: rules.historyCount },
})
