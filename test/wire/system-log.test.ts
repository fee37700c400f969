import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type EventCursor,
  type EventFilter,
  filterAttributes,
  type NewEvent,
  queryEvents,
  record,
} from '../../src/audit/index.ts'
import { createSecrets, isoTime } from '../../src/base/index.ts'
import { createApiToken, listApiTokens, revokeApiToken } from '../../src/management/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const apiToken = '00aTokenThatIsKnownBeforehandForTestsOnly1'
const master = 'only for tests: everybody knows this secret'

interface LogEvent {
  readonly uuid: string
  readonly eventType: string
  readonly published: string
}

onEachDatabase('GET /api/v1/logs', (database) => {
  let place: TestDatabase
  let idp: Kit
  let began: number
  beforeAll(async () => {
    place = await database.create()
    idp = await startEngine({
      clock: 'frozen',
      database: place.url,
      settings: { management: { apiToken } },
    })
    await idp.engine.storage.db.deleteFrom('events').execute()
    began = idp.clock.now() - 60_000
    await idp.engine.storage.transaction(async (tx) => {
      // Three events at each of a hundred moments: pages end in the middle of one.
      for (let n = 0; n < 300; n++) await put(n, tx)
    })
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })

  const momentOf = (n: number) => began + Math.floor(n / 3)
  const random = { bytes: (length: number) => crypto.getRandomValues(Buffer.alloc(length)) }
  function put(n: number, tx = idp.engine.storage.db, at = momentOf(n)): Promise<void> {
    const failed = n % 5 === 0
    const event: NewEvent = {
      eventType: n % 2 === 0 ? 'user.session.start' : 'user.authentication.verify',
      displayMessage: `Event ${n}`,
      outcome: failed ? { result: 'FAILURE', reason: 'INVALID_CREDENTIALS' } : { result: 'SUCCESS' },
      actor: { id: `00u${n % 3}`, type: 'User', alternateId: `person-${n % 3}@example.com` },
      target: [{ id: `0oa${n % 2}`, type: 'AppInstance' }],
      client: {
        ipAddress: '192.0.2.1',
        userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        id: 'rekey-web',
      },
      transactionId: `trs${Math.floor(n / 10)}`,
      debugData: { rule: n % 7 === 0 ? '100%_of \\ it' : 'none' },
    }
    return record(tx, event, { random, now: at })
  }

  async function ask(
    query: Readonly<Record<string, string>> | string = {},
    headers?: Record<string, string>,
  ) {
    const url = String(query).startsWith('http')
      ? String(query)
      : `${idp.engineUrl}/api/v1/logs?${new URLSearchParams(query)}`
    const response = await fetch(url, { headers: headers ?? { authorization: `SSWS ${apiToken}` } })
    const links = [...(response.headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)]
    const body = await response.json()
    return {
      status: response.status,
      body,
      events: body as readonly LogEvent[],
      link: Object.fromEntries(links.map(([, href, rel]) => [rel, href])) as Record<string, string>,
    }
  }
  const numbers = (events: readonly object[]) =>
    events.map((event) => Number((event as { displayMessage: string }).displayMessage.slice(6)))
  const bounds = () => ({ since: isoTime(began), until: isoTime(began + 100) })

  test('a page reads a bounded number of events where no index finds them, and the pages together miss none', async () => {
    const { db } = idp.engine.storage
    const failed: EventFilter = { attribute: 'outcome.result', is: 'FAILURE' }
    const started: EventFilter = { attribute: 'eventType', is: 'user.session.start' }
    const questions = [
      { keywords: ['100%_of'], matches: (n: number) => n % 7 === 0, mostPages: 7 },
      { filter: failed, matches: (n: number) => n % 5 === 0, mostPages: 7 },
      // The index of the type leaves half of them.
      { filter: { every: [started, failed] }, matches: (n: number) => n % 10 === 0, mostPages: 4 },
      {
        filter: { some: [started, failed] },
        matches: (n: number) => n % 2 === 0 || n % 5 === 0,
        mostPages: 7,
      },
      { keywords: ['no such word'], matches: () => false, mostPages: 7 },
    ]
    for (const order of ['asc', 'desc'] as const) {
      for (const { matches, mostPages, ...asked } of questions) {
        const found: object[] = []
        let after: EventCursor | undefined
        let pages = 0
        for (;;) {
          const page = await queryEvents(
            db,
            { since: began, until: began + 100, order, limit: 300, after, ...asked },
            50,
          )
          pages++
          found.push(...page.events)
          expect(page.events.length).toBeLessThanOrEqual(50)
          if (!page.isCut || page.end === undefined) break
          after = page.end
        }
        expect(numbers(found).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 300 }, (_, n) => n).filter(matches),
        )
        expect(pages).toBeLessThanOrEqual(mostPages)
        expect(pages).toBeGreaterThan(1)
      }
    }
    // What an index finds is not cut.
    const whole = { since: began, until: began + 100, order: 'asc', limit: 300, filter: started } as const
    const { events, isCut } = await queryEvents(db, whole, 50)
    expect([events.length, isCut]).toEqual([150, false])
  })

  async function pages(query: Readonly<Record<string, string>>): Promise<readonly (readonly LogEvent[])[]> {
    const found: (readonly LogEvent[])[] = []
    for (let next: string | undefined, first = true; first || next !== undefined; first = false) {
      const { events, link } = await ask(next ?? query)
      found.push(events)
      next = link.next
    }
    return found
  }

  test('an event has the shape of Okta’s System Log', async () => {
    const { events } = await ask({ ...bounds(), limit: '1' })

    expect(events).toEqual([
      {
        uuid: expect.stringMatching(/^evt\w{17}$/),
        published: isoTime(began),
        version: '0',
        eventType: 'user.session.start',
        legacyEventType: null,
        displayMessage: 'Event 0',
        severity: 'WARN',
        outcome: { result: 'FAILURE', reason: 'INVALID_CREDENTIALS' },
        actor: {
          id: '00u0',
          type: 'User',
          alternateId: 'person-0@example.com',
          displayName: null,
          detailEntry: null,
        },
        target: [
          { id: '0oa0', type: 'AppInstance', alternateId: null, displayName: null, detailEntry: null },
        ],
        client: {
          id: 'rekey-web',
          ipAddress: '192.0.2.1',
          userAgent: {
            rawUserAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
            browser: expect.stringContaining('Firefox'),
            os: expect.stringContaining('Linux'),
          },
          zone: null,
          device: null,
          geographicalContext: null,
        },
        authenticationContext: { authenticationStep: 0, externalSessionId: 'trs0' },
        securityContext: { asNumber: null, asOrg: null, isp: null, domain: null, isProxy: null },
        request: { ipChain: [{ ip: '192.0.2.1', version: 'V4' }] },
        transaction: { type: 'WEB', id: 'trs0', detail: {} },
        debugContext: { debugData: { rule: '100%_of \\ it' } },
      },
    ])
  })

  test.each([
    ['ASCENDING', '7'],
    ['DESCENDING', '7'],
    ['ASCENDING', '100'],
    ['DESCENDING', '1000'],
  ])('pages %s by %s hold every event once, in order, and end', async (sortOrder, limit) => {
    const found = await pages({ ...bounds(), sortOrder, limit })

    const events = found.flat()
    expect(new Set(events.map(({ uuid }) => uuid)).size).toBe(300)
    expect(events).toHaveLength(300)
    const times = events.map(({ published }) => published)
    const sorted = times.toSorted()
    expect(times).toEqual(sortOrder === 'ASCENDING' ? sorted : sorted.reverse())
    expect(found.slice(0, -1).every((page) => page.length === Number(limit))).toBe(true)
  })

  test('100 events are answered where nothing is said, and the links lead on', async () => {
    const { events, link } = await ask({ ...bounds(), q: 'event' })

    expect(events).toHaveLength(100)
    const { self, next } = Object.fromEntries(
      Object.entries(link).map(([rel, href]) => [rel, new URL(href)]),
    ) as Record<string, URL>
    expect(self?.href.startsWith(`${idp.engineUrl}/api/v1/logs?`)).toBe(true)
    expect(self?.searchParams.get('after')).toBe(null)
    expect(next?.searchParams.get('after')).toMatch(/^\d+_\d+_evt\w+$/)
    expect(next?.searchParams.get('q')).toBe('event')
    expect(next?.searchParams.get('until')).toBe(bounds().until)
  })

  test('since is included, until is not', async () => {
    const { events } = await ask({ since: isoTime(began + 1), until: isoTime(began + 3), limit: '50' })
    expect(numbers(events).sort((a, b) => a - b)).toEqual([3, 4, 5, 6, 7, 8])
  })

  test('events of one moment stand in the order in which they were recorded', async () => {
    const { events } = await ask({ ...bounds(), limit: '9' })
    expect(numbers(events)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  test.each([
    ['eventType eq "user.session.start"', (n: number) => n % 2 === 0],
    ['outcome.result eq "FAILURE"', (n: number) => n % 5 === 0],
    ['actor.id eq "00u1"', (n: number) => n % 3 === 1],
    ['target.id eq "0oa1"', (n: number) => n % 2 === 1],
    ['transaction.id eq "trs4"', (n: number) => Math.floor(n / 10) === 4],
    [
      'eventType eq "user.session.start" and outcome.result eq "FAILURE" or actor.id eq "00u2"',
      (n: number) => (n % 2 === 0 && n % 5 === 0) || n % 3 === 2,
    ],
    [
      'eventType eq "user.session.start" and (outcome.result eq "FAILURE" or actor.id eq "00u2")',
      (n: number) => n % 2 === 0 && (n % 5 === 0 || n % 3 === 2),
    ],
    ['eventType eq "no.such.type"', () => false],
    ['actor.id eq "\' or 1=1 --"', () => false],
  ])('the filter %s finds exactly these', async (filter, expected) => {
    const found = (await pages({ ...bounds(), filter, limit: '40' })).flat()
    const all = Array.from({ length: 300 }, (_, n) => n)
    expect(numbers(found).sort((a, b) => a - b)).toEqual(all.filter(expected))
  })

  test.each([
    ['INVALID person-1@EXAMPLE.com', (n: number) => n % 5 === 0 && n % 3 === 1],
    ['100%_of', (n: number) => n % 7 === 0],
    ['1%f', () => false],
    ['e_ent', () => false],
  ])('the keywords %s find exactly these', async (q, expected) => {
    const found = (await pages({ ...bounds(), q, limit: '1000' })).flat()
    const all = Array.from({ length: 300 }, (_, n) => n)
    expect(numbers(found).sort((a, b) => a - b)).toEqual(all.filter(expected))
  })

  test('a reader who follows the log is given every event once, and always a next page', async () => {
    const since = isoTime(idp.clock.now())
    const first = await ask({ since, limit: '2' })
    expect(first.events).toEqual([])

    for (let n = 1000; n < 1005; n++) await put(n, undefined, idp.clock.now() + n - 1000)
    idp.clock.advance('2s')
    const second = await ask(first.link.next)
    const third = await ask(second.link.next)
    const fourth = await ask(third.link.next)
    const fifth = await ask(fourth.link.next)
    expect([second, third, fourth, fifth].map(({ events }) => numbers(events))).toEqual([
      [1000, 1001],
      [1002, 1003],
      [1004],
      [],
    ])
    expect(fifth.link.next).toBe(fourth.link.next)

    await put(1005, undefined, idp.clock.now())
    idp.clock.advance('2s')
    expect(numbers((await ask(fifth.link.next)).events)).toEqual([1005])
  })

  test.skipIf(database.name === 'sqlite')(
    'whoever follows the log waits for events that may commit late',
    async () => {
      const since = isoTime(idp.clock.now())
      await put(2000, undefined, idp.clock.now())

      expect((await ask({ since })).events).toEqual([])
      expect((await ask({ since, until: isoTime(idp.clock.now() + 1) })).events).toHaveLength(1)
      idp.clock.advance('2s')
      expect(numbers((await ask({ since })).events)).toEqual([2000])
    },
  )

  test('a week is answered where no beginning is named', async () => {
    await put(3000, undefined, idp.clock.now() - 7 * 86_400_000 - 1)
    await put(3001, undefined, idp.clock.now() - 7 * 86_400_000 + 1)

    const found = numbers((await pages({ until: isoTime(idp.clock.now()), limit: '1000' })).flat())
    expect(found).toContain(3001)
    expect(found).not.toContain(3000)
  })

  describe('refuses', () => {
    test.each([
      ['limit', '0'],
      ['limit', '1001'],
      ['limit', '-1'],
      ['limit', '1e3'],
      ['limit', 'many'],
      ['since', 'yesterday'],
      ['since', '2030'],
      ['since', '2030-13-01T00:00:00Z'],
      ['until', '2030-01-01T00:00:00'],
      ['until', '2030-01-01T00:00:00Z\u0000'],
      ['sortOrder', 'ascending'],
      ['after', 'x'],
      ['after', '1_1_evt-'],
      ['after', '99999999999999999999_1_evt1'],
      ['q', 'a'.repeat(41)],
      ['q', Array(11).fill('a').join(' ')],
      ['q', 'a\u0000'],
    ])('%s=%s', async (name, value) => {
      expect(await ask({ [name]: value })).toMatchObject({
        status: 400,
        body: {
          errorCode: 'E0000001',
          errorSummary: `Api validation failed: ${name}`,
          errorCauses: [{ errorSummary: expect.stringContaining(`${name}: `) }],
        },
      })
    })

    test('a filter it does not understand', async () => {
      expect(await ask({ filter: 'eventType sw "user."' })).toMatchObject({
        status: 400,
        body: { errorCode: 'E0000053', errorSummary: expect.stringContaining('Invalid filter') },
      })
    })

    test('a parameter that is given twice', async () => {
      const reply = await ask(`${idp.engineUrl}/api/v1/logs?limit=1&limit=2`)
      expect(reply).toMatchObject({ status: 400, body: { errorCode: 'E0000001' } })
    })

    test('to tell an error’s secrets: a bad request shows nothing of the log', async () => {
      const { body } = await ask({ filter: 'actor.id eq' })
      expect(JSON.stringify(body)).not.toContain('example.com')
    })
  })

  describe('asks for a token', () => {
    const denied = {
      status: 401,
      body: { errorCode: 'E0000011', errorSummary: 'Invalid token provided', errorCauses: [] },
    }

    test.each([
      ['none', undefined],
      ['an empty one', 'SSWS '],
      ['another', `SSWS ${apiToken}x`],
      ['another scheme', `Bearer ${apiToken}`],
      ['no scheme', apiToken],
      ['something after it', `SSWS ${apiToken} x`],
      ['a long one', `SSWS ${'a'.repeat(5000)}`],
    ])('and refuses %s', async (_, authorization) => {
      expect(await ask({}, authorization === undefined ? {} : { authorization })).toMatchObject(denied)
    })

    test('and refuses before it looks at the question', async () => {
      expect(await ask({ limit: 'many' }, {})).toMatchObject(denied)
    })

    test.each(['read', 'users', 'all'] as const)('and takes the role %s', async (role) => {
      const { storage } = idp.engine
      const context = { secrets: createSecrets([master]), random, now: idp.clock.now() }
      const made = await createApiToken(storage, { name: 'a reader', role, createdBy: 'cli' }, context)
      const headers = { authorization: `ssws ${made.token}` }

      expect((await ask({}, headers)).status).toBe(200)
      const listed = (await listApiTokens(storage.db)).find(({ id }) => id === made.apiToken.id)
      expect(listed?.lastUsedAt).toBe(idp.clock.now())

      await revokeApiToken(storage, made.apiToken.id, { ...context, revokedBy: 'cli' })
      expect(await ask({}, headers)).toMatchObject(denied)
    })
  })

  test.skipIf(database.name === 'postgres')('reads by an index, whatever is compared', async () => {
    const plans = new Map<string, string>()
    const { db } = idp.engine.storage
    const order = 'order by published_at, ordinal, id limit 100'
    const ask = async (name: string, where: string) => {
      const { rows } = await db.executeQuery<{ detail: string }>({
        sql: `explain query plan select * from events where published_at >= 1 and ${where} ${order}`,
        parameters: [],
        query: { kind: 'RawNode', sqlFragments: [], parameters: [] } as never,
        queryId: { queryId: name },
      })
      plans.set(name, rows.map(({ detail }) => detail).join('; '))
    }
    await ask('nothing', '1 = 1')
    await ask('the next page', "(published_at, ordinal, id) > (5, 1, 'evt')")
    const columns = { eventType: 'type', 'actor.id': 'actor_id', 'target.id': 'target_id' }
    for (const [name, column] of Object.entries(columns)) await ask(name, `${column} = 'x'`)
    await ask('transaction.id', "transaction_id = 'x'")

    expect([...plans.keys()]).toEqual(expect.arrayContaining(filterAttributes.slice(0, 4)))
    for (const [name, plan] of plans) expect(plan, name).toMatch(/SEARCH events USING INDEX/)
    expect(plans.get('nothing')).not.toContain('TEMP B-TREE')
    expect(plans.get('eventType')).not.toContain('TEMP B-TREE')
  })
})
