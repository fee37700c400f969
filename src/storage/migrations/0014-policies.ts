import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * How often a user has put off a required enrolment, and the devices that are remembered. Only adds: an engine of before runs
 * beside it, and asks for every factor.
 */
export const policies: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('enrollment_skips')
      .addColumn('person_id', 'text', (c) => c.notNull())
      .addColumn('authenticator', 'text', (c) => c.notNull())
      .addColumn('skips', 'integer', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('enrollment_skips_key', ['person_id', 'authenticator'])
      .execute()
    await db.schema
      .createTable('remembered_devices')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('person_id', 'text', (c) => c.notNull())
      .addColumn('client_id', 'text', (c) => c.notNull())
      .addColumn('hash', 'text', (c) => c.notNull().unique())
      .addColumn('person_version', 'integer', (c) => c.notNull())
      .addColumn('evidence', 'text', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .execute()
    await db.schema
      .createIndex('remembered_devices_by_person_id')
      .on('remembered_devices')
      .column('person_id')
      .execute()
    await db.schema
      .createIndex('remembered_devices_by_expires_at')
      .on('remembered_devices')
      .column('expires_at')
      .execute()
  },
}
