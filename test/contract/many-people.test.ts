import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { forgetAttribute } from '../../src/directory/index.ts'
import type { NewRow, Storage } from '../../src/storage/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { onThisMachine } from '../support/machine.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { noteRequests, noteStatements, type Statement } from './statements.ts'

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
    const statements = noteRequests(database.name)
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
    expect(performance.now() - beganAt).toBeLessThan(onThisMachine(1000))
  })

  describe('where a search may read 500 of them one by one', () => {
    let strict: Kit
    let ask: Api
    beforeAll(async () => {
      strict = await startEngine({ database: place.url, settings: { management: { scannedUsers: 500 } } })
      ask = apiOf(strict)
    })
    afterAll(() => strict.close())
    const search = (text: string, more = '') => ask('GET', `/users?search=${encodeURIComponent(text)}${more}`)

    test.each([
      ['profile.department eq "d7"', 'profile.department eq'],
      ['profile.email co "77"', 'profile.email co'],
      ['profile.firstName ne "x"', 'profile.firstName ne'],
      ['profile.nickName pr', 'profile.nickName pr'],
      [`statusChanged gt "${time(1)}"`, 'statusChanged gt'],
      // Most users are ACTIVE: the index leaves too many.
      ['status eq "ACTIVE" and profile.department eq "d7"', 'profile.department eq'],
      [`created gt "${time(0)}" and profile.lastName co "9"`, 'profile.lastName co'],
      // One side of an `or` without an index is enough.
      ['profile.lastName sw "last999" or profile.department eq "d7"', 'profile.department eq'],
      ['(profile.login pr and profile.department eq "d7") or id eq "x"', 'profile.department eq'],
    ])('%s is refused: no index answers %s', async (text, named) => {
      const { status, body } = await search(text)
      expect([status, body.errorCode]).toEqual([400, 'E0000031'])
      const [cause] = body.errorCauses as readonly { readonly errorSummary: string }[]
      expect(cause?.errorSummary).toMatch(
        new RegExp(
          `^no index answers ${named}, and more than 500 users would have to be read: add, with and`,
        ),
      )
    })

    test.each([
      // The index leaves 111, then 11 + 10.
      ['profile.lastName sw "last99" and profile.department eq "d91"', 2],
      ['(profile.lastName sw "last999" or profile.firstName eq "First770") and profile.email co "7"', 11],
      [`created lt "${time(0.05)}" and profile.department ne "d7"`, 71],
      ['id eq "none" and profile.department co "d"', 0],
      // Nearly all match, so a page is full soon.
      ['status ne "DEPROVISIONED"', 200],
      ['profile.login pr', 200],
      ['id pr and status eq "STAGED"', 200],
    ])('%s finds %i', async (text, finds) => {
      const { status, list } = await search(text)
      expect([status, list.length]).toEqual([200, finds])
    })

    test('the pages of a narrowed search are those of any other', async () => {
      const text = 'profile.lastName sw "last9" and profile.department co "d9"'
      const whole = (await api('GET', `/users?search=${encodeURIComponent(text)}`)).list.map(({ id }) => id)
      const seen: string[] = []
      let next: string | undefined = `/users?limit=7&search=${encodeURIComponent(
        'profile.lastName sw "last99" and profile.department co "d9"',
      )}`
      while (next !== undefined) {
        const page = await ask('GET', next)
        expect(page.status).toBe(200)
        seen.push(...page.list.map(({ id }) => id))
        next = page.next
      }
      expect(seen).toEqual(seen.toSorted())
      expect(new Set(seen).size).toBe(seen.length)
      expect(whole).toEqual(expect.arrayContaining(seen))
      expect(seen.length).toBeGreaterThan(7)
    })

    test('a search by an index is one statement, one that reads users two, neither of which reads more', async () => {
      const statements = noteRequests(database.name)
      expect((await search('profile.lastName sw "last99" and profile.department ne "x"')).status).toBe(200)
      const asked = [...statements].filter(({ text }) => /from "?people"?/.test(text))
      vi.restoreAllMocks()
      expect(asked).toHaveLength(2)
      // The one walk is over what the index has left, under the name of the table.
      if (database.name === 'sqlite') expect(walksOfSqlite(place.url, asked, '')).toEqual(['SCAN people'])
      else expect(await lookedAtByPostgres(place.url, asked)).toBeLessThan(2500)
    })
  })

  test('an attribute is taken out of all profiles a range of ids at a time, of each once', async () => {
    const { db, kind } = idp.engine.storage
    const having = async (name: string) =>
      (await db.selectFrom('people').select('id').where('profile', 'like', `%"${name}"%`).execute()).length
    await db
      .updateTable('people')
      .set({ profile: JSON.stringify({ login: 'x', email: 'x', first: 1, second: 2 }) })
      .where('id', 'in', (where) => where.selectFrom('people').select('id').where('status', '=', 'STAGED'))
      .execute()
    expect(await having('second')).toBeGreaterThan(1400)
    const statements = noteStatements(database.name)
    // No multiple of the number of users, and then one.
    await forgetAttribute(db, kind, 'second', 999)
    const updates = [...statements].filter(({ text }) => text.startsWith('update people'))
    vi.restoreAllMocks()
    expect(updates.map(({ times }) => times)).toEqual([10, 1])
    expect([await having('second'), (await having('first')) > 1400]).toEqual([0, true])
    await forgetAttribute(db, kind, 'first', many + 1)
    expect(await having('first')).toBe(0)
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
