import { sql } from 'kysely'
import { describe, expect, test, vi } from 'vitest'
import type { Storage } from '../../src/storage/index.ts'
import { newVisitor, startEngine } from '../../src/testing/index.ts'
import { databases } from '../support/postgres.ts'
import { spyOnStatements } from './statements.ts'

// A row that every recovery changes is a queue: its lock is held until the change is on disk, so there are no more recoveries
// a second than the disk has commits, however many nodes there are.

/** Writes down, in the transaction that does it, each row that is changed or deleted: its table and its primary key. */
async function noteChanges({ db }: Storage): Promise<void> {
  await sql`create table noted (changed text not null)`.execute(db)
  await sql`
    create function note() returns trigger language plpgsql as $$ begin
      insert into noted select TG_TABLE_NAME || ' ' || string_agg(to_jsonb(old) ->> name, ' ') from unnest(TG_ARGV) as name;
      return null;
    end $$`.execute(db)
  const { rows } = await sql<{ table: string; columns: readonly string[] }>`
    select c.relname as "table", array_agg(a.attname::text) as columns
    from pg_class c
    join pg_index i on i.indrelid = c.oid and i.indisprimary
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by 1`.execute(db)
  for (const { table, columns } of rows)
    await sql`
      create trigger note after update or delete on ${sql.table(table)} for each row
      execute function note(${sql.join(columns.map((column) => sql.lit(column)))})`.execute(db)
}

const people = ['ada', 'grace', 'alan'].map((name) => `${name}@example.com`)
const clients = ['app-0', 'app-1'].map((id) => ({
  id,
  label: id,
  applicationType: 'browser' as const,
  grantTypes: ['interaction_code' as const, 'refresh_token' as const],
  insecureLocalhostRedirects: true,
  redirectUris: ['http://localhost:8080/login/callback'],
}))

describe.skipIf(databases[1]?.skipped !== undefined)('rows of PostgreSQL', () => {
  test('are changed or locked by no two recoveries of different users, though at one app and from one address', async () => {
    const { url = '', drop = async () => {} } = (await databases[1]?.create()) ?? {}
    const idp = await startEngine({
      database: url,
      people: people.map((email) => ({ login: email, email })),
      clients,
    })
    const { storage } = idp.engine
    await noteChanges(storage)
    const locked: string[] = []
    spyOnStatements('postgres', ({ text, values, request }) => {
      if (request !== undefined && /\bfor (no key )?update\b|\badvisory/i.test(text))
        locked.push(`${/from "?(\w+)/i.exec(text)?.[1]} ${values.join(' ')}`)
    })

    /** What one recovery has changed and locked, the delivery of its mails with it. */
    async function recovery(index: number, client: string, password: string) {
      locked.length = 0
      await sql`delete from noted`.execute(storage.db)
      const visitor = newVisitor(idp, { client })
      await visitor.atTheCode(people[index] ?? '')
      await idp.engine.delivery.idle()
      await visitor.answers(idp.outbox.latest({ to: people[index] ?? '' })?.code ?? '')
      const done = await visitor.answers(password)
      expect(done.messages).toEqual([])
      await visitor.redeems(done.interactionCode ?? '')
      expect(visitor.response).toMatchObject({ status: 200 })
      await idp.engine.delivery.idle()
      const { rows } = await sql<{ changed: string }>`select distinct changed from noted`.execute(storage.db)
      return new Set([...rows.map(({ changed }) => changed), ...locked])
    }
    const apart = [
      await recovery(0, 'app-0', 'Lighthouse-Biscuit-77'),
      await recovery(1, 'app-0', 'Lighthouse-Biscuit-77'),
      await recovery(2, 'app-1', 'Lighthouse-Biscuit-77'),
    ]
    const again = await recovery(0, 'app-1', 'Umbrella-Saxophone-19')
    vi.restoreAllMocks()
    await idp.close()
    await drop()

    const inCommon = (all: readonly Set<string>[]) =>
      [...new Set(all.flatMap((one) => [...one]))].filter(
        (row) => all.filter((one) => one.has(row)).length > 1,
      )
    expect(inCommon(apart)).toEqual([])
    // Of one user they are, so what is noted is what is changed.
    const ofUser = [...new Set(inCommon([...apart, again]).map((row) => row.split(' ')[0]))]
    expect(ofUser).toEqual(expect.arrayContaining(['people']))
  })
})
