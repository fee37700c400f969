import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * What the factors API has begun and nothing has answered yet: an enrolment that waits to be confirmed, a code that was sent for
 * a verification. A table of its own, since a version of before takes every row of `enrollments` for one that is in use. Only
 * adds.
 */
export const factorChallenges: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('factor_challenges')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('person_id', 'text', (c) => c.notNull())
      .addColumn('factor_id', 'text', (c) => c.notNull())
      .addColumn('enrollment_id', 'text', (c) => c.notNull())
      .addColumn('authenticator', 'text', (c) => c.notNull())
      .addColumn('method', 'text', (c) => c.notNull())
      .addColumn('purpose', 'text', (c) => c.notNull())
      .addColumn('data', 'text', (c) => c.notNull())
      .addColumn('version', 'integer', (c) => c.notNull().defaultTo(1))
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .execute()
    await db.schema
      .createIndex('factor_challenges_by_factor')
      .on('factor_challenges')
      .columns(['person_id', 'factor_id', 'purpose'])
      .unique()
      .execute()
    await db.schema
      .createIndex('factor_challenges_by_expires_at')
      .on('factor_challenges')
      .column('expires_at')
      .execute()
  },
}
