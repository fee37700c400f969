import { DatabaseSync } from 'node:sqlite'
import { CompiledQuery } from 'kysely'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { createSecrets } from '../../src/base/index.ts'
import { startEngine } from '../../src/testing/index.ts'
import { exportLines } from '../../src/transfer/index.ts'
import { atTheReset, newPassword } from '../support/attacks.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { noteStatements, type Statement } from './statements.ts'

/** Tables that stay small on any installation: an owner makes their rows, not visitors. They are read as a whole. */
const small = [
  'policies',
  'policy_rules',
  'trusted_origins',
  'signing_keys',
  'groups',
  'clients',
  'api_tokens',
  'kysely_migration',
  // Rows that the statement itself has brought.
  'one_row',
  'endings',
]

onEachDatabase('the statements of a recovery', (database) => {
  test('find their rows by an index, however many people and conversations there are', async () => {
    const { url, drop } = await database.create()
    // Migrations read whole tables, once. They are not part of what is looked at here.
    await (await startEngine({ database: url })).close()
    const statements = noteStatements(database.name)
    const idp = await startEngine({ database: url })
    const ofSeed = lookUps(statements)
    const visitor = await atTheReset(idp, 'mary@example.com')
    const done = await visitor.answers(newPassword)
    expect((await visitor.redeems(done.interactionCode ?? '')).status).toBe(200)
    await idp.engine.delivery.idle()
    const all = [...statements]
    vi.restoreAllMocks()
    expect(all.length).toBeGreaterThan(30)
    // At interact and at token, once each, however many parts of the engine want to know who calls.
    expect(lookUps(all) - ofSeed).toBe(2)

    const plans =
      database.name === 'sqlite'
        ? plansOfSqlite(url.replace(/^sqlite:/, ''), all)
        : await plansOfPostgres(url, all)
    const scans = plans.filter(({ scanned }) => scanned.some((table) => !small.includes(table)))
    expect(scans).toEqual([])
    // The check itself can fail: this has no index.
    const unindexed = [{ text: "select id from people where profile = 'x'", values: [], times: 1 }]
    const caught =
      database.name === 'sqlite'
        ? plansOfSqlite(url.replace(/^sqlite:/, ''), unindexed)
        : await plansOfPostgres(url, unindexed)
    expect(caught[0]?.scanned).toEqual(['people'])
    await idp.close()
    await drop()
  })
})

onEachDatabase('the statements of an export', (database) => {
  test('read each batch as a range of an index: no row twice, and none before it', async () => {
    const storage = await database.open()
    const { db } = storage
    const many = 1200
    const id = (n: number) => `x${String(n).padStart(6, '0')}`
    const rows = Array.from({ length: many }, (_, n) => ({ group_id: id(n % 7), person_id: id(n) }))
    for (let from = 0; from < many; from += 300) {
      const part = rows.slice(from, from + 300)
      await db.insertInto('memberships').values(part).execute()
      for (const [table, owner, other] of [
        ['client_groups', 'client_id', 'group_id'],
        ['client_people', 'client_id', 'person_id'],
      ] as const) {
        const pairs = part.map(({ group_id, person_id }) => ({ [owner]: group_id, [other]: person_id }))
        await db
          .insertInto(table)
          .values(pairs as never)
          .execute()
      }
    }
    await db
      .insertInto('settings')
      .values(rows.map(({ person_id }) => ({ key: `schema.${person_id}`, value: '{}' })))
      .execute()
    const statements = noteStatements(database.name)
    const lines: string[] = []
    const secrets = createSecrets(['a secret of this test that is long enough'])
    const summary = await exportLines(storage, { secrets, now: 0, write: (line) => void lines.push(line) })
    const read = [...statements].filter(({ text }) => /^select \* from/.test(text))
    vi.restoreAllMocks()
    expect(new Set(lines).size).toBe(1 + many * 4)
    expect(summary).toMatchObject({ setting: many, membership: many, clientGroup: many, clientPerson: many })

    const further = read.filter(({ text }) => text.includes(' > '))
    expect(further).toHaveLength(4)
    const { url, drop } = await database.create()
    await (await startEngine({ database: url })).close()
    // The check itself can fail: PostgreSQL takes no range for this form of the condition (SQLite does).
    const bad = {
      text: `select * from memberships where group_id > 'a' or (group_id = 'a' and person_id > 'b')
        order by group_id, person_id limit 500`,
      values: [],
      times: 1,
    }
    for (const [statement, isRange] of [
      ...further.map((one) => [one, true] as const),
      ...(database.name === 'postgres' ? [[bad, false] as const] : []),
    ]) {
      const plan =
        database.name === 'sqlite'
          ? stepsOfSqlite(url.replace(/^sqlite:/, ''), statement.text)
          : await stepsOfPostgres(url, statement)
      const range =
        database.name === 'sqlite'
          ? /^SEARCH \w+ USING (COVERING )?INDEX \S+ \(\(?[\w,]+\)?>[(?,)]+$/
          : /^Limit.*\n *-> +Index (Only )?Scan .*\n *Index Cond: \((ROW\(\w+, \w+\) > ROW|\(?\w+ > )[^\n]*$/
      if (isRange) expect(plan).toMatch(range)
      else expect(plan).not.toMatch(range)
    }
    await drop()
    await storage.close()
  })
})

const stepsOfSqlite = (path: string, text: string): string => {
  const database = new DatabaseSync(path, { readOnly: true })
  const { sql } = CompiledQuery.raw(`explain query plan ${text}`)
  const rows = database.prepare(sql).all() as { detail: string }[]
  database.close()
  return rows.map(({ detail }) => detail).join('\n')
}

async function stepsOfPostgres(url: string, { text, values }: Statement): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('set enable_seqscan = off; set enable_bitmapscan = off')
  const { rows } = await client.query(`explain ${text}`, [...values])
  await client.end()
  return rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n')
}

/** How often a client was looked up. */
const lookUps = (statements: readonly Statement[]): number =>
  [...statements].find(({ text }) => text.startsWith('select * from "clients" where "id"'))?.times ?? 0

interface Plan {
  readonly text: string
  readonly scanned: readonly string[]
}

function plansOfSqlite(path: string, statements: readonly Statement[]): readonly Plan[] {
  const database = new DatabaseSync(path, { readOnly: true })
  const plans = statements.map(({ text }) => {
    const { sql } = CompiledQuery.raw(`explain query plan ${text}`)
    const rows = database.prepare(sql).all() as { detail: string }[]
    // `SCAN x USING INDEX` walks an index in its order, which a limit cuts short.
    const scanned = rows.flatMap(({ detail }) => /^SCAN (\w+)(?! USING)(?:$| )/.exec(detail)?.[1] ?? [])
    return { text, scanned: scanned.filter((table) => !/^(constant|due|everyone)$/i.test(table)) }
  })
  database.close()
  return plans
}

async function plansOfPostgres(url: string, statements: readonly Statement[]): Promise<readonly Plan[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // In an almost empty table a scan is right; forbidden, it is only taken where there is nothing else.
  await client.query('set enable_seqscan = off')
  const plans: Plan[] = []
  for (const { text, values } of statements) {
    const { rows } = await client.query(`explain ${text}`, [...values])
    const lines = rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN'])
    plans.push({ text, scanned: lines.flatMap((line) => /Seq Scan on (\w+)/.exec(line)?.[1] ?? []) })
  }
  await client.end()
  return plans
}
