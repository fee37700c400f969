import { type Random, randomId } from '../base/index.ts'
import { type Db, type Row, run, slots } from '../storage/index.ts'

/**
 * An optional scope that a user has left out stands among the consents, by a name that no request can have: a scope has no blank (RFC 6749,
 * section 3.3). So no version of the engine takes it for one that was allowed.
 */
const leftOutName = (scope: string): string => ` ${scope}`

/** What lists of consents leave away. */
export const isLeftOut = (scope: string): boolean => scope.startsWith(' ')

interface Whose {
  readonly personId: string
  readonly clientId: string
}

/** Notes which optional scopes a user does not allow a client: what was allowed of them before is not any more. */
export async function leaveOut(
  db: Db,
  { personId, clientId, scopes }: Whose & { readonly scopes: readonly string[] },
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<void> {
  if (scopes.length === 0) return
  const former = `delete from user_consents where person_id = $1 and client_id = $2 and scope in (${slots(scopes, 3)})`
  await run(db, former, [personId, clientId, ...scopes])
  for (const scope of scopes) {
    const text = `insert into user_consents (id, person_id, client_id, scope, created_at)
      values ($1, $2, $3, $4, $5) on conflict (person_id, client_id, scope) do nothing`
    await run(db, text, [randomId(random, 'oag'), personId, clientId, leftOutName(scope), now])
  }
}

/** Forgets what a user has left out, at a client or at all; of these scopes alone, where any are named. */
export async function forgetLeftOut(
  db: Db,
  { personId, clientId }: Pick<Whose, 'personId'> & Partial<Whose>,
  scopes?: readonly string[],
): Promise<void> {
  if (scopes?.length === 0) return
  const at = clientId === undefined ? [] : [clientId]
  const values = [personId, ...at, ...(scopes ?? []).map(leftOutName)]
  const which = scopes === undefined ? `scope like ' %'` : `scope in (${slots(scopes, at.length + 2)})`
  const text = `delete from user_consents where person_id = $1 ${at.length > 0 ? 'and client_id = $2' : ''} and ${which}`
  await run(db, text, values)
}

/** Which of these scopes a user has allowed a client, and which the user has left out. */
export async function consentsAt(
  db: Db,
  { personId, clientId }: Whose,
  scopes: readonly string[],
): Promise<{ readonly given: readonly string[]; readonly leftOut: readonly string[] }> {
  if (scopes.length === 0) return { given: [], leftOut: [] }
  const names = [...scopes, ...scopes.map(leftOutName)]
  const text = `select scope from user_consents where person_id = $1 and client_id = $2 and scope in (${slots(names, 3)})`
  const rows = await run<Pick<Row<'user_consents'>, 'scope'>>(db, text, [personId, clientId, ...names])
  const found = new Set(rows.map(({ scope }) => scope))
  return {
    given: scopes.filter((scope) => found.has(scope)),
    leftOut: scopes.filter((scope) => found.has(leftOutName(scope))),
  }
}
