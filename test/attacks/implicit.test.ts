import { OktaAuth } from '@okta/okta-auth-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s256 } from '../../src/base/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { hasClients, importClient } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
import {
  ada,
  claimsOf,
  get,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
} from '../wire/oauth-app.ts'

// Tokens in the answer to a browser: only where the installation allows it, and to apps with the grant `implicit` alone.
let idp: Kit
let old: RegisteredClient
let web: RegisteredClient
let modern: RegisteredClient
const types = ['id_token', 'token', 'id_token token', 'code id_token', 'code token', 'code id_token token']
const grantTypes = ['authorization_code', 'refresh_token', 'implicit']

beforeAll(async () => {
  idp = await startShop({ settings: { oauth: { implicit: true } } })
  old = await register(idp, { applicationType: 'browser', grantTypes })
  web = await register(idp, { grantTypes })
  modern = await register(idp, { applicationType: 'browser', grantTypes: ['authorization_code'] })
})
afterAll(() => idp.close())

type Changes = Readonly<Record<string, string | undefined>>

/** What the app gets, after the sign-in where the browser is asked for one. */
async function arrives(changes: Changes, { app = old, browser = newBrowser() } = {}): Promise<Response> {
  const at = await browser.goes(authorizeUrl(idp.issuer, app, changes))
  if (!at.headers.get('location')?.includes('/signin?t=')) return at
  const end = await signsIn(idp.engineUrl, await stateTokenAt(at), ada)
  return browser.goes(String(end.success?.href))
}
const answered = async (...of: Parameters<typeof arrives>) => answerIn(await arrives(...of))
const refusal = async (changes: Changes, app = old) =>
  answerIn(await newBrowser().goes(authorizeUrl(idp.issuer, app, changes)))

const halfOf = (text = '') => Buffer.from(s256(text), 'base64url').subarray(0, 16).toString('base64url')
const codeless = { code_challenge: undefined, code_challenge_method: undefined }

describe.each(types)('response_type=%s', (type) => {
  const [code, idToken, token] = ['code', 'id_token', 'token'].map((one) => type.split(' ').includes(one))

  test('has its members in the fragment, and no others', async () => {
    const response = await arrives({ response_type: type, ...(!code && codeless) })
    expect(response.headers.get('location')).toMatch(new RegExp(`^${redirectUri}#`))
    const answer = answerIn(response)
    expect(Object.keys(answer).sort()).toEqual(
      [
        ...(code ? ['code'] : []),
        ...(idToken ? ['id_token'] : []),
        ...(token ? ['access_token', 'expires_in', 'scope', 'token_type'] : []),
        ...['iss', 'state'],
      ].sort(),
    )
    if (idToken) {
      expect(claimsOf(answer.id_token)).toMatchObject({ nonce: 'a nonce', aud: old.id, iss: idp.issuer })
      expect(claimsOf(answer.id_token).at_hash).toBe(token ? halfOf(answer.access_token) : undefined)
      expect(claimsOf(answer.id_token).c_hash).toBe(code ? halfOf(answer.code) : undefined)
    }
    if (token) {
      // Of what leaves so nothing can be renewed without the app's own code.
      expect(answer.scope?.split(' ').includes('offline_access')).toBe(code)
      idp.clock.advance(6 * 60_000)
      const info = await get(`${idp.issuer}/v1/userinfo`, { authorization: `Bearer ${answer.access_token}` })
      expect(info.body).toMatchObject({ name: 'Ada Lovelace' })
    }
  })

  test('its words may stand in any order', async () => {
    const turned = type.split(' ').reverse().join(' ')
    const answer = await answered({ response_type: turned, ...(!code && codeless) })
    expect(answer).not.toHaveProperty('error')
  })

  test('A72: tokens are refused in a query, in the fragment', async () => {
    const response = await newBrowser().goes(
      authorizeUrl(idp.issuer, old, { response_type: type, response_mode: 'query' }),
    )
    expect(response.headers.get('location')).toContain('#')
    expect(answerIn(response)).toMatchObject({ error: 'unsupported_response_mode', state: 'a state' })
  })

  test('A72: tokens in an answer are refused to an app without the grant', async () => {
    expect(await refusal({ response_type: type }, modern)).toMatchObject({ error: 'unauthorized_client' })
  })

  test.runIf(idToken)('A72: an ID token in an answer needs a nonce, and openid', async () => {
    expect(await refusal({ response_type: type, nonce: undefined })).toMatchObject({
      error: 'invalid_request',
    })
    expect(await refusal({ response_type: type, scope: 'profile' })).toMatchObject({ error: 'invalid_scope' })
  })

  test('okta_post_message hands it to the page of the app', async () => {
    const response = await arrives({
      ...{ response_type: type, response_mode: 'okta_post_message', ...(!code && codeless) },
    })
    expect(response.status).toBe(200)
    const page = await response.text()
    expect(page).toContain('data-origin="https://app.example"')
    expect(page.includes('&quot;id_token&quot;')).toBe(idToken)
  })
})

test('the code of a hybrid answer is redeemed, with PKCE, and a second use ends the tokens of both', async () => {
  const { code = '', access_token: token = '' } = await answered({ response_type: 'code token' })
  const redeem = () =>
    post(`${idp.issuer}/v1/token`, {
      ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
      ...{ client_id: old.id, code_verifier: verifier },
    })
  expect((await redeem()).body).toHaveProperty('refresh_token')
  const info = () => get(`${idp.issuer}/v1/userinfo`, { authorization: `Bearer ${token}` })
  expect((await info()).status).toBe(200)
  expect((await redeem()).body).toMatchObject({ error: 'invalid_grant' })
  expect((await info()).status).toBe(401)
})

test('a hybrid request of a public app needs PKCE as any other', async () => {
  expect(await refusal({ response_type: 'code id_token', ...codeless })).toMatchObject({
    error: 'invalid_request',
  })
})

describe('an app whose access tokens are all bound to its key', () => {
  let bound: RegisteredClient
  const settings = {
    ...{ application_type: 'browser', grant_types: ['authorization_code', 'implicit'] },
    ...{ redirect_uris: [redirectUri], response_types: ['code', 'token', 'id_token'] },
  }
  const changed = async (dpop: boolean, id?: string) => {
    const api = apiOf(idp)
    const { body } = await api(
      id === undefined ? 'POST' : 'PUT',
      id === undefined ? '/apps' : `/apps/${id}`,
      {
        ...{ name: 'oidc_client', label: 'Bound', signOnMode: 'OPENID_CONNECT' },
        credentials: { oauthClient: { token_endpoint_auth_method: 'none' } },
        settings: { oauthClient: { ...settings, dpop_bound_access_tokens: dpop } },
      },
    )
    return String(body.id)
  }

  beforeAll(async () => {
    const id = await changed(true)
    const [everyone] = (await apiOf(idp)('GET', '/groups?q=Everyone')).list
    await apiOf(idp)('PUT', `/apps/${id}/groups/${everyone?.id}`, {})
    bound = { id, secret: undefined }
  })

  test.each(types)('A31: gets no access token in an answer to a browser (%s)', async (type) => {
    const answer = await answered({ response_type: type, scope: 'openid profile' }, { app: bound })
    if (!type.split(' ').includes('token')) return expect(answer).toHaveProperty('id_token')
    expect(answer).toMatchObject({ error: 'unauthorized_client', state: 'a state' })
    expect(answer).not.toHaveProperty('access_token')
  })

  test('A31: gets none either where it was made one while its user was signing in', async () => {
    await changed(false, bound.id)
    const browser = newBrowser()
    const asked = { response_type: 'id_token token', scope: 'openid profile' }
    const page = await browser.goes(authorizeUrl(idp.issuer, bound, asked))
    const end = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
    await changed(true, bound.id)
    const back = await browser.goes(String(end.success?.href))
    expect([back.status, back.headers.get('location')]).toEqual([400, null])
  })
})

test('a session answers it silently, and the tokens are in the log', async () => {
  const browser = newBrowser()
  await arrives({ response_type: 'id_token token' }, { browser })
  const silent = await answered({ response_type: 'id_token token', prompt: 'none' }, { browser })
  expect(silent).toHaveProperty('access_token')
  const granted = (await apiOf(idp)('GET', '/logs?limit=1000')).list.filter(
    ({ debugContext }) =>
      (debugContext as { readonly debugData?: { readonly grantType?: string } }).debugData?.grantType ===
      'implicit',
  )
  expect(granted.length).toBeGreaterThan(0)
})

test('discovery lists it', async () => {
  const { body } = await get(`${idp.issuer}/.well-known/openid-configuration`)
  expect(body.response_types_supported).toEqual(['code', ...types])
  expect(body.grant_types_supported).toContain('implicit')
})

describe('an installation as it comes', () => {
  test('A72: an installation as it comes refuses tokens in an answer whatever the app has', async () => {
    const plain = await startShop()
    try {
      const app = await register(plain, { applicationType: 'browser', grantTypes })
      for (const type of types) {
        const answer = answerIn(
          await newBrowser().goes(authorizeUrl(plain.issuer, app, { response_type: type })),
        )
        expect(answer, type).toMatchObject({ error: 'unsupported_response_type', state: 'a state' })
      }
      const { body } = await get(`${plain.issuer}/.well-known/openid-configuration`)
      expect(body.response_types_supported).toEqual(['code'])
      expect(body.grant_types_supported).not.toContain('implicit')
    } finally {
      await plain.close()
    }
  })
})

// As express-openid-connect does by default: `response_type=id_token` and `response_mode=form_post`, of an app with a secret.
test('id_token by form_post is what a form posts to the app', async () => {
  const response = await arrives(
    { ...codeless, response_type: 'id_token', response_mode: 'form_post', scope: 'openid profile email' },
    { app: web },
  )
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toContain('no-store')
  const page = await response.text()
  expect(page).toContain(`<form method="post" action="${redirectUri}">`)
  const fields = Object.fromEntries(
    [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  )
  expect(Object.keys(fields).sort()).toEqual(['id_token', 'iss', 'state'])
  // There is no userinfo to ask without an access token: all claims stand in it (OpenID Connect Core 1.0, section 5.4).
  expect(claimsOf(fields.id_token)).toMatchObject({
    name: 'Ada Lovelace',
    email: ada.email,
    nonce: 'a nonce',
  })
})

test('okta-auth-js takes the tokens of the implicit flow', async () => {
  const auth = new OktaAuth({ issuer: idp.issuer, clientId: old.id, redirectUri, pkce: false })
  const answer = await answered({ ...codeless, response_type: 'id_token token', scope: 'openid profile' })
  const idToken = auth.token.decode(String(answer.id_token))
  const verified = await auth.token.verify(
    {
      ...{ idToken: String(answer.id_token), claims: idToken.payload, scopes: ['openid'] },
      ...{ authorizeUrl: '', issuer: idp.issuer, clientId: old.id, expiresAt: Number(idToken.payload.exp) },
    } as never,
    {
      clientId: old.id,
      issuer: idp.issuer,
      nonce: 'a nonce',
      accessToken: String(answer.access_token),
    } as never,
  )
  expect(verified).toBeDefined()
})

describe.skipIf(!hasClients)('openid-client', () => {
  const signedIn = async (response: Response) => new URL(response.headers.get('location') ?? 'none:')

  test('takes an ID token alone, and checks its nonce', async () => {
    const oidc = await importClient<OpenidImplicit>('openid-client')
    const execute = [oidc.allowInsecureRequests, oidc.useIdTokenResponseType]
    const config = await oidc.discovery(new URL(idp.issuer), old.id, undefined, undefined, { execute })
    const url = await signedIn(await arrives({ ...codeless, response_type: 'id_token' }))
    const claims = await oidc.implicitAuthentication(config, url, 'a nonce', { expectedState: 'a state' })
    expect(claims).toMatchObject({ aud: old.id })
  })

  test('takes a code with an ID token, and checks its c_hash', async () => {
    const oidc = await importClient<OpenidImplicit>('openid-client')
    const execute = [oidc.allowInsecureRequests, oidc.useCodeIdTokenResponseType]
    const config = await oidc.discovery(new URL(idp.issuer), old.id, undefined, undefined, { execute })
    const url = await signedIn(await arrives({ response_type: 'code id_token' }))
    const tokens = await oidc.authorizationCodeGrant(config, url, {
      ...{ pkceCodeVerifier: verifier, expectedState: 'a state', expectedNonce: 'a nonce' },
    })
    expect(tokens).toHaveProperty('refresh_token')
  })
})

/** What is used of `openid-client` 6 for answers with tokens. */
interface OpenidImplicit {
  readonly allowInsecureRequests: unknown
  readonly useIdTokenResponseType: unknown
  readonly useCodeIdTokenResponseType: unknown
  discovery(issuer: URL, id: string, secret: undefined, method: undefined, options: object): Promise<object>
  implicitAuthentication(config: object, url: URL, nonce: string, checks: object): Promise<object>
  authorizationCodeGrant(config: object, url: URL, checks: object): Promise<object>
}
