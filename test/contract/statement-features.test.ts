import { afterEach, expect, test, vi } from 'vitest'
import { featuresOf, statementsOfSource } from '../../scripts/documents/statements.ts'
import { startEngine } from '../../src/testing/index.ts'
import { atTheReset, newPassword } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { noteStatements } from './statements.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

onEachDatabase('the features that docs/statements.md names', (database) => {
  test('are all that reaches the driver at a recovery, its mails, a search and a look at the log', async () => {
    const { url, drop } = await database.create()
    await (await startEngine({ database: url })).close()
    const noted = noteStatements(database.name)
    const idp = await startEngine({ database: url })
    const api = apiOf(idp)
    const visitor = await atTheReset(idp, 'mary@example.com')
    const done = await visitor.answers(newPassword)
    expect((await visitor.redeems(done.interactionCode ?? '')).status).toBe(200)
    await idp.engine.delivery.idle()
    for (const path of ['/users?limit=2', '/users?q=mary', '/groups', '/logs?limit=2'])
      expect((await api('GET', path)).status).toBe(200)
    await idp.engine.maintain()
    const seen = new Set([...noted].flatMap(({ text }) => featuresOf(text)))
    vi.restoreAllMocks()
    await idp.close()
    await drop()

    const documented = new Set(statementsOfSource().flatMap((one) => one.features))
    expect([...seen].filter((feature) => !documented.has(feature))).toEqual([])
    expect(seen).toContain('update … from')
    expect(seen.has('skip locked')).toBe(database.name === 'postgres')
    // What the page says of them.
    expect([...seen, ...documented]).not.toContain('listen, notify')
    const locking = statementsOfSource().filter((one) => one.features.includes('advisory lock'))
    expect(new Set(locking.map(({ file }) => file))).toEqual(new Set(['src/storage/migrator.ts']))
  })
})

test('every table is in some statement, and the patterns find what they are for', () => {
  const samples: Readonly<Record<string, string>> = {
    'on conflict': 'insert into a (b) values ($1) on conflict (b) do nothing',
    returning: 'update a set b = 1 returning b',
    'for update': 'select 1 from a for update',
    'skip locked': 'select 1 from a for update skip locked',
    'with that changes rows': 'with x as (insert into a (b) values (1) returning b) select b from x',
    'update … from': 'update a set b = x.b, c = lower(x.c) from x where a.id = x.id',
    'comparison of rows': 'select 1 from a where (b, c) > ($1, $2)',
    'advisory lock': 'select pg_advisory_xact_lock(1)',
    'listen, notify': 'notify mails;',
  }
  for (const [feature, text] of Object.entries(samples)) expect(featuresOf(text)).toContain(feature)
  expect(featuresOf('update a set b = 1 where id in (select id from x)')).toEqual([])
  expect(featuresOf('select 1 from a for update skip locked')).not.toContain('for update')
  const described = new Set(statementsOfSource().flatMap(({ tables }) => tables))
  for (const name of [
    'people',
    'names',
    'transactions',
    'interactions',
    'outbox',
    'events',
    'budgets',
    'sessions',
  ])
    expect([...described]).toContain(name)
})
