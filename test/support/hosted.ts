import type { Kit, VisitorOptions } from '../../src/testing/index.ts'

/** A page of the engine, as a browser without JavaScript has it. */
export interface HostedPage {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly title: string
  /** The names of its forms, in their order. */
  readonly forms: readonly string[]
  /** All texts that stand in messages and below labels. */
  readonly errors: readonly string[]
}

type Fields = Readonly<Record<string, string>>

/** The hidden fields and the given values of one form of a page, and of its first circle that is chosen. */
function fieldsOf(page: HostedPage, name: string): Record<string, string> {
  const form = [...page.text.matchAll(/<form[\s\S]*?<\/form>/g)]
    .map(([text]) => text)
    .find((text) => text.includes(`name="form" value="${name}"`))
  if (form === undefined) throw new Error(`the page "${page.title}" has no form ${name}, but ${page.forms}`)
  const fields: Record<string, string> = {}
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    const [, key] = / name="([^"]+)"/.exec(tag) ?? []
    const [, value = ''] = / value="([^"]*)"/.exec(tag) ?? []
    const isOff = /type="(radio|checkbox)"/.test(tag) && !/ checked/.test(tag)
    if (key !== undefined && !isOff) fields[key] = value
  }
  return fields
}

const pageOf = async (response: Response): Promise<HostedPage> => {
  const text = await response.text()
  const texts = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, one = '']) => one)
  return {
    ...{ status: response.status, headers: response.headers, text },
    title: /<h1>([^<]*)<\/h1>/.exec(text)?.[1] ?? '',
    forms: texts(/name="form" value="([^"]+)"/g),
    errors: [
      ...texts(/class="message[^"]*"[^>]*><p>([^<]*)</g),
      ...texts(/class="field-error"[^>]*>([^<]*)</g),
    ],
  }
}

export interface HostedBrowser {
  readonly jar: Map<string, string>
  /** The page that is shown. */
  readonly page: HostedPage
  /** The address of the app that the browser has come to at the end. */
  readonly arrived: URL | undefined
  /** Binds the browser to an interaction, as authorize does, and opens the page. */
  begins(options?: VisitorOptions): Promise<HostedPage>
  /** Opens or reloads a page, and follows what it leads to as far as the app. */
  opens(path?: string): Promise<HostedPage>
  /** Sends a form of the page with what is typed, and follows the redirect. */
  submits(name: string, typed?: Fields, from?: HostedPage): Promise<HostedPage>
  /** Sends the only form of a page that asks nothing, at its own address. */
  sends(path: string, fields?: Fields): Promise<HostedPage>
  /** A POST as it is, to the address of the pages unless another one is named. */
  posts(fields: Fields, headers?: Fields, path?: string): Promise<Response>
  /** What the form of a name would post. */
  fieldsOf(name: string): Fields
}

/** A browser without JavaScript at the engine's own pages: it stores cookies, and follows redirects as far as the app. */
export function newHostedBrowser(idp: Kit, always: Fields = {}): HostedBrowser {
  const jar = new Map<string, string>()
  let page: HostedPage | undefined
  let arrived: URL | undefined

  async function send(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...always, cookie, ...(init.headers as Fields | undefined) }
    const response = await fetch(new URL(path, idp.engineUrl), { ...init, redirect: 'manual', headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0/.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  const browser: HostedBrowser = {
    jar,
    get page(): HostedPage {
      if (page === undefined) throw new Error('no page is open')
      return page
    },
    get arrived(): URL | undefined {
      return arrived
    },
    async begins(options: VisitorOptions = {}): Promise<HostedPage> {
      const visitor = idp.visitor(options)
      await visitor.interacts()
      jar.set('rekey_tx', visitor.interactionHandle)
      return browser.opens()
    },
    async opens(path = '/signin'): Promise<HostedPage> {
      let response = await send(path)
      for (let hops = 0; hops < 5; hops++) {
        const target = response.status >= 300 && response.status < 400 && response.headers.get('location')
        if (!target) break
        if (!target.startsWith(idp.engineUrl)) {
          arrived = new URL(target)
          return browser.page
        }
        response = await send(target)
      }
      page = await pageOf(response)
      return page
    },
    async submits(name: string, typed: Fields = {}, from: HostedPage = browser.page): Promise<HostedPage> {
      const response = await browser.posts({ ...fieldsOf(from, name), ...typed })
      const target = response.headers.get('location')
      if (response.status !== 303 || target === null) {
        page = await pageOf(response)
        return page
      }
      if (!target.startsWith(idp.engineUrl)) {
        arrived = new URL(target)
        return browser.page
      }
      return browser.opens(target)
    },
    async sends(path: string, fields: Fields = {}): Promise<HostedPage> {
      const headers = { 'sec-fetch-site': 'same-origin' }
      const response = await send(path, { method: 'POST', body: new URLSearchParams(fields), headers })
      const target = response.headers.get('location')
      if (target !== null) return browser.opens(target)
      page = await pageOf(response)
      return page
    },
    posts: (
      fields: Fields,
      headers: Fields = { 'sec-fetch-site': 'same-origin' },
      path = '/signin',
    ): Promise<Response> => send(path, { method: 'POST', body: new URLSearchParams(fields), headers }),
    fieldsOf: (name) => fieldsOf(browser.page, name),
  }
  return browser
}
