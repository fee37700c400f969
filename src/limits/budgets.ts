import { type Budget, mostUses, type Use } from './budgets.store.ts'
import type { LimitsOptions } from './options.ts'
import type { Source } from './source.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** "Until the next success": longer than any engine lives. */
const everlasting = 36_500 * day

/** Every budget that is counted in the database. The code that charges decides which one. */
export interface Budgets {
  /** Wrong short codes a day, by account. */
  readonly codesPerDay: Budget
  /** Wrong short codes until the next success, by account. */
  readonly codesUntilSuccess: Budget
  /** Wrong passwords, by account. */
  readonly passwords: Pool
  /** Wrong passwords, by name as typed and source: spent, no further one is hashed (A51). The same for unknown names. */
  readonly passwordsByName: Budget
  /** Mails, by recipient. */
  readonly mails: Pool
  /** Texts and calls, by user. */
  readonly texts: Pool
  /** By number: one number may be several users'. */
  readonly textsPerNumber: Budget
  /** By the numbers that differ in their last digits only. */
  readonly textsPerRange: Budget
  readonly textsPerCountry: Budget
  /** Of all together: the most that a day can cost. */
  readonly textsPerDay: Budget
  /** Wrong codes of an authenticator that the user has enrolled, such as an app: a day, by account and authenticator. */
  readonly otpPerDay: Pool
  /** The same until the next success. */
  readonly otpUntilSuccess: Pool
  /** Answers to captchas that are verified, by source. */
  readonly captchas: Budget
  /** By all sources together. */
  readonly captchasEverywhere: Budget
  /** What begins without a captcha while its provider is away, by source. */
  readonly withoutCaptcha: Budget
  /** By all sources together. */
  readonly withoutCaptchaEverywhere: Budget
  /** How many times the budgets of an address an app has that vouches for none. */
  readonly appFactor: number
  /** Wrong answers of any kind, about any name, by source: one guess on each of many accounts (A11). */
  readonly spray: {
    readonly perMinute: Budget
    readonly perHour: Budget
    readonly underAttack: Budget
    /** By all sources together. */
    readonly everywhere: Budget
    /** How many wrong answers in its window there may be besides for a hundred users who signed in meanwhile. */
    readonly perHundredSignIns: number
  }
}

/**
 * The budget of one name or account that several sources draw from (A56). No source takes more than its share, and
 * sources that the user has signed in from are left the reserve, so that strangers cannot use all of it up.
 */
export interface Pool extends Budget {
  /** What one source may take of it. */
  readonly share: number
  /** What is left for sources from which the user has signed in before. */
  readonly reserve: number
}

/** What a source may take of a pool. An app that vouches for no address stands for all its users: it has no share. */
export const shareOf = ({ share, limit, ...pool }: Pool, { kind }: Source): Budget => ({
  purpose: `${pool.purpose}-by-source`,
  limit: kind === 'app' ? limit : share,
  windowMs: pool.windowMs,
  ...(pool.renewed && { renewed: true }),
})

/** A pool as it is for a source: without the reserve for those from which the user never signed in. */
export const drawnFrom = (pool: Pool, known: boolean): Budget => ({
  purpose: pool.purpose,
  limit: known ? pool.limit : pool.limit - pool.reserve,
  windowMs: pool.windowMs,
  ...(pool.renewed && { renewed: true }),
})

/**
 * What an answer from a source is charged: its share, and the pool of all. An app that vouches for no address has a pool
 * of its own: through it strangers use up nothing of what the users of other apps, and known sources, have (A56).
 */
export function usesOfPool(
  pool: Pool,
  source: Source,
  { subject, ofShare = subject, known }: { subject: string; ofShare?: string; known: boolean },
): readonly Use[] {
  const own = `${ofShare} ${source.key}`
  if (source.kind === 'app') return [{ budget: drawnFrom(pool, true), subject: own }]
  return [
    { budget: shareOf(pool, source), subject: own },
    { budget: drawnFrom(pool, known), subject },
  ]
}

/** A budget of one address, as it is for a source. */
export const sizedFor = (
  budget: Budget,
  { kind }: Source,
  { appFactor }: Pick<Budgets, 'appFactor'>,
): Budget => (kind === 'app' ? { ...budget, limit: Math.min(budget.limit * appFactor, mostUses) } : budget)

/** From how many uses on a budget may keep a user out: of a pool, a source that has used its share up, or a new source. */
export const keepsOutFrom = (budget: Budget | Pool): number =>
  'share' in budget ? Math.min(budget.share, budget.limit - budget.reserve) : budget.limit

/** Of each pool, in parts of it. A pool of one or two has no reserve: it would be all of it. */
const poolOf = (budget: Budget, parts: { readonly share: number; readonly reserve: number }): Pool => ({
  ...budget,
  share: Math.ceil(budget.limit * parts.share),
  reserve: Math.floor(budget.limit * parts.reserve),
})

/** That the log has an entry for a spent budget: once in what is left of its window. */
export const announcementOf = ({ purpose }: Budget, windowMs: number): Budget => ({
  purpose: `told ${purpose}`,
  limit: 1,
  windowMs,
})

/**
 * How many wrong answers of all sources together put the installation under attack, where so many users have signed in
 * within the same window: a large installation has as many typing errors an hour as a small one has sign-ins.
 */
export const attackFrom = ({ everywhere, perHundredSignIns }: Budgets['spray'], signIns: number): number =>
  Math.max(everywhere.limit, Math.floor((perHundredSignIns * signIns) / 100))

/**
 * What one source may still guess wrong while the installation is under attack: each user who has signed in from there a
 * moment ago lets ten more typing errors in, so that no network of honest users is shut out. Never more than in
 * other times.
 */
export const underAttackFor = ({ underAttack, perHour }: Budgets['spray'], signIns: number): Budget => ({
  ...underAttack,
  limit: Math.max(underAttack.limit, Math.min(underAttack.limit + 10 * signIns, perHour.limit)),
})

/** The names of all budgets that are counted in the database, those of single sources among them. */
export const budgetNames = (budgets: Budgets): readonly string[] => {
  const { spray, appFactor: _, ...others } = budgets
  const { perHundredSignIns: __, ...sprayed } = spray
  const all: readonly (Budget | Pool)[] = [...Object.values(others), ...Object.values(sprayed)]
  return all.flatMap((budget) =>
    'share' in budget ? [budget.purpose, `${budget.purpose}-by-source`] : [budget.purpose],
  )
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
  // Half of them are two transactions full of typing errors.
  passwords: poolOf(
    { purpose: 'passwords-per-hour', limit: options.passwordsPerHour, windowMs: hour, renewed: true },
    { share: 0.5, reserve: 0.25 },
  ),
  passwordsByName: {
    purpose: 'passwords-by-name',
    limit: options.passwordsPerHour,
    windowMs: hour,
    renewed: true,
  },
  mails: poolOf(mailsFrom(options), { share: 0.4, reserve: 0.4 }),
  texts: poolOf(
    { purpose: 'texts-per-user', limit: options.textsPerUser, windowMs: 10 * minute, renewed: true },
    { share: 0.6, reserve: 0.4 },
  ),
  textsPerNumber: { purpose: 'texts-per-number', limit: options.textsPerNumber, windowMs: day },
  textsPerRange: { purpose: 'texts-per-range', limit: options.textsPerRange, windowMs: hour },
  textsPerCountry: { purpose: 'texts-per-country', limit: options.textsPerCountry, windowMs: hour },
  textsPerDay: { purpose: 'texts-per-day', limit: options.textsPerDay, windowMs: day },
  otpPerDay: poolOf(
    { purpose: 'otp-per-day', limit: options.codesPerDay, windowMs: day, renewed: true },
    { share: 0.5, reserve: 0.25 },
  ),
  otpUntilSuccess: poolOf(
    { purpose: 'otp-until-success', limit: options.codesUntilSuccess, windowMs: everlasting },
    { share: 1, reserve: 0.25 },
  ),
  captchas: { purpose: 'captchas', limit: options.captchasPerAddress, windowMs: minute },
  captchasEverywhere: {
    purpose: 'captchas-everywhere',
    limit: options.captchasEverywhere,
    windowMs: minute,
  },
  withoutCaptcha: {
    purpose: 'without-captcha',
    limit: options.withoutCaptchaPerAddress,
    windowMs: hour,
    renewed: true,
  },
  withoutCaptchaEverywhere: {
    purpose: 'without-captcha-everywhere',
    limit: options.withoutCaptchaEverywhere,
    windowMs: hour,
  },
  appFactor: options.appFactor,
  spray: {
    perMinute: { purpose: 'spray-per-minute', limit: options.sprayPerAddressMinute, windowMs: minute },
    perHour: { purpose: 'spray-per-hour', limit: options.sprayPerAddressHour, windowMs: hour },
    underAttack: {
      purpose: 'spray-under-attack',
      limit: options.sprayPerAddressUnderAttack,
      windowMs: hour,
    },
    everywhere: { purpose: 'spray-everywhere', limit: options.sprayEverywhere, windowMs: hour, shards: 8 },
    perHundredSignIns: options.sprayPerHundredSignIns,
  },
})

const mailsFrom = ({ preset, mailsPerRecipient }: LimitsOptions): Budget =>
  preset === 'default'
    ? { purpose: 'mails-per-recipient', limit: mailsPerRecipient ?? 5, windowMs: 10 * minute, renewed: true }
    : { purpose: 'mails-per-recipient', limit: mailsPerRecipient ?? 30, windowMs: minute, renewed: true }
