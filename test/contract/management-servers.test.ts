import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

const server = '/authorizationServers/default'
let idp: Kit
let api: Api

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

describe('the authorization server', () => {
  test('is listed and read, with the issuer that apps are configured with', async () => {
    const { status, list } = await api('GET', '/authorizationServers')
    expect([status, list.length]).toEqual([200, 1])
    const { body } = await api('GET', server)
    expect(body).toEqual(list[0])
    expect(body).toMatchObject({
      id: 'default',
      issuer: idp.issuer,
      audiences: ['api://default'],
      status: 'ACTIVE',
    })
    const other = await api('GET', '/authorizationServers/ausOther')
    expect([other.status, other.body.errorCode]).toEqual([404, 'E0000007'])
  })

  test('cannot be changed', async () => {
    for (const [method, path] of [
      ['PUT', server],
      ['DELETE', server],
      ['POST', `${server}/scopes`],
    ] as const) {
      expect((await api(method, path, {})).body.errorCode).toBe('E0000022')
    }
  })

  test('has the scopes of discovery', async () => {
    const answer = await fetch(`${idp.issuer}/.well-known/openid-configuration`)
    const { scopes_supported: supported } = (await answer.json()) as { scopes_supported: string[] }
    expect((await api('GET', `${server}/scopes`)).list.map(({ name }) => name)).toEqual(supported)
  })

  test('has the claims of its scopes and of visible custom attributes', async () => {
    const hidden = { type: 'string', permissions: [{ principal: 'SELF', action: 'HIDE' }] }
    const properties = { team: { type: 'string' }, salary: hidden }
    await api('POST', '/meta/schemas/user/default', { definitions: { custom: { properties } } })
    const { list } = await api('GET', `${server}/claims`)
    const scopesOf = (name: string) => list.find((one) => one.name === name)?.conditions
    expect(scopesOf('email')).toEqual({ scopes: ['email'] })
    expect(scopesOf('given_name')).toEqual({ scopes: ['profile'] })
    expect(scopesOf('team')).toEqual({ scopes: ['profile'] })
    expect(scopesOf('salary')).toBeUndefined()
  })

  test('has a policy with a rule that contains the lifetimes of tokens', async () => {
    const [policy] = (await api('GET', `${server}/policies`)).list
    expect((await api('GET', `${server}/policies/${policy?.id}`)).body).toEqual(policy)
    const [rule] = (await api('GET', `${server}/policies/${policy?.id}/rules`)).list
    expect(rule?.actions).toMatchObject({ token: { accessTokenLifetimeMinutes: 60 } })
    expect((await api('GET', `${server}/policies/00pOther/rules`)).status).toBe(404)
  })

  test.each(['scopes', 'claims', 'policies'])('has %s, one by one and in pages', async (name) => {
    const all = (await api('GET', `${server}/${name}`)).list
    const found: string[] = []
    for (let next: string | undefined = `${server}/${name}?limit=5`; next !== undefined; ) {
      const page: Awaited<ReturnType<Api>> = await api('GET', next)
      found.push(...page.list.map(({ id }) => id))
      next = page.next
    }
    expect(found).toEqual(all.map(({ id }) => id))
    expect(new Set(found).size).toBe(all.length)
    expect((await api('GET', `${server}/${name}/${all[0]?.id}`)).body).toEqual(all[0])
    expect((await api('GET', `${server}/${name}/none`)).body.errorCode).toBe('E0000007')
  })
})
