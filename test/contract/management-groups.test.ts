import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Answered, type Api, apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const causes = ({ body }: Answered) =>
  ((body.errorCauses ?? []) as { errorSummary: string }[]).map(({ errorSummary }) => errorSummary)

describe('what is sent to create something reads back the same', () => {
  const lines: string[] = []
  let idp: Kit
  let api: Api
  beforeAll(async () => {
    const stream = { write: (line: string) => void lines.push(line) }
    idp = await startEngine({ log: createLogger({ level: 'warn', stream }) })
    api = apiOf(idp)
  })
  beforeEach(() => idp.reset())
  afterEach(() => void lines.splice(0))
  afterAll(() => idp.close())

  const profile = {
    name: 'Engines',
    description: 'All who build them',
    team: 'Red',
    level: 10,
    share: -0.5,
    remote: false,
    skills: ['welding', 'b', 'a', 'welding'],
    sizes: [3, 1, 2],
    empty: '',
  }

  test('a group has all members of its profile, lists in their order, and loses those that a replacement leaves out', async () => {
    const { id, ...made } = (await api('POST', '/groups', { profile })).body
    expect(made.profile).toEqual(profile)
    expect((await api('GET', `/groups/${id}`)).body.profile).toEqual(profile)
    const { team: _, ...others } = profile
    expect((await api('PUT', `/groups/${id}`, { profile: others })).body.profile).toEqual(others)
    const { body } = await api('PUT', `/groups/${id}`, {
      profile: { ...profile, team: null, description: null },
    })
    expect(body.profile).toEqual({ ...others, description: null })
    expect(lines).toEqual([])
  })

  test('lastMembershipUpdated moves with the members, lastUpdated with the profile', async () => {
    const user = (await api('GET', `/users/${idp.person.login}`)).body.id
    const { id, ...made } = (await api('POST', '/groups', { profile: { name: 'Movers' } })).body
    const times = async () => {
      const { lastUpdated, lastMembershipUpdated } = (await api('GET', `/groups/${id}`)).body
      // In whole hours since it was made: the clock goes on between two requests.
      return [lastUpdated, lastMembershipUpdated].map((time) =>
        Math.floor((Date.parse(String(time)) - at) / hour),
      )
    }
    const hour = 3_600_000
    const at = Date.parse(String(made.created))
    expect(await times()).toEqual([0, 0])
    idp.clock.advance('1h')
    await api('PUT', `/groups/${id}/users/${user}`)
    expect(await times()).toEqual([0, 1])
    idp.clock.advance('1h')
    // A member already: nothing has changed.
    await api('PUT', `/groups/${id}/users/${user}`)
    expect(await times()).toEqual([0, 1])
    await api('PUT', `/groups/${id}`, { profile: { name: 'Movers', team: 'Red' } })
    expect(await times()).toEqual([2, 1])
    await api('DELETE', `/groups/${id}/users/${user}`)
    expect(await times()).toEqual([2, 2])
    const since = (time: number) => {
      const filter = `lastMembershipUpdated gt "${new Date(time).toISOString()}" and type eq "OKTA_GROUP"`
      return api('GET', `/groups?${new URLSearchParams({ filter })}`)
    }
    expect((await since(at + hour)).list.map(({ id: found }) => found)).toContain(id)
    expect((await since(at + 3 * hour)).list).toEqual([])
  })

  test.each<[object, string]>([
    [
      { team: { name: 'Red' } },
      'team: must be a text, a number, true or false, or a list of at most 200 texts or numbers',
    ],
    [
      { skills: [null] },
      'skills: must be a text, a number, true or false, or a list of at most 200 texts or numbers',
    ],
    [{ 'a b': 1 }, 'a b: must have 1 to 64 letters, digits and underscores and not begin with a digit'],
    [
      { team: 'x'.repeat(10_001) },
      'team: must be a text, a number, true or false, or a list of at most 200 texts or numbers',
    ],
    [
      Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`m${n}`, n])),
      'profile: must have at most 100 members',
    ],
  ])('a group is refused with a member that cannot be stored (%#)', async (members, cause) => {
    const refused = await api('POST', '/groups', { profile: { name: 'Engines', ...members } })
    expect([refused.status, causes(refused)]).toEqual([400, [cause]])
  })

  test('members of a group that have no effect are in the log', async () => {
    await api('POST', '/groups', {
      profile: { name: 'Engines' },
      source: { id: '0oa1' },
      type: 'OKTA_GROUP',
      realmId: null,
    })
    expect(lines.join('')).toContain('"ignored":["source"]')
  })

  test('a user is in the groups of groupIds, and has the lists of the profile in their order', async () => {
    const definitions = { custom: { properties: { skills: { type: 'array', items: { type: 'string' } } } } }
    await api('POST', '/meta/schemas/user/default', { definitions })
    const ids = await Promise.all(
      ['One', 'Two'].map(async (name) => (await api('POST', '/groups', { profile: { name } })).body.id),
    )
    const { id, ...user } = (
      await api('POST', '/users?activate=false', {
        profile: { login: 'ada@example.com', email: 'ada@example.com', skills: ['b', 'a', 'c', 'a'] },
        groupIds: ids,
        type: { id: 'otyDefault' },
      })
    ).body
    expect(user.profile).toMatchObject({ skills: ['b', 'a', 'c', 'a'] })
    expect(((await api('GET', `/users/${id}`)).body.profile as typeof profile).skills).toEqual([
      'b',
      'a',
      'c',
      'a',
    ])
    expect((await api('GET', `/users/${id}/groups`)).list.map((group) => group.id)).toEqual(
      expect.arrayContaining(ids),
    )
    expect(lines).toEqual([])
  })

  test('members of a user that have no effect are in the log, those that the engine sets itself are not', async () => {
    const ada = { login: 'ada@example.com', email: 'ada@example.com' }
    const { id, ...made } = (await api('POST', '/users?activate=false', { profile: ada })).body
    await api('PUT', `/users/${id}`, made)
    expect(lines).toEqual([])
    await api('POST', `/users/${id}`, {
      realmId: 'guo1',
      groupIds: ['00g1'],
      type: null,
      credentials: { provider: { type: 'FEDERATION', name: 'X' }, phones: [] },
    })
    expect(lines.join('')).toContain(
      '"ignored":["realmId","groupIds","credentials.phones","credentials.provider"]',
    )
    const scopes = [{ type: 'CORS', allowedOktaApps: ['OKTA_ENDUSER'] }]
    await api('POST', '/trustedOrigins', { name: 'A', origin: 'https://a.example', scopes, extra: 1 })
    expect(lines.join('')).toContain('"ignored":["extra","scopes.allowedOktaApps"]')
    const refused = await api('POST', `/users/${id}`, { type: { id: 'otyOther' } })
    expect([refused.status, causes(refused)]).toEqual([400, ['type.id: must be otyDefault']])
  })
})

onEachDatabase('groups', (database) => {
  let idp: Kit
  let place: TestDatabase
  let api: Api
  beforeAll(async () => {
    place = await database.create()
    idp = await startEngine({ database: place.url })
    api = apiOf(idp)
    for (const [n, name] of ['Alpha', 'alphabet', 'Beta'].entries()) {
      await api('POST', '/groups', { profile: { name, team: n % 2 ? 'Red' : 'blue', level: n * 9 - 9 } })
      await idp.clock.advance('1h')
    }
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })

  const names = async (query: Record<string, string>) =>
    (await api('GET', `/groups?${new URLSearchParams(query)}`)).list
      .map(({ profile }) => (profile as { name: string }).name)
      .toSorted()

  test.each([
    ['type eq "OKTA_GROUP"', ['Alpha', 'Beta', 'alphabet']],
    ['type eq "built_in"', ['Everyone']],
    ['profile.name eq "ALPHA"', ['Alpha']],
    ['profile.name sw "alph" and profile.level ge 0', ['alphabet']],
    ['profile.level lt 0 or profile.level gt 8.5', ['Alpha', 'Beta']],
    ['profile.level lt "0" or profile.level gt "8.5"', ['Alpha', 'Beta']],
    ['profile.level lt "10"', ['Alpha', 'Beta', 'alphabet']],
    ['profile.level gt "10"', []],
    ['profile.team gt "10"', ['Alpha', 'Beta', 'alphabet']],
    ['profile.team eq "red"', ['alphabet']],
    ['profile.team eq null', ['Everyone']],
    ['profile.name co "ph"', ['Alpha', 'alphabet']],
  ])('are searched by %s', async (search, expected) => {
    expect(await names({ search })).toEqual(expected)
    expect(await names({ filter: search })).toEqual(expected)
  })

  test('are found by their times', async () => {
    const second = (await api('GET', `/groups?search=${encodeURIComponent('profile.name eq "alphabet"')}`))
      .list[0]
    const at = String(second?.lastUpdated)
    expect(await names({ filter: `lastUpdated gt "${at}"` })).toEqual(['Beta'])
    expect(
      await names({ filter: `lastMembershipUpdated ge "${at}" and created lt "2999-01-01T00:00:00Z"` }),
    ).toEqual(['Beta', 'alphabet'])
  })

  test.each([
    ['lastUpdated gt "soon"', /lastUpdated is a time/],
    ['profile.name eq 7', /profile\.name is a text: put its value in double quotes/],
    ['type eq "TEAM"', /there is no type TEAM, only OKTA_GROUP, BUILT_IN, APP_GROUP/],
    ['name eq "x"', /name cannot be compared, only id, type, created, .* and profile\.\*/],
  ])('are not searched by %s', async (search, cause) => {
    const refused = await api('GET', `/groups?${new URLSearchParams({ search })}`)
    expect([refused.status, refused.body.errorCode]).toEqual([400, 'E0000031'])
    expect(causes(refused)).toEqual([expect.stringMatching(cause)])
  })
})
