import { OktaAuth } from '@okta/okta-auth-js'
import { type Kit, startEngine } from 'rekey-engine/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

test('a visitor makes an account, with the code of the mail', async () => {
  const { issuer, publicClientId: clientId, redirectUri } = idp
  const auth = new OktaAuth({ issuer, clientId, redirectUri, idx: { enableLegacyMode: true } })
  // In Node the SDK keeps what it knows in one memory for all clients: begin with nothing.
  auth.clearStorage()

  await auth.idx.register({ firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.com' })
  const mail = await idp.outbox.waitFor({ to: 'ada@example.com' })
  await auth.idx.proceed({ verificationCode: mail.code ?? '' })
  await auth.idx.proceed({ authenticator: 'okta_password' })
  const done = await auth.idx.proceed({ password: 'Lighthouse-Biscuit-77' })
  expect(done.status).toBe('SUCCESS')
  expect(done.tokens?.idToken?.claims.email).toBe('ada@example.com')
})

test('a test that needs a new user has one in one call', async () => {
  const visitor = idp.visitor()
  await visitor.signsUp({ email: 'grace@example.com' })
  expect((await visitor.redeems()).status).toBe(200)
})
