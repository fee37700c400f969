import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
import { post, redirectUri } from './oauth-app.ts'

// Which apps of the configuration may redirect: those that name the grant, and the public client of `rekey dev` and the kit.
let idp: Kit

beforeAll(async () => {
  const app = { applicationType: 'browser' as const, redirectUris: [redirectUri] }
  idp = await startEngine({
    clients: [
      { ...app, id: 'redirects', label: 'Redirects', grantTypes: ['authorization_code'] },
      { ...app, id: 'embeds', label: 'Embeds' },
    ],
  })
})
afterAll(() => idp.close())

const asked = { scope: 'openid' }

test.each([
  ['redirects', redirectUri],
  ['rekey-public', 'http://localhost:5173/callback'],
])('%s gets tokens by a redirect', async (id, address) => {
  const browser = newBrowser()
  const began = await browser.goes(authorizeUrl(idp.issuer, { id }, { ...asked, redirect_uri: address }))
  expect(began.headers.get('location')).toContain(`${idp.engineUrl}/signin?t=`)
  const { success } = await signsIn(idp.engineUrl, await stateTokenAt(began), idp.person)
  const { code = '' } = answerIn(await browser.goes(String(success?.href)))
  const form = { grant_type: 'authorization_code', client_id: id, code, redirect_uri: address }
  const tokens = await post(`${idp.issuer}/v1/token`, { ...form, code_verifier: verifier })
  expect(tokens.body).toHaveProperty('id_token')
})

test.each(['embeds', 'rekey-web'])('%s has the grants of apps with pages of their own', async (id) => {
  const address = id === 'embeds' ? redirectUri : idp.redirectUri
  const answer = await newBrowser().goes(
    authorizeUrl(idp.issuer, { id }, { ...asked, redirect_uri: address }),
  )
  expect(answerIn(answer)).toMatchObject({
    error: 'unauthorized_client',
    error_description: expect.stringContaining('[interaction_code, refresh_token]'),
  })
})
