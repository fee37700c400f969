import { type Random, randomId } from '../base/index.ts'
import { type Db, insert, type Row } from '../storage/index.ts'

/** `activate`: an enrolment that waits to be confirmed. `verify`: a challenge of what the user has. */
export type FactorPurpose = 'activate' | 'verify'

/**
 * What the factors API has begun and nothing has answered yet. It is no enrollment: nothing that asks what a user has sees
 * it. A user has at most one of a factor and purpose.
 */
export interface StoredChallenge {
  readonly id: string
  readonly personId: string
  readonly factorId: string
  /** Of the enrollment that it is, or will be. */
  readonly enrollmentId: string
  readonly authenticator: string
  readonly method: string
  readonly purpose: FactorPurpose
  readonly data: unknown
  /** Counts what was sent anew: what was checked by another one is not written. */
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly expiresAt: number
}

export type NewFactorChallenge = Omit<StoredChallenge, 'id' | 'version' | 'createdAt' | 'updatedAt'>

const toChallenge = (row: Row<'factor_challenges'>): StoredChallenge => ({
  id: row.id,
  personId: row.person_id,
  factorId: row.factor_id,
  enrollmentId: row.enrollment_id,
  authenticator: row.authenticator,
  method: row.method,
  purpose: row.purpose as FactorPurpose,
  data: JSON.parse(row.data),
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  expiresAt: row.expires_at,
})

/** Writes a challenge, in place of the one before of its factor and purpose. The caller holds the user's row. */
export async function putFactorChallenge(
  db: Db,
  wanted: NewFactorChallenge,
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<void> {
  const { personId, factorId, enrollmentId, authenticator, method, purpose } = wanted
  await insert(
    db,
    'factor_challenges',
    [
      {
        id: randomId(random, 'fch'),
        person_id: personId,
        factor_id: factorId,
        enrollment_id: enrollmentId,
        authenticator,
        method,
        purpose,
        data: JSON.stringify(wanted.data),
        version: 1,
        created_at: now,
        updated_at: now,
        expires_at: wanted.expiresAt,
      },
    ],
    `on conflict (person_id, factor_id, purpose) do update set
      enrollment_id = excluded.enrollment_id, method = excluded.method, data = excluded.data,
      updated_at = excluded.updated_at, expires_at = excluded.expires_at,
      version = factor_challenges.version + 1`,
  )
}

/** What is open of a user, the oldest first. */
export async function findFactorChallenges(
  db: Db,
  personId: string,
  now: number,
): Promise<readonly StoredChallenge[]> {
  const rows = await db
    .selectFrom('factor_challenges')
    .selectAll()
    .where('person_id', '=', personId)
    .where('expires_at', '>', now)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows.map(toChallenge)
}

/** Pending enrolments of an authenticator in the order of their ids, from behind `after`; at most `limit`. With the data as stored. */
export async function pendingFactorsAfter(
  db: Db,
  authenticator: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<
  readonly { readonly id: string; readonly data: { readonly enrolled?: unknown }; readonly stored: string }[]
> {
  const rows = await db
    .selectFrom('factor_challenges')
    .select(['id', 'data'])
    .where('authenticator', '=', authenticator)
    .where('purpose', '=', 'activate' satisfies FactorPurpose)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id, data }) => ({ id, data: JSON.parse(data), stored: data }))
}

/** Stores the same in another form, in place of exactly what was read: it is the same challenge, so its version stays. */
export async function rewritePendingFactor(
  db: Db,
  { id, from, data }: { readonly id: string; readonly from: string; readonly data: unknown },
): Promise<void> {
  await db
    .updateTable('factor_challenges')
    .set({ data: JSON.stringify(data) })
    .where('id', '=', id)
    .where('data', '=', from)
    .execute()
}

/**
 * Uses up a challenge, exactly as it was read; false where another request has used or replaced it since, so that of two
 * right answers one counts.
 */
export async function useFactorChallenge(
  db: Db,
  { id, version }: Pick<StoredChallenge, 'id' | 'version'>,
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('factor_challenges')
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/** Ends what is open of a user, or of one enrollment; answers how many enrolments were pending. */
export async function endFactorChallenges(db: Db, personId: string, enrollmentId?: string): Promise<number> {
  const deleted = await db
    .deleteFrom('factor_challenges')
    .where('person_id', '=', personId)
    .$if(enrollmentId !== undefined, (query) => query.where('enrollment_id', '=', enrollmentId ?? ''))
    .returning('purpose')
    .execute()
  return deleted.filter(({ purpose }) => purpose === 'activate').length
}
