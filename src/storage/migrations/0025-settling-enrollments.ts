import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * From when an enrollment counts that its user added without having proven an older one (A77). Only adds: what a version of before
 * writes has null and counts at once, as it did there.
 */
export const settlingEnrollments: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('enrollments').addColumn('settles_at', 'bigint').execute()
  },
}
