import { createSecretKey } from 'node:crypto'
import { type CryptoKey, decodeJwt, importJWK, type JWTPayload } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { assertionType, keyPair, type ServiceApp, serviceApp, serviceBody } from './service-app.ts'

let idp: Kit
let robot: ServiceApp
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(async () => {
  await idp.reset()
  robot = await serviceApp(idp, ['okta.users.read', 'okta.groups.manage'])
})
afterAll(() => idp.close())

const refused = { status: 401, body: { error: 'invalid_client' } }
const seconds = () => Math.floor(Date.now() / 1000)

describe('the grant client_credentials', () => {
  test('issues a token of the org server with the scopes asked for, and nobody stands behind it', async () => {
    const { status, body } = await robot.ask('okta.users.read')
    expect([status, body]).toEqual([
      200,
      { token_type: 'Bearer', expires_in: 3600, access_token: expect.any(String), scope: 'okta.users.read' },
    ])
    const { jti, iat, exp, ...claims } = decodeJwt(String(body.access_token))
    expect(claims).toEqual({
      ver: 1,
      iss: idp.orgIssuer,
      aud: idp.orgIssuer,
      sub: robot.id,
      cid: robot.id,
      scp: ['okta.users.read'],
    })
    const [event] = await idp.events()
    expect(event).toMatchObject({
      eventType: 'app.oauth2.token.grant.access_token',
      actor: { id: robot.id, displayName: 'Robot' },
    })
    expect(JSON.stringify(await idp.events())).not.toContain(String(body.access_token))
  })

  test.each([
    ['a scope that was not granted', 'okta.apps.manage'],
    ['one of two that was not granted', 'okta.users.read okta.apps.manage'],
    ['a scope of people', 'openid'],
    ['more than was granted', 'okta.users.manage'],
    ['no scope', undefined],
  ])('refuses %s', async (_, scope) => {
    expect(await robot.ask(scope)).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
  })

  test('is of the org server alone', async () => {
    const assertion = await robot.assertion({ aud: `${idp.engineUrl}/oauth2/default/v1/token` })
    const response = await fetch(`${idp.engineUrl}/oauth2/default/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'okta.users.read',
        client_assertion_type: assertionType,
        client_assertion: assertion,
      }),
    })
    expect([response.status, await response.json()]).toMatchObject([400, { error: 'invalid_scope' }])
  })

  test('is not for clients with a secret, nor for those without', async () => {
    const ask = async (form: Record<string, string>) => {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'okta.users.read',
        ...form,
      })
      const response = await fetch(`${idp.engineUrl}/oauth2/v1/token`, { method: 'POST', body })
      return [response.status, ((await response.json()) as { error: string }).error]
    }
    const { clientId: client_id, clientSecret: client_secret } = idp
    expect(await ask({ client_id, client_secret })).toEqual([400, 'unauthorized_client'])
    expect(await ask({ client_id: idp.publicClientId })).toEqual([400, 'unauthorized_client'])
    expect(await ask({ client_id: robot.id })).toEqual([401, 'invalid_client'])
    expect(await ask({ client_id: robot.id, client_secret: 'anything' })).toEqual([401, 'invalid_client'])
  })

  test('a service app gets no secret', async () => {
    const { status, body } = await apiOf(idp)('POST', `/apps/${robot.id}/credentials/secrets`, {})
    expect([status, JSON.stringify(body.errorCauses)]).toEqual([400, expect.stringContaining('no secret')])
  })

  test('a service app can do nothing else', async () => {
    const form = { client_assertion_type: assertionType, client_assertion: await robot.assertion() }
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', ...form })
    const response = await fetch(`${idp.engineUrl}/oauth2/v1/token`, { method: 'POST', body })
    expect(await response.json()).toMatchObject({ error: 'unauthorized_client' })
    const interact = await fetch(`${idp.engineUrl}/oauth2/default/v1/interact`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: robot.id,
        scope: 'openid',
        redirect_uri: idp.redirectUri,
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
        state: 's',
      }),
    })
    expect(interact.status).toBe(400)
  })
})

describe('an assertion', () => {
  test('is good once, also of many at the same moment', async () => {
    const assertion = await robot.assertion()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => robot.ask('okta.users.read', assertion)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(7)
  })

  test('is spent even if its request fails', async () => {
    const assertion = await robot.assertion()
    expect((await robot.ask('openid', assertion)).status).toBe(400)
    expect(await robot.ask('okta.users.read', assertion)).toMatchObject(refused)
  })

  test('may be meant for the issuer, or for several of which one is this server', async () => {
    for (const aud of [idp.orgIssuer, ['https://other.example', `${idp.engineUrl}/oauth2/v1/token`]]) {
      expect((await robot.ask('okta.users.read', await robot.assertion({ aud }))).status).toBe(200)
    }
  })

  test.each<[string, () => object]>([
    ['for another server', () => ({ aud: 'https://other.example/oauth2/v1/token' })],
    ['for another endpoint', () => ({ aud: `${idp.engineUrl}/oauth2/default/v1/token` })],
    ['for nobody', () => ({ aud: undefined })],
    ['whose time is over', () => ({ exp: seconds() - 60, iat: seconds() - 360 })],
    ['that is good for ever', () => ({ exp: seconds() + 86_400 })],
    ['without an end', () => ({ exp: undefined })],
    ['whose end is a text', () => ({ exp: String(seconds() + 60) })],
    ['that is not good yet', () => ({ nbf: seconds() + 600 })],
    ['without an id', () => ({ jti: undefined })],
    ['with a huge id', () => ({ jti: 'x'.repeat(300) })],
    ['by another issuer', () => ({ iss: idp.clientId })],
    ['without an issuer', () => ({ iss: undefined })],
    ['about somebody else', () => ({ sub: idp.clientId })],
    ['about nobody', () => ({ sub: undefined })],
  ])('%s is refused', async (_, claims) => {
    const { status, body } = await robot.ask('okta.users.read', await robot.assertion(claims() as JWTPayload))
    expect([400, 401]).toContain(status)
    expect(body.error).toMatch(/^invalid_(client|request)$/)
    expect(body.access_token).toBeUndefined()
  })

  test('by the wrong key is refused', async () => {
    const other = await keyPair('ES256')
    const key = (await importJWK(other.privateJwk, 'ES256')) as CryptoKey
    const assertion = await robot.assertion({}, { alg: 'ES256' }, key)
    expect(await robot.ask('okta.users.read', assertion)).toMatchObject(refused)
  })

  test('without a signature, or with one that anybody could make, is refused', async () => {
    const [, payload] = (await robot.assertion()).split('.')
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
    expect(await robot.ask('okta.users.read', `${none}.${payload}.`)).toMatchObject(refused)

    const { publicJwk } = await keyPair()
    for (const secret of [JSON.stringify(publicJwk), publicJwk.n ?? '', robot.id]) {
      const key = createSecretKey(Buffer.from(secret)) as unknown as CryptoKey
      const assertion = await robot.assertion({}, { alg: 'HS256' }, key)
      expect(await robot.ask('okta.users.read', assertion)).toMatchObject(refused)
    }
  })

  test.each(['', 'x', 'a.b.c', 'e30.e30.', '{}', 'x'.repeat(20_000)])('%.20s is none', async (text) => {
    const { status, body } = await robot.ask('okta.users.read', text)
    expect([400, 401]).toContain(status)
    expect(body.access_token).toBeUndefined()
  })

  test('of another type, or together with a secret, is refused', async () => {
    const ask = async (more: Record<string, string>) => {
      const form = { grant_type: 'client_credentials', scope: 'okta.users.read', ...more }
      const response = await fetch(`${idp.engineUrl}/oauth2/v1/token`, {
        method: 'POST',
        body: new URLSearchParams({ client_assertion: await robot.assertion(), ...form }),
      })
      return response.status
    }
    expect(await ask({})).toBe(400)
    expect(
      await ask({ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }),
    ).toBe(400)
    expect(await ask({ client_assertion_type: assertionType, client_secret: 'x' })).toBe(400)
    expect(await ask({ client_assertion_type: assertionType, client_id: idp.clientId })).toBe(400)
  })

  test('of an elliptic curve is as good', async () => {
    const app = await serviceApp(idp, ['okta.users.read'], { alg: 'ES256' })
    expect((await app.ask('okta.users.read')).status).toBe(200)
  })
})

describe('the access token', () => {
  test('opens what its scopes open and nothing else; to manage is also to read', async () => {
    const api = apiOf(idp, await robot.token('okta.users.read okta.groups.manage'))
    expect((await api('GET', '/users')).status).toBe(200)
    expect((await api('GET', '/groups')).status).toBe(200)
    const { status, body } = await api('POST', '/groups', { profile: { name: 'Staff' } })
    expect([status, body.type]).toEqual([200, 'OKTA_GROUP'])
    expect((await idp.events())[0]).toMatchObject({
      eventType: 'group.lifecycle.create',
      actor: { id: robot.id, type: 'PublicClientApp', displayName: 'Robot' },
    })
    for (const [method, path] of [
      ['POST', '/users'],
      ['GET', '/apps'],
      ['GET', '/logs'],
    ] as const) {
      const answer = await api(method, path, method === 'POST' ? {} : undefined)
      expect([answer.status, answer.body.errorCode]).toEqual([403, 'E0000006'])
    }
  })

  test('has no more than was asked for, though more was granted', async () => {
    const api = apiOf(idp, await robot.token('okta.users.read'))
    expect((await api('GET', '/groups')).status).toBe(403)
  })

  test('tells by its header why it is refused', async () => {
    const ask = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      const response = await fetch(`${idp.engineUrl}/api/v1/apps`, { headers })
      return [response.status, response.headers.get('www-authenticate')]
    }
    expect(await ask(await robot.token('okta.users.read'))).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="okta.apps.read"',
    ])
    expect(await ask('x.y.z')).toEqual([401, 'Bearer error="invalid_token"'])
  })

  test('loses a scope that is taken away, at once', async () => {
    const owner = apiOf(idp)
    const api = apiOf(idp, await robot.token('okta.users.read okta.groups.manage'))
    const { list } = await owner('GET', `/apps/${robot.id}/grants`)
    const grant = list.find(({ scopeId }) => scopeId === 'okta.users.read')
    expect((await owner('DELETE', `/apps/${robot.id}/grants/${grant?.id}`)).status).toBe(204)
    expect((await api('GET', '/users')).status).toBe(403)
    expect((await api('GET', '/groups')).status).toBe(200)
  })

  test('ends with its app', async () => {
    const owner = apiOf(idp)
    const api = apiOf(idp, await robot.token('okta.users.read'))
    await owner('POST', `/apps/${robot.id}/lifecycle/deactivate`)
    expect((await api('GET', '/users')).body.errorCode).toBe('E0000011')
    expect(await robot.ask('okta.users.read')).toMatchObject(refused)
    await owner('DELETE', `/apps/${robot.id}`)
    expect((await api('GET', '/users')).body.errorCode).toBe('E0000011')
    const left = await idp.engine.storage.db.selectFrom('client_scopes').selectAll().execute()
    expect(left).toEqual([])
  })

  describe.each(['default', 'org'] as const)('at the endpoints of the server %s', (server) => {
    const at = (path: string) => `${idp.engineUrl}/oauth2${server === 'org' ? '' : '/default'}/v1/${path}`
    const call = async (path: string, form: Record<string, string>, app = robot, claims = {}) => {
      const assertion = await app.assertion({ aud: at(path), ...claims })
      const proof = { client_assertion_type: assertionType, client_assertion: assertion }
      const response = await fetch(at(path), {
        method: 'POST',
        body: new URLSearchParams({ ...proof, ...form }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    }

    test('its app introspects tokens of users, authenticated by its key', async () => {
      const visitor = idp.visitor({ server })
      const { interactionCode } = await visitor.signsIn()
      const { body } = await visitor.redeems(interactionCode)
      expect(await call('introspect', { token: String(body.access_token) })).toMatchObject({
        status: 200,
        body: { active: true, token_type: 'Bearer', client_id: idp.clientId },
      })
      expect(await call('introspect', { token: 'none' })).toEqual({ status: 200, body: { active: false } })
      // Not its own: it stays as it is.
      expect(await call('revoke', { token: String(body.access_token) })).toEqual({
        status: 200,
        body: undefined,
      })
      expect((await call('introspect', { token: String(body.access_token) })).body.active).toBe(true)
    })

    test('an assertion that was used, or is of another endpoint, app or time, authenticates nobody', async () => {
      const other = await serviceApp(idp, [], { alg: 'ES256', label: 'Other' })
      const jti = 'used once'
      expect((await call('introspect', { token: 'x' }, robot, { jti })).status).toBe(200)
      const now = seconds()
      // Of a clock that is behind: accepted for a quarter of a minute, and once.
      const late = { jti: 'used once, late', exp: now - 3 }
      expect((await call('introspect', { token: 'x' }, robot, late)).status).toBe(200)
      await idp.engine.maintain()
      for (const claims of [
        { jti },
        late,
        { jti: undefined },
        { aud: 'https://elsewhere.example' },
        { sub: other.id },
        { iss: other.id, sub: other.id },
        { exp: now - 60 },
        { exp: now + 7200 },
        { exp: undefined },
      ]) {
        expect(await call('introspect', { token: 'x' }, robot, claims)).toMatchObject(refused)
        expect(await call('revoke', { token: 'x' }, robot, claims)).toMatchObject(refused)
      }
      const { privateJwk } = await keyPair('RS512')
      const key = (await importJWK({ ...privateJwk, alg: 'RS256' }, 'RS256')) as CryptoKey
      const forged = await robot.assertion({ aud: at('revoke') }, {}, key)
      expect(await call('revoke', { token: 'x', client_assertion: forged })).toMatchObject(refused)
      const asWeb = { token: 'x', client_id: idp.clientId }
      expect(await call('introspect', asWeb)).toMatchObject(refused)
      const twice = { token: 'x', client_secret: 'y' }
      expect(await call('introspect', twice)).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      })
    })

    test('without its key it is refused', async () => {
      const form = new URLSearchParams({ token: 'x', client_id: robot.id })
      for (const path of ['introspect', 'revoke']) {
        const response = await fetch(at(path), { method: 'POST', body: form })
        expect([response.status, await response.json()]).toMatchObject([401, { error: 'invalid_client' }])
      }
    })

    test('its app ends its own token at once (F23)', async () => {
      const token = await robot.token('okta.users.read')
      const api = apiOf(idp, token)
      const active = async () => (await call('introspect', { token })).body
      // The org server issued it; the other one knows nothing of it.
      expect(await active()).toEqual(
        server === 'org'
          ? expect.objectContaining({
              active: true,
              scope: 'okta.users.read',
              client_id: robot.id,
              sub: robot.id,
            })
          : { active: false },
      )
      expect((await api('GET', '/users')).status).toBe(200)
      expect(await call('revoke', { token })).toEqual({ status: 200, body: undefined })
      expect((await api('GET', '/users')).status).toBe(server === 'org' ? 401 : 200)
      expect((await active()).active).toBe(false)
      const [event] = await idp.events()
      if (server === 'org') {
        expect(event).toMatchObject({
          eventType: 'app.oauth2.token.revoke',
          actor: { id: robot.id, type: 'PublicClientApp' },
          target: [{ type: 'access_token' }],
        })
      }
    })

    test('of another app it is introspected, and left as it is by revoke', async () => {
      const other = await serviceApp(idp, ['okta.users.read'], { label: 'Other' })
      const token = await robot.token('okta.users.read')
      expect(await call('revoke', { token }, other)).toEqual({ status: 200, body: undefined })
      expect((await apiOf(idp, token)('GET', '/users')).status).toBe(200)
      await apiOf(idp)('POST', `/apps/${robot.id}/lifecycle/deactivate`)
      expect((await call('introspect', { token }, other)).body).toEqual({ active: false })
      expect(await call('introspect', { token })).toMatchObject(refused)
      expect(await call('revoke', { token })).toMatchObject(refused)
    })
  })

  test('is worth nothing where people sign in', async () => {
    const authorization = `Bearer ${await robot.token('okta.users.read')}`
    const response = await fetch(`${idp.engineUrl}/oauth2/v1/userinfo`, { headers: { authorization } })
    expect(response.status).toBe(401)
  })

  test('of a person opens nothing here, though she is called like the app that she signed in to, or like this one', async () => {
    const password = 'Lighthouse-Biscuit-77'
    for (const login of [robot.id, idp.clientId]) {
      await idp.people.add({ login, email: `${login}@example.com`, password })
      const tokens = await idp.signInAs(login)
      for (const token of [tokens.accessToken, tokens.idToken, tokens.refreshToken]) {
        if (token === undefined) continue
        const headers = { authorization: `Bearer ${token}` }
        const response = await fetch(`${idp.engineUrl}/api/v1/users`, { headers })
        expect([response.status, await response.json()]).toMatchObject([401, { errorCode: 'E0000011' }])
      }
    }
  })

  test('that was tampered with, or shown in another way, opens nothing', async () => {
    const token = await robot.token('okta.users.read')
    const [head, , signature] = token.split('.')
    const more = { ...decodeJwt(token), scp: ['okta.apps.manage'] }
    const forged = [head, Buffer.from(JSON.stringify(more)).toString('base64url'), signature].join('.')
    const ask = async (authorization: string) => {
      const response = await fetch(`${idp.engineUrl}/api/v1/users`, { headers: { authorization } })
      return response.status
    }
    expect(await ask(`Bearer ${forged}`)).toBe(401)
    expect(await ask(`SSWS ${token}`)).toBe(401)
    expect(await ask(`DPoP ${token}`)).toBe(401)
    expect(await ask(`Bearer ${idp.apiToken}`)).toBe(401)
    expect(await ask(`Bearer ${token}`)).toBe(200)
  })
})

describe('what is granted', () => {
  test('is listed, told of, granted once and taken away', async () => {
    const api = apiOf(idp)
    const path = `/apps/${robot.id}/grants`
    const { status, body } = await api('POST', path, { scopeId: 'okta.logs.read', issuer: idp.engineUrl })
    expect([status, body]).toMatchObject([
      201,
      { scopeId: 'okta.logs.read', issuer: idp.engineUrl, status: 'ACTIVE', clientId: robot.id },
    ])
    expect((await api('POST', path, { scopeId: 'okta.logs.read' })).body.id).toBe(body.id)
    expect((await api('GET', path)).list.map(({ scopeId }) => scopeId).toSorted()).toEqual([
      'okta.groups.manage',
      'okta.logs.read',
      'okta.users.read',
    ])
    expect((await api('GET', `${path}/${body.id}`)).body).toEqual(body)
    expect((await api('DELETE', `${path}/${body.id}`)).status).toBe(204)
    expect((await api('GET', `${path}/${body.id}`)).body.errorCode).toBe('E0000007')
    expect((await api('GET', path)).list).toHaveLength(2)
  })

  test.each([
    [{}, 'scopeId'],
    [{ scopeId: 'okta.everything.manage' }, 'scopeId'],
    [{ scopeId: 'openid' }, 'scopeId'],
    [{ scopeId: 7 }, 'scopeId'],
    [{ scopeId: 'okta.users.read', issuer: 'https://other.example' }, 'issuer'],
  ])('%j is refused', async (body, field) => {
    const answer = await apiOf(idp)('POST', `/apps/${robot.id}/grants`, body)
    expect([answer.status, answer.body]).toMatchObject([
      400,
      { errorCode: 'E0000001', errorSummary: `Api validation failed: ${field}` },
    ])
  })

  test('is nothing for an app that people use, and a grant is found at its own app alone', async () => {
    const api = apiOf(idp)
    expect((await api('POST', `/apps/${idp.clientId}/grants`, { scopeId: 'okta.users.read' })).status).toBe(
      400,
    )
    const [grant] = (await api('GET', `/apps/${robot.id}/grants`)).list
    for (const method of ['GET', 'DELETE']) {
      expect((await api(method, `/apps/${idp.clientId}/grants/${grant?.id}`)).status).toBe(404)
    }
  })

  test('is never more than who grants it has', async () => {
    const manager = await serviceApp(idp, ['okta.appGrants.manage', 'okta.apps.manage', 'okta.users.read'])
    const api = apiOf(idp, await manager.token('okta.appGrants.manage okta.apps.manage okta.users.read'))
    const grant = async (scopeId: string) =>
      (await api('POST', `/apps/${manager.id}/grants`, { scopeId, issuer: idp.engineUrl })).status
    expect(await grant('okta.users.manage')).toBe(403)
    expect(await grant('okta.users.read')).toBe(201)

    // Nor may it put its own key in the place of a mightier app's.
    const mighty = await serviceApp(idp, ['okta.policies.manage'])
    const { publicJwk } = await keyPair('ES256')
    expect((await api('PUT', `/apps/${mighty.id}`, serviceBody([publicJwk]))).status).toBe(403)
    expect((await mighty.ask('okta.policies.manage')).status).toBe(200)
  })
})

describe('a service app', () => {
  test('is told with its keys and without a secret', async () => {
    const { publicJwk } = await keyPair()
    const { alg, use, kid, ...key } = publicJwk
    const { body } = await apiOf(idp)('GET', `/apps/${robot.id}`)
    expect(body).toMatchObject({
      credentials: { oauthClient: { token_endpoint_auth_method: 'private_key_jwt', client_id: robot.id } },
      settings: {
        oauthClient: {
          application_type: 'service',
          grant_types: ['client_credentials'],
          jwks: { keys: [{ ...key, alg, use, kid }] },
        },
      },
    })
    expect(JSON.stringify(body)).not.toContain('client_secret"')
  })

  test('goes over to another key', async () => {
    const next = await keyPair('ES384')
    const api = apiOf(idp)
    const { status } = await api('PUT', `/apps/${robot.id}`, serviceBody([next.publicJwk]))
    expect(status).toBe(200)
    expect(await robot.ask('okta.users.read')).toMatchObject(refused)
    const key = (await importJWK(next.privateJwk, 'ES384')) as CryptoKey
    const assertion = await robot.assertion({}, { alg: 'ES384', kid: 'key-ES384' }, key)
    expect((await robot.ask('okta.users.read', assertion)).status).toBe(200)
  })

  const withClient = (changes: object) => {
    const body = serviceBody([{ kty: 'RSA' }])
    return { ...body, settings: { oauthClient: { ...body.settings.oauthClient, ...changes } } }
  }
  test.each<[string, object, string]>([
    ['without keys', withClient({ jwks: undefined }), 'jwks'],
    ['with an empty list of keys', withClient({ jwks: { keys: [] } }), 'jwks'],
    ['with keys that are none', withClient({ jwks: { keys: ['x', 7, null] } }), 'jwks'],
    ['with a short key', withClient({ jwks: { keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB' }] } }), 'jwks'],
    ['with a shared secret', withClient({ jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }), 'jwks'],
    ['with keys elsewhere', withClient({ jwks_uri: 'https://app.example/keys' }), 'jwks_uri'],
    ['with addresses', withClient({ redirect_uris: ['https://app.example/cb'] }), 'redirect_uris'],
    ['that signs people in', withClient({ grant_types: ['interaction_code'] }), 'grant_types'],
  ])('%s is refused', async (_, body, field) => {
    const answer = await apiOf(idp)('POST', '/apps', body)
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.body.errorCauses)).toContain(`"${field}: `)
  })

  test('whose private key is sent is refused, and the key is kept nowhere', async () => {
    const { privateJwk } = await keyPair()
    const answer = await apiOf(idp)('POST', '/apps', serviceBody([privateJwk]))
    expect(answer.status).toBe(400)
    const rows = await idp.engine.storage.db.selectFrom('clients').select('settings').execute()
    expect(JSON.stringify(rows)).not.toContain(privateJwk.d)
  })

  test('with a point that is on no curve gets no token, and no failure', async () => {
    const { publicJwk, privateJwk } = await keyPair('ES256')
    const bad = { ...publicJwk, y: publicJwk.x }
    const { body, status } = await apiOf(idp)('POST', '/apps', serviceBody([bad]))
    if (status !== 200) return expect(status).toBe(400)
    const key = (await importJWK(privateJwk, 'ES256')) as CryptoKey
    const assertion = await robot.assertion(
      { iss: body.id, sub: body.id },
      { alg: 'ES256', kid: 'key-ES256' },
      key,
    )
    expect(await robot.ask('okta.users.read', assertion)).toMatchObject(refused)
  })
})
