import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

let idp: Kit
let api: Api

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
afterAll(() => idp.close())

/** Every `created` and `lastUpdated` of a body, however deep. */
function timesIn(value: unknown, path = ''): (readonly [path: string, time: unknown])[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) =>
    /^(created|lastUpdated)$/.test(name)
      ? [[`${path}/${name}`, member] as const]
      : timesIn(member, `${path}/${name}`),
  )
}

test('what every installation has from its start is as old as the installation', async () => {
  const { list: groups } = await api('GET', '/groups')
  const created = String(groups.find(({ type }) => type === 'BUILT_IN')?.created)
  expect(Math.abs(Date.parse(created) - idp.clock.now())).toBeLessThan(60_000)
  const server = '/authorizationServers/default'
  const [policy] = (await api('GET', `${server}/policies`)).list
  const [factor] = (await api('GET', '/authenticators')).list
  const built = [
    '/authenticators',
    `/authenticators/${factor?.id}`,
    '/meta/types/user',
    '/meta/types/user/default',
    '/meta/schemas/user/default',
    '/authorizationServers',
    server,
    `${server}/policies`,
    `${server}/policies/${policy?.id}`,
    `${server}/policies/${policy?.id}/rules`,
  ]
  for (const path of built) {
    const times = timesIn((await api('GET', path)).body)
    expect(times.length).toBeGreaterThan(1)
    for (const [at, time] of times) expect([path, at, time]).toEqual([path, at, created])
  }
})

test('what was changed shows when, beside the time of the installation', async () => {
  const later = idp.clock.now() + 86_400_000
  idp.clock.advance(86_400_000)
  const [before] = (await api('GET', '/authenticators')).list
  const changed = await api('PUT', `/authenticators/${before?.id}`, { settings: { allowedFor: 'any' } })
  const attribute = { title: 'Team', type: 'string' }
  const definitions = { custom: { properties: { team: attribute } } }
  const schema = await api('POST', '/meta/schemas/user/default', { definitions })
  for (const { status, body } of [changed, schema]) {
    expect([status, body.created]).toEqual([200, before?.created])
    expect(Date.parse(String(body.lastUpdated))).toBeGreaterThanOrEqual(later)
  }
})

test('no list of the API shows a time of 1970', async () => {
  const lists = ['/users', '/groups', '/apps', '/policies?type=ACCESS_POLICY', '/trustedOrigins', '/logs']
  for (const path of [...lists, '/api-tokens', '/policies?type=MFA_ENROLL']) {
    const { status, body } = await api('GET', path)
    expect([path, JSON.stringify(body).includes('1970-01-')]).toEqual([path, false])
    expect([path, status]).toEqual([path, path === '/api-tokens' ? status : 200])
  }
})
