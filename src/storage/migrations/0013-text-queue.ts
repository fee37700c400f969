import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/** The queue of texts and calls, so that none is searched for behind all mails that wait. */
export const textQueue: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex('outbox_queued_texts')
      .on('outbox')
      .columns(['fair_at', 'id'])
      .where('status' as never, '=', 'queued')
      .where('channel' as never, '<>', 'email')
      .execute()
  },
}
