import { randomBytes } from 'node:crypto'
import { OktaAuth, type SimpleStorage, type Tokens } from '@okta/okta-auth-js'
import type { Request, Response } from 'express'
import type { Config } from './config.ts'
import { accountScopes } from './my-account.ts'
import { cookieOf, renewSession } from './session.ts'

/** Creates the SDK client of one request. */
export type OktaClient = (request: Request, response: Response, transactions?: SimpleStorage) => OktaAuth

/**
 * Creates one client per request, because a client holds the transaction and tokens of one user. It stores them in the
 * session of the browser; with its default storage the SDK would share them between all visitors.
 */
export const createOktaClient =
  (config: Config): OktaClient =>
  (request, response, transactions = transactionStorage(request)) => {
    const client = new OktaAuth({
      issuer: config.issuer,
      clientId: config.clientId,
      ...(config.clientSecret !== undefined && { clientSecret: config.clientSecret }),
      redirectUri: `${config.appUrl}/login/callback`,
      postLogoutRedirectUri: config.appUrl,
      scopes: ['openid', 'profile', 'email', ...(config.managesMethods ? accountScopes : [])],
      // In SDK 8 the calls recoverPassword() and register() need the legacy mode.
      idx: { enableLegacyMode: true },
      storageManager: {
        transaction: { storageProvider: transactions },
        token: { storageProvider: tokenStorage(request) },
      },
      // The SDK renews tokens in a hidden frame, which a server does not have. The user signs in again instead.
      tokenManager: { autoRenew: false },
    })
    client.setHeaders(browserHeaders(config, request, response))
    return client
  }

/** Without these headers the server would see the address and user agent of this app instead of the browser. */
export const browserHeaders = (
  config: Config,
  request: Request,
  response: Response,
): Readonly<Record<string, string>> => ({
  'X-Forwarded-For': addressOf(request),
  'User-Agent': (request.get('User-Agent') ?? '').slice(0, 512),
  'X-Device-Token': deviceToken(config, request, response),
  // Mails are sent in this language.
  'Accept-Language': (request.get('Accept-Language') ?? '*').slice(0, 500),
})

/** The IP address of the browser; an IPv4 address without the prefix of dual-stack sockets. */
export const addressOf = (request: Request): string => (request.ip ?? '').replace(/^::ffff:/, '')

/** A random id of this browser that outlives sessions, so that the server recognises the device. */
function deviceToken(config: Config, request: Request, response: Response): string {
  const known = cookieOf(request, 'device')
  if (known !== undefined && /^[0-9a-f]{32}$/.test(known)) return known
  const token = randomBytes(16).toString('hex')
  const year = 365 * 24 * 60 * 60_000
  const secure = config.appUrl.startsWith('https:')
  response.cookie('device', token, { httpOnly: true, sameSite: 'lax', secure, maxAge: year })
  return token
}

/** The largest number of open attempts of a browser. A mailed link resumes its own attempt, even after a newer start. */
const openAttempts = 3

/** The transaction storage of the SDK: the current attempt, `session.state`, among the latest ones of this browser. */
export const transactionStorage = (request: Request): SimpleStorage => ({
  getItem: () => findAttempt(request, request.session.state)?.stored,
  setItem: (_key, stored: string) => {
    const { state } = JSON.parse(stored) as { state?: string }
    if (state === undefined) return
    const others = request.session.transactions?.filter((attempt) => attempt.state !== state) ?? []
    request.session.transactions = [...others, { state, stored }].slice(-openAttempts)
    request.session.state = state
  },
  removeItem: () => {
    const { state, transactions } = request.session
    if (transactions) request.session.transactions = transactions.filter((attempt) => attempt.state !== state)
    delete request.session.state
  },
})

const findAttempt = (request: Request, state: string | undefined) =>
  request.session.transactions?.find((attempt) => attempt.state === state)

/** Deselects the current attempt, so that the next call of the SDK begins a new one. */
export function beginAttempt(request: Request): void {
  delete request.session.state
}

/** Selects the attempt of a mailed link. Has no effect in a browser that did not begin it. */
export function resumeAttempt(request: Request, state: string): void {
  if (findAttempt(request, state)) request.session.state = state
}

const tokenStorage = (request: Request): SimpleStorage => ({
  getItem: () => request.session.tokens,
  setItem: (_key, stored: string) => {
    request.session.tokens = stored
  },
  removeItem: () => {
    delete request.session.tokens
  },
})

/** A storage for a single call, which does not change the session. */
export function passingStorage(): SimpleStorage {
  const items = new Map<string, string>()
  return {
    getItem: (key) => items.get(key),
    setItem: (key, value: string) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  }
}

/** Stores the tokens of a user who has just been authenticated. */
export async function signIn(request: Request, client: OktaAuth, tokens: Tokens): Promise<void> {
  await renewSession(request)
  client.tokenManager.setTokens(tokens)
  // Stops the expiry timers of the tokens, which would keep this request in memory for an hour.
  client.tokenManager.stop()
}
