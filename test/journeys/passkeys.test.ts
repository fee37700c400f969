import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { clientsFolder, hasClients } from '../support/clients.ts'
import { appRule } from '../support/policy-rules.ts'
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

    /** A tab whose browser has a built-in authenticator that verifies its user, unless it is said otherwise. */
    async function newPage(isUserVerified = true): Promise<Page> {
      const context = await browser.newContext()
      const page = await context.newPage()
      const session = await context.newCDPSession(page)
      await session.send('WebAuthn.enable')
      await session.send('WebAuthn.addVirtualAuthenticator', {
        options: {
          protocol: 'ctap2',
          transport: 'internal',
          hasResidentKey: true,
          hasUserVerification: isUserVerified,
          isUserVerified,
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
      idx: { enableLegacyMode: true },
      person: { username: idp.person.login, password: idp.person.password },
    })

    const possession = (constraints: object) =>
      appRule(idp, {
        factorMode: '2FA',
        constraints: [{ possession: { required: true, ...constraints } }],
      })
    const does = async (page: Page, what: string) => {
      await page.goto(url)
      return page.evaluate(`passkeyPage.${what}(${JSON.stringify(settings())})`)
    }
    const signedIn = { status: 'SUCCESS', amr: ['pwd', 'hwk', 'user', 'mfa'] }

    test('are enrolled, are the second factor, and sign in without a name', async () => {
      await requirePasskeys(idp)
      const page = await newPage()
      expect(await does(page, 'enrols')).toEqual(signedIn)
      await twoFactors(idp)
      expect(await does(page, 'verifies')).toEqual(signedIn)
      await setPasskeys(idp, { showSignInWithAPasskeyButton: true })
      expect(await does(page, 'signsInWithoutAName')).toEqual({
        status: 'SUCCESS',
        amr: ['hwk', 'user', 'mfa'],
      })
    })

    test('one that verifies its user meets a rule that asks for it, and one that cannot is not made', async () => {
      await requirePasskeys(idp)
      await possession({ phishingResistant: 'REQUIRED', userVerification: 'REQUIRED' })
      const page = await newPage()
      expect(await does(page, 'enrols')).toEqual(signedIn)
      expect(await does(page, 'verifies')).toEqual(signedIn)

      await idp.reset()
      await requirePasskeys(idp)
      await possession({ userVerification: 'REQUIRED' })
      // The browser itself has nothing that could.
      await expect(does(await newPage(false), 'enrols')).rejects.toThrow(/NotAllowedError|NotSupportedError/)
    })

    test('one that does not verify its user resists phishing, and is let in for that', async () => {
      await requirePasskeys(idp)
      await possession({ phishingResistant: 'REQUIRED' })
      const page = await newPage(false)
      expect(await does(page, 'enrols')).toMatchObject({ status: 'SUCCESS' })
      expect(await does(page, 'verifies')).toMatchObject({ status: 'SUCCESS' })
    })

    test('one whose statement names no maker of hardware is refused where a rule asks for hardware', async () => {
      await requirePasskeys(idp)
      await setPasskeys(idp, { attestation: 'DIRECT' })
      const page = await newPage()
      expect(await does(page, 'enrols')).toEqual(signedIn)
      await possession({ phishingResistant: 'REQUIRED', hardwareProtection: 'REQUIRED' })
      expect(await does(page, 'verifies')).toEqual({
        status: 'TERMINAL',
        messages: ['You do not have permission to perform the requested action.'],
      })
    })
  },
)
