import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

let idp: Kit
let api: Api

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const secrets = () => `/apps/${idp.clientId}/credentials/secrets`
const causes = ({ body }: Awaited<ReturnType<Api>>) => JSON.stringify(body.errorCauses)

/** Whether a secret is valid, tested at an endpoint that requires client authentication. */
const isGood = async (secret: unknown, client = idp.clientId) => {
  const body = new URLSearchParams({ token: 'x', client_id: client, client_secret: String(secret) })
  const { status } = await fetch(`${idp.issuer}/v1/introspect`, { method: 'POST', body })
  return status === 200
}

describe('the secrets of an app', () => {
  test('are two during a rotation, and each is valid while it is active', async () => {
    const [first] = (await api('GET', secrets())).list
    expect(first).toMatchObject({ id: expect.stringMatching(/^ocs/), status: 'ACTIVE' })
    const made = await api('POST', secrets(), {})
    expect(made).toMatchObject({ status: 201, body: { status: 'ACTIVE' } })
    const second = made.body.client_secret
    expect([await isGood(idp.clientSecret), await isGood(second)]).toEqual([true, true])

    const old = `${secrets()}/${first?.id}`
    expect((await api('POST', `${old}/lifecycle/deactivate`)).body.status).toBe('INACTIVE')
    expect([await isGood(idp.clientSecret), await isGood(second)]).toEqual([false, true])
    expect((await api('POST', `${old}/lifecycle/activate`)).body.status).toBe('ACTIVE')
    expect(await isGood(idp.clientSecret)).toBe(true)

    await api('POST', `${old}/lifecycle/deactivate`)
    expect((await api('DELETE', old)).status).toBe(204)
    expect((await api('GET', old)).status).toBe(404)
    expect([await isGood(idp.clientSecret), await isGood(second)]).toEqual([false, true])
    expect((await api('GET', `/apps/${idp.clientId}`)).body.id).toBe(idp.clientId)
  })

  test('are shown without their values and hashes', async () => {
    const { body } = await api('POST', secrets(), { client_secret: 'a-chosen-secret-of-the-owner' })
    expect(body.client_secret).toBe('a-chosen-secret-of-the-owner')
    const shown = [
      await api('GET', secrets()),
      await api('GET', `${secrets()}/${body.id}`),
      await api('POST', `${secrets()}/${body.id}/lifecycle/deactivate`),
      await api('GET', `/apps/${idp.clientId}`),
    ]
    for (const { text } of shown) expect(text).not.toMatch(/a-chosen-secret|"client_secret"|hash\w*":/i)
  })

  test('are at most two, and the last active one cannot be deactivated', async () => {
    const [first] = (await api('GET', secrets())).list
    const alone = await api('POST', `${secrets()}/${first?.id}/lifecycle/deactivate`)
    expect([alone.status, causes(alone)]).toEqual([400, expect.stringContaining('last active')])
    expect((await api('DELETE', `${secrets()}/${first?.id}`)).status).toBe(400)
    await api('POST', secrets(), {})
    const third = await api('POST', secrets(), {})
    expect([third.status, third.body.errorCode]).toEqual([400, 'E0000001'])
  })

  test('stay two when many are created at once, and one stays active when both are deactivated at once', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => api('POST', secrets(), {})))
    expect(made.filter(({ status }) => status === 201)).toHaveLength(1)
    const both = (await api('GET', secrets())).list
    await Promise.all(both.map(({ id }) => api('POST', `${secrets()}/${id}/lifecycle/deactivate`)))
    const left = (await api('GET', secrets())).list
    expect(left.filter(({ status }) => status === 'ACTIVE')).toHaveLength(1)
  })

  test.each([
    [{ client_secret: 'short' }],
    [{ client_secret: 'not fit for a form' }],
    [{ client_secret: 7 }],
    [{ client_secret: 'x'.repeat(101) }],
    [{ status: 'PENDING' }],
  ])('are refused if they are invalid (%#)', async (body) => {
    expect((await api('POST', secrets(), body)).status).toBe(400)
  })

  test('belong to one app, and public apps have none', async () => {
    const [first] = (await api('GET', secrets())).list
    const other = `/apps/${idp.publicClientId}/credentials/secrets`
    expect((await api('GET', `${other}/${first?.id}`)).status).toBe(404)
    expect((await api('POST', other, {})).status).toBe(400)
    expect((await api('GET', '/apps/0oaNone/credentials/secrets')).body.errorCode).toBe('E0000007')
  })
})

describe('an app', () => {
  test('cannot change its client_id', async () => {
    const { body } = await api('GET', `/apps/${idp.clientId}`)
    const put = (client_id: string) =>
      api('PUT', `/apps/${idp.clientId}`, { ...body, credentials: { oauthClient: { client_id } } })
    expect((await put(idp.clientId)).status).toBe(200)
    expect((await put('another-client')).status).toBe(400)
  })

  test('has a magic link address until a replacement omits it', async () => {
    const { body } = await api('GET', `/apps/${idp.clientId}`)
    const settings = body.settings as { oauthClient: object }
    const link = 'https://shop.example.com/email/verify'
    const put = async (more: object) => {
      const oauthClient = { ...settings.oauthClient, ...more }
      const answer = await api('PUT', `/apps/${idp.clientId}`, { ...body, settings: { oauthClient } })
      return (answer.body.settings as { oauthClient: object } | undefined)?.oauthClient ?? answer.status
    }
    expect(await put({ email_magic_link_redirect_uri: link })).toMatchObject({
      email_magic_link_redirect_uri: link,
    })
    expect(await put({})).not.toHaveProperty('email_magic_link_redirect_uri')
    expect(await put({ email_magic_link_redirect_uri: 'javascript:alert(1)' })).toBe(400)
  })
})

describe('the leeway of a refresh token', () => {
  const oauthClientOf = (body: Readonly<Record<string, unknown>>) =>
    (body.settings as { oauthClient: Record<string, unknown> }).oauthClient
  const put = async (changes: object) => {
    const { body: app } = await api('GET', `/apps/${idp.clientId}`)
    const settings = { oauthClient: { ...oauthClientOf(app), ...changes } }
    const { status, body } = await api('PUT', `/apps/${idp.clientId}`, { ...app, settings })
    return status === 200 ? oauthClientOf(body).refresh_token : body.errorCauses
  }

  test('is that of Okta unless set', async () => {
    const { body } = await api('GET', `/apps/${idp.clientId}`)
    expect(oauthClientOf(body).refresh_token).toEqual({ rotation_type: 'ROTATE', leeway: 30 })
  })

  test.each([0, 60])('may be %d', async (leeway) => {
    expect(await put({ refresh_token: { rotation_type: 'ROTATE', leeway } })).toEqual({
      rotation_type: 'ROTATE',
      leeway,
    })
  })

  test.each([
    [{ leeway: 61 }, 'refresh_token.leeway: must be a whole number from 0 to 60'],
    [{ leeway: -1 }, 'refresh_token.leeway: must be a whole number from 0 to 60'],
    [{ leeway: '30' }, 'refresh_token.leeway: must be a whole number from 0 to 60'],
    [{ rotation_type: 'SOMETIMES' }, 'refresh_token.rotation_type: must be ROTATE or STATIC'],
  ])('cannot be %j', async (refreshToken, cause) => {
    expect(await put({ refresh_token: refreshToken })).toEqual([{ errorSummary: cause }])
  })
})

describe('lists of an app', () => {
  const app = {
    label: 'Shop',
    signOnMode: 'OPENID_CONNECT',
    settings: { oauthClient: { redirect_uris: ['https://shop.example.com/login/callback'] } },
  }

  test('have pages: its groups, its users, and the apps of a user', async () => {
    const { id } = (await api('POST', '/apps', app)).body
    const mary = (await api('GET', `/users/${idp.person.login}`)).body.id
    const ada = await api('POST', '/users?activate=false', {
      profile: { login: 'ada@example.com', email: 'ada@example.com' },
    })
    for (const person of [mary, ada.body.id]) await api('POST', `/apps/${id}/users`, { id: person })
    for (const name of ['Staff', 'Crew']) {
      const group = (await api('POST', '/groups', { profile: { name } })).body.id
      await api('PUT', `/apps/${id}/groups/${group}`)
      await api('PUT', `/groups/${group}/users/${mary}`)
    }
    for (const [path, length] of [
      [`/apps/${id}/groups`, 2],
      [`/apps/${id}/users`, 2],
      [`/users/${mary}/appLinks`, 3],
      [`/users/${mary}/groups`, 3],
    ] as const) {
      const found: string[] = []
      for (let next: string | undefined = `${path}?limit=1`; next !== undefined; ) {
        const page: Awaited<ReturnType<Api>> = await api('GET', next)
        expect(page.list.length, path).toBe(1)
        found.push(...page.list.map((one) => one.id))
        next = page.next
      }
      expect(new Set(found).size, path).toBe(length)
    }
    const shop = (await api('GET', `/users/${mary}/appLinks`)).list.find((one) => one.appInstanceId === id)
    expect(shop).toMatchObject({ label: 'Shop', linkUrl: 'https://shop.example.com/' })
    expect((await api('GET', `/users/${ada.body.id}/appLinks`)).list.map((one) => one.id)).toContain(id)
    await api('POST', `/apps/${id}/lifecycle/deactivate`)
    expect((await api('GET', `/users/${ada.body.id}/appLinks`)).list.map((one) => one.id)).not.toContain(id)
  })
})

// The last suite: its registrations stay for the rest of the file.
describe('an app of the configuration', () => {
  test('keeps changes of the API at the next start: its policy, and a rotated secret', async () => {
    const id = 'shop-of-the-file'
    const texts = ['first-secret-of-the-file', 'second-secret-of-the-file'] as const
    const named = (secret: string) =>
      idp.engine.register({ id, label: 'Named', redirectUris: [idp.redirectUri], secret } as never)
    await named(texts[0])
    const { id: policyId } = (await api('POST', '/policies', { type: 'ACCESS_POLICY', name: 'Shop' })).body
    await api('PUT', `/apps/${id}/policies/${policyId}`)
    const path = `/apps/${id}/credentials/secrets`
    const [first] = (await api('GET', path)).list
    const rotated = (await api('POST', path, {})).body.client_secret
    await api('POST', `${path}/${first?.id}/lifecycle/deactivate`)

    await named(texts[0])
    expect([await isGood(texts[0], id), await isGood(rotated, id)]).toEqual([false, true])
    await named(texts[1])
    expect([await isGood(rotated, id), await isGood(texts[1], id)]).toEqual([false, true])
    const { body } = await api('GET', `/apps/${id}`)
    expect(body).toMatchObject({
      label: 'Named',
      _links: { accessPolicy: { href: expect.stringContaining(policyId) } },
    })
  })
})
