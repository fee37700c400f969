import { type NewEvent, type Party, record } from '../audit/index.ts'
import {
  apiError,
  type Clock,
  ProtocolError,
  plainHash,
  randomDigits,
  randomId,
  randomToken,
} from '../base/index.ts'
import { type MailVariables, queueMail } from '../delivery/index.ts'
import {
  compareKey,
  type Enrollment,
  findEnrollment,
  findEnrollments,
  findPerson,
  lockPerson,
  mailboxKey,
  maskAddress,
  type Person,
  removeEnrollment,
  updatePerson,
  verifiedSecondEmail,
} from '../directory/index.ts'
import { dateInWords, languageFor, spanInWords, timeInWords, wordsFor } from '../i18n/index.ts'
import { type Budget, spend } from '../limits/index.ts'
import { passwordKey } from '../passwords/index.ts'
import { type Db, retryStale, type Storage, type Tx } from '../storage/index.ts'
import {
  type AccountChange,
  type AccountChangeKind,
  countOpenChanges,
  countWrongCode,
  dropChange,
  dueChanges,
  endChange,
  findChangeByChallenge,
  findChangeByStop,
  letChangeWait,
  openChanges,
  putChange,
  putChangeCode,
  useChangeCode,
} from './account-changes.store.ts'
import type { MailParts } from './after-change.ts'
import { queuedEvents } from './mail-events.ts'
import { noticeLifetimeMs } from './notices.ts'
import type { OwnerProof } from './own-changes.ts'
import type { People } from './people.ts'

export type { AccountChange } from './account-changes.store.ts'

export interface AccountChangesParts extends MailParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly people: People
  /** For how long a change that no factor of the user was proven for can be stopped, in milliseconds; 0: it is not. */
  readonly waitingMs: number
  /** How long a mailed code is good, in milliseconds. */
  readonly codeMs: number
  onCommitted(): void
}

/** What has become of a change: carried out, or waiting until it may be. */
export type ChangeResult = { readonly done: true } | { readonly done: false; readonly dueAt: number }

/**
 * What users change of their own accounts, with what it waits for (A76, A77): a new address counts once a code that was sent to
 * it came back, and, unless one of the user's own factors was proven, once the waiting time is over; so does the removal
 * of a factor. All verified addresses are notified, with a link that stops it. A change is carried out only while
 * the user is as at its beginning: a new password, another email or another status ends it.
 */
export interface AccountChanges {
  open(personId: string): Promise<readonly AccountChange[]>
  /** Carries out what is due: of one user, or of all. Answers how many. */
  carryOutDue(personId?: string): Promise<number>
  /** A new address to be confirmed; throws 409 where the user has it or one waits. */
  addEmail(
    person: Person,
    wanted: { readonly email: string; readonly isPrimary: boolean; readonly state?: string },
  ): Promise<AccountChange>
  /** Sends a code to the address of a change, in place of the one before. Throws 429. */
  challenge(person: Person, change: AccountChange): Promise<AccountChange>
  /** The change that a challenge is about, whatever has become of it. */
  findChallenge(person: Person, challengeId: string): Promise<AccountChange | undefined>
  /** Checks a code; undefined: it is wrong. */
  verify(
    person: Person,
    change: AccountChange,
    answer: { readonly challengeId: string; readonly code: string },
    proof: OwnerProof,
  ): Promise<ChangeResult | undefined>
  /** Removes an enrollment of the user: after the waiting time, unless it may be done at once. */
  removeFactor(
    person: Person,
    enrollment: Enrollment,
    how: { readonly atOnce: boolean },
  ): Promise<ChangeResult>
  /** Takes a change back; false where there is none that is open. */
  drop(person: Person, id: string): Promise<boolean>
  /** Stops a change that is open, on the word of an administrator; false where it is over, or of another user. */
  stopFor(personId: string, id: string, by: Party): Promise<boolean>
  /**
   * Carries out a change that waits for its time, before that has come, on the word of an administrator. False where none waits, or
   * the account has changed meanwhile, which has stopped it.
   */
  carryOutFor(personId: string, id: string, by: Party): Promise<boolean>
  /** What a link of a notice is about; undefined: of none. */
  findByStop(token: string): Promise<AccountChange | undefined>
  /** Stops the change of a link: of several callers one gets true, and false once it is carried out. */
  stop(token: string): Promise<boolean>
}

const day = 86_400_000
/** How many changes of a user may be open at once: each has mails sent. */
const mostOpen = 10
/** How many codes may be wrong, of all that are sent for one change. */
const mostWrong = 5
/** Mails of a user's own changes, to any address: a caller could have any number of addresses written to. */
const codeMails: Budget = { purpose: 'own-change-codes', limit: 10, windowMs: 3_600_000 }
/** Wrong codes of a user, of all changes. */
const wrongCodes: Budget = { purpose: 'own-change-guesses', limit: 20, windowMs: day, renewed: true }

export function createAccountChanges(parts: AccountChangesParts): AccountChanges {
  const { storage, clock, secrets, random, people, waitingMs, codeMs } = parts
  const { db } = storage
  const changeOf = (person: Person, id: string, data: object): NewEvent => ({
    eventType: 'user.account.change',
    displayMessage: 'A change of an account waits',
    outcome: { result: 'CHALLENGE' },
    actor: { id: person.id, type: 'User', alternateId: person.profile.login },
    target: [{ id: person.id, type: 'User' }],
    debugData: { change: id, ...data },
  })
  const passwordVersion = async (of: Db, personId: string): Promise<number | null> =>
    (await findEnrollment(of, personId, passwordKey))?.version ?? null
  const asNow = async ({ id, profile }: Person) => ({
    email: profile.email,
    password: await passwordVersion(db, id),
  })
  /** A new password, another email or a status that may not sign in: what was asked for before is asked for no more. */
  const isAsBefore = async (of: Db, person: Person, { data: { before } }: Pick<AccountChange, 'data'>) =>
    person.status === 'ACTIVE' &&
    mailboxKey(person.profile.email) === mailboxKey(before.email) &&
    (await passwordVersion(of, person.id)) === before.password
  const isFree = (proof: OwnerProof): boolean => proof === 'proven' || waitingMs === 0

  /** The notice of a change that waits, to every address that the user has proven, and to the email in any case. */
  async function announce(
    tx: Tx,
    person: Person,
    change: Pick<AccountChange, 'id' | 'kind' | 'data'>,
    { token, dueAt, now }: { readonly token: string; readonly dueAt: number; readonly now: number },
  ): Promise<void> {
    const { locale } = person.profile
    const language = languageFor(locale)
    const words = wordsFor(language).account
    for (const recipient of addressesOf(person)) {
      const variables: MailVariables = {
        ...variablesOf(parts, person, language),
        change: change.kind === 'enrollment.remove' ? words.removes : words.email,
        ...(change.data.email && { newEmail: maskAddress(change.data.email) }),
        ...(change.data.authenticator && { 'request.factors': parts.nameOf(change.data.authenticator) }),
        changeDate: `${dateInWords(language, dueAt)}, ${timeInWords(language, dueAt)}`,
        stopLink: `${parts.org.baseUrl ?? ''}/account/stop/${token}`,
      }
      const template = 'AccountChangeWaiting' as const
      const mail = { template, recipient, personId: person.id, transactionId: null, variables, locale }
      const endsAt = Math.min(now + noticeLifetimeMs, dueAt)
      const id = await queueMail(tx, { ...mail, endsAt }, { secrets, random, now })
      await record(tx, mailEvent(person, template, id), { random, now })
    }
    await record(tx, changeOf(person, change.id, { kind: change.kind }), { random, now })
  }

  /** Carries out a change that may be: in one database transaction with its end. */
  async function carryOut(
    change: AccountChange,
    {
      from,
      dueBy,
      by: caller,
    }: { readonly from: AccountChange['status']; readonly dueBy?: number; readonly by?: Party },
  ): Promise<boolean> {
    class Over extends Error {}
    /** What was to be removed as lost has been used since: its owner has it (A69). */
    class Used extends Error {}
    return retryStale(async () => {
      const person = await findPerson(db, change.personId)
      if (person === undefined || !(await isAsBefore(db, person, change))) {
        await endChange(db, change.id, { from, to: 'STOPPED', expiresAt: clock.now() + day })
        return false
      }
      const { email } = change.data
      const isLogin = compareKey(person.profile.login) === compareKey(person.profile.email)
      const profile =
        change.kind === 'email' && email !== undefined
          ? { email, ...(isLogin && { login: email }) }
          : undefined
      const by: Party = caller ?? { id: person.id, type: 'User', alternateId: person.profile.login }
      const { version } = person
      // Under the lock of the user's row: a stop that came before it stands, and one that comes later finds it done.
      const end = async (tx: Tx, now: number): Promise<void> => {
        const to = { from, to: 'DONE' as const, ...(dueBy !== undefined && { dueBy }), expiresAt: now + day }
        if (!(await endChange(tx, change.id, to))) throw new Over()
      }
      try {
        if (change.kind === 'secondEmail' && email !== undefined) {
          const ends = (tx: Tx, _: Person, now: number) => end(tx, now)
          return (await people.verifySecondEmail(person.id, email, { by, version, with: ends })) !== undefined
        }
        await people.change(change.personId, profile === undefined ? {} : { profile }, {
          by,
          own: { strict: false },
          version,
          async with(tx, _, now) {
            const { enrollmentId, enrolledAt } = change.data
            const found =
              enrollmentId === undefined
                ? undefined
                : (await findEnrollments(tx, person.id)).find(({ id }) => id === enrollmentId)
            const usedAt = found?.lastUsedAt ?? 0
            // An administrator has asked the user, and knows better.
            if (usedAt > change.createdAt && caller === undefined) throw new Used()
            await end(tx, now)
            if (change.kind === 'email' && email) {
              await updatePerson(tx, person.id, { verifiedEmail: email }, now)
            }
            if (enrollmentId === undefined) return
            // Removed and set up anew meanwhile: what was to be removed is gone.
            if (found?.createdAt !== enrolledAt) return
            const removed = await removeEnrollment(tx, { id: enrollmentId, personId: person.id })
            if (removed) await updatePerson(tx, person.id, { secretChanged: true }, now)
          },
        })
        return true
      } catch (error) {
        if (error instanceof Over) return false
        if (error instanceof Used) {
          await endChange(db, change.id, { from, to: 'STOPPED', expiresAt: clock.now() + day })
          return false
        }
        throw error
      }
    })
  }

  /** Ends a change that is open; of several callers one gets true, and false once it is carried out. */
  const stop = (
    { id, personId, kind }: AccountChange,
    from: 'WAITING' | 'UNVERIFIED',
    by?: Party,
  ): Promise<boolean> => {
    const now = clock.now()
    return storage.transaction(async (tx) => {
      const person = await lockPerson(tx, personId)
      const to = { from, to: 'STOPPED' as const, expiresAt: now + day }
      if (!(await endChange(tx, id, to)) || person === undefined) return false
      const stopped: NewEvent = {
        ...changeOf(person, id, { kind }),
        displayMessage: 'A change of an account was stopped',
        outcome: { result: 'DENY', reason: 'STOPPED' },
        ...(by !== undefined && { actor: by }),
      }
      await record(tx, stopped, { random, now })
      return true
    })
  }

  const findOpen = async (personId: string, id: string): Promise<AccountChange | undefined> =>
    (await openChanges(db, personId, clock.now())).find((change) => change.id === id)

  async function wait(
    person: Person,
    change: AccountChange,
    write: (tx: Tx, waiting: { dueAt: number; stopHash: string; expiresAt: number }) => Promise<boolean>,
  ): Promise<ChangeResult> {
    const now = clock.now()
    const dueAt = now + waitingMs
    const token = randomToken(random)
    const waiting = { dueAt, stopHash: plainHash(token), expiresAt: dueAt + 7 * day }
    const isWritten = await storage.transaction(async (tx) => {
      const locked = await lockPerson(tx, person.id)
      if (locked === undefined || !(await isAsBefore(tx, locked, change))) return false
      if (!(await write(tx, waiting))) return false
      await announce(tx, locked, change, { token, dueAt, now })
      return true
    })
    if (!isWritten) throw waitsAlready()
    parts.onCommitted()
    return { done: false, dueAt }
  }

  return {
    open: (personId) => openChanges(db, personId, clock.now()),

    async carryOutDue(personId) {
      const now = clock.now()
      let count = 0
      for (const change of await dueChanges(db, { now, limit: 500, ...(personId && { personId }) })) {
        try {
          if (await carryOut(change, { from: 'WAITING', dueBy: now })) count++
        } catch (error) {
          // The address is another user's by now, or the schema does not allow it any more: it never will be carried out.
          if (!(error instanceof ProtocolError) || error.status >= 500) throw error
          await endChange(db, change.id, { from: 'WAITING', to: 'STOPPED', expiresAt: now + day })
        }
      }
      return count
    },

    async addEmail(person, { email, isPrimary, state }) {
      const now = clock.now()
      if ((await countOpenChanges(db, person.id, now)) >= mostOpen) throw tooManyOpen()
      const change = await putChange(db, {
        id: randomId(random, 'eml'),
        personId: person.id,
        kind: (isPrimary ? 'email' : 'secondEmail') satisfies AccountChangeKind,
        status: 'UNVERIFIED',
        targetKey: compareKey(email),
        data: { email, ...(state !== undefined && { state }), before: await asNow(person) },
        createdAt: now,
        expiresAt: now + day,
      })
      if (change === undefined) throw waitsAlready()
      return change
    },

    async challenge(person, change) {
      const now = clock.now()
      const code = randomDigits(random, 6)
      const challengeId = randomId(random, 'myaccount')
      const endsAt = now + codeMs
      const { email = '' } = change.data
      const { locale } = person.profile
      const language = languageFor(locale)
      const isSent = await storage.transaction(async (tx) => {
        if ((await lockPerson(tx, person.id)) === undefined) return false
        const { allowed } = await spend(tx, codeMails, person.id, now)
        if (!allowed) throw tooManyMails()
        const codeHash = secrets.hash('own change', `${change.id}:${code}`)
        if (!(await putChangeCode(tx, change, { challengeId, codeHash, endsAt }))) return false
        const variables: MailVariables = {
          ...variablesOf(parts, person, language),
          newEmail: email,
          verificationToken: code,
          lifetime: spanInWords(language, codeMs),
        }
        const template = 'PendingEmailChange' as const
        const mail = {
          template,
          recipient: email,
          personId: person.id,
          transactionId: null,
          variables,
          locale,
        }
        const id = await queueMail(tx, { ...mail, endsAt }, { secrets, random, now })
        await record(tx, mailEvent(person, template, id), { random, now })
        return true
      })
      if (!isSent) throw apiError('E0000007')
      parts.onCommitted()
      return { ...change, challengeId, codeEndsAt: endsAt }
    },

    findChallenge: ({ id: personId }, challengeId) => findChangeByChallenge(db, { personId, challengeId }),

    async verify(person, change, { challengeId, code }, proof) {
      const now = clock.now()
      const used = await storage.transaction(async (tx) => {
        await lockPerson(tx, person.id)
        // Counted by account as well: neither another code nor another address buys guesses.
        const { allowed } = await spend(tx, wrongCodes, person.id, now)
        if (!allowed) return undefined
        const hashes = secrets.hashes('own change', `${change.id}:${code}`)
        const found = await useChangeCode(tx, change, { challengeId, hashes }, { now, mostWrong })
        if (found === undefined) await countWrongCode(tx, change.id)
        return found
      })
      if (used === undefined) return undefined
      if (isFree(proof) || (used.kind === 'secondEmail' && proof === 'proven')) {
        if (!(await carryOut(used, { from: 'UNVERIFIED' }))) throw waitsAlready()
        return { done: true }
      }
      return wait(person, used, async (tx, waiting) => {
        await letChangeWait(tx, used.id, waiting)
        return true
      })
    },

    async removeFactor(person, enrollment, { atOnce }) {
      const now = clock.now()
      const change = {
        id: randomId(random, 'chg'),
        personId: person.id,
        kind: 'enrollment.remove' as const,
        targetKey: enrollment.id,
        data: {
          enrollmentId: enrollment.id,
          authenticator: enrollment.authenticator,
          enrolledAt: enrollment.createdAt,
          before: await asNow(person),
        },
        createdAt: now,
      }
      const whole: AccountChange = {
        ...{ ...change, status: 'WAITING', challengeId: undefined, codeEndsAt: undefined, dueAt: undefined },
      }
      if (atOnce || waitingMs === 0) {
        await people.change(
          person.id,
          {},
          {
            by: { id: person.id, type: 'User', alternateId: person.profile.login },
            own: { strict: false },
            version: person.version,
            async with(tx, _, at) {
              const removed = await removeEnrollment(tx, { id: enrollment.id, personId: person.id })
              if (!removed) throw apiError('E0000007')
              await updatePerson(tx, person.id, { secretChanged: true }, at)
            },
          },
        )
        return { done: true }
      }
      if ((await countOpenChanges(db, person.id, now)) >= mostOpen) throw tooManyOpen()
      return wait(person, whole, async (tx, waiting) => {
        const put = { ...change, status: 'WAITING' as const, ...waiting }
        return (await putChange(tx, put)) !== undefined
      })
    },

    drop: (person, id) => dropChange(db, { id, personId: person.id }),

    findByStop: async (token) => (isStopToken(token) ? findChangeByStop(db, plainHash(token)) : undefined),

    async stop(token) {
      const change = isStopToken(token) ? await findChangeByStop(db, plainHash(token)) : undefined
      return change === undefined ? false : stop(change, 'WAITING')
    },

    async stopFor(personId, id, by) {
      const change = await findOpen(personId, id)
      if (change?.status !== 'WAITING' && change?.status !== 'UNVERIFIED') return false
      return stop(change, change.status, by)
    },

    async carryOutFor(personId, id, by) {
      const change = await findOpen(personId, id)
      if (change?.status !== 'WAITING') return false
      const isDone = await carryOut(change, { from: 'WAITING', by })
      parts.onCommitted()
      return isDone
    },
  }
}

const isStopToken = (token: string): boolean => /^[A-Za-z0-9]{43}$/.test(token)

/** The addresses that a notice goes to: the email, whether or not it was proven, and what else was. */
const addressesOf = (person: Person): readonly string[] => [
  person.profile.email,
  ...[verifiedSecondEmail(person) ?? []].flat(),
]

const waitsAlready = (): ProtocolError =>
  apiError('E0000157', { causes: ['The same change waits already, or the account has changed meanwhile.'] })
const tooManyOpen = (): ProtocolError =>
  apiError('E0000047', { causes: [`${mostOpen} changes of the account wait already.`] })
const tooManyMails = (): ProtocolError =>
  apiError('E0000047', { causes: ['Too many codes were mailed to the user.'] })

const mailEvent = (person: Person, template: keyof typeof queuedEvents, id: string): NewEvent => ({
  eventType: queuedEvents[template],
  displayMessage: 'Email queued',
  outcome: { result: 'SUCCESS' },
  actor: { id: person.id, type: 'User', alternateId: person.profile.login } satisfies Party,
  target: [{ id: person.id, type: 'User' }],
  debugData: { mail: id, template },
})

function variablesOf(
  { org }: MailParts,
  { profile }: Person,
  language: ReturnType<typeof languageFor>,
): MailVariables {
  return {
    'user.profile.firstName': profile.firstName,
    'user.profile.lastName': profile.lastName,
    'user.profile.login': profile.login,
    'user.profile.email': profile.email,
    'org.name': org.name,
    'org.locale': language,
    baseURL: org.baseUrl,
  }
}

/** What proves a user, without the password: what `ownerProof` is asked with. */
export const ownFactors = async (
  db: Storage['db'],
  personId: string,
  isOwn: (enrollment: Enrollment) => boolean,
): Promise<readonly Enrollment[]> => (await findEnrollments(db, personId)).filter(isOwn)
