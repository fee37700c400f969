import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listEvents } from '../../src/audit/index.ts'
import { randomToken, s256, systemRandom } from '../../src/base/index.ts'
import { grantScope, revokeScopeGrant, updateClient } from '../../src/clients/index.ts'
import { updatePerson } from '../../src/directory/index.ts'
import { findInteractionByHandle } from '../../src/interactions/index.ts'
import { revokeSession } from '../../src/sessions/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests } from '../support/nodes.ts'
import {
  ada,
  basic,
  claimsOf,
  get,
  post,
  type RegisteredClient,
  redirectUri,
  refreshing,
  register,
  signedOutUri,
  signIn,
  spa,
  startShop,
  web,
} from './oauth-app.ts'

let idp: Kit
let oauth: string
/** Ada's id. */
let userId: string

beforeAll(async () => {
  idp = await startShop()
  oauth = idp.issuer
})
beforeEach(async () => {
  await idp.reset()
  userId = (await apiOf(idp)('GET', '/users/ada')).body.id
})
afterAll(() => idp.close())

/** The form of a good call of `interact`, with changes. */
function beginning(client: RegisteredClient, changes: Readonly<Record<string, string | undefined>> = {}) {
  const form = {
    client_id: client.id,
    scope: 'openid profile email offline_access',
    redirect_uri: redirectUri,
    code_challenge: s256(randomToken(systemRandom)),
    code_challenge_method: 'S256',
    state: 'a state',
    nonce: 'a nonce',
    ...changes,
  }
  const given = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(given)
}

const interact = (form: Record<string, string> | string, headers?: Record<string, string>) =>
  post(`${oauth}/v1/interact`, form, headers)
const token = (form: Record<string, string> | string, headers?: Record<string, string>) =>
  post(`${oauth}/v1/token`, form, headers)
const introspect = async (value: unknown, client: RegisteredClient = web, hint?: string) =>
  post(
    `${oauth}/v1/introspect`,
    { token: String(value), ...(hint !== undefined && { token_type_hint: hint }) },
    { authorization: basic(client) },
  )
const userinfo = (value: unknown) => get(`${oauth}/v1/userinfo`, { authorization: `Bearer ${value}` })
const revoke = (value: unknown, client: RegisteredClient = web) =>
  post(`${oauth}/v1/revoke`, { token: String(value) }, { authorization: basic(client) })

/** A good sign-in, all the way to tokens. */
async function tokensOf(options: Parameters<typeof signIn>[1] = {}) {
  const signedIn = await signIn(idp, options)
  const { status, body } = await token(signedIn.exchange)
  expect(status).toBe(200)
  return { ...signedIn, tokens: body, sessionId: String(claimsOf(body.access_token).sid) }
}

const invalidCode = {
  error: 'invalid_grant',
  error_description: 'The interaction code is invalid or has expired.',
}
const invalidRefresh = {
  error: 'invalid_grant',
  error_description: 'The refresh token is invalid or expired.',
}

describe('what is the same for every caller', () => {
  test.each([
    ['/.well-known/openid-configuration', 'public, max-age=300'],
    ['/v1/keys', 'public, max-age=30'],
  ])('%s may be cached: %s', async (path, cacheControl) => {
    const { headers } = await get(`${oauth}${path}`)
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual([cacheControl, null])
  })
})

test('the organization says what it is, as Okta does, to pages of apps as well', async () => {
  const origin = new URL(redirectUri).origin
  const base = idp.orgIssuer
  const { status, headers, body } = await get(`${idp.engineUrl}/.well-known/okta-organization`, { origin })

  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
  expect(body).toEqual({
    id: expect.stringMatching(/^00o[A-Za-z0-9]{17}$/),
    _links: { organization: { href: base } },
    pipeline: 'idx',
    settings: { analyticsCollectionEnabled: false, bugReportingEnabled: false, omEnabled: false },
  })
  expect([headers.get('access-control-allow-origin'), headers.get('cache-control')]).toEqual([
    origin,
    'public, max-age=300',
  ])
  const again = await get(`${idp.engineUrl}/.well-known/okta-organization`, {
    'x-forwarded-host': 'evil.example',
  })
  expect(again.body).toEqual(body)
  const unknown = await get(`${idp.engineUrl}/oauth2/default/.well-known/okta-organization`)
  expect(unknown.status).toBe(404)
})

describe('discovery', () => {
  test.each([
    { path: '/oauth2/default', issuer: '/oauth2/default', at: '/oauth2/default', more: [] },
    { path: '', issuer: '', at: '/oauth2', more: ['client_credentials'] },
  ])(
    'of the issuer at "$path" names endpoints that exist, and only those',
    async ({ path, issuer, at, more }) => {
      const base = idp.issuer.replace('/oauth2/default', '')

      const { body } = await get(`${idp.engineUrl}${path}/.well-known/openid-configuration`)
      const oauthServer = await get(`${idp.engineUrl}${path}/.well-known/oauth-authorization-server`)

      expect(body).toMatchObject({
        issuer: base + issuer,
        token_endpoint: `${base}${at}/v1/token`,
        jwks_uri: `${base}${at}/v1/keys`,
        code_challenge_methods_supported: ['S256'],
        grant_types_supported: ['authorization_code', 'interaction_code', 'refresh_token', ...more],
        authorization_endpoint: `${base}${at}/v1/authorize`,
        id_token_signing_alg_values_supported: ['RS256'],
      })
      expect(oauthServer.body).toEqual(body)
      for (const [name, url] of Object.entries(body)) {
        if (!name.endsWith('_endpoint') && name !== 'jwks_uri') continue
        const { status } = await get(String(url).replace(base, idp.engineUrl))
        expect(status, name).not.toBe(404)
      }
    },
  )

  test.each(['default', 'org'] as const)(
    'of the server %s names every claim that is issued, and no other',
    async (server) => {
      const at = (path: string) => `${idp.engineUrl}/oauth2${server === 'org' ? '' : '/default'}/v1/${path}`
      const path = server === 'org' ? '' : '/oauth2/default'
      const { body: discovered } = await get(`${idp.engineUrl}${path}/.well-known/openid-configuration`)
      const profile = {
        ...{
          displayName: 'Ada L.',
          nickName: 'Ada',
          middleName: 'B.',
          profileUrl: 'https://example.com',
          locale: 'en',
        },
        ...{ timezone: 'UTC', mobilePhone: '+43 1 123', city: 'Wien' },
      }
      expect((await apiOf(idp)('POST', `/users/${userId}`, { profile })).status).toBe(200)
      const parameters = {
        scope: String((discovered.scopes_supported as readonly string[]).join(' ')),
        acr_values: 'urn:okta:loa:1fa:any',
      }
      const { exchange } = await signIn(idp, { server, parameters })
      const { body } = await post(at('token'), exchange)
      const info = await get(at('userinfo'), { authorization: `Bearer ${body.access_token}` })

      const issued = new Set([...Object.keys(claimsOf(body.id_token)), ...Object.keys(info.body)])
      expect([...issued].sort()).toEqual([...(discovered.claims_supported as readonly string[])].sort())
    },
  )

  test('A20: it says the configured address, whatever the request says of its host', async () => {
    for (const headers of [
      { 'x-forwarded-host': 'evil.example' },
      { forwarded: 'host=evil.example' },
      { 'x-forwarded-proto': 'https', 'x-forwarded-port': '1' },
    ]) {
      const { text } = await get(`${oauth}/.well-known/openid-configuration`, headers)
      expect(text).not.toContain('evil.example')
      expect(text).toContain(`"issuer":"${idp.issuer}"`)
    }
  })

  test('the keys are public RSA keys with a kid', async () => {
    const { body } = await get(`${oauth}/v1/keys`)

    expect(body.keys).toEqual([
      {
        kty: 'RSA',
        alg: 'RS256',
        use: 'sig',
        kid: expect.any(String),
        n: expect.any(String),
        e: 'AQAB',
      },
    ])
    expect((await get(`${idp.engineUrl}/oauth2/v1/keys`)).body).toEqual(body)
  })
})

describe('interact', () => {
  test('a good request begins an interaction, which remembers what was asked', async () => {
    const form = beginning(web, {
      max_age: '300',
      acr_values: 'urn:okta:loa:1fa:any',
      login_hint: 'ada',
    })

    const { status, body } = await interact(form)

    expect(status).toBe(200)
    expect(Object.keys(body)).toEqual(['interaction_handle'])
    const begun = await findInteractionByHandle(
      idp.engine.storage.db,
      String(body.interaction_handle),
      idp.clock.now(),
    )
    expect(begun).toMatchObject({
      clientId: web.id,
      issuer: 'default',
      redirectUri,
      codeChallenge: form.code_challenge,
      request: {
        scope: 'openid profile email offline_access',
        state: 'a state',
        nonce: 'a nonce',
        acrValues: 'urn:okta:loa:1fa:any',
      },
    })
    expect(Object.keys(begun?.request ?? {})).toEqual([
      'scope',
      'state',
      'nonce',
      'acrValues',
      'maxAge',
      'loginHint',
    ])
  })

  test.each<[string, Record<string, string | undefined>, number, string, RegExp | string]>([
    ['no client', { client_id: undefined }, 400, 'invalid_request', /client_id/],
    [
      'an unknown client',
      { client_id: '0oaNobody' },
      400,
      'invalid_client',
      "Invalid value for 'client_id' parameter.",
    ],
    ['a client id that no database takes', { client_id: 'a b' }, 400, 'invalid_client', /client_id/],
    ['a wrong secret', { client_secret: 'not the secret at all' }, 401, 'invalid_client', /secret/],
    ['no scope', { scope: undefined }, 400, 'invalid_scope', /scope/],
    ['an unknown scope', { scope: 'openid admin' }, 400, 'invalid_scope', /not configured/],
    ['no redirect URI', { redirect_uri: undefined }, 400, 'invalid_request', /redirect_uri/],
    ['a longer redirect URI', { redirect_uri: `${redirectUri}/` }, 400, 'invalid_request', /redirect_uri/],
    ['no PKCE', { code_challenge: undefined }, 400, 'invalid_request', /code_challenge/],
    ['no PKCE method', { code_challenge_method: undefined }, 400, 'invalid_request', /code_challenge_method/],
    ['the PKCE method plain', { code_challenge_method: 'plain' }, 400, 'invalid_request', /S256/],
    ['a short challenge', { code_challenge: 'short' }, 400, 'invalid_request', /code_challenge/],
    ['an odd challenge', { code_challenge: `${'a'.repeat(42)}+` }, 400, 'invalid_request', /code_challenge/],
    ['no state', { state: undefined }, 400, 'invalid_request', /state/],
    ['an odd max_age', { max_age: '-1' }, 400, 'invalid_request', /max_age/],
    ['a long nonce', { nonce: 'n'.repeat(5000) }, 400, 'invalid_request', /too long/],
    ['a recovery token', { recovery_token: 'x' }, 400, 'invalid_request', 'The recovery token is invalid'],
    [
      'an activation token',
      { activation_token: 'x' },
      400,
      'invalid_request',
      'The activation token is invalid',
    ],
  ])('%s is refused', async (_what, changes, status, error, description) => {
    const answer = await interact(beginning(web, changes))

    expect(answer).toMatchObject({ status, body: { error } })
    expect(answer.headers.get('content-type')).toContain('application/json')
    if (typeof description === 'string') expect(answer.body.error_description).toBe(description)
    else expect(answer.body.error_description).toMatch(description)
  })

  describe('login_hint', () => {
    /** The identifier field of the first page, and that of the page for a forgotten password. */
    const fieldsAfter = async (hint: string) => {
      const visitor = idp.visitor({ parameters: { login_hint: hint } })
      const fieldOf = (name: string) =>
        visitor.response.body.remediation?.value
          .find((form: { name: string }) => form.name === name)
          ?.value?.find((field: { name: string }) => field.name === 'identifier')
      await visitor.begins()
      const first = fieldOf('identify')
      await visitor.submits('recover')
      return [first, fieldOf('identify-recovery')]
    }
    const empty = { name: 'identifier', label: 'Username', required: true }

    test.each([
      'ada',
      'ada@example.com',
      'nobody.at.all@example.com',
      'Ünal.İpek@example.com',
      '"><script>alert(1)</script>',
      `${'a'.repeat(242)}@example.com`,
    ])('%s is in the identifier field, and may be changed', async (hint) => {
      const field = { ...empty, value: hint }
      expect(await fieldsAfter(hint)).toEqual([field, field])
    })

    test('says nothing of who exists: but for the name the pages are the same, byte by byte', async () => {
      const pageFor = async (hint: string) => {
        const visitor = idp.visitor({ parameters: { login_hint: hint } })
        const { text, headers, status } = await visitor.begins()
        const names = [...headers.keys()]
        return [
          status,
          names,
          text
            .replaceAll(visitor.stateHandle, '')
            .replaceAll(hint, '')
            .replace(/"expiresAt":"[^"]+"/, ''),
        ]
      }
      expect(await pageFor('ada@example.com')).toEqual(await pageFor('eve@example.com'))
    })

    test.each([
      ['blanks only', '   '],
      ['more letters than an address has', `${'a'.repeat(250)}@example.com`],
      ['more bytes than an address has', 'ß'.repeat(128)],
      ['a zero-width space', 'ada@example.com\u200b'],
      ['a soft hyphen', 'a\u00adda@example.com'],
      ['a sign that turns the text around', '\u202eada@example.com'],
      ['a list of addresses', 'ada@example.com,eve@example.com'],
    ])('of %s is dropped, and the sign-in goes on', async (_what, hint) => {
      expect(await fieldsAfter(hint)).toEqual([empty, empty])
    })

    test.each(['ada%00', 'ada%0d%0aSet-Cookie:x', 'ada%7f', 'ada%c2%85', 'ada%ff'])(
      'with a control character is refused as every parameter is: %s',
      async (hint) => {
        const form = new URLSearchParams(beginning(web)).toString()
        const { status, body } = await interact(`${form}&login_hint=${hint}`)
        expect([status, body.error]).toEqual([400, 'invalid_request'])
      },
    )
  })

  test('a parameter given twice is refused, even if both say the same', async () => {
    const form = beginning(web)
    const body = new URLSearchParams([...Object.entries(form), ['redirect_uri', redirectUri]])

    expect(await interact(String(body))).toMatchObject({
      status: 400,
      body: {
        error: 'invalid_request',
        error_description: expect.stringMatching(/'redirect_uri'.*more than once/),
      },
    })
  })

  test.each([
    ['JSON', '{"client_id":"x"}', 'application/json', 415],
    ['text', 'client_id=x', 'text/plain', 415],
    ['a megabyte', `client_id=${'x'.repeat(1_000_000)}`, 'application/x-www-form-urlencoded', 413],
    ['a NUL', 'client_id=%00', 'application/x-www-form-urlencoded', 400],
    ['bytes that are no UTF-8', 'client_id=%ff%fe', 'application/x-www-form-urlencoded', 400],
    ['nothing', '', 'application/x-www-form-urlencoded', 400],
    ['a prototype', '__proto__=x&constructor=y', 'application/x-www-form-urlencoded', 400],
  ])('a body of %s is a clear error', async (_what, body, type, status) => {
    for (const path of ['interact', 'token', 'introspect', 'revoke']) {
      const answer = await post(`${oauth}/v1/${path}`, body, { 'content-type': type })
      expect(answer.status, path).toBe(status)
      expect(answer.body, path).toMatchObject({
        error: 'invalid_request',
        error_description: expect.any(String),
      })
    }
  })

  test('the wrong method is an API error with the right ones named', async () => {
    const { status, body, headers } = await get(`${oauth}/v1/interact`)

    expect(status).toBe(405)
    expect(body).toMatchObject({ errorCode: 'E0000022', errorId: expect.stringMatching(/^oae/) })
    expect(headers.get('allow')).toBe('POST')
  })

  test('a client without the grant is told so', async () => {
    const client = await register(idp, { grantTypes: ['refresh_token'] })

    expect(await interact(beginning(client))).toMatchObject({
      status: 400,
      body: { error: 'unauthorized_client' },
    })
  })

  describe.each(['default', 'org'] as const)('with scopes of the own account, at the server %s', (server) => {
    const own = ['okta.myAccount.profile.read', 'okta.myAccount.email.manage']
    const grant = (scope: string, clientId: string) =>
      grantScope(
        idp.engine.storage.db,
        { clientId, scope, createdBy: 'a test' },
        { random: systemRandom, now: idp.clock.now() },
      )
    const at = (path: string) => `${idp.engineUrl}/oauth2${server === 'org' ? '' : '/default'}/v1/${path}`

    test.each([
      ['a web app', web],
      ['a browser app', spa],
    ])('that were granted to %s: they are issued, until the grant is taken away', async (_what, client) => {
      const [profile, email] = await Promise.all(own.map((scope) => grant(scope, client.id)))
      const scope = ['openid', 'offline_access', ...own].join(' ')
      const { exchange } = await signIn(idp, { client, server, parameters: { scope } })
      const { body } = await post(at('token'), exchange)
      expect([body.scope, claimsOf(body.access_token).scp]).toEqual([scope, scope.split(' ')])
      const headers = { authorization: `Bearer ${body.access_token}` }
      expect((await get(at('userinfo'), headers)).status).toBe(200)
      // A user's token is none of the management API, whatever it is called.
      expect((await get(`${idp.engineUrl}/api/v1/users`, headers)).status).toBe(401)

      await revokeScopeGrant(idp.engine.storage.db, email?.id ?? '')
      const refreshed = await post(at('token'), refreshing(client, body.refresh_token))
      expect(refreshed.body.scope).toBe(`openid offline_access ${own[0]}`)
      await revokeScopeGrant(idp.engine.storage.db, profile?.id ?? '')
      const later = await post(at('token'), refreshing(client, refreshed.body.refresh_token))
      expect(claimsOf(later.body.access_token).scp).toEqual(['openid', 'offline_access'])
    })

    test.each([
      'okta.myAccount.profile.read',
      'okta.myAccount.profile.read okta.myAccount.email.manage',
      'okta.users.read',
      'okta.myAccount.',
      'okta.myAccount.everything.read',
      'OKTA.MYACCOUNT.EMAIL.MANAGE',
    ])('%s that was not granted is refused', async (scope) => {
      await grant('okta.myAccount.email.manage', web.id)
      await grant('okta.myAccount.profile.read', spa.id)
      await grant('okta.users.read', web.id)
      const form = beginning(web, { scope: `openid ${scope}` })
      const { status, body } = await post(at('interact'), form)
      expect([status, body]).toEqual([
        400,
        {
          error: 'invalid_scope',
          error_description: 'One or more scopes are not configured for the authorization server resource.',
        },
      ])
    })
  })

  test('a client that cannot refresh may not ask for offline_access', async () => {
    const client = await register(idp, { grantTypes: ['interaction_code'] })

    expect(await interact(beginning(client))).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    })
  })

  test('a client that was switched off is unknown', async () => {
    const client = await register(idp, {})
    await updateClient(idp.engine.storage.db, client.id, { status: 'INACTIVE' }, idp.clock.now())

    expect(await interact(beginning(client))).toMatchObject({ body: { error: 'invalid_client' } })
  })

  test('a public client with any localhost redirect may use one, and nothing that only looks like it', async () => {
    const dev = await register(idp, {
      applicationType: 'browser',
      redirectUris: [],
      insecureLocalhostRedirects: true,
    })
    const statusFor = async (uri: string) => (await interact(beginning(dev, { redirect_uri: uri }))).status

    expect(await statusFor('http://localhost:3000/login/callback')).toBe(200)
    for (const uri of [
      'http://localhost/login/callback',
      'http://localhost:3000/login/callback?app=1',
      'http://localhost.evil.example:80/',
      'http://localhost:3000@evil.example/',
      'http://127.0.0.1:1/',
    ]) {
      expect(await statusFor(uri), uri).toBe(400)
    }
  })

  describe('knows from where the user comes', () => {
    const told = {
      'user-agent': 'A browser',
      'x-forwarded-for': '203.0.113.7, 10.0.0.1',
      'x-device-token': 'a device',
    }
    async function originAfter(form: Record<string, string>, headers: Record<string, string>, at = idp) {
      const { body } = await post(`${at.issuer}/v1/interact`, form, headers)
      const handle = String(body.interaction_handle)
      return (await findInteractionByHandle(at.engine.storage.db, handle, at.clock.now()))?.origin
    }

    test('from an app that has proven itself with its secret', async () => {
      const vouched = { vouched: true, ip: '203.0.113.7', userAgent: 'A browser', deviceToken: 'a device' }
      const inBody = beginning(web, { client_secret: web.secret })
      const inHeader = { ...told, authorization: basic(web) }

      expect(await originAfter(inBody, told)).toEqual(vouched)
      expect(await originAfter(beginning(web), inHeader)).toEqual(vouched)
      const withPort = { ...told, 'x-forwarded-for': '203.0.113.7:51234' }
      expect(await originAfter(inBody, withPort)).toEqual(vouched)
      expect(await originAfter(inBody, { ...told, 'x-forwarded-for': 'not an address' })).toMatchObject({
        ip: '127.0.0.1',
      })
    })

    test('from the connection, where the app has not', async () => {
      const seen = { vouched: false, ip: '127.0.0.1', userAgent: 'A browser' }

      expect(await originAfter(beginning(web), told)).toEqual(seen)
      expect(await originAfter(beginning(spa), told)).toEqual(seen)
    })

    test('from a proxy that is trusted', async () => {
      await using behind = await startShop({
        settings: { http: { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] } },
      })
      const origin = await originAfter(beginning(spa), told, behind)

      expect(origin).toEqual({ vouched: false, ip: '203.0.113.7', userAgent: 'A browser' })
    })
  })
})

describe('the interaction code', () => {
  test('becomes tokens of the shape apps know', async () => {
    const { tokens, client, sessionId } = await tokensOf()

    expect(tokens).toEqual({
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'openid profile email offline_access',
      access_token: expect.any(String),
      id_token: expect.any(String),
      refresh_token: expect.any(String),
    })
    const access = claimsOf(tokens.access_token)
    expect(access).toEqual({
      ver: 1,
      jti: expect.stringMatching(/^AT\.[\w-]{43}\.oar\w{17}$/),
      iss: idp.issuer,
      aud: 'api://default',
      sub: 'ada',
      iat: expect.any(Number),
      exp: Number(access.iat) + 3600,
      cid: client.id,
      uid: userId,
      scp: ['openid', 'profile', 'email', 'offline_access'],
      auth_time: expect.any(Number),
      sid: sessionId,
    })
    const hash = Buffer.from(s256(String(tokens.access_token)), 'base64url')
    expect(claimsOf(tokens.id_token)).toEqual({
      sub: userId,
      ver: 1,
      iss: idp.issuer,
      aud: client.id,
      iat: access.iat,
      exp: access.exp,
      jti: expect.stringMatching(/^ID\./),
      amr: ['pwd'],
      auth_time: access.auth_time,
      at_hash: hash.subarray(0, 16).toString('base64url'),
      nonce: 'a nonce',
      sid: sessionId,
      name: 'Ada Lovelace',
      given_name: 'Ada',
      family_name: 'Lovelace',
      preferred_username: 'ada',
      updated_at: expect.any(Number),
      email: 'ada@example.com',
      email_verified: false,
    })
  })

  test('of the org issuer gives tokens of that issuer, which are worth nothing at the other', async () => {
    const org = `${idp.engineUrl}/oauth2`
    const { exchange } = await signIn(idp, { server: 'org' })

    expect((await token(exchange)).body).toEqual(invalidCode)
    const { body } = await post(`${org}/v1/token`, exchange)

    const base = idp.issuer.replace('/oauth2/default', '')
    expect(claimsOf(body.access_token)).toMatchObject({ iss: base, aud: base })
    expect(claimsOf(body.id_token)).toMatchObject({ iss: base })
    expect((await userinfo(body.access_token)).status).toBe(401)
    expect((await token(refreshing(web, body.refresh_token))).body).toEqual(invalidRefresh)
    expect(
      (await get(`${org}/v1/userinfo`, { authorization: `Bearer ${body.access_token}` })).body,
    ).toMatchObject({ sub: userId })
  })

  test('gives what the scopes ask for and no more', async () => {
    const { tokens } = await tokensOf({ parameters: { scope: 'openid groups', nonce: '' } })

    expect(tokens).not.toHaveProperty('refresh_token')
    const claims = claimsOf(tokens.id_token)
    expect(claims).toMatchObject({ groups: ['Everyone'] })
    for (const name of ['email', 'name', 'preferred_username', 'nonce', 'acr']) {
      expect(claims).not.toHaveProperty(name)
    }
    expect(claimsOf(tokens.access_token).jti).toMatch(/^AT\.[\w-]{43}$/)
    const { tokens: bare } = await tokensOf({ parameters: { scope: 'profile' } })
    expect(bare).not.toHaveProperty('id_token')
  })

  test('carries the level of assurance that was asked for and reached', async () => {
    const acrOf = async (acrValues: string) =>
      claimsOf((await tokensOf({ parameters: { acr_values: acrValues } })).tokens.id_token).acr
    expect(await acrOf('urn:okta:loa:2fa:any urn:okta:loa:1fa:any')).toBe('urn:okta:loa:1fa:any')
    // Two factors alone are asked for, although the policy would be content with one.
    const raised = idp.visitor({ parameters: { acr_values: 'urn:okta:loa:2fa:any' } })
    await raised.signsIn('ada', ada.password)
    expect(raised.remediations).toEqual(['select-authenticator-authenticate'])

    await using strict = await startShop({ settings: { limits: manyRequests, signOn: { factors: '2FA' } } })
    const visitor = strict.visitor({ parameters: { acr_values: 'urn:okta:loa:2fa:any' } })
    await visitor.signsIn('ada', ada.password)
    await visitor.selects('okta_email')
    await visitor.answers((await visitor.mail(ada.email)).code)
    const { body } = await visitor.redeems()
    expect(claimsOf(body.id_token)).toMatchObject({
      acr: 'urn:okta:loa:2fa:any',
      amr: expect.arrayContaining(['pwd', 'otp', 'mfa']),
    })
  })

  test('is taken from a client that authenticates by Basic, and from one that keeps no secret', async () => {
    const { exchange } = await signIn(idp)
    const { client_secret: _, client_id: __, ...rest } = exchange
    expect((await token(rest as Record<string, string>, { authorization: basic(web) })).status).toBe(200)

    await tokensOf({ client: spa })
  })

  test('A31: is refused with a wrong verifier, and not spent by it', async () => {
    const { exchange } = await signIn(idp)

    for (const verifier of ['x'.repeat(43), s256(exchange.code_verifier)]) {
      expect(await token({ ...exchange, code_verifier: verifier })).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant', error_description: 'PKCE verification failed.' },
      })
    }
    expect((await token(exchange)).status).toBe(200)
  })

  test.each<
    [string, (exchange: Record<string, string>) => Record<string, string | undefined>, number, string]
  >([
    ['no verifier', () => ({ code_verifier: undefined }), 400, 'invalid_request'],
    ['an empty verifier', () => ({ code_verifier: '' }), 400, 'invalid_request'],
    ['no code', () => ({ interaction_code: undefined }), 400, 'invalid_request'],
    ['a made-up code', () => ({ interaction_code: 'made-up' }), 400, 'invalid_grant'],
    ['another redirect URI', () => ({ redirect_uri: 'https://app.example/other' }), 400, 'invalid_grant'],
    ['another client', () => ({ client_id: spa.id, client_secret: undefined }), 400, 'invalid_grant'],
    ['a wrong secret', () => ({ client_secret: 'not the secret at all' }), 401, 'invalid_client'],
    ['no secret', () => ({ client_secret: undefined }), 401, 'invalid_client'],
    ['an unknown client', () => ({ client_id: 'nobody' }), 401, 'invalid_client'],
    ['no grant type', () => ({ grant_type: undefined }), 400, 'invalid_request'],
    ['an unknown grant type', () => ({ grant_type: 'password' }), 400, 'unsupported_grant_type'],
  ])('A31: with %s it is refused, and good afterwards', async (_what, change, status, error) => {
    const { exchange } = await signIn(idp)
    const changed = { ...exchange, ...change(exchange) }
    const form = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined))

    const refused = await token(form as Record<string, string>)

    expect(refused).toMatchObject({ status, body: { error, error_description: expect.any(String) } })
    expect((await token(exchange)).status).toBe(200)
  })

  test('a parameter given twice is refused at the token endpoint, too', async () => {
    const { exchange } = await signIn(idp)
    const body = new URLSearchParams([...Object.entries(exchange), ['interaction_code', 'other']])

    expect((await token(String(body))).body).toMatchObject({ error: 'invalid_request' })
    expect((await token(exchange)).status).toBe(200)
  })

  test('is dead a millisecond after its end, by the clock of the engine', async () => {
    const { exchange } = await signIn(idp)
    idp.clock.advance(60_000)

    expect(await token(exchange)).toMatchObject({ status: 400, body: invalidCode })
  })

  test('A31: a second use is refused and ends what came of the first', async () => {
    const { exchange, tokens } = await tokensOf()
    expect((await userinfo(tokens.access_token)).status).toBe(200)

    expect(await token(exchange)).toMatchObject({ status: 400, body: invalidCode })

    expect((await userinfo(tokens.access_token)).status).toBe(401)
    expect((await introspect(tokens.access_token)).body).toEqual({ active: false })
    expect((await token(refreshing(web, tokens.refresh_token))).body).toEqual(invalidRefresh)
  })

  test('is worth nothing once its session was revoked or its user suspended', async () => {
    const revoked = await signIn(idp)
    expect((await apiOf(idp)('DELETE', `/users/${userId}/sessions`)).status).toBe(204)
    expect((await token(revoked.exchange)).body).toEqual(invalidCode)

    const suspended = await signIn(idp)
    await updatePerson(idp.engine.storage.db, userId, { status: 'SUSPENDED' }, idp.clock.now())
    expect((await token(suspended.exchange)).body).toEqual(invalidCode)
    await updatePerson(idp.engine.storage.db, userId, { status: 'ACTIVE' }, idp.clock.now())
  })

  test('A32: a handle completes once', async () => {
    const { exchange, visitor } = await signIn(idp)

    const { stateHandle } = visitor
    const again = [
      await visitor.submits('identify', {
        identifier: ada.login,
        credentials: { passcode: ada.password },
      }),
      await visitor.introspects(),
      await visitor.submits('introspect', { stateHandle }),
    ]
    expect(again.map(({ interactionCode }) => interactionCode)).toEqual([undefined, undefined, undefined])

    expect((await token(exchange)).status).toBe(200)
  })
})

describe('the refresh token', () => {
  test('is replaced by every use, and the new tokens belong to the same session', async () => {
    const { tokens, sessionId } = await tokensOf()

    const { status, body } = await token(refreshing(web, tokens.refresh_token))

    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: tokens.scope })
    expect(body.refresh_token).not.toBe(tokens.refresh_token)
    expect(claimsOf(body.access_token)).toMatchObject({ sid: sessionId, sub: 'ada' })
    expect(claimsOf(body.id_token)).toMatchObject({ sub: userId, nonce: 'a nonce' })
    expect(claimsOf(body.access_token).auth_time).toBe(claimsOf(tokens.access_token).auth_time)
  })

  test('gives fewer scopes on request, and never more than were granted', async () => {
    const { tokens } = await tokensOf({ parameters: { scope: 'openid email offline_access' } })

    const less = await token(refreshing(web, tokens.refresh_token, { scope: 'openid offline_access' }))
    expect(less.body).toMatchObject({ scope: 'openid offline_access' })
    expect(claimsOf(less.body.id_token)).not.toHaveProperty('email')

    const more = await token(refreshing(web, less.body.refresh_token, { scope: 'openid profile' }))
    expect(more).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
    const same = await token(refreshing(web, less.body.refresh_token))
    expect(same.body).toMatchObject({ scope: 'openid email offline_access' })
  })

  test('used twice ends its whole family, access tokens included, and says so in the log', async () => {
    const { tokens } = await tokensOf()
    const second = (await token(refreshing(web, tokens.refresh_token))).body
    const third = (await token(refreshing(web, second.refresh_token))).body

    expect(await token(refreshing(web, tokens.refresh_token))).toMatchObject({
      status: 400,
      body: invalidRefresh,
    })

    expect((await token(refreshing(web, third.refresh_token))).body).toEqual(invalidRefresh)
    for (const dead of [tokens, second, third]) {
      expect((await introspect(dead.access_token)).body).toEqual({ active: false })
    }
    const [event] = await listEvents(idp.engine.storage.db, { limit: 1 })
    expect(event).toMatchObject({ eventType: 'app.oauth2.token.detect_reuse', severity: 'WARN' })
  })

  describe('sent again within the leeway of its app', () => {
    const refresh = (value: unknown, client: RegisteredClient = web) => token(refreshing(client, value))

    test('is answered with the same successor, and new tokens of the same session', async () => {
      const { tokens, sessionId } = await tokensOf()
      const first = await refresh(tokens.refresh_token)
      idp.clock.advance(29_000)
      const again = await refresh(tokens.refresh_token)

      expect(again.status).toBe(200)
      expect(again.body.refresh_token).toBe(first.body.refresh_token)
      expect(again.body.access_token).not.toBe(first.body.access_token)
      expect(claimsOf(again.body.access_token).sid).toBe(sessionId)
      expect((await refresh(first.body.refresh_token)).status).toBe(200)
    })

    test('is a reuse once the leeway is over', async () => {
      const { tokens } = await tokensOf()
      const { body } = await refresh(tokens.refresh_token)
      idp.clock.advance(30_000)
      expect((await refresh(tokens.refresh_token)).body).toEqual(invalidRefresh)
      expect((await refresh(body.refresh_token)).body).toEqual(invalidRefresh)
    })

    test('is refused for a wider scope within it, and ends nothing; afterwards it is a reuse', async () => {
      const { tokens } = await tokensOf({ parameters: { scope: 'openid offline_access' } })
      const { body } = await refresh(tokens.refresh_token)
      const wider = () => token(refreshing(web, tokens.refresh_token, { scope: 'openid email' }))
      expect((await wider()).body).toMatchObject({ error: 'invalid_scope' })
      expect((await introspect(body.access_token)).body).toMatchObject({ active: true })
      idp.clock.advance(40_000)
      expect((await wider()).body).toEqual(invalidRefresh)
      expect((await refresh(body.refresh_token)).body).toEqual(invalidRefresh)
      const [event] = await listEvents(idp.engine.storage.db, { limit: 1 })
      expect(event).toMatchObject({ eventType: 'app.oauth2.token.detect_reuse' })
    })

    test('is a reuse for another client, and ends the family', async () => {
      const { tokens } = await tokensOf()
      const { body } = await refresh(tokens.refresh_token)
      expect((await refresh(tokens.refresh_token, spa)).body).toEqual(invalidRefresh)
      expect((await refresh(tokens.refresh_token)).body).toEqual(invalidRefresh)
      expect((await refresh(body.refresh_token)).body).toEqual(invalidRefresh)
      expect((await introspect(body.access_token)).body).toEqual({ active: false })
    })

    test('is refused after a revocation, and after the end of the session', async () => {
      const revoked = await tokensOf()
      const { body } = await refresh(revoked.tokens.refresh_token)
      await revoke(body.refresh_token)
      expect((await refresh(revoked.tokens.refresh_token)).body).toEqual(invalidRefresh)

      const ended = await tokensOf()
      await refresh(ended.tokens.refresh_token)
      await revokeSession(idp.engine.storage.db, ended.sessionId, idp.clock.now())
      expect((await refresh(ended.tokens.refresh_token)).body).toEqual(invalidRefresh)
    })

    test('is a reuse at once where the leeway of the app is 0', async () => {
      const strict = await register(idp, {
        grantTypes: ['interaction_code', 'refresh_token'],
        refreshTokenLeeway: 0,
      })
      const { tokens } = await tokensOf({ client: strict })
      const { body } = await refresh(tokens.refresh_token, strict)
      expect((await refresh(tokens.refresh_token, strict)).body).toEqual(invalidRefresh)
      expect((await refresh(body.refresh_token, strict)).body).toEqual(invalidRefresh)
    })

    test('leaves a successor in the database that is sealed, and deleted once it has expired with the leeway', async () => {
      const { db } = idp.engine.storage
      const { tokens } = await tokensOf()
      const { body } = await refresh(tokens.refresh_token)
      const successors = () =>
        db.selectFrom('artifacts').selectAll().where('model', '=', 'Successor').execute()
      expect(JSON.stringify(await successors())).not.toContain(String(body.refresh_token))
      const [row] = await successors()
      expect(Number(row?.expires_at) - Number(row?.created_at)).toBe(30_000)
    })
  })

  test('is of use to its own client only', async () => {
    const { tokens } = await tokensOf()
    const other = await register(idp, {})

    expect((await token(refreshing(other, tokens.refresh_token))).body).toEqual(invalidRefresh)
    expect((await token(refreshing(spa, tokens.refresh_token))).body).toEqual(invalidRefresh)
    expect((await token(refreshing(web, tokens.refresh_token))).status).toBe(200)
  })

  test('lives thirty days after its last use, by the clock of the engine', async () => {
    const { tokens } = await tokensOf()
    const days = 86_400_000

    idp.clock.advance(29 * days)
    const { body } = await token(refreshing(web, tokens.refresh_token))
    idp.clock.advance(29 * days)
    const again = await token(refreshing(web, body.refresh_token))
    expect(again.status).toBe(200)
    idp.clock.advance(30 * days)
    expect((await token(refreshing(web, again.body.refresh_token))).body).toEqual(invalidRefresh)
  })

  test('A33: ends with its session', async () => {
    const { tokens, sessionId } = await tokensOf()

    await revokeSession(idp.engine.storage.db, sessionId, idp.clock.now())

    expect((await token(refreshing(web, tokens.refresh_token))).body).toEqual(invalidRefresh)
    expect((await introspect(tokens.refresh_token)).body).toEqual({ active: false })
    expect((await introspect(tokens.access_token)).body).toEqual({ active: false })
    expect((await userinfo(tokens.access_token)).status).toBe(401)
  })

  test('made up, absent or of another kind is refused', async () => {
    const { tokens } = await tokensOf()

    for (const value of ['made-up', String(tokens.access_token), String(tokens.id_token)]) {
      expect((await token(refreshing(web, value))).body).toEqual(invalidRefresh)
    }
    expect((await token({ ...refreshing(web, ''), refresh_token: '' })).body).toMatchObject({
      error: 'invalid_request',
    })
  })

  test('is not stored in a form that could be used', async () => {
    const { tokens } = await tokensOf()

    const rows = await idp.engine.storage.db.selectFrom('artifacts').selectAll().execute()

    expect(JSON.stringify(rows)).not.toContain(String(tokens.refresh_token))
    expect(rows.some((row) => row.model === 'RefreshToken')).toBe(true)
  })
})

describe('userinfo', () => {
  test('takes the token of a form, and a type without a body', async () => {
    const { tokens } = await tokensOf()
    const url = `${oauth}/v1/userinfo`
    const authorization = `Bearer ${tokens.access_token}`
    expect((await post(url, { access_token: String(tokens.access_token) })).status).toBe(200)
    expect((await post(url, '', { authorization, 'content-type': 'application/json' })).status).toBe(200)
    // The header counts where there is one.
    const wrong = { authorization: 'Bearer another' }
    expect((await post(url, { access_token: String(tokens.access_token) }, wrong)).status).toBe(401)
    expect((await get(`${url}?access_token=${tokens.access_token}`)).status).toBe(401)
  })

  test('tells what the scopes allow, under the subject of the ID token', async () => {
    const { tokens } = await tokensOf({ parameters: { scope: 'openid email' } })

    const { status, body } = await userinfo(tokens.access_token)

    expect(status).toBe(200)
    expect(body).toEqual({ sub: userId, email: 'ada@example.com', email_verified: false })
    expect(body.sub).toBe(claimsOf(tokens.id_token).sub)
  })

  test('says in WWW-Authenticate why it refuses', async () => {
    const { tokens } = await tokensOf({ parameters: { scope: 'profile' } })
    const why = async (value: unknown) => {
      const { status, headers } = await userinfo(value)
      return [status, headers.get('www-authenticate')]
    }

    expect(await why('nonsense')).toEqual([
      401,
      'Bearer error="invalid_token", error_description="The access token is invalid."',
    ])
    expect(await why(tokens.access_token)).toEqual([403, expect.stringContaining('insufficient_scope')])
    expect((await get(`${oauth}/v1/userinfo`)).headers.get('www-authenticate')).toContain('invalid_token')
  })

  test('takes no ID token, no forged token and no token with a changed claim', async () => {
    const { tokens } = await tokensOf()
    const [header, payload, signature] = String(tokens.access_token).split('.')
    const other = Buffer.from(JSON.stringify({ ...claimsOf(tokens.access_token), uid: 'other' }))
    const none = Buffer.from('{"alg":"none"}').toString('base64url')

    for (const forged of [
      tokens.id_token,
      `${header}.${other.toString('base64url')}.${signature}`,
      `${none}.${payload}.`,
      `${header}.${payload}.`,
    ]) {
      expect((await userinfo(forged)).status).toBe(401)
    }
  })
})

describe('what an administrator ends', () => {
  test('a deactivated app: its tokens are worth nothing, until it is activated', async () => {
    const { tokens, client } = await tokensOf({ client: spa })
    const app = `/apps/${client.id}/lifecycle`
    await apiOf(idp)('POST', `${app}/deactivate`)
    expect((await userinfo(tokens.access_token)).status).toBe(401)
    expect((await introspect(tokens.access_token)).body).toEqual({ active: false })
    await apiOf(idp)('POST', `${app}/activate`)
    expect((await userinfo(tokens.access_token)).status).toBe(200)
  })

  test('a policy that denies the app: its refresh tokens are refused, and good again where it allows it', async () => {
    const { tokens } = await tokensOf()
    const api = apiOf(idp)
    const [policy] = (await api('GET', '/policies?type=ACCESS_POLICY')).list
    const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
    if (rule === undefined) throw new Error('the built-in policy has no rule')
    const { appSignOn } = rule.actions as { readonly appSignOn: object }
    const set = (access: string) =>
      api('PUT', `/policies/${policy?.id}/rules/${rule.id}`, {
        ...rule,
        actions: { appSignOn: { ...appSignOn, access } },
      })
    expect((await set('DENY')).status).toBe(200)
    expect((await token(refreshing(web, tokens.refresh_token))).body).toEqual(invalidRefresh)
    await set('ALLOW')
    expect((await token(refreshing(web, tokens.refresh_token))).status).toBe(200)
  })
})

describe('a client that authenticates by Basic', () => {
  const id = 'shop+web%41'
  const secret = 'p+q%41 r:s/=&"~'
  const formEncoded = (text: string) => new URLSearchParams({ x: text }).toString().slice(2)
  const header = (name: string, value: string) =>
    `Basic ${Buffer.from(`${name}:${value}`).toString('base64')}`

  test.each([
    ['form-encoded (RFC 6749, section 2.3.1)', formEncoded(id), formEncoded(secret)],
    ['percent-encoded', encodeURIComponent(id), encodeURIComponent(secret)],
    ['as they are', id, secret],
    ['the id as it is, the secret encoded', id, formEncoded(secret)],
    ['the id encoded, the secret as it is', formEncoded(id), secret],
  ])('may send id and secret %s, at every endpoint', async (_how, name, value) => {
    const client = await register(idp, { id, secret, grantTypes: ['interaction_code', 'refresh_token'] })
    const authorization = header(name, value)
    const { client_id: _, ...form } = beginning(client)
    expect((await interact(form, { authorization })).status).toBe(200)

    const { exchange } = await signIn(idp, { client })
    const { client_id: __, client_secret: ___, ...byHeader } = exchange as Record<string, string>
    const exchanged = await token(byHeader, { authorization })
    expect([exchanged.status, exchanged.body.error_description]).toEqual([200, undefined])
    const { access_token: access = '' } = exchanged.body as Record<string, string>
    const introspected = await post(`${oauth}/v1/introspect`, { token: access }, { authorization })
    expect([introspected.status, introspected.body.active]).toEqual([200, true])
    const revoked = await post(`${oauth}/v1/revoke`, { token: access }, { authorization })
    expect([revoked.status, (await userinfo(access)).status]).toEqual([200, 401])
  })

  test('is refused with a secret that is right in neither reading', async () => {
    await register(idp, { id, secret })
    for (const wrongSecret of [
      'p q%41 r:s/=&"~',
      'p+qA r:s/=&"~',
      encodeURIComponent(encodeURIComponent(secret)),
      '%',
      '',
    ]) {
      const authorization = header(formEncoded(id), wrongSecret)
      const form = { grant_type: 'refresh_token', refresh_token: 'x' }
      const answers = [
        await token(form, { authorization }),
        await post(`${oauth}/v1/introspect`, { token: 'x' }, { authorization }),
        await post(`${oauth}/v1/revoke`, { token: 'x' }, { authorization }),
      ]
      for (const { status, body } of answers) {
        expect([400, 401]).toContain(status)
        expect(['invalid_client', 'invalid_request']).toContain(body.error)
      }
    }
  })

  test.each(['50%off-secret', '%zz', 'ünïcödé', 'a\nb', 'plain'])(
    'is not authenticated with the wrong secret %j, at every endpoint and whatever client it names',
    async (wrongSecret) => {
      await register(idp, { id, secret })
      const form = { grant_type: 'refresh_token', refresh_token: 'x' }
      for (const name of [formEncoded(id), 'nobody', 'nob%ody']) {
        const authorization = header(name, wrongSecret)
        const answers = [
          await token(form, { authorization }),
          await post(`${oauth}/v1/introspect`, { token: 'x' }, { authorization }),
          await post(`${oauth}/v1/revoke`, { token: 'x' }, { authorization }),
        ]
        const found = answers.map(({ status, body }) => [status, body.error])
        expect(found, name).toEqual(answers.map(() => [401, 'invalid_client']))
      }
    },
  )
})

test('the end of a body that is sent in pieces is no body, whatever its type', async () => {
  const body = () => new ReadableStream({ start: (pieces) => pieces.close() })
  for (const endpoint of ['token', 'introspect', 'revoke', 'interact', 'logout', 'userinfo']) {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: body(),
      duplex: 'half',
    }
    const answered = await fetch(`${oauth}/v1/${endpoint}`, init as RequestInit)
    const expected = { userinfo: 401, logout: 200 }[endpoint] ?? 400
    expect([endpoint, answered.status]).toEqual([endpoint, expected])
    expect(await answered.text()).not.toContain('must be form-urlencoded')
  }
})

describe('introspect', () => {
  test('tells what live tokens are', async () => {
    const { tokens, client, sessionId } = await tokensOf()
    const claims = claimsOf(tokens.access_token)

    expect((await introspect(tokens.access_token)).body).toMatchObject({
      active: true,
      token_type: 'Bearer',
      scope: 'openid profile email offline_access',
      client_id: client.id,
      username: 'ada',
      sub: 'ada',
      uid: userId,
      iss: idp.issuer,
      aud: 'api://default',
      exp: claims.exp,
      iat: claims.iat,
      jti: claims.jti,
      sid: sessionId,
    })
    expect((await introspect(tokens.refresh_token, web, 'refresh_token')).body).toMatchObject({
      active: true,
      client_id: client.id,
      username: 'ada',
      scope: 'openid profile email offline_access',
    })
    expect((await introspect(tokens.id_token, web, 'id_token')).body).toMatchObject({
      active: true,
      sub: userId,
      aud: client.id,
    })
  })

  test('a confidential client must prove itself; another one may ask, a public one for its own only', async () => {
    const { tokens } = await tokensOf()
    const own = await tokensOf({ client: spa })
    const api = await register(idp, {})

    const nobody = await post(`${oauth}/v1/introspect`, {
      token: String(tokens.access_token),
      client_id: web.id,
    })
    expect(nobody).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect((await introspect(tokens.access_token, api)).body).toMatchObject({ active: true })
    expect((await introspect(tokens.access_token, spa)).body).toEqual({ active: false })
    expect((await introspect(own.tokens.access_token, spa)).body).toMatchObject({ active: true })
  })

  test('is false for the tokens of a user who was suspended', async () => {
    const { tokens } = await tokensOf()
    const set = (status: 'SUSPENDED' | 'ACTIVE' | 'LOCKED_OUT') =>
      updatePerson(idp.engine.storage.db, userId, { status }, idp.clock.now())

    await set('SUSPENDED')
    expect((await introspect(tokens.access_token)).body).toEqual({ active: false })
    await set('LOCKED_OUT')
    expect((await introspect(tokens.access_token)).body).toMatchObject({ active: true })
    await set('ACTIVE')
  })

  test('follows the clock of the engine where tokens do', async () => {
    await using moved = await startShop({ tokens: 'virtual' })
    moved.clock.advance('7d')
    const { exchange } = await signIn(moved)
    const { body } = await post(`${moved.issuer}/v1/token`, exchange)
    const ask = () =>
      post(
        `${moved.issuer}/v1/introspect`,
        { token: String(body.access_token) },
        { authorization: basic(web) },
      )

    expect(Math.abs(Number(claimsOf(body.access_token).iat) - moved.clock.now() / 1000)).toBeLessThan(600)
    expect((await ask()).body).toMatchObject({ active: true })
    moved.clock.advance('1h')
    expect((await ask()).body).toEqual({ active: false })
  })
})

describe('revoke', () => {
  test('answers nothing, without calling it JSON, whether there was a token or not', async () => {
    const { tokens } = await tokensOf()

    for (const value of [tokens.access_token, tokens.access_token, tokens.refresh_token, 'nonsense']) {
      const { status, text, headers } = await revoke(value)
      expect([status, text, headers.get('content-type')]).toEqual([200, '', null])
    }
  })

  test('an access token ends alone', async () => {
    const { tokens } = await tokensOf()

    await revoke(tokens.access_token)

    expect((await userinfo(tokens.access_token)).status).toBe(401)
    expect((await token(refreshing(web, tokens.refresh_token))).status).toBe(200)
  })

  test('a refresh token takes the access tokens of its family along', async () => {
    const { tokens } = await tokensOf()
    const { body } = await token(refreshing(web, tokens.refresh_token))

    await revoke(body.refresh_token)

    expect((await token(refreshing(web, body.refresh_token))).body).toEqual(invalidRefresh)
    expect((await introspect(tokens.access_token)).body).toEqual({ active: false })
    expect((await introspect(body.access_token)).body).toEqual({ active: false })
    const [event] = await listEvents(idp.engine.storage.db, {
      limit: 1,
      eventType: 'app.oauth2.token.revoke',
    })
    expect(event).toMatchObject({ outcome: { result: 'SUCCESS' }, target: [{ type: 'refresh_token' }] })
  })

  test('leaves the tokens of another client as they are, with the same answer', async () => {
    const { tokens } = await tokensOf()

    for (const value of [tokens.access_token, tokens.refresh_token]) {
      expect(await revoke(value, spa)).toMatchObject({ status: 200, text: '' })
    }
    expect((await revoke(tokens.refresh_token, { id: web.id, secret: undefined })).status).toBe(401)
    expect((await revoke(tokens.refresh_token, { id: web.id, secret: 'wrong' })).status).toBe(401)
    expect((await userinfo(tokens.access_token)).status).toBe(200)
  })

  test('takes Basic without a colon from a public client', async () => {
    const { tokens } = await tokensOf({ client: spa })

    expect((await revoke(tokens.access_token, spa)).status).toBe(200)
    expect((await userinfo(tokens.access_token)).status).toBe(401)
  })
})

describe('logout', () => {
  const logout = (parameters: Record<string, string>) =>
    get(`${oauth}/v1/logout?${new URLSearchParams(parameters)}`)

  test.each(['GET', 'POST'])('takes the ID token of a user in 250 groups by %s', async (method) => {
    const api = apiOf(idp)
    for (let group = 0; group < 250; group++) {
      const name = `Group ${group} ${'x'.repeat(60)}`
      const { id } = (await api('POST', '/groups', { profile: { name } })).body
      await api('PUT', `/groups/${id}/users/${userId}`)
    }
    const parameters = { scope: 'openid groups offline_access' }
    const { tokens } = await tokensOf({ parameters })
    const form = { id_token_hint: String(tokens.id_token), post_logout_redirect_uri: signedOutUri }
    expect(form.id_token_hint.length).toBeGreaterThan(20_000)
    expect((await introspect(tokens.id_token, web, 'id_token')).body).toMatchObject({ active: true })

    const { status } = method === 'GET' ? await logout(form) : await post(`${oauth}/v1/logout`, form)
    expect(status).toBe(method === 'GET' ? 302 : 303)
    expect((await token(refreshing(web, tokens.refresh_token))).body).toEqual(invalidRefresh)
  })

  test('takes the longest ID token by POST: of a user in 250 groups with the longest names', async () => {
    const api = apiOf(idp)
    for (let group = 0; group < 250; group++) {
      const name = `${group} ${'\u00e4'.repeat(250)}`.slice(0, 250)
      const { id } = (await api('POST', '/groups', { profile: { name } })).body
      await api('PUT', `/groups/${id}/users/${userId}`)
    }
    const { tokens } = await tokensOf({ parameters: { scope: 'openid groups offline_access' } })
    const form = { id_token_hint: String(tokens.id_token), post_logout_redirect_uri: signedOutUri }
    expect(form.id_token_hint.length).toBeGreaterThan(150_000)
    expect((await introspect(tokens.id_token, web, 'id_token')).body).toMatchObject({ active: true })
    expect((await post(`${oauth}/v1/logout`, form)).status).toBe(303)
    expect((await token(refreshing(web, tokens.refresh_token))).body).toEqual(invalidRefresh)
    const long = await post(`${oauth}/v1/logout`, { id_token_hint: 'x'.repeat(256 * 1024) })
    expect(long.status).toBe(413)
  })

  test('ends the session and leads back with the state', async () => {
    const { tokens } = await tokensOf()

    const { status, headers } = await logout({
      id_token_hint: String(tokens.id_token),
      post_logout_redirect_uri: signedOutUri,
      state: 'a b&c',
    })

    expect(status).toBe(302)
    expect(headers.get('location')).toBe(`${signedOutUri}?state=a+b%26c`)
    expect((await introspect(tokens.access_token)).body).toEqual({ active: false })
    expect((await token(refreshing(web, tokens.refresh_token))).body).toEqual(invalidRefresh)
  })

  test('takes an ID token that has expired, and shows a page where no address is given', async () => {
    const { tokens } = await tokensOf()
    idp.clock.advance(2 * 3_600_000)

    const { status, headers, text } = await logout({ id_token_hint: String(tokens.id_token) })

    expect(status).toBe(200)
    expect(headers.get('content-type')).toContain('text/html')
    expect(text).toContain('You are signed out.')
  })

  test.each([
    `${signedOutUri}/`,
    `${signedOutUri}?x=1`,
    'https://evil.example/',
    'https://app.example@evil.example/signed-out',
    'https://app.example\\@evil.example/signed-out',
    '//evil.example/signed-out',
    'javascript:alert(1)',
    'https://app.example./signed-out',
    'https://app.example/%73igned-out',
    redirectUri,
  ])('A30: leads to no address but those registered: %s', async (uri) => {
    const { tokens } = await tokensOf()

    const { status, headers, body } = await logout({
      id_token_hint: String(tokens.id_token),
      post_logout_redirect_uri: uri,
    })

    expect([status, body.error, headers.get('location')]).toEqual([400, 'invalid_request', null])
    expect((await userinfo(tokens.access_token)).status).toBe(200)
  })

  test.each([
    ['an app that is not there', { client_id: 'no-app' }],
    ['a forged hint', { id_token_hint: 'nonsense' }],
    ['an address that is not registered', { post_logout_redirect_uri: 'https://evil.example/"><b>' }],
    ['a parameter twice', { 'id_token_hint=x&id_token_hint': 'y' }],
  ])('shows a browser a page where it cannot be served: %s', async (_what, changes) => {
    const { tokens } = await tokensOf()
    const hint = 'post_logout_redirect_uri' in changes ? { id_token_hint: String(tokens.id_token) } : {}
    const query = Object.entries({ ...hint, ...changes }).map(
      ([name, value]) => `${name}=${encodeURIComponent(value)}`,
    )
    const url = `${oauth}/v1/logout?${query.join('&')}`
    // As Chromium and Firefox send it when they go to an address.
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

    const { status, headers, text } = await get(url, { accept, 'accept-language': 'de-AT,de;q=0.9' })

    expect([status, headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8'])
    expect(text).toContain('<h1>Die Abmeldung hat nicht geklappt</h1>')
    expect(text).toContain(`oae${headers.get('x-okta-request-id')?.slice(3)}`)
    expect(text).not.toContain('evil.example')
    for (const other of ['application/json', '*/*', 'application/json, text/html;q=0.5']) {
      const asked = await get(url, { accept: other })
      expect([asked.status, asked.body.error]).toEqual([400, 'invalid_request'])
    }
  })

  test('of an app that was deactivated ends the session, and leads nowhere', async () => {
    const { tokens } = await tokensOf()
    await apiOf(idp)('POST', `/apps/${web.id}/lifecycle/deactivate`)
    const form = { id_token_hint: String(tokens.id_token), post_logout_redirect_uri: signedOutUri }
    const { status, headers } = await logout(form)
    expect([status, headers.get('location')]).toEqual([200, null])
    await apiOf(idp)('POST', `/apps/${web.id}/lifecycle/activate`)
    expect((await token(refreshing(web, tokens.refresh_token))).body).toEqual(invalidRefresh)
  })

  test('is refused for another client than that of the ID token (RP-Initiated Logout 1.0, section 2)', async () => {
    const { tokens, client } = await tokensOf()
    const form = { id_token_hint: String(tokens.id_token), post_logout_redirect_uri: signedOutUri }
    expect((await logout({ ...form, client_id: spa.id })).status).toBe(400)
    expect((await introspect(tokens.access_token)).body).toMatchObject({ active: true })
    expect((await logout({ ...form, client_id: client.id })).status).toBe(302)
  })

  test('HEAD ends no session', async () => {
    const { tokens } = await tokensOf()
    const url = `${oauth}/v1/logout?id_token_hint=${tokens.id_token}`
    const { status, headers } = await fetch(url, { method: 'HEAD' })
    expect([status, headers.get('allow')]).toEqual([405, 'GET, POST'])
    expect((await userinfo(tokens.access_token)).status).toBe(200)
  })

  test('takes no access token and no forged hint', async () => {
    const { tokens } = await tokensOf()

    for (const hint of [tokens.access_token, 'nonsense', `${tokens.id_token}x`]) {
      expect((await logout({ id_token_hint: String(hint) })).status).toBe(400)
    }
    // Without one there is nothing to end where the browser has no session.
    expect((await logout({})).text).toContain('You are signed out.')
  })
})

describe('browsers of other origins', () => {
  const preflight = (path: string, origin: string, names = 'x-okta-user-agent-extended') =>
    fetch(`${idp.engineUrl}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': names,
      },
    })

  test.each([
    '/oauth2/default/.well-known/openid-configuration',
    '/oauth2/default/v1/interact',
    '/oauth2/default/v1/token',
    '/oauth2/default/v1/keys',
    '/oauth2/default/v1/userinfo',
    '/oauth2/default/v1/revoke',
    '/idp/idx/introspect',
  ])('of registered apps may call %s', async (path) => {
    const { status, headers } = await preflight(path, 'https://spa.example')

    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe('https://spa.example')
    expect(headers.get('access-control-allow-credentials')).toBe('true')
    expect(headers.get('access-control-allow-headers')).toContain('x-okta-user-agent-extended')
    expect(headers.get('access-control-allow-methods')).toContain('POST')
  })

  test('may send headers of tools for tracing, and PUT', async () => {
    const names = 'content-type,traceparent,tracestate,baggage,sentry-trace,x-datadog-trace-id,x-b3-traceid'
    const { headers } = await preflight('/idp/idx/identify', 'https://spa.example', names)
    expect(headers.get('access-control-allow-headers')).toBe(names)
    expect(headers.get('access-control-allow-methods')).toContain('PUT')
  })

  test('of nobody may not', async () => {
    for (const origin of ['https://evil.example', 'null', 'https://spa.example.evil.example']) {
      const { headers } = await preflight('/oauth2/default/v1/token', origin)
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  test('get the headers on answers and errors of every endpoint, the token endpoint included', async () => {
    const answers = [
      await token({ grant_type: 'nonsense' }, { origin: 'https://spa.example' }),
      await interact({}, { origin: 'https://spa.example' }),
      await get(`${idp.engineUrl}/nowhere`, { origin: 'https://spa.example' }),
    ]

    for (const { status, headers } of answers) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(headers.get('access-control-allow-origin')).toBe('https://spa.example')
      expect(headers.get('x-okta-request-id')).toMatch(/^req/)
    }
    const foreign = await token({ grant_type: 'nonsense' }, { origin: 'https://evil.example' })
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('may call as soon as their app is registered', async () => {
    const origin = `https://${systemRandom.bytes(4).toString('hex')}.example`
    expect(
      (await preflight('/oauth2/default/v1/token', origin)).headers.get('access-control-allow-origin'),
    ).toBeNull()

    await register(idp, { redirectUris: [`${origin}/callback`] })

    expect(
      (await preflight('/oauth2/default/v1/token', origin)).headers.get('access-control-allow-origin'),
    ).toBe(origin)
  })
})

test('grants stand in the system log, without tokens', async () => {
  const { tokens } = await tokensOf()

  const events = await listEvents(idp.engine.storage.db, { limit: 3 })

  expect(events.map(({ eventType }) => eventType).sort()).toEqual([
    'app.oauth2.token.grant.access_token',
    'app.oauth2.token.grant.id_token',
    'app.oauth2.token.grant.refresh_token',
  ])
  for (const event of events) {
    expect(event).toMatchObject({
      actor: { id: userId, alternateId: 'ada' },
      client: { id: web.id },
    })
    expect(JSON.stringify(event)).not.toContain(String(tokens.refresh_token))
  }
})

test('what is over is removed, and nothing else', async () => {
  const stored = () => idp.engine.storage.db.selectFrom('artifacts').selectAll().execute()
  await tokensOf()

  expect(await idp.engine.oidc.purge()).toBe(0)
  expect(await stored()).not.toEqual([])
  idp.clock.advance('31d')
  expect(await idp.engine.oidc.purge()).toBeGreaterThan(0)
  expect(await stored()).toEqual([])
})
