import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { NewRow, Storage } from '../../src/storage/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { noteStatements, type Statement } from './statements.ts'

const many = 10_000
const statuses = ['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'STAGED', 'SUSPENDED', 'DEPROVISIONED']
const dayMs = 86_400_000
const begin = Date.UTC(2020, 0, 1)

const person = (n: number): NewRow<'people'> => {
  const login = `person${n}@example.com`
  const first = `First${n % 1000}`
  const profile = { login, email: login, firstName: first, lastName: `Last${n}`, department: `D${n % 100}` }
  return {
    // Ids are random: their order is no other order.
    id: `00u${((n * 7919) % many).toString(36).padStart(8, '0')}${String(n).padStart(9, '0')}`,
    status: statuses[n % statuses.length] ?? '',
    login,
    login_key: login,
    email: login,
    email_key: login,
    first_key: first.toLowerCase(),
    last_key: `last${n}`,
    profile: JSON.stringify(profile),
    created_at: begin + n * 60_000,
    updated_at: begin + n * 60_000,
    status_changed_at: begin,
    password_changed_at: null,
    last_login_at: null,
  }
}

async function fill({ db }: Storage): Promise<void> {
  for (let from = 0; from < many; from += 500) {
    const people = Array.from({ length: 500 }, (_, n) => person(from + n))
    await db.insertInto('people').values(people).execute()
    await db
      .insertInto('names')
      .values(people.map(({ login_key, id }) => ({ key: login_key, person_id: id })))
      .execute()
  }
}

const time = (days: number) => new Date(begin + days * dayMs).toISOString()

/** What is asked, how many it finds (of 10,000 and Mary), and whether it looks at no more than it needs. */
const questions: readonly (readonly [query: string, finds: number])[] = [
  ['limit=200', 200],
  ['q=person77', 10],
  ['q=first77&limit=200', 93],
  ['filter=profile.login eq "person4711@example.com"', 1],
  ['filter=profile.email eq "PERSON4711@EXAMPLE.COM"', 1],
  ['filter=status eq "STAGED"', 200],
  [`filter=lastUpdated gt "${time(6.9)}"&limit=200`, 64],
  ['search=profile.login eq "person4711@example.com"', 1],
  ['search=profile.email sw "person471"', 11],
  ['search=profile.firstName sw "first77"', 110],
  ['search=profile.firstName eq "First770"', 10],
  ['search=profile.lastName sw "last99"', 111],
  ['search=status eq "SUSPENDED" and profile.lastName sw "last999"', 2],
  [`search=created lt "${time(0.05)}"`, 72],
  [`search=lastUpdated ge "${time(3)}" and lastUpdated lt "${time(3.1)}"`, 144],
]

onEachDatabase('among 10,000 people', (database) => {
  let idp: Kit
  let place: TestDatabase
  let api: Api
  beforeAll(async () => {
    place = await database.create()
    idp = await startEngine({ database: place.url })
    api = apiOf(idp)
    await fill(idp.engine.storage)
    // As the server does by itself once rows have come.
    if (database.name === 'postgres') await onPostgres(place.url, 'analyze')
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })

  test.each(questions)('%s finds %i, and looks at little more than at them', async (query, finds) => {
    const statements = noteStatements(database.name)
    const { list, status } = await api('GET', `/users?${encodeURI(query)}`)
    const asked = [...statements].filter(({ text }) => /from "?people"?/.test(text))
    vi.restoreAllMocks()
    expect([status, list.length]).toEqual([200, finds])
    expect(asked).toHaveLength(1)
    if (database.name === 'sqlite') expect(walksOfSqlite(place.url, asked, query)).toEqual([])
    else expect(await lookedAtByPostgres(place.url, asked)).toBeLessThan(1000)
  })

  test('an attribute without a column is looked for in all of them, in less than a second', async () => {
    const beganAt = performance.now()
    const { list } = await api('GET', `/users?${encodeURI('search=profile.department eq "d7"')}`)
    expect(list).toHaveLength(86 + 14)
    expect(performance.now() - beganAt).toBeLessThan(1000)
  })

  test('all of them are listed page by page, each once', async () => {
    const seen = new Set<string>()
    let next: string | undefined = '/users?limit=200'
    for (let pages = 0; next !== undefined && pages < 100; pages++) {
      const page = await api('GET', next)
      for (const { id } of page.list) {
        expect(seen.has(id)).toBe(false)
        seen.add(id)
      }
      next = page.next
    }
    const gone = Array.from({ length: many }, (_, n) => person(n)).filter(
      ({ status }) => status === 'DEPROVISIONED',
    )
    expect(seen.size).toBe(many + 1 - gone.length)
  })
})

/** Statements that walk the whole table, in whatever order. A list is one that may: it stops after its page. */
function walksOfSqlite(url: string, statements: readonly Statement[], query: string): readonly string[] {
  if (query.startsWith('limit')) return []
  const database = new DatabaseSync(url.replace(/^sqlite:/, ''), { readOnly: true })
  const steps = statements.flatMap(
    ({ text }) => database.prepare(`explain query plan ${text}`).all() as { detail: string }[],
  )
  database.close()
  return steps.map(({ detail }) => detail).filter((detail) => /^SCAN people/.test(detail))
}

interface Node {
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Node[]
}

/** How many rows were taken into the hand, found or not. */
async function lookedAtByPostgres(url: string, statements: readonly Statement[]): Promise<number> {
  const looked = (node: Node): number =>
    Math.max(node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0), 0) * node['Actual Loops'] +
    (node.Plans ?? []).reduce((sum, inner) => sum + looked(inner), 0)
  let sum = 0
  for (const { text, values } of statements) {
    const [row] = await onPostgres(url, `explain (analyze, format json) ${text}`, values)
    const [plan] = (row as { 'QUERY PLAN': readonly [{ readonly Plan: Node }] })['QUERY PLAN']
    sum += looked(plan.Plan)
  }
  return sum
}

async function onPostgres(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(text, [...values])
  await client.end()
  return rows
}
