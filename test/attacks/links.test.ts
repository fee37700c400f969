import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { newPlainBrowser } from '../journeys/plain-browser.ts'
import { startWebAppHere, type WebApp } from '../journeys/web-app.ts'
import { alone } from '../support/alone.ts'
import {
  atTheCode,
  mailCount,
  mailTo,
  manyMails,
  newPassword,
  startTarget,
  visit,
} from '../support/attacks.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'

const victim = 'mary@example.com'
const pageApp = {
  id: 'page-app',
  secret: 'a secret of the page app',
  label: 'Acme Shop',
  applicationType: 'web' as const,
  redirectUris: ['http://localhost:8080/login/callback'],
  postLogoutRedirectUris: [],
  // The engine's own page shows the code.
  emailMagicLinkRedirectUri: null,
}
const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0'
const chromium = findChromium()

describe('a link in a mail', () => {
  let idp: Kit
  const lines: string[] = []
  beforeAll(async () => {
    const log = createLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } })
    idp = await startTarget({ log, clients: [pageApp], settings: { limits: manyMails } })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  const asPageApp = () => ({ ...idp, clientId: pageApp.id, clientSecret: pageApp.secret })

  test.each([
    ['an app of its own', () => idp],
    ['the page of the engine', asPageApp],
  ])(
    'A17: twenty GETs, HEADs and previews leave the link to %s alive and cause no mail',
    async (_, target) => {
      const visitor = await atTheCode(target(), victim)
      const { link, code } = await mailTo(idp, victim)
      const before = await mailCount(idp)
      const agents = ['Slackbot-LinkExpanding 1.0', 'Mozilla/5.0 (compatible; bingpreview/2.0)', firefox]
      for (let look = 0; look < 20; look++) {
        const headers = {
          'user-agent': agents[look % agents.length] ?? '',
          purpose: 'prefetch',
          'sec-purpose': 'prefetch',
        }
        const got = await fetch(link ?? '', { headers, redirect: 'manual' })
        const head = await fetch(link ?? '', { method: 'HEAD', headers, redirect: 'manual' })
        expect([got.status, head.status, head.headers.get('location')]).toEqual([
          target() === idp ? 302 : 200,
          got.status,
          got.headers.get('location'),
        ])
      }
      for (const method of ['POST', 'PUT', 'DELETE']) {
        expect((await fetch(link ?? '', { method, redirect: 'manual' })).status).toBe(405)
      }

      expect(await mailCount(idp)).toBe(before)
      const polled = await visitor.submits('challenge/poll')
      expect(polled.remediations[0]).toBe('challenge-authenticator')
      expect((await visitor.answers(code)).remediations).toEqual(['reset-authenticator'])
    },
  )

  test.skipIf(chromium === undefined)(
    `A17: a scanner that runs JavaScript and presses everything on the page spends nothing${chromium ? '' : ` (skipped: ${noChromium})`}`,
    async () => {
      const visitor = await atTheCode(asPageApp(), victim)
      const { link, code } = await mailTo(idp, victim)
      const before = await mailCount(idp)
      const browser = await launchChromium(chromium ?? '')
      try {
        for (let scan = 0; scan < 2; scan++) {
          const page = await (await browser.newContext()).newPage()
          await page.goto(link ?? '')
          expect(await page.locator('.code').textContent()).toBe(code)
          for (const control of await page.locator('a, button, input, form').all()) await control.click()
          await page.context().close()
        }
      } finally {
        await browser.close()
      }
      expect(await mailCount(idp)).toBe(before)
      expect((await visitor.answers(code)).remediations).toEqual(['reset-authenticator'])
    },
  )

  test('A18: opening the link shows a code to read, and gives neither tokens nor a cookie', async () => {
    const visitor = await atTheCode(asPageApp(), victim)
    const { link, code } = await mailTo(idp, victim)
    const opened = await fetch(link ?? '', { redirect: 'manual' })
    // The offer to the owner of the mailbox is an address of this link once more: it leads to a question, and is not asked here.
    const offer = `${link}&amp;own=1`
    const page = await opened.text()
    expect(page).toContain(offer)
    const text = page.replace(offer, '')

    expect(opened.headers.getSetCookie()).toEqual([])
    expect(text).toContain(code)
    for (const secret of [visitor.stateHandle, visitor.interactionHandle]) expect(text).not.toContain(secret)
    expect(text).not.toMatch(/<script|<form|token|interaction_code/i)

    // And with the code alone no other browser gets in: it belongs to the transaction that asked for it.
    const thief = await atTheCode(asPageApp(), victim)
    expect((await thief.answers(code)).status).toBe(401)
  })

  test('A18: each sign-in is a session of its own, with an id that no caller could know before', async () => {
    const sessions = async () =>
      (await idp.engine.storage.db.selectFrom('sessions').select('id').execute()).map(({ id }) => id)
    const visitor = await atTheCode(idp, victim)
    await visitor.answers((await mailTo(idp, victim)).code)
    expect(await sessions()).toEqual([])
    const done = await visitor.answers(newPassword)
    const [first] = await sessions()
    expect(first).toMatch(/^ses\w{17}$/)
    const said = JSON.stringify([visitor.response.body, visitor.response.body, done.body])
    expect(said).not.toContain(first)

    const again = await visit(idp)
    await again.submits('identify', { identifier: victim, credentials: { passcode: newPassword } })
    expect(new Set(await sessions()).size).toBe(2)
  })

  test('A19: the mail and the page name the browser, the place and the app, and warn against sharing the code', async () => {
    const headers = { 'user-agent': firefox, 'x-forwarded-for': '203.0.113.9' }
    await atTheCode(asPageApp(), victim, { headers })
    const mail = await mailTo(idp, victim)
    const page = await (await fetch(mail.link ?? '')).text()
    const steady = (text: string) =>
      text
        .replaceAll(mail.code ?? '', '<code>')
        .replaceAll(mail.link ?? '', '<link>')
        .replaceAll(idp.engineUrl, '<engine>')
        .replace(/\w+ \d+, \d{4}/g, '<date>')
        .replace(/\d+:\d\d\s[AP]M UTC/g, '<time>')
    for (const text of [mail.text ?? '', page]) {
      for (const fact of [
        'Firefox 145',
        'Windows',
        '203.0.113.9',
        'Acme Shop',
        'Never tell anyone this code',
      ]) {
        expect(text).toContain(fact)
      }
    }
    expect(steady(mail.text ?? '')).toMatchSnapshot('the mail')
    expect(steady(page.slice(page.indexOf('<main>')))).toMatchSnapshot('the page')
  })

  const poisons: readonly Readonly<Record<string, string>>[] = [
    { host: 'evil.example' },
    { host: 'evil.example:443' },
    { host: 'localhost@evil.example' },
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-host': 'localhost, evil.example' },
    { 'x-forwarded-server': 'evil.example' },
    { 'x-forwarded-proto': 'https', 'x-forwarded-port': '1337' },
    { 'x-host': 'evil.example' },
    { 'x-original-url': 'http://evil.example/', 'x-rewrite-url': 'http://evil.example/' },
    { 'x-http-host-override': 'evil.example' },
    { forwarded: 'for=evil.example;host=evil.example;proto=https' },
    { referer: 'http://evil.example/', 'x-forwarded-prefix': '//evil.example' },
  ]

  test.each(poisons)('A20: %j poisons no link', async (headers) => {
    const visitor = await atTheCode(idp, victim)
    const url = new URL('/idp/idx/challenge/resend', idp.engineUrl)
    const resent = await new Promise<string>((resolve, reject) => {
      const sent = httpRequest(
        url,
        { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (part) => {
            text += part
          })
          response.on('end', () => resolve(text))
        },
      )
      sent.on('error', reject)
      sent.end(JSON.stringify({ stateHandle: visitor.stateHandle }))
    })
    const mail = await mailTo(idp, victim)

    expect(await mailCount(idp)).toBe(2)
    expect(mail.link?.startsWith(`${idp.engineUrl}/email/verify/`)).toBe(true)
    for (const text of [resent, mail.html ?? '', mail.text ?? ''])
      expect(text).not.toMatch(/evil\.example|:1337\b/)
    for (const [, href] of resent.matchAll(/"href":"([^"]*)"/g))
      expect(href?.startsWith(idp.engineUrl)).toBe(true)
  })

  test('A21: the link and its page hand nothing on: no referrer, no copy, nothing of third parties', async () => {
    for (const target of [idp, asPageApp()]) {
      await atTheCode(target, victim)
      const { link, html } = await mailTo(idp, victim)
      const opened = await fetch(link ?? '', { redirect: 'manual' })
      expect(opened.headers.get('referrer-policy')).toBe('no-referrer')
      expect(opened.headers.get('cache-control')).toBe('no-store')
      const page = await opened.text()
      // Neither mail nor page loads anything from elsewhere.
      for (const text of [page, html ?? '']) {
        const loads = [
          ...text.matchAll(/(?:src|srcset|action|background|link[^>]*href)="([^"]*)"|url\(([^)]*)\)/g),
        ]
        expect(loads.filter(([, from]) => !from?.startsWith(idp.engineUrl))).toEqual([])
      }
    }
  })

  test('A21: no log line holds a link, a code or a handle', async () => {
    const visitor = await atTheCode(idp, victim)
    const { link, code } = await mailTo(idp, victim)
    const token = new URL(link ?? '').searchParams.get('token') ?? ''
    await fetch(link ?? '', { redirect: 'manual' })
    await fetch(`${link}%00`, { redirect: 'manual' })
    await fetch((link ?? '').replace('/email/', '/e-mail/'), { redirect: 'manual' })
    const done = await visitor.answers(code)
    await visitor.submits('nowhere', { credentials: { passcode: code } })
    const granted = await visitor.answers(newPassword)
    expect(done.status).toBe(200)
    const log = lines.join('')
    const secrets = [
      token,
      visitor.stateHandle,
      visitor.interactionHandle,
      newPassword,
      granted.interactionCode ?? '-',
    ]
    for (const secret of secrets) expect(log).not.toContain(secret)
    expect(lines.filter((line) => alone(code ?? '').test(line))).toEqual([])
  })

  test('A48: no page of the engine can be framed', async () => {
    await atTheCode(asPageApp(), victim)
    const { link } = await mailTo(idp, victim)
    for (const address of [
      link ?? '',
      `${idp.engineUrl}/email/verify/${pageApp.id}?token=ftX`,
      `${idp.engineUrl}/`,
    ]) {
      const { headers } = await fetch(address)
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('x-frame-options')).toBe('DENY')
    }
  })
})

describe('a link in a mail of the sample app', () => {
  let web: WebApp
  beforeAll(async () => {
    web = await startWebAppHere()
  })
  beforeEach(() => web.idp.reset())
  afterAll(() => web.close())

  async function goToTheCode() {
    const person = newPlainBrowser(web.url)
    await person.submit('/recover-password', { username: victim })
    await person.submit('/select-authenticator-authenticate', { authenticator: 'okta_email' })
    const mail = await web.idp.outbox.waitFor({ to: victim })
    return { person, mail }
  }
  const follow = async (browser: ReturnType<typeof newPlainBrowser>, link: string) => {
    const opened = await fetch(link, { redirect: 'manual' })
    let to: string | null = new URL(opened.headers.get('location') ?? '').href
    for (let hop = 0; hop < 5 && to !== null; hop++) {
      const page = await browser.visit(to)
      to = page.headers.get('location')
      if (to === null) return page.text
    }
    return ''
  }

  test('A18: in another browser the link shows the code and signs no user in', async () => {
    const { person, mail } = await goToTheCode()
    const stranger = newPlainBrowser(web.url)
    const page = await follow(stranger, mail.link ?? '')

    expect(page).toContain(mail.code)
    expect((await stranger.visit('/')).text).toContain('You are signed out')
    expect((await stranger.visit('/reset-authenticator')).status).not.toBe(200)
    const before = person.jar.get('session')
    expect(await person.submit('/challenge-authenticator', { verificationCode: mail.code ?? '' })).toBe(
      '/reset-authenticator',
    )
    expect(
      await person.submit('/reset-authenticator', { password: newPassword, confirmPassword: newPassword }),
    ).toBe('/')
    // A session that an attacker planted before the sign-in is not the one that is signed in.
    expect(before).toBeDefined()
    expect(person.jar.get('session')).not.toBe(before)
  })

  test.skipIf(chromium === undefined)(
    `A17: a scanner with JavaScript on the app's page leaves the link to the user${chromium ? '' : ` (skipped: ${noChromium})`}`,
    async () => {
      const { person, mail } = await goToTheCode()
      const browser = await launchChromium(chromium ?? '')
      try {
        for (let scan = 0; scan < 2; scan++) {
          const page = await (await browser.newContext()).newPage()
          await page.goto(mail.link ?? '')
          await page.waitForLoadState('load')
          await page.context().close()
        }
      } finally {
        await browser.close()
      }
      expect(web.idp.outbox.to(victim)).toHaveLength(1)
      expect(await follow(person, mail.link ?? '')).toContain('New password')
    },
  )

  test.skipIf(chromium === undefined)(
    `A48: a page of an attacker cannot show the reset page in a frame${chromium ? '' : ` (skipped: ${noChromium})`}`,
    async () => {
      const evil = createServer((request, response) => {
        const framed = new URL(request.url ?? '', 'http://localhost').searchParams.get('frame')
        response
          .setHeader('content-type', 'text/html')
          .end(framed ? `<iframe src="${framed}"></iframe>` : 'framed')
      }).listen(0, '127.0.0.1')
      await once(evil, 'listening')
      const { port } = evil.address() as AddressInfo
      const browser = await launchChromium(chromium ?? '')
      try {
        const page = await browser.newPage()
        const framed = async (address: string) => {
          await page.goto(`http://localhost:${port}/?frame=${encodeURIComponent(address)}`)
          return page.frames()[1]?.url()
        }
        // A page that does not mind is shown.
        expect(await framed(`http://localhost:${port}/`)).toBe(`http://localhost:${port}/`)
        for (const path of ['/recover-password', '/login']) {
          expect(await framed(`${web.url}${path}`)).toMatch(/^chrome-error:/)
        }
      } finally {
        await browser.close()
        evil.close()
      }
    },
  )
})
