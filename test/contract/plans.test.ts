import { DatabaseSync } from 'node:sqlite'
import { CompiledQuery } from 'kysely'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { startEngine } from '../../src/testing/index.ts'
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
  // One row, made by the statement itself.
  'one_row',
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
