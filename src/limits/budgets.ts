import type { Budget } from './budgets.store.ts'
import type { LimitsOptions } from './options.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** "Until the next success": longer than any engine lives. */
const everlasting = 36_500 * day

/** Every budget that is counted in the database. Which one is charged for what is decided by whoever charges it. */
export interface Budgets {
  /** Wrong short codes a day, by account. */
  readonly codesPerDay: Budget
  /** Wrong short codes until the next success, by account. */
  readonly codesUntilSuccess: Budget
  /** Wrong passwords, by account. */
  readonly passwords: Budget
  /** Mails, by recipient. */
  readonly mails: Budget
  /** Wrong answers of any kind, about whomever, by network address: one guess on each of many accounts (A11). */
  readonly spray: {
    readonly perMinute: Budget
    readonly perHour: Budget
    readonly underAttack: Budget
    /** By all addresses together. */
    readonly everywhere: Budget
  }
}

/** The subject of what is counted for all together. */
export const everybody = 'everybody'

export const budgetsFrom = (options: LimitsOptions): Budgets => ({
  codesPerDay: { purpose: 'codes-per-day', limit: options.codesPerDay, windowMs: day, renewed: true },
  codesUntilSuccess: {
    purpose: 'codes-until-success',
    limit: options.codesUntilSuccess,
    windowMs: everlasting,
  },
  passwords: {
    purpose: 'passwords-per-hour',
    limit: options.passwordsPerHour,
    windowMs: hour,
    renewed: true,
  },
  mails: mailsFrom(options),
  spray: {
    perMinute: { purpose: 'spray-per-minute', limit: options.sprayPerAddressMinute, windowMs: minute },
    perHour: { purpose: 'spray-per-hour', limit: options.sprayPerAddressHour, windowMs: hour },
    underAttack: {
      purpose: 'spray-under-attack',
      limit: options.sprayPerAddressUnderAttack,
      windowMs: hour,
    },
    everywhere: { purpose: 'spray-everywhere', limit: options.sprayEverywhere, windowMs: hour },
  },
})

const mailsFrom = ({ preset, mailsPerRecipient }: LimitsOptions): Budget =>
  preset === 'default'
    ? { purpose: 'mails-per-recipient', limit: mailsPerRecipient ?? 5, windowMs: 10 * minute, renewed: true }
    : { purpose: 'mails-per-recipient', limit: mailsPerRecipient ?? 30, windowMs: minute, renewed: true }
