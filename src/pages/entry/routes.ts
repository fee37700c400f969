import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { cookieIn, deviceCookieNames, isFromOwnPage, isGuess } from '../../base/index.ts'
import { transactionCookies } from '../../interactions/index.ts'
import { flashCookie } from '../flash.ts'
import type { Posted } from '../read-form.ts'
import { endPath, pageQuery, renderNotice, signInPath } from '../render.ts'
import { formsIn, type IdxResponse, pathOf } from '../response.ts'
import {
  addCookie,
  backToPage,
  freshBrand,
  notFromHere,
  type PagesParts,
  postedForm,
  sendPage,
  takeCode,
  type Visit,
  visitOf,
} from '../routes.ts'
import { renderDone, renderLink } from './pages.ts'

/** The pages to begin at, and the form of the first page that each of them leads to, as Okta names them. */
const deepLinks = {
  [`${signInPath}/forgot-password`]: 'recover',
  [`${signInPath}/register`]: 'select-enroll-profile',
  [`${signInPath}/unlock`]: 'unlock-account',
} as const

/**
 * The paths of the links in the mails of an administrator, of today's and of Okta's earlier and later ones.
 */
const tokenPaths = [
  ['/signin/reset-password/:token', 'recovery'],
  ['/reset_password/:token', 'recovery'],
  ['/welcome/:token', 'activation'],
  ['/tokens/:token/verify', 'activation'],
] as const

type TokenKind = 'recovery' | 'activation'

/** The ways into the pages that no app leads through. */
export function entryRoutes(parts: PagesParts): FastifyPluginAsync {
  return async (app) => {
    postedForm(app)
    freshBrand(app, parts.brands)
    const onRequest = async ({ ip }: FastifyRequest): Promise<void> => {
      await parts.limits.charge('page', { address: ip })
    }
    const onBegin = async ({ ip }: FastifyRequest): Promise<void> => {
      await parts.limits.charge('interact', { address: ip })
    }
    for (const [path, form] of Object.entries(deepLinks)) {
      // What only asks about an address, as HEAD does, begins nothing.
      app.get(path, { onRequest: onBegin, exposeHeadRoute: false }, (request, reply) =>
        beginAt(parts, form, request, reply),
      )
    }
    app.get(endPath, { onRequest, exposeHeadRoute: false }, (request, reply) =>
      showEnd(parts, request, reply),
    )
    app.post('/email/verify/:clientId/here', { onRequest }, (request, reply) =>
      takeLink(parts, request, reply),
    )
    for (const [path, kind] of tokenPaths) addTokenPage(app, parts, path, kind, { onRequest, onBegin })
  }
}

/** The last part of the path of a deep link: where a transaction that has expired is begun again. */
const pageOf = ({ routeOptions }: FastifyRequest): string => routeOptions.url?.split('/').at(-1) ?? ''

const callOf = ({ ip, headers }: FastifyRequest) => ({
  ip,
  userAgent: headers['user-agent'],
  deviceCookie: cookieIn(headers.cookie, deviceCookieNames),
  acceptLanguage: headers['accept-language'],
  cookies: headers.cookie,
})

/**
 * A deep link begins a transaction of its own, as `authorize` does, and goes on to the page that it names: no
 * other transaction is moved. At the request of an app the new one is for that app again.
 */
async function beginAt(parts: PagesParts, name: string, request: FastifyRequest, reply: FastifyReply) {
  const visit = visitOf(parts, request)
  // A browser that only guesses that the link will be followed begins nothing, and leaves what is under way
  // (A71).
  if (isGuess(request.headers)) return reply.code(503).send()
  const begun = await parts.entries.begin(callOf(request), {
    ...{ handle: visit.handle, end: `${visit.brand.base}${endPath}?begun=${pageOf(request)}` },
  })
  if (begun === undefined) return backToPage(reply, visit)
  const bound = bind(request, reply, visit, begun)
  const address = request.ip
  const { body } = await parts.idx({
    ...{ path: 'introspect', body: { interactionHandle: begun.handle }, address },
  })
  const response = body as IdxResponse
  const form = formsIn(response).find((one) => one.name === name)
  if (form === undefined) {
    const flash = { messages: [], inFields: {}, values: {}, isUnoffered: true as const }
    const { isSecure, path } = visit
    addCookie(reply, flashCookie(flash, begun.handle, { secrets: parts.secrets, isSecure, path }))
    return backToPage(reply, bound)
  }
  await parts.idx({ path: pathOf(form), body: { stateHandle: response.stateHandle }, address })
  return backToPage(reply, bound)
}

function bind(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  visit: Visit,
  { handle, cookies }: { readonly handle: string; readonly cookies: readonly string[] },
): Visit {
  const { isSecure, brand } = visit
  for (const cookie of [...cookies, ...transactionCookies(handle, headers.cookie, { isSecure })])
    addCookie(reply, cookie)
  return { ...visit, handle, brand: { ...brand, query: pageQuery(handle) } }
}

/** The last page of a transaction that no app has begun. */
async function showEnd(parts: PagesParts, request: FastifyRequest, reply: FastifyReply) {
  const { brand, language } = visitOf(parts, request)
  const userId = await parts.entries.findUserId(request.headers.cookie)
  if (userId === undefined) {
    const page = renderNotice(brand, language, {
      title: ({ end }) => end.noneTitle,
      text: ({ end }) => end.none,
    })
    return sendPage(reply, page, 400)
  }
  const { homesOf, loginOf } = parts.entries
  return sendPage(reply, renderDone(brand, language, await homesOf(userId), await loginOf(userId)))
}

/**
 * The form of a mailed link in the browser that holds its transaction: it takes the code over, as a form of
 * that transaction's page. To open the link does not (A17), and in any other browser nothing comes of it
 * (A18, A84): there the page of the link says what it is good for.
 */
async function takeLink(parts: PagesParts, request: FastifyRequest, reply: FastifyReply) {
  const visit = visitOf(parts, request)
  if (!isFromOwnPage(request.headers, visit.brand.base)) return notFromHere(reply, visit)
  const { clientId } = request.params as { readonly clientId: string }
  const token = (request.body instanceof Map && (request.body as Posted).get('token')) || ''
  const held = await parts.findHeld({ clientId, token, cookies: request.headers.cookie })
  if (held === undefined) {
    const query = new URLSearchParams({ token: token.slice(0, 256) })
    const link = `${visit.brand.base}/email/verify/${encodeURIComponent(clientId)}?${query}`
    return reply.code(303).header('location', link).send()
  }
  const { handle, code } = held
  const brand = { ...visit.brand, query: pageQuery(handle) }
  return takeCode(parts, request, reply, { visit: { ...visit, handle, brand }, code })
}

interface Charges {
  readonly onRequest: (request: FastifyRequest) => Promise<void>
  readonly onBegin: (request: FastifyRequest) => Promise<void>
}

/**
 * The link of an administrator's mail. To open it shows what it is for, and changes nothing: scanners and
 * previews of mails follow links (A17). Its form begins the transaction; the token is spent by the password
 * that it leads to.
 */
function addTokenPage(
  app: FastifyInstance,
  parts: PagesParts,
  path: string,
  kind: TokenKind,
  { onRequest, onBegin }: Charges,
): void {
  const textIn = (request: FastifyRequest): string => {
    const { token = '' } = request.params as { readonly token?: string }
    return /^[A-Za-z0-9]{43}$/.test(token) ? token : ''
  }
  app.get(path, { onRequest }, async (request, reply) => {
    const text = textIn(request)
    const page = parts.entries.tokenPage(kind)
    // The token has only letters and digits: it cannot change the target of the redirect.
    if (page !== undefined && text !== '') return reply.redirect(page.replaceAll('{token}', text), 302)
    return showToken(parts, { kind, text }, request, reply)
  })
  app.post(path, { onRequest: onBegin }, async (request, reply) => {
    const visit = visitOf(parts, request)
    if (!isFromOwnPage(request.headers, visit.brand.base)) return notFromHere(reply, visit)
    const text = textIn(request)
    const begun = await parts.entries.begin(callOf(request), {
      ...{ token: { kind, text }, end: visit.brand.base + endPath },
    })
    if (begun === undefined) return showToken(parts, { kind, text }, request, reply)
    return backToPage(reply, bind(request, reply, visit, begun))
  })
}

async function showToken(
  parts: PagesParts,
  { kind, text }: { readonly kind: TokenKind; readonly text: string },
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const { brand, language } = visitOf(parts, request)
  // The address has the token: it stands in no `Referer`, not even in one to the engine itself. Forms still
  // have their `Origin`.
  const send = (page: string, status: number) =>
    sendPage(reply, page, status).header('referrer-policy', 'strict-origin')
  const state = await parts.entries.stateOf({ kind, text })
  if (state === 'spent') {
    const wayOn = await parts.entries.onlyHome()
    return send(renderLink(brand, language, { kind, state, wayOn }), 404)
  }
  const login = await parts.entries.maskedLoginOf({ kind, text })
  const otherUser = await parts.entries.findOther({ kind, text }, request.headers.cookie)
  return send(renderLink(brand, language, { kind, state, login, otherUser }), 200)
}
