import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * Sessions of browsers beside those of apps: a row with a cookie, and the rows of apps that came of it. Only adds: what a version of
 * before writes has null, a session of an app without a browser's.
 */
export const browserSessions: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('sessions').addColumn('cookie_hash', 'text').execute()
    await db.schema.alterTable('sessions').addColumn('used_at', 'bigint').execute()
    await db.schema.alterTable('sessions').addColumn('parent_id', 'text').execute()
  },
}
