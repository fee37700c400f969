import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'
import { startEngine } from 'rekey-engine/testing'
import { createApp } from './app.js'

let idp
let server

before(async () => {
  idp = await startEngine()
  server = createApp(idp).listen(0)
  await once(server, 'listening')
})
beforeEach(() => idp.reset())
after(async () => {
  server.close()
  await idp.close()
})

/** A visitor with a cookie of its own. */
function visitor() {
  let cookie = ''
  return async (path, body) => {
    const response = await fetch(`http://localhost:${server.address().port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    return response.json()
  }
}

test('a visitor recovers a password', async () => {
  const post = visitor()
  assert.equal((await post('/forgot', { username: idp.person.login })).step, 'challenge-authenticator')
  const mail = await idp.outbox.waitFor({ to: idp.person.login })
  assert.equal((await post('/code', { code: mail.code })).step, 'reset-authenticator')
  const done = await post('/password', { password: 'Lighthouse-Biscuit-77' })
  assert.deepEqual([done.status, done.email], ['SUCCESS', idp.person.login])
})

test('two visitors do not get in each other’s way', async () => {
  await idp.people.add({ login: 'ada@example.com' })
  const [mary, ada] = [visitor(), visitor()]
  await mary('/forgot', { username: idp.person.login })
  await ada('/forgot', { username: 'ada@example.com' })
  const { code } = await idp.outbox.waitFor({ to: 'ada@example.com' })

  assert.equal((await ada('/code', { code })).step, 'reset-authenticator')
  const mail = await idp.outbox.waitFor({ to: idp.person.login })
  assert.equal((await mary('/code', { code: mail.code })).step, 'reset-authenticator')
})
