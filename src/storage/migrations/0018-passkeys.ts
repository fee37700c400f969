import { type Kysely, sql } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * By what an authenticator names its user: the random handle that a passkey answers with, the same in all passkeys of a
 * user. And one owner for each slot: of a passkey it is a hash of the credential's id, of all others their own id. Only
 * adds.
 */
export const passkeys: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('enrollments').addColumn('handle', 'text').execute()
    await db.schema
      .createIndex('enrollments_by_slot')
      .on('enrollments')
      .columns(['authenticator', 'slot'])
      .unique()
      .where(sql.ref('slot'), '<>', sql.lit(''))
      .execute()
  },
}

/** A passkey is found by its handle alone, before any name is typed. */
export const passkeysByHandle: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.createIndex('enrollments_by_handle').on('enrollments').column('handle').execute()
  },
}
