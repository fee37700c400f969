import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { OktaAuth } from '@okta/okta-auth-js'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s256 } from '../../src/base/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { accountScopes, grantAccount } from '../support/account.ts'
import { hasClients, importClient } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import type { Oauth4webapi, ServerMetadata } from '../support/oauth4webapi.ts'
import {
  answerIn,
  authorizeUrl,
  idx,
  newBrowser,
  signsIn,
  stateTokenAt,
  verifier,
} from '../support/redirects.ts'
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
  startShop,
} from '../wire/oauth-app.ts'

// Tokens that are bound to a key of the app (RFC 9449): a stolen one is worth nothing.
let idp: Kit
let app: RegisteredClient
let web: RegisteredClient
const grantTypes = ['authorization_code', 'refresh_token']

beforeAll(async () => {
  idp = await startShop()
  app = await register(idp, { applicationType: 'browser', grantTypes })
  web = await register(idp, { grantTypes })
})
afterAll(() => idp.close())

interface Key {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}
const newKey = (): Promise<Key> => generateKeyPair('ES256', { extractable: true })
const tokenUrl = () => `${idp.issuer}/v1/token`

/** A proof as apps make them; members that are undefined are left out. */
async function proofBy(
  key: Key,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const jwk = await exportJWK(key.publicKey)
  const all = { htm: 'POST', htu: tokenUrl(), iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID() }
  return new SignJWT({ ...all, ...claims })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk, ...header })
    .sign(key.privateKey)
}

async function newCode(
  client = app,
  scope = 'openid profile offline_access',
  changes: Readonly<Record<string, string>> = {},
): Promise<string> {
  const browser = newBrowser()
  const page = await browser.goes(authorizeUrl(idp.issuer, client, { scope, ...changes }))
  const end = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
  return answerIn(await browser.goes(String(end.success?.href))).code ?? ''
}

const redeem = async (code: string, dpop?: string, client = app) =>
  post(
    tokenUrl(),
    {
      ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
      ...(client.secret === undefined && { client_id: client.id }),
    },
    {
      ...(dpop !== undefined && { dpop }),
      ...(client.secret !== undefined && { authorization: basic(client) }),
    },
  )

/** The nonce that the engine asks for, which a request without one is answered with. */
async function nonce(key: Key): Promise<string> {
  const asked = await redeem('none', await proofBy(key))
  return asked.headers.get('dpop-nonce') ?? ''
}

async function boundTokens(key: Key, client = app, scope?: string) {
  const dpop = await proofBy(key, { nonce: await nonce(key) })
  return (await redeem(await newCode(client, scope), dpop, client)).body
}

const info = async (token: unknown, scheme: string, dpop?: string, method = 'GET') => {
  const headers = { authorization: `${scheme} ${token}`, ...(dpop !== undefined && { dpop }) }
  const response = await fetch(`${idp.issuer}/v1/userinfo`, { method, headers })
  return response.status
}
const infoProof = (key: Key, token: unknown, changes = {}) =>
  proofBy(key, { htm: 'GET', htu: `${idp.issuer}/v1/userinfo`, ath: s256(String(token)), ...changes })

test('A31: a request without a nonce is answered with one, and its code is not spent', async () => {
  const key = await newKey()
  const code = await newCode()
  const asked = await redeem(code, await proofBy(key))
  expect([asked.status, asked.body]).toEqual([
    400,
    {
      error: 'use_dpop_nonce',
      error_description: 'Authorization server requires nonce in DPoP proof.',
    },
  ])
  const given = asked.headers.get('dpop-nonce') ?? ''
  const done = await redeem(code, await proofBy(key, { nonce: given }))
  expect(done.body).toMatchObject({ token_type: 'DPoP' })
  const { cnf } = claimsOf(done.body.access_token) as { readonly cnf: { readonly jkt: string } }
  expect(cnf.jkt).toMatch(/^[\w-]{43}$/)
})

test('a nonce is good for three days more, and no longer', async () => {
  const key = await newKey()
  const day = 86_400_000
  const given = await nonce(key)
  idp.clock.advance(3 * day)
  const code = await newCode()
  expect((await redeem(code, await proofBy(key, { nonce: given }))).body).toHaveProperty('access_token')
  idp.clock.advance(day)
  expect((await redeem('none', await proofBy(key, { nonce: given }))).body.error).toBe('use_dpop_nonce')
})

describe('a proof', () => {
  const cases: readonly [string, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>?][] = [
    ['for another method', { htm: 'GET' }],
    ['for another address', { htu: 'https://evil.example/v1/token' }],
    ['for another server', { htu: 'http://localhost/oauth2/v1/token' }],
    ['that is too old', { iat: Math.floor(Date.now() / 1000) - 400 }],
    ['of the future', { iat: Math.floor(Date.now() / 1000) + 400 }],
    ['without a jti', { jti: undefined }],
    ['of another type', {}, { typ: 'JWT' }],
    ['without a key', {}, { jwk: undefined }],
  ]
  test.each(cases)(
    'A31: a proof %s is refused, and the code is not spent',
    async (_name, claims, header = {}) => {
      const key = await newKey()
      const given = await nonce(key)
      const code = await newCode()
      const refused = await redeem(code, await proofBy(key, { nonce: given, ...claims }, header))
      expect([refused.status, refused.body.error]).toEqual([400, 'invalid_dpop_proof'])
      expect((await redeem(code, await proofBy(key, { nonce: given }))).body).toHaveProperty('access_token')
    },
  )

  test('A31: a proof by another key than the one that it has is refused', async () => {
    const [one, two] = [await newKey(), await newKey()]
    const mixed = { ...one, publicKey: two.publicKey }
    expect((await redeem('none', await proofBy(mixed))).body.error).toBe('invalid_dpop_proof')
  })

  test('with its private key is refused', async () => {
    const key = await newKey()
    const jwk = await exportJWK(key.privateKey)
    expect((await redeem('none', await proofBy(key, {}, { jwk }))).body.error).toBe('invalid_dpop_proof')
  })

  test('A45: with a key whose check takes long is refused before it is checked', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    const signed = async (e: string | undefined) => {
      const all = {
        htm: 'POST',
        htu: tokenUrl(),
        iat: Math.floor(Date.now() / 1000),
        jti: crypto.randomUUID(),
      }
      const proof = await new SignJWT(all)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'RS256', jwk: { ...jwk, ...(e && { e }) } })
        .sign(privateKey)
      return (await redeem('none', proof)).body.error
    }
    expect(await signed(undefined)).toBe('use_dpop_nonce')
    // The same number, with zeros before it: what is refused is its length, and not what comes of it.
    expect(await signed(Buffer.from([...Array(253).fill(0), 1, 0, 1]).toString('base64url'))).toBe(
      'invalid_dpop_proof',
    )
  })

  test('A31: a proof counts once, of many at once', async () => {
    const key = await newKey()
    const dpop = await proofBy(key, { nonce: await nonce(key) })
    const codes = await Promise.all([1, 2, 3, 4].map(() => newCode()))
    const answers = await Promise.all(codes.map((code) => redeem(code, dpop)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ body }) => body.error === 'invalid_dpop_proof')).toHaveLength(3)
  })
})

test('A31: a bound token counts with its scheme and a proof by its key alone', async () => {
  const [key, other] = [await newKey(), await newKey()]
  const { access_token: token } = await boundTokens(key)
  expect(await info(token, 'DPoP', await infoProof(key, token))).toBe(200)
  expect(await info(token, 'Bearer')).toBe(401)
  expect(await info(token, 'Bearer', await infoProof(key, token))).toBe(401)
  expect(await info(token, 'DPoP')).toBe(401)
  expect(await info(token, 'DPoP', await infoProof(other, token))).toBe(401)
  expect(await info(token, 'DPoP', await infoProof(key, 'another token'))).toBe(401)
  expect(await info(token, 'DPoP', await infoProof(key, token, { htm: 'POST' }))).toBe(401)
  const used = await infoProof(key, token)
  expect([await info(token, 'DPoP', used), await info(token, 'DPoP', used)]).toEqual([200, 401])
  // In the form of a POST it comes as a bearer token (RFC 6750, section 2.2).
  expect((await post(`${idp.issuer}/v1/userinfo`, { access_token: String(token) })).status).toBe(401)
  // Introspection names the key, for APIs.
  const seen = await post(
    `${idp.issuer}/v1/introspect`,
    { token: String(token) },
    { authorization: basic(web) },
  )
  expect(seen.body).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: expect.any(String) } })
})

test('a refused one is challenged with its scheme and the algorithms of proofs', async () => {
  const { access_token: token } = await boundTokens(await newKey())
  const { headers } = await get(`${idp.issuer}/v1/userinfo`, { authorization: `DPoP ${token}` })
  const challenge = headers.get('www-authenticate') ?? ''
  expect(challenge).toMatch(/^DPoP error="invalid_token", .*algs="RS256 .*ES256/)
})

test('a token that is bound to no key is no DPoP token', async () => {
  const { access_token: token, token_type: type } = (await redeem(await newCode())).body
  expect(type).toBe('Bearer')
  expect(await info(token, 'Bearer')).toBe(200)
  expect(await info(token, 'DPoP', await infoProof(await newKey(), token))).toBe(401)
})

describe('a code that is bound to a key', () => {
  const thumbprintOf = async (key: Key) => calculateJwkThumbprint(await exportJWK(key.publicKey))
  const bound = async (key: Key) => newCode(app, undefined, { dpop_jkt: await thumbprintOf(key) })
  const redeemBy = async (code: string, key?: Key) =>
    redeem(code, key && (await proofBy(key, { nonce: await nonce(key) })))

  test('A31: is worth nothing without that key, and not spent by who tries', async () => {
    const [key, other] = [await newKey(), await newKey()]
    const code = await bound(key)
    for (const wrong of [undefined, other]) {
      expect((await redeemBy(code, wrong)).body).toMatchObject({ error: 'invalid_grant' })
    }
    expect((await redeemBy(code, key)).body).toMatchObject({ token_type: 'DPoP' })
  })

  test('A31: is one by a deep link at its request, too', async () => {
    const key = await newKey()
    const browser = newBrowser()
    await browser.goes(authorizeUrl(idp.issuer, app, { dpop_jkt: await thumbprintOf(key) }))
    await browser.goes(`${idp.engineUrl}/signin/forgot-password`)
    const interactionHandle = browser.cookies.get('rekey_tx')
    const { stateHandle } = await idx(idp.engineUrl, 'introspect', { interactionHandle })
    const back = await idx(idp.engineUrl, 'cancel', { stateHandle })
    const end = await signsIn(idp.engineUrl, back.stateHandle, ada)
    const { code = '' } = answerIn(await browser.goes(String(end.success?.href)))
    expect((await redeemBy(code)).body).toMatchObject({ error: 'invalid_grant' })
    expect((await redeemBy(code, key)).body).toMatchObject({ token_type: 'DPoP' })
  })

  test('A31: is one by a proof beside the pushed request, which counts once', async () => {
    const [key, other] = [await newKey(), await newKey()]
    const url = `${idp.issuer}/v1/par`
    const form = Object.fromEntries(new URL(authorizeUrl(idp.issuer, app, {})).searchParams)
    const dpop = await proofBy(key, { htu: url })
    const pushed = await post(url, form, { dpop })
    const name = new URLSearchParams({ client_id: app.id, request_uri: String(pushed.body.request_uri) })
    const browser = newBrowser()
    const page = await browser.goes(`${idp.issuer}/v1/authorize?${name}`)
    const end = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
    const { code = '' } = answerIn(await browser.goes(String(end.success?.href)))
    expect((await redeemBy(code, other)).body).toMatchObject({ error: 'invalid_grant' })
    expect((await redeemBy(code, key)).body).toMatchObject({ token_type: 'DPoP' })
    const wrong = { ...form, dpop_jkt: await thumbprintOf(other) }
    const refused = [
      await post(url, form, { dpop }),
      await post(url, form, { dpop: await proofBy(key) }),
      await post(url, wrong, { dpop: await proofBy(key, { htu: url }) }),
    ]
    for (const { body } of refused) expect(body.error).toBe('invalid_dpop_proof')
  })

  test('is refused where it is no thumbprint', async () => {
    for (const dpop_jkt of ['short', 'x'.repeat(44), '='.repeat(43)]) {
      const answer = answerIn(await newBrowser().goes(authorizeUrl(idp.issuer, app, { dpop_jkt })))
      expect(answer).toMatchObject({ error: 'invalid_request', state: 'a state' })
    }
  })
})

describe('a refresh', () => {
  const refresh = async (client: RegisteredClient, token: unknown, key?: Key) => {
    const dpop = key && (await proofBy(key, { nonce: await nonce(key) }))
    return post(tokenUrl(), refreshing(client, token), dpop === undefined ? {} : { dpop })
  }

  test('A31: a refresh of a public app takes the same key, and another one neither spends the token nor ends its family', async () => {
    const [key, other] = [await newKey(), await newKey()]
    const { refresh_token: token } = await boundTokens(key)
    for (const wrong of [undefined, other]) {
      expect((await refresh(app, token, wrong)).body.error).toBe('invalid_dpop_proof')
    }
    const next = await refresh(app, token, key)
    expect(next.body).toMatchObject({ token_type: 'DPoP' })
    // A thief of the spent one, without the key, does not end the family either.
    idp.clock.advance(60_000)
    expect((await refresh(app, token, other)).body.error).toBe('invalid_dpop_proof')
    expect((await refresh(app, next.body.refresh_token, key)).body).toHaveProperty('refresh_token')
  })

  test('A31: the first refresh of a public app with a proof binds what follows to its key', async () => {
    const [key, other] = [await newKey(), await newKey()]
    const first = (await redeem(await newCode())).body
    expect(first.token_type).toBe('Bearer')
    const second = await refresh(app, first.refresh_token, key)
    expect(second.body).toMatchObject({ token_type: 'DPoP' })
    for (const wrong of [undefined, other]) {
      expect((await refresh(app, second.body.refresh_token, wrong)).body.error).toBe('invalid_dpop_proof')
    }
    // Two tabs that refresh at once get the same successor.
    const same = await refresh(app, first.refresh_token, key)
    expect(same.body.refresh_token).toBe(second.body.refresh_token)
    expect((await refresh(app, second.body.refresh_token, key)).body).toMatchObject({ token_type: 'DPoP' })
  })

  test('A31: a spent token that is used again with another key ends its family also within the leeway', async () => {
    const [key, other] = [await newKey(), await newKey()]
    const first = (await redeem(await newCode())).body
    const second = await refresh(app, first.refresh_token, key)
    expect((await refresh(app, first.refresh_token, other)).body.error).toBe('invalid_grant')
    expect((await refresh(app, second.body.refresh_token, key)).body.error).toBe('invalid_grant')
  })

  test('of a confidential app may change the key: it proves itself', async () => {
    const [key, other] = [await newKey(), await newKey()]
    const first = await boundTokens(key, web)
    const next = await refresh(web, first.refresh_token, other)
    expect(next.body).toMatchObject({ token_type: 'DPoP' })
    expect(claimsOf(next.body.access_token).cnf).not.toEqual(claimsOf(first.access_token).cnf)
  })
})

test('an app with dpop_bound_access_tokens gets no others', async () => {
  const api = apiOf(idp)
  const { body } = await api('POST', '/apps', {
    ...{ name: 'oidc_client', label: 'Bound', signOnMode: 'OPENID_CONNECT' },
    credentials: { oauthClient: { token_endpoint_auth_method: 'none' } },
    settings: {
      oauthClient: {
        ...{ application_type: 'browser', grant_types: grantTypes, redirect_uris: [redirectUri] },
        dpop_bound_access_tokens: true,
      },
    },
  })
  const { settings } = body as unknown as { readonly settings: { readonly oauthClient: object } }
  expect(settings.oauthClient).toMatchObject({ dpop_bound_access_tokens: true })
  const bound = { id: String(body.id), secret: undefined }
  const everyone = (await api('GET', '/groups?q=Everyone')).list[0]
  await api('PUT', `/apps/${bound.id}/groups/${everyone?.id}`, {})
  const code = await newCode(bound)
  expect((await redeem(code, undefined, bound)).body).toMatchObject({ error: 'invalid_dpop_proof' })
  const key = await newKey()
  const dpop = await proofBy(key, { nonce: await nonce(key) })
  expect((await redeem(code, dpop, bound)).body).toMatchObject({ token_type: 'DPoP' })
})

test('the account of a user takes a bound token with its proof alone', async () => {
  await grantAccount({ engineUrl: idp.engineUrl, apiToken: idp.apiToken, clientId: app.id })
  const key = await newKey()
  const { access_token: token } = await boundTokens(key, app, `openid ${accountScopes.join(' ')}`)
  const url = `${idp.engineUrl}/idp/myaccount/emails`
  const calls = (scheme: string, dpop?: string) =>
    get(url, {
      authorization: `${scheme} ${token}`,
      accept: 'application/json; okta-version=1.0.0',
      ...(dpop !== undefined && { dpop }),
    })
  const proof = () => proofBy(key, { htm: 'GET', htu: url, ath: s256(String(token)) })
  expect((await calls('DPoP', await proof())).status).toBe(200)
  expect((await calls('Bearer')).status).toBe(401)
  expect((await calls('DPoP')).status).toBe(401)
})

test('the account takes a proof for its public address also where that has a path', async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  await new Promise((done) => free.close(done))
  const here = await startShop({
    settings: { issuer: `http://localhost:${port}/auth`, http: { port } },
  })
  try {
    const client = await register(here, { grantTypes: ['authorization_code'] })
    for (const scopeId of accountScopes) {
      await fetch(`${here.engineUrl}/api/v1/apps/${client.id}/grants`, {
        method: 'POST',
        headers: { authorization: `SSWS ${here.apiToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ scopeId }),
      })
    }
    const browser = newBrowser()
    const scope = `openid ${accountScopes.join(' ')}`
    await browser.goes(authorizeUrl(here.issuer, client, { scope }))
    const interactionHandle = browser.cookies.get('rekey_tx')
    const { stateHandle } = await idx(here.engineUrl, 'introspect', { interactionHandle })
    const end = await signsIn(here.engineUrl, stateHandle, ada)
    const { code = '' } = answerIn(await browser.goes(String(end.success?.href)))
    const key = await newKey()
    const htu = `${here.issuer}/v1/token`
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    }
    const by = async (claims: object) =>
      post(htu, form, { authorization: basic(client), dpop: await proofBy(key, { htu, ...claims }) })
    const given = (await by({})).headers.get('dpop-nonce')
    const token = String((await by({ nonce: given })).body.access_token)
    const url = `${here.engineUrl}/idp/myaccount/emails`
    const { status } = await get(url, {
      authorization: `DPoP ${token}`,
      accept: 'application/json; okta-version=1.0.0',
      dpop: await proofBy(key, { htm: 'GET', htu: url, ath: s256(token) }),
    })
    expect(status).toBe(200)
  } finally {
    await here.close()
  }
})

test('pages of trusted origins send proofs and read the nonce', async () => {
  const origin = new URL(redirectUri).origin
  const preflight = await fetch(tokenUrl(), {
    method: 'OPTIONS',
    headers: {
      ...{ origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' },
    },
  })
  expect(preflight.headers.get('access-control-allow-headers')).toContain('dpop')
  const asked = await post(tokenUrl(), {}, { origin, dpop: await proofBy(await newKey()) })
  expect(asked.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('dpop-nonce')
})

// Its keys are in the IndexedDB of a browser, of which Node has none: this is as much of one as the SDK asks for.
function keysInMemory() {
  const stored = new Map<string, unknown>()
  const done = (result?: unknown) => {
    const request = { result, onsuccess: () => {} }
    queueMicrotask(() => request.onsuccess())
    return request
  }
  const store = {
    add: (value: unknown, key: string) => done(void stored.set(key, value)),
    get: (key: string) => done(stored.get(key)),
    delete: (key: string) => done(void stored.delete(key)),
    clear: () => done(stored.clear()),
  }
  const transaction = () => ({ objectStore: () => store })
  return { indexedDB: { open: () => done({ transaction, close: () => {} }) } }
}

test('okta-auth-js with dpop gets bound tokens by the same code, refreshes them, and asks userinfo', async () => {
  const auth = new OktaAuth({
    ...{ issuer: idp.issuer, clientId: app.id, redirectUri, pkce: true, dpop: true },
    tokenManager: { autoRenew: false },
  })
  const authorizationCode = await newCode()
  Object.assign(globalThis, { window: keysInMemory() })
  try {
    const { tokens } = await auth.token.exchangeCodeForTokens({
      ...{ authorizationCode, codeVerifier: verifier, dpop: true },
      scopes: ['openid', 'profile', 'offline_access'],
    })
    expect(tokens.accessToken?.tokenType).toBe('DPoP')
    const user = await auth.token.getUserInfo(tokens.accessToken, tokens.idToken)
    expect(user).toMatchObject({ name: 'Ada Lovelace' })
    auth.tokenManager.setTokens(tokens)
    const renewed = await auth.token.renewTokens()
    expect(renewed.accessToken?.tokenType).toBe('DPoP')
    expect(claimsOf(renewed.accessToken?.accessToken).cnf).toEqual(
      claimsOf(tokens.accessToken?.accessToken).cnf,
    )
  } finally {
    Reflect.deleteProperty(globalThis, 'window')
  }
})

describe.skipIf(!hasClients)('oauth4webapi', () => {
  test('gets, refreshes and uses bound tokens', async () => {
    const oauth = await importClient<Oauth4webapi>('oauth4webapi')
    const insecure = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(idp.issuer)
    const as: ServerMetadata = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure }),
    )
    expect(as.dpop_signing_alg_values_supported).toContain('ES256')
    const client = { client_id: app.id }
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    const options = { DPoP, ...insecure }
    const again = async <T>(attempt: () => Promise<T>): Promise<T> => {
      try {
        return await attempt()
      } catch (error) {
        if (!oauth.isDPoPNonceError(error)) throw error
        return attempt()
      }
    }
    const answer = new URL(
      `${redirectUri}?${new URLSearchParams({ code: await newCode(), state: 'a state', iss: idp.issuer })}`,
    )
    const parameters = oauth.validateAuthResponse(as, client, answer, 'a state')
    const tokens = await again(async () =>
      oauth.processAuthorizationCodeResponse(
        ...([as, client] as const),
        await oauth.authorizationCodeGrantRequest(
          ...([as, client, oauth.None(), parameters, redirectUri, verifier, options] as const),
        ),
        { expectedNonce: 'a nonce', requireIdToken: true },
      ),
    )
    expect(tokens.token_type).toBe('dpop')
    const refreshed = await again(async () =>
      oauth.processRefreshTokenResponse(
        ...([as, client] as const),
        await oauth.refreshTokenGrantRequest(
          ...([as, client, oauth.None(), String(tokens.refresh_token), options] as const),
        ),
      ),
    )
    const sub = oauth.getValidatedIdTokenClaims(tokens)?.sub
    const response = await oauth.userInfoRequest(as, client, refreshed.access_token, options)
    expect(await oauth.processUserInfoResponse(as, client, sub, response)).toMatchObject({
      name: 'Ada Lovelace',
    })
  })
})
