import { type RawBuilder, sql } from 'kysely'
import { checkConfig } from '../../src/config/index.ts'
import { createHasher } from '../../src/passwords/index.ts'
import type { Storage, Tx } from '../../src/storage/index.ts'

export const loginOf = (index: number): string => `person${index}@example.com`

/** The parameters of the password hash in production. */
export const { memoryKiB, passes, lanes } = checkConfig({
  mode: 'test',
  secrets: ['unused, for the defaults only: 0123456789'],
}).password

/** A valid hash that matches no password, for all users until they set a password. */
export const unmatchedHash = async (hash: 'free' | 'standard'): Promise<string> =>
  hash === 'free'
    ? 'free$none'
    : createHasher({ parameters: { memoryKiB, passes, lanes }, concurrency: 1, queue: 1 }).hash(
        'matches no user',
      )

/** The rows per statement: a million rows would exceed the statement timeout. */
const block = 50_000

async function inBlocks(
  storage: Storage,
  count: number,
  fill: (tx: Tx, numbers: RawBuilder<unknown>) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < count; from += block) {
    const last = Math.min(count, from + block) - 1
    const numbers = sql`with recursive numbers(n) as (select cast(${from} as integer) union all select n + 1 from numbers where n < ${last})`
    await storage.transaction((tx) => fill(tx, numbers))
  }
}

/** Adds users with a password hash, in a few statements. */
export async function addPeople(storage: Storage, count: number, passwordHash: string): Promise<void> {
  const now = Date.now()
  const data = JSON.stringify({ hash: passwordHash, history: [] })
  const id = sql`'00ubench' || cast(100000000000 + n as text)`
  const login = sql`'person' || cast(n as text) || '@example.com'`
  // PostgreSQL needs a type for a parameter that is a column by itself.
  const text = (value: string) => sql`cast(${value} as text)`
  const at = sql`cast(${now} as bigint)`
  await inBlocks(storage, count, async (tx, numbers) => {
    await sql`insert into people (id, status, login, login_key, email, email_key, first_key, last_key, profile, created_at, updated_at, status_changed_at)
      select * from (${numbers} select ${id}, 'ACTIVE', ${login}, ${login}, ${login}, ${login}, 'ada', 'example',
        '{"login":"' || ${login} || '","email":"' || ${login} || '","firstName":"Ada","lastName":"Example"}',
        ${at}, ${at}, ${at} from numbers) as made`.execute(tx)
    await sql`insert into names (key, person_id)
      select * from (${numbers} select ${login}, ${id} from numbers) as made`.execute(tx)
    await sql`insert into enrollments (id, person_id, authenticator, method, status, data, created_at, updated_at)
      select * from (${numbers} select 'lae' || substr(${id}, 4), ${id}, 'okta_password', 'password', 'ACTIVE',
        ${text(data)}, ${at}, ${at} from numbers) as made`.execute(tx)
    await sql`insert into memberships (group_id, person_id)
      select groups.id, made.id from groups cross join (${numbers} select ${id} as id from numbers) as made
      where groups.name_key = 'everyone'`.execute(tx)
  })
  await sql`analyze`.execute(storage.db)
}

/**
 * Adds open transactions. Those of the first `people` belong to one user each and wait for the code; the others have no
 * user yet.
 */
export async function addTransactions(storage: Storage, count: number, people: number): Promise<void> {
  const now = Date.now()
  const at = sql`cast(${now} as bigint)`
  const end = sql`cast(${now + 3_600_000} as bigint)`
  const text = (value: string) => sql`cast(${value} as text)`
  const own = sql`case when n < ${people} then '00ubench' || cast(100000000000 + n as text) end`
  const progress = { format: 1, intent: 'recovery', proofs: [], misses: 0, replaced: [] }
  await inBlocks(storage, count, async (tx, numbers) => {
    await sql`insert into interactions (id, handle_hash, client_id, issuer, request, redirect_uri, code_challenge, origin, created_at, expires_at)
      select * from (${numbers} select 'intbench' || cast(n as text), 'handle' || cast(n as text), 'bench', 'default',
        ${text('{"scope":"openid","state":"state"}')}, 'https://app.example/callback', 'challenge', '{}', ${at}, ${end} from numbers) as made`.execute(
      tx,
    )
    await sql`insert into transactions (id, interaction_id, turn, client_id, state_hash, key_version, progress, version, person_id, created_at, updated_at, expires_at)
      select * from (${numbers} select 'trsbench' || cast(n as text), 'intbench' || cast(n as text), 0, 'bench', 'state' || cast(n as text),
        'bench', ${text(JSON.stringify(progress))}, 4, ${own}, ${at}, ${at}, ${end} from numbers) as made`.execute(
      tx,
    )
  })
  await sql`analyze`.execute(storage.db)
}
