import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { OktaAuth } from '@okta/okta-auth-js'
import { startEngine } from 'rekey-engine/testing'

let idp

before(async () => {
  idp = await startEngine()
})
after(() => idp.close())

test('a user recovers a password by the mailed code', async () => {
  const { issuer, clientId, clientSecret, redirectUri, person } = idp
  const auth = new OktaAuth({
    issuer,
    clientId,
    clientSecret,
    redirectUri,
    idx: { enableLegacyMode: true },
  })
  await auth.idx.recoverPassword({ username: person.login, authenticators: ['okta_email'] })
  const mail = await idp.outbox.waitFor({ to: person.login })
  await auth.idx.proceed({ verificationCode: mail.code })
  const done = await auth.idx.proceed({ password: 'Lighthouse-Biscuit-77' })

  assert.equal(done.status, 'SUCCESS')
  assert.equal(done.tokens.idToken.claims.email, person.login)
})

test('an answer that fails ends the transaction, and the app gets the message', async () => {
  const { issuer, publicClientId: clientId, redirectUri, person } = idp
  const auth = new OktaAuth({ issuer, clientId, redirectUri, idx: { enableLegacyMode: true } })
  auth.clearStorage()
  idp.faults.next('/idp/idx/identify', { status: 503 })

  const failed = await auth.idx.recoverPassword({ username: person.login })
  assert.equal(failed.status, 'TERMINAL')
})
