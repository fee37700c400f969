import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { apiError, errorIdOf, prefersPage } from '../../base/index.ts'
import { mayCall } from '../../clients/index.ts'
import { acceptedLocales, wordsFor } from '../../i18n/index.ts'
import { visitorFormHeaders, visitorPageHeaders } from '../../ui/index.ts'
import { pushedEnded, signInEnded } from '../errors.ts'
import { tokenBodyLimit } from '../form.ts'
import { baseOf } from '../hint.ts'
import { signedOutPage, signOutPage } from '../logout-page.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import { authorize } from './begin.ts'
import type { BrowserCall } from './browser.ts'
import { confirmReturn } from './confirm.ts'
import type { BrowserAnswer } from './flow.ts'
import { endedPage, failedPage, unexpectedPage } from './page.ts'
import { deliver } from './response.ts'
import { returnFromPages } from './return.ts'
import { endSession, readSession } from './session.ts'
import { redirectWithCookie } from './session-token.ts'
import { leavingCookies, type SignOutAnswer, signOutHere } from './sign-out.ts'

type ServerOf = () => AuthorizationServer

interface Hosted {
  readonly parts: Parts
  readonly callOf: (request: FastifyRequest) => BrowserCall
}

/** The endpoint `authorize` of a server. */
export function addAuthorize(
  app: FastifyInstance,
  path: string,
  { parts, server, callOf }: Hosted & { readonly server: ServerOf },
): void {
  const { hosted } = parts
  if (hosted === undefined) return
  app.route({
    method: ['GET', 'POST'],
    url: path,
    // What only asks about an address, as HEAD does, begins nothing.
    exposeHeadRoute: false,
    bodyLimit: tokenBodyLimit,
    onRequest: chargesInteract(parts),
    onSend: onPage(() => baseOf(server().oauth)),
    handler: async (request, reply) => {
      const call = callOf(request)
      // Browsers send no cookie with what another site posts: as an address that they go to it has them, or
      // from a page of here.
      if (request.method === 'POST' && request.headers['sec-fetch-site'] === 'cross-site') {
        return send(request, reply, { delivered: sentAgain(server(), call.form), cookies: [] })
      }
      return send(request, reply, await authorize(parts, hosted, server(), call))
    },
  })
}

/** The longest address of which every server and proxy on the way takes the whole, in bytes. */
const longestAddress = 4096

/**
 * A request from another site once more, from here: by its address, or where that would be too long for one
 * by a form of a page.
 */
function sentAgain({ oauth }: AuthorizationServer, form: BrowserCall['form']): BrowserAnswer['delivered'] {
  const url = `${oauth}/v1/authorize`
  const query = new URLSearchParams([...form]).toString()
  // A token that was posted does not get into the history of the browser.
  return url.length + query.length < longestAddress && !form.has('sessionToken')
    ? { location: `${url}?${query}` }
    : deliver('form_post', url, Object.fromEntries(form))
}

/** What browsers go to on the engine's own pages, besides `authorize`. */
export function addHosted(
  app: FastifyInstance,
  {
    parts,
    servers,
    callOf,
  }: Hosted & { readonly servers: Readonly<Record<AuthorizationServer['id'], ServerOf>> },
): void {
  const { hosted } = parts
  if (hosted === undefined) return
  app.route({
    method: ['GET', 'POST'],
    url: '/login/token/redirect',
    exposeHeadRoute: false,
    bodyLimit: 32 * 1024,
    onRequest: chargesPage(parts),
    onSend: onPage(() => servers.org().issuer),
    handler: async (request, reply) => {
      const call = { ...callOf(request), headers: request.headers }
      // A form is that of the page that asks whether to go on; an address is the end of a transaction.
      const comesBack = request.method === 'POST' ? confirmReturn : returnFromPages
      return send(request, reply, await comesBack(parts, hosted, servers, call))
    },
  })
  app.route({
    method: ['GET', 'POST'],
    url: '/login/signout',
    exposeHeadRoute: false,
    bodyLimit: 32 * 1024,
    onRequest: chargesPage(parts),
    onSend: onPage(() => servers.org().issuer),
    handler: async (request, reply) => {
      const { headers, method } = request
      const answer = await signOutHere(parts, servers.org(), { ...callOf(request), headers, method })
      return sendSignOut(request, reply, answer, servers.org().issuer)
    },
  })
  if (hosted.redeemSessionToken !== undefined) {
    app.route({
      method: ['GET', 'POST'],
      url: '/login/sessionCookieRedirect',
      exposeHeadRoute: false,
      bodyLimit: 32 * 1024,
      onRequest: chargesPage(parts),
      onSend: onPage(() => servers.org().issuer),
      handler: async (request, reply) =>
        send(request, reply, await redirectWithCookie(parts, hosted, servers.org(), callOf(request))),
    })
  }
  app.register(async (own) => addSessions(own, { parts, org: servers.org }))
}

/**
 * The session of a browser, for the scripts of its pages (`session.exists()` of okta-auth-js). The cookie
 * alone counts here, and nowhere else in the API (A81). CORS lets pages of trusted origins read it, of the
 * same site only: browsers send the cookie from no other.
 */
export function addSessions(
  app: FastifyInstance,
  { parts, org }: { readonly parts: Parts; readonly org: ServerOf },
): void {
  if (parts.hosted === undefined) return
  const own = () => new URL(org().issuer).origin
  const onRequest = [
    async ({ headers, method }: FastifyRequest) => refuseForeign(parts, { headers, method, own }),
    chargesPage(parts),
  ]
  const path = '/api/v1/sessions/me'
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: 1024 }, async () => undefined)
  app.get(path, { onRequest, exposeHeadRoute: false }, async ({ headers }) =>
    readSession(parts, org(), headers.cookie, { isUse: false }),
  )
  app.post(`${path}/lifecycle/refresh`, { onRequest }, async ({ headers }) =>
    readSession(parts, org(), headers.cookie, { isUse: true }),
  )
  app.delete(path, { onRequest }, async ({ headers }, reply) => {
    const { ended } = await endSession(parts, org(), headers.cookie)
    reply.header('set-cookie', [...(await leavingCookies(parts, org(), headers.cookie))])
    if (!ended)
      throw apiError('E0000007', { status: 404, summary: 'Not found: Resource not found: me (Session)' })
    return reply.code(204).send()
  })
}

/** The end of a sign-out, or the page that asks for it. */
export function sendSignOut(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: SignOutAnswer,
  base: string,
): FastifyReply {
  const words = wordsFor(acceptedLocales(request.headers['accept-language']))
  if (answer.result === 'asks') {
    const { question } = answer
    reply.code(question.isRefused ? 403 : 200).headers(visitorFormHeaders)
    return reply.send(signOutPage(words, base, question))
  }
  if (answer.cookies.length > 0) reply.header('set-cookie', [...answer.cookies])
  if (answer.returnTo === undefined) return reply.headers(visitorPageHeaders).send(signedOutPage(words, base))
  return reply.redirect(answer.returnTo, request.method === 'POST' ? 303 : 302)
}

/**
 * A page of another site sends no cookie of ours; where a browser should, it is refused all the same (A73).
 * Another host of the same site sends it, and could prolong or end a session without reading the answer: what
 * changes something is taken of trusted origins alone.
 */
async function refuseForeign(
  { storage }: Parts,
  {
    headers,
    method,
    own,
  }: {
    readonly headers: FastifyRequest['headers']
    readonly method: string
    readonly own: () => string
  },
): Promise<void> {
  const { origin, 'sec-fetch-site': site } = headers
  if (site === 'cross-site') throw apiError('E0000007', { status: 404 })
  if (method === 'GET' || (origin === undefined && site !== 'same-site')) return
  if (origin === undefined || (origin !== own() && !(await mayCall(storage.db, origin)))) {
    throw apiError('E0000007', { status: 404 })
  }
}

const chargesInteract =
  ({ limits }: Parts) =>
  async ({ ip }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.headers((await limits?.charge('interact', { address: ip })) ?? {})
  }

const chargesPage =
  ({ limits }: Parts) =>
  async ({ ip }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.headers((await limits?.charge('page', { address: ip })) ?? {})
  }

/** A redirect after a POST becomes a GET for certain (RFC 9700, section 4.12). */
function send(request: FastifyRequest, reply: FastifyReply, { delivered, cookies }: BrowserAnswer) {
  if (cookies.length > 0) reply.header('set-cookie', [...cookies])
  if ('location' in delivered)
    return reply.redirect(delivered.location, request.method === 'POST' ? 303 : 302)
  const { page, headers, ended } = delivered
  if (ended && !prefersPage(request.headers.accept)) throw signInEnded
  if (ended) reply.code(signInEnded.status)
  // The policy of the page says who may have it in a frame.
  if (headers['content-security-policy']?.includes('frame-ancestors http')) {
    reply.removeHeader('X-Frame-Options')
  }
  return reply.headers(headers).send(page)
}

const endings: ReadonlySet<string> = new Set([signInEnded.description, pushedEnded.description])

/** A browser is answered by a page where the request cannot be answered to an app; a program by JSON. */
const onPage =
  (base: () => string) =>
  async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const { accept, 'accept-language': languages } = request.headers
    if (reply.statusCode < 400 || typeof payload !== 'string' || !prefersPage(accept)) return payload
    // A page of its own is no error in JSON.
    if (!String(reply.getHeader('content-type')).includes('json')) return payload
    const { error_description: description, errorSummary } = JSON.parse(payload) as Record<string, string>
    reply.headers(visitorPageHeaders)
    const words = wordsFor(acceptedLocales(languages))
    if (description !== undefined && endings.has(description)) return endedPage(words, base())
    // Neither a limit nor a fault of the engine is the app's.
    if (reply.statusCode === 429 || reply.statusCode >= 500) {
      return unexpectedPage(words, base(), { errorId: errorIdOf(request.id) })
    }
    const about = { reason: description ?? errorSummary ?? '', errorId: errorIdOf(request.id) }
    return failedPage(words, base(), about)
  }
