import { sql } from 'kysely'
import { type Random, randomId } from '../base/index.ts'
import { type Db, insert, type Row, run, slots, statement, type Value } from '../storage/index.ts'

/** What a user has of an authenticator: a password, an authenticator app, a phone. */
export interface Enrollment<Data = unknown> {
  readonly id: string
  readonly personId: string
  /** The authenticator's key: `google_otp`. */
  readonly authenticator: string
  /** The method it was enrolled for: `otp`. */
  readonly method: string
  /** What the user calls it, where there may be several. */
  readonly name: string | null
  readonly status: 'ACTIVE'
  /** The authenticator's own: hashes and sealed secrets. */
  readonly data: Data
  /** The data as it is stored: what a compare-and-swap compares with. */
  readonly stored: string
  /** Only ever rises: the last TOTP step that was used, the counter of a passkey. */
  readonly counter: number
  /** Counts changes of the secret or the status; neither a use nor a re-hash raises it. */
  readonly version: number
  /** By what the authenticator names its user; null: it does not. */
  readonly handle?: string | null
  /**
   * Until then it begins no recovery and makes no change of the account count at once: its user added it without having
   * proven an older factor (A77). Null: it counts at once.
   */
  readonly settlesAt?: number | null
  readonly createdAt: number
  readonly updatedAt: number
  readonly lastUsedAt: number | null
}

/** An enrollment to write. */
export interface NewEnrollment {
  readonly personId: string
  readonly authenticator: string
  /** The first letters of the id. */
  readonly prefix: string
  /** Of one that was begun before, such as an enrolment over the management API; absent: made here. */
  readonly id?: string
  readonly method: string
  readonly data: unknown
  readonly name?: string
  readonly counter?: number
  /** Whether it stands beside others of its kind; absent: in place of the one before. */
  readonly several?: boolean
  /**
   * Of several: which of them it is. One in the same slot takes the place of the user's one before; none of another user
   * may have it. Absent: the id.
   */
  readonly slot?: string
  /** By what the authenticator names its user: random, nothing of the user is in it. */
  readonly handle?: string
  /** Absent: it counts at once, as what an administrator adds. */
  readonly settlesAt?: number | undefined
  /** Whether what it takes the place of is as if removed: it is no older than itself. Absent: it is the same, changed. */
  readonly isNew?: boolean
}

function toEnrollment<Data>(row: Row<'enrollments'>): Enrollment<Data> {
  return {
    id: row.id,
    personId: row.person_id,
    authenticator: row.authenticator,
    method: row.method,
    name: row.name,
    status: row.status as 'ACTIVE',
    data: JSON.parse(row.data) as Data,
    stored: row.data,
    counter: Number(row.counter),
    version: row.version,
    handle: row.handle,
    settlesAt: row.settles_at === null ? null : Number(row.settles_at),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
  }
}

const enrollmentOf = statement((db, value: Value<{ personId: string; authenticator: string }>) =>
  db
    .selectFrom('enrollments')
    .selectAll()
    .where('person_id', '=', value('personId'))
    .where('authenticator', '=', value('authenticator')),
)

/** The enrollment of an authenticator of which a user has one. The same statement for an unknown user. */
export async function findEnrollment<Data>(
  db: Db,
  personId: string,
  authenticator: string,
): Promise<Enrollment<Data> | undefined> {
  const { rows } = await enrollmentOf(db, { personId, authenticator })
  const [row] = rows
  return row && toEnrollment<Data>(row)
}

const enrollmentsOf = statement((db, value: Value<{ personId: string }>) =>
  db
    .selectFrom('enrollments')
    .selectAll()
    .where('person_id', '=', value('personId'))
    .orderBy('created_at')
    .orderBy('id'),
)

const ofHandle = statement((db, value: Value<{ handle: string }>) =>
  db.selectFrom('enrollments').selectAll().where('handle', '=', value('handle')).orderBy('created_at'),
)

/** The user whose enrollments have a handle, by id. The same statement for a handle that no user has. */
export async function holderOfHandle(db: Db, handle: string): Promise<string | undefined> {
  const { rows } = await ofHandle(db, { handle })
  return rows[0]?.person_id
}

const atSlot = statement((db, value: Value<{ authenticator: string; slot: string }>) =>
  db
    .selectFrom('enrollments')
    .selectAll()
    .where('authenticator', '=', value('authenticator'))
    .where('slot', '=', value('slot'))
    // As the index has it.
    .where('slot', '<>', sql.lit('')),
)

/** Whether some user has the enrollment of a slot. */
export async function isSlotTaken(db: Db, authenticator: string, slot: string): Promise<boolean> {
  const { rows } = await atSlot(db, { authenticator, slot })
  return rows.length > 0
}

/** All enrollments of a user, the oldest first. */
export async function findEnrollments(db: Db, personId: string): Promise<readonly Enrollment[]> {
  const { rows } = await enrollmentsOf(db, { personId })
  return rows.map((row) => toEnrollment(row))
}

/** The id of an enrollment to come: of which a user has one, the same each time. */
export const newEnrollmentId = (
  random: Random,
  { personId, prefix, several }: Pick<NewEnrollment, 'personId' | 'prefix' | 'several'>,
): string => (several ? randomId(random, prefix) : `${prefix}${personId.slice(3)}`)

/**
 * Writes an enrollment, in place of the one before where a user has one of its kind. The caller holds the user's row and
 * raises the user's version in the same transaction (`updatePerson` with `passwordChangedAt` or `secretChanged`).
 */
export async function putEnrollment(
  db: Db,
  enrollment: NewEnrollment,
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<void> {
  const { personId, several, authenticator, method, name = null, counter = 0 } = enrollment
  const { slot, handle = null, settlesAt = null, isNew = false } = enrollment
  const id = enrollment.id ?? newEnrollmentId(random, enrollment)
  await insert(
    db,
    'enrollments',
    [
      {
        id,
        person_id: personId,
        authenticator,
        slot: several ? (slot ?? id) : '',
        method,
        name,
        status: 'ACTIVE',
        data: JSON.stringify(enrollment.data),
        counter,
        version: 1,
        handle,
        settles_at: settlesAt,
        created_at: now,
        updated_at: now,
        last_used_at: null,
      },
    ],
    `on conflict (person_id, authenticator, slot) do update set
      method = excluded.method, name = excluded.name, status = excluded.status, data = excluded.data,
      counter = excluded.counter, handle = excluded.handle, settles_at = excluded.settles_at, updated_at = excluded.updated_at,
      version = enrollments.version + 1${isNew ? ', created_at = excluded.created_at, last_used_at = null' : ''}`,
  )
}

const swap = statement((db, value: Value<{ id: string; from: string; to: string; now: number }>) =>
  db
    .updateTable('enrollments')
    .set({ data: value('to'), updated_at: value('now') })
    .where('id', '=', value('id'))
    .where('data', '=', value('from')),
)

/**
 * Stores the same secret in another form, in place of exactly the one that was read: compare-and-swap, never an upsert,
 * or a sign-in in flight would write the old password back over a new one (A49). False: another is stored by now, which
 * stays. It is the same secret, so neither version changes.
 */
export async function rehashEnrollment(
  db: Db,
  { id, from, data }: { readonly id: string; readonly from: string; readonly data: unknown },
  now: number,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await swap(db, { id, from, to: JSON.stringify(data), now })
  return numAffectedRows > 0n
}

const use = statement((db, value: Value<{ id: string; now: number }>) =>
  db
    .updateTable('enrollments')
    .set({ last_used_at: value('now') })
    .where('id', '=', value('id')),
)

/** Notes that an enrollment without a counter was used. */
export async function useEnrollment(db: Db, id: string, now: number): Promise<void> {
  await use(db, { id, now })
}

const spend = statement((db, value: Value<{ id: string; from: string; to: string; now: number }>) =>
  db
    .updateTable('enrollments')
    .set({ data: value('to'), last_used_at: value('now') })
    .where('data', '=', value('from'))
    .where('id', '=', value('id')),
)

/**
 * Uses up something of an enrollment, such as one of its codes, by its new data in place of exactly what was
 * read. False: something else was used meanwhile, on whatever node, or the enrollment is another one by now (A70).
 */
export async function spendEnrollment(
  db: Db,
  { id, from, data }: { readonly id: string; readonly from: string; readonly data: unknown },
  now: number,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await spend(db, { id, from, to: JSON.stringify(data), now })
  return numAffectedRows > 0n
}

/** Has an enrollment count at once that would have counted later; false where there is none that waits for it. */
export async function settleEnrollment(
  db: Db,
  { id, personId }: { readonly id: string; readonly personId: string },
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('enrollments')
    .set({ settles_at: null, updated_at: now })
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .where('settles_at', '>', now)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

const advance = statement((db, value: Value<{ id: string; counter: number; now: number }>) =>
  db
    .updateTable('enrollments')
    .set({ counter: value('counter'), last_used_at: value('now') })
    .where('id', '=', value('id'))
    .where('counter', '<', value('counter')),
)

/**
 * Notes that a code or signature was used, by a counter that only rises. False: it, or a later one, was used already, on
 * whatever node (RFC 6238, section 5.2; A66).
 */
export async function advanceCounter(
  db: Db,
  { id, counter }: { readonly id: string; readonly counter: number },
  now: number,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await advance(db, { id, counter, now })
  return numAffectedRows > 0n
}

/** Enrollments of an authenticator in the order of their ids, from behind `after`; at most `limit`. */
export async function enrollmentsAfter(
  db: Db,
  authenticator: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly Enrollment[]> {
  const rows = await db
    .selectFrom('enrollments')
    .selectAll()
    .where('authenticator', '=', authenticator)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => toEnrollment(row))
}

/** Gives an enrollment another name. It says nothing of the secret: the user's version stays. */
export async function renameEnrollment(
  db: Db,
  { id, personId, name }: Pick<Enrollment, 'id' | 'personId' | 'name'>,
  now: number,
): Promise<void> {
  const text = 'update enrollments set name = $1, updated_at = $2 where id = $3 and person_id = $4'
  await run(db, text, [name, now, id, personId])
}

const removal = statement((db, value: Value<{ id: string; personId: string }>) =>
  db.deleteFrom('enrollments').where('id', '=', value('id')).where('person_id', '=', value('personId')),
)

/**
 * Removes one enrollment of a user; false where the user does not have it, or not any more. The caller holds the user's row
 * and raises the user's version in the same transaction.
 */
export async function removeEnrollment(
  db: Db,
  { id, personId }: Pick<Enrollment, 'id' | 'personId'>,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await removal(db, { id, personId })
  return numAffectedRows > 0n
}

/** Removes what a user has of an authenticator; false where there was nothing. */
export async function removeEnrollments(db: Db, personId: string, authenticator: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('enrollments')
    .where('person_id', '=', personId)
    .where('authenticator', '=', authenticator)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/** Which of these users have an authenticator. */
export async function usersEnrolledIn(
  db: Db,
  ids: readonly string[],
  authenticator: string,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const text = `select person_id from enrollments where authenticator = $1 and person_id in (${slots(ids, 2)})`
  const rows = await run<{ person_id: string }>(db, text, [authenticator, ...ids])
  return new Set(rows.map((row) => row.person_id))
}

/** The data of an authenticator of these users, by their ids; users without it are left out. */
export async function enrollmentsOfUsers<Data>(
  db: Db,
  ids: readonly string[],
  authenticator: string,
): Promise<ReadonlyMap<string, Data>> {
  if (ids.length === 0) return new Map()
  const text = `select person_id, data from enrollments where authenticator = $1 and person_id in (${slots(ids, 2)})`
  const rows = await run<{ person_id: string; data: string }>(db, text, [authenticator, ...ids])
  return new Map(rows.map((row) => [row.person_id, JSON.parse(row.data) as Data]))
}
