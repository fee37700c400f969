import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { newBrowser, sdk } from '../support/sdk.ts'

let idp: Kit
let api: Api

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const mary = async () => (await api('GET', `/users/${idp.person.login}`)).body.id
const group = async (name: string) => (await api('POST', '/groups', { profile: { name } })).body.id

describe('groups', () => {
  test('are created, read, changed, listed and deleted', async () => {
    const made = await api('POST', '/groups', { profile: { name: 'Staff', description: 'Who works here' } })
    expect(made).toMatchObject({
      status: 200,
      body: {
        id: expect.stringMatching(/^00g/),
        type: 'OKTA_GROUP',
        profile: { name: 'Staff', description: 'Who works here' },
      },
    })
    const { id } = made.body
    expect((await api('PUT', `/groups/${id}`, { profile: { name: 'Crew' } })).body.profile).toEqual({
      name: 'Crew',
      description: null,
    })
    expect((await api('GET', '/groups?q=cr')).list.map((one) => one.id)).toEqual([id])
    expect((await api('GET', '/groups?limit=1')).next).toMatch(/after=/)
    expect((await api('DELETE', `/groups/${id}`)).status).toBe(204)
    expect((await api('GET', `/groups/${id}`)).body.errorCode).toBe('E0000007')
  })

  test('have unique names, regardless of case', async () => {
    await group('Staff')
    expect(await api('POST', '/groups', { profile: { name: 'STAFF' } })).toMatchObject({
      status: 400,
      body: { errorCode: 'E0000001' },
    })
    expect((await api('POST', '/groups', { profile: {} })).status).toBe(400)
  })

  test('have members, who stay when the group is deleted', async () => {
    const [id, person] = [await group('Staff'), await mary()]
    expect((await api('PUT', `/groups/${id}/users/${person}`)).status).toBe(204)
    expect((await api('GET', `/groups/${id}/users`)).list.map((one) => one.id)).toEqual([person])
    expect(
      (await api('GET', `/users/${person}/groups`)).list
        .map(({ profile }) => (profile as { name: string }).name)
        .toSorted(),
    ).toEqual(['Everyone', 'Staff'])
    await api('DELETE', `/groups/${id}/users/${person}`)
    expect((await api('GET', `/groups/${id}/users`)).list).toEqual([])
    await api('DELETE', `/groups/${id}`)
    expect((await api('GET', `/users/${person}`)).status).toBe(200)
  })

  test('can be given for a new user', async () => {
    const id = await group('Staff')
    const profile = { login: 'ada@example.com', email: 'ada@example.com' }
    const ada = await api('POST', '/users?activate=false', { profile, groupIds: [id] })
    expect((await api('GET', `/groups/${id}/users`)).list.map((one) => one.id)).toEqual([ada.body.id])
  })

  test('that are built in cannot be changed', async () => {
    const [everyone] = (await api('GET', '/groups?filter=type eq "BUILT_IN"')).list
    for (const [method, path, body] of [
      ['PUT', '', { profile: { name: 'All' } }],
      ['DELETE', '', undefined],
      ['DELETE', `/users/${await mary()}`, undefined],
    ] as const) {
      expect(await api(method, `/groups/${everyone?.id}${path}`, body)).toMatchObject({
        status: 501,
        body: { errorCode: 'E0000060' },
      })
    }
  })
})

describe('apps', () => {
  const app = {
    name: 'oidc_client',
    label: 'Shop',
    signOnMode: 'OPENID_CONNECT',
    credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_post' } },
    settings: {
      oauthClient: {
        redirect_uris: ['http://localhost:8080/login/callback'],
        response_types: ['code'],
        grant_types: ['authorization_code', 'interaction_code', 'refresh_token'],
        application_type: 'web',
      },
    },
  }
  const secretOf = (body: object) =>
    (body as { credentials: { oauthClient: { client_secret?: string } } }).credentials.oauthClient
      .client_secret

  test('return their secret only when they are created', async () => {
    const made = await api('POST', '/apps', app)
    expect(made.status).toBe(200)
    const secret = secretOf(made.body)
    expect(secret).toMatch(/^\w{43}$/)
    const { id } = made.body
    const others = [
      await api('GET', `/apps/${id}`),
      await api('GET', '/apps?q=sho'),
      await api('PUT', `/apps/${id}`, { ...app, label: 'Store' }),
    ]
    for (const { status, text } of others) {
      expect(status).toBe(200)
      expect(text).not.toContain(secret)
      expect(text).not.toMatch(/hash\w*":|client_secret"/i)
    }
    expect(others[2]?.body.label).toBe('Store')
  })

  test('let users in that they are assigned to, by group or directly', async () => {
    const { id, ...made } = (await api('POST', '/apps', app)).body
    const secret = secretOf(made) ?? ''
    const person = await mary()
    const recover = async () => {
      const auth = sdk(
        {
          ...idp,
          clientId: id,
          clientSecret: secret,
          redirectUri: app.settings.oauthClient.redirect_uris[0] ?? '',
        },
        { browser: newBrowser() },
      )
      return (await auth.idx.authenticate({ username: idp.person.login, password: idp.person.password }))
        .status
    }
    expect(await recover()).not.toBe('SUCCESS')

    expect((await api('POST', `/apps/${id}/users`, { id: person, scope: 'USER' })).status).toBe(200)
    expect((await api('GET', `/apps/${id}/users`)).list.map((one) => one.id)).toEqual([person])
    expect(await recover()).toBe('SUCCESS')
    expect((await api('DELETE', `/apps/${id}/users/${person}`)).status).toBe(204)
    expect((await api('GET', `/apps/${id}/users/${person}`)).status).toBe(404)
    expect(await recover()).not.toBe('SUCCESS')

    const staff = await group('Staff')
    await api('PUT', `/groups/${staff}/users/${person}`)
    expect((await api('PUT', `/apps/${id}/groups/${staff}`, {})).status).toBe(200)
    expect(await recover()).toBe('SUCCESS')

    await api('POST', `/apps/${id}/lifecycle/deactivate`)
    await expect(recover()).rejects.toThrow()
  })

  test('are deleted after they were deactivated', async () => {
    const { id } = (await api('POST', '/apps', app)).body
    expect(await api('DELETE', `/apps/${id}`)).toMatchObject({ status: 403, body: { errorCode: 'E0000056' } })
    await api('POST', `/apps/${id}/lifecycle/deactivate`)
    expect((await api('DELETE', `/apps/${id}`)).status).toBe(204)
    expect((await api('GET', `/apps/${id}`)).status).toBe(404)
  })

  test('are refused with a cause for each invalid member', async () => {
    const { status, body } = await api('POST', '/apps', {
      signOnMode: 'SAML_2_0',
      settings: {
        oauthClient: {
          redirect_uris: ['javascript:alert(1)'],
          grant_types: ['implicit'],
          application_type: 'service',
        },
      },
    })
    expect(status).toBe(400)
    expect((body.errorCauses as object[]).length).toBe(5)
  })
})

describe('trusted origins', () => {
  const origin = { name: 'Shop', origin: 'https://shop.example.com', scopes: [{ type: 'CORS' }] }
  const allowed = async () =>
    (
      await fetch(`${idp.issuer}/.well-known/openid-configuration`, { headers: { origin: origin.origin } })
    ).headers.get('access-control-allow-origin')

  test('may call from browsers while they are active and have the scope CORS', async () => {
    expect(await allowed()).toBeNull()
    const { id } = (await api('POST', '/trustedOrigins', origin)).body
    expect(await allowed()).toBe(origin.origin)
    expect(await api('POST', '/trustedOrigins', origin)).toMatchObject({
      status: 400,
      body: { errorCode: 'E0000001' },
    })
    expect((await api('GET', `/trustedOrigins/${id}`)).body).toMatchObject({ ...origin, status: 'ACTIVE' })
    expect((await api('PUT', `/trustedOrigins/${id}`, { ...origin, name: 'Store' })).body.name).toBe('Store')
    expect((await api('POST', `/trustedOrigins/${id}/lifecycle/deactivate`)).body.status).toBe('INACTIVE')
    expect((await api('DELETE', `/trustedOrigins/${id}`)).status).toBe(204)
    expect((await api('GET', `/trustedOrigins/${id}`)).status).toBe(404)
  })

  test.each(['https://shop.example.com/', 'HTTPS://Shop.Example.com', 'https://shop.example.com:443'])(
    'are stored as browsers send them: %s',
    async (text) => {
      const { body } = await api('POST', '/trustedOrigins', { ...origin, origin: text })
      expect(body.origin).toBe(origin.origin)
      expect(await allowed()).toBe(origin.origin)
      expect((await api('DELETE', `/trustedOrigins/${body.id}`)).status).toBe(204)
    },
  )

  test.each(['https://shop.example.com/path', 'shop.example.com', 'javascript:alert(1)', 'https://*'])(
    'are not %s',
    async (text) => {
      expect((await api('POST', '/trustedOrigins', { ...origin, origin: text })).status).toBe(400)
    },
  )
})

describe('policies', () => {
  const policyFor = (id: string, minLength: number) => ({
    type: 'PASSWORD',
    name: `At least ${minLength}`,
    description: 'For staff',
    conditions: { people: { groups: { include: [id] } }, authProvider: { provider: 'OKTA' } },
    settings: {
      password: { complexity: { minLength, minUpperCase: 0, minNumber: 0, minSymbol: 0 } },
      delegation: { options: {} },
    },
  })
  const rule = {
    name: 'By mail',
    type: 'PASSWORD',
    actions: {
      selfServicePasswordReset: {
        access: 'ALLOW',
        requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
      },
    },
  }
  const accepts = async (password: string) =>
    (await api('POST', `/users/${idp.person.login}`, { credentials: { password: { value: password } } }))
      .status === 200

  test('store all members', async () => {
    const wanted = policyFor('00gNobody', 20)
    const { status, body } = await api('POST', '/policies', wanted)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      ...wanted,
      id: expect.stringMatching(/^00p/),
      status: 'ACTIVE',
      priority: 1,
      system: false,
    })
    expect((await api('GET', `/policies/${body.id}`)).body).toMatchObject(wanted)
  })

  test('apply by group, the first that has a rule, until they are deactivated', async () => {
    const staff = await group('Staff')
    const { id } = (await api('POST', '/policies', policyFor(staff, 30))).body
    await api('POST', `/policies/${id}/rules`, rule)
    expect(await accepts('seventeen letters')).toBe(true)

    await api('PUT', `/groups/${staff}/users/${await mary()}`)
    expect(await accepts('another seventeen')).toBe(false)
    await api('POST', `/policies/${id}/lifecycle/deactivate`)
    expect(await accepts('another seventeen')).toBe(true)
  })

  test('are ordered by priority, and a new one moves the others', async () => {
    const first = (await api('POST', '/policies', policyFor('00g1', 20))).body.id
    const second = (await api('POST', '/policies', { ...policyFor('00g2', 21), priority: 1 })).body.id
    const order = async () =>
      (await api('GET', '/policies?type=PASSWORD')).list.map(({ id, priority }) => [id, priority])
    expect((await order()).slice(0, 2)).toEqual([
      [second, 1],
      [first, 2],
    ])
    await api('PUT', `/policies/${first}`, { ...policyFor('00g1', 20), priority: 1 })
    expect((await order()).slice(0, 2)).toEqual([
      [first, 1],
      [second, 2],
    ])
  })

  test('can deny recovery to a group', async () => {
    const staff = await group('Staff')
    await api('PUT', `/groups/${staff}/users/${await mary()}`)
    const { id } = (await api('POST', '/policies', policyFor(staff, 12))).body
    await api('POST', `/policies/${id}/rules`, {
      ...rule,
      actions: { selfServicePasswordReset: { access: 'DENY' } },
    })
    // It refuses after the proof alone: before, no group shows (A53).
    const visitor = await idp.visitor().atTheCode()
    const refused = await visitor.answers((await visitor.mail()).code)
    expect([refused.status, ...refused.messages]).toEqual([403, 'oie.selfservice.reset.password.not.allowed'])
  })

  test('have a catch-all rule if they are for apps, and built-in ones always apply to everyone', async () => {
    const { id } = (await api('POST', '/policies', { type: 'ACCESS_POLICY', name: 'Shop' })).body
    const [catchAll] = (await api('GET', `/policies/${id}/rules`)).list
    expect(catchAll).toMatchObject({ name: 'Catch-all Rule', system: true })
    expect((await api('DELETE', `/policies/${id}/rules/${catchAll?.id}`)).status).toBe(400)
    const [builtIn] = (await api('GET', '/policies?type=PASSWORD')).list
    expect((await api('DELETE', `/policies/${builtIn?.id}`)).status).toBe(400)
    expect((await api('POST', `/policies/${builtIn?.id}/lifecycle/deactivate`)).status).toBe(400)
    await api('PUT', `/policies/${builtIn?.id}`, {
      ...builtIn,
      conditions: { people: { groups: { include: ['00gNobody'] } } },
    })
    expect(await accepts('seventeen letters')).toBe(true)
  })

  test('have rules that are created, read, changed and deleted', async () => {
    const { id } = (await api('POST', '/policies', policyFor('00g1', 20))).body
    const made = (await api('POST', `/policies/${id}/rules`, rule)).body
    expect(made).toMatchObject({ ...rule, status: 'ACTIVE', priority: 1 })
    const path = `/policies/${id}/rules/${made.id}`
    expect((await api('PUT', path, { ...rule, name: 'Other' })).body.name).toBe('Other')
    await api('POST', `${path}/lifecycle/deactivate`)
    expect((await api('GET', path)).body.status).toBe('INACTIVE')
    expect((await api('DELETE', path)).status).toBe(204)
    expect((await api('GET', path)).status).toBe(404)
    expect((await api('DELETE', `/policies/${id}`)).status).toBe(204)
  })

  test.each([
    [{ ...policyFor('00g1', 20), settings: { password: { complexity: { minLength: 'long' } } } }],
    [{ ...policyFor('00g1', 20), type: 'NONE' }],
    [{ type: 'PASSWORD' }],
    [{ ...policyFor('00g1', 20), conditions: { people: { groups: { include: 'all' } } } }],
  ])('are refused if they are invalid (%#)', async (body) => {
    expect(await api('POST', '/policies', body)).toMatchObject({
      status: 400,
      body: { errorCode: 'E0000001' },
    })
  })
})
