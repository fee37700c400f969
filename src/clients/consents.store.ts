import { type Random, randomId } from '../base/index.ts'
import { type Db, type Row, run, slots } from '../storage/index.ts'

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

/** Those of the scopes that the user has agreed to. */
export async function scopesConsentedTo(
  db: Db,
  { personId, clientId }: Whose,
  scopes: readonly string[],
): Promise<readonly string[]> {
  if (scopes.length === 0) return []
  const text = `select scope from user_consents where person_id = $1 and client_id = $2 and scope in (${slots(scopes, 3)})`
  const rows = await run<Pick<ConsentRow, 'scope'>>(db, text, [personId, clientId, ...scopes])
  return rows.map(({ scope }) => scope)
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
}

/** What a user has agreed to, at one client or at all, by id. */
export async function allConsentsOf(
  db: Db,
  { personId, clientId }: Pick<Whose, 'personId'> & Partial<Whose>,
): Promise<readonly Consent[]> {
  const at = clientId === undefined ? '' : 'and client_id = $2'
  const values = clientId === undefined ? [personId] : [personId, clientId]
  const text = `select * from user_consents where person_id = $1 ${at} order by id`
  return (await run<ConsentRow>(db, text, values)).map(toConsent)
}

export async function findConsent(db: Db, personId: string, id: string): Promise<Consent | undefined> {
  const text = 'select * from user_consents where person_id = $1 and id = $2'
  const [row] = await run<ConsentRow>(db, text, [personId, id])
  return row && toConsent(row)
}

/** Takes consents back, by their ids. Answers those that stood until now: of several callers one gets each. */
export async function withdrawConsents(
  db: Db,
  personId: string,
  ids: readonly string[],
): Promise<readonly Consent[]> {
  if (ids.length === 0) return []
  const text = `delete from user_consents where person_id = $1 and id in (${slots(ids, 2)}) returning *`
  return (await run<ConsentRow>(db, text, [personId, ...ids])).map(toConsent)
}
