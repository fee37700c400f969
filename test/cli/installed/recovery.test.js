import { OktaAuth } from '@okta/okta-auth-js'
import { startEngine } from 'rekey-engine/testing'
import { expect, test } from 'vitest'

test('a forgotten password is replaced', async () => {
  await using idp = await startEngine()
  const auth = new OktaAuth({
    issuer: idp.issuer,
    clientId: idp.publicClientId,
    redirectUri: idp.redirectUri,
    idx: { enableLegacyMode: true },
  })
  await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
  const mail = await idp.outbox.waitFor({ to: idp.person.login })
  await auth.idx.proceed({ verificationCode: mail.code })
  const { status } = await auth.idx.proceed({ password: 'Lighthouse-Biscuit-77' })
  expect(status).toBe('SUCCESS')
})
