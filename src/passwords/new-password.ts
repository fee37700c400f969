import type { NewEnrollment, Person } from '../directory/index.ts'
import { isTooLong, type PasswordRules } from '../policies/index.ts'
import { isCommonPassword } from './common.ts'
import type { PasswordHasher } from './hash.ts'
import type { HashCaller } from './queue.ts'
import { requirementsSentence, tooLongSentence, unmetRequirements } from './rules.ts'

/** A user's password as it is stored: its hash, and those before it, newest first. */
export interface PasswordData {
  readonly hash: string
  readonly history: readonly string[]
  /** The authenticator that proved the recovery in which it was set; absent: it was set in another way. */
  readonly setBy?: string
}

/** The key of the authenticator that passwords belong to. */
export const passwordKey = 'okta_password'

/** A password as it is stored: a user has one. */
export const passwordEnrollment = (personId: string, data: PasswordData): NewEnrollment => ({
  personId,
  authenticator: passwordKey,
  prefix: 'lae',
  method: 'password',
  data,
})

/** No policy can ask for more. */
const longestHistory = 30

/** Whether a password is one of those that the policy refuses to see again. Costs a hash for each. */
export async function wasUsed(
  hasher: PasswordHasher,
  password: string,
  { historyCount }: PasswordRules,
  before: PasswordData | undefined,
  caller?: HashCaller,
): Promise<boolean> {
  const earlier = before === undefined ? [] : [before.hash, ...before.history].slice(0, historyCount)
  for (const hash of earlier) if (await hasher.verify(password, hash, caller)) return true
  return false
}

/** What is wrong with a password that a user sets in place of a known one, besides its form, or undefined. */
export async function changeProblem(
  hasher: PasswordHasher,
  password: string,
  rules: PasswordRules,
  before: { readonly data: PasswordData | undefined; readonly changedAt: number | null },
  at: { readonly now: number; readonly strict: boolean },
): Promise<string | undefined> {
  if (await wasUsed(hasher, password, rules, before.data)) {
    return `Password cannot be one of your last ${rules.historyCount} passwords.`
  }
  const waits = before.changedAt !== null && at.now < before.changedAt + rules.minAgeMinutes * 60_000
  return at.strict && waits ? 'The password was changed too recently.' : undefined
}

/** The stored form of a new password; the one before it goes into the history. */
export async function newPassword(
  hasher: PasswordHasher,
  password: string,
  before: PasswordData | undefined,
  caller?: HashCaller,
): Promise<PasswordData> {
  const history = before === undefined ? [] : [before.hash, ...before.history].slice(0, longestHistory)
  return { hash: await hasher.hash(password, caller), history }
}

/**
 * What is wrong with a password that an owner or administrator sets: all requirements in one sentence, as Okta has it, then
 * each one that is not met.
 */
export async function passwordProblems(
  password: string,
  rules: PasswordRules,
  { profile }: Pick<Person, 'profile'>,
): Promise<readonly string[]> {
  const unmet = unmetRequirements(password, rules, profile)
  if (unmet.length > 0) {
    const sentence = isTooLong(password) ? tooLongSentence : requirementsSentence(rules, profile)
    const summary = `Password requirements were not met. ${sentence}`
    return [summary, ...unmet.map((words) => `not met: ${words}`)]
  }
  return rules.excludeCommon && (await isCommonPassword(password)) ? ['This password is a common one.'] : []
}
