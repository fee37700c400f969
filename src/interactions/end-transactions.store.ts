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

/** Ends an interaction with its transactions: no handle, code or link of it is good for anything from then on. */
export async function endInteraction(db: Db, id: string, now: number, rule: string): Promise<void> {
  await run(db, 'update interactions set expires_at = $2 where id = $1 and expires_at > $2', [id, now])
  await run(
    db,
    `update transactions set closed_at = coalesce(closed_at, $2), updated_at = $2, link_hash = null,
     ended_by = coalesce(ended_by, $3), expires_at = $2, version = version + 1
     where interaction_id = $1 and expires_at > $2`,
    [id, now, rule],
  )
}

const pageSize = 1000

/**
 * Deletes the transactions of a user, with the interactions they belong to: names, addresses and browsers stand in them.
 * After a wrong answer a transaction is about no user any more, and one in which a name was typed that no user had is about
 * none either: `others` are ids of such, and `isName` finds those that have a name only, none of another user.
 */
export async function forgetTransactionsOf(
  db: Db,
  personId: string,
  { others, isName }: { readonly others: readonly string[]; readonly isName: (text: string) => boolean },
): Promise<void> {
  const ids = [...others]
  for (let after = ''; ; ) {
    const page = await run<{ id: string; progress: string }>(
      db,
      `select id, progress from transactions where id > $1
       and not exists (select 1 from people where people.id = person_id) order by id limit ${pageSize}`,
      [after],
    )
    ids.push(...page.filter(({ progress }) => isName(identifierIn(progress))).map(({ id }) => id))
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) break
    after = last.id
  }
  for (let at = 0; at < ids.length; at += 100) {
    const some = ids.slice(at, at + 100)
    const listed = slots(some, 1)
    const ofSome = `select interaction_id from transactions where id in (${listed})`
    await run(db, `delete from interactions where id in (${ofSome})`, some)
    await run(db, `delete from transactions where id in (${listed})`, some)
  }
  await forgetHints(db, isName)
  await run(
    db,
    'delete from interactions where id in (select interaction_id from transactions where person_id = $1)',
    [personId],
  )
  await run(db, 'delete from transactions where person_id = $1', [personId])
}

/** Deletes the interactions whose app expected the user: the name stands in them, whether the user came or not. */
async function forgetHints(db: Db, isName: (text: string) => boolean): Promise<void> {
  for (let after = ''; ; ) {
    const page = await run<{ id: string; request: string }>(
      db,
      `select id, request from interactions where id > $1 and request like '%"loginHint"%' order by id limit ${pageSize}`,
      [after],
    )
    const ids = page.flatMap(({ id, request }) => (isName(hintIn(request)) ? [id] : []))
    for (const id of ids) {
      await run(db, 'delete from transactions where interaction_id = $1', [id])
      await run(db, 'delete from interactions where id = $1', [id])
    }
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return
    after = last.id
  }
}

const hintIn = (request: string): string =>
  (JSON.parse(request) as { readonly loginHint?: string }).loginHint ?? ''

/** The name that was typed in a transaction; empty where none was. */
const identifierIn = (progress: string): string =>
  (JSON.parse(progress) as { readonly subject?: { readonly identifier?: string } }).subject?.identifier ?? ''
