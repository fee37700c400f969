import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Session, startSession } from '../../src/sessions/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { noteStatements } from './statements.ts'

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
    const noted = noteStatements(database.kind)
    const { list } = await api('GET', `/apps?filter=${encodeURIComponent(filter)}`)
    expect(list.map(({ id }) => id).toSorted()).toEqual([apps[1], apps[2]].toSorted())
    const asked = [...noted].filter(({ text }) => /client_groups/.test(text))
    expect(asked.reduce((sum, { times }) => sum + times, 0)).toBeLessThanOrEqual(2)
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
      const answers = await Promise.all([
        api('DELETE', `/groups/${of}`),
        api('PUT', `/groups/${of}`, { profile: { name: `Other ${n}` } }),
        api('PUT', `/groups/${of}/users/${user}`),
        api('PUT', `/apps/${shop}/groups/${of}`),
        api('POST', '/users?activate=false', {
          profile: { login: `race${n}@example.com`, email: `race${n}@example.com` },
          groupIds: [of],
        }),
        api('DELETE', `/trustedOrigins/${id}`),
        api('PUT', `/trustedOrigins/${id}`, origin),
        api('POST', `/trustedOrigins/${id}/lifecycle/deactivate`),
      ])
      for (const { status, text } of answers) expect([200, 204, 404], text).toContain(status)
    }
    const { db } = idp.engine.storage
    const groups = db.selectFrom('groups').select('id')
    for (const table of ['memberships', 'client_groups'] as const) {
      expect(await db.selectFrom(table).selectAll().where('group_id', 'not in', groups).execute()).toEqual([])
    }
  })
})
