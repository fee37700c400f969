import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { oktaVerifyPath } from '../authenticators/index.ts'
import {
  type Clock,
  deviceCookie,
  errorIdOf,
  isFromOwnPage,
  noteFailure,
  ProtocolError,
  type Secrets,
  systemClock,
} from '../base/index.ts'
import type { Captcha } from '../captcha/index.ts'
import { isRedirectUriRegistered } from '../clients/index.ts'
import { compareKey } from '../directory/index.ts'
import {
  type Authenticator,
  type Flow,
  type FlowAnswer,
  type Input,
  isOwnable,
  type OpenedLink,
  type RequestCharge,
  textAt,
} from '../flow/index.ts'
import { acceptedLocales, wordsFor } from '../i18n/index.ts'
import type { Interaction } from '../interactions/index.ts'
import type { Endpoint, RequestLimits } from '../limits/index.ts'
import { serveVisitorStylesheet, visitorFormHeaders, visitorPageHeaders } from '../ui/index.ts'
import { idxErrorBody } from './errors.ts'
import {
  codePage,
  deadLinkPage,
  type LinkedApp,
  type OtherUser,
  oktaVerifyPage,
  ownPage,
} from './pages/link.ts'
import { type Recorder, type Recording, recordExchanges } from './recorder.ts'
import { stepsWith } from './steps/index.ts'
import { ion } from './wire/form.ts'
import { wireResponse } from './wire/response.ts'
import { readBody, readIntrospection, readStateHandle } from './wire/submission.ts'

interface IdxParts {
  readonly flow: Flow
  readonly authenticators: ReadonlyMap<string, Authenticator>
  /** Absent: no form asks for a captcha. */
  readonly captcha?: Captcha | undefined
  readonly secrets: Secrets
  readonly orgName: string
  readonly clock: Clock
  readonly limits: RequestLimits
  /** The engine's public address, without a slash at the end. */
  baseUrl(): string
  tokenUrl(issuer: string): string
  openLink(clientId: string, token: string): Promise<OpenedLink>
  /**
   * Begins the recovery of a mailbox's owner in the browser that calls: where it goes on, and its cookies. Undefined where the link is good for
   * nothing any more. Absent: no page offers it.
   */
  beginOwn?(call: {
    readonly clientId: string
    readonly token: string
    readonly ip: string
    readonly headers: FastifyRequest['headers']
  }): Promise<{ readonly location: string; readonly cookies: readonly string[] } | undefined>
  /** Whether the browser that calls holds the transaction of a link: its handle, and the code where the link is alive. */
  findHeld?(call: {
    readonly clientId: string
    readonly token: string
    readonly cookies: string | undefined
  }): Promise<{ readonly handle: string; readonly code?: string } | undefined>
  /** The user whose session the browser has, and the one of a link, where they are two. */
  findOther?(userId: string | undefined, cookies: string | undefined): Promise<OtherUser | undefined>
  /** The address of the page of a transaction. */
  pageOf?(handle: string): string
  /** An active app and the address of its pages, for the way back from a link; undefined: there is none. */
  findApp(clientId: string, token: string): Promise<LinkedApp | undefined>
  /** Origins that may use passkeys of this installation although its domain is not theirs; absent: none is named. */
  relatedOrigins?(): Promise<readonly string[]>
  readonly recording?: Recording | undefined
}

/** The IDX endpoints and the link of the mails, with full paths from the engine's root. */
export function idxRoutes(parts: IdxParts): FastifyPluginAsync {
  return async (app) => {
    const charging = chargingBy(parts.limits)
    const steps = stepsWith(parts.authenticators, parts.captcha)
    const recorder = recordExchanges({ ...parts, steps })
    if (parts.recording) app.addHook('onSend', (request, reply) => recorder.leaving(request, reply))
    answerErrors(app, parts, charging, recorder)
    const send = async (reply: FastifyReply, answer: FlowAnswer) => {
      recorder.answered(reply.request, answer)
      if (answer.device !== undefined) reply.headers(deviceHeaders(parts, answer.device))
      const { status = 200, retryAt } = answer.refused ?? {}
      if (retryAt !== undefined) {
        const seconds = Math.max(1, Math.ceil((retryAt - parts.clock.now()) / 1000))
        const resetsAt = Math.ceil(systemClock.now() / 1000) + seconds
        reply.headers({ 'retry-after': seconds, 'x-rate-limit-remaining': 0, 'x-rate-limit-reset': resetsAt })
      }
      const body = await bodyOf(parts, steps, answer)
      return sendJson(reply.code(status), ion, body)
    }

    app.post('/idp/idx/introspect', async (request, reply) =>
      send(
        reply,
        await parts.flow.introspect(readIntrospection(readBody(request.body)), charging(request, reply)),
      ),
    )
    for (const path of new Set(steps.map((step) => step.path))) {
      app.post(`/idp/idx/${path}`, async (request, reply) => {
        const input = readBody(request.body)
        const charge = charging(request, reply, input)
        return send(
          reply,
          await parts.flow.submit({
            path,
            stateHandle: readStateHandle(input),
            input,
            charge,
            signal: goneOf(reply),
          }),
        )
      })
    }
    const { relatedOrigins } = parts
    if (relatedOrigins !== undefined) {
      // Browsers fetch it where a page of another site asks for a passkey of this domain (WebAuthn L3, section 5.11).
      app.get('/.well-known/webauthn', async (_request, reply) => {
        const origins = await relatedOrigins()
        reply.header('Cache-Control', 'public, max-age=300').removeHeader('Pragma')
        return { origins }
      })
    }
    await serveLink(app, parts, recorder)
  }
}

const bodyOf = (parts: IdxParts, steps: ReturnType<typeof stepsWith>, answer: FlowAnswer) =>
  wireResponse({ ...parts, steps, baseUrl: parts.baseUrl() }, answer)

/** A request of one of the engine's own pages: what a client of the protocol would send. */
export interface IdxCall {
  /** `introspect`, or the path of a form below `/idp/idx/`. */
  readonly path: string
  readonly body: Input
  /** The address of the connection. */
  readonly address: string
  readonly signal?: AbortSignal
}

/** What the protocol answers, and what its client alone is given besides. */
export interface IdxAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  /** Of a device that is remembered from now on. */
  readonly headers: Readonly<Record<string, string>>
  readonly interaction?: Interaction
  /** The end, to be redeemed or to be made a session of. */
  readonly interactionCode?: string
}

/** The IDX endpoints as a function, for pages of the engine: the same steps, charges and answers, without HTTP in between. */
export function createIdxCalls(parts: IdxParts): (call: IdxCall) => Promise<IdxAnswer> {
  const steps = stepsWith(parts.authenticators, parts.captcha)
  return async ({ path, body, address, signal }) => {
    let isCharged = false
    const charge: RequestCharge = async (source) => {
      if (isCharged) return
      isCharged = true
      await chargeTo(parts.limits, endpointAt(path), { ...source, address: source.address ?? address }, body)
    }
    try {
      const answer =
        path === 'introspect'
          ? await parts.flow.introspect(readIntrospection(body), charge)
          : await parts.flow.submit({
              ...{ path, input: body, charge },
              stateHandle: readStateHandle(body),
              ...(signal && { signal }),
            })
      const { interaction } = answer.context
      return {
        status: answer.refused?.status ?? 200,
        body: await bodyOf(parts, steps, answer),
        headers: answer.device === undefined ? {} : deviceHeaders(parts, answer.device),
        interaction,
        ...(answer.interactionCode !== undefined && { interactionCode: answer.interactionCode }),
      }
    } catch (error) {
      await charge({})
      const known = error instanceof ProtocolError ? idxErrorBody(error, parts.authenticators) : undefined
      if (!(error instanceof ProtocolError) || known === undefined) throw error
      return { status: error.status, body: known, headers: {} }
    }
  }
}

/** How a remembered device gets its secret: an app stores it for its user, a browser as a cookie that no script reads (A78). */
function deviceHeaders(
  { clock, baseUrl }: IdxParts,
  { secret, expiresAt, vouched }: NonNullable<FlowAnswer['device']>,
): Readonly<Record<string, string>> {
  if (vouched) return { 'x-device-token': secret }
  const isSecure = baseUrl().startsWith('https:')
  return { 'set-cookie': deviceCookie(secret, { maxAgeMs: expiresAt - clock.now(), isSecure }) }
}

/** Aborted when the connection ends before the answer is written: what waits for this caller alone is dropped (A51). */
function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  return gone.signal
}

/** As bytes: the framework would rewrite the parameters of the media type that clients compare. */
const sendJson = (reply: FastifyReply, type: string, body: object): FastifyReply =>
  reply.type(type).send(Buffer.from(JSON.stringify(body)))

type ChargingOf = (request: FastifyRequest, reply: FastifyReply, input?: Input) => RequestCharge

/** Charges a request to its source, and to the name that was typed. */
const chargeTo = (
  limits: RequestLimits,
  endpoint: Endpoint,
  { address = '', ...source }: Parameters<RequestCharge>[0],
  input: Input,
) => {
  const typed = textAt(input, 'identifier')?.slice(0, 254)
  const identifier = typed === undefined ? source.identifier : compareKey(typed)
  return limits.charge(endpoint, { ...source, address, identifier })
}

/**
 * Charges each request once: where a transaction is known, to its source and to the transaction; else, by the error
 * handler, to the address of the connection.
 */
function chargingBy(limits: RequestLimits): ChargingOf {
  const charged = new WeakSet<FastifyRequest>()
  return (request, reply, input = {}) =>
    async ({ address = request.ip, ...source }) => {
      if (charged.has(request)) return
      charged.add(request)
      reply.headers(await chargeTo(limits, endpointOf(request), { ...source, address }, input))
    }
}

const prefix = '/idp/idx/'

const endpointOf = ({ routeOptions }: FastifyRequest): Endpoint =>
  endpointAt(routeOptions.url?.split(prefix)[1])

function endpointAt(path: string | undefined): Endpoint {
  return path === 'introspect' || path === 'identify' ? path : 'idx'
}

function answerErrors(
  app: FastifyInstance,
  { authenticators }: IdxParts,
  charging: ChargingOf,
  recorder: Recorder,
): void {
  app.setErrorHandler(async (error, request, reply) => {
    recorder.failed(request, error)
    // What went wrong before a transaction was known is charged all the same, and may find the budget spent.
    if (request.routeOptions.url?.includes(prefix)) await charging(request, reply)({})
    const body = error instanceof ProtocolError ? idxErrorBody(error, authenticators) : undefined
    if (!(error instanceof ProtocolError) || body === undefined) throw error
    noteFailure({ code: error.code })
    // The SDK reads a failed introspect only as plain JSON; as ION it throws an error without a text.
    const type = request.routeOptions.url?.endsWith('/introspect') ? 'application/json' : ion
    return sendJson(reply.code(error.status), type, body)
  })
}

/** The magic link. A GET changes nothing and answers the same each time, so scanners and previewers are harmless. */
async function serveLink(app: FastifyInstance, parts: IdxParts, recorder: Recorder): Promise<void> {
  await serveVisitorStylesheet(app)
  const onRequest = async ({ ip }: FastifyRequest): Promise<void> => {
    await parts.limits.charge('page', { address: ip })
  }
  app.get(oktaVerifyPath, { onRequest }, async ({ headers }, reply) => {
    const words = wordsFor(acceptedLocales(headers['accept-language']))
    const page = oktaVerifyPage(words, { base: parts.baseUrl(), orgName: parts.orgName })
    return reply.headers(visitorPageHeaders).send(page)
  })
  app.get('/email/verify/:clientId', { onRequest }, async (request: FastifyRequest, reply) => {
    const { clientId } = request.params as { readonly clientId: string }
    const { token } = request.query as { readonly token?: unknown }
    const link: OpenedLink =
      typeof token === 'string' && token.length <= 256
        ? await parts.openLink(clientId, token)
        : { state: 'dead' }
    recorder.opened(request, link)
    const callback = link.state === 'alive' ? callbackOf(link) : undefined
    if (callback !== undefined) return reply.redirect(callback, 302)
    const mayOwn = link.state === 'alive' && parts.beginOwn !== undefined && isOwnable(link)

    // A dead link does not reveal whose it was, not even by its language.
    const own = link.state === 'alive' ? link.locale : undefined
    const words = wordsFor([own, acceptedLocales(request.headers['accept-language'])].join(','))
    const base = parts.baseUrl()
    const site = { base, orgName: parts.orgName }
    const here = `${base}/email/verify/${clientId}`
    if (mayOwn && 'own' in (request.query as object)) {
      const page = ownPage(words, site, { action: `${here}/own`, token: String(token) })
      return reply.headers(visitorFormHeaders).send(page)
    }
    const cookies = request.headers.cookie
    const held = typeof token === 'string' ? await parts.findHeld?.({ clientId, token, cookies }) : undefined
    if (link.state === 'alive') {
      const isHere = held?.code !== undefined
      const page = codePage(words, site, link, {
        // Who holds the transaction goes on with it, and needs no other one.
        own: mayOwn && !isHere ? `${here}?token=${token}&own=1` : undefined,
        here: isHere ? { action: `${here}/here`, token: String(token) } : undefined,
        otherUser: await parts.findOther?.(link.transaction.progress.subject?.userId, cookies),
      })
      return reply.headers(isHere ? visitorFormHeaders : visitorPageHeaders).send(page)
    }
    noteFailure({ code: `link.${link.state}` })
    const page = deadLinkPage(words, site, {
      state: link.state,
      errorId: errorIdOf(request.id),
      // By the address alone: the same whether there ever was such a link or not.
      app: isClientId(clientId) ? await parts.findApp(clientId, String(token ?? '')) : undefined,
      held: held && parts.pageOf?.(held.handle),
    })
    return reply.headers(visitorPageHeaders).send(page)
  })
  await app.register(async (forms) => takeOwn(forms, parts, { onRequest }))
}

/** The form of the owner of a mailbox, who goes on in this browser. */
function takeOwn(
  app: FastifyInstance,
  { baseUrl, beginOwn }: IdxParts,
  { onRequest }: { readonly onRequest: (request: FastifyRequest) => Promise<void> },
): void {
  if (beginOwn === undefined) return
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4096 },
    async (_request: FastifyRequest, body: string) => new URLSearchParams(body).get('token') ?? '',
  )
  app.post('/email/verify/:clientId/own', { onRequest }, async (request: FastifyRequest, reply) => {
    const { clientId } = request.params as { readonly clientId: string }
    const token = typeof request.body === 'string' ? request.body : ''
    // A page of another site that has the link, which its reader may have been sent, begins nothing here (A84).
    const isOwn = isFromOwnPage(request.headers, baseUrl()) && token.length <= 256
    const begun = isOwn
      ? await beginOwn({ clientId, token, ip: request.ip, headers: request.headers })
      : undefined
    // The page of the link says what has become of it.
    const query = new URLSearchParams({ token: token.slice(0, 256) })
    const back = `${baseUrl()}/email/verify/${encodeURIComponent(clientId)}?${query}`
    if (begun !== undefined) reply.header('set-cookie', [...begun.cookies])
    return reply.redirect(begun?.location ?? back, 303)
  })
}

/** A client id as it can be registered. Anything else does not reach the database, which would choke on a NUL. */
const isClientId = (text: string): boolean => /^[\w.~-]{1,255}$/.test(text)

/**
 * Where the app takes the code over: its own address for magic links, else the transaction's; undefined: here. A transaction of the
 * engine's own pages belongs to this engine's cookie, so no app can take its code over, and none is given it (A84).
 */
function callbackOf({
  code,
  interaction,
  client,
}: Extract<OpenedLink, { state: 'alive' }>): string | undefined {
  const { emailMagicLinkRedirectUri: own } = client.settings
  if (own === null || interaction.request.hosted !== undefined) return undefined
  const target = own ?? interaction.redirectUri
  // It may have been taken away while the mail was on its way: then it gets no code (A30).
  if (own === undefined && !isRedirectUriRegistered(client, target)) return undefined
  // An earlier version stored addresses of magic links unchecked: a relative one shows the code here instead.
  if (!URL.canParse(target)) return undefined
  const url = new URL(target)
  url.searchParams.set('otp', code)
  url.searchParams.set('state', interaction.request.state)
  return url.href
}
