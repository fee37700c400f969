import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Session, startSession } from '../../src/sessions/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { noteRequests } from './statements.ts'

onEachDatabase('the management API', (database) => {
  let idp: Kit
  let place: TestDatabase
  let api: Api
  beforeAll(async () => {
    place = await database.create()
    idp = await startEngine({ database: place.url })
    api = apiOf(idp)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })

  const group = async (name: string) => (await api('POST', '/groups', { profile: { name } })).body.id
  const app = async (label: string) =>
    (
      await api('POST', '/apps', {
        label,
        signOnMode: 'OPENID_CONNECT',
        settings: { oauthClient: { redirect_uris: ['https://shop.example.com/cb'] } },
      })
    ).body.id

  test('filters apps by groups with one statement for each group, however many apps there are', async () => {
    const [one, two] = [await group('One'), await group('Two')]
    const apps = [await app('A'), await app('B'), await app('C')]
    await api('PUT', `/apps/${apps[1]}/groups/${one}`)
    await api('PUT', `/apps/${apps[2]}/groups/${two}`)
    const filter = [one, two, one, one].map((id) => `group.id eq "${id}"`).join(' or ')
    const noted = noteRequests(idp.engine.storage.kind)
    const { list } = await api('GET', `/apps?filter=${encodeURIComponent(filter)}`)
    expect(list.map(({ id }) => id).toSorted()).toEqual([apps[1], apps[2]].toSorted())
    const asked = [...noted].filter(({ text }) => /client_groups/.test(text))
    expect(asked.reduce((sum, { times }) => sum + times, 0)).toBe(2)
  })

  test('finds the policies of an app with as many statements, however many policies there are', async () => {
    const shop = await app('Shop')
    const count = async () => {
      const noted = noteRequests(idp.engine.storage.kind)
      const { list } = await api('GET', `/policies?type=ACCESS_POLICY&resourceId=${shop}`)
      const times = [...noted].reduce((sum, one) => sum + one.times, 0)
      vi.restoreAllMocks()
      expect(list).toHaveLength(1)
      return times
    }
    const before = await count()
    for (const name of ['One', 'Two']) await api('POST', '/policies', { type: 'ACCESS_POLICY', name })
    expect(await count()).toBe(before)
  })

  test('lists all of more than a thousand sessions, each once, and ends the oldest by its id', async () => {
    const { id } = (await api('GET', `/users/${idp.person.login}`)).body
    const { db } = idp.engine.storage
    const now = idp.clock.now()
    const session = (n: number): Omit<Session, 'revokedAt'> => ({
      id: `ses${String(n).padStart(17, '0')}`,
      personId: id,
      clientId: idp.publicClientId,
      // Several of one moment, so that the time alone does not say where a page begins.
      createdAt: now - Math.floor(n / 7),
      expiresAt: now + 3_600_000,
      details: { amr: ['pwd'] },
    })
    const all = Array.from({ length: 1205 }, (_, n) => session(n))
    await idp.engine.storage.transaction(async (tx) => {
      for (const one of all) await startSession(tx, one)
    })
    const listed: string[] = []
    let path: string | undefined = `/users/${id}/sessions`
    while (path !== undefined) {
      const { list, next } = await api('GET', path)
      listed.push(...list.map((one) => one.id))
      path = next
    }
    expect(listed).toEqual(all.map((one) => one.id))
    const oldest = all.at(-1)?.id
    expect((await api('DELETE', `/users/${id}/sessions/${oldest}`)).status).toBe(204)
    expect((await api('DELETE', `/users/${id}/sessions/${oldest}`)).status).toBe(404)
    const ended = await db.selectFrom('sessions').select('id').where('revoked_at', 'is not', null).execute()
    expect(ended).toEqual([{ id: oldest }])
    expect((await api('GET', `/users/${id}/sessions?after=ses00000000000000001`)).status).toBe(400)
    await db.deleteFrom('sessions').execute()
  })

  test('answers 404, and nothing is left, where a group or an origin is deleted at the moment of a change', async () => {
    const { id: user } = (await api('GET', `/users/${idp.person.login}`)).body
    const shop = await app('Shop')
    for (let n = 0; n < 15; n++) {
      const of = await group(`Race ${n}`)
      const origin = { name: 'x', origin: `https://race${n}.example.com`, scopes: [{ type: 'CORS' }] }
      const { id } = (await api('POST', '/trustedOrigins', origin)).body
      const policy = (await api('POST', '/policies', { type: 'ACCESS_POLICY', name: `Race ${n}` })).body.id
      const answers = await Promise.all([
        api('DELETE', `/groups/${of}`),
        api('PUT', `/groups/${of}`, { profile: { name: `Other ${n}` } }),
        api('PUT', `/groups/${of}/users/${user}`),
        api('PUT', `/apps/${shop}/groups/${of}`),
        api('POST', '/users?activate=false', {
          profile: { login: `race${n}@example.com`, email: `race${n}@example.com` },
          groupIds: [of],
        }),
        api('POST', `/policies/${policy}/rules`, { name: 'One' }),
        api('DELETE', `/policies/${policy}`),
        api('PUT', `/policies/${policy}`, { type: 'ACCESS_POLICY', name: `Other ${n}` }),
        api('POST', `/policies/${policy}/lifecycle/deactivate`),
        api('DELETE', `/trustedOrigins/${id}`),
        api('PUT', `/trustedOrigins/${id}`, origin),
        api('POST', `/trustedOrigins/${id}/lifecycle/deactivate`),
      ])
      for (const { status, text } of answers) expect([200, 204, 404], text).toContain(status)
    }
    const { db } = idp.engine.storage
    const policies = db.selectFrom('policies').select('id')
    expect(
      await db.selectFrom('policy_rules').selectAll().where('policy_id', 'not in', policies).execute(),
    ).toEqual([])
    const groups = db.selectFrom('groups').select('id')
    for (const table of ['memberships', 'client_groups'] as const) {
      expect(await db.selectFrom(table).selectAll().where('group_id', 'not in', groups).execute()).toEqual([])
    }
  })

  const large = (characters: number) =>
    Object.fromEntries(Array.from({ length: 4 }, (_, n) => [`m${n}`, 'x'.repeat(characters / 4)]))

  test('a profile, a policy and a rule have at most 16,384 characters', async () => {
    const properties = Object.fromEntries(Object.keys(large(4)).map((name) => [name, { type: 'string' }]))
    const definitions = { custom: { properties } }
    expect((await api('POST', '/meta/schemas/user/default', { definitions })).status).toBe(200)
    const email = 'large@example.com'
    const policy = { type: 'ACCESS_POLICY', name: 'Large' }
    const things: [path: string, body: (members: object) => object][] = [
      ['/groups', (members) => ({ profile: { name: 'Large', ...members } })],
      ['/users?activate=false', (members) => ({ profile: { login: email, email, ...members } })],
      ['/policies', (members) => ({ ...policy, settings: members })],
    ]
    for (const [path, body] of things) {
      const refused = await api('POST', path, body(large(16_400)))
      expect([path, refused.status]).toEqual([path, 400])
      expect(refused.text).toMatch(
        /(profile|body): must have at most 16384 characters as JSON, and has 16\d\d\d/,
      )
      const made = await api('POST', path, body(large(16_000)))
      expect([path, made.status]).toEqual([path, 200])
    }
    // What is changed one by one is not larger in the end.
    const { id } = (await api('GET', `/users/${email}`)).body
    expect((await api('POST', `/users/${id}`, { profile: { nickName: 'y'.repeat(400) } })).status).toBe(400)
    expect((await api('POST', `/users/${id}`, { profile: { nickName: 'y' } })).status).toBe(200)
    const rule = await api(
      'POST',
      `/policies/${(await api('GET', '/policies?type=ACCESS_POLICY')).list[0]?.id}/rules`,
      {
        name: 'Large',
        conditions: large(16_400),
      },
    )
    expect(rule.status).toBe(400)
  })

  test('a page of large groups is short, and the next ones have the others', async () => {
    const values = Array.from({ length: 600 }, (_, n) => ({
      id: `00gx${String(n).padStart(16, '0')}`,
      type: 'OKTA_GROUP',
      name: `Huge ${n}`,
      name_key: `huge ${n}`,
      profile: JSON.stringify({ name: `Huge ${n}`, ...large(16_000) }),
      created_at: 1,
      updated_at: 1,
    }))
    await idp.engine.storage.transaction(async (tx) => {
      for (const row of values) await tx.insertInto('groups').values(row).execute()
    })
    const listed: string[] = []
    let path: string | undefined = `/groups?q=${encodeURIComponent('Huge ')}`
    let pages = 0
    while (path !== undefined) {
      const { list, next, text } = await api('GET', path)
      expect(text.length).toBeLessThan(4_500_000)
      listed.push(...list.map(({ id }) => id))
      path = next
      pages++
    }
    expect(listed).toEqual(values.map(({ id }) => id))
    expect(pages).toBe(3)
    await idp.engine.storage.db.deleteFrom('groups').where('name_key', 'like', 'huge %').execute()
  })

  test('a number that JSON reads as endless is refused', async () => {
    const send = async (path: string, body: string) => {
      const response = await fetch(`${idp.engineUrl}/api/v1${path}`, {
        method: 'POST',
        headers: { authorization: `SSWS ${idp.apiToken}`, 'content-type': 'application/json' },
        body,
      })
      return [response.status, await response.text()]
    }
    const oauthClient = '"redirect_uris":["https://shop.example.com/cb"]'
    for (const [path, body, member] of [
      ['/groups', '{"profile":{"name":"Endless","level":1e400}}', 'level'],
      ['/groups', '{"profile":{"name":"Endless","levels":[1,-1e400]}}', 'levels'],
      ['/users', '{"profile":{"login":"e@example.com","email":"e@example.com","level":1e400}}', 'level'],
      ['/policies', '{"type":"ACCESS_POLICY","name":"Endless","settings":{"level":1e400}}', 'settings.level'],
      [
        '/apps',
        `{"label":"Endless","signOnMode":"OPENID_CONNECT","profile":{"level":1e400},"settings":{"oauthClient":{${oauthClient}}}}`,
        'level',
      ],
    ] as const) {
      const [status, text] = await send(path, body)
      expect([path, status]).toEqual([path, 400])
      expect(text).toContain(`${member}: must be a number that is not greater than 1.8e308`)
    }
  })

  test('a secret in a member of an app that is stored as it was sent is refused, and what the engine decides is not stored', async () => {
    const body = (members: {
      settings?: object
      oauthClient?: object
      credentials?: object
      more?: object
    }) => ({
      label: 'Shop',
      signOnMode: 'OPENID_CONNECT',
      ...members.more,
      credentials: members.credentials ?? {},
      settings: {
        ...members.settings,
        oauthClient: { redirect_uris: ['https://shop.example.com/cb'], ...members.oauthClient },
      },
    })
    const value = 'this-is-not-for-readers'
    for (const [path, members] of [
      ['settings.oauthClient.client_secret', { oauthClient: { client_secret: value } }],
      ['settings.oauthClient.custom.privateKey', { oauthClient: { custom: { privateKey: value } } }],
      ['settings.app.password', { settings: { app: { password: value } } }],
      ['settings.clientSecret', { settings: { clientSecret: value } }],
      ['credentials.signing.privateKey', { credentials: { signing: { privateKey: value } } }],
      [
        'credentials.oauthClient.client_secret_hash',
        { credentials: { oauthClient: { client_secret_hash: value } } },
      ],
      ['profile.deep.private_key', { more: { profile: { deep: [{ private_key: value }] } } }],
    ] as const) {
      const { status, text } = await api('POST', '/apps', body(members))
      expect([path, status]).toEqual([path, 400])
      expect(text).toContain('must be absent: it would be stored')
      expect(text).not.toContain(value)
    }
    const own = {
      settings: { accessPolicyId: 'rst1', insecureLocalhostRedirects: true, planted: { x: ['y'] } },
      oauthClient: { client_id: 'own', insecureLocalhostRedirects: true, planted: {}, custom: 'kept' },
      credentials: { oauthClient: { client_secret: 'a-secret-in-its-place' } },
    }
    const { id } = (await api('POST', '/apps', body(own))).body
    const { body: shown, text } = await api('GET', `/apps/${id}`)
    expect(shown.settings).toMatchObject({ oauthClient: { custom: 'kept' } })
    expect(text).not.toMatch(/planted|insecureLocalhost|\brst1\b|a-secret-in-its-place|"own"/)
    expect((await api('PUT', `/apps/${id}`, shown)).status).toBe(200)
  })
})
