import { randomBytes } from 'node:crypto'
import { OktaAuth, type SimpleStorage, type Tokens } from '@okta/okta-auth-js'
import type { Request, Response } from 'express'
import type { Config } from './config.ts'
import { cookieOf, renewSession } from './session.ts'

/** Makes the SDK client of one request. */
export type OktaClient = (request: Request, response: Response, transactions?: SimpleStorage) => OktaAuth

/**
 * One client a request, because the client holds one person's transaction and tokens. It keeps them in that person's
 * session; without a storage of its own the SDK would mix all visitors in one memory.
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
      scopes: ['openid', 'profile', 'email'],
      // SDK 8 speaks in steps by default; the calls recoverPassword() and register() need the legacy mode.
      idx: { enableLegacyMode: true },
      storageManager: {
        transaction: { storageProvider: transactions },
        token: { storageProvider: tokenStorage(request) },
      },
      // The SDK renews tokens in a hidden frame, which a server has not. Expired ones mean: sign in again.
      tokenManager: { autoRenew: false },
    })
    // The server would otherwise see this app's address and user agent in place of the person's.
    client.setHeaders({
      'X-Forwarded-For': addressOf(request),
      'User-Agent': (request.get('User-Agent') ?? '').slice(0, 512),
      'X-Device-Token': deviceToken(config, request, response),
      // Mails are in the person's language.
      'Accept-Language': (request.get('Accept-Language') ?? '*').slice(0, 500),
    })
    return client
  }

/** The person's network address; an IPv4 address without the prefix that a dual-stack socket gives it. */
export const addressOf = (request: Request): string => (request.ip ?? '').replace(/^::ffff:/, '')

/** A random name for this browser that outlives sessions, so that the server knows a device again. */
function deviceToken(config: Config, request: Request, response: Response): string {
  const known = cookieOf(request, 'device')
  if (known !== undefined && /^[0-9a-f]{32}$/.test(known)) return known
  const token = randomBytes(16).toString('hex')
  const year = 365 * 24 * 60 * 60_000
  const secure = config.appUrl.startsWith('https:')
  response.cookie('device', token, { httpOnly: true, sameSite: 'lax', secure, maxAge: year })
  return token
}

/** How many attempts a browser may have open. A mail link finds its own among them, also after a new start. */
const openAttempts = 3

/** The SDK's transaction storage: the attempt at hand, `session.state`, among the last few of this browser. */
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

/** Leaves the attempt at hand aside: the SDK's next call begins a new one. */
export function beginAttempt(request: Request): void {
  delete request.session.state
}

/** Takes up the attempt a mail link names. A browser that did not begin it has none to take up. */
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

/** A storage for a single call that leaves no trace in the session. */
export function passingStorage(): SimpleStorage {
  const items = new Map<string, string>()
  return {
    getItem: (key) => items.get(key),
    setItem: (key, value: string) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  }
}

/** Keeps the tokens of a person who has just proven who they are. */
export async function signIn(request: Request, client: OktaAuth, tokens: Tokens): Promise<void> {
  await renewSession(request)
  client.tokenManager.setTokens(tokens)
  // Ends the timers for the tokens' expiry, each of which would hold on to this request for an hour.
  client.tokenManager.stop()
}
