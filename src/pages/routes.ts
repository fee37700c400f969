import { readFile } from 'node:fs/promises'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { apiError, cookieIn, isFromOwnPage, plainHash, type Secrets } from '../base/index.ts'
import type { Brands } from '../brand/index.ts'
import { acceptedLocales, type PageWords, pageWordsFor } from '../i18n/index.ts'
import {
  endedTransactionCookies,
  type Interaction,
  isSelector,
  transactionCookieIn,
} from '../interactions/index.ts'
import type { RequestLimits } from '../limits/index.ts'
import { captchaOf, withCaptcha } from './captcha.ts'
import {
  type Flash,
  flashCookie,
  flashName,
  messagesIn,
  noFlashCookie,
  readFlash,
  withFlash,
} from './flash.ts'
import { type Posted, readForm } from './read-form.ts'
import {
  type Brand,
  endPath,
  passkeyScriptPath,
  renderNotice,
  renderPage,
  returnAddress,
  signInPath,
  stylesheetPath,
} from './render.ts'
import {
  currentOf,
  formsIn,
  type IdxField,
  type IdxForm,
  type IdxResponse,
  innerOf,
  isFixed,
  membersOf,
  pathOf,
} from './response.ts'

/** What an IDX endpoint answers. */
interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
  readonly interaction?: Interaction
  readonly interactionCode?: string
}

/** A transaction that an app has begun by `interact`, and that is complete: its code is for the app. */
interface Finished {
  readonly interaction: Interaction
  readonly interactionCode: string
}

export interface PagesParts {
  readonly orgName: string
  readonly brands: Brands
  /** Where the script of a captcha comes from in place of its provider. */
  readonly captchaScript?: string | undefined
  readonly secrets: Secrets
  readonly limits: RequestLimits
  /** The engine's public address, without a slash at the end. */
  baseUrl(): string
  /** The IDX endpoints, as a function. */
  idx(call: {
    readonly path: string
    readonly body: Readonly<Record<string, unknown>>
    readonly address: string
    readonly signal?: AbortSignal
  }): Promise<Answer>
  /**
   * Where the app of an interaction has its pages, or where a transaction of no app began. The interaction
   * may have expired.
   */
  findWayOn(interactionHandle: string): Promise<WayOn | undefined>
  /** Answers the request that has completed a transaction: where the browser goes now. Sends a redirect. */
  finish(finished: Finished, request: FastifyRequest, reply: FastifyReply): Promise<unknown>
  /**
   * How the transaction of a handle has ended, for the browser that holds it: where it goes on; the key of
   * its last words; or, where its answer was handed out, the app. Undefined: it has not, or nothing is known
   * of it.
   */
  findEnd(interactionHandle: string, cookies: string | undefined): Promise<PageEnd | undefined>
  /**
   * Whether a browser holds the transaction of a mailed link: its handle, and the code where the link is
   * alive.
   */
  findHeld(call: {
    readonly clientId: string
    readonly token: string
    readonly cookies: string | undefined
  }): Promise<{ readonly handle: string; readonly code?: string } | undefined>
  readonly entries: EntryParts
}

/** The end of a transaction, once more. */
export type PageEnd =
  | { readonly location: string }
  | { readonly message: string }
  | { readonly wayOn: AppHome | undefined }

/** What the pages need that no app leads to. */
export interface EntryParts {
  /** Begins a transaction that is bound to this browser; undefined where the token is spent. */
  begin(
    call: {
      readonly ip: string
      readonly userAgent: string | undefined
      readonly deviceCookie: string | undefined
      readonly acceptLanguage: string | undefined
      readonly cookies: string | undefined
    },
    from: {
      readonly token?: { readonly kind: 'recovery' | 'activation'; readonly text: string }
      /**
       * The interaction that this browser is bound to: begun anew for the same app, where an app has begun
       * it.
       */
      readonly handle?: string | undefined
      /** Where the browser is sent at the end, where there is no app. */
      readonly end: string
    },
  ): Promise<{ readonly handle: string; readonly cookies: readonly string[] } | undefined>
  /** What the token of a mail is good for. Reads only. */
  stateOf(token: {
    readonly kind: 'recovery' | 'activation'
    readonly text: string
  }): Promise<'good' | 'lapsed' | 'spent'>
  /** What the user of a good token signs in with, masked. */
  maskedLoginOf(token: {
    readonly kind: 'recovery' | 'activation'
    readonly text: string
  }): Promise<string | undefined>
  /** Who is signed in in a browser that opens the link of another user, and who that is, masked. */
  findOther(
    token: { readonly kind: 'recovery' | 'activation'; readonly text: string },
    cookies: string | undefined,
  ): Promise<{ readonly user: string; readonly other: string } | undefined>
  /** The page of an app that takes the tokens of mails instead, with `{token}` in it. */
  tokenPage(kind: 'recovery' | 'activation'): string | undefined
  /** The user whose session the browser has. */
  findUserId(cookies: string | undefined): Promise<string | undefined>
  /** What a user signs in with. */
  loginOf(userId: string): Promise<string | undefined>
  /** The pages of the apps that a user may use. */
  homesOf(userId: string): Promise<readonly AppHome[]>
  /** The only app with pages. Of several a stranger learns none. */
  onlyHome(): Promise<AppHome | undefined>
}

export interface AppHome {
  readonly label: string
  readonly address: string
}

/** An app, or, without a label, a page of the engine. */
type WayOn = { readonly label?: string; readonly address: string }

/**
 * The policy of the pages: their own stylesheet, pictures that stand in the page, and on pages that ask for a
 * passkey their own script. `form-action` is left out on purpose: browsers apply it to every redirect after
 * the form, and the last one leads to the app, from there perhaps on, or to a scheme of a native app. A form
 * that was injected would be needed for it to protect anything, and all texts are escaped.
 */
const policyOf = (hasScript: boolean, hasLogo: boolean, captcha = ''): string =>
  [
    "default-src 'none'",
    `style-src 'self' ${captcha}`.trim(),
    hasLogo ? "img-src 'self' data:" : 'img-src data:',
    ...(hasScript ? [`script-src 'self' ${captcha}`.trim()] : []),
    ...(captcha === '' ? [] : [`connect-src ${captcha}`, `frame-src ${captcha}`]),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/** How large a posted form may be, in bytes. */
const bodyLimit = 32 * 1024

/**
 * The pages below `/signin`. A GET shows where the transaction of the browser is; a POST takes a form and
 * leads back.
 */
export function pagesRoutes(parts: PagesParts): FastifyPluginAsync {
  return async (app) => {
    await serveAssets(app, parts)
    freshBrand(app, parts.brands)
    postedForm(app)
    const onRequest = async ({ ip }: FastifyRequest): Promise<void> => {
      await parts.limits.charge('page', { address: ip })
    }
    app.get(signInPath, { onRequest, exposeHeadRoute: false }, (request, reply) =>
      show(parts, request, reply),
    )
    app.post(signInPath, { onRequest }, (request, reply) => take(parts, request, reply))
  }
}

/** Forms are read as browsers post them. */
export function postedForm(app: FastifyInstance): void {
  app.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit },
    async (_request: FastifyRequest, body: string) => postedIn(body),
  )
}

/**
 * Every page that is opened has the look as it stands in the database. What a form leads to is a page again.
 */
export function freshBrand(app: FastifyInstance, brands: Brands): void {
  app.addHook('preHandler', async ({ method, routeOptions }) => {
    if (method === 'GET' && !routeOptions.url?.includes('/assets/')) await brands.refresh()
  })
}

async function serveAssets(app: FastifyInstance, { brands, limits }: PagesParts): Promise<void> {
  app.get('/assets/brand-:name', { exposeHeadRoute: false }, async (request, reply) => {
    const { name } = request.params as { readonly name: string }
    const path = `/assets/brand-${name}`
    const known = brands.fileAt(path)
    // Names that are made up cost a statement each.
    if (known === undefined) await limits.charge('page', { address: request.ip })
    const file = known ?? (await brands.findFile(path))
    if (file === undefined) throw apiError('E0000007', { summary: 'Not found: the path is unknown.' })
    // Its path has its hash.
    return reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .type(file.type)
      .send(file.content)
  })
  const files = [
    [stylesheetPath, './signin.css', 'text/css; charset=utf-8'],
    [passkeyScriptPath, './passkey.js', 'text/javascript; charset=utf-8'],
  ] as const
  for (const [path, file, type] of files) {
    const content = await readFile(new URL(file, import.meta.url), 'utf8')
    app.get(path, async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=3600').type(type).send(content),
    )
  }
}

/** The fields of a form, each once: of two with one name the first counts. */
function postedIn(body: string): Posted {
  const posted = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body)) if (!posted.has(name)) posted.set(name, value)
  return posted
}

export interface Visit {
  readonly brand: Brand
  readonly language: string | undefined
  readonly isSecure: boolean
  /** The path of the pages, for their cookie. */
  readonly path: string
  /** The interaction that this browser is bound to. */
  readonly handle: string | undefined
}

export function visitOf({ baseUrl, orgName, brands }: PagesParts, { headers, query }: FastifyRequest): Visit {
  const base = baseUrl()
  const isSecure = base.startsWith('https:')
  const { t } = query as { readonly t?: unknown }
  const selector = isSelector(t) ? t : undefined
  return {
    brand: {
      ...{ base, name: orgName, look: brands.of(undefined) },
      ...(selector !== undefined && { query: `?t=${selector}` }),
    },
    language: acceptedLocales(headers['accept-language']),
    isSecure,
    path: new URL(base + signInPath).pathname,
    handle: transactionCookieIn(headers.cookie, { isSecure, selector }),
  }
}

export const sendPage = (reply: FastifyReply, page: string, status = 200, captcha = ''): FastifyReply =>
  reply
    .code(status)
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf(
        page.includes('<script '),
        page.includes('<img class="logo"'),
        captcha,
      ),
      // With `no-referrer` browsers send `Origin: null` with the forms of the page; its address has no
      // secret.
      'referrer-policy': 'same-origin',
      vary: 'Accept-Language, Cookie',
    })
    .send(page)

export const backToPage = (reply: FastifyReply, { brand }: Visit): FastifyReply =>
  reply
    .code(303)
    .header('location', `${brand.base}${signInPath}${brand.query ?? ''}`)
    .send()

export const addCookie = (reply: FastifyReply, cookie: string): FastifyReply =>
  reply.header('set-cookie', cookie)

/** Shows the page of the present response. Changes nothing: a reload, Back and a second tab show the same. */
async function show(parts: PagesParts, request: FastifyRequest, reply: FastifyReply) {
  const visit = visitOf(parts, request)
  const { language, handle } = visit
  if (handle === undefined) {
    const { brand } = visit
    // After Back, or in a second tab: nothing is asked any more, and the end says so.
    const userId = await parts.entries.findUserId(request.headers.cookie)
    if (userId !== undefined)
      return reply
        .code(303)
        .header('location', brand.base + endPath)
        .send()
    const page = renderNotice(brand, language, {
      title: ({ end }) => end.noneTitle,
      text: ({ end }) => end.none,
      wayOn: await parts.entries.onlyHome(),
    })
    return sendPage(reply, page, 400)
  }
  const flash = readFlash(cookieIn(request.headers.cookie, [flashName]), handle, parts.secrets)
  const answer = await parts.idx({
    path: 'introspect',
    body: { interactionHandle: handle },
    address: request.ip,
  })
  const response = answer.body as IdxResponse
  const brand = { ...visit.brand, look: parts.brands.of(response.app?.value.id) }
  const wayOn =
    response.remediation === undefined
      ? ((await parts.findWayOn(handle)) ?? (await parts.entries.onlyHome()))
      : undefined
  if (response.remediation === undefined) {
    // What has ended is found no more: its last words are in the cookie for as long as a reload may come.
    if (flash?.isEnd) {
      const end: IdxResponse = { messages: { value: flash.messages } }
      return sendPage(reply, renderPage(end, brand, language, wayOn && { wayOn }))
    }
    const end = await parts.findEnd(handle, request.headers.cookie)
    if (end !== undefined) return sendEnd(reply, visit, end, wayOn)
    const page = renderNotice(brand, language, {
      title: ({ end }) => end.expiredTitle,
      text: ({ end }) => end.expired,
      wayOn,
    })
    return sendPage(reply, page, 400)
  }
  if (flash !== undefined) addCookie(reply, noFlashCookie(visit.path))
  const shown = flash === undefined ? response : withFlash(response, flash)
  const page = renderPage(shown, brand, language, {
    token: (form) => tokenOf(response, form),
    ...(flash && { values: flash.values }),
    captchaScript: parts.captchaScript,
    ...noticeOf(flash, pageWordsFor(language)),
  })
  return sendPage(reply, page, 200, captchaOf(shown, parts.captchaScript)?.sources)
}

/**
 * The end of a transaction once more, in the browser that holds it: the answer to the form that made it may
 * have been lost, as by a second click. What was handed out to an app already is not handed out again (RFC
 * 6749, section 4.1.2): the page leads to the app.
 */
function sendEnd(
  reply: FastifyReply,
  { brand, language }: Visit,
  end: PageEnd,
  wayOn: WayOn | undefined,
): FastifyReply {
  if ('location' in end) return reply.code(303).header('location', end.location).send()
  if ('wayOn' in end) {
    const page = renderNotice(brand, language, {
      title: ({ end }) => end.expiredTitle,
      text: ({ entry }) => entry.back,
      wayOn: end.wayOn,
    })
    return sendPage(reply, page)
  }
  // Of keys that have a sentence in every language.
  const last = { message: '', i18n: { key: end.message }, class: 'INFO' }
  return sendPage(reply, renderPage({ messages: { value: [last] } }, brand, language, wayOn && { wayOn }))
}

const noticeOf = (flash: Flash | undefined, { end, entry }: PageWords): { readonly notice?: string } => {
  if (flash?.isMoved) return { notice: end.moved }
  return flash?.isUnoffered ? { notice: entry.unoffered } : {}
}

/**
 * Takes a form of the present page, and leads back to the page: nothing is sent twice by a reload
 * (post/redirect/get).
 */
async function take(parts: PagesParts, request: FastifyRequest, reply: FastifyReply) {
  const visit = visitOf(parts, request)
  const { brand, handle } = visit
  if (!isFromOwnPage(request.headers, brand.base)) return notFromHere(reply, visit)
  if (handle === undefined) return backToPage(reply, visit)
  const response = await responseAt(parts, request, handle)
  if (response.remediation === undefined) return leadOn(parts, request, reply, visit)

  const posted = withCaptcha(
    request.body instanceof Map ? (request.body as Posted) : new Map<string, string>(),
  )
  const form = formsIn(response).find(({ name }) => name === posted.get('form'))
  if (form === undefined || posted.get('page') !== tokenOf(response, form)) {
    return backWith(parts, visit, reply, moved)
  }
  const input = readForm(form, posted)
  return submit(parts, request, reply, visit, { response, form, input, values: openValues(form, posted) })
}

/** What is shown where a form was of an earlier page. */
const moved: Flash = { messages: [], inFields: {}, values: {}, isMoved: true }

async function responseAt(parts: PagesParts, { ip }: FastifyRequest, handle: string): Promise<IdxResponse> {
  const present = await parts.idx({
    ...{ path: 'introspect', body: { interactionHandle: handle }, address: ip },
  })
  return present.body as IdxResponse
}

/**
 * The code of a mailed link, taken over by a button in the browser that holds its transaction: it is sent as
 * the form that asks for it would have sent it, with the same checks and budgets.
 */
export async function takeCode(
  parts: PagesParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { visit, code }: { readonly visit: Visit; readonly code: string | undefined },
) {
  const { handle = '' } = visit
  const response = await responseAt(parts, request, handle)
  if (response.remediation === undefined) return leadOn(parts, request, reply, visit)
  const form = response.remediation.value.find((one) => pathOf(one) === 'challenge/answer')
  // It was used, or another mail took its place: the page shows where the transaction is.
  if (form === undefined || code === undefined) return backWith(parts, visit, reply, moved)
  const input = { credentials: { passcode: code } }
  return submit(parts, request, reply, visit, { response, form, input, values: {} })
}

/** To the end of a transaction that asks nothing any more: of two forms that came at once one has made it. */
async function leadOn(parts: PagesParts, request: FastifyRequest, reply: FastifyReply, visit: Visit) {
  const end = await parts.findEnd(visit.handle ?? '', request.headers.cookie)
  return end !== undefined && 'location' in end
    ? reply.code(303).header('location', end.location).send()
    : backToPage(reply, visit)
}

/** Submits what was read of a form, and leads to what follows. */
async function submit(
  parts: PagesParts,
  request: FastifyRequest,
  reply: FastifyReply,
  visit: Visit,
  {
    response,
    form,
    input,
    values,
  }: {
    readonly response: IdxResponse
    readonly form: IdxForm
    readonly input: Readonly<Record<string, unknown>>
    /** What is shown again where it is refused. */
    readonly values: Readonly<Record<string, string>>
  },
) {
  const { handle = '' } = visit
  const body = { ...input, stateHandle: response.stateHandle }
  const answer = await parts.idx({ path: pathOf(form), body, address: request.ip, signal: goneOf(reply) })
  reply.headers(answer.headers)
  const { interaction, interactionCode } = answer
  if (interaction !== undefined && interactionCode !== undefined) {
    endCookies(request, reply, handle, visit)
    return parts.finish({ interaction, interactionCode }, request, reply)
  }
  const next = answer.body as IdxResponse
  if (typeof membersOf(next.success).href === 'string' && response.stateHandle !== undefined) {
    // The end of a request by `authorize`: that address makes session and code, in the browser that it is
    // bound to. The cookie goes with it, so that a form which is sent again, as its answer was lost, leads
    // there too.
    const location = returnAddress(visit.brand.base, handle, response.stateHandle)
    return reply.code(303).header('location', location).send()
  }
  const isEnd = (next.remediation?.value.length ?? 0) === 0
  // Another form came first, and made the end.
  if (isEnd && answer.status === 401) return leadOn(parts, request, reply, visit)
  const said = messagesIn(next)
  const isSaid = said.messages.length > 0 || Object.keys(said.inFields).length > 0
  if (!isSaid && !isEnd) return backToPage(reply, visit)
  const isRefused = answer.status >= 400 || Object.keys(said.inFields).length > 0
  return backWith(parts, visit, reply, {
    ...said,
    values: isRefused ? values : {},
    ...(isEnd && { isEnd }),
  })
}

function endCookies({ headers }: FastifyRequest, reply: FastifyReply, handle: string, visit: Visit): void {
  for (const cookie of endedTransactionCookies(handle, headers.cookie, visit)) addCookie(reply, cookie)
}

function backWith({ secrets }: PagesParts, visit: Visit, reply: FastifyReply, flash: Flash): FastifyReply {
  const { handle = '', isSecure, path } = visit
  addCookie(reply, flashCookie(flash, handle, { secrets, isSecure, path }))
  return backToPage(reply, visit)
}

/** The answer to a form of another site. */
export function notFromHere(reply: FastifyReply, { brand, language }: Visit): FastifyReply {
  const page = renderNotice(brand, language, {
    title: ({ end }) => end.foreignTitle,
    text: ({ end }) => end.foreign,
  })
  return sendPage(reply, page, 403)
}

/**
 * What a form of this page is sent with: which transaction, which form of it, and what it asks for. So a page
 * of another transaction, or of an earlier step of this one, is not taken for the present one. It is derived
 * from the state handle, which no page has.
 */
function tokenOf(response: IdxResponse, form: IdxForm): string {
  const { key, id, methods } = currentOf(response)
  const fixed = fixedIn(form.value ?? [])
  const facts = [
    response.stateHandle,
    form.name,
    form.href,
    key,
    id,
    methods,
    response.user?.value.identifier,
    fixed,
  ]
  return plainHash(JSON.stringify(facts)).slice(0, 22)
}

const fixedIn = (fields: readonly IdxField[]): readonly unknown[] =>
  fields.map((field) => [field.name, isFixed(field) ? field.value : fixedIn(innerOf(field) ?? [])])

/** What was typed into a form and may be shown again: nothing that is secret, no code and no answer. */
function openValues(form: IdxForm, posted: Posted): Readonly<Record<string, string>> {
  const secret = /^(credentials\.|captchaVerify\.|[\w-]+-response$|form$|page$)/
  const isQuestion = (name: string) => name === 'credentials.question' || name === 'credentials.questionKey'
  return Object.fromEntries(
    [...posted].filter(
      ([name]) => !secret.test(name) || (isQuestion(name) && form.name !== 'challenge-authenticator'),
    ),
  )
}

/**
 * Aborted when the connection ends before the answer is written: what waits for this caller alone is dropped
 * (A51).
 */
function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  return gone.signal
}
