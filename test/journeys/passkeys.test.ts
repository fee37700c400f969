import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { clientsFolder, hasClients } from '../support/clients.ts'
import { requirePasskeys, setPasskeys } from '../wire/passkeys.ts'
import { twoFactors } from '../wire/totp.ts'

// Okta's SDK with its own helper for passkeys, in a real browser with an authenticator that the browser simulates.

const chromium = findChromium()
const pageScript = join(import.meta.dirname, 'passkey-page.js')
const sdk = join(clientsFolder, 'node_modules/@okta/okta-auth-js/dist/okta-auth-js.min.js')

describe.skipIf(!chromium || !hasClients)(
  `passkeys in a browser${chromium ? '' : ` (skipped: ${noChromium})`}`,
  () => {
    let idp: Kit
    let server: Server
    let url: string
    let browser: Browser
    beforeAll(async () => {
      idp = await startEngine({ settings: { webauthn: { rpId: 'localhost' } } })
      const scripts = [sdk, pageScript].map((file) => readFileSync(file, 'utf8')).join('\n')
      server = createServer(({ url: path }, response) => {
        const isScript = path === '/app.js'
        response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
        response.end(isScript ? scripts : '<!doctype html><title>App</title><script src="/app.js"></script>')
      }).listen(0, 'localhost')
      await once(server, 'listening')
      const address = server.address()
      url = `http://localhost:${typeof address === 'object' ? address?.port : ''}`
      browser = await launchChromium(chromium ?? '')
    })
    beforeEach(() => idp.reset())
    afterAll(async () => {
      await browser?.close()
      server?.close()
      await idp?.close()
    })

    /** A tab whose browser has a built-in authenticator that verifies its user. */
    async function newPage(): Promise<Page> {
      const context = await browser.newContext()
      const page = await context.newPage()
      const session = await context.newCDPSession(page)
      await session.send('WebAuthn.enable')
      await session.send('WebAuthn.addVirtualAuthenticator', {
        options: {
          protocol: 'ctap2',
          transport: 'internal',
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      })
      return page
    }

    const settings = () => ({
      issuer: idp.issuer,
      clientId: idp.publicClientId,
      redirectUri: `${url}/login/callback`,
      scopes: ['openid', 'profile'],
      storageManager: { transaction: { storageTypes: ['memory'] } },
      person: { username: idp.person.login, password: idp.person.password },
    })

    test('are enrolled, are the second factor, and sign in without a name', async () => {
      await requirePasskeys(idp)
      const page = await newPage()
      const does = async (what: string): Promise<unknown> => {
        await page.goto(url)
        return page.evaluate(`passkeyPage.${what}(${JSON.stringify(settings())})`)
      }

      expect(await does('enrols')).toEqual({ status: 'SUCCESS', amr: ['pwd', 'hwk', 'user', 'mfa'] })
      await twoFactors(idp)
      expect(await does('verifies')).toEqual({ status: 'SUCCESS', amr: ['pwd', 'hwk', 'user', 'mfa'] })
      await setPasskeys(idp, { showSignInWithAPasskeyButton: true })
      expect(await does('signsInWithoutAName')).toEqual({ status: 'SUCCESS', amr: ['hwk', 'user', 'mfa'] })
    })
  },
)
