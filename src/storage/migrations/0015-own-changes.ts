import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * What users change themselves. `recovered_at` is when a user last set a password by a recovery: what a user has been enrolled
 * in before that says who changes the account afterwards (A76). `account_changes` are changes that wait: for a code that was
 * sent to an address, or for the time in which the user can stop them (A77). Only adds.
 */
export const ownChanges: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('people').addColumn('recovered_at', 'bigint').execute()
    await db.schema
      .createTable('account_changes')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('person_id', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('status', 'text', (c) => c.notNull())
      .addColumn('target_key', 'text', (c) => c.notNull())
      .addColumn('data', 'text', (c) => c.notNull())
      .addColumn('challenge_id', 'text')
      .addColumn('code_hash', 'text')
      .addColumn('code_ends_at', 'bigint')
      .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
      .addColumn('stop_hash', 'text')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('due_at', 'bigint')
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .execute()
    const index = (name: string, columns: string[]) =>
      db.schema.createIndex(name).on('account_changes').columns(columns)
    await index('account_changes_by_person_id', ['person_id', 'kind', 'target_key']).unique().execute()
    await index('account_changes_by_stop_hash', ['stop_hash']).execute()
    await index('account_changes_by_due_at', ['due_at']).execute()
    await index('account_changes_by_expires_at', ['expires_at']).execute()
  },
}
