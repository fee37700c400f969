import type { LimitsOptions } from './options.ts'
import type { Budget } from './store.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** "Until the next success": longer than any engine lives. */
const everlasting = 36_500 * day

/** Every budget there is. Which one is charged for what is decided by the step that charges it. */
export interface Budgets {
  /** Wrong short codes a day, by account. */
  readonly codesPerDay: Budget
  /** Wrong short codes until the next success, by account. */
  readonly codesUntilSuccess: Budget
  /** Wrong passwords, by account. */
  readonly passwords: Budget
  /** Mails, by recipient. */
  readonly mails: Budget
}

export const budgetsFrom = (options: LimitsOptions): Budgets => ({
  codesPerDay: { purpose: 'codes-day', limit: options.codesPerDay, windowMs: day },
  codesUntilSuccess: { purpose: 'codes-success', limit: options.codesUntilSuccess, windowMs: everlasting },
  passwords: { purpose: 'passwords', limit: options.passwordsPerHour, windowMs: hour },
  mails: { purpose: 'mails', limit: options.mailsPerRecipient, windowMs: 10 * minute },
})
