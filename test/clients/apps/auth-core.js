import { Auth, raw, skipCSRFCheck } from '@auth/core'
import { getToken } from '@auth/core/jwt'
import Okta from '@auth/core/providers/okta'
import { failed, signedIn, signedOut } from './app.js'

/** Auth.js as its packages for frameworks call it: with its provider for Okta, and its guide for refresh tokens. */
export async function createApp({ issuer, clientId, clientSecret, url }) {
  const secret = 'only for tests: everybody knows this secret'
  const oauth = async (path, form) => {
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
    const response = await fetch(`${issuer}${path}`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams(form),
    })
    if (!response.ok) throw new Error(await response.text())
    return response.json()
  }
  const config = {
    basePath: '/auth',
    secret,
    trustHost: true,
    providers: [
      Okta({
        clientId,
        clientSecret,
        issuer,
        authorization: { params: { scope: 'openid profile email offline_access' } },
      }),
    ],
    callbacks: {
      async jwt({ token, account, trigger }) {
        if (account) return { ...token, id_token: account.id_token, refresh_token: account.refresh_token }
        if (trigger !== 'update') return token
        const fresh = await oauth('/v1/token', {
          grant_type: 'refresh_token',
          refresh_token: token.refresh_token,
        })
        return { ...token, id_token: fresh.id_token, refresh_token: fresh.refresh_token }
      },
    },
  }
  const asked = (path, request, init = {}) => {
    const headers = new Headers({ cookie: request.headers.get('cookie') ?? '', ...init.headers })
    return new Request(`${url}${path}`, { ...init, headers })
  }
  /** Calls an action on the server's side, as `signIn()` and `signOut()` of the frameworks do. */
  const act = (path, request, body = {}) => {
    const form = { method: 'POST', body: new URLSearchParams({ callbackUrl: url, ...body }) }
    return Auth(asked(path, request, form), { ...config, raw, skipCSRFCheck })
  }
  const redirect = (location, cookies = []) => {
    const response = new Response(null, { status: 303, headers: { location } })
    for (const { name, value, options } of cookies) {
      const { maxAge, path = '/', sameSite = 'lax' } = options
      const more = `Path=${path}; HttpOnly; SameSite=${sameSite}${maxAge === undefined ? '' : `; Max-Age=${maxAge}`}`
      response.headers.append('set-cookie', `${name}=${encodeURIComponent(value)}; ${more}`)
    }
    return response
  }

  async function answer(request) {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/auth/')) return Auth(request, config)
    if (pathname === '/sign-in') {
      const { redirect: location, cookies } = await act('/auth/signin/okta', request)
      return redirect(location, cookies)
    }
    const token = await getToken({ req: request, secret, salt: 'authjs.session-token' })
    const isKnown = token !== null
    if (pathname === '/refresh' && isKnown) {
      const body = { method: 'POST', body: '{"data":{}}', headers: { 'content-type': 'application/json' } }
      const { cookies } = await Auth(asked('/auth/session', request, body), { ...config, raw, skipCSRFCheck })
      return redirect('/', cookies)
    }
    if (pathname === '/sign-out' && isKnown) {
      const { cookies } = await act('/auth/signout', request)
      const location = new URL(`${issuer}/v1/logout`)
      location.searchParams.set('id_token_hint', token.id_token)
      location.searchParams.set('post_logout_redirect_uri', `${url}/`)
      return redirect(location.href, cookies)
    }
    const session = await (await Auth(asked('/auth/session', request), config)).json()
    const html = session?.user ? signedIn(session.user.name) : signedOut
    return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } })
  }

  return async (incoming, outgoing) => {
    const parts = []
    for await (const part of incoming) parts.push(part)
    const { method, headers } = incoming
    const body = parts.length > 0 ? { body: Buffer.concat(parts) } : {}
    const request = new Request(new URL(incoming.url, url), { method, headers, ...body })
    const response = await answer(request).catch(
      (error) => new Response(failed(error), { headers: { 'content-type': 'text/html' } }),
    )
    const cookies = response.headers.getSetCookie()
    const others = [...response.headers].filter(([name]) => name !== 'set-cookie')
    outgoing.writeHead(response.status, [...others, ...cookies.map((one) => ['set-cookie', one])].flat())
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  }
}
