import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * By which channel a message of the outbox leaves. Only adds: what a version of before writes is a mail. Texts and calls are
 * queued once the phone is in use, so it is activated after the last node of before has stopped: that one would close them as dead.
 */
export const messageChannels: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('outbox')
      .addColumn('channel', 'text', (c) => c.notNull().defaultTo('email'))
      .execute()
  },
}
