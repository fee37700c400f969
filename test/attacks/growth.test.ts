import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { afterEach, describe, expect, test } from 'vitest'
import { record } from '../../src/audit/index.ts'
import { createLogger, systemRandom } from '../../src/base/index.ts'
import { createHasher } from '../../src/passwords/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { atTheCode, newPassword, parallel, scale, startTarget, visit } from '../support/attacks.ts'
import { startNode } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'

const nina = 'nina@example.com'

let idp: Kit | undefined
afterEach(async () => {
  await idp?.close()
  idp = undefined
})

const letters = (length: number): string => randomBytes(length).toString('base64url').slice(0, length)

/** A call of interact by anyone: the id of a browser's app is public. */
const interact = (
  { issuer, publicClientId }: Kit,
  changes: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
) =>
  fetch(`${issuer}/v1/interact`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({
      client_id: publicClientId,
      scope: 'openid profile email',
      redirect_uri: 'http://localhost:8080/login/callback',
      code_challenge: letters(43),
      code_challenge_method: 'S256',
      state: letters(64),
      nonce: letters(64),
      ...changes,
    }),
  })

const eventsOf = async (kit: Kit, type: string) =>
  (await kit.events()).filter(({ eventType }) => eventType === type)

onEachDatabase('what anyone may have stored', (database) => {
  test('A60: a call of interact takes two kilobytes at most, whatever it is sent', async () => {
    const { url, drop } = await database.create()
    const kit = await startTarget({ database: url })
    const { storage } = kit.engine
    const size = async (): Promise<number> => {
      if (storage.kind === 'postgres') {
        const { rows } = await sql<{
          size: string
        }>`select pg_total_relation_size('interactions') as size`.execute(storage.db)
        return Number(rows[0]?.size)
      }
      const one = async (name: string) =>
        Number(
          Object.values(
            (await sql<object>`${sql.raw(`pragma ${name}`)}`.execute(storage.db)).rows[0] ?? {},
          )[0],
        )
      return ((await one('page_count')) - (await one('freelist_count'))) * (await one('page_size'))
    }
    // A hint takes what the state leaves.
    let state = 512
    const longest = () =>
      interact(
        kit,
        {
          state: letters(state),
          nonce: letters(128),
          code_challenge: letters(128),
          login_hint: letters(254),
          max_age: '999999999',
          acr_values: `urn:okta:loa:2fa:any urn:okta:loa:1fa:pwd urn:okta:loa:1fa:any ${letters(4000)}`,
        },
        {
          'user-agent': '"\\'.repeat(1000),
          'accept-language': Array.from({ length: 40 }, (_, index) => `de-DE-x-letters${index}`).join(),
          'x-forwarded-for': '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
          'x-device-token': letters(512),
        },
      )
    const calls = 300
    for (let call = 0; call < 20; call++) expect((await longest()).status).toBe(200)
    for (state of [512, 258]) {
      const before = await size()
      for (let call = 0; call < calls; call++) await longest()
      const bytes = ((await size()) - before) / calls
      expect(bytes).toBeGreaterThan(1000)
      expect(bytes).toBeLessThanOrEqual(2048)
    }

    // What comes back as it was sent is refused where it is too long; nothing else is stored whole.
    const refused = async (changes: Readonly<Record<string, string>>) => {
      const answer = await interact(kit, changes)
      return [answer.status, ((await answer.json()) as { error?: string }).error]
    }
    expect(await refused({ state: letters(512) })).toEqual([200, undefined])
    expect(await refused({ nonce: letters(512) })).toEqual([200, undefined])
    const changes = [{ state: letters(513) }, { nonce: letters(513) }, { state: '"'.repeat(257) }]
    for (const change of [...changes, { state: letters(400), nonce: letters(400) }]) {
      expect(await refused(change)).toEqual([400, 'invalid_request'])
    }
    await kit.close()
    await drop()
  })

  test('A60: events of unknown users go after a day, those too that a node finds when it starts', async () => {
    const { url, drop } = await database.create()
    const day = 24 * 3_600_000
    const first = await startNode({ settings: { database: { url } } })
    const now = first.clock.now()
    const unknown = { id: 'unknown', type: 'User' }
    const known = { id: '00u1xX4VkRI6Rm9wwW5t', type: 'User' }
    const failed = {
      eventType: 'user.session.start',
      displayMessage: '',
      outcome: { result: 'FAILURE' },
    } as const
    const events = [
      { ...failed, actor: unknown },
      { ...failed, actor: known },
      { ...failed, actor: known, outcome: { result: 'CHALLENGE' } },
      { ...failed, actor: unknown, eventType: 'security.attack.start' },
    ] as const
    // Of a time in which no node ran, or a longer retention held; more of them than one batch on one of the days.
    for (const age of [80, 20.5, 3, 1.01, 0.9]) {
      for (const event of events) {
        await record(first.engine.storage.db, event, { random: systemRandom, now: now - age * day })
      }
    }
    await first.engine.storage.transaction(async (tx) => {
      for (let count = 0; count < 600; count++) {
        await record(tx, { ...failed, actor: unknown }, { random: systemRandom, now: now - 20 * day })
      }
    })
    await first.close()

    const second = await startNode({ settings: { database: { url } } })
    await second.engine.maintain()
    const rows = await second.engine.storage.db
      .selectFrom('events')
      .select(['type', 'actor_id', 'outcome', 'published_at'])
      .where('published_at', '<', now - 0.5 * day)
      .execute()
    const agesOf = (type: string, actor: string, outcome: string) =>
      rows
        .filter((row) => row.type === type && row.actor_id === actor && row.outcome === outcome)
        .map((row) => (now - Number(row.published_at)) / day)
        .toSorted((one, other) => other - one)
    const all = [80, 20.5, 3, 1.01, 0.9]
    expect(agesOf('user.session.start', 'unknown', 'FAILURE')).toEqual([0.9])
    expect(agesOf('user.session.start', known.id, 'CHALLENGE')).toEqual([0.9])
    expect(agesOf('user.session.start', known.id, 'FAILURE')).toEqual(all)
    expect(agesOf('security.attack.start', 'unknown', 'FAILURE')).toEqual(all)
    await second.close()
    await drop()
  })
})

describe('a page that is left, again and again', () => {
  test('A60: writes no event, and one interaction has twenty-one transactions at most', async () => {
    idp = await startTarget()
    const visitor = await visit(idp, { client: idp.publicClientId })
    const statuses = []
    for (let round = 0; round < 25; round++) statuses.push((await visitor.cancels()).status)

    expect(statuses).toEqual([...Array(20).fill(200), ...Array(5).fill(401)])
    const { storage } = idp.engine
    const rows = await storage.db.selectFrom('transactions').select('closed_at').execute()
    expect([rows.length, rows.filter((row) => row.closed_at === null).length]).toEqual([21, 0])
    expect(await eventsOf(idp, 'user.session.start')).toEqual([])
    // The app begins another interaction, as after a time that has run out.
    expect((await visitor.begins()).status).toBe(200)
  })

  test('A60: an interaction ends after four lifetimes of a transaction, however often it is cancelled', async () => {
    idp = await startTarget()
    const visitor = await visit(idp)
    const begun = idp.clock.now()
    for (let minute = 0; minute < 100; minute += 20) {
      idp.clock.advance('20m')
      expect((await visitor.cancels()).status).toBe(200)
    }
    const rows = await idp.engine.storage.db
      .selectFrom('interactions')
      .innerJoin('transactions', 'transactions.interaction_id', 'interactions.id')
      .select(['interactions.expires_at as interaction', 'transactions.expires_at as transaction'])
      .execute()
    for (const end of rows.flatMap(({ interaction, transaction }) => [interaction, transaction])) {
      expect(end).toBeLessThanOrEqual(begun + 2 * 3_600_000)
    }
    idp.clock.advance('21m')
    expect((await visitor.cancels()).status).toBe(401)
    expect((await visitor.submits('introspect')).status).toBe(401)
  })

  test('A60: a cancelled transaction counts as an interaction of its source', async () => {
    idp = await startTarget({ settings: { limits: { requests: { interactPerAddress: 4 } } } })
    const visitor = await visit(idp, { client: idp.publicClientId })
    const statuses = []
    for (let round = 0; round < 4; round++) statuses.push((await visitor.cancels()).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    expect((await interact(idp)).status).toBe(429)
    // The refused one is as it was.
    idp.clock.advance('1m')
    expect((await visitor.cancels()).status).toBe(200)
  })
})

describe('how often interactions begin', () => {
  test('A60: as often as a large office needs, by address and hour, and ten times as often for an app', async () => {
    idp = await startEngine({ clock: 'frozen' })
    const statuses: number[] = []
    for (let call = 0; call < 601; call++) statuses.push((await interact(idp)).status)
    expect(statuses.indexOf(429)).toBe(600)
    // An app that authenticated and names no address stands for all its users.
    const visitor = await visit(idp)
    expect(visitor.response.status).toBe(200)
    const { headers } = await fetch(`${idp.issuer}/v1/interact`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: idp.clientId, client_secret: idp.clientSecret }),
    })
    expect(headers.get('x-rate-limit-limit')).toBe('6000')
  })

  test('A60: the hour has a budget of its own, which an IPv6 subscriber has once', async () => {
    const requests = { interactPerAddressHour: 3 }
    idp = await startEngine({
      clock: 'frozen',
      settings: { limits: { requests }, http: { trustedProxies: ['127.0.0.1', '::1'] } },
    })
    const from = async (address: string) =>
      (await interact(idp as Kit, {}, { 'x-forwarded-for': address })).status
    const statuses = []
    for (let call = 0; call < 5; call++) {
      idp.clock.advance('2m')
      statuses.push(await from(`2001:db8:1:1::${call}`))
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    expect(await from('2001:db8:1:2::1')).toBe(200)
    idp.clock.advance('1h')
    expect(await from('2001:db8:1:1::9')).toBe(200)
  })
})

describe('what is left of it', () => {
  const count = async (table: 'transactions' | 'interactions' | 'events') => {
    const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(table)}`.execute(
      (idp as Kit).engine.storage.db,
    )
    return Number(rows[0]?.rows)
  }
  const counts = async () => [await count('interactions'), await count('transactions')]

  test('A60: interactions without a name are gone an hour after their end, those with a name a day', async () => {
    idp = await startTarget()
    for (let call = 0; call < 3; call++) await interact(idp)
    for (let call = 0; call < 3; call++) await visit(idp)
    await atTheCode(idp, nina)
    expect(await counts()).toEqual([7, 4])
    idp.clock.advance('31m')
    await idp.engine.maintain()
    expect(await counts()).toEqual([7, 4])
    idp.clock.advance('1h')
    await idp.engine.maintain()
    expect(await counts()).toEqual([1, 1])
    idp.clock.advance('23h')
    await idp.engine.maintain()
    expect(await counts()).toEqual([0, 0])
  })

  test('A60: what unknown users cause stands in the log for a day, what users do for as long as is set', async () => {
    idp = await startTarget({ settings: { events: { retention: '10d' } } })
    const unknown = await atTheCode(idp, nina)
    await unknown.answers('000000')
    const known = await visit(idp)
    await known.submits('identify', { identifier: idp.person.login, credentials: { passcode: newPassword } })
    await known.signsIn(idp.person.login, idp.person.password)
    // Anyone who knows the name can begin a recovery, and leave it: of that the mail stays on record.
    await (await atTheCode(idp, idp.person.login)).cancels()
    await idp.engine.delivery.idle()
    const typesOf = async () => new Set((await (idp as Kit).events()).map(({ actor }) => actor.id))
    expect(await typesOf()).toContain('unknown')
    const left = ['CHALLENGE', 'SKIPPED']
    const stays = (await idp.events()).filter(({ actor, target, outcome: { result } }) => {
      const isOfUser = [actor, ...(target ?? [])].some(({ id }) => id.startsWith('00u'))
      return isOfUser && !left.includes(result)
    })
    expect(new Set(stays.map(({ eventType }) => eventType)).size).toBeGreaterThan(3)

    idp.clock.advance('25h')
    await idp.engine.maintain()
    expect(await typesOf()).not.toContain('unknown')
    expect(await idp.events()).toEqual(stays)
    idp.clock.advance('9d')
    await idp.engine.maintain()
    expect(await count('events')).toBe(0)
  })

  test('A60: a retention that was shortened takes effect at the next run, however many events there are', async () => {
    idp = await startTarget({ settings: { events: { retention: '1h' } } })
    const { storage } = idp.engine
    const many = scale(60_000, 300_000)
    const at = idp.clock.now() - 2 * 3_600_000
    const before = await count('events')
    await sql`
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ${many})
      insert into events (id, published_at, ordinal, type, outcome, body)
      select 'evt' || i, ${at}, i, 'user.session.start', 'SUCCESS', '{}' from n`.execute(storage.db)
    await idp.engine.maintain()
    expect(await count('events')).toBe(before)
  })
})

describe('what else anyone may ask', () => {
  const form = (fields: Readonly<Record<string, string>>) => ({
    method: 'POST',
    body: new URLSearchParams(fields),
  })
  const statusOf = async (url: string, init: RequestInit = {}) =>
    (await fetch(url, { redirect: 'manual', ...init })).status

  test('A60: has a budget by address, before the database is asked', async () => {
    const paths = ['userinfo', 'keys', 'logout', 'introspect', 'revoke']
    idp = await startEngine({ clock: 'frozen', settings: { limits: { requests: { othersPerAddress: 8 } } } })
    const v1 = `${idp.issuer}/v1`
    for (const path of paths) {
      const init = ['introspect', 'revoke'].includes(path) ? form({ client_id: idp.publicClientId }) : {}
      expect(await statusOf(`${v1}/${path}`, init)).toBeLessThan(429)
    }
    const pages = [`/email/verify/${idp.clientId}?token=x`, '/signin/reset-password/x', '/welcome/x']
    for (const path of pages) expect(await statusOf(`${idp.engineUrl}${path}`)).toBeLessThan(429)
    for (const path of paths) expect(await statusOf(`${v1}/${path}`, form({}))).toBeGreaterThanOrEqual(404)
    expect(await statusOf(`${v1}/userinfo`)).toBe(429)
    for (const path of pages) expect(await statusOf(`${idp.engineUrl}${path}`)).toBe(429)
    // Sign-ins have budgets of their own.
    expect((await visit(idp)).response.status).toBe(200)
  })

  test('A60: a client’s secret is guessed at sixty times a minute, and of other clients none is affected', async () => {
    idp = await startEngine({ clock: 'frozen' })
    const asked = (secret: string, id = idp?.clientId ?? '') =>
      statusOf(`${idp?.issuer}/v1/introspect`, form({ client_id: id, client_secret: secret, token: 'x' }))
    for (let guess = 0; guess < 60; guess++) expect(await asked(`guess ${guess}`)).toBe(401)
    expect([await asked('guess'), await asked(idp.clientSecret)]).toEqual([429, 429])
    expect(
      await statusOf(`${idp.issuer}/v1/introspect`, form({ client_id: idp.publicClientId, token: 'x' })),
    ).toBe(200)
    idp.clock.advance('1m')
    expect(await asked(idp.clientSecret)).toBe(200)
  })

  // Behind the 429 of an address a right secret, whose app forwards another one, would else be answered otherwise than a guess.
  test.each([
    ['token', { grant_type: 'authorization_code', code: 'x' }],
    ['interact', {}],
  ])(
    'A60: guesses of a secret are counted at %s, also those that the budget of their address refuses',
    async (path, more) => {
      const requests = { tokenPerAddress: 3, interactPerAddress: 3, wrongSecretsPerAddress: 6 }
      idp = await startEngine({ clock: 'frozen', settings: { limits: { requests } } })
      const { clientId = '', clientSecret, issuer } = idp
      const asked = (secret: string) => {
        const sent = form({ client_id: clientId, client_secret: secret, ...more })
        return statusOf(`${issuer}/v1/${path}`, { ...sent, headers: { 'x-forwarded-for': '203.0.113.9' } })
      }
      const guesses = []
      for (let guess = 0; guess < 6; guess++) guesses.push(await asked(`guess ${guess}`))
      expect(guesses).toEqual([401, 401, 401, 429, 429, 429])
      expect(await asked(clientSecret)).toBe(429)
      idp.clock.advance('1m')
      expect(await asked(clientSecret)).toBe(400)
    },
  )
})

describe('the log', () => {
  test('A60: has a name that is no address as a keyed hash, which may be a password in the wrong field', async () => {
    idp = await startTarget()
    const typed = 'Correct-Horse-Battery-Staple'
    for (const identifier of [typed, typed, nina, idp.person.login]) {
      const visitor = await visit(idp)
      await visitor.submits('identify', { identifier, credentials: { passcode: 'wrong' } })
    }
    const events = await eventsOf(idp, 'user.authentication.verify')
    expect(JSON.stringify(await idp.events())).not.toContain(typed)
    const names = events.map(({ actor }) => actor.alternateId).toReversed()
    expect(names[0]).toMatch(/^typed:[\w-]{22}$/)
    // The same name is recognised.
    expect(names).toEqual([names[0], names[0], nina, idp.person.login])
  })

  test('A60: has a line a minute of a full queue of hashes, and sixty of other refusals', async () => {
    const lines: { readonly message: string; readonly count?: number }[] = []
    const note = (fields: object, message: string) => void lines.push({ ...fields, message })
    const log = { debug() {}, info: note, warn: note, error: note } as never
    // A hash takes a tenth of a second.
    const parameters = { memoryKiB: 65_536, passes: 3, lanes: 1 }
    const hasher = createHasher({ parameters, concurrency: 1, queue: 1, waitMs: 100 })
    const kit = await startNode({ ports: { log, hasher } })
    const statuses = await parallel(40, async (n) => {
      const visitor = await visit(kit, { headers: { 'x-forwarded-for': `192.0.2.${n}` } })
      const body = { identifier: `nobody${n}@example.com`, credentials: { passcode: 'wrong' } }
      return (await visitor.submits('identify', body)).status
    })
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(3)
    const busy = () => lines.filter((line) => /refused/.test(line.message))
    expect(busy()).toHaveLength(1)
    await kit.close()
    expect(busy().reduce((sum, { count = 1 }) => sum + count, 0)).toBe(
      statuses.filter((status) => status === 503).length,
    )
    expect(busy()).toHaveLength(2)
  })
})

test('A60: refused calls of the OAuth endpoints have sixty lines a minute, and the rest is counted at the end', async () => {
  const lines: { count?: number; msg: string; detail?: string }[] = []
  const log = createLogger({ level: 'info', stream: { write: (line) => void lines.push(JSON.parse(line)) } })
  const node = await startNode({ ports: { log } })
  const headers = { authorization: `Basic ${btoa(`rekey-web:${node.clientSecret}`)}` }
  const body = { grant_type: 'interaction_code', interaction_code: 'no', code_verifier: 'v'.repeat(43) }
  for (let call = 0; call < 70; call++) {
    await fetch(`${node.issuer}/v1/token`, { method: 'POST', headers, body: new URLSearchParams(body) })
    await fetch(`${node.issuer}/v1/authorize?client_id=nothing`)
  }
  await node.close()
  const counted = lines.filter(({ detail }) => detail !== undefined)
  expect(counted.filter(({ count }) => count === undefined).length % 60).toBe(0)
  expect(counted.filter(({ count }) => count !== undefined).map(({ count }) => count)).toContain(10)
})
