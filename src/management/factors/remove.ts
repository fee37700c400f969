import { record } from '../../audit/index.ts'
import { apiError } from '../../base/index.ts'
import { endFactorChallenges, ifUnchanged, putEnrollment, updatePerson } from '../../directory/index.ts'
import type { Authenticator } from '../../flow/index.ts'
import { authenticatorSetups } from '../../policies/index.ts'
import { type Db, retryStale, StaleRead } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import type { Answer, Context } from '../operation.ts'
import { getUser } from '../users/read.ts'
import { type Factor, getFactor, loadFactors, type UserFactors } from './find.ts'

/** Removes a factor, or ends an enrolment that is pending. */
export function removeFactor(call: Context): Promise<Answer> {
  return retryStale(async () => {
    const loaded = await loadFactors(call)
    return removeOne(call, loaded, getFactor(call, loaded))
  })
}

export async function removeOne(call: Context, loaded: UserFactors, factor: Factor): Promise<Answer> {
  const { parts } = call
  const { person } = loaded
  const { managed, enrollment, pending, kind } = factor
  if (pending !== undefined) {
    await endPending(call, loaded, factor)
    return {}
  }
  const refusal = managed.refuses?.remove
  if (refusal !== undefined || enrollment === undefined)
    throw apiError('E0000006', { causes: [`factor: ${refusal ?? 'it cannot be removed'}`] })
  const left = managed.without?.(kind, enrollment)
  if (left === undefined) {
    const removed = await parts.people.removeEnrollment(person.id, enrollment.id, {
      by: call.actor,
      with: async (tx) => void (await endFactorChallenges(tx, person.id, enrollment.id)),
    })
    if (!removed) throw notFound(factor.id, 'UserFactor')
    parts.onCommitted()
    return {}
  }
  const changed = await parts.people.change(
    person.id,
    {},
    {
      by: call.actor,
      version: person.version,
      async with(tx, _, now) {
        const { id, personId, authenticator, counter } = enrollment
        const prefix = factor.authenticator.enrollmentPrefix
        const several = managed.several ? { several: true } : {}
        await putEnrollment(
          tx,
          { id, personId, authenticator, prefix, counter, ...several, ...left },
          { random: parts.random, now },
        )
        await endFactorChallenges(tx, person.id, id)
        await updatePerson(tx, person.id, { secretChanged: true }, now)
      },
    },
  )
  if (changed === undefined) throw new StaleRead(`user ${person.id}`)
  parts.onCommitted()
  return {}
}

/** An enrolment that nothing has confirmed: nothing is lost by it, so that the user gets no notice. */
async function endPending(
  { parts, actor, now }: Context,
  { person }: UserFactors,
  { pending, authenticator }: Factor,
): Promise<void> {
  await ifUnchanged(parts.storage, person, async (tx) => {
    await endFactorChallenges(tx, person.id, pending?.enrollmentId ?? '')
    await record(
      tx,
      {
        eventType: 'user.mfa.factor.deactivate',
        displayMessage: 'Pending factor of user ended',
        outcome: { result: 'SUCCESS' },
        actor,
        target: [{ id: person.id, type: 'User', alternateId: person.profile.login }],
        debugData: { authenticator: authenticator.key, status: 'PENDING_ACTIVATION' },
      },
      { random: parts.random, now },
    )
  })
}

/**
 * Removes all factors of a user, and what is pending. The password stays, the mailbox, and a security question that only recovers.
 * The sessions stay, as with Okta.
 */
export async function resetFactors(call: Context): Promise<Answer> {
  const { parts, actor } = call
  const person = await getUser(call)
  const removed = await parts.people.resetFactors(person.id, {
    by: actor,
    keeps: await sparedByReset(parts.storage.db, parts.authenticators),
    with: async (tx) => void (await endFactorChallenges(tx, person.id)),
  })
  if (removed === undefined) throw notFound(person.id, 'User')
  parts.onCommitted()
  return { body: {} }
}

/** The authenticators that a reset leaves alone, by their keys: the security question, where nothing but a recovery asks it. */
export async function sparedByReset(
  db: Db,
  authenticators: readonly Authenticator[],
): Promise<readonly string[]> {
  const key = 'security_question'
  const authenticator = authenticators.find((one) => one.key === key)
  if (authenticator === undefined) return [key]
  const setup = (await authenticatorSetups(db, [authenticator]))[key]
  return setup?.settings.allowedFor === 'recovery' ? [key] : []
}
