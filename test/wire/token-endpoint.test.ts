import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { basic, redirectUri, refreshing, register, signIn, spa, startShop, web } from './oauth-app.ts'
import { assertionType, type ServiceApp, serviceApp } from './service-app.ts'

// What the token endpoint answers to requests that are wrong, word for word: apps and SDKs show it, and some compare it.

let idp: Kit
let robot: ServiceApp
beforeAll(async () => {
  idp = await startShop()
  robot = await serviceApp(idp, ['okta.users.read'])
})
afterAll(() => idp.close())

const formType = 'application/x-www-form-urlencoded'
const paths = { default: '/oauth2/default/v1/token', org: '/oauth2/v1/token' }

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Answered {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Sends a body as it is; `fetch` would add a Content-Type, and keep an Authorization header that is empty. */
const send = (body: string, { method = 'POST', path = paths.default, headers = {} }: Sent = {}) =>
  new Promise<Answered>((resolve, reject) => {
    const length = Buffer.byteLength(body)
    const sending = request(`${idp.engineUrl}${path}`, {
      method,
      headers: { ...(length > 0 && { 'content-length': length }), ...headers },
    })
    sending.on('error', reject)
    sending.on('response', async (response) => {
      const chunks = await response.setEncoding('utf8').toArray()
      resolve({ status: response.statusCode, headers: response.headers, text: chunks.join('') })
    })
    sending.end(body)
  })

const sendForm = (form: Readonly<Record<string, string>>, { headers, ...sent }: Sent = {}) =>
  send(String(new URLSearchParams(form)), { ...sent, headers: { 'content-type': formType, ...headers } })

/** What every answer of the endpoint carries. */
const always = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  vary: 'Origin',
  'x-content-type-options': 'nosniff',
  'content-type': 'application/json; charset=utf-8',
  'x-rate-limit-limit': expect.stringMatching(/^\d+$/),
}
const exposed = { 'access-control-expose-headers': 'x-okta-request-id' }

const refreshes = { grant_type: 'refresh_token', refresh_token: 'x' }
const asPublic = { ...refreshes, client_id: spa.id }
const asWeb = { ...refreshes, client_id: web.id }
const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

const errors = {
  unauthenticated: [401, 'invalid_client', 'client authentication failed'],
  unnamed: [400, 'invalid_request', 'no client authentication mechanism provided'],
  header: [400, 'invalid_request', 'invalid authorization header value format'],
  bare: [400, 'invalid_request', 'client_secret must be provided in the Authorization header'],
  several: [400, 'invalid_request', 'client authentication must only be provided using one mechanism'],
  mismatch: [400, 'invalid_request', 'client_id mismatch'],
  noGrant: [400, 'invalid_request', "missing required parameter 'grant_type'"],
  unknownGrant: [400, 'unsupported_grant_type', 'unsupported grant_type requested'],
  otherGrant: [
    400,
    'unauthorized_client',
    'The client is not authorized to use the provided grant type. Configured grant types: [interaction_code, refresh_token].',
  ],
  scope: [400, 'invalid_scope', 'scope contains invalid characters'],
  refreshToken: [400, 'invalid_grant', 'The refresh token is invalid or expired.'],
} as const

type Expected = readonly [status: number, error: string, description: string]

function expectError({ status, headers, text }: Answered, [wanted, error, description]: Expected) {
  expect([status, text]).toEqual([wanted, JSON.stringify({ error, error_description: description })])
  expect(headers).toMatchObject(always)
}

describe('a request that is no form', () => {
  const type = 'The Content-Type header must be application/x-www-form-urlencoded.'
  test.each<[string, string, string | undefined, Expected]>([
    ['JSON', '{"grant_type":"refresh_token"}', 'application/json', [415, 'invalid_request', type]],
    ['text', 'grant_type=refresh_token', 'text/plain', [415, 'invalid_request', type]],
    ['parts', 'a=b', 'multipart/form-data; boundary=x', [415, 'invalid_request', type]],
    ['a body without a type', 'grant_type=refresh_token', undefined, [415, 'invalid_request', type]],
    ['nothing', '', formType, errors.unnamed],
    ['nothing, without a type', '', undefined, errors.unnamed],
    [
      'a body that is too large',
      `a=${'x'.repeat(70_000)}`,
      formType,
      [413, 'invalid_request', 'The request body is too large.'],
    ],
    [
      'a value that is too long',
      `code=${'x'.repeat(5000)}`,
      formType,
      [400, 'invalid_request', "The 'code' parameter is too long."],
    ],
    [
      'a parameter twice',
      'grant_type=refresh_token&grant_type=refresh_token',
      formType,
      [400, 'invalid_request', "The 'grant_type' parameter must not be given more than once."],
    ],
    [
      'a parameter twice that the endpoint does not know',
      'grant_type=refresh_token&more=1&more=2',
      formType,
      [400, 'invalid_request', "The 'more' parameter must not be given more than once."],
    ],
    [
      'bytes that are not UTF-8',
      'grant_type=%ff',
      formType,
      [400, 'invalid_request', "The 'grant_type' parameter has characters that are not allowed."],
    ],
  ])('%s is refused', async (_what, body, contentType, expected) => {
    const headers = contentType === undefined ? {} : { 'content-type': contentType }
    expectError(await send(body, { headers }), expected)
  })

  test.each(['utf-8', 'UTF-8', 'iso-8859-1'])(
    'the charset %s is read as UTF-8, which it is',
    async (name) => {
      const headers = { 'content-type': `${formType}; charset=${name}` }
      expectError(await send(String(new URLSearchParams(asPublic)), { headers }), errors.refreshToken)
    },
  )

  test('parameters in the address count for nothing', async () => {
    const path = `${paths.default}?${new URLSearchParams(asPublic)}`
    expectError(await sendForm({}, { path }), errors.unnamed)
  })

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'])('%s is no method of the endpoint', async (method) => {
    const { status, headers, text } = await send('', { method })
    expect([status, headers.allow]).toEqual([405, 'POST'])
    if (method !== 'HEAD') expect(JSON.parse(text).errorCode).toBe('E0000022')
  })

  test('OPTIONS says the method, and to a page of an app that it may call', async () => {
    const plain = await send('', { method: 'OPTIONS' })
    expect([plain.status, plain.headers.allow, plain.text]).toEqual([204, 'POST', ''])
    const origin = new URL(redirectUri).origin
    const headers = { origin, 'access-control-request-method': 'POST' }
    expect(await send('', { method: 'OPTIONS', headers })).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': expect.stringContaining('POST'),
      },
    })
  })
})

describe('a grant', () => {
  test.each<[string, Readonly<Record<string, string>>, Expected]>([
    ['that is not named', { client_id: spa.id }, errors.noGrant],
    ['without a name', { client_id: spa.id, grant_type: '' }, errors.noGrant],
    ...[
      'password',
      'implicit',
      '__proto__',
      'constructor',
      'urn:ietf:params:oauth:grant-type:device_code',
    ].map((name): [string, Readonly<Record<string, string>>, Expected] => [
      `"${name}"`,
      { client_id: spa.id, grant_type: name },
      errors.unknownGrant,
    ]),
    [
      'that the client may not use',
      { client_id: spa.id, grant_type: 'authorization_code', code: 'x', redirect_uri: redirectUri },
      errors.otherGrant,
    ],
    [
      'that the client may not use, whatever else is missing',
      { client_id: spa.id, grant_type: 'authorization_code', scope: 'a  b' },
      errors.otherGrant,
    ],
    [
      'without what it is about',
      { client_id: spa.id, grant_type: 'refresh_token' },
      [400, 'invalid_request', "The 'refresh_token' parameter is required."],
    ],
    [
      'without its verifier',
      { client_id: spa.id, grant_type: 'interaction_code', interaction_code: 'x' },
      [400, 'invalid_request', "The 'code_verifier' parameter is required."],
    ],
    ['with a scope of two blanks', { ...asPublic, scope: 'openid  email' }, errors.scope],
    ['with a scope that is quoted', { ...asPublic, scope: '"openid"' }, errors.scope],
    [
      'of a service, with a scope that no server has, before whether the client may use it',
      { client_id: web.id, client_secret: web.secret, grant_type: 'client_credentials', scope: 'a\\b' },
      errors.scope,
    ],
    ['of a client that is unknown', { grant_type: 'password', client_id: 'unknown' }, errors.unauthenticated],
    ['that is spent', asPublic, errors.refreshToken],
  ])('%s is refused', async (_what, form, expected) => {
    expectError(await sendForm(form), expected)
  })

  test('is answered in JSON, whatever the caller accepts', async () => {
    expectError(await sendForm(asPublic, { headers: { accept: 'text/html' } }), errors.refreshToken)
  })

  test('is read after the proof of a key, which needs no client', async () => {
    const sent = await sendForm({ ...asPublic, client_id: 'unknown' }, { headers: { dpop: 'x' } })
    expectError(sent, [400, 'invalid_dpop_proof', 'The DPoP header is not one proof.'])
  })
})

describe('a client', () => {
  test.each<[string, Readonly<Record<string, string>>, Expected]>([
    ['without a name', refreshes, errors.unnamed],
    ['that is unknown', { ...refreshes, client_id: 'unknown' }, errors.unauthenticated],
    ['whose name no client has', { ...refreshes, client_id: 'a b' }, errors.unauthenticated],
    ['without its secret', asWeb, errors.unauthenticated],
    ['with an empty secret', { ...asWeb, client_secret: '' }, errors.unauthenticated],
    ['with a wrong secret', { ...asWeb, client_secret: 'wrong' }, errors.unauthenticated],
    ['that keeps no secret, with one', { ...asPublic, client_secret: 'any' }, errors.unauthenticated],
    ['with its secret', { ...asWeb, client_secret: web.secret }, errors.refreshToken],
    ['that keeps no secret', asPublic, errors.refreshToken],
    ['that keeps no secret, with an empty one', { ...asPublic, client_secret: '' }, errors.refreshToken],
    ['with the type of an assertion alone', { ...asPublic, client_assertion_type: 'x' }, errors.refreshToken],
  ])('%s in the body gets %3$s', async (_what, form, expected) => {
    const answer = await sendForm(form)
    expectError(answer, expected)
    expect(answer.headers).toMatchObject(exposed)
    // It did not come by the header, so it is not asked for one (RFC 6749, section 5.2).
    expect(answer.headers['www-authenticate']).toBeUndefined()
  })

  test.each<[string, string, Readonly<Record<string, string>>, Expected]>([
    ['its secret', basic(web), refreshes, errors.refreshToken],
    ['its secret, beside its name in the body', basic(web), asWeb, errors.refreshToken],
    ['its secret, by another spelling', basic(web).replace('Basic', 'bASIC'), refreshes, errors.refreshToken],
    ['its secret, beside another name', basic(web), asPublic, errors.mismatch],
    ['its secret in the body as well', basic(web), { ...asWeb, client_secret: web.secret }, errors.several],
    ['a secret, and a wrong one in the body', basic(web), { ...asWeb, client_secret: 'no' }, errors.several],
    ['two blanks', basic(web).replace(' ', '  '), refreshes, errors.header],
    ['a token', 'Bearer x', asPublic, errors.header],
    ['a token, and its secret in the body', 'Bearer x', { ...asWeb, client_secret: 'no' }, errors.several],
    ['nothing', '', asPublic, errors.header],
    ['no base64', 'Basic !!!', refreshes, errors.header],
    ['one letter', 'Basic Y', refreshes, errors.header],
    ['its name alone', encoded(spa.id), refreshes, errors.header],
    ['its name and a colon', encoded(`${spa.id}:`), refreshes, errors.bare],
    ['a colon', encoded(':'), refreshes, errors.bare],
    ['a secret alone', encoded(':secret'), refreshes, errors.unnamed],
    ['a wrong secret', basic({ ...web, secret: 'wrong' }), refreshes, errors.unauthenticated],
    ['a secret that is no URL', encoded(`${web.id}:%zz`), refreshes, errors.unauthenticated],
    ['a secret of odd letters', encoded(`${web.id}:ü\n`), refreshes, errors.unauthenticated],
    ['a secret, of which it keeps none', basic({ ...spa, secret: 'x' }), refreshes, errors.unauthenticated],
    ['an unknown name', basic({ id: 'unknown', secret: 'x' }), refreshes, errors.unauthenticated],
    ['a name of odd letters', basic({ id: 'ünbekannt', secret: 'x' }), refreshes, errors.unauthenticated],
  ])('that sends %s in the header gets %4$s', async (_what, authorization, form, expected) => {
    const answer = await sendForm(form, { headers: { authorization } })
    expectError(answer, expected)
    expect(answer.headers['www-authenticate']).toBe(
      expected[0] === 401
        ? `Basic realm="${idp.issuer}", error="invalid_client", error_description="client authentication failed"`
        : undefined,
    )
  })

  const seconds = () => Math.floor(systemClock.now() / 1000)
  const asService = async (claims = {}, header = {}) => ({
    grant_type: 'client_credentials',
    scope: 'okta.users.read',
    client_assertion_type: assertionType,
    client_assertion: await robot.assertion(claims, header),
  })
  test.each<[string, () => Promise<Readonly<Record<string, string>>>, Expected]>([
    ['of an unknown client', () => asService({ sub: 'unknown', iss: 'unknown' }), errors.unauthenticated],
    ['of no client', () => asService({ sub: undefined }), errors.unauthenticated],
    ['of a number', () => asService({ sub: 5 }), errors.unauthenticated],
    ['by another client', () => asService({ iss: web.id }), errors.unauthenticated],
    ['for another server', () => asService({ aud: 'https://other.example' }), errors.unauthenticated],
    ['with an empty id', () => asService({ jti: '' }), errors.unauthenticated],
    ['from a time that is none', () => asService({ iat: 'x' }), errors.unauthenticated],
    ['that is not good yet', () => asService({ nbf: seconds() + 100 }), errors.unauthenticated],
    ['of a key that the app has not', () => asService({}, { kid: 'other' }), errors.unauthenticated],
    ['of an app with a secret', () => asService({ sub: web.id, iss: web.id }), errors.unauthenticated],
    ['beside another name', async () => ({ ...(await asService()), client_id: web.id }), errors.mismatch],
    ['beside a secret', async () => ({ ...(await asService()), client_secret: 'x' }), errors.several],
    [
      'of another type',
      async () => ({ ...(await asService()), client_assertion_type: 'saml' }),
      [400, 'invalid_request', `client_assertion_type must have value ${assertionType}`],
    ],
    [
      'of no type',
      async () => ({ ...(await asService()), client_assertion_type: '' }),
      [400, 'invalid_request', 'client_assertion_type must be provided'],
    ],
    [
      'that is none',
      async () => ({ ...(await asService()), client_assertion: 'x' }),
      [400, 'invalid_request', 'invalid client_assertion format'],
    ],
    [
      'that is missing',
      async () => ({ grant_type: 'client_credentials', scope: 'okta.users.read', client_id: robot.id }),
      errors.unauthenticated,
    ],
    [
      'for another grant',
      async () => ({ ...(await asService()), grant_type: 'refresh_token' }),
      [
        400,
        'unauthorized_client',
        'The client is not authorized to use the provided grant type. Configured grant types: [client_credentials].',
      ],
    ],
  ])('with an assertion %s gets %3$s', async (_what, form, expected) => {
    const answer = await sendForm(await form(), { path: paths.org })
    expectError(answer, expected)
    expect(answer.headers['www-authenticate']).toBeUndefined()
  })

  test.each<[string, () => Promise<Readonly<Record<string, string>>>]>([
    ['an assertion', () => asService()],
    ['an assertion beside its name', async () => ({ ...(await asService()), client_id: robot.id })],
    ['an assertion without the name of its key', () => asService({}, { kid: undefined })],
    ['an assertion of a clock that is ahead', () => asService({ iat: seconds() + 100 })],
    ['an assertion that ended a moment ago', () => asService({ exp: seconds() - 5 })],
  ])('with %s gets a token', async (_what, form) => {
    const { status, headers, text } = await sendForm(await form(), { path: paths.org })
    expect([status, Object.keys(JSON.parse(text))]).toEqual([
      200,
      ['token_type', 'expires_in', 'access_token', 'scope'],
    ])
    expect(headers).toMatchObject({ ...always, ...exposed })
  })

  test('with an assertion and a secret in the header gets none', async () => {
    const headers = { authorization: basic(web) }
    expectError(await sendForm(await asService(), { path: paths.org, headers }), errors.several)
  })
})

test('tokens come in the order of members that apps have known, and are kept by no cache', async () => {
  const { exchange } = await signIn(idp)
  const first = await sendForm(exchange)
  const members = ['token_type', 'expires_in', 'access_token', 'scope', 'id_token', 'refresh_token']
  expect([first.status, Object.keys(JSON.parse(first.text))]).toEqual([200, members])
  expect(first.headers).toMatchObject({ ...always, ...exposed })

  const again = await sendForm(refreshing(web, JSON.parse(first.text).refresh_token))
  expect([again.status, Object.keys(JSON.parse(again.text))]).toEqual([200, members])
})

test('a page of an app reads the answer, also where it is an error; another page does not', async () => {
  const origin = 'https://spa.example'
  const { exchange } = await signIn(idp, { client: spa })
  for (const form of [exchange, asPublic]) {
    const { headers } = await sendForm(form, { headers: { origin } })
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': expect.stringContaining('dpop-nonce'),
    })
  }
  const foreign = await sendForm(asPublic, { headers: { origin: 'https://other.example' } })
  expect(foreign.headers).toMatchObject(exposed)
  expect(foreign.headers['access-control-allow-origin']).toBeUndefined()
})

test('an app with other grants hears which it has', async () => {
  const app = await register(idp, { grantTypes: ['refresh_token'] })
  const form = { client_id: app.id, client_secret: app.secret ?? '' }
  expectError(await sendForm({ ...form, grant_type: 'interaction_code' }), [
    400,
    'unauthorized_client',
    'The client is not authorized to use the provided grant type. Configured grant types: [refresh_token].',
  ])
})
