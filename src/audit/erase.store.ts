import { type Db, type Row, run, slots } from '../storage/index.ts'
import type { LogEvent, Party } from './events.store.ts'

/** Who is erased from the log. */
export interface ErasedUser {
  readonly id: string
  /** Logins and emails that the user has had, in each form that is known. */
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
  const own = new Set(await transactionsOfUser(db, user.id))
  const known = [...own]
  const patterns = [user.id, ...user.names, ...user.names.map(user.keyOf)].map(patternOf)
  let after: Position = { published_at: -1, ordinal: -1, id: '' }
  let changed = 0
  // First those that are found by the user's own events alone.
  for (const row of await rowsOfTransactions(db, known)) {
    if (await rewrite(db, row, user, pseudonym, own)) changed++
  }
  for (;;) {
    const end = await endOfPage(db, after)
    const found = await mentions(db, after, end, patterns)
    for (const row of found) {
      // A name that was typed before there was a user with it.
      if (row.transaction_id !== null && isTypedIn(row, user)) own.add(row.transaction_id)
      if (await rewrite(db, row, user, pseudonym, own)) changed++
    }
    if (end === undefined) break
    after = end
  }
  const typed = [...own].slice(known.length)
  for (const row of await rowsOfTransactions(db, typed)) {
    if (await rewrite(db, row, user, pseudonym, own)) changed++
  }
  return changed
}

function isTypedIn({ body }: Row<'events'>, { names, keyOf }: ErasedUser): boolean {
  const keys = names.map(keyOf)
  const { actor, target = [] } = JSON.parse(body) as LogEvent
  return [actor, ...target].some(
    ({ id, alternateId }) =>
      id === 'unknown' && alternateId !== undefined && keys.includes(keyOf(alternateId)),
  )
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

/**
 * Finds a text in the JSON of an event. Databases disagree on the lower case of letters outside of ASCII (SQLite knows
 * none): in their place any text is found, and which event does say the name is decided with `keyOf`.
 */
const patternOf = (text: string): string =>
  `%${JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\\%_]/g, '\\$&')
    .replace(/[^\0-\x7f]+/g, '%')
    .toLowerCase()}%`

/** The events of a page that may say a user's name: those of unknown users do in any spelling, and are few. */
async function mentions(
  db: Db,
  after: Position,
  end: Position | undefined,
  patterns: readonly string[],
): Promise<readonly Row<'events'>[]> {
  const span = [after.published_at, after.ordinal, after.id]
  const bound = end === undefined ? [] : [end.published_at, end.ordinal, end.id]
  const first = 4 + bound.length
  const text = `
    select * from events where (published_at, ordinal, id) > ($1, $2, $3)
    ${end === undefined ? '' : 'and (published_at, ordinal, id) <= ($4, $5, $6)'}
    and (actor_id = 'unknown' or target_id = 'unknown' or ${patterns.map((_, index) => `lower(body) like $${first + index} escape '\\'`).join(' or ')})`
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
  const keys = new Set(names.map(keyOf))
  const isName = (text: string | undefined): boolean => text !== undefined && keys.has(keyOf(text))
  const party = (one: Party): Party => {
    if (one.id === id) return { id: pseudonym, type: one.type }
    // A name that another user has by now is that user's.
    return one.id === 'unknown' && isName(one.alternateId) ? { ...one, alternateId: pseudonym } : one
  }
  const isId = new RegExp(`(?<![A-Za-z0-9])${id}(?![A-Za-z0-9])`, 'g')
  // Addresses stand in what a mail server answered. Other names are words, which may mean anything.
  const plain = (text: string): string =>
    isName(text) && text.includes('@')
      ? pseudonym
      : replaceAddresses(text.replace(isId, pseudonym), (address) => (isName(address) ? pseudonym : address))
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

/** Letters of any script, digits and the signs of addresses that users have (RFC 5322, section 3.2.3), but for delimiters. */
const addressLike = /[\p{L}\p{M}\p{N}.!#$%&'*+^_~@\uff20\ufe6b-]+/gu

/**
 * Replaces whole addresses in a text, never a part of a longer one, which is another user's. Quotes around an address and
 * the full stop of a sentence are not part of it; `=` and `/` delimit it, as in `rcpt=ada@example.com`.
 */
function replaceAddresses(text: string, replace: (address: string) => string): string {
  return text.replace(addressLike, (found) => {
    const [, before = '', address = '', after = ''] = /^([.'*]*)(.*?)([.'*!-]*)$/su.exec(found) ?? []
    return before + replace(address) + after
  })
}
