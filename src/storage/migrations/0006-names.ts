import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Users in one statement, so that a large installation stays below the time that a statement may take. */
const batch = 10_000

/**
 * One namespace of names: a login or email, by its comparison key, belongs to one user at most (A55). Unique columns
 * cannot say so, because a login of one user may be the email of another.
 *
 * Existing users get their names in the order in which they were created. Where a later user has a name that is an
 * earlier one's already, that name is left out, so that the migration never fails and a name cannot be taken over; the
 * engine writes each one left out to its log.
 */
export const names: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('names')
      .addColumn('key', 'text', (c) => c.primaryKey())
      .addColumn('person_id', 'text', (c) => c.notNull())
      .execute()
    await db.schema.createIndex('names_by_person_id').on('names').column('person_id').execute()
    // The groups of a user are read from the index alone, however many there are.
    await db.schema
      .createIndex('memberships_by_person_id_group_id')
      .on('memberships')
      .columns(['person_id', 'group_id'])
      .execute()
    await db.schema.dropIndex('memberships_by_person_id').execute()

    let from = { created_at: -1, id: '' }
    for (;;) {
      const after = sql`(created_at, id) > (${from.created_at}, ${from.id})`
      await sql`
        with users as (select * from people where ${after} order by created_at, id limit ${batch}),
          named as (select login_key as key, id, created_at from users
            union select email_key as key, id, created_at from users),
          ranked as (select key, id, row_number() over (partition by key order by created_at, id) as place from named)
        insert into names (key, person_id) select key, id from ranked where place = 1
        on conflict (key) do nothing`.execute(db)
      const { rows } = await sql<{ created_at: number; id: string }>`
        select created_at, id from people where ${after} order by created_at, id
        limit 1 offset ${batch - 1}`.execute(db)
      const [last] = rows
      if (last === undefined) return
      from = last
    }
  },
}
