import type { Profile } from '../directory/index.ts'
import { isTooLong, longestPassword, type PasswordRules, passwordRequirements } from '../policies/index.ts'

const historySentence = ({ historyCount }: PasswordRules): string =>
  historyCount === 0
    ? ''
    : historyCount === 1
      ? ' Your password cannot be your current password.'
      : ` Your password cannot be any of your last ${historyCount} passwords.`

/** The requirements as one sentence, as Okta's `password.passwordRequirementsNotMet` carries it. */
export function requirementsSentence(rules: PasswordRules, profile: Profile): string {
  const list = passwordRequirements(rules, profile).map(({ words }) => words)
  return `Password requirements: ${list.join(', ')}.${historySentence(rules)}`
}

/** The upper bound is shown only to users who exceed it: it would puzzle all others. */
const tooLong = `at most ${longestPassword} characters`
export const tooLongSentence = `Password requirements: ${tooLong}.`

/** Which requirements a password does not meet, of those that can be checked by the password alone. */
export function unmetRequirements(
  password: string,
  rules: PasswordRules,
  profile: Profile,
): readonly string[] {
  if (isTooLong(password)) return [tooLong]
  const unmet = passwordRequirements(rules, profile).filter((requirement) => !requirement.isMet(password))
  // A lone surrogate would be stored damaged by every hash.
  return [...(password.isWellFormed() ? [] : ['only whole characters']), ...unmet.map(({ words }) => words)]
}

export const meetsRules = (password: string, rules: PasswordRules, profile: Profile): boolean =>
  unmetRequirements(password, rules, profile).length === 0
