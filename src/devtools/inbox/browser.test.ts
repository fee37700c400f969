import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTransport } from 'nodemailer'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { findChromium, launchChromium, noChromium } from '../../../test/support/chromium.ts'
import type { DevEnvironment } from '../../testing/index.ts'
import { startEnvironment } from '../control/environment.fixture.ts'
import type { ControlServer } from '../control/server.ts'
import type { SmtpSink } from '../control/smtp-sink.ts'

const executablePath = findChromium()
const reason = executablePath ? '' : ` (skipped: ${noChromium})`

describe.skipIf(executablePath === undefined)(`the inbox in Chromium${reason}`, () => {
  let browser: Browser
  let environment: DevEnvironment
  let sink: SmtpSink
  let server: ControlServer

  beforeAll(async () => {
    browser = await launchChromium(executablePath ?? '')
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    environment = await startEnvironment()
    sink = environment.sink
    server = environment.control
  })
  afterEach(() => environment.close())

  const link = 'http://localhost:9/email/verify/0oa1?token=ftABC'

  async function arrive(to: string, code = '123456', more: object = {}) {
    const transport = createTransport({ url: sink.url })
    await transport.sendMail({
      from: 'Acme <no-reply@acme.example>',
      to,
      subject: `Reset ${code}`,
      text: `Enter a code instead: ${code}`,
      html: `<p>Hello ${to}</p><a id="reset-password-link" href="${link}">Reset Password</a>`,
      ...more,
    })
  }

  /** Opens a page with live updates, and collects its errors. */
  async function open(path = '/', options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    onTestFinished(() => context.close())
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(server.url + path)
    if (options.javaScriptEnabled !== false) await page.getByText('Live', { exact: true }).waitFor()
    return { page, context, complaints }
  }

  test('a mail appears by itself, is marked as new until it is opened, and is announced', async () => {
    const { page, complaints } = await open()
    await page.getByText('No mail yet').waitFor()
    await arrive('ada@example.com')

    await page.getByRole('link', { name: 'ada@example.com' }).waitFor()
    expect(await page.title()).toBe('(1) Inbox · Rekey')
    expect(await page.getByRole('status').textContent()).toBe(
      'New mail to ada@example.com: Reset 123456. The code is 123456.',
    )
    await page.getByRole('link', { name: 'ada@example.com' }).click()
    await page.getByRole('heading', { name: 'Reset 123456' }).waitFor()
    expect(await page.title()).toBe('Reset 123456 · Inbox')
    expect(complaints).toEqual([])
  })

  test('an open mail stays as it is while others arrive', async () => {
    await arrive('ada@example.com', '111111')
    const { page } = await open('/inbox/msg0000000001?view=text')
    await page.evaluate(`getSelection().selectAllChildren(document.querySelector('pre'))`)
    await arrive('bob@example.com', '222222')

    await page.getByRole('link', { name: 'bob@example.com' }).waitFor()
    expect(await page.evaluate('getSelection().toString().trim()')).toBe('Enter a code instead: 111111')
  })

  test('code and link are copied with one click', async () => {
    await arrive('ada@example.com', '654321')
    const { page } = await open()
    const clipboard = () => page.evaluate('navigator.clipboard.readText()')

    await page.getByRole('button', { name: 'Copy code' }).click()
    await page.getByText('Copied the code.').waitFor()
    expect(await clipboard()).toBe('654321')
    await page.getByRole('button', { name: 'Copy link' }).click()
    await page.getByText('Copied the link.').waitFor()
    expect(await clipboard()).toBe(link)
    expect(new URL(page.url()).pathname).toBe('/')
  })

  test('everything is done by keys', async () => {
    await arrive('ada@example.com', '111111')
    await arrive('bob@example.com', '222222')
    await arrive('cyd@example.com', '333333')
    const { page } = await open()
    const focused = () => page.evaluate(`document.activeElement.querySelector('.row-to')?.textContent`)

    await page.keyboard.press('j')
    expect(await focused()).toBe('cyd@example.com')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await focused()).toBe('ada@example.com')
    await page.keyboard.press('k')
    expect(await focused()).toBe('bob@example.com')

    await page.keyboard.press('c')
    await page.getByText('Copied the code.').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('222222')

    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Reset 222222' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Choose a message' }).waitFor()

    await page.keyboard.press('/')
    await page.keyboard.type('ada')
    await page.getByText('1 message found').first().waitFor()
    expect(new URL(page.url()).search).toBe('?q=ada')
    await page.keyboard.press('Enter')
    expect(await focused()).toBe('ada@example.com')
  })

  test('letters typed into the search are letters', async () => {
    await arrive('jack@example.com')
    const { page } = await open()
    await page.getByRole('searchbox').focus()
    await page.keyboard.type('jack/')

    expect(await page.getByRole('searchbox').inputValue()).toBe('jack/')
    await page.getByText('Nothing found').first().waitFor()
  })

  test('going back opens the previous pages', async () => {
    await arrive('ada@example.com')
    const { page } = await open()
    await page.getByRole('link', { name: 'ada@example.com' }).click()
    await page.getByRole('link', { name: 'Source' }).click()
    await page.getByText('MIME-Version: 1.0').waitFor()
    await page.goBack()
    await page.locator('iframe').waitFor()
    await page.goBack()

    await page.getByRole('heading', { name: 'Choose a message' }).waitFor()
  })

  test('deleting all asks first, and the page empties wherever it is open', async () => {
    await arrive('ada@example.com')
    const { page } = await open('/inbox/msg0000000001')
    await page.getByRole('button', { name: 'Delete all' }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(sink.messages.all()).toHaveLength(1)

    await page.getByRole('button', { name: 'Delete all' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete all' }).click()
    await page.getByText('No mail yet').waitFor()
    expect(sink.messages.all()).toEqual([])
    expect(new URL(page.url()).pathname).toBe('/')
  })

  test('a mail runs no script, loads no resources and cannot leave its frame', async () => {
    const asked: string[] = []
    const tracker = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.end()
    })
    await new Promise<void>((listening) => tracker.listen(0, '127.0.0.1', listening))
    onTestFinished(() => void tracker.close())
    const outside = `http://127.0.0.1:${(tracker.address() as AddressInfo).port}`
    await arrive('ada@example.com', '123456', {
      html: `<p id="p">calm</p>
        <script>document.getElementById('p').textContent = 'script'; fetch('${outside}/fetch')</script>
        <img src="${outside}/img"><link rel="stylesheet" href="${outside}/css">
        <iframe src="${outside}/frame"></iframe><video src="${outside}/video"></video>
        <style>@import '${outside}/import'; p { background: url(${outside}/background) }</style>
        <form action="${outside}/form" target="_self"><button>go</button></form>
        <a id="top" target="_top" href="${outside}/top">top</a>
        <meta http-equiv="refresh" content="0; url=${outside}/refresh">`,
    })
    const { page } = await open('/inbox/msg0000000001')
    const mail = page.frameLocator('.mail-frame')

    expect(await mail.locator('#p').textContent()).toBe('calm')
    await mail.getByRole('button', { name: 'go' }).click()
    await mail.getByRole('link', { name: 'top' }).click()
    // Once a later request has arrived, all earlier ones would have arrived too.
    await fetch(`${outside}/last`)
    expect(asked).toEqual(['/last'])
    expect(page.url()).toBe(`${server.url}/inbox/msg0000000001`)
  })

  test('the button of a mail opens a tab of its own that is an ordinary page', async () => {
    const app = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<p id="p">plain</p><script>p.textContent = window.opener ? "tied" : "free"</script>')
    })
    await new Promise<void>((listening) => app.listen(0, '127.0.0.1', listening))
    onTestFinished(() => void app.close())
    const target = `http://127.0.0.1:${(app.address() as AddressInfo).port}/verify?token=ft1`
    await arrive('ada@example.com', '123456', {
      html: `<a id="reset-password-link" href="${target}">Reset</a>`,
    })
    const { page, context } = await open('/inbox/msg0000000001')
    const opening = context.waitForEvent('page')
    await page.frameLocator('.mail-frame').getByRole('link', { name: 'Reset' }).click()
    const tab = await opening

    await tab.getByText('free').waitFor()
    expect(tab.url()).toBe(target)
  })

  test('without JavaScript there is a list, a search and every view', async () => {
    await arrive('ada@example.com', '111111')
    await arrive('bob@example.com', '222222')
    const { page } = await open('/', { javaScriptEnabled: false })

    await page.getByRole('searchbox').fill('ada')
    await page.getByRole('searchbox').press('Enter')
    await expect.poll(() => page.locator('.row').count()).toBe(1)
    await page.getByRole('link', { name: 'ada@example.com' }).click()
    await page.frameLocator('.mail-frame').getByText('Hello ada@example.com').waitFor()
    await page.getByRole('link', { name: 'Text' }).click()
    expect(await page.locator('pre').textContent()).toContain('Enter a code instead: 111111')
    // The stylesheet hides them, once it is there.
    await expect.poll(() => page.getByRole('button', { name: 'Copy', exact: true }).count()).toBe(0)
    await expect.poll(() => page.getByRole('button', { name: 'Delete all' }).count()).toBe(0)
  })

  test.each(['light', 'dark'] as const)('everything fits at 320 pixels, %s', async (colorScheme) => {
    await arrive(`${'long'.repeat(12)}@${'sub.'.repeat(10)}example.com`, '123456', {
      subject: 'Unbreakable'.repeat(12),
      text: `Enter a code instead: 123456\n${'x'.repeat(500)}`,
    })
    const { page } = await open('/', { viewport: { width: 320, height: 640 }, colorScheme })
    const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')

    expect(await overflow()).toBeLessThanOrEqual(0)
    await page.locator('.row-link').click()
    await page.locator('#subject').waitFor()
    for (const view of ['HTML', 'Text', 'Source']) {
      await page.getByRole('link', { name: view }).click()
      await page.locator(`.view[aria-current]:text("${view}")`).waitFor()
      expect(await overflow()).toBeLessThanOrEqual(0)
    }
    await page.getByRole('link', { name: 'All messages' }).click()
    await page.locator('.row').waitFor()
    expect(await page.locator('#reader').isVisible()).toBe(false)
  })
})
