import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * Which sessions have ended without their app having been sent a logout token. Only adds: what a version of before ends has null, and its
 * app is sent none.
 */
export const logout: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('sessions').addColumn('logout_at', 'bigint').execute()
  },
}

/** They are looked for each second. And those of a browser's session, at each of its ends. */
export const logoutQueue: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex('sessions_by_logout')
      .on('sessions')
      .column('logout_at')
      .where('logout_at' as never, 'is not', null)
      .execute()
    await db.schema
      .createIndex('sessions_by_parent')
      .on('sessions')
      .column('parent_id')
      .where('parent_id' as never, 'is not', null)
      .execute()
  },
}
