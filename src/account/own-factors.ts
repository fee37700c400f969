import { apiError } from '../base/index.ts'
import {
  findEnrollments,
  findFactorChallenges,
  isSlotTaken,
  type NewEnrollment,
  putEnrollment,
  type StoredChallenge,
  updatePerson,
  useFactorChallenge,
} from '../directory/index.ts'
import {
  type Authenticator,
  carryOutFactorEffects,
  type FactorChallenge,
  type FactorContext,
  type ManagedFactor,
} from '../flow/index.ts'
import { type Budget, spend, type Use } from '../limits/index.ts'
import { isUniqueViolation, StaleRead, type Tx } from '../storage/index.ts'
import type { Call } from './operation.ts'

const minute = 60_000
const hour = 60 * minute

/** How often codes are sent to a user's own phones, however many are added, and how soon again by one way. */
const sendings: Budget = { purpose: 'own-phone-codes', limit: 10, windowMs: hour }
const pause: Budget = { purpose: 'own-phone-pause', limit: 1, windowMs: 30_000 }
/** Wrong answers of a user, of all that is being added. */
const guesses: Budget = { purpose: 'own-factor-guesses', limit: 20, windowMs: 24 * hour, renewed: true }
/** … and of one code. */
const tries: Budget = { purpose: 'own-factor-tries', limit: 5, windowMs: hour }

/** An authenticator whose methods a user adds here. */
export interface OwnAuthenticator {
  readonly authenticator: Authenticator
  readonly managed: ManagedFactor
}

/** Throws 403 `E0000038` where the authenticator is not in use, or no enrolment policy of the user names it. */
export function ownAuthenticator({ parts, caller }: Call<unknown>, key: string): OwnAuthenticator {
  const authenticator = parts.authenticators.get(key)
  const { signOn, enrollment } = caller.policy
  const isOffered = signOn.active.includes(key) && enrollment.some((one) => one.key === key)
  if (authenticator?.factor === undefined || !isOffered) throw apiError('E0000038')
  return { authenticator, managed: authenticator.factor }
}

/**
 * Refuses to add a method without a proof of the user's own factor, where there is one; and for the waiting time after a recovery, where
 * there is none: it may be that of a thief who reads the mailbox (A69, A76, A77).
 */
export function requireOwner({ parts, caller, now }: Call<unknown>): void {
  const { person, proof } = caller
  if (proof === 'proven' || proof === 'fresh') return
  const isRecovered = person.recoveredAt !== undefined && now < person.recoveredAt + parts.waitingMs
  if (proof === 'none' && !isRecovered) return
  // No demand for a step-up: the sign-in is recent and strong enough already, and the next one could be the same without end.
  throw apiError('E0000006', { causes: [proof === 'unproven' ? ownFirst : afterRecovery] })
}

const ownFirst =
  'Prove one of your own methods first, in a transaction with enroll_amr_values: neither the password nor the mailbox is one.'
const afterRecovery = 'No method is added for a while after a recovery of the account.'

export async function factorContextOf(
  { parts, caller, now }: Call<unknown>,
  { key }: Authenticator,
): Promise<FactorContext> {
  const { person, policy } = caller
  const { storage, random, secrets, budgets } = parts
  return {
    ...{ now, random, secrets, person, policy, budgets },
    referenceTime: parts.clock.reference?.() ?? now,
    enrollments: await findEnrollments(storage.db, person.id),
    org: { name: parts.orgName, baseUrl: parts.baseUrl() },
    codeLifetime: policy.codeLifetimes[key] ?? 5 * minute,
    caller: `account:${person.id}`,
    isSlotTaken: (slot) => isSlotTaken(storage.db, key, slot),
  }
}

/** What the user has begun and not confirmed, or was asked: of one authenticator. */
export const openOf = async (
  { parts, caller, now }: Call<unknown>,
  key: string,
): Promise<readonly StoredChallenge[]> =>
  (await findFactorChallenges(parts.storage.db, caller.person.id, now)).filter(
    ({ authenticator }) => authenticator === key,
  )

/** Charges and queues what a challenge sends. Throws 429. */
export async function sendTo(
  { parts, caller, now }: Call<unknown>,
  tx: Tx,
  by: 'sms' | 'voice',
  { effects, charges = [] }: FactorChallenge,
): Promise<void> {
  const { id } = caller.person
  if (!(await spend(tx, pause, `${id} ${by}`, now)).allowed) throw apiError('E0000109')
  const uses: readonly Use[] = [{ budget: sendings, subject: id }, ...charges]
  for (const { budget, subject } of uses)
    if (!(await spend(tx, budget, subject, now)).allowed) {
      const what = by === 'sms' ? 'texts' : 'calls'
      throw apiError('E0000047', { causes: [`Too many ${what} to this user or number.`] })
    }
  const { random, secrets } = parts
  await carryOutFactorEffects({ tx, secrets, random, now, by: { id, type: 'User' } }, effects)
}

/** Counts an answer before it is checked: false where too many were given. */
export const mayAnswer = ({ parts, caller, now }: Call<unknown>, { id, version }: StoredChallenge) =>
  parts.storage.transaction(async (tx) => {
    const ofUser = await spend(tx, guesses, caller.person.id, now)
    const ofCode = await spend(tx, tries, `${id} ${version}`, now)
    return ofUser.allowed && ofCode.allowed
  })

/**
 * Writes what was confirmed; of two confirmations at once one does. The user gets the notice of every change of a factor. Without a proof
 * of an older factor it does not count at once (A77).
 */
export async function confirmFactor(
  { parts, caller }: Call<unknown>,
  pending: StoredChallenge,
  enrollment: NewEnrollment,
): Promise<void> {
  const { id, profile, version } = caller.person
  const waits = caller.proof !== 'proven' && parts.waitingMs > 0
  await parts.people.change(
    id,
    {},
    {
      by: { id, type: 'User', alternateId: profile.login },
      own: { strict: false },
      version,
      async with(tx, _, now) {
        if (!(await useFactorChallenge(tx, pending))) throw new StaleRead(`challenge ${pending.id}`)
        try {
          const settlesAt = waits ? now + parts.waitingMs : undefined
          await putEnrollment(tx, { ...enrollment, settlesAt }, { random: parts.random, now })
        } catch (error) {
          // Another user has enrolled the same a moment ago (A67).
          throw isUniqueViolation(error) ? new StaleRead('an enrollment') : error
        }
        await updatePerson(tx, id, { secretChanged: true }, now)
      },
    },
  )
}
