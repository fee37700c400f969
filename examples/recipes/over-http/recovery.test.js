// Any language and any runner can do what this file does: start `rekey dev --json`, read one line, call the control API.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { OktaAuth } from '@okta/okta-auth-js'

const ports = ['--port', '0', '--inbox-port', '0', '--smtp-port', '0', '--no-app']
let engine
let idp

before(async () => {
  // One child, without npx between, so that a signal reaches the engine itself.
  const rekey = new URL('./node_modules/rekey-engine/bin/rekey.cjs', import.meta.url).pathname
  engine = spawn(process.execPath, [rekey, 'dev', '--json', '--data', 'memory', ...ports], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: engine.stdout }), 'line')
  idp = JSON.parse(line)
})
after(async () => {
  engine.kill('SIGTERM')
  await once(engine, 'exit')
})

const control = async (method, path, body) => {
  const response = await fetch(idp.controlUrl + path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

test('a user recovers a password by the mailed code', async () => {
  await control('POST', '/reset')
  const ada = await control('POST', '/people', { login: 'ada@example.com', firstName: 'Ada' })

  const auth = new OktaAuth({
    issuer: idp.issuer,
    clientId: idp.publicClientId,
    redirectUri: 'http://localhost:8080/login/callback',
    idx: { enableLegacyMode: true },
  })
  await auth.idx.recoverPassword({ username: ada.login, authenticators: ['okta_email'] })
  const mail = await control('GET', `/messages/wait?to=${encodeURIComponent(ada.email)}&timeout=5000`)
  await auth.idx.proceed({ verificationCode: mail.code })
  const done = await auth.idx.proceed({ password: 'Lighthouse-Biscuit-77' })

  assert.equal(done.status, 'SUCCESS')
  const events = await control('GET', '/events')
  assert.ok(events.some(({ eventType }) => eventType === 'user.account.reset_password'))
})
