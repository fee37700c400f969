import type { Person } from '../directory/index.ts'
import type { Budget } from '../limits/index.ts'
import type { Policy } from '../policies/index.ts'

const minute = 60_000
/** Longer than any engine lives. */
const everlasting = 36_500 * 1440 * minute

/** Whether a locked account has been locked for as long as its policy says. */
export const isLockOver = (person: Person | undefined, { lockout }: Policy, now: number): boolean =>
  person?.status === 'LOCKED_OUT' &&
  lockout.autoUnlockMinutes > 0 &&
  now >= person.statusChangedAt + lockout.autoUnlockMinutes * minute

/** How wrong passwords are counted towards a lock, by account, so that `limit` of them have room. */
export const lockoutPurpose = 'lockout'

/**
 * The budget of wrong passwords in a row. Its window ends no later than a lock that it led to, so that a user who is let in
 * again has all attempts. What made-up names have used up is forgotten after a day, or it would stay for good (A45).
 */
export const lockoutBudget = ({ lockout }: Policy, limit: number, known: boolean): Budget => ({
  purpose: lockoutPurpose,
  limit,
  windowMs:
    lockout.autoUnlockMinutes > 0 ? lockout.autoUnlockMinutes * minute : known ? everlasting : 1440 * minute,
})
