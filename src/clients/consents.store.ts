import { type Random, randomId } from '../base/index.ts'
import { type Db, type Row, run, slots } from '../storage/index.ts'
import { forgetLeftOut, isLeftOut } from './left-out.store.ts'

/** That a user has agreed that a client gets a scope. It stands until the user or an administrator takes it back. */
export interface Consent {
  readonly id: string
  readonly personId: string
  readonly clientId: string
  readonly scope: string
  readonly createdAt: number
}

type ConsentRow = Row<'user_consents'>

const toConsent = (row: ConsentRow): Consent => ({
  id: row.id,
  personId: row.person_id,
  clientId: row.client_id,
  scope: row.scope,
  createdAt: row.created_at,
})

interface Whose {
  readonly personId: string
  readonly clientId: string
}

/** Notes that the user agrees. What was agreed to before stays as it was. */
export async function giveConsent(
  db: Db,
  { personId, clientId, scopes }: Whose & { readonly scopes: readonly string[] },
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<void> {
  for (const scope of scopes) {
    const text = `insert into user_consents (id, person_id, client_id, scope, created_at)
      values ($1, $2, $3, $4, $5) on conflict (person_id, client_id, scope) do nothing`
    await run(db, text, [randomId(random, 'oag'), personId, clientId, scope, now])
  }
  await forgetLeftOut(db, { personId, clientId }, scopes)
}

/** What a user has agreed to, at one client or at all, by id. */
export async function allConsentsOf(
  db: Db,
  { personId, clientId }: Pick<Whose, 'personId'> & Partial<Whose>,
): Promise<readonly Consent[]> {
  const at = clientId === undefined ? '' : 'and client_id = $2'
  const values = clientId === undefined ? [personId] : [personId, clientId]
  const text = `select * from user_consents where person_id = $1 ${at} order by id`
  return (await run<ConsentRow>(db, text, values)).map(toConsent).filter(({ scope }) => !isLeftOut(scope))
}

export async function findConsent(db: Db, personId: string, id: string): Promise<Consent | undefined> {
  const text = 'select * from user_consents where person_id = $1 and id = $2'
  const [row] = await run<ConsentRow>(db, text, [personId, id])
  return row && !isLeftOut(row.scope) ? toConsent(row) : undefined
}

/** Takes consents back, by their ids. Answers those that stood until now: of several callers one gets each. */
export async function withdrawConsents(
  db: Db,
  personId: string,
  ids: readonly string[],
): Promise<readonly Consent[]> {
  if (ids.length === 0) return []
  const text = `delete from user_consents where person_id = $1 and id in (${slots(ids, 2)}) returning *`
  const taken = (await run<ConsentRow>(db, text, [personId, ...ids])).map(toConsent)
  // The user is asked anew from the beginning.
  for (const clientId of new Set(taken.map((one) => one.clientId)))
    await forgetLeftOut(db, { personId, clientId })
  return taken
}
