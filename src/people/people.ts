import { type EventType, type NewEvent, type Party, record, sessionsCleared } from '../audit/index.ts'
import { apiError, type Clock } from '../base/index.ts'
import {
  createPerson,
  type Enrollment,
  endPersonTokens,
  findEnrollment,
  findEnrollments,
  findPerson,
  findPersonByIdentifier,
  findUserSchema,
  forgetDevicesOf,
  groupIdsOf,
  ifUnchanged,
  issuePersonToken,
  lockPerson,
  mailboxKey,
  type NewPerson,
  type Person,
  type PersonChanges,
  type PersonStatus,
  type Profile,
  profileProblems,
  putEnrollment,
  removeEnrollment,
  removePerson,
  settleEnrollment,
  updatePerson,
  verifiedSecondEmail,
} from '../directory/index.ts'
import { endTransactionsOf } from '../interactions/index.ts'
import {
  changeProblem,
  newPassword,
  type PasswordData,
  type PasswordHasher,
  passwordEnrollment,
  passwordKey,
  passwordProblems,
} from '../passwords/index.ts'
import { noteSecondaryEmail, type PasswordRules, type Policies } from '../policies/index.ts'
import { revokeSessionsOf } from '../sessions/index.ts'
import { type Db, retryStale, type Storage, type Tx } from '../storage/index.ts'
import { type Changed, endOutdated, enrollmentChanges, type MailParts, queueNotices } from './after-change.ts'
import { activationLifetimeMs } from './token-links.ts'

interface PeopleParts extends MailParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly hasher: PasswordHasher
  readonly policies: Policies
  /** Called after a commit that has queued a mail. */
  onCommitted?(): void
  /** Called in the database transaction that has changed what a user has of an authenticator: what was remembered by it ends. */
  onFactorsChanged?(tx: Tx, personId: string, now: number): Promise<void>
}

interface PersonWithPassword extends NewPerson {
  readonly password?: string | undefined
  /** A hash made before (argon2id), instead of a password: for seeds. */
  readonly passwordHash?: string | undefined
}

/** Who does it, for the log, and what else belongs to it, in the same database transaction. */
interface ChangeContext {
  readonly by?: Party
  with?(tx: Tx, person: Person, now: number): Promise<void>
}

const system: Party = { id: 'system', type: 'SystemPrincipal' }

/** What an owner or administrator does to users; each call is one transaction, with everything that must end with it. */
export interface People {
  /** The user with this id, else with this login, else with this email. */
  find(name: string): Promise<Person | undefined>
  /** Creates a user, ACTIVE unless said otherwise. The password must meet the user's policy. Throws 400. */
  add(person: PersonWithPassword, deed?: ChangeContext): Promise<Person>
  /**
   * Changes a user; undefined where there is none. A new email, status or password ends the user's open recoveries, with
   * the mails of them that wait; a new password or a status that may not sign in ends the sessions as well. A new password,
   * email, login or authenticator, and a password that is expired, are reported by mail, to the former address too where the
   * email changes. Throws 400.
   */
  change(
    id: string,
    changes: Pick<PersonChanges, 'profile' | 'status'> & {
      readonly password?: string | undefined
      readonly passwordHash?: string | undefined
    },
    deed?: ChangeContext & {
      /** The user does it: the policy's history counts, and where it is strict its minimum age. */
      readonly own?: { readonly strict: boolean }
      /** Only from these statuses; throws `refused` where the user has another, even one set a moment ago. */
      readonly from?: { readonly statuses: readonly PersonStatus[]; readonly refused: Error }
      /**
       * The version of the user by which the caller decided, as after checking the old password. Throws `StaleRead` where
       * it does not stand any more; absent: what `change` itself reads.
       */
      readonly version?: number
      /** `with` queues a mail that says that the password is of no use any more: no notice says it as well. */
      readonly announced?: boolean
      /** Ends the user's sessions in the same database transaction, whatever else is changed. */
      readonly endsSessions?: boolean
      /** False: no notices are queued. For what a test arranges, whose first mail is to be the one that it waits for. */
      readonly notifies?: boolean
    },
  ): Promise<Person | undefined>
  /**
   * Begins the activation of a user who is STAGED, PROVISIONED or DEPROVISIONED: answers the token that completes the account, good for
   * seven days, in place of those before. A user who has a password already, and does not wait for an activation, is ACTIVE without
   * one. Undefined where there is no such user. Throws 403 `E0000016` where the status is another.
   */
  activate(
    id: string,
    deed?: Pick<ChangeContext, 'by'>,
  ): Promise<{ readonly person: Person; readonly token?: string } | undefined>
  /**
   * Notes that the user has proven to read the mails of an address, which is the secondary one of the profile from then on:
   * codes by mail and notices go to it, too. Open transactions of one that it replaces end, and all addresses get a notice. Undefined
   * where there is no such user. Throws 400 where it is no address, or the mailbox of the primary one.
   */
  verifySecondEmail(
    id: string,
    address: string,
    deed?: Pick<ChangeContext, 'by'> & {
      /** The version of the user by which the caller decided. Throws `StaleRead` where it does not stand any more. */
      readonly version?: number
      /** Runs in the same database transaction, once the address is written: what throws there undoes it. */
      with?(tx: Tx, person: Person, now: number): Promise<void>
    },
  ): Promise<Person | undefined>
  /**
   * What follows from a change of a user that the caller has written itself, in the same database transaction: the same as after
   * `change`. For an import, which writes rows.
   *
   * @param written.enrollments those of the user before
   * @param written.formerly a profile that the user had until a moment ago, whose address gets the notices as well
   */
  written(
    tx: Tx,
    written: Pick<Changed, 'before' | 'after' | 'by' | 'formerly'> & {
      readonly enrollments: readonly Enrollment[]
    },
  ): Promise<void>
  /**
   * Removes a user with credentials, sessions and open recoveries; false where there is none. With the version
   * by which the caller decided it throws `StaleRead` where that does not stand any more. One who is not as `only` says by then stays,
   * and it is false.
   */
  remove(
    id: string,
    deed?: ChangeContext & { readonly version?: number; only?(person: Person): boolean },
  ): Promise<boolean>
  /**
   * Removes one enrollment of a user, whatever its authenticator; false where the user does not have it. It is notified of and
   * recorded as every change of a factor; the sessions stay.
   */
  removeEnrollment(id: string, enrollmentId: string, deed?: ChangeContext): Promise<boolean>
  /**
   * Has what a user has of an authenticator count at once, which would have begun no recovery for a while yet: its user added it
   * without a proof of an older factor, and the caller knows that it was the user (A77). False where nothing waits for that.
   */
  settleEnrollment(id: string, enrollmentId: string, deed?: Pick<ChangeContext, 'by'>): Promise<boolean>
  /**
   * Removes what a user has of all authenticators but the password and those of `keeps`, by their keys; answers what was removed,
   * undefined where there is no such user. Recorded as a reset, also where there was nothing.
   */
  resetFactors(
    id: string,
    deed?: ChangeContext & { readonly keeps?: readonly string[] },
  ): Promise<readonly Enrollment[] | undefined>
  /** Ends the user's sessions; their tokens are worth nothing from now on. */
  endSessions(id: string, deed?: ChangeContext & { readonly forgetDevices?: boolean }): Promise<void>
  /** How something that only its owner knows is stored. */
  hashed(text: string): Promise<string>
  /** Whether this is the user's password now. For owners; costs what a sign-in costs and counts for no budget. */
  hasPassword(id: string, password: string): Promise<boolean>
}

export function createPeople(parts: PeopleParts): People {
  const { storage, clock, random, hasher, policies } = parts

  async function checkedPassword(
    text: string,
    person: Pick<Person, 'profile'>,
    personId: string,
    more: (rules: PasswordRules) => Promise<string | undefined> = async () => undefined,
  ): Promise<void> {
    const groupIds = await groupIdsOf(storage.db, personId)
    const { password } = await policies.for({ groupIds, personId })
    const ofRules = await passwordProblems(text, password, person)
    const problems = ofRules.length > 0 ? ofRules : [await more(password)].filter((one) => one !== undefined)
    if (problems.length > 0) {
      const causes = problems.map((problem) => `password: ${problem}`)
      throw apiError('E0000001', { summary: 'Api validation failed: password', causes })
    }
  }

  async function checkProfile(fields: Partial<Profile>, options: { readonly whole: boolean }) {
    const causes = profileProblems(await findUserSchema(storage.db), fields, options)
    if (causes.length === 0) return
    const [field = ''] = causes[0]?.split(':') ?? []
    throw apiError('E0000001', { summary: `Api validation failed: ${field}`, causes })
  }

  async function putPassword(db: Db, personId: string, data: PasswordData, now: number) {
    await putEnrollment(db, passwordEnrollment(personId, data), { random, now })
    await endPersonTokens(db, personId)
    // Sources that the old password signed in from are not known any more (A56).
    return updatePerson(db, personId, { passwordChangedAt: now, knownSources: '' }, now)
  }

  const notify = async (tx: Tx, changed: Changed, now: number): Promise<number> =>
    changed.notifies === false ? 0 : queueNotices(tx, parts, changed, now)

  /** What every change of a factor is followed by, besides its notice: it is recorded, and remembered devices end (A69). */
  async function factorsChanged(
    tx: Tx,
    { after, by }: Pick<Changed, 'after' | 'by'>,
    { enrolled, removed }: Pick<Changed, 'enrolled' | 'removed'>,
    now: number,
  ): Promise<void> {
    if (enrolled.length === 0 && removed.length === 0) return
    for (const event of factorEvents(after, by, { enrolled, removed }))
      await record(tx, event, { random, now })
    await parts.onFactorsChanged?.(tx, after.id, now)
  }

  /** Everything that belongs to a change besides its rows. */
  async function follow(tx: Tx, changed: Changed, now: number, also?: () => Promise<void>): Promise<number> {
    await endOutdated(tx, parts, changed, now)
    if (also === undefined) return notify(tx, changed, now)
    const { id } = changed.after
    // Compared, not declared: a caller that writes a credential reports it, whether it thinks of it or not (A59).
    const before = await findEnrollments(tx, id)
    await also()
    const more = enrollmentChanges(before, await findEnrollments(tx, id))
    await factorsChanged(tx, changed, more, now)
    const { enrolled, removed } = changed
    return notify(
      tx,
      {
        ...changed,
        enrolled: [...enrolled, ...more.enrolled],
        removed: [...removed, ...more.removed],
        password: changed.password || more.password,
      },
      now,
    )
  }

  async function endSessions(tx: Tx, personId: string, now: number, by: Party): Promise<void> {
    const ended = await revokeSessionsOf(tx, personId, now)
    if (ended > 0) await record(tx, sessionsCleared(personId, ended, by), { random, now })
  }

  const people: People = {
    find: async (name) =>
      (await findPerson(storage.db, name)) ?? (await findPersonByIdentifier(storage.db, name)),

    async add({ password: text, passwordHash, ...person }, { by = system, with: also } = {}) {
      await checkProfile(person.profile, { whole: true })
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
        const stored = data === undefined ? created : await putPassword(tx, created.id, data, now)
        await record(tx, lifecycle('user.lifecycle.create', 'Create user', created, by), { random, now })
        await also?.(tx, created, now)
        return stored ?? created
      })
    },

    async change(
      id,
      { password: text, passwordHash, profile, status },
      { by = system, with: also, from, own, version, announced, endsSessions = false, notifies = true } = {},
    ) {
      let queued = 0
      const attempt = async (): Promise<Person | undefined> => {
        const found = await findPerson(storage.db, id)
        if (found === undefined) return undefined
        if (profile !== undefined) await checkProfile(profile, { whole: false })
        const credential = await findEnrollment<PasswordData>(storage.db, id, passwordKey)
        if (text !== undefined) {
          const earlier = { data: credential?.data, changedAt: found.passwordChangedAt }
          const at = { now: clock.now(), strict: own?.strict === true }
          await checkedPassword(text, found, id, async (rules) =>
            own === undefined ? undefined : changeProblem(hasher, text, rules, earlier, at),
          )
        }
        const data =
          passwordHash !== undefined
            ? { hash: passwordHash, history: [] }
            : text === undefined
              ? undefined
              : await newPassword(hasher, text, credential?.data)
        const now = clock.now()
        // The history and the rules were read before the hash was computed: they must be those that stand (A49).
        const asRead = { id, version: version ?? found.version }
        return ifUnchanged(storage, asRead, async (tx) => {
          const before = await findPerson(tx, id)
          if (before === undefined) return undefined
          const isAny = profile !== undefined || status !== undefined || data !== undefined
          const changes = {
            ...(profile && { profile }),
            ...(status && { status }),
            ...(own === undefined && isAny && { byAdministrator: true as const }),
          }
          const changed = await updatePerson(tx, id, changes, now, from?.statuses)
          if (changed === undefined && from !== undefined) throw from.refused
          if (changed === undefined) return undefined
          const stored = data === undefined ? changed : await putPassword(tx, id, data, now)
          for (const event of eventsOfChange(
            before,
            changed,
            by,
            data !== undefined,
            profile !== undefined,
          )) {
            await record(tx, event, { random, now })
          }
          const password = data !== undefined
          const byAdministrator = own === undefined
          const change: Changed = {
            ...{ before, after: changed, password, by, byAdministrator, announced, endsSessions, notifies },
            ...{ enrolled: [], removed: [] },
          }
          queued = await follow(tx, change, now, also && (() => also(tx, changed, now)))
          return stored ?? changed
        })
      }
      // What a caller decided by is the caller's to read again.
      const result = await (version === undefined ? retryStale(attempt) : attempt())
      if (queued > 0) parts.onCommitted?.()
      return result
    },

    async activate(id, { by } = {}) {
      const found = await findPerson(storage.db, id)
      const isWaiting = found?.status === 'PROVISIONED'
      const hasPassword = (await findEnrollment(storage.db, id, passwordKey)) !== undefined
      const refused = apiError('E0000016')
      let token: string | undefined
      const person = await people.change(
        id,
        { status: hasPassword && !isWaiting ? 'ACTIVE' : 'PROVISIONED' },
        {
          ...(by && { by }),
          from: { statuses: ['STAGED', 'PROVISIONED', 'DEPROVISIONED'], refused },
          async with(tx, changed, now) {
            if (changed.status === 'ACTIVE') return
            const wanted = { personId: id, kind: 'activation', lifetimeMs: activationLifetimeMs } as const
            token = await issuePersonToken(tx, wanted, { random, secrets: parts.secrets, now })
          },
        },
      )
      return person && { person, ...(token !== undefined && { token }) }
    },

    async verifySecondEmail(id, address, { by, version, with: also } = {}) {
      let queued = 0
      const attempt = async (): Promise<Person | undefined> => {
        const found = await findPerson(storage.db, id)
        if (found === undefined) return undefined
        await checkProfile({ secondEmail: address }, { whole: false })
        if (mailboxKey(address) === mailboxKey(found.profile.email)) throw isPrimary()
        const now = clock.now()
        return ifUnchanged(storage, { id, version: version ?? found.version }, async (tx) => {
          const before = await findPerson(tx, id)
          if (before === undefined) return undefined
          const profile = before.profile.secondEmail === address ? undefined : { secondEmail: address }
          const changes = {
            ...(profile && { profile }),
            verifiedSecondEmail: address,
            secretChanged: true,
          } as const
          const after = await updatePerson(tx, id, changes, now)
          if (after === undefined) return undefined
          await also?.(tx, after, now)
          await noteSecondaryEmail(tx)
          const actor = by ?? { id, type: 'User' }
          const updated = lifecycle('user.account.update_profile', 'Secondary email verified', after, actor)
          await record(tx, updated, { random, now })
          const isNew = verifiedSecondEmail(before) !== verifiedSecondEmail(after)
          const change = { password: false, removed: [], by: actor, byAdministrator: false }
          queued = await follow(tx, { ...change, before, after, enrolled: isNew ? ['okta_email'] : [] }, now)
          return after
        })
      }
      const result = await (version === undefined ? retryStale(attempt) : attempt())
      policies.forget()
      if (queued > 0) parts.onCommitted?.()
      return result
    },

    async written(tx, { enrollments, ...written }) {
      const now = clock.now()
      const changes = enrollmentChanges(enrollments, await findEnrollments(tx, written.after.id))
      const changed: Changed = { ...written, ...changes, byAdministrator: true }
      await endOutdated(tx, parts, changed, now)
      await factorsChanged(tx, changed, changes, now)
      await queueNotices(tx, parts, changed, now)
    },

    async removeEnrollment(id, enrollmentId, { by = system, with: also } = {}) {
      let removed = false
      const work = async (tx: Tx, person: Person, now: number) => {
        removed = await removeEnrollment(tx, { id: enrollmentId, personId: id })
        if (removed) await updatePerson(tx, id, { secretChanged: true }, now)
        await also?.(tx, person, now)
      }
      await people.change(id, {}, { by, with: work })
      return removed
    },

    async settleEnrollment(id, enrollmentId, { by = system } = {}) {
      let settled = false
      const work = async (tx: Tx, person: Person, now: number) => {
        const enrollment = (await findEnrollments(tx, id)).find((one) => one.id === enrollmentId)
        settled = await settleEnrollment(tx, { id: enrollmentId, personId: id }, now)
        if (!settled) return
        const event = lifecycle('user.mfa.factor.update', 'Factor of user counts at once', person, by)
        const debugData = { authenticator: enrollment?.authenticator ?? '' }
        await record(tx, { ...event, debugData }, { random, now })
      }
      await people.change(id, {}, { by, with: work })
      return settled
    },

    async resetFactors(id, { by = system, keeps = [], with: also } = {}) {
      let removed: readonly Enrollment[] = []
      const work = async (tx: Tx, person: Person, now: number) => {
        const spared = [passwordKey, ...keeps]
        removed = (await findEnrollments(tx, id)).filter(
          ({ authenticator }) => !spared.includes(authenticator),
        )
        for (const enrollment of removed) await removeEnrollment(tx, enrollment)
        if (removed.length > 0) await updatePerson(tx, id, { secretChanged: true }, now)
        await record(tx, lifecycle('user.mfa.factor.reset_all', 'Reset all factors for user', person, by), {
          random,
          now,
        })
        await also?.(tx, person, now)
      }
      const found = await people.change(id, {}, { by, with: work })
      return found && removed
    },

    hashed: (text) => hasher.hash(text),

    async hasPassword(id, text) {
      const credential = await findEnrollment<PasswordData>(storage.db, id, passwordKey)
      return hasher.verify(text, credential?.data.hash)
    },

    async endSessions(id, { by = system, forgetDevices = true } = {}) {
      await storage.transaction(async (tx) => {
        await lockPerson(tx, id)
        if (forgetDevices) await forgetDevicesOf(tx, id)
        await endSessions(tx, id, clock.now(), by)
      })
    },

    async remove(id, { by = system, version, only } = {}) {
      const now = clock.now()
      const attempt = async (): Promise<boolean> => {
        const asRead = { id, version: version ?? (await findPerson(storage.db, id))?.version }
        return ifUnchanged(storage, asRead, async (tx) => {
          const person = await findPerson(tx, id)
          if (person === undefined || only?.(person) === false) return false
          await endTransactionsOf(tx, id, now, { rule: 'person-removed' })
          await endSessions(tx, id, now, by)
          const deleted = lifecycle('user.lifecycle.delete.completed', 'Delete user', person, by)
          await record(tx, deleted, { random, now })
          return removePerson(tx, id)
        })
      }
      return version === undefined ? retryStale(attempt) : attempt()
    },
  }
  return people
}

/** The events of what was enrolled and removed: one for each authenticator. */
const factorEvents = (
  person: Person,
  by: Party,
  { enrolled, removed }: Pick<Changed, 'enrolled' | 'removed'>,
): readonly NewEvent[] => [
  ...enrolled.map((authenticator) => ({
    ...lifecycle('user.mfa.factor.activate', 'Activate factor for user', person, by),
    debugData: { authenticator },
  })),
  ...removed.map((authenticator) => ({
    ...lifecycle('user.mfa.factor.deactivate', 'Reset factor for user', person, by),
    debugData: { authenticator },
  })),
]

const isPrimary = () =>
  apiError('E0000001', {
    summary: 'Api validation failed: secondEmail',
    causes: ['secondEmail: is the primary address'],
  })

/** The events of a change: one event for each kind of it. */
function eventsOfChange(
  before: Person,
  after: Person,
  by: Party,
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
            by,
          ),
        ]),
    ...(password
      ? [lifecycle('user.account.update_password', 'Password set by an administrator', after, by)]
      : []),
    ...(email ? [lifecycle('user.account.update_primary_email', 'Primary email changed', after, by)] : []),
    ...(profile ? [lifecycle('user.account.update_profile', 'Update user', after, by)] : []),
  ]
}

/** The type of the event that records a new status. */
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

/** Back to a status that may do things: named by the status before. */
const leaving: Partial<Record<PersonStatus, EventType>> = {
  SUSPENDED: 'user.lifecycle.unsuspend',
  DEPROVISIONED: 'user.lifecycle.reactivate',
  LOCKED_OUT: 'user.account.unlock',
}

const lifecycle = (eventType: EventType, displayMessage: string, person: Person, actor: Party): NewEvent => ({
  eventType,
  displayMessage,
  outcome: { result: 'SUCCESS' },
  actor,
  target: [{ id: person.id, type: 'User', alternateId: person.profile.login }],
})
