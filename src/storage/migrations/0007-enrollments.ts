import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Credentials become enrollments: what a user has of an authenticator, a password among them. `slot` keeps a user to one
 * of a kind where it is empty, and holds the id where there may be several (phones, passkeys). `version` counts changes
 * of the secret or the status; `counter` only ever rises (the last TOTP step, the counter of a passkey).
 */
export const enrollments: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('enrollments')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('person_id', 'text', (c) => c.notNull())
      .addColumn('authenticator', 'text', (c) => c.notNull())
      .addColumn('slot', 'text', (c) => c.notNull().defaultTo(''))
      .addColumn('method', 'text', (c) => c.notNull())
      .addColumn('name', 'text')
      .addColumn('status', 'text', (c) => c.notNull())
      .addColumn('data', 'text', (c) => c.notNull())
      .addColumn('counter', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('version', 'integer', (c) => c.notNull().defaultTo(1))
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull())
      .addColumn('last_used_at', 'bigint')
      .execute()
    await db.schema
      .createIndex('enrollments_by_person_id')
      .on('enrollments')
      .columns(['person_id', 'authenticator', 'slot'])
      .unique()
      .execute()
    await sql`
      insert into enrollments
        (id, person_id, authenticator, method, status, data, created_at, updated_at)
      select
        case authenticator when 'okta_password' then 'lae' when 'security_question' then 'qae' else 'fae' end
          || substr(person_id, 4),
        person_id, authenticator, replace(authenticator, 'okta_', ''), 'ACTIVE', data, created_at, updated_at
      from credentials`.execute(db)
    await db.schema.dropTable('credentials').execute()
  },
}
