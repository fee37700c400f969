import { type Db, run, slots, statement, type Value } from '../storage/index.ts'

const closeAll = statement(
  (db, value: Value<{ personId: string; now: number; rule: string; except: string }>) =>
    db
      .updateTable('transactions')
      .set((eb) => ({
        closed_at: value('now'),
        updated_at: value('now'),
        link_hash: null,
        ended_by: value('rule'),
        version: eb('version', '+', 1),
      }))
      .where('person_id', '=', value('personId'))
      .where('closed_at', 'is', null)
      .where('id', '!=', value('except')),
)

/**
 * Closes every open transaction of a user in one statement: their codes and links are invalid from then on (A14, A38).
 * `except` is the transaction that has just succeeded.
 */
export async function endTransactionsOf(
  db: Db,
  personId: string,
  now: number,
  options: { readonly except?: string; readonly rule?: string } = {},
): Promise<number> {
  // No transaction has an empty id.
  const { rule = 'superseded', except = '' } = options
  const { numAffectedRows } = await closeAll(db, { personId, now, rule, except })
  return Number(numAffectedRows ?? 0n)
}

/** Deletes the transactions of a user, with the interactions they belong to: names, addresses and browsers stand in them. */
export async function forgetTransactionsOf(
  db: Db,
  personId: string,
  /** Further ones: after a wrong answer a transaction is about no user any more. */
  others: readonly string[] = [],
): Promise<void> {
  for (let at = 0; at < others.length; at += 100) {
    const some = others.slice(at, at + 100)
    const ids = slots(some, 1)
    const ofSome = `select interaction_id from transactions where id in (${ids})`
    await run(db, `delete from interactions where id in (${ofSome})`, some)
    await run(db, `delete from transactions where id in (${ids})`, some)
  }
  await run(
    db,
    'delete from interactions where id in (select interaction_id from transactions where person_id = $1)',
    [personId],
  )
  await run(db, 'delete from transactions where person_id = $1', [personId])
}
