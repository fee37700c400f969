import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenIn, verifier } from '../support/hosted.ts'
import {
  ada,
  basic,
  claimsOf,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
} from '../wire/oauth-app.ts'

let idp: Kit
let shop: RegisteredClient
let other: RegisteredClient
const grantTypes = ['authorization_code', 'refresh_token']

beforeAll(async () => {
  idp = await startShop()
  shop = await register(idp, { applicationType: 'browser', grantTypes })
  other = await register(idp, { grantTypes })
})
afterAll(() => idp.close())

const redeem = (client: RegisteredClient, code: string, changes: Record<string, string> = {}) =>
  post(
    `${idp.issuer}/v1/token`,
    {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: client.id,
      code_verifier: verifier,
      ...changes,
    },
    client.secret === undefined ? {} : { authorization: basic(client) },
  )

async function signedIn(browser = newBrowser(), changes: Record<string, string | undefined> = {}) {
  const page = await browser.goes(authorizeUrl(idp.issuer, shop, changes))
  const end = await signsIn(idp.engineUrl, stateTokenIn(await page.text()), ada)
  const back = await browser.goes(String(end.success?.href))
  return { browser, page, end, back, answer: answerIn(back) }
}

test('authorize, sign-in, code, tokens', async () => {
  const { page, end, back, answer } = await signedIn()
  expect(page.status).toBe(200)
  expect(end.success).toMatchObject({ name: 'success-redirect' })
  expect(back.status).toBe(302)
  expect(answer).toEqual({ code: expect.any(String), state: 'a state', iss: idp.issuer })
  const tokens = await redeem(shop, String(answer.code))
  expect(tokens.body).toMatchObject({ token_type: 'Bearer', refresh_token: expect.any(String) })
  expect(claimsOf(tokens.body.id_token)).toMatchObject({ nonce: 'a nonce', amr: ['pwd'] })
})

test('another app', async () => {
  const { browser } = await signedIn()
  const at = await browser.goes(authorizeUrl(idp.issuer, other))
  expect(at.status).toBe(302)
  const tokens = await redeem(other, String(answerIn(at).code))
  expect(tokens.status).toBe(200)
})
