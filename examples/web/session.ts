import { promisify } from 'node:util'
import type { Request, RequestHandler, Response } from 'express'
import session from 'express-session'
import type { Config } from './config.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { Message } from './messages.ts'
import type { Stopped } from './pages/stopped.ts'
import { createTurns } from './turns.ts'

declare module 'express-session' {
  /** What the app keeps about a browser, on the server. Tokens and codes never go to the browser. */
  interface SessionData {
    /** Proves that a form comes from our own page. */
    csrf: string
    /** The SDK's transactions by their `state`, the newest last, and the `state` of the one at hand. */
    transactions: { readonly state: string; readonly stored: string }[]
    state: string
    /** The SDK's tokens, once signed in. */
    tokens: string
    /** When the last code went out, in milliseconds. */
    codeSentAt: number
    /** To be said on the next page, once. */
    messages: readonly Message[]
    /** Why the last attempt ended, and where to start again. */
    stopped: Stopped
    /** A code from a mail link that was opened in this browser but belongs to another one. */
    foreignCode: { readonly state: string; readonly otp: string }
  }
}

/**
 * Keeps sessions in the memory of this process: each for an hour after its last use, and never more than the limit, so
 * a flood of visitors cannot fill the memory. Several processes need a shared store, such as `connect-redis`.
 */
class MemoryStore extends session.Store {
  readonly #sessions = new ExpiringMap<string>({ lifetime: 60 * 60_000, limit: 5000 })

  override get(id: string, done: (error: unknown, data?: session.SessionData | null) => void) {
    const stored = this.#sessions.get(id)
    done(null, stored === undefined ? null : JSON.parse(stored))
  }

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void) {
    this.#sessions.set(id, JSON.stringify(data))
    done?.()
  }

  override touch(id: string, _data: session.SessionData, done?: () => void) {
    const stored = this.#sessions.get(id)
    if (stored !== undefined) this.#sessions.set(id, stored)
    done?.()
  }

  override destroy(id: string, done?: (error?: unknown) => void) {
    this.#sessions.delete(id)
    done?.()
  }
}

const cookieName = 'session'

/** The value of a cookie as the browser sent it. */
export const cookieOf = (request: Request, name: string): string | undefined =>
  request.headers.cookie
    ?.split(/; */)
    .find((cookie) => cookie.startsWith(`${name}=`))
    ?.slice(name.length + 1)

/**
 * Gives a handler its session, and lets the requests of one browser in one at a time. Two tabs share one session: if the
 * code page's poll and the other tab's form ran side by side, the slower one would write back the step the faster one
 * has just left. The turn lasts until the handler is done, even when the browser has gone away before.
 */
export function withSession(config: Config): (handler: RequestHandler) => RequestHandler {
  const inTurn = createTurns()
  const open = promisify<Request, Response, void>(
    session({
      name: cookieName,
      secret: config.sessionSecret,
      store: new MemoryStore(),
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax', secure: config.appUrl.startsWith('https:') },
    }),
  )

  return (handler) => async (request, response, next) => {
    const turn = async () => {
      await open(request, response)
      await handler(request, response, next)
    }
    const key = cookieOf(request, cookieName)
    await (key === undefined ? turn() : inTurn(key, turn))
  }
}

/** Starts an empty session under a new id, so that an id planted in the browser before sign-in is worth nothing after. */
export const renewSession = (request: Request): Promise<void> =>
  new Promise((resolve, reject) => request.session.regenerate((error) => (error ? reject(error) : resolve())))

/** Forgets the browser. */
export const endSession = (request: Request): Promise<void> =>
  new Promise((resolve, reject) => request.session.destroy((error) => (error ? reject(error) : resolve())))

/** Takes a value out of the session: it is there once. */
export function take<Name extends 'messages' | 'stopped' | 'foreignCode'>(request: Request, name: Name) {
  const value = request.session[name]
  delete request.session[name]
  return value
}
