import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the provider was asked. */
export interface Verification {
  readonly secret: string
  readonly response: string
  readonly sitekey: string | undefined
  readonly remoteip: string | undefined
}

/**
 * A provider of captchas on loopback: it verifies as hCaptcha, reCAPTCHA and Turnstile do, and serves a script that shows a
 * box to tick. A token is right if it was issued by `token()` or by the page, as often as it is asked: that one use is enough
 * is the engine's own matter.
 */
export interface CaptchaProviderDouble {
  readonly verifyUrl: string
  readonly scriptUrl: string
  readonly siteKey: string
  readonly secret: string
  readonly verifications: readonly Verification[]
  /** Connections, those included that asked nothing. */
  readonly connections: number
  /** A new token. */
  token(): string
  /** `answers`; `silent`: never answers; `broken`: 500. */
  mode: 'answers' | 'silent' | 'broken'
  /** Members of each good answer. */
  details: Readonly<Record<string, unknown>>
  /** No connection is accepted any more. */
  stop(): Promise<void>
  close(): Promise<void>
}

export async function startCaptchaProvider(): Promise<CaptchaProviderDouble> {
  const verifications: Verification[] = []
  const issued = new Set<string>()
  let connections = 0
  const secret = 'secret-of-the-double'
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/api.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
      return
    }
    if (url.pathname === '/token') {
      response.writeHead(200, { 'access-control-allow-origin': '*' }).end(double.token())
      return
    }
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      const form = new URLSearchParams(text)
      const given = form.get('response') ?? ''
      verifications.push({
        secret: form.get('secret') ?? '',
        response: given,
        sitekey: form.get('sitekey') ?? undefined,
        remoteip: form.get('remoteip') ?? undefined,
      })
      if (double.mode === 'silent') return
      if (double.mode === 'broken') return response.writeHead(500).end('oops')
      const errors =
        form.get('secret') !== secret
          ? ['invalid-input-secret']
          : issued.has(given)
            ? undefined
            : ['invalid-input-response']
      const body = errors
        ? { success: false, 'error-codes': errors }
        : { success: true, hostname: 'localhost', ...double.details }
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  server.on('connection', () => {
    connections++
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://localhost:${(server.address() as AddressInfo).port}`
  const double: CaptchaProviderDouble = {
    verifyUrl: `${base}/siteverify`,
    scriptUrl: `${base}/api.js`,
    siteKey: '10000000-ffff-ffff-ffff-000000000001',
    secret,
    verifications,
    get connections() {
      return connections
    },
    token() {
      const token = `token-${issued.size}-${'x'.repeat(300)}`
      issued.add(token)
      return token
    },
    mode: 'answers',
    details: {},
    async stop() {
      server.closeAllConnections()
      await new Promise<void>((done) => server.close(() => done()))
    },
    async close() {
      if (server.listening) await double.stop()
    },
  }
  return double
}

/** As the providers' own: a box in place of each element of theirs, whose tick fills the field in; `render` for the widget. */
const script = `(() => {
  const here = new URL(document.currentScript.src)
  const fields = { 'h-captcha': 'h-captcha-response', 'g-recaptcha': 'g-recaptcha-response', 'cf-turnstile': 'cf-turnstile-response' }
  const fetched = () => fetch(here.origin + '/token').then((answer) => answer.text())
  for (const [name, field] of Object.entries(fields)) {
    for (const place of document.querySelectorAll('.' + name)) {
      if (here.searchParams.get('render') === 'explicit') continue
      const label = document.createElement('label')
      const box = document.createElement('input')
      const sent = document.createElement('input')
      Object.assign(box, { type: 'checkbox' })
      Object.assign(sent, { type: 'hidden', name: field })
      box.addEventListener('change', async () => {
        sent.value = await fetched()
        label.dataset.solved = 'yes'
      })
      label.append(box, ' I am human')
      place.append(label, sent)
    }
  }
  const api = {
    render(_, { callback }) {
      api.callback = callback
      return '1'
    },
    // By its callback, by what the callback asks, or as a promise: the clients read it in each of these ways.
    async execute() {
      api.token = await fetched()
      api.callback?.(api.token)
      return { response: api.token, key: 'key' }
    },
    getResponse: () => api.token,
    getRespKey: () => 'key',
    reset() {},
    remove() {},
  }
  window.hcaptcha = window.grecaptcha = window.turnstile = api
  const loaded = here.searchParams.get('onload')
  if (loaded) window[loaded]()
})()
`
