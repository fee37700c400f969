import { record } from '../audit/index.ts'
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
  getEveryone,
  groupIdsOf,
  type NewPerson,
  type Person,
  type PersonChanges,
  type PersonStatus,
  putCredential,
  removePerson,
  updatePerson,
} from '../directory/index.ts'
import { endTransactionsOf } from '../flow/index.ts'
import type { Policies } from '../policies/index.ts'
import { revokeSessionsOf } from '../sessions/index.ts'
import type { Db, Storage } from '../storage/index.ts'

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
    const groups = [...(await groupIdsOf(storage.db, personId)), (await getEveryone(storage.db)).id]
    const problem = await passwordProblem(text, (await policies.for(groups)).password, person)
    if (problem !== undefined) throw new ProtocolError(400, 'E0000001', `password: ${problem}`)
  }

  async function putPassword(db: Db, personId: string, data: PasswordData, now: number): Promise<void> {
    await putCredential(db, { personId, authenticator: password, data }, now)
    await updatePerson(db, personId, { passwordChangedAt: now }, now)
  }

  return {
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
        if (emailChanged || statusChanged || data !== undefined) await endTransactionsOf(tx, id, now)
        if (data !== undefined || (statusChanged && !mayKeepSessions.includes(changed.status))) {
          await revokeSessionsOf(tx, id, now)
        }
        await record(tx, lifecycle('user.account.update_profile', 'Update user', changed), { random, now })
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
        await endTransactionsOf(tx, id, now)
        await revokeSessionsOf(tx, id, now)
        await record(tx, lifecycle('user.lifecycle.delete.completed', 'Delete user', person), { random, now })
        return removePerson(tx, id)
      })
    },
  }
}

const mayKeepSessions: readonly PersonStatus[] = ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED']

const lifecycle = (eventType: string, displayMessage: string, person: Person) => ({
  eventType,
  displayMessage,
  outcome: { result: 'SUCCESS' as const },
  actor: { id: 'system', type: 'SystemPrincipal' },
  target: [{ id: person.id, type: 'User', alternateId: person.profile.login }],
})
