import type { NewEnrollment, Person } from '../directory/index.ts'
import type { PasswordRules } from '../policies/index.ts'
import { isCommonPassword } from './common.ts'
import type { PasswordHasher } from './hash.ts'
import type { HashCaller } from './queue.ts'
import { isTooLong, meetsRules, requirementsSentence } from './rules.ts'

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

/** What is wrong with a password that an owner or administrator sets, as a sentence, or undefined. */
export async function passwordProblem(
  password: string,
  rules: PasswordRules,
  person: Pick<Person, 'profile'>,
): Promise<string | undefined> {
  if (isTooLong(password)) return 'Password requirements: at most 256 characters.'
  if (!meetsRules(password, rules, person.profile)) return requirementsSentence(rules, person.profile)
  if (rules.excludeCommon && (await isCommonPassword(password))) return 'This password is a common one.'
  return undefined
}
