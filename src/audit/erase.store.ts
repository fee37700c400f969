import { type Db, type Row, run, slots } from '../storage/index.ts'
import type { LogEvent, Party } from './events.store.ts'

/** Who is erased from the log. */
export interface ErasedUser {
  readonly id: string
  /** Logins and emails that the user has had, as they compare. */
  readonly names: readonly string[]
  /** How names are compared. */
  readonly keyOf: (name: string) => string
}

/** An event of a removed user, as far as it says which user that was. */
export interface Removal {
  readonly id: string
  readonly login: string | undefined
}

/** The users that were removed, by what the log says of it: the newest first. */
export async function removedUsers(db: Db): Promise<readonly Removal[]> {
  const rows = await db
    .selectFrom('events')
    .select('body')
    .where('type', '=', 'user.lifecycle.delete.completed')
    .orderBy('published_at', 'desc')
    .execute()
  return rows.flatMap(({ body }) => {
    const [target] = (JSON.parse(body) as LogEvent).target ?? []
    return target === undefined ? [] : [{ id: target.id, login: target.alternateId }]
  })
}

/** By which names the log knows a user: what was typed, and what the user was called when something was changed. */
export async function namesInEvents(db: Db, id: string): Promise<readonly string[]> {
  const names = new Set<string>()
  for (const column of ['actor_id', 'target_id'] as const) {
    const rows = await db.selectFrom('events').select('body').where(column, '=', id).execute()
    for (const { body } of rows) {
      const { actor, target = [] } = JSON.parse(body) as LogEvent
      for (const party of [actor, ...target]) {
        if (party.id === id && party.alternateId !== undefined) names.add(party.alternateId)
      }
    }
  }
  return [...names]
}

const pageSize = 2000

type Position = Pick<Row<'events'>, 'published_at' | 'ordinal' | 'id'>

/**
 * Puts a pseudonym in the place of a user in every event that names it: as actor or target, by a name that was typed, or
 * anywhere in its text. Events of the user's own transactions lose address and browser, too. What happened, when and with
 * which result stays. Reads the whole log in short statements; where it is interrupted it may be called again. Answers
 * how many events were changed.
 */
export async function eraseFromEvents(db: Db, user: ErasedUser, pseudonym: string): Promise<number> {
  const own = await transactionsOfUser(db, user.id)
  const texts = [user.id, ...user.names.map((name) => JSON.stringify(name).slice(1, -1))]
  let after: Position = { published_at: -1, ordinal: -1, id: '' }
  let changed = 0
  // First those that are found by the user's own events alone.
  for (const row of await rowsOfTransactions(db, [...own])) {
    if (await rewrite(db, row, user, pseudonym, own)) changed++
  }
  for (;;) {
    const end = await endOfPage(db, after)
    const found = await mentions(db, after, end, texts)
    for (const row of found) if (await rewrite(db, row, user, pseudonym, own)) changed++
    if (end === undefined) break
    after = end
  }
  return changed
}

/** The transactions in which the log has seen a user. */
export async function transactionsOfUser(db: Db, id: string): Promise<ReadonlySet<string>> {
  const text = `
    select distinct transaction_id as id from events
    where (actor_id = $1 or target_id = $1) and transaction_id is not null`
  return new Set((await run<{ id: string }>(db, text, [id])).map((row) => row.id))
}

/** The last event of the page after a position; undefined where the page is the last one. */
async function endOfPage(db: Db, { published_at, ordinal, id }: Position): Promise<Position | undefined> {
  const text = `
    select published_at, ordinal, id from events where (published_at, ordinal, id) > ($1, $2, $3)
    order by published_at, ordinal, id limit 1 offset ${pageSize - 1}`
  const [end] = await run<Position>(db, text, [published_at, ordinal, id])
  return end
}

async function mentions(
  db: Db,
  after: Position,
  end: Position | undefined,
  texts: readonly string[],
): Promise<readonly Row<'events'>[]> {
  const span = [after.published_at, after.ordinal, after.id]
  const patterns = texts.map((text) => `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`)
  const bound = end === undefined ? [] : [end.published_at, end.ordinal, end.id]
  const first = 4 + bound.length
  const text = `
    select * from events where (published_at, ordinal, id) > ($1, $2, $3)
    ${end === undefined ? '' : 'and (published_at, ordinal, id) <= ($4, $5, $6)'}
    and (${patterns.map((_, index) => `lower(body) like $${first + index} escape '\\'`).join(' or ')})`
  return run<Row<'events'>>(db, text, [...span, ...bound, ...patterns])
}

async function rowsOfTransactions(db: Db, ids: readonly string[]): Promise<readonly Row<'events'>[]> {
  const found: Row<'events'>[] = []
  for (let at = 0; at < ids.length; at += 100) {
    const some = ids.slice(at, at + 100)
    found.push(
      ...(await run<Row<'events'>>(
        db,
        `select * from events where transaction_id in (${slots(some, 1)})`,
        some,
      )),
    )
  }
  return found
}

/** Writes one event without the user; false where it says nothing of the user. */
async function rewrite(
  db: Db,
  row: Row<'events'>,
  user: ErasedUser,
  pseudonym: string,
  own: ReadonlySet<string>,
): Promise<boolean> {
  const event = JSON.parse(row.body) as LogEvent
  const body = JSON.stringify(withoutUser(event, user, pseudonym, own))
  if (body === row.body) return false
  const idOf = (id: string | null) => (id === user.id ? pseudonym : id)
  await db
    .updateTable('events')
    .set({ body, actor_id: idOf(row.actor_id), target_id: idOf(row.target_id) })
    .where('id', '=', row.id)
    .execute()
  return true
}

function withoutUser(
  event: LogEvent,
  { id, names, keyOf }: ErasedUser,
  pseudonym: string,
  own: ReadonlySet<string>,
): LogEvent {
  const isName = (text: string | undefined): boolean => text !== undefined && names.includes(keyOf(text))
  const party = (one: Party): Party => {
    if (one.id === id) return { id: pseudonym, type: one.type }
    // A name that another user has by now is that user's.
    return one.id === 'unknown' && isName(one.alternateId) ? { ...one, alternateId: pseudonym } : one
  }
  // Addresses stand in what a mail server answered. Other names are words, which may mean anything.
  const addresses = names.filter((name) => name.includes('@')).map((name) => name.toLowerCase())
  const plain = (text: string): string => {
    let cleaned = text.replaceAll(id, pseudonym)
    for (const address of addresses) {
      for (let at = cleaned.toLowerCase().indexOf(address); at >= 0; ) {
        cleaned = `${cleaned.slice(0, at)}${pseudonym}${cleaned.slice(at + address.length)}`
        at = cleaned.toLowerCase().indexOf(address)
      }
    }
    return isName(text) && text.includes('@') ? pseudonym : cleaned
  }
  const isOwn = event.actor.id === id || own.has(event.transaction.id ?? '')
  return {
    ...event,
    actor: party(event.actor),
    target: (event.target ?? []).map(party),
    ...(isOwn && { client: { ...event.client, ipAddress: null, userAgent: null } }),
    debugContext: {
      debugData: Object.fromEntries(
        Object.entries(event.debugContext.debugData).map(([name, value]) => [name, plain(value)]),
      ),
    },
  }
}
