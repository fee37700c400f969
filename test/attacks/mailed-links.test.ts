import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { authorizeUrl } from '../support/redirects.ts'
import { ada, type RegisteredClient, redirectUri, register, startShop } from '../wire/oauth-app.ts'

// The link of a mail whose transaction is at the engine's own pages: who opens it, and what comes of that.
let idp: Kit
let shop: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  shop = await register(idp, {
    ...{ applicationType: 'browser', grantTypes: ['authorization_code', 'refresh_token'] },
    // An app with pages of its own besides: they have no transaction of the engine's pages.
    emailMagicLinkRedirectUri: `${redirectUri}/link`,
  })
})
beforeEach(() => idp.clock.advance(3_600_000))
afterAll(() => idp.close())

/** A recovery at the pages of the engine, up to the code, and its mail. */
async function atTheCode(login = ada.login) {
  const browser = newHostedBrowser(idp)
  await browser.opens(authorizeUrl(idp.issuer, shop))
  await browser.submits('recover')
  await browser.submits('identify-recovery', { identifier: login })
  if (browser.page.forms[0] === 'select-authenticator-authenticate') {
    await browser.submits('select-authenticator-authenticate', { choice: '0' })
  }
  const { code = '', link = '' } = await idp.outbox.waitFor({ to: ada.email })
  return { browser, code, link }
}

describe('a link of the engine’s own pages', () => {
  test('A84: gives its code to no app, but shows it here', async () => {
    const { code, link } = await atTheCode()
    const opened = await fetch(String(link), { redirect: 'manual' })
    expect([opened.status, opened.headers.get('location')]).toEqual([200, null])
    expect(await opened.text()).toContain(code)
  })
})
