import { rmSync } from 'node:fs'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { authorizeUrl, idx, newBrowser, signsIn } from '../support/redirects.ts'
import { writeWidgetPackage } from '../support/widget-package.ts'
import { ada, type RegisteredClient, register, startShop } from '../wire/oauth-app.ts'

// The widget as the page of `authorize`: what its page is made of, and what may be loaded by it.
let idp: Kit
let app: RegisteredClient
const folder = writeWidgetPackage()
const name = `Harbour "</script><script>alert(1)</script>`

beforeAll(async () => {
  idp = await startShop({
    settings: {
      ...{ pages: 'widget', widget: { package: folder } },
      brand: { name, primaryColor: '#0b7a4b', links: { help: 'https://example.com/help' } },
      captcha: {
        ...{ type: 'HCAPTCHA', siteKey: 'key', secret: 'secret', forms: ['recovery'] },
        scriptUrl: 'https://captcha.example.com/api.js',
      },
    },
  })
  app = await register(idp, { grantTypes: ['authorization_code', 'refresh_token'] })
})
afterAll(async () => {
  await idp?.close()
  rmSync(folder, { recursive: true })
})

const entities: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&lt;': '<',
  '&gt;': '>',
  '&#39;': "'",
  '&amp;': '&',
}

async function pageAt(browser = newBrowser(), init: RequestInit = {}, url = authorizeUrl(idp.issuer, app)) {
  const response = await browser.goes(url, init)
  const text = await response.text()
  const [, attribute = '{}'] = /data-settings="([^"]*)"/.exec(text) ?? []
  const settings = JSON.parse(attribute.replace(/&\w+;|&#39;/g, (one) => entities[one] ?? one))
  return { response, text, settings, browser }
}

describe('the page', () => {
  test('is the answer of authorize itself, has the state token of a transaction, and is stored nowhere', async () => {
    const { response, settings } = await pageAt()
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(settings).toMatchObject({
      ...{ baseUrl: idp.engineUrl, brandName: name, language: 'en' },
      colors: { brand: '#0b7a4b' },
      helpLinks: { help: 'https://example.com/help' },
      hcaptcha: { scriptSource: 'https://captcha.example.com/api.js' },
    })
    expect(settings.stateToken).toMatch(/^02\.id\./)
    expect(settings).not.toHaveProperty('clientId')
    const { remediation } = await idx(idp.engineUrl, 'introspect', { stateToken: settings.stateToken })
    expect(remediation?.value.map((one) => one.name)).toContain('identify')
  })

  test('allows what the engine serves and what has the nonce of this answer, and may stand in no frame', async () => {
    const first = await pageAt()
    const second = await pageAt()
    const policy = first.response.headers.get('content-security-policy') ?? ''
    const [, nonce = ''] = /'nonce-([^']+)'/.exec(policy) ?? []
    expect(nonce).toMatch(/^[A-Za-z0-9]{43}$/)
    expect(first.settings.cspNonce).toBe(nonce)
    expect(second.settings.cspNonce).not.toBe(nonce)
    const captcha = 'https://hcaptcha.com https://*.hcaptcha.com https://captcha.example.com'
    expect(policy).toBe(
      `default-src 'none'; script-src 'self' 'nonce-${nonce}' ${captcha}; style-src 'self' 'nonce-${nonce}' ${captcha}; ` +
        `img-src 'self' data: ${captcha}; font-src 'self' data:; connect-src 'self' ${captcha}; frame-src ${captcha}; ` +
        "base-uri 'none'; frame-ancestors 'none'",
    )
    expect(policy).not.toContain('unsafe')
    expect(first.response.headers.get('x-frame-options')).toBe('DENY')
  })

  // A82
  test('has a name with markup in it as text', async () => {
    const { text, settings } = await pageAt()
    expect(settings.brandName).toBe(name)
    expect(text).not.toContain('<script>alert')
  })

  test('is in a language of the widget', async () => {
    const { text, settings } = await pageAt(newBrowser(), {
      headers: { 'accept-language': 'de-AT,de;q=0.9' },
    })
    expect([settings.language, text.includes('<html lang="de">')]).toEqual(['de', true])
  })

  // A80
  test('leads to the code in its own browser alone', async () => {
    const { settings, browser } = await pageAt()
    const { success } = await signsIn(idp.engineUrl, settings.stateToken, ada)
    const elsewhere = await newBrowser().goes(success?.href ?? '')
    expect([elsewhere.status, elsewhere.headers.getSetCookie()]).toEqual([400, []])
    const here = await browser.goes(success?.href ?? '')
    expect(new URL(here.headers.get('location') ?? '').searchParams.get('code')).toMatch(/\w/)
  })

  test('of a request that cannot be loaded again is at an address that can', async () => {
    const browser = newBrowser()
    const address = await postedTo(browser)
    expect(address).toMatch(/^http:\/\/localhost:\d+\/signin\/widget\?t=[\w-]{12}$/)
    const [first, second] = [await pageAt(browser, {}, address), await pageAt(browser, {}, address)]
    expect(first.settings.stateToken).toMatch(/^02\.id\./)
    expect(second.settings.stateToken).toBe(first.settings.stateToken)
    const stranger = await newBrowser().goes(address)
    expect(stranger.headers.get('location')).toMatch(/\/signin\?t=/)
  })

  test('is that of its own tab, also where the engine’s page goes on', async () => {
    const browser = newBrowser()
    const addresses = [await postedTo(browser), await postedTo(browser)]
    const pages = []
    for (const address of addresses) pages.push(await pageAt(browser, {}, address))
    expect(new Set(pages.map(({ settings }) => settings.stateToken)).size).toBe(2)
    pages.forEach(({ text }, at) => {
      const own = `${idp.engineUrl}/signin${new URL(addresses[at] ?? '').search}`
      expect([text.includes(`data-fallback="${own}"`), text.includes(`0; url=${own}"`)]).toEqual([true, true])
    })
  })

  /** Where a request leads that cannot be loaded again: one that a form has sent. */
  async function postedTo(browser: ReturnType<typeof newBrowser>): Promise<string> {
    const { response } = await pageAt(
      browser,
      {
        method: 'POST',
        body: new URL(authorizeUrl(idp.issuer, app)).search.slice(1),
        headers: {
          ...{ 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        },
      },
      `${idp.issuer}/v1/authorize`,
    )
    expect(response.status).toBe(303)
    return response.headers.get('location') ?? ''
  }
})

describe('what it loads', () => {
  const script = async () => /<script src="([^"]+okta-sign-in.min.js)"/.exec((await pageAt()).text)?.[1] ?? ''

  test('is stored for a year, under a path that is another one for other files, and small on the way', async () => {
    const address = await script()
    expect(address).toMatch(/\/assets\/widget\/7\.49\.0-[\w-]{10}\/js\/okta-sign-in\.min\.js$/)
    const response = await fetch(address)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
      'content-encoding': 'gzip',
      'x-content-type-options': 'nosniff',
    })
    expect(await response.text()).toContain('xxxx')
    const plain = await fetch(address, { headers: { 'accept-encoding': 'gzip;q=0' } })
    expect([plain.headers.get('content-encoding'), (await plain.text()).length]).toEqual([null, 2006])
    const font = await fetch(address.replace('js/okta-sign-in.min.js', 'font/okticon.woff'))
    expect([font.status, font.headers.get('content-type')]).toEqual([200, 'font/woff'])
  })

  test.each([
    'js/okta-sign-in.min.js.map',
    '../package.json',
    '..%2fsecret.txt',
    'js/../../secret.txt',
    'labels',
    '',
    '__proto__',
  ])('is nothing else of the package: %s', async (path) => {
    const { pathname, port } = new URL(await script())
    // As it is: a client that tidies the path up would ask for something else.
    const status = await new Promise((resolve, reject) => {
      const asked = pathname.replace('js/okta-sign-in.min.js', path)
      request({ host: 'localhost', port, path: asked }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(404)
  })

  test('has a letter for an app without a logo', async () => {
    const response = await fetch(`${idp.engineUrl}/img/logos/default.png`)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'image/svg+xml; charset=utf-8',
    ])
    expect(await response.text()).toMatch(/fill="#0b7a4b".*>H<\/text>/)
  })

  test('of another build is not there', async () => {
    const address = await script()
    expect((await fetch(address.replace('7.49.0-', '7.48.0-'))).status).toBe(404)
  })
})
