import { cookieIn } from '../base/index.ts'
import { endedTransactionCookie, transactionCookieIn } from '../interactions/index.ts'
import { flashName, noFlashCookie } from './flash.ts'
import { signInPath } from './render.ts'

/** The interaction that the cookies of a browser bind it to, and the cookies that take those of the pages away. */
export function leavePages(
  cookies: string | undefined,
  base: string,
): { readonly handle: string | undefined; readonly cookies: readonly string[] } {
  const isSecure = base.startsWith('https:')
  const handle = transactionCookieIn(cookies, { isSecure })
  return {
    handle,
    cookies: [
      ...(handle === undefined ? [] : [endedTransactionCookie({ isSecure })]),
      ...(cookieIn(cookies, [flashName]) === undefined
        ? []
        : [noFlashCookie(new URL(base + signInPath).pathname)]),
    ],
  }
}
