import { type Db, statement, type Value } from '../storage/index.ts'

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
