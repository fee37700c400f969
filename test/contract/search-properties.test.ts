import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { hasInvisible, systemRandom } from '../../src/base/index.ts'
import {
  compareKey,
  createPerson,
  type Person,
  type Profile,
  personStatuses,
} from '../../src/directory/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { fc } from '../support/draws.ts'
import { type Answered, type Api, apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

/** Texts that are distinguished, or not, by how they are compared: cases, patterns, quotes, letters beyond ASCII. */
const texts = [
  ...['Ada', 'ada', 'ADA', 'Adam', 'a', 'b%', 'b_', 'b%c', 'bxc', '\\', 'a\\b', '"', 'O’Neil', "O'Neil"],
  ...[
    'Zoë',
    'ZOË',
    'zoe',
    'ß',
    'ss',
    'İpek',
    'ıpek',
    'ipek',
    '𝒜da',
    '\ue000',
    '😀',
    'a b',
    '7',
    '10',
    'true',
  ],
] as const
const values = [...texts, 7, 10, true, false, undefined] as const
/** In the order of their values, which is neither that of their texts nor that of their lengths. */
const numbers = [-1000, -3, -0.5, 0, 0.1, 1e-7, 2, 2.5, 9, 10, 10.25, 100, 2 ** 53, 1e21] as const

/** The attributes that the schema has; `level` and `nothing` it has not. */
const typed: Readonly<Record<string, 'integer' | 'number' | 'boolean' | 'strings' | 'numbers'>> = {
  floor: 'integer',
  share: 'number',
  remote: 'boolean',
  tags: 'strings',
  sizes: 'numbers',
}
const definitions = {
  floor: { type: 'integer' },
  share: { type: 'number' },
  remote: { type: 'boolean' },
  tags: { type: 'array', items: { type: 'string' } },
  sizes: { type: 'array', items: { type: 'number' } },
}

const at = (n: number) => Date.UTC(2025, 0, 1) + n * 1000

/** Sixty people, the same ones each time. */
const crowd = fc
  .sample(
    fc.record({
      firstName: fc.constantFrom(undefined, ...texts),
      lastName: fc.constantFrom(undefined, ...texts),
      city: fc.constantFrom(undefined, ...texts),
      level: fc.constantFrom(...values, ...numbers),
      floor: fc.constantFrom(undefined, ...numbers.filter(Number.isSafeInteger)),
      share: fc.constantFrom(undefined, ...numbers),
      remote: fc.constantFrom(undefined, true, false),
      tags: fc.option(fc.array(fc.constantFrom(...texts), { maxLength: 3 }), { nil: undefined }),
      sizes: fc.option(fc.array(fc.constantFrom(...numbers), { maxLength: 3 }), { nil: undefined }),
      status: fc.constantFrom(...personStatuses),
      created: fc.nat(30),
    }),
    { numRuns: 60 },
  )
  .map((made, n) => ({ ...made, login: `${n % 2 ? 'User' : 'ada'}.${n}@Example.com` }))

type Value = string | boolean | number | null
interface Comparison {
  readonly attribute: string
  readonly operator: string
  readonly value: Value
}
type Criteria = Comparison | { readonly every: readonly Criteria[] } | { readonly some: readonly Criteria[] }

const orders = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const
const comparisons: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({
    attribute: fc
      .constantFrom('login', 'email', 'firstName', 'lastName', 'city', 'level', 'nothing')
      .map((name) => `profile.${name}`),
    operator: fc.constantFrom(...orders, 'sw', 'co', 'pr'),
    value: fc.oneof(fc.constantFrom(...texts), fc.constantFrom('', 'user.1', 'ADA.2', '@example.com')),
  }),
  fc.record({
    attribute: fc.constantFrom('profile.level', 'profile.remote', 'profile.nothing'),
    operator: fc.constantFrom('eq', 'ne'),
    value: fc.boolean(),
  }),
  fc.record({
    attribute: fc
      .constantFrom('level', 'floor', 'share', 'sizes', 'nothing')
      .map((name) => `profile.${name}`),
    operator: fc.constantFrom(...orders, 'pr'),
    value: fc.constantFrom(...numbers),
  }),
  // In quotes they are compared by value as well, where the attribute is a number.
  fc.record({
    attribute: fc.constantFrom('profile.floor', 'profile.share', 'profile.sizes'),
    operator: fc.constantFrom(...orders),
    value: fc.constantFrom(...numbers).map(String),
  }),
  fc.record({
    attribute: fc.constant('profile.tags'),
    operator: fc.constantFrom(...orders, 'sw', 'co', 'pr'),
    value: fc.constantFrom(...texts),
  }),
  fc.record({
    attribute: fc
      .constantFrom('firstName', 'city', 'level', 'floor', 'remote', 'tags', 'nothing')
      .map((name) => `profile.${name}`),
    operator: fc.constantFrom('eq', 'ne'),
    value: fc.constant(null),
  }),
  fc.record({
    attribute: fc.constant('status'),
    operator: fc.constantFrom(...orders, 'pr'),
    value: fc.constantFrom(...personStatuses),
  }),
  fc.record({
    attribute: fc.constantFrom('created', 'lastUpdated', 'statusChanged'),
    operator: fc.constantFrom(...orders, 'pr'),
    value: fc.nat(31).map((n) => new Date(at(n)).toISOString()),
  }),
)
const { criteria } = fc.letrec<{ criteria: Criteria }>((tie) => ({
  criteria: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    comparisons,
    fc.record({ every: fc.array(tie('criteria'), { minLength: 2, maxLength: 3 }) }),
    fc.record({ some: fc.array(tie('criteria'), { minLength: 2, maxLength: 3 }) }),
  ),
}))

const written = (criteria: Criteria): string => {
  if ('every' in criteria) return `(${criteria.every.map(written).join(' and ')})`
  if ('some' in criteria) return `(${criteria.some.map(written).join(' OR ')})`
  const { attribute, operator, value } = criteria
  return operator === 'pr' ? `${attribute} pr` : `${attribute} ${operator} ${JSON.stringify(value)}`
}

const identifiers: readonly string[] = ['login', 'email', 'firstName', 'lastName']
const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** What a user has of an attribute, each item of a list by itself; none where it is absent. */
function valuesOf(person: Person, attribute: string): readonly (string | number | boolean)[] {
  const times = {
    created: person.createdAt,
    lastUpdated: person.updatedAt,
    statusChanged: person.statusChangedAt,
  }
  if (attribute in times) return [times[attribute as keyof typeof times]]
  if (attribute === 'status') return [person.status]
  const name = attribute.replace('profile.', '')
  const value = (person.profile as Readonly<Record<string, unknown>>)[name]
  return [value].flat().filter((one) => one !== undefined && one !== null) as never
}

/** The plain meaning of a search, against which the databases are compared. */
function matches(person: Person, criteria: Criteria): boolean {
  if ('every' in criteria) return criteria.every.every((part) => matches(person, part))
  if ('some' in criteria) return criteria.some.some((part) => matches(person, part))
  const { attribute, operator, value } = criteria
  const name = attribute.replace('profile.', '')
  const has = valuesOf(person, attribute)
  const isThere = has.some((one) => one !== '' || Array.isArray(person.profile[name]))
  if (operator === 'pr' || (operator === 'ne' && value === null)) return isThere
  if (value === null) return !isThere
  return has.some((one) => matchesOne(one, { attribute, operator, value }))
}

function matchesOne(has: string | number | boolean, { attribute, operator, value }: Comparison): boolean {
  const name = attribute.replace('profile.', '')
  if (typeof value === 'boolean') {
    if (typeof has !== 'boolean') return operator === 'ne'
    return operator === 'eq' ? has === value : has !== value
  }
  if (!attribute.startsWith('profile.') && typeof has === 'number') {
    return ordered(operator, has - Date.parse(String(value)))
  }
  const type = typed[name]
  if (typeof value === 'number' || type === 'integer' || type === 'number' || type === 'numbers') {
    const wanted = Number(value)
    return typeof has === 'number' && ordered(operator, has < wanted ? -1 : has > wanted ? 1 : 0)
  }
  const isIdentifier = identifiers.includes(name)
  const wanted =
    attribute === 'status' ? value : isIdentifier ? compareKey(String(value)) : lower(String(value))
  const mine =
    attribute === 'status' ? String(has) : isIdentifier ? compareKey(String(has)) : lower(String(has))
  if (isIdentifier && mine === '') return false
  if (operator === 'sw') return mine.startsWith(String(wanted))
  if (operator === 'co') return mine.includes(String(wanted))
  // By bytes, as both databases are configured.
  return ordered(operator, compare(mine, String(wanted)))
}
const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
function ordered(operator: string, sign: number): boolean {
  if (operator === 'eq') return sign === 0
  if (operator === 'ne') return sign !== 0
  if (operator === 'gt') return sign > 0
  if (operator === 'ge') return sign >= 0
  return operator === 'lt' ? sign < 0 : sign <= 0
}

onEachDatabase('people and groups', (database) => {
  let idp: Kit
  let place: TestDatabase
  let api: Api
  let people: readonly Person[]
  const strays: string[] = []

  beforeAll(async () => {
    place = await database.create()
    idp = await startEngine({ database: place.url })
    api = apiOf(idp)
    await api('POST', '/meta/schemas/user/default', {
      definitions: { custom: { properties: definitions } },
    })
    const { db } = idp.engine.storage
    await db.deleteFrom('people').execute()
    const made: Person[] = []
    for (const { status, created, ...profile } of crowd)
      made.push(await add(profile as never, status, created))
    people = made
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })
  afterEach(async () => {
    const { db } = idp.engine.storage
    for (const id of strays.splice(0)) await db.deleteFrom('people').where('id', '=', id).execute()
  })

  const add = (profile: Profile, status: Person['status'] = 'ACTIVE', seconds = 0) =>
    createPerson(
      idp.engine.storage.db,
      { profile: { ...profile, email: profile.login }, status },
      { random: systemRandom, now: at(seconds) },
    )

  /** All pages of a list, each page's links looked at, and what comes between them done. */
  async function pages(
    path: string,
    query: Readonly<Record<string, string>>,
    between: () => Promise<void> = async () => {},
  ): Promise<readonly string[]> {
    const found: string[] = []
    let page = await api('GET', `${path}?${new URLSearchParams(query)}`)
    for (;;) {
      expect(page.status, page.text).toBe(200)
      expect(page.list.length).toBeLessThanOrEqual(Number(query.limit))
      found.push(...page.list.map(({ id }) => id))
      if (page.next === undefined) return found
      expect(page.list).toHaveLength(Number(query.limit))
      const url = new URL(page.next)
      expect(url.origin + url.pathname).toBe(`${idp.engineUrl}/api/v1${path}`)
      const { after, ...others } = Object.fromEntries(url.searchParams)
      expect(others).toEqual(query)
      expect(after).toBe(found.at(-1))
      await between()
      page = await api('GET', page.next)
    }
  }

  test('a search finds whom its plain meaning finds, each once, whatever the size of a page', async () => {
    await fc.assert(
      fc.asyncProperty(criteria, fc.integer({ min: 7, max: 80 }), async (wanted, limit) => {
        const found = await pages('/users', { search: written(wanted), limit: String(limit) })
        const expected = people.filter((person) => matches(person, wanted)).map(({ id }) => id)
        expect(found.toSorted()).toEqual(expected.toSorted())
        expect(new Set(found).size).toBe(found.length)
      }),
      { numRuns: 300 },
    )
  })

  test('a filter finds the same', async () => {
    const filtered = comparisons.filter(({ attribute, operator, value }) =>
      attribute === 'lastUpdated'
        ? operator !== 'pr'
        : /^(status|profile\.(login|email|firstName|lastName))$/.test(attribute) &&
          operator === 'eq' &&
          typeof value === 'string',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(filtered, { minLength: 1, maxLength: 3 }), async (some) => {
        const found = await pages('/users', { filter: written({ some }), limit: '50' })
        const expected = people.filter((person) => matches(person, { some })).map(({ id }) => id)
        expect(found.toSorted()).toEqual(expected.toSorted())
      }),
      { numRuns: 100 },
    )
  })

  test('q finds who begins with it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...texts, 'user.', 'ADA.1'), async (q) => {
        const found = await pages('/users', { q, limit: '9' })
        const key = compareKey(q)
        const expected = people.filter(({ profile, status }) => {
          const names = [profile.firstName, profile.lastName, profile.email]
          const begins = names.some((name) => typeof name === 'string' && compareKey(name).startsWith(key))
          return begins && status !== 'DEPROVISIONED'
        })
        expect(found.toSorted()).toEqual(expected.map(({ id }) => id).toSorted())
      }),
      { numRuns: 60 },
    )
  })

  test('pages stay true while people come and go between them', async () => {
    let n = 0
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3, max: 25 }), async (limit) => {
        const come: string[] = []
        const found = await pages('/users', { search: 'id pr', limit: String(limit) }, async () => {
          const { id } = await add({ login: `stray.${n++}@example.com`, email: '' })
          come.push(id)
          strays.push(id)
          // Now and then one goes again, perhaps the one that the page ended with.
          const [gone] = n % 3 === 0 ? strays.splice(0, 1) : []
          if (gone !== undefined) {
            await idp.engine.storage.db.deleteFrom('people').where('id', '=', gone).execute()
          }
        })
        expect(new Set(found).size).toBe(found.length)
        for (const { id } of people) expect(found).toContain(id)
        const { db } = idp.engine.storage
        for (const id of strays.splice(0)) await db.deleteFrom('people').where('id', '=', id).execute()
      }),
      { numRuns: 25 },
    )
  })

  const garbage = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ maxLength: 40 }),
    fc.constantFrom(
      '',
      ' ',
      '0',
      '-1',
      '1e3',
      '00u',
      '%',
      "' or 1=1 --",
      'id pr or',
      '(((',
      'x'.repeat(3000),
    ),
    criteria.map(written).chain((text) => fc.nat(text.length).map((end) => text.slice(0, end))),
  )
  const isRefusal = ({ status, body }: Answered) =>
    status === 400 &&
    ['E0000001', 'E0000031'].includes(String(body.errorCode)) &&
    Array.isArray(body.errorCauses) &&
    body.errorCauses.length > 0

  test.each(['search', 'filter', 'after', 'limit'])(
    'garbage in %s is refused, and never finds all',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(garbage, async (text) => {
          for (const path of ['/users', '/groups']) {
            const answer = await api('GET', `${path}?${new URLSearchParams({ [name]: text })}`)
            if (isRefusal(answer)) continue
            // What happens to be well-formed finds no more than a good request may.
            expect(answer.status, answer.text).toBe(200)
            if (name === 'search' || name === 'filter')
              expect(text).toMatch(/\w (eq|ne|sw|co|g[te]|l[te]|pr)\b/i)
            else if (name === 'limit') expect(text).toMatch(/^(\d{1,6})?$/)
            else expect(text).toBe('')
          }
        }),
        { numRuns: 150 },
      )
    },
  )

  test.each(['search', 'filter', 'q', 'after', 'limit'])(
    '%s twice, or as a list, is refused',
    async (name) => {
      for (const twice of [`${name}=1&${name}=2`, `${name}=&${name}=`]) {
        for (const path of ['/users', '/groups']) {
          expect(isRefusal(await api('GET', `${path}?${twice}`)), `${path}?${twice}`).toBe(true)
        }
      }
    },
  )

  test('groups are found by their names, each once, whatever the size of a page', async () => {
    const visible = texts.filter((text) => !hasInvisible(text))
    const names = [...new Map(visible.map((text) => [compareKey(text), `Group ${text}`])).values()]
    for (const name of names) {
      expect((await api('POST', '/groups', { profile: { name } })).status).toBe(200)
    }
    const all = (await api('GET', '/groups')).list as readonly (Answered['body'] & {
      profile: { name: string }
    })[]
    expect(all.length).toBe(names.length + 1)
    const asked = fc.record({
      how: fc.constantFrom('q', 'sw', 'eq'),
      text: fc.constantFrom(
        ...texts.filter((text) => !/["\\]/.test(text)).map((text) => `gRoup ${text}`),
        'every',
        'g',
      ),
      limit: fc.integer({ min: 1, max: 9 }).map(String),
    })
    await fc.assert(
      fc.asyncProperty(asked, async ({ how, text, limit }) => {
        const query = how === 'q' ? { q: text, limit } : { search: `profile.name ${how} "${text}"`, limit }
        const found = await pages('/groups', query as Record<string, string>)
        const key = compareKey(text)
        const expected = all.filter(({ profile: { name } }) =>
          how === 'eq' ? compareKey(name) === key : compareKey(name).startsWith(key),
        )
        expect(found.toSorted()).toEqual(expected.map(({ id }) => id).toSorted())
      }),
      { numRuns: 60 },
    )
  })
})
