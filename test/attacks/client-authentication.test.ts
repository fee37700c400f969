import { createSecretKey } from 'node:crypto'
import { type CryptoKey, importJWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { basic, post, redirectUri, register, spa, startShop, web } from '../wire/oauth-app.ts'
import { assertionType, keyPair, type ServiceApp, serviceApp } from '../wire/service-app.ts'

// RFC 9700, section 2.5: the four endpoints at which a client authenticates, by one function. A client that is let through
// at one of them by what the others refuse would be the way in.

let idp: Kit
let robot: ServiceApp
let other: ServiceApp
beforeAll(async () => {
  // What is refused here are the clients, not how often they are.
  idp = await startShop({ settings: { limits: { requests: { wrongSecretsPerAddress: 1000 } } } })
  robot = await serviceApp(idp, ['okta.users.read'])
  other = await serviceApp(idp, ['okta.users.read'], { alg: 'ES256', label: 'Other' })
})
afterAll(() => idp.close())

type Form = Readonly<Record<string, string>>

/** A call of each endpoint that is right but for the client. */
const calls: Readonly<Record<string, Form>> = {
  token: { grant_type: 'client_credentials', scope: 'okta.users.read' },
  introspect: { token: 'x' },
  revoke: { token: 'x' },
  par: { response_type: 'code', scope: 'openid', state: 's', redirect_uri: redirectUri },
}

const at = (path: string) => `${idp.orgIssuer}/oauth2/v1/${path}`
const asked = (path: string, form: Form, headers: Form = {}) =>
  post(at(path), { ...calls[path], ...form }, headers)

const asserted = async (app: ServiceApp, ...args: Parameters<ServiceApp['assertion']>) => ({
  client_assertion_type: assertionType,
  client_assertion: await app.assertion(...args),
})

describe.each(Object.keys(calls))('at %s', (path) => {
  test('A72: an app with a secret is authenticated by it alone, in one place', async () => {
    const wrong = { client_id: web.id, client_secret: 'wrong' }
    const body = { client_id: web.id, client_secret: web.secret }
    const both = { authorization: basic(web) }
    for (const answer of [
      await asked(path, { client_id: web.id }),
      await asked(path, { client_id: web.id, client_secret: '' }),
      await asked(path, wrong),
      await asked(path, {}, { authorization: basic({ ...web, secret: 'wrong' }) }),
      await asked(path, { client_id: robot.id }),
      await asked(path, { client_id: robot.id, client_secret: web.secret }),
    ]) {
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
    }
    for (const answer of [
      await asked(path, body, both),
      await asked(path, wrong, both),
      await asked(path, { client_id: spa.id }, both),
      await asked(path, await asserted(robot), both),
      await asked(path, { ...(await asserted(robot)), client_secret: web.secret }),
      await asked(path, body, { authorization: 'Bearer x' }),
    ]) {
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
    }
    const inAddress = await post(`${at(path)}?${new URLSearchParams(body)}`, calls[path] ?? {})
    expect([inAddress.status, inAddress.body.error]).toEqual([400, 'invalid_request'])
  })

  test('A72: an assertion is good once, here or elsewhere, for its app and this server alone', async () => {
    const form = await asserted(robot)
    const first = await asked(path, form)
    expect(first.status).not.toBe(401)
    for (const elsewhere of Object.keys(calls)) {
      expect((await asked(elsewhere, form)).status).toBe(401)
    }

    const now = Math.floor(Date.now() / 1000)
    const audiences = ['https://evil.example/oauth2/v1/token', `${idp.engineUrl}/oauth2/default/v1/${path}`]
    for (const claims of [
      ...audiences.map((aud) => ({ aud })),
      { aud: undefined },
      { iss: other.id },
      { exp: now - 60 },
      { exp: now + 7200 },
      { exp: undefined },
      { jti: undefined },
      { jti: 'x'.repeat(300) },
    ]) {
      const answer = await asked(path, await asserted(robot, claims))
      expect([claims, answer.status, answer.body.error]).toEqual([claims, 401, 'invalid_client'])
    }
    const forged = await asked(path, await asserted(robot, { aud: 'https://evil.example' }), {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
    })
    expect(forged.body.error).toBe('invalid_client')
  })

  test('A72: an assertion is signed by a key of its app, and by no public one as a secret', async () => {
    const { privateJwk } = await keyPair('ES256')
    const strange = (await importJWK(privateJwk, 'ES256')) as CryptoKey
    const { publicJwk } = await keyPair()
    const known = createSecretKey(Buffer.from(JSON.stringify(publicJwk))) as unknown as CryptoKey
    const [, payload] = (await robot.assertion()).split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const form of [
      await asserted(robot, {}, { alg: 'ES256', kid: undefined }, strange),
      await asserted(robot, {}, { alg: 'HS256' }, known),
      { client_assertion_type: assertionType, client_assertion: `${none}.${payload}.` },
    ]) {
      expect((await asked(path, form)).body).toMatchObject({ error: 'invalid_client' })
    }
  })
})

test('A72: a client gets no grant that it is not registered for', async () => {
  const app = await register(idp, { grantTypes: ['interaction_code'] })
  const form = { client_id: app.id, client_secret: app.secret ?? '' }
  const { grantTypes, ...grants } = {
    grantTypes: ['refresh_token', 'authorization_code', 'client_credentials'],
    ...{ refresh_token: 'x', code: 'x', redirect_uri: redirectUri, scope: 'openid' },
  }
  for (const grant of grantTypes) {
    const answer = await post(at('token'), { ...form, ...grants, grant_type: grant })
    expect([answer.status, answer.body.error]).toEqual([400, 'unauthorized_client'])
  }
})
