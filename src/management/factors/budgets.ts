import { apiError, type ProtocolError } from '../../base/index.ts'
import type { FactorKind } from '../../flow/index.ts'
import { type Budget, roomIn, spend, type Use, usedOf, usesOfPool } from '../../limits/index.ts'
import type { Tx } from '../../storage/index.ts'
import type { Context } from '../operation.ts'
import type { Factor } from './find.ts'

const seconds = 1000
const minute = 60 * seconds

/** How often one factor may be activated, right or wrong. */
const activations: Budget = { purpose: 'factor-activations', limit: 5, windowMs: 5 * minute }

/** How often something is sent to one user by one way, however many enrolments are begun. */
const sendings: Budget = { purpose: 'factor-sendings', limit: 20, windowMs: 60 * minute }

/** How long after a code the next one may be sent, and what is answered before. */
const pauses: Readonly<
  Record<NonNullable<FactorKind['sends']>, { readonly ms: number; refused(): ProtocolError }>
> = {
  sms: { ms: 30 * seconds, refused: () => apiError('E0000109') },
  call: {
    ms: 30 * seconds,
    refused: () =>
      apiError('E0000109', {
        summary: 'A call was recently made. Please wait 30 seconds before trying again.',
      }),
  },
  email: { ms: 5 * seconds, refused: () => apiError('E0000118') },
}

/**
 * Charges that something is sent, in the transaction that queues it. Throws 429: `E0000109` or `E0000118` right after the
 * last one, `E0000047` after too many within an hour.
 *
 * @param charges what it is counted on besides: a text on its number, whatever asks for it (A65)
 */
export async function chargeSending(
  { now }: Context,
  tx: Tx,
  { personId, kind: { sends } }: { readonly personId: string; readonly kind: FactorKind },
  charges: readonly Use[] = [],
): Promise<void> {
  if (sends === undefined) return
  const subject = `person:${personId} ${sends}`
  const { ms, refused } = pauses[sends]
  const pause = { purpose: 'factor-pause', limit: 1, windowMs: ms }
  if (!(await spend(tx, pause, subject, now)).allowed) throw refused()
  for (const use of [{ budget: sendings, subject }, ...charges]) {
    const spent = await spend(tx, use.budget, use.subject, now)
    if (!spent.allowed) throw tooMany(spent.resetsAt, now)
  }
}

/** Charges an activation. Throws 429 `E0000047` after five in five minutes. */
export async function chargeActivation({ now }: Context, tx: Tx, { id }: Factor): Promise<void> {
  const spent = await spend(tx, activations, id, now)
  if (!spent.allowed) throw tooMany(spent.resetsAt, now)
}

const tooMany = (resetsAt: number, now: number): ProtocolError =>
  apiError('E0000047', {
    headers: { 'Retry-After': String(Math.max(1, Math.ceil((resetsAt - now) / 1000))) },
  })

/** The factor is locked: nothing is checked any more. */
export const locked = (): ProtocolError => apiError('E0000069')

/**
 * What wrong answers to a factor are counted on: a day, and until the next success. A caller of this API has what an app has
 * that vouches for no address: a count of its own for each user and authenticator, so that who guesses through it neither gets
 * on for long (A69) nor uses up what the user has at a sign-in (A56).
 */
export function guessBudgets(
  { parts: { budgets }, actor }: Context,
  { authenticator: { key } }: Factor,
  personId: string,
): readonly Use[] {
  const source = { kind: 'app', key: `api:${actor.id}` } as const
  const uses = { subject: `person:${personId} ${key}`, known: false }
  return [budgets.otpPerDay, budgets.otpUntilSuccess].flatMap((pool) => usesOfPool(pool, source, uses))
}

/** Of these, what a right answer makes good. */
export const resetBySuccess = ({ parts: { budgets } }: Context, uses: readonly Use[]): readonly Use[] =>
  uses.filter(({ budget }) => budget.purpose === budgets.otpUntilSuccess.purpose)

/** Throws 403 `E0000069` where a budget is used up, before anything is checked. */
export async function requireGuesses({ parts, now }: Context, uses: readonly Use[]): Promise<void> {
  const used = await usedOf(parts.storage.db, uses, now)
  if (uses.some(({ budget }, index) => (used[index] ?? 0) >= budget.limit)) throw locked()
}

/** Whether a right answer has room. The caller holds the user's row. */
export const hasRoom = async ({ now }: Context, tx: Tx, uses: readonly Use[]): Promise<boolean> =>
  (await roomIn(tx, uses, now)).every(({ allowed }) => allowed)

/** Charges a wrong answer; false where a budget is used up: others were faster. */
export async function chargeGuess({ now }: Context, tx: Tx, uses: readonly Use[]): Promise<boolean> {
  let isCounted = true
  for (const { budget, subject } of uses)
    isCounted = (await spend(tx, budget, subject, now)).allowed && isCounted
  return isCounted
}
