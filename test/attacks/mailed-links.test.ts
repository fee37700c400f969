import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { atTheCode as reachCode } from '../support/attacks.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { authorizeUrl } from '../support/redirects.ts'
import { ada, type RegisteredClient, redirectUri, register, startShop } from '../wire/oauth-app.ts'

// The link of a mail whose transaction is at the engine's own pages: who opens it, and what comes of that.
let idp: Kit
let shop: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  await register(idp, { ...embedded, emailMagicLinkRedirectUri: null })
  shop = await register(idp, {
    ...{ applicationType: 'browser', grantTypes: ['authorization_code', 'refresh_token'] },
    // An app with pages of its own besides: they have no transaction of the engine's pages.
    emailMagicLinkRedirectUri: `${redirectUri}/link`,
  })
})
beforeEach(() => idp.clock.advance(3_600_000))
afterAll(() => idp.close())

let last: string | undefined

/** The mail that came after the last one. */
async function mailed(): Promise<{ readonly code: string; readonly link: string }> {
  const after = last === undefined ? {} : { after: last }
  const { id, code, link } = await idp.outbox.waitFor({ to: ada.email, template: 'ForgotPassword', ...after })
  last = id
  return { code: code ?? '', link: link ?? '' }
}

/** A recovery at the pages of the engine, up to the code, and its mail. */
async function atTheCode(login = ada.login) {
  const browser = newHostedBrowser(idp)
  await browser.opens(authorizeUrl(idp.issuer, shop))
  await browser.submits('recover')
  await browser.submits('identify-recovery', { identifier: login })
  if (browser.page.forms[0] === 'select-authenticator-authenticate') {
    await browser.submits('select-authenticator-authenticate', { choice: '0' })
  }
  return { browser, ...(await mailed()) }
}

describe('a link of the engine’s own pages', () => {
  test('A84: gives its code to no app, but shows it here', async () => {
    const { code, link } = await atTheCode()
    const opened = await fetch(link, { redirect: 'manual' })
    expect([opened.status, opened.headers.get('location')]).toEqual([200, null])
    expect(await opened.text()).toContain(code)
  })
})

/** An app that signs its users in on its own pages, and has none for links. */
const embedded = { id: 'shop-links', secret: 'shop-links-secret-for-tests-only' }

/** Who asks for a mail about Ada, in one of the two ways, and answers with a code. */
const askers = [
  [
    'at the pages of the engine',
    async () => {
      const { browser, link, code } = await atTheCode()
      return {
        ...{ link, code, secrets: [browser.jar.get('rekey_tx') ?? '-'] },
        async answers(typed: string) {
          await browser.submits('challenge-authenticator', { 'credentials.passcode': typed })
          return browser.page.forms[0]
        },
      }
    },
  ],
  [
    'at an app without a page for links',
    async () => {
      const visitor = await reachCode(
        { ...idp, clientId: embedded.id, clientSecret: embedded.secret },
        ada.email,
      )
      const { link, code } = await mailed()
      return {
        ...{ link, code, secrets: [visitor.stateHandle, visitor.interactionHandle] },
        answers: async (typed: string) => (await visitor.answers(typed)).remediations[0],
      }
    },
  ],
] as const

describe.each(askers)('the owner of the mailbox, where another one asked %s', (_, asks) => {
  const next = 'Another-Kettle-43'

  /** The owner's browser, which opens the link and takes the offer. */
  async function takes(link: string, headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' }) {
    const browser = newHostedBrowser(idp)
    const page = await browser.opens(link)
    const [, offer = ''] = /<a href="([^"]+own=1)"/.exec(page.text) ?? []
    const asked = await browser.opens(offer.replaceAll('&amp;', '&'))
    const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(asked.text) ?? []
    const [, token = ''] = /name="token" value="([^"]+)"/.exec(asked.text) ?? []
    const answer = await fetch(action, {
      ...{ method: 'POST', redirect: 'manual', headers },
      body: new URLSearchParams({ token }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      browser.jar.set(name, value)
    }
    return { browser, answer, action, token }
  }

  test('A84: sets a new password in the own browser, which ends the transaction of the asker', async () => {
    const asker = await asks()
    const { browser, answer } = await takes(asker.link)
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/\/signin\?t=[\w-]{12}$/),
    ])
    await browser.opens()
    expect(browser.page.forms).toContain('reset-authenticator')
    for (const secret of asker.secrets) expect(browser.page.text).not.toContain(secret)
    // The asker sees what a wrong code shows, and gets nothing by the right one.
    expect(await asker.answers(asker.code)).toBe('challenge-authenticator')
    expect(await (await fetch(asker.link)).text()).not.toContain(asker.code)
    const password = `${next}-${idp.clock.now()}`
    await browser.submits('reset-authenticator', { 'credentials.passcode': password })
    // No app had asked for this one: no session begins, and no address of the asker's is gone to.
    expect([browser.arrived, browser.jar.has('rekey_session')]).toEqual([undefined, false])
    expect(
      await idp.engine.storage.db
        .selectFrom('sessions')
        .select('id')
        .where('revoked_at', 'is', null)
        .execute(),
    ).toEqual([])
    const signedIn = await idp.visitor().signsIn(ada.login, password)
    expect(signedIn.interactionCode).toBeDefined()
    await apiOf(idp)('POST', '/users/ada', { credentials: { password: { value: ada.password } } })
  })

  test('A84: opening the link, and its offer, changes nothing, and leaves no cookie', async () => {
    const asker = await asks()
    for (const address of [asker.link, `${asker.link}&own=1`]) {
      for (const method of ['GET', 'HEAD']) {
        const opened = await fetch(address, { method, redirect: 'manual' })
        expect([opened.status, opened.headers.getSetCookie()]).toEqual([200, []])
        expect(opened.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      }
    }
    expect(await asker.answers(asker.code)).toBe('reset-authenticator')
  })

  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another host of the site', { 'sec-fetch-site': 'same-site' }],
    ['another origin', { origin: 'https://evil.example' }],
  ])('A84: a form of %s begins nothing', async (_who, headers) => {
    const asker = await asks()
    const { answer } = await takes(asker.link, headers)
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([303, []])
    expect(await asker.answers(asker.code)).toBe('reset-authenticator')
  })

  test('A84: an owner who may not use the app that the asker named goes on all the same', async () => {
    const asker = await asks()
    const { db } = idp.engine.storage
    const assigned = await db.selectFrom('client_groups').selectAll().execute()
    await db.deleteFrom('client_groups').execute()
    const { browser } = await takes(asker.link)
    await browser.opens()
    expect(browser.page.forms).toContain('reset-authenticator')
    await browser.submits('reset-authenticator', { 'credentials.passcode': `${next}-${idp.clock.now()}` })
    expect(browser.jar.has('rekey_session')).toBe(false)
    await db.insertInto('client_groups').values(assigned).execute()
    await apiOf(idp)('POST', '/users/ada', { credentials: { password: { value: ada.password } } })
  })

  test('A84: the form begins one recovery, however often it is sent, and none by a link that is over', async () => {
    const asker = await asks()
    const { action, token } = await takes(asker.link)
    const send = (to: string, text: string) =>
      fetch(to, {
        ...{ method: 'POST', redirect: 'manual' as const, headers: { 'sec-fetch-site': 'same-origin' } },
        body: new URLSearchParams({ token: text }),
      })
    const late = await asks()
    const another = new URL(late.link).searchParams.get('token') ?? ''
    const both = await Promise.all([send(action, another), send(action, another)])
    expect(both.filter(({ headers }) => headers.getSetCookie().length > 0)).toHaveLength(1)
    for (const text of [token, another, 'nothing', '']) {
      expect((await send(action, text)).headers.getSetCookie()).toEqual([])
    }
    expect(
      (await send(action.replace(/verify\/[^/]+/, `verify/${idp.clientId}`), another)).headers.getSetCookie(),
    ).toEqual([])
  })

  test('A84: spent budgets of guesses do not hold the owner back (F10)', async () => {
    const asker = await asks()
    for (let guess = 0; guess < 5; guess++) await asker.answers('000000')
    const again = await asks()
    for (let guess = 0; guess < 3; guess++) await again.answers('000000')
    const { browser } = await takes(again.link)
    expect((await browser.opens()).forms).toContain('reset-authenticator')
  })

  test('A84: what the link has proven is good for one transaction, and no deep link begins another with it', async () => {
    const asker = await asks()
    const { browser } = await takes(asker.link)
    expect((await browser.opens()).forms).toContain('reset-authenticator')
    await browser.opens('/signin/forgot-password')
    expect(browser.page.forms).not.toContain('reset-authenticator')

    const again = await takes((await asks()).link)
    await again.browser.opens()
    await again.browser.submits('reset-authenticator', {
      'credentials.passcode': `${next}-${idp.clock.now()}`,
    })
    await again.browser.opens('/signin/forgot-password')
    expect(again.browser.page.forms).not.toContain('reset-authenticator')
    await apiOf(idp)('POST', '/users/ada', { credentials: { password: { value: ada.password } } })
  })

  test.each([
    ['a new password', { credentials: { password: { value: 'Set-By-Another-91' } } }],
    ['another mailbox', { profile: { email: 'ada.elsewhere@example.com' } }],
  ])('A84: %s ends it', async (_what, change) => {
    const asker = await asks()
    const { browser } = await takes(asker.link)
    await browser.opens()
    const page = browser.page
    await apiOf(idp)('POST', '/users/ada', change)
    await browser.submits(
      'reset-authenticator',
      { 'credentials.passcode': `${next}-${idp.clock.now()}` },
      page,
    )
    await browser.opens('/signin/forgot-password')
    expect(browser.page.forms).not.toContain('reset-authenticator')
    await apiOf(idp)('POST', '/users/ada', {
      ...{ profile: { email: ada.email }, credentials: { password: { value: ada.password } } },
    })
    const signedIn = await idp.visitor().signsIn(ada.login, ada.password)
    expect(signedIn.interactionCode).toBeDefined()
  })

  test('A84: who gives it up is at a sign-in to the engine’s own pages, and at no app', async () => {
    const { browser } = await takes((await asks()).link)
    await browser.opens()
    await browser.submits('cancel')
    await browser.submits('identify', { identifier: ada.login, 'credentials.passcode': ada.password })
    expect([browser.arrived, browser.page.status]).toEqual([undefined, 200])
    expect(browser.page.title).toBe('You are signed in')
    await apiOf(idp)('DELETE', '/users/ada/sessions')
  })
})
