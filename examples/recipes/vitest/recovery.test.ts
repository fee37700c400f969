import { OktaAuth } from '@okta/okta-auth-js'
import { type Kit, startEngine } from 'rekey-engine/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

function createAuth() {
  const { issuer, publicClientId: clientId, redirectUri } = idp
  const auth = new OktaAuth({ issuer, clientId, redirectUri, idx: { enableLegacyMode: true } })
  // In Node the SDK keeps what it knows in one memory for all clients: begin with nothing.
  auth.clearStorage()
  return auth
}

test('a user recovers a password by the mailed code', async () => {
  const auth = createAuth()
  await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
  const mail = await idp.outbox.waitFor({ to: idp.person.login })
  const proven = await auth.idx.proceed({ verificationCode: mail.code ?? '' })
  expect(proven.nextStep?.name).toBe('reset-authenticator')

  const done = await auth.idx.proceed({ password: 'Lighthouse-Biscuit-77' })
  expect(done.status).toBe('SUCCESS')
  expect(done.tokens?.idToken?.claims.email).toBe(idp.person.login)
})

test('a code is worth nothing after five minutes', async () => {
  const auth = createAuth()
  await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
  const mail = await idp.outbox.waitFor({ to: idp.person.login })
  idp.clock.advance('5m')

  const refused = await auth.idx.proceed({ verificationCode: mail.code ?? '' })
  expect(refused.messages?.[0]?.i18n?.key).toBe('api.authn.error.PASSCODE_INVALID')
})
