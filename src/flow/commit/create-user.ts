import { type NewEvent, sessionsCleared } from '../../audit/index.ts'
import { ProtocolError } from '../../base/index.ts'
import { createPerson, lockHolders, type Person, removePerson } from '../../directory/index.ts'
import { endTransactionsOf } from '../../interactions/index.ts'
import { revokeSessionsOf } from '../../sessions/index.ts'
import { StaleRead, type Tx } from '../../storage/index.ts'
import type { Effect, Outcome } from '../outcome.ts'
import { close, type Progress } from '../progress.ts'
import { givesWay } from '../registration.ts'
import type { Work } from './effects.ts'

export type CreatesUser = Extract<Effect, { readonly type: 'person.create' }>

/** The user that an outcome makes; undefined: none. */
export const creationIn = ({ effects = [] }: Outcome): CreatesUser | undefined =>
  effects.find((effect) => effect.type === 'person.create')

/**
 * Locks the users who have the names of a new one, before anything else is locked (A50), and answers those who give way;
 * undefined where a name is taken.
 */
export async function lockReplaced(
  tx: Tx,
  { person, replaces }: CreatesUser,
): Promise<readonly Person[] | undefined> {
  const holders = await lockHolders(tx, person.profile)
  return holders.every((holder) => givesWay(holder, person.profile, replaces)) ? holders : undefined
}

/**
 * What becomes of a registration whose name another user has got meanwhile. The visitor has just proven to read the mailbox, so
 * it is said plainly. That something was proven stays recorded, and nothing else happens.
 */
export const takenOutcome = (before: Progress, { charges = [], effects = [] }: Outcome): Outcome => ({
  progress: close(before, 'denied'),
  refused: { status: 400, key: 'registration.error.notUniqueWithinOrg', params: ['Email'] },
  rule: 'name-taken',
  charges,
  effects: effects.filter(
    (effect) => effect.type === 'audit.record' && effect.event.eventType === 'user.authentication.verify',
  ),
})

/** Makes the user of an outcome, in place of those who give way. The first thing that is written: all else is about the user. */
export async function createUser(
  {
    tx,
    random,
    now,
    transaction,
    interaction,
  }: Pick<Work, 'tx' | 'random' | 'now' | 'transaction' | 'interaction'>,
  { person, groupIds, terms }: CreatesUser,
  replaced: readonly Person[],
): Promise<readonly NewEvent[]> {
  const { id, profile } = person
  const actor = { id, type: 'User' as const, alternateId: profile.login }
  const events: NewEvent[] = []
  for (const former of replaced) {
    await endTransactionsOf(tx, former.id, now, { except: transaction.id, rule: 'person-removed' })
    const revoked = await revokeSessionsOf(tx, former.id, now)
    if (revoked > 0) events.push(sessionsCleared(former.id, revoked, actor))
    await removePerson(tx, former.id)
    events.push({
      eventType: 'user.lifecycle.delete.completed',
      displayMessage: 'Delete user whose registration never ended',
      outcome: { result: 'SUCCESS' },
      actor,
      target: [{ id: former.id, type: 'User', alternateId: former.profile.login }],
    })
  }
  try {
    await createPerson(
      tx,
      {
        ...{ id, profile, status: 'PROVISIONED', groupIds, unfinished: true },
        ...(terms && { terms: { version: terms.version, at: terms.at } }),
      },
      { random, now },
    )
  } catch (error) {
    // Another registration has written the name since the holders were locked: found, on the next try, as taken.
    if (error instanceof ProtocolError && error.status === 400) throw new StaleRead(`a name of user ${id}`)
    throw error
  }
  events.push({
    eventType: 'user.lifecycle.create',
    displayMessage: 'Create user by registration',
    outcome: { result: 'SUCCESS' },
    actor,
    target: [
      { id, type: 'User', alternateId: profile.login, displayName: nameOf(profile) },
      { id: interaction.clientId, type: 'AppInstance' },
    ],
    ...(terms && { debugData: { termsVersion: terms.version, termsUrl: terms.url } }),
  })
  return events
}

const nameOf = ({ firstName, lastName, login }: Person['profile']): string =>
  [firstName, lastName].filter((name) => typeof name === 'string' && name !== '').join(' ') || login
