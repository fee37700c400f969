import { type EventType, type NewEvent, record } from '../audit/index.ts'
import {
  newPassword,
  type PasswordData,
  type PasswordHasher,
  passwordProblem,
} from '../authenticators/index.ts'
import { type Clock, ProtocolError, type Random } from '../base/index.ts'
import {
  createPerson,
  findCredential,
  findPerson,
  findPersonByIdentifier,
  groupIdsOf,
  type NewPerson,
  type Person,
  type PersonChanges,
  type PersonStatus,
  putCredential,
  removePerson,
  updatePerson,
} from '../directory/index.ts'
import { endTransactionsOf, sessionsCleared } from '../flow/index.ts'
import type { Policies } from '../policies/index.ts'
import { revokeSessionsOf } from '../sessions/index.ts'
import type { Db, Storage, Tx } from '../storage/index.ts'

export interface PeopleParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly hasher: PasswordHasher
  readonly policies: Policies
}

export interface PersonWithPassword extends NewPerson {
  readonly password?: string | undefined
  /** A hash made before (argon2id), instead of a password: for seeds. */
  readonly passwordHash?: string | undefined
}

const password = 'okta_password'

/** What an owner or administrator does to people; each call is one transaction, with everything that must end with it. */
export interface People {
  /** The person with this id, else with this login, else with this email. */
  find(name: string): Promise<Person | undefined>
  /** Creates a person, ACTIVE unless said otherwise. The password must meet her policy. Throws 400. */
  add(person: PersonWithPassword): Promise<Person>
  /**
   * Changes a person; undefined where she does not exist. A new email, status or password ends her open recoveries;
   * a new password or a status that may not sign in ends her sessions as well. Throws 400.
   */
  change(
    id: string,
    changes: Pick<PersonChanges, 'profile' | 'status'> & { readonly password?: string | undefined },
  ): Promise<Person | undefined>
  /** Removes a person with her credentials, sessions and open recoveries; false where she does not exist. */
  remove(id: string): Promise<boolean>
  /** Whether this is her password now. For owners; costs what a sign-in costs and counts for no budget. */
  hasPassword(id: string, password: string): Promise<boolean>
}

export function createPeople(parts: PeopleParts): People {
  const { storage, clock, random, hasher, policies } = parts

  async function checkedPassword(
    text: string,
    person: Pick<Person, 'profile'>,
    personId: string,
  ): Promise<void> {
    const { password } = await policies.for(await groupIdsOf(storage.db, personId))
    const problem = await passwordProblem(text, password, person)
    if (problem !== undefined) throw new ProtocolError(400, 'E0000001', `password: ${problem}`)
  }

  async function putPassword(db: Db, personId: string, data: PasswordData, now: number): Promise<void> {
    await putCredential(db, { personId, authenticator: password, data }, now)
    await updatePerson(db, personId, { passwordChangedAt: now }, now)
  }

  async function endSessions(tx: Tx, personId: string, now: number): Promise<void> {
    const ended = await revokeSessionsOf(tx, personId, now)
    if (ended > 0) await record(tx, sessionsCleared(personId, ended), { random, now })
  }

  return {
    find: async (name) =>
      (await findPerson(storage.db, name)) ?? (await findPersonByIdentifier(storage.db, name)),

    async add({ password: text, passwordHash, ...person }) {
      if (text !== undefined) await checkedPassword(text, person, '')
      const data =
        passwordHash !== undefined
          ? { hash: passwordHash, history: [] }
          : text === undefined
            ? undefined
            : await newPassword(hasher, text, undefined)
      const now = clock.now()
      return storage.transaction(async (tx) => {
        const created = await createPerson(tx, { status: 'ACTIVE', ...person }, { random, now })
        if (data !== undefined) await putPassword(tx, created.id, data, now)
        await record(tx, lifecycle('user.lifecycle.create', 'Create user', created), { random, now })
        return created
      })
    },

    async change(id, { password: text, profile, status }) {
      const before = await findPerson(storage.db, id)
      if (before === undefined) return undefined
      if (text !== undefined) await checkedPassword(text, before, id)
      const credential = await findCredential<PasswordData>(storage.db, id, password)
      const data = text === undefined ? undefined : await newPassword(hasher, text, credential?.data)
      const now = clock.now()
      return storage.transaction(async (tx) => {
        const changes = { ...(profile && { profile }), ...(status && { status }) }
        const changed = await updatePerson(tx, id, changes, now)
        if (changed === undefined) return undefined
        if (data !== undefined) await putPassword(tx, id, data, now)
        // A code or link that went out before must not work on what the account has become.
        const emailChanged = changed.profile.email !== before.profile.email
        const statusChanged = changed.status !== before.status
        const rule = statusChanged
          ? `status ${changed.status}`
          : data !== undefined
            ? 'password-changed'
            : emailChanged && 'email-changed'
        if (rule) await endTransactionsOf(tx, id, now, { rule })
        for (const event of eventsOfChange(before, changed, data !== undefined, profile !== undefined)) {
          await record(tx, event, { random, now })
        }
        if (data !== undefined || (statusChanged && !mayKeepSessions.includes(changed.status))) {
          await endSessions(tx, id, now)
        }
        return changed
      })
    },

    async hasPassword(id, text) {
      const credential = await findCredential<PasswordData>(storage.db, id, password)
      return hasher.verify(text, credential?.data.hash)
    },

    async remove(id) {
      const now = clock.now()
      return storage.transaction(async (tx) => {
        const person = await findPerson(tx, id)
        if (person === undefined) return false
        await endTransactionsOf(tx, id, now, { rule: 'person-removed' })
        await endSessions(tx, id, now)
        await record(tx, lifecycle('user.lifecycle.delete.completed', 'Delete user', person), { random, now })
        return removePerson(tx, id)
      })
    },
  }
}

const mayKeepSessions: readonly PersonStatus[] = ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED']

/** What the log tells of a change: one event for each kind of it. */
function eventsOfChange(
  before: Person,
  after: Person,
  password: boolean,
  profile: boolean,
): readonly NewEvent[] {
  const email = after.profile.email !== before.profile.email
  return [
    ...(after.status === before.status
      ? []
      : [
          lifecycle(
            lifecycleOf(before.status, after.status),
            `User became ${after.status}, was ${before.status}`,
            after,
          ),
        ]),
    ...(password
      ? [lifecycle('user.account.update_password', 'Password set by an administrator', after)]
      : []),
    ...(email ? [lifecycle('user.account.update_primary_email', 'Primary email changed', after)] : []),
    ...(profile ? [lifecycle('user.account.update_profile', 'Update user', after)] : []),
  ]
}

/** The type of event that tells of a new status. */
function lifecycleOf(before: PersonStatus, after: PersonStatus): EventType {
  const reached = becoming[after]
  if (reached !== undefined) return reached
  return leaving[before] ?? 'user.lifecycle.activate'
}

const becoming: Partial<Record<PersonStatus, EventType>> = {
  SUSPENDED: 'user.lifecycle.suspend',
  DEPROVISIONED: 'user.lifecycle.deactivate',
  LOCKED_OUT: 'user.account.lock',
  PASSWORD_EXPIRED: 'user.account.expire_password',
  RECOVERY: 'user.account.reset_password',
}

/** Back to a status that may do things: told by what was left behind. */
const leaving: Partial<Record<PersonStatus, EventType>> = {
  SUSPENDED: 'user.lifecycle.unsuspend',
  DEPROVISIONED: 'user.lifecycle.reactivate',
  LOCKED_OUT: 'user.account.unlock',
}

const lifecycle = (eventType: EventType, displayMessage: string, person: Person): NewEvent => ({
  eventType,
  displayMessage,
  outcome: { result: 'SUCCESS' },
  actor: { id: 'system', type: 'SystemPrincipal' },
  target: [{ id: person.id, type: 'User', alternateId: person.profile.login }],
})
