export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** A browser without JavaScript and without a window: keeps its cookies, and follows no redirect by itself. */
export function newPlainBrowser(origin: string, always: Readonly<Record<string, string>> = {}) {
  const jar = new Map<string, string>()

  async function visit(path: string, init: RequestInit = {}): Promise<Answer> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...always, cookie, ...(init.headers as Record<string, string> | undefined) }
    const response = await fetch(new URL(path, origin), { ...init, redirect: 'manual', headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      jar.set(name, value)
    }
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  const post = (path: string, fields: Readonly<Record<string, string>>) =>
    visit(path, { method: 'POST', body: new URLSearchParams(fields) })

  const tokenOn = async (path: string) =>
    /name="csrf" value="([^"]+)"/.exec((await visit(path)).text)?.[1] ?? ''

  /** Opens a page, fills its form in and sends it. Answers with where it leads, or with the page that came back. */
  async function submit(path: string, fields: Readonly<Record<string, string>>, to = path): Promise<string> {
    const csrf = await tokenOn(path)
    const { headers, text } = await post(to, { csrf, ...fields })
    return headers.get('location') ?? text
  }

  return { jar, visit, post, tokenOn, submit }
}
