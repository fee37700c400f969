import { sql } from 'kysely'
import { createHasher } from '../../src/authenticators/index.ts'
import { checkConfig } from '../../src/config/index.ts'
import type { Storage } from '../../src/storage/index.ts'

export const loginOf = (index: number): string => `person${index}@example.com`

/** The hash as production makes it. */
export const { memoryKiB, passes, lanes } = checkConfig({
  mode: 'test',
  secrets: ['of nobody, for its defaults only: 0123456789'],
}).password

/** What stands for the passwords of all people until they set their own: it can be compared with, and matches none. */
export const nobodysHash = async (hash: 'free' | 'standard'): Promise<string> =>
  hash === 'free'
    ? 'free$none'
    : createHasher({ parameters: { memoryKiB, passes, lanes }, concurrency: 1, queue: 1 }).hash('of nobody')

/** So many people with a password each, in a few statements. Their hash is nobody's: the password itself is never asked for. */
export async function addPeople(storage: Storage, count: number, passwordHash: string): Promise<void> {
  const now = Date.now()
  const credential = JSON.stringify({ hash: passwordHash, history: [] })
  const numbers = sql`with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < ${count - 1})`
  const id = sql`'00ubench' || cast(100000000000 + n as text)`
  const login = sql`'person' || cast(n as text) || '@example.com'`
  // PostgreSQL must be told the type of a parameter that stands alone in a list of columns.
  const text = (value: string) => sql`cast(${value} as text)`
  const at = sql`cast(${now} as bigint)`
  await storage.transaction(async (tx) => {
    await sql`insert into people (id, status, login, login_key, email, email_key, first_key, last_key, profile, created_at, updated_at, status_changed_at)
      select * from (${numbers} select ${id}, 'ACTIVE', ${login}, ${login}, ${login}, ${login}, 'ada', 'example',
        '{"login":"' || ${login} || '","email":"' || ${login} || '","firstName":"Ada","lastName":"Example"}',
        ${at}, ${at}, ${at} from numbers) as made`.execute(tx)
    await sql`insert into credentials (person_id, authenticator, data, created_at, updated_at)
      select * from (${numbers} select ${id}, 'okta_password', ${text(credential)}, ${at}, ${at} from numbers) as made`.execute(
      tx,
    )
    await sql`insert into memberships (group_id, person_id)
      select groups.id, made.id from groups cross join (${numbers} select ${id} as id from numbers) as made
      where groups.name_key = 'everyone'`.execute(tx)
  })
  await sql`analyze`.execute(storage.db)
}
