import { sql } from 'kysely'
import type { Storage } from '../../src/storage/index.ts'

/** The schema and every row of every table as one text, the same for the same database: to see that nothing was written. */
export async function dumpOf({ db, kind }: Storage): Promise<string> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  const lines: string[] = []
  for (const { name, columns } of tables.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    lines.push(`${kind} ${name}: ${columns.map((column) => column.name).join(' ')}`)
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(db)
    lines.push(...rows.map((row) => JSON.stringify(row)).toSorted())
  }
  return lines.join('\n')
}
