import {
  eraseFromEvents,
  namesInEvents,
  type Party,
  record,
  removedUsers,
  transactionsOfUser,
} from '../audit/index.ts'
import { type Clock, type Random, randomId } from '../base/index.ts'
import { forgetMailsOf, removeSuppressionsOf } from '../delivery/index.ts'
import { compareKey } from '../directory/index.ts'
import { forgetTransactionsOf } from '../interactions/index.ts'
import { forgetBudgetsOf } from '../limits/index.ts'
import { forgetSessionsOf } from '../sessions/index.ts'
import type { Storage } from '../storage/index.ts'
import type { People } from './people.ts'

export interface EraseParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly people: People
}

export interface Erasure {
  readonly id: string
  /** What stands in the place of the user in the log. */
  readonly pseudonym: string
  /** How many events were changed. */
  readonly events: number
}

/**
 * Erases a user (GDPR, article 17): removes the user where there is one, with sessions, tokens, transactions, waiting mails
 * and counters, and puts a pseudonym in the user's place in the log, without addresses and browsers. `name` is the id, the
 * login or the email; of a user who was removed before, the id or the last login. Undefined: neither the directory nor
 * the log knows that user. May be called again: what an interrupted call has left is erased by the next one.
 *
 * Counters of wrong answers by network address name no user and end within an hour. Not reached: exported files, backups, the lines of the process's own log, and mails that were delivered.
 */
export async function eraseUser(
  { storage, clock, random, people }: EraseParts,
  name: string,
  { by }: { readonly by?: Party } = {},
): Promise<Erasure | undefined> {
  const person = await people.find(name)
  const id = person?.id ?? (await findRemoved(storage, name)) ?? (isUserId(name) ? name : undefined)
  if (id === undefined) return undefined
  const known = [...(person ? [person.profile.login, person.profile.email] : [])]
  const typed = await namesInEvents(storage.db, id)
  const spellings = [...new Set([...known, ...typed, ...(name === id ? [] : [name])])]
  const names = [...new Set(spellings.map(compareKey))]
  const isName = (text: string): boolean => names.includes(compareKey(text))
  if (person !== undefined) await people.remove(id, by && { by })
  const transactions = [...(await transactionsOfUser(storage.db, id))]
  await storage.transaction(async (tx) => {
    await forgetTransactionsOf(tx, id, { others: transactions, isName })
    await forgetSessionsOf(tx, id)
    await forgetMailsOf(tx, id, names)
    await forgetBudgetsOf(tx, `person:${id}`)
    await removeSuppressionsOf(tx, id, names)
  })
  // Drawn, not computed: with the master secret a computed one would lead back to the user.
  const pseudonym = randomId(random, 'erased')
  const events = await eraseFromEvents(storage.db, { id, names: spellings, keyOf: compareKey }, pseudonym)
  if (events > 0) {
    const erased = {
      eventType: 'user.lifecycle.erase.completed',
      displayMessage: 'Erase user',
      outcome: { result: 'SUCCESS' },
      actor: by ?? { id: 'system', type: 'SystemPrincipal' },
      target: [{ id: pseudonym, type: 'User' }],
      debugData: { events: String(events) },
    } as const
    await record(storage.db, erased, { random, now: clock.now() })
  }
  await storage.flush()
  return { id, pseudonym, events }
}

/** What is an id may be erased once more, however little is left. */
const isUserId = (name: string): boolean => /^00u[A-Za-z0-9]{17}$/.test(name)

/** The id of a user who is not in the directory any more, by id or last login. */
async function findRemoved({ db }: Storage, name: string): Promise<string | undefined> {
  const removed = await removedUsers(db)
  const isNamed = (login: string | undefined) => login !== undefined && compareKey(login) === compareKey(name)
  return removed.find(({ id, login }) => id === name || isNamed(login))?.id
}
