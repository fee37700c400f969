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
const sdk = join(clientsFolder, 'node_modules/@okta/okta-auth-js/dist/okta-auth-js.umd.js')

/** What the scripts of the page use of the SDK, which is loaded there. */
interface Sdk {
  readonly OktaAuth: {
    new (options: object): { readonly idx: Idx }
    readonly webauthn: {
      buildCredentialCreationOptions(data: unknown, enrollments: unknown): CredentialCreationOptions
      buildCredentialRequestOptions(data: unknown, enrollments: unknown): CredentialRequestOptions
      getAttestation(credential: unknown): object
      getAssertion(credential: unknown): object
    }
  }
  readonly results: string[]
}
interface Idx {
  start(): Promise<Result>
  authenticate(options?: object): Promise<Result>
  proceed(options: object): Promise<Result>
}
interface Result {
  readonly status: string
  readonly tokens?: { readonly idToken: { readonly claims: { readonly amr: readonly string[] } } }
  readonly messages?: readonly { readonly message: string }[]
  readonly nextStep?: {
    readonly name: string
    readonly authenticatorEnrollments?: unknown
    readonly authenticator?: {
      readonly contextualData: { readonly activationData?: unknown; readonly challengeData?: unknown }
    }
  }
  readonly context?: {
    readonly webauthnAutofillUIChallenge?: { readonly value: { readonly challengeData: unknown } }
  }
}

describe.skipIf(!chromium || !hasClients)(
  `passkeys in a browser${chromium ? '' : ` (skipped: ${noChromium})`}`,
  () => {
    let idp: Kit
    let server: Server
    let url: string
    let browser: Browser
    beforeAll(async () => {
      idp = await startEngine({ settings: { webauthn: { rpId: 'localhost' } } })
      const script = readFileSync(sdk)
      server = createServer(({ url: path }, response) => {
        const isScript = path === '/okta-auth-js.js'
        response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
        response.end(
          isScript ? script : '<!doctype html><title>App</title><script src="/okta-auth-js.js"></script>',
        )
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

      await page.goto(url)
      const enrolled = await page.evaluate(async ({ person, ...options }) => {
        const { OktaAuth } = window as unknown as Sdk
        const { idx } = new OktaAuth(options)
        await idx.authenticate(person)
        const { nextStep } = await idx.proceed({ authenticator: 'webauthn' })
        const made = await navigator.credentials.create(
          OktaAuth.webauthn.buildCredentialCreationOptions(
            nextStep?.authenticator?.contextualData.activationData,
            nextStep?.authenticatorEnrollments,
          ),
        )
        const done = await idx.proceed({ ...OktaAuth.webauthn.getAttestation(made) })
        return { status: done.status, amr: done.tokens?.idToken.claims.amr, messages: done.messages }
      }, settings())
      expect(enrolled).toEqual({ status: 'SUCCESS', amr: ['pwd', 'hwk', 'user', 'mfa'] })

      await twoFactors(idp)
      await page.goto(url)
      const second = await page.evaluate(async ({ person, ...options }) => {
        const { OktaAuth } = window as unknown as Sdk
        const { idx } = new OktaAuth(options)
        await idx.authenticate(person)
        const { nextStep } = await idx.proceed({ authenticator: 'webauthn' })
        const used = await navigator.credentials.get(
          OktaAuth.webauthn.buildCredentialRequestOptions(
            nextStep?.authenticator?.contextualData.challengeData,
            nextStep?.authenticatorEnrollments,
          ),
        )
        const done = await idx.proceed({ ...OktaAuth.webauthn.getAssertion(used) })
        return { status: done.status, amr: done.tokens?.idToken.claims.amr, messages: done.messages }
      }, settings())
      expect(second).toEqual({ status: 'SUCCESS', amr: ['pwd', 'hwk', 'user', 'mfa'] })

      await setPasskeys(idp, { showSignInWithAPasskeyButton: true })
      await page.goto(url)
      const first = await page.evaluate(async ({ person: _, ...options }) => {
        const { OktaAuth } = window as unknown as Sdk
        const { idx } = new OktaAuth(options)
        const started = await idx.start()
        const { publicKey } = OktaAuth.webauthn.buildCredentialRequestOptions(
          started.context?.webauthnAutofillUIChallenge?.value.challengeData,
          [],
        )
        const used = (await navigator.credentials.get({
          publicKey: {
            ...publicKey,
            challenge: publicKey?.challenge ?? new ArrayBuffer(0),
            allowCredentials: [],
          },
        })) as PublicKeyCredential
        const { userHandle } = used.response as AuthenticatorAssertionResponse
        const handle = btoa(String.fromCharCode(...new Uint8Array(userHandle ?? new ArrayBuffer(0))))
        const credentials = { ...OktaAuth.webauthn.getAssertion(used), userHandle: handle }
        const done = await idx.proceed({ step: 'launch-passkeys-authenticator', credentials })
        return { status: done.status, amr: done.tokens?.idToken.claims.amr, messages: done.messages }
      }, settings())
      expect(first).toEqual({ status: 'SUCCESS', amr: ['hwk', 'user', 'mfa'] })
    })
  },
)
