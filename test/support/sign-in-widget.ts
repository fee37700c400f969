import { once } from 'node:events'
import type { Server } from 'node:http'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import { createWidgetServer } from '../../examples/sign-in-widget/server.ts'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from './chromium.ts'
import { clientsFolder, hasClients } from './clients.ts'
import { createRedirectingApp } from './widget-app.ts'

// Okta's Sign-In Widget, unmodified, in a real browser: embedded, on the page of examples/sign-in-widget, and as the page that an app
// redirects to (`pages: widget`).

const chromium = findChromium()
/** The package of the widget. */
export const widgetFolder = join(clientsFolder, 'node_modules/@okta/okta-signin-widget')
const files = join(widgetFolder, 'dist')
const reason = chromium ? '' : ` (skipped: ${noChromium})`
/** A folder for pictures of the pages, wide and narrow, to be looked at. */
const pictures = process.env.REKEY_TEST_PICTURES

/** Whether the walks that take long run as well. */
export const world = process.env.REKEY_TEST_WORLD === '1'

export type Generation = '2' | '3'

/** Where the widget is: on a page of the app, or as the page of the engine, on which the app's user arrives by redirect. */
export type Place = 'embedded' | 'hosted'

/** What the suites of the widget share. */
export interface WidgetSuite {
  readonly idp: Kit
  /** Where the page with the widget is. */
  readonly url: string
  readonly generation: Generation
  readonly place: Place
  /** A browser that has been nowhere yet. */
  newBrowser(): Promise<BrowserContext>
  /** A tab, in a browser of its own where none is named, with a built-in authenticator that verifies its user. */
  newPage(context?: BrowserContext): Promise<Page>
  /** Where the link of a mail leads: the page with the widget, as the callback of the app. */
  target(link: string | null): Promise<string>
  /** Takes a picture of a page where pictures are wanted, named with the generation. */
  look(page: Page, name: string): Promise<void>
  /** What the widget had no words for. Each test has to leave it empty. */
  readonly wordless: string[]
  /** What the policy of the engine's page kept a browser from. Each test has to leave it empty. */
  readonly blocked: string[]
}

/** What is on a page, for the report of a test that failed. */
const wordsOf = async (page: Page) =>
  `${page.url()}\n${(await page.locator('body').innerText()).replace(/\n+/g, '\n').slice(0, 2000)}`

const variants = (['embedded', 'hosted'] as const).flatMap((place) =>
  (['2', '3'] as const).map((generation) => ({
    ...{ generation, place },
    title: `generation ${generation}${place === 'hosted' ? ', as the page' : ''}`,
  })),
)

/** The settings with which the engine has the widget as its page. */
export const asPage = (
  { settings, ...options }: KitOptions,
  generation: Generation,
): KitOptions & { readonly settings: NonNullable<KitOptions['settings']> } => ({
  ...options,
  settings: {
    ...settings,
    ...{ pages: 'widget', widget: { package: widgetFolder, generation: Number(generation) } },
  },
})

/** Describes what both generations do, embedded and, at length, as the page, with an engine and a browser for each. */
export function describeWidget(
  name: string,
  options: KitOptions,
  suite: (widget: WidgetSuite) => void,
  { run: runs = true } = {},
): void {
  const run = variants.filter(({ place }) => runs && (place === 'embedded' || world))
  describe.skipIf(!chromium || !hasClients || !runs).each(run.length > 0 ? run : variants)(
    `${name}, $title${reason}`,
    ({ generation, place }) => {
      const parts: { idp?: Kit; server?: Server; browser?: Browser; url?: string } = {}
      const part = <Name extends keyof typeof parts>(one: Name) => {
        const found = parts[one]
        if (found === undefined) throw new Error(`${one} has not been started`)
        return found as NonNullable<(typeof parts)[Name]>
      }
      const wordless: string[] = []
      const blocked: string[] = []
      beforeAll(async () => {
        parts.idp = await startEngine(place === 'hosted' ? asPage(options, generation) : options)
        const { issuer, publicClientId: clientId } = parts.idp
        parts.server = (
          place === 'hosted'
            ? createRedirectingApp({ issuer, clientId, forgets: true })
            : createWidgetServer({ issuer, clientId, generation, files })
        ).listen(0, 'localhost')
        await once(parts.server, 'listening')
        const address = parts.server.address()
        parts.url = `http://localhost:${typeof address === 'object' ? address?.port : ''}`
        parts.browser = await launchChromium(chromium ?? '')
      })
      beforeEach(async () => {
        wordless.length = 0
        blocked.length = 0
        await part('idp').reset()
      })
      afterEach(async ({ task }) => {
        const hasFailed = task.result?.state === 'fail'
        for (const context of part('browser').contexts()) {
          if (hasFailed) for (const page of context.pages()) console.error(await wordsOf(page))
          await context.close()
        }
        expect(wordless).toEqual([])
        expect(blocked).toEqual([])
      })
      afterAll(async () => {
        await parts.browser?.close()
        parts.server?.close()
        await parts.idp?.close()
      })

      async function newBrowser(): Promise<BrowserContext> {
        const context = await part('browser').newContext()
        context.setDefaultTimeout(20_000)
        await context.exposeFunction('hasNoWords', (key: string) => wordless.push(key))
        // The widget says so itself, with an event.
        await context.addInitScript(
          "document.addEventListener('okta-i18n-error', ({ detail }) => hasNoWords(String(detail.key)))",
        )
        await noteBlocked(context, blocked)
        return context
      }

      async function newPage(context?: BrowserContext): Promise<Page> {
        const page = await (context ?? (await newBrowser())).newPage()
        const session = await page.context().newCDPSession(page)
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

      suite({
        get idp() {
          return part('idp')
        },
        get url() {
          return part('url')
        },
        generation,
        place,
        newBrowser,
        newPage,
        async target(link) {
          if (place === 'hosted') return link ?? ''
          const { headers } = await fetch(link ?? '', { redirect: 'manual' })
          return `${part('url')}/login/callback${new URL(headers.get('location') ?? '').search}`
        },
        look: (page, name) =>
          pictured(page, `widget-${generation}-${place === 'hosted' ? 'page-' : ''}${name}`),
        wordless,
        blocked,
      })
    },
  )
}

/** Notes what the policy of a page keeps a browser from. */
export async function noteBlocked(context: BrowserContext, blocked: string[]): Promise<void> {
  await context.exposeFunction('isBlocked', (what: string) => blocked.push(what))
  await context.addInitScript(
    "document.addEventListener('securitypolicyviolation', (one) => isBlocked([one.violatedDirective, one.blockedURI, one.sourceFile, one.sample].join(' ')))",
  )
}

/** Gives the widget of a page settings beside those that the page itself has. */
export async function configures(page: Page, more: Readonly<Record<string, unknown>>): Promise<void> {
  await page.addInitScript((added) => {
    type Widget = new (settings: object) => object
    let original: Widget | undefined
    Object.defineProperty(globalThis, 'OktaSignIn', {
      set: (widget: Widget) => {
        original = widget
      },
      get: () =>
        original &&
        function configured(settings: object) {
          return original && new original({ ...settings, ...added })
        },
    })
  }, more)
}

export const field = (page: Page, name: string) => page.locator(`input[name="${name}"]`)
export const submit = (page: Page) =>
  page
    .locator('input[type=submit], button[type=submit], a.button-primary')
    .filter({ visible: true })
    .first()
    .click()
/**
 * Does something until it has its effect. For a moment after an answer that it shows on the same page (a refusal, another
 * call) generation 2 takes no click: users take longer than that, robots do not.
 */
export async function again(act: () => Promise<void>, effect: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    const seen = effect().then(
      () => true,
      () => false,
    )
    await act()
    if (await seen) return
  }
  throw new Error('the widget does nothing')
}
/** Submits a form that was refused before. */
export const submitAgain = (page: Page) =>
  again(
    () => submit(page),
    () => page.waitForRequest(/\/idp\/idx\//, { timeout: 4_000 }),
  )
/** Waits for words on the page. */
export const reads = (page: Page, words: string | RegExp) =>
  page.getByText(words).filter({ visible: true }).first().waitFor()
/** A link or a button, by its words: what is a button in one generation is a link in the other. */
export const presses = (page: Page, words: string | RegExp) =>
  page.locator('a, button').filter({ visible: true, hasText: words }).first().click()
export const signedIn = (page: Page, name = 'Mary Major') => reads(page, `Signed in as ${name}`)

/** From the first page on. */
export async function signIn(
  { idp, url }: Pick<WidgetSuite, 'idp' | 'url'>,
  page: Page,
  { login = idp.person.login, password = idp.person.password } = {},
): Promise<void> {
  await page.goto(url)
  await field(page, 'identifier').fill(login)
  await field(page, 'credentials.passcode').fill(password)
  await submit(page)
}

/** Chooses an authenticator of a list by its name, to be set up or to be proven. */
export async function chooses(page: Page, name: string | RegExp): Promise<void> {
  const second = page.locator('.authenticator-row').filter({ hasText: name }).locator('a')
  const third = page.locator('button[data-se=authenticator-button]').filter({ hasText: name })
  await second.or(third).first().click()
}

export async function typesCode(page: Page, code: string): Promise<void> {
  await field(page, 'credentials.passcode').fill(code)
  await submit(page)
}

/** Stores a picture of the page, wide and narrow, where `REKEY_TEST_PICTURES` names a folder. */
export async function pictured(page: Page, name: string): Promise<void> {
  const size = page.viewportSize()
  if (pictures === undefined || size === null) return
  await page.waitForTimeout(500)
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
  await page.setViewportSize({ width: 320, height: 700 })
  await page.waitForTimeout(200)
  await page.screenshot({ path: join(pictures, `${name}-320.png`), fullPage: true })
  await page.setViewportSize(size)
}
