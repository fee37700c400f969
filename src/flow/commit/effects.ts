import { type NewEvent, sessionsCleared } from '../../audit/index.ts'
import type { Random, Secrets } from '../../base/index.ts'
import { giveConsent, leaveOut } from '../../clients/index.ts'
import { queueMail, queueText } from '../../delivery/index.ts'
import {
  advanceCounter,
  claimAccount,
  countSkip,
  endPersonTokens,
  findPerson,
  issuePersonToken,
  isUnclaimed,
  mailboxKey,
  type Person,
  type PersonChanges,
  putEnrollment,
  rehashEnrollment,
  removeEnrollment,
  spendEnrollment,
  updatePerson,
  useEnrollment,
  usePersonToken,
} from '../../directory/index.ts'
import { endTransactionsOf, type Interaction, narrowInteraction } from '../../interactions/index.ts'
import { clearBudgets, sourceOf } from '../../limits/index.ts'
import { activationLifetimeMs } from '../../people/index.ts'
import { revokeSessionsOf } from '../../sessions/index.ts'
import { isUniqueViolation, StaleRead, type Tx, together, withCommit } from '../../storage/index.ts'
import { factorRemoved, mailQueued, textQueued, withDebugData } from '../events.ts'
import { sessionExpired } from '../load.ts'
import type { Effect, Outcome } from '../outcome.ts'
import type { Transaction } from '../transactions.store.ts'

type Events = readonly NewEvent[]

/** What carrying out needs. */
export interface Work {
  readonly tx: Tx
  readonly secrets: Secrets
  readonly random: Random
  readonly now: number
  /** As it was read. */
  readonly transaction: Transaction
  readonly interaction: Interaction
  readonly outcome: Outcome
  readonly uses: Readonly<Record<string, string>>
  /** Of the session that begins in the same database transaction, if one does. */
  readonly sessionId: string
  /** What the sign-in that ends here writes of its user, if one does. */
  readonly signedIn: { readonly personId: string; readonly changes: PersonChanges } | undefined
}

/** Carries out the effects of an outcome; answers the events to record. */
export async function carryOutEffects(work: Work): Promise<Events> {
  const { effects = [] } = work.outcome
  const events = await together([
    ...effects.map((effect) => carryOut(work, effect)),
    updatePeople(work),
    clearUsed(work),
  ])
  return events.flat()
}

/**
 * Writes what becomes of users, in one statement a user: PostgreSQL stores a row anew each time it is written. An
 * enrollment that was written or removed raises its user's version (A49).
 */
async function updatePeople({ tx, now, outcome: { effects = [] }, signedIn }: Work): Promise<Events> {
  const changes = new Map<string, PersonChanges>()
  const add = (id: string, more: PersonChanges) => changes.set(id, { ...changes.get(id), ...more })
  for (const effect of effects) {
    if (effect.type === 'enrollment.put') add(effect.enrollment.personId, { secretChanged: true })
    if (effect.type === 'enrollment.remove') add(effect.personId, { secretChanged: true })
    if (effect.type === 'person.update' && effect.from === undefined) add(effect.personId, effect.changes)
  }
  if (signedIn !== undefined) add(signedIn.personId, signedIn.changes)
  for (const [id, more] of changes) {
    const updated = updatePerson(tx, id, more, now)
    // A profile is read before it is written, and its names after that: these would come behind COMMIT.
    await (more.profile === undefined ? withCommit(tx, updated) : updated)
  }
  return []
}

/** Resets the budgets that a success makes good, all in one statement. */
async function clearUsed({ tx, outcome: { effects = [] } }: Work): Promise<Events> {
  const cleared = effects.filter((effect) => effect.type === 'budget.clear')
  if (cleared.length > 0) await withCommit(tx, clearBudgets(tx, cleared))
  return []
}

async function carryOut(work: Work, effect: Effect): Promise<Events> {
  const { tx, transaction, interaction, outcome, now, uses, secrets, random } = work
  switch (effect.type) {
    case 'mail.queue': {
      const source = secrets.hash('mail source', sourceOf(interaction).key)
      const mail = { ...effect.mail, transactionId: transaction.id, source }
      const id = await queueMail(tx, mail, { secrets, random, now })
      const moved = { before: transaction.progress, after: outcome.progress }
      return [withDebugData(mailQueued(mail, id, moved), uses)]
    }
    case 'text.queue': {
      // A line of its own: a source's mails hold none of its texts back.
      const source = secrets.hash('text source', sourceOf(interaction).key)
      const message = { ...effect.message, transactionId: transaction.id, source }
      const id = await queueText(tx, message, { secrets, random, now })
      const moved = { before: transaction.progress, after: outcome.progress }
      return [withDebugData(textQueued(message, id, moved), uses)]
    }
    case 'person.create':
      return [] // Before all others, by createUser.
    case 'enrollment.put':
      await withCommit(
        tx,
        putEnrollment(tx, effect.enrollment, { random, now }).catch((error) => {
          // Another user has enrolled the same a moment ago: checked anew, and found taken (A67).
          throw isUniqueViolation(error) ? new StaleRead('an enrollment') : error
        }),
      )
      return []
    case 'enrollment.remove':
      if (!(await removeEnrollment(tx, effect))) throw new StaleRead(`enrollment ${effect.id}`)
      return [withDebugData(factorRemoved(effect), uses)]
    case 'enrollment.rehash':
      // Another sign-in may have been first; nothing depends on it.
      await withCommit(tx, rehashEnrollment(tx, effect, now))
      return []
    case 'enrollment.spend':
      // Another use came first, on whatever node: which codes are left is read anew (A70).
      if (!(await spendEnrollment(tx, effect, now))) throw new StaleRead(`enrollment ${effect.id}`)
      return []
    case 'enrollment.advance':
      // A code that was used a moment ago is checked anew, and found used: one success for each code (A66).
      if (!(await advanceCounter(tx, effect, now))) throw new StaleRead(`enrollment ${effect.id}`)
      return []
    case 'enrollment.skip':
      if (!(await countSkip(tx, effect, now))) throw new StaleRead(`skips of ${effect.authenticator}`)
      return []
    case 'enrollment.use':
      await withCommit(tx, useEnrollment(tx, effect.id, now))
      return []
    case 'person.update':
      if (effect.from !== undefined) await updatePerson(tx, effect.personId, effect.changes, now, effect.from)
      return [] // The others together, by updatePeople.
    case 'consent.give':
      await giveConsent(tx, effect, { random, now })
      await leaveOut(tx, { ...effect, scopes: effect.leftOut }, { random, now })
      if (effect.leaves !== undefined) await narrowInteraction(tx, interaction, effect.leaves)
      return []
    case 'codes.end':
      return endCodes(work, effect.personId)
    case 'activation.issue': {
      const { personId, token, mailedTo } = effect
      const issued = {
        ...{ personId, token, mailedTo },
        kind: 'activation',
        lifetimeMs: activationLifetimeMs,
      } as const
      await issuePersonToken(tx, issued, { secrets, random, now })
      return []
    }
    case 'budget.clear':
      return [] // Together, by clearUsed.
    case 'sessions.revoke':
      return revokeSessions(work, effect.personId)
    case 'account.claim':
      return claim(work, effect.person)
    case 'audit.record':
      return [withDebugData(effect.event, uses)]
  }
}

/**
 * Ends every other recovery that is under way. The token that led here is used up: one that was used or ended a moment
 * ago leads nowhere, and nothing of the outcome stands.
 */
async function endCodes(work: Work, personId: string): Promise<Events> {
  const { tx, transaction, outcome, now } = work
  const events: NewEvent[] = []
  for (const { tokenId } of outcome.progress.proofs) {
    if (tokenId === undefined) continue
    const used = await usePersonToken(tx, tokenId, now)
    if (used === undefined) throw sessionExpired('the token has ended')
    // Who holds what was mailed reads the mailbox; what was handed to an administrator proves none.
    if (used.mailedTo === undefined) continue
    const person = await findPerson(tx, personId)
    if (person !== undefined && isUnclaimed(person) && used.mailedTo === mailboxKey(person.profile.email)) {
      events.push(...(await claim(work, person)))
    }
    await updatePerson(tx, personId, { verifiedEmail: used.mailedTo }, now)
  }
  await withCommit(tx, endPersonTokens(tx, personId))
  const ending = { except: transaction.id, rule: 'password-changed' }
  await withCommit(tx, endTransactionsOf(tx, personId, now, ending))
  return events
}

async function claim(work: Work, { id, profile }: Person): Promise<Events> {
  const { tx, now, transaction, outcome, uses } = work
  const { replaced, enrolled = [] } = outcome.progress
  await claimAccount(tx, id, [...replaced, ...enrolled])
  await endTransactionsOf(tx, id, now, { except: transaction.id, rule: 'account-claimed' })
  const actor = { id, type: 'User', alternateId: profile.login } as const
  const event: NewEvent = {
    eventType: 'user.mfa.factor.reset_all',
    displayMessage: 'Reset all factors for user whose mailbox was not proven before',
    outcome: { result: 'SUCCESS' },
    actor,
    target: [actor],
  }
  return [withDebugData(event, uses), ...(await revokeSessions(work, id))]
}

async function revokeSessions({ tx, now, sessionId }: Work, personId: string): Promise<Events> {
  const revoked = await revokeSessionsOf(tx, personId, now, { except: sessionId })
  return revoked > 0 ? [sessionsCleared(personId, revoked, { id: personId, type: 'User' })] : []
}
