import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Queued mails are sent in an order that is fair by source (A57), and a user's row remembers from which sources the
 * user has signed in, so that strangers cannot use up the user's budgets there (A56).
 */
export const sources: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('outbox').addColumn('source', 'text').execute()
    // Mails that are queued already come first.
    await db.schema
      .alterTable('outbox')
      .addColumn('fair_at', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
    await db.schema
      .createIndex('outbox_queued_by_source')
      .on('outbox')
      .columns(['source', 'fair_at'])
      .where('status' as never, '=', 'queued')
      .execute()
    await db.schema.alterTable('people').addColumn('known_sources', 'text').execute()
  },
}
