import { NextRequest } from 'next/server'
import { type Kit, startEngine } from 'rekey-engine/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { POST } from './app/api/recover/[step]/route'

let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
  process.env.OKTA_ISSUER = idp.issuer
  process.env.OKTA_CLIENT_ID = idp.clientId
  process.env.OKTA_CLIENT_SECRET = idp.clientSecret
  process.env.OKTA_REDIRECT_URI = idp.redirectUri
})
afterAll(() => idp.close())

/** Calls the handler as Next does, with the cookie that it set before. */
function visitor() {
  let cookie = ''
  return async (step: string, body: object) => {
    const request = new NextRequest(`http://localhost:3000/api/recover/${step}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    })
    const response = await POST(request, { params: Promise.resolve({ step }) })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    return response.json()
  }
}

test('a visitor recovers a password through the route handler', async () => {
  const post = visitor()
  expect(await post('forgot', { username: idp.person.login })).toMatchObject({
    step: 'challenge-authenticator',
  })
  const mail = await idp.outbox.waitFor({ to: idp.person.login })
  expect(await post('code', { code: mail.code })).toMatchObject({ step: 'reset-authenticator' })
  expect(await post('password', { password: 'Lighthouse-Biscuit-77' })).toEqual({
    status: 'SUCCESS',
    email: idp.person.login,
  })
})

test('a step that is none is not found', async () => {
  expect(await visitor()('unknown', {})).toEqual({ error: 'not found' })
})
