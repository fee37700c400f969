import { promisify } from 'node:util'
import type { Request, RequestHandler, Response } from 'express'
import session from 'express-session'
import type { Config } from './config.ts'
import type { Errand } from './errands.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { Message } from './messages.ts'
import { createMutex } from './mutex.ts'
import type { Stopped } from './pages/stopped.ts'

declare module 'express-session' {
  /** The session of a browser, stored on the server. Tokens and codes are never sent to the browser. */
  interface SessionData {
    /** The CSRF token of our forms. */
    csrf: string
    /** The transactions of the SDK by `state`, newest last, and the `state` of the current one. */
    transactions: { readonly state: string; readonly stored: string }[]
    state: string
    /** The tokens of the SDK, once signed in. */
    tokens: string
    /** When the last code was sent, in epoch milliseconds. */
    codeSentAt: number
    /** Messages to show once on the next page. */
    messages: readonly Message[]
    /** Why the last attempt ended, and where to start again. */
    stopped: Stopped
    /** What the current attempt is for, where it is more than a sign-in. */
    errand: Errand
    /** The phone that is being set up: another code may be asked for by the other method. */
    phone: { readonly phoneNumber: string; readonly methodType: string }
    /** The sign-up of this browser: its attempt, by `state`, and the address that its mail goes to. */
    signUp: { readonly state: string; readonly email?: string }
    /** The page of this app to go on at after a sign-in. */
    returnTo: string
    /** A new account, and where its first page leads. */
    welcome: { readonly goOn: string }
    /** The code of a mailed link that was opened in this browser but requested in another one. */
    foreignCode: { readonly state: string; readonly otp: string }
  }
}

/**
 * Stores sessions in the memory of this process for an hour after their last use. Their number is limited, so that many
 * visitors cannot fill the memory. Several processes need a shared store, such as `connect-redis`.
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

/** The value of a cookie, as sent by the browser. */
export const cookieOf = (request: Request, name: string): string | undefined =>
  request.headers.cookie
    ?.split(/; */)
    .find((cookie) => cookie.startsWith(`${name}=`))
    ?.slice(name.length + 1)

/**
 * Opens the session for a handler, and serialises the requests of a browser. Two tabs share one session: if the poll of
 * the code page and the form of another tab ran concurrently, the slower one would overwrite the newer state with the old
 * one. The lock is held until the handler is done, even if the browser disconnects before.
 */
export function withSession(config: Config): (handler: RequestHandler) => RequestHandler {
  const withLock = createMutex()
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
    const handle = async () => {
      await open(request, response)
      await handler(request, response, next)
    }
    const key = cookieOf(request, cookieName)
    await (key === undefined ? handle() : withLock(key, handle))
  }
}

/** Starts an empty session with a new id, against session fixation: an id set before the sign-in becomes invalid. */
export const renewSession = (request: Request): Promise<void> =>
  new Promise((resolve, reject) => request.session.regenerate((error) => (error ? reject(error) : resolve())))

/** Deletes the session of the browser. */
export const endSession = (request: Request): Promise<void> =>
  new Promise((resolve, reject) => request.session.destroy((error) => (error ? reject(error) : resolve())))

/** Removes a value from the session and returns it. */
export function take<Name extends 'messages' | 'stopped' | 'foreignCode'>(request: Request, name: Name) {
  const value = request.session[name]
  delete request.session[name]
  return value
}
