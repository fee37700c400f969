import { sql } from 'kysely'
import type { Storage } from '../storage/index.ts'
import type { Progress } from './progress.ts'

const counted = 'flows.expired.counted'

/**
 * How many transactions in which a user was named have expired uncompleted since this was last asked. Of all nodes
 * that ask, one gets a span of time: the one that moves the note on.
 */
export async function countExpiredTransactions(
  storage: Storage,
  now: number,
): Promise<Readonly<Record<Progress['intent'], number>>> {
  const none = { 'sign-in': 0, recovery: 0, unlock: 0, activation: 0, enrolment: 0, registration: 0 }
  return storage.transaction(async (tx) => {
    const note = await tx.selectFrom('settings').select('value').where('key', '=', counted).executeTakeFirst()
    if (note === undefined) {
      const first = { key: counted, value: String(now) }
      await tx
        .insertInto('settings')
        .values(first)
        .onConflict((oc) => oc.doNothing())
        .execute()
      return none
    }
    const since = Number(note.value)
    if (since >= now) return none
    const { numUpdatedRows } = await tx
      .updateTable('settings')
      .set({ value: String(now) })
      .where('key', '=', counted)
      .where('value', '=', note.value)
      .executeTakeFirstOrThrow()
    if (numUpdatedRows === 0n) return none

    // What was typed stands in it as JSON, its quotes escaped: it cannot pass for either text.
    const { rows } = await sql<
      Readonly<
        Record<
          'all' | 'recoveries' | 'unlocks' | 'activations' | 'enrolments' | 'registrations',
          number | string
        >
      >
    >`
      select count(*) as "all",
        count(case when progress like '%"intent":"recovery"%' then 1 end) as recoveries,
        count(case when progress like '%"intent":"unlock"%' then 1 end) as unlocks,
        count(case when progress like '%"intent":"activation"%' then 1 end) as activations,
        count(case when progress like '%"intent":"enrolment"%' then 1 end) as enrolments,
        count(case when progress like '%"intent":"registration"%' then 1 end) as registrations
      from transactions where expires_at > ${since} and expires_at <= ${now}
        and closed_at is null and progress like '%"subject":%'`.execute(tx)
    const recovery = Number(rows[0]?.recoveries ?? 0)
    const activation = Number(rows[0]?.activations ?? 0)
    const unlock = Number(rows[0]?.unlocks ?? 0)
    const enrolment = Number(rows[0]?.enrolments ?? 0)
    const registration = Number(rows[0]?.registrations ?? 0)
    const others = recovery + unlock + activation + enrolment + registration
    return {
      recovery,
      unlock,
      activation,
      enrolment,
      registration,
      'sign-in': Number(rows[0]?.all ?? 0) - others,
    }
  })
}
