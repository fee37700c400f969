import { createServer, type Server } from 'node:http'
import { randomToken, s256, sessionCookieNames, systemRandom } from '../../src/base/index.ts'

/**
 * An app that redirects: each of its pages but the callback sends the browser to `authorize`, with what stands in its own query besides;
 * with `pushed` it pushes the request first; the callback redeems the code and says who signed in, or the error. Not listening yet.
 */
export function createRedirectingApp({
  issuer,
  clientId,
  forgets = false,
}: {
  readonly issuer: string
  readonly clientId: string
  /** Whether each request is that of a browser without a session: it is on the engine's host, and takes its cookie away. */
  readonly forgets?: boolean
}): Server {
  const verifiers = new Map<string, string>()
  return createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
    const redirectUri = `${url.origin}/login/callback`
    const say = (text: string) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>
<html lang="en"><link rel="icon" href="data:,"><title>An app</title><p role="status">${text}</p></html>`)
    if (url.pathname === '/favicon.ico') return response.writeHead(404).end()
    if (url.pathname !== '/login/callback') {
      const [state, verifier] = [randomToken(systemRandom), randomToken(systemRandom)]
      verifiers.set(state, verifier)
      const asked = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid profile email',
        state,
        nonce: state,
        code_challenge: s256(verifier),
        code_challenge_method: 'S256',
        ...Object.fromEntries(url.searchParams),
      })
      if (asked.has('pushed')) {
        asked.delete('pushed')
        const answer = await fetch(`${issuer}/v1/par`, { method: 'POST', body: asked })
        const { request_uri: name = '' } = (await answer.json()) as Record<string, string>
        for (const one of [...asked.keys()]) if (one !== 'client_id') asked.delete(one)
        asked.set('request_uri', name)
      }
      if (forgets) {
        response.setHeader(
          'set-cookie',
          sessionCookieNames.map((one) => `${one}=; Max-Age=0; Path=/`),
        )
      }
      return response.writeHead(302, { location: `${issuer}/v1/authorize?${asked}` }).end()
    }
    const { code, state = '', error, error_description } = Object.fromEntries(url.searchParams)
    if (code === undefined) return say(`Refused: ${error}: ${error_description}`)
    const answer = await fetch(`${issuer}/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...{ grant_type: 'authorization_code', client_id: clientId, redirect_uri: redirectUri },
        ...{ code, code_verifier: verifiers.get(state) ?? '' },
      }),
    })
    const { id_token: token = '..', error: refused } = (await answer.json()) as Record<string, string>
    if (refused !== undefined) return say(`Not redeemed: ${refused}`)
    const { name, amr } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return say(`Signed in as ${name} (${amr})`)
  })
}
