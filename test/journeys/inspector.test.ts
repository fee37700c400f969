import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Exchange } from '../../src/audit/index.ts'
import { silentLogger } from '../../src/base/index.ts'
import { type Kit, newVisitor, startEngine } from '../../src/testing/index.ts'
import { alone } from '../support/alone.ts'
import { atTheCode, atTheReset, mailTo, newPassword, visit, wrongCode } from '../support/attacks.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { startNode } from '../support/nodes.ts'
import { failures, recoversByLink } from './inspector-failures.ts'

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''
let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const page = async (path: string) => (await fetch(`${idp.controlUrl}${path}`)).text()

/** What a reader sees of a piece of HTML. */
const textOf = (html: string): string =>
  html
    .replace(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')

/** The id of the first transaction, or of an exchange that belongs to none. */
async function firstOf(kit: Kit): Promise<string> {
  const begun = (await kit.engine.transactions()).toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))
  const list = await (await fetch(`${kit.controlUrl}/flows`)).text()
  const id = begun[0]?.id ?? /data-id="(exc\d+)"/.exec(list)?.[1]
  if (id === undefined) throw new Error('nothing was recorded')
  return id
}

test.each(failures)('the cause of $what is named: $cause', async ({ cause, says, options, drive }) => {
  const kit = options === undefined ? idp : await startEngine(options)
  if (options !== undefined) onTestFinished(() => kit.close())
  await drive(kit)

  const shown = await (await fetch(`${kit.controlUrl}/flows/${await firstOf(kit)}`)).text()
  const [, named, html = ''] =
    /data-cause="([^"]+)">[\s\S]*?<p class="verdict-text">([\s\S]*?)<\/p>/.exec(shown) ?? []
  expect(named).toBe(cause)
  expect(textOf(html)).toMatch(says)
})

test('why a link or an interaction code is refused is recorded in the words that explanations read', async () => {
  const watched: Exchange[] = []
  const node = await startNode({ ports: { recordExchange: (exchange) => watched.push(exchange) } })
  onTestFinished(() => node.close())
  const login = 'mary@example.com'
  const opens = async (link: string | null) => (await fetch(link ?? '', { redirect: 'manual' })).text()

  const first = await atTheCode(node, login)
  const replaced = (await mailTo(node, login)).link
  await first.resends()
  const mail = await mailTo(node, login)
  for (const link of [replaced, mail.link]) await opens(link)
  await first.answers(mail.code)
  await opens(mail.link)
  const other = await atTheCode(node, login)
  const { link } = await mailTo(node, login)
  node.clock.advance(360_000)
  await opens(link)
  expect(other.remediations).toContain('challenge-authenticator')

  await first.answers(newPassword)
  const code = first.response.interactionCode
  await first.redeems(code)
  await first.redeems(code)
  const second = newVisitor(node)
  await second.signsIn(login, newPassword)
  node.clock.advance(120_000)
  await second.redeems()
  const third = newVisitor(node)
  await third.signsIn(login, newPassword)
  await second.redeems(third.response.interactionCode)

  const reasonsOf = (endpoint: Exchange['endpoint']) =>
    watched.filter((exchange) => exchange.endpoint === endpoint).map(({ reason }) => reason)
  expect(reasonsOf('link')).toEqual(['stale', 'alive', 'dead', 'expired'])
  expect(reasonsOf('token')).toEqual([undefined, 'used', 'expired', 'verifier'])
})

describe.skipIf(executablePath === undefined)(`the flow inspector in Chromium${reason}`, () => {
  let chromium: Browser

  beforeAll(async () => {
    chromium = await launchChromium(executablePath ?? '')
  })
  afterAll(() => chromium?.close())

  async function open(kit: Kit, path: string, options: BrowserContextOptions = {}) {
    const context = await chromium.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    onTestFinished(() => context.close())
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: kit.controlUrl })
    const opened = await context.newPage()
    const complaints: string[] = []
    opened.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    opened.on('pageerror', (error) => complaints.push(String(error)))
    await opened.goto(kit.controlUrl + path)
    if (options.javaScriptEnabled !== false) await opened.getByText('Live', { exact: true }).waitFor()
    return { page: opened, complaints }
  }

  const verdict = (shown: Page) => shown.locator('.verdict')

  // One cause of each kind of page: a transaction, a link, a call that belongs to no transaction.
  test.each(failures.filter(({ cause }) => ['code-expired', 'link-used', 'client-unknown'].includes(cause)))(
    'shows the cause of $what: $cause',
    async ({ cause, says, drive }) => {
      await drive(idp)

      const { page: shown, complaints } = await open(idp, '/flows')
      await shown.locator(`.row[data-id="${await firstOf(idp)}"] .row-link`).click()
      await verdict(shown).waitFor()
      expect(await verdict(shown).getAttribute('data-cause')).toBe(cause)
      expect(await verdict(shown).locator('.verdict-text').innerText()).toMatch(says)
      expect(complaints).toEqual([])
    },
  )

  test('shows a flow live, without a reload', async () => {
    const { page: shown, complaints } = await open(idp, '/flows')
    await shown.getByRole('heading', { name: 'No flow yet' }).waitFor()
    const visitor = await visit(idp)
    await shown.locator('.row').click()
    await verdict(shown).getByText('The transaction has been waiting for the username').waitFor()

    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: idp.person.login })
    await shown.getByRole('heading', { name: `Recovery of ${idp.person.login}` }).waitFor()
    await visitor.selects('okta_email')
    await verdict(shown)
      .getByText('The transaction is waiting for the code or the link that was mailed')
      .waitFor()
    await shown.getByText('ForgotPassword: delivered.').waitFor()
    await visitor.answers(wrongCode((await mailTo(idp, idp.person.login)).code))
    await verdict(shown).getByText('It is wrong answer 1 of 5.').waitFor()
    expect(complaints).toEqual([])
  })

  test('copies the diagram, and can be used with the keyboard alone', async () => {
    await recoversByLink(idp)
    const { page: shown } = await open(idp, '/flows')
    await shown.keyboard.press('j')
    await shown.keyboard.press('Enter')
    await verdict(shown).waitFor()
    expect(await verdict(shown).getAttribute('data-cause')).toBe('signed-in')

    await shown.keyboard.press('c')
    await shown.getByText('Copied the diagram.').waitFor()
    const copied = await shown.evaluate<string>('navigator.clipboard.readText()')
    expect(copied).toContain('sequenceDiagram\n  autonumber\n  participant App\n')
    expect(copied).toContain('  App->>Rekey: challenge/answer (6 digits)\n  Rekey-->>App: 200 reset\n')
    // That a mail has left is recorded once it has, which may be after its link was opened.
    expect(copied).toContain('  Rekey->>Mailbox: ForgotPassword\n')
    expect(copied).toContain('  Mailbox->>Rekey: link opened\n')
    await shown.keyboard.press('Escape')
    await shown.getByRole('heading', { name: 'Choose a flow' }).waitFor()
  })

  test('is complete without JavaScript', async () => {
    const visitor = await atTheCode(idp, idp.person.login)
    await visitor.answers(wrongCode((await mailTo(idp, idp.person.login)).code))
    const { page: shown } = await open(idp, '/', { javaScriptEnabled: false })
    await shown.getByRole('link', { name: 'Flows' }).click()
    await shown.locator('.row-link').click()

    expect(await verdict(shown).getAttribute('data-cause')).toBe('code-wrong')
    expect(await shown.locator('.chapter').count()).toBeGreaterThan(5)
    expect(await shown.locator('#mermaid').inputValue()).toContain('sequenceDiagram')
    await shown.getByRole('link', { name: 'Mails' }).click()
    await shown.frameLocator('iframe').first().getByText('Enter a code instead: 482913').waitFor()
    await shown.getByRole('link', { name: '320 px' }).click()
    expect(
      await shown
        .locator('iframe')
        .first()
        .evaluate((frame) => frame.clientWidth),
    ).toBe(320)
    await shown.getByRole('link', { name: 'Password changed' }).click()
    await shown.frameLocator('iframe').last().getByText('The password of your account was changed.').waitFor()
  })

  test.each(['light', 'dark'] as const)('fits at 320 pixels, %s', async (colorScheme) => {
    const visitor = await visit(idp)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: `${'long'.repeat(15)}@${'sub.'.repeat(20)}example.com` })
    const { page: shown } = await open(idp, '/flows', { viewport: { width: 320, height: 640 }, colorScheme })
    const overflow = () => shown.evaluate<number>('document.documentElement.scrollWidth - innerWidth')

    await expect.poll(overflow).toBeLessThanOrEqual(0)
    await shown.locator('.row-link').click()
    await verdict(shown).waitFor()
    await expect.poll(overflow).toBeLessThanOrEqual(0)
    await shown.getByRole('link', { name: 'Mails' }).click()
    await shown.locator('iframe').first().waitFor()
    await expect.poll(overflow).toBeLessThanOrEqual(0)
    // Nothing scrolls sideways within the page either.
    for (const part of ['.templates ul', '.previews', '.preview >> nth=0'])
      expect(
        await shown
          .locator(part)
          .evaluate((box) => [box.scrollWidth > box.clientWidth, box.clientWidth <= 320]),
        part,
      ).toEqual([false, true])
  })
})

test('no secret of a request reaches the recorder, wherever it is in the request', async () => {
  const watched: Exchange[] = []
  const node = await startNode({
    ports: { recordExchange: (exchange) => watched.push(exchange), log: silentLogger },
  })
  onTestFinished(() => node.close())
  const canary = 'C4naryThatNobodyMaySee'
  const mary = 'mary@example.com'
  const visitor = await atTheReset(node, mary)
  const mail = await mailTo(node, mary)
  await fetch(mail.link ?? '', { redirect: 'manual' })
  await fetch(`${node.engineUrl}/email/verify/${canary}?token=${canary}&${canary}=1`)
  for (const path of ['introspect', 'identify', 'recover', 'challenge', 'challenge/answer', 'cancel/x']) {
    await visitor.submits(path, {
      [canary]: canary,
      credentials: { passcode: canary, totp: canary, [canary]: 1, revokeSessions: canary },
      authenticator: { id: canary, methodType: canary, [canary]: canary },
      rememberMe: canary,
      stateToken: canary,
    })
    await visitor.submits(path, { stateHandle: canary, interactionHandle: canary })
  }
  const done = await visitor.answers(newPassword)
  const code = done.interactionCode ?? ''
  const tokens = await visitor.redeems(code)
  for (const endpoint of ['interact', 'token']) {
    for (const client_id of [node.clientId, canary]) {
      await fetch(`${node.issuer}/v1/${endpoint}`, {
        method: 'POST',
        body: new URLSearchParams({
          client_id,
          client_secret: canary,
          grant_type: 'interaction_code',
          interaction_code: canary,
          code_verifier: canary,
          redirect_uri: `http://${canary}:${canary}@localhost:1/?${canary}#${canary}`,
          state: canary,
          nonce: canary,
          login_hint: canary,
          scope: canary,
          [canary]: canary,
        }),
      })
    }
  }

  const secrets = [
    canary,
    newPassword,
    visitor.stateHandle,
    visitor.interactionHandle,
    visitor.verifier,
    mail.code ?? '',
    new URL(mail.link ?? '').searchParams.get('token') ?? '',
    code,
    tokens.body.access_token,
    tokens.body.id_token,
    node.clientSecret,
  ]
  const text = JSON.stringify(watched).toLowerCase()
  expect(secrets.filter((secret = '') => secret.length < 6)).toEqual([])
  const stands = (secret: string) => (secret.length > 10 ? text.includes(secret) : alone(secret).test(text))
  expect(secrets.filter((secret = '') => stands(secret.toLowerCase()))).toEqual([])
  expect(watched.map(({ endpoint }) => endpoint)).toEqual(
    expect.arrayContaining(['idx', 'link', 'interact', 'token']),
  )
  expect(text).toContain('"credentials.passcode":"6 digits"')
  expect(text).toContain(`"credentials.passcode":"password of ${newPassword.length} characters"`)
})

test('the archive of a flow is a HAR 1.2 with descriptions instead of secrets', async () => {
  const visitor = await atTheCode(idp, idp.person.login)
  await visitor.answers((await mailTo(idp, idp.person.login)).code)
  const response = await fetch(`${idp.controlUrl}/flows/${await firstOf(idp)}/har`)
  const { log } = (await response.json()) as { log: { version: string; entries: { request: object }[] } }

  expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="trs\w+\.har"$/)
  expect(log.version).toBe('1.2')
  expect(
    log.entries.map(({ request }) => (request as { url: string }).url.replace(idp.engineUrl, '')),
  ).toEqual([
    '/oauth2/default/v1/interact',
    '/idp/idx/introspect',
    '/idp/idx/recover',
    '/idp/idx/identify',
    '/idp/idx/challenge',
    '/idp/idx/challenge/answer',
  ])
  expect(log.entries.at(-1)?.request).toMatchObject({
    method: 'POST',
    postData: { text: '{"stateHandle":"state handle","credentials.passcode":"6 digits"}' },
  })
})

test('user input is escaped in pages and diagrams', async () => {
  const visitor = await visit(idp)
  await visitor.submits('recover')
  const typed = '<script>alert(1)</script> #1 "end" \u0026 </textarea>'
  await visitor.submits('identify', { identifier: typed })
  const shown = await page(`/flows/${await firstOf(idp)}`)

  expect(shown).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(shown).not.toContain('<script>alert')
  expect(shown.match(/<\/textarea>/g)).toHaveLength(1)
  expect(shown).toContain('(#60;script#62;alert(1)'.replaceAll('&', '&amp;'))
})
