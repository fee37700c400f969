import { createHash } from 'node:crypto'
import { type Agent, request } from 'node:http'
import type { Browser } from 'playwright-core'
import { s256 } from '../../src/base/index.ts'
import { findChromium, launchChromium } from '../../test/support/chromium.ts'
import { newBrowser, signsIn, stateTokenAt } from '../../test/support/redirects.ts'
import { type BenchDatabase, createDatabase, openBenchStorage } from './databases.ts'
import { type EngineProcess, startEngineProcess } from './engine.ts'
import { createAgent, post } from './http.ts'
import { password } from './loop.ts'
import { addPeople, loginOf } from './people.ts'
import { median } from './report.ts'
import { authorization, redirectUri, verifier } from './visitor.ts'

/** What it costs an engine to send a browser that has a session back to an app, with the tokens that the app then gets. */
export interface HostedFigures {
  readonly database: BenchDatabase['name']
  /** CPU ms of the engine's process a redirect, one value a turn: `authorize`, a code, tokens. */
  readonly cpuMsPerRedirect: readonly number[]
  readonly redirectsPerSecond: number
  /** The sign-in page as Chromium has it; undefined where there is no Chromium. */
  readonly page: PageFigures | undefined
}

export interface PageFigures {
  /** Of the document and of all that it loads, over the wire and unpacked. */
  readonly requests: number
  readonly bytes: number
  readonly unpackedBytes: number
  /** From the start of the navigation, in a browser that has stored nothing; medians, in ms. */
  readonly firstPaintMs: number
  readonly loadedMs: number
}

const path = `/oauth2/default/v1/authorize?${new URLSearchParams({
  client_id: 'bench',
  redirect_uri: redirectUri,
  response_type: 'code',
  scope: 'openid profile email',
  state: 'state',
  nonce: 'nonce',
  code_challenge: s256(verifier),
  code_challenge_method: 'S256',
})}`

/** Where a GET with these cookies leads to. */
const leadsTo = (agent: Agent, url: string, cookie: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { accept: 'text/html', cookie }
    request(url, { agent, headers }, (incoming) => {
      incoming.resume()
      incoming.on('error', reject)
      incoming.on('end', () => resolve(incoming.headers.location ?? ''))
    })
      .on('error', reject)
      .end()
  })

/** Signs a browser in on the engine, and answers its cookies. */
async function sessionOf({ url }: EngineProcess, user: number): Promise<string> {
  const browser = newBrowser()
  const page = await browser.goes(url + path)
  const end = await signsIn(url, await stateTokenAt(page), { login: loginOf(user), password })
  const arrived = await browser.goes(end.success?.href ?? '')
  if (!arrived.headers.get('location')?.startsWith(redirectUri)) throw new Error('the sign-in did not end')
  return [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
}

/** One browser with a session at an app, as often as is asked. */
async function redirects(engine: EngineProcess, agent: Agent, cookie: string, count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    const location = await leadsTo(agent, engine.url + path, cookie)
    const code = location.startsWith(redirectUri) ? new URL(location).searchParams.get('code') : null
    if (code === null) throw new Error(`authorize leads to ${location} and not to the app`)
    const { status, body } = await post(agent, `${engine.url}/oauth2/default/v1/token`, {
      type: 'application/x-www-form-urlencoded',
      body: String(
        new URLSearchParams({
          ...{ grant_type: 'authorization_code', code },
          ...{ redirect_uri: redirectUri, code_verifier: verifier },
        }),
      ),
      headers: { authorization },
    })
    if (status !== 200) throw new Error(`the code was answered ${status}: ${JSON.stringify(body)}`)
  }
}

/** @param count redirects a turn */
export async function measureHosted(
  kind: BenchDatabase['name'],
  { turns, count, parallel }: { readonly turns: number; readonly count: number; readonly parallel: number },
): Promise<HostedFigures> {
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const engine = await startEngineProcess({
    ...{ database: database.url, hash: 'free' },
    grantTypes: ['interaction_code', 'authorization_code'],
  })
  await addPeople(storage, parallel, `free$${createHash('sha256').update(password).digest('base64url')}`)
  await storage.close()
  const agent = createAgent(parallel)
  const cookies: string[] = []
  for (let user = 0; user < parallel; user++) cookies.push(await sessionOf(engine, user))
  const each = Math.ceil(count / parallel)
  const turn = () => Promise.all(cookies.map((cookie) => redirects(engine, agent, cookie, each)))
  await turn()
  const cpuMsPerRedirect: number[] = []
  const begun = performance.now()
  for (let done = 0; done < turns; done++) {
    const before = await engine.ask('collect')
    await turn()
    const after = await engine.ask('usage')
    cpuMsPerRedirect.push((after.cpuMs - before.cpuMs) / (each * parallel))
  }
  const seconds = (performance.now() - begun) / 1000
  agent.destroy()
  const page = await pageFigures(engine.url + path)
  await engine.close()
  await database.drop()
  const redirectsPerSecond = (turns * each * parallel) / seconds
  return { database: kind, cpuMsPerRedirect, redirectsPerSecond, page }
}

const loads = 9

async function pageFigures(url: string): Promise<PageFigures | undefined> {
  const executable = findChromium()
  if (executable === undefined) return undefined
  const browser = await launchChromium(executable)
  const all: PageFigures[] = []
  // The first load of a browser is that of its own start, too.
  for (let load = 0; load <= loads; load++) all.push(await loadOnce(browser, url))
  await browser.close()
  const of = (name: keyof PageFigures) => median(all.slice(1).map((one) => one[name]))
  return {
    ...{ requests: of('requests'), bytes: of('bytes'), unpackedBytes: of('unpackedBytes') },
    ...{ firstPaintMs: of('firstPaintMs'), loadedMs: of('loadedMs') },
  }
}

/** In a context of its own: without cookies, and with nothing in its cache. */
async function loadOnce(browser: Browser, url: string): Promise<PageFigures> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url, { waitUntil: 'load' })
  // A paint is entered a moment after it was made. Asked again and again: the page's policy lets nothing evaluate in it.
  const isPainted = "performance.getEntriesByName('first-contentful-paint').length > 0"
  while (!(await page.evaluate(isPainted))) await page.waitForTimeout(20)
  const figures = await page.evaluate<PageFigures>(`(() => {
    const [document] = performance.getEntriesByType('navigation')
    const all = [document, ...performance.getEntriesByType('resource')]
    const sum = (name) => all.reduce((total, one) => total + one[name], 0)
    return {
      requests: all.length,
      bytes: sum('transferSize'),
      unpackedBytes: sum('decodedBodySize'),
      firstPaintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      loadedMs: document.loadEventStart,
    }
  })()`)
  await context.close()
  return figures
}
