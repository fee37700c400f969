import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import {
  apiError,
  browserCookieNames,
  browserSecretIn,
  dropTypeWithoutBody,
  everyText,
  isEmptyInPieces,
  isObject,
  ownCookie,
  randomToken,
} from '../base/index.ts'
import { mayCall } from '../clients/index.ts'
import type { Input } from '../flow/index.ts'
import { acceptedLocales } from '../i18n/index.ts'
import {
  authenticate,
  type ClassicCall,
  cancelAuthn,
  changePassword,
  goBack,
  readState,
  resendFactor,
  skipWarning,
  verifyFactor,
} from './authn.ts'
import type { ClassicParts } from './parts.ts'
import {
  answerQuestion,
  recoverPassword,
  resendRecoveryCode,
  resetPassword,
  unlockAccount,
  verifyRecoveryCode,
  verifyRecoveryToken,
} from './recovery.ts'
import { createSession } from './sessions.ts'

type Operation = (
  parts: ClassicParts,
  call: ClassicCall,
  id: string,
) => Promise<Readonly<Record<string, unknown>>>

/** By the path below `/api/v1/authn`. */
const operations: Readonly<Record<string, Operation>> = {
  '': authenticate,
  '/introspect': readState,
  '/cancel': cancelAuthn,
  '/previous': goBack,
  '/skip': skipWarning,
  '/factors/:factorId/verify': verifyFactor,
  '/factors/:factorId/verify/resend': resendFactor,
  '/credentials/change_password': changePassword,
  '/credentials/reset_password': resetPassword,
  '/recovery/password': recoverPassword,
  '/recovery/unlock': unlockAccount,
  '/recovery/token': verifyRecoveryToken,
  '/recovery/answer': answerQuestion,
  '/recovery/factors/:factorId/verify': verifyRecoveryCode,
  '/recovery/factors/:factorId/resend': resendRecoveryCode,
}

/** The classic authentication API, with full paths from the engine's root. Registered only where the installation has it switched on. */
export const classicRoutes =
  (parts: ClassicParts): FastifyPluginAsync =>
  async (app) => {
    app.addHook('preParsing', async (request, _, payload) => {
      dropTypeWithoutBody(request.headers)
      const isEmpty = await isEmptyInPieces(request.headers, payload as Readable)
      return isEmpty ? Readable.from([Buffer.from('{}')], { objectMode: false }) : payload
    })
    const charged = new WeakSet<FastifyRequest>()
    app.setErrorHandler(async (error, request) => {
      // What went wrong before a transaction was known is charged all the same, and may find the budget spent (A32).
      const isOfFlow = request.routeOptions.url?.includes(authnPath)
      if (isOfFlow && !charged.has(request)) await parts.limits.charge('idx', { address: request.ip })
      throw error
    })
    for (const [path, handle] of Object.entries(operations)) serve(app, parts, { path, handle, charged })
    app.post('/api/v1/sessions', {
      onRequest: async ({ ip, headers: { authorization = '' } }, reply) => {
        // Charged before authentication, so that guessing tokens is limited as well. No cookie counts here (A81).
        reply.headers(await parts.limits.charge('management', { address: ip }))
        if (!(await parts.isTrusted(authorization))) throw apiError('E0000011')
      },
      handler: ({ body }) => createSession(parts, inputIn(body)),
    })
  }

const authnPath = '/api/v1/authn'

function serve(
  app: FastifyInstance,
  parts: ClassicParts,
  {
    path,
    handle,
    charged,
  }: { readonly path: string; readonly handle: Operation; readonly charged: WeakSet<FastifyRequest> },
): void {
  app.post(authnPath + path, {
    onRequest: async ({ headers }) => refuseForeign(parts, headers.origin),
    handler: async (request, reply) => {
      const body = inputIn(request.body)
      const { factorId = '' } = request.params as { readonly factorId?: string }
      const call: ClassicCall = {
        body,
        address: request.ip,
        ...(await callerOf(parts, request, reply)),
        signal: goneOf(reply),
        isCharged() {
          if (charged.has(request)) return true
          charged.add(request)
          return false
        },
      }
      return handle(parts, call, factorId)
    },
  })
}

/** A body that is an object, whose texts a database can hold. Throws 400 `E0000003`. */
function inputIn(body: unknown = {}): Input {
  if (isObject(body) && everyText(body, (text) => text.isWellFormed() && !text.includes('\0'))) return body
  throw apiError('E0000003')
}

/** A page of an origin that is not trusted could make its visitors guess passwords (A46). Clients that are no browsers send no Origin. */
async function refuseForeign({ storage, baseUrl }: ClassicParts, origin: string | undefined): Promise<void> {
  if (origin === undefined || origin === new URL(baseUrl()).origin) return
  if (!(await mayCall(storage.db, origin))) throw apiError('E0000006')
}

/**
 * Where the user comes from, and by which browser. A server with an API token names the address of its user; for all others that of the
 * connection counts (A11). A browser of the same site gets the cookie that its session token is bound to from the next call on.
 */
async function callerOf(
  parts: ClassicParts,
  { ip, headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<Pick<ClassicCall, 'origin' | 'browser'>> {
  const { authorization, 'x-forwarded-for': forwardedFor, 'user-agent': userAgent } = headers
  const isTrusted = authorization !== undefined && (await isTrustedAt(parts, authorization, ip))
  const [named = ''] = String(forwardedFor ?? '').split(',')
  const address = isIP(named.trim()) === 0 ? undefined : named.trim()
  const isSecure = parts.baseUrl().startsWith('https:')
  const browser = browserSecretIn(headers.cookie, isSecure)
  const site = headers['sec-fetch-site']
  if (browser === undefined && (site === 'same-origin' || site === 'same-site')) {
    reply.header('set-cookie', ownCookie(browserCookieNames, randomToken(parts.random), isSecure))
  }
  return {
    browser,
    origin: {
      vouched: isTrusted,
      ...(isTrusted && address === undefined && { app: true }),
      ip: isTrusted ? (address ?? ip) : ip,
      userAgent: userAgent?.slice(0, 256),
      locales: acceptedLocales(headers['accept-language'])?.split(',').slice(0, 10).join(),
    },
  }
}

/** Guesses of API tokens are limited as at the management API. A right one costs nothing there: a server signs many users in. */
async function isTrustedAt(
  { limits, isTrusted }: ClassicParts,
  authorization: string,
  address: string,
): Promise<boolean> {
  await limits.refuseSpent('management', { address })
  try {
    return await isTrusted(authorization)
  } catch (error) {
    await limits.charge('management', { address })
    throw error
  }
}

/** Aborted when the connection ends before the answer is written: what waits for this caller alone is dropped (A51). */
function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  return gone.signal
}
