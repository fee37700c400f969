import { cookieIn } from '../base/index.ts'
import { endedTransactionCookies, transactionsIn } from '../interactions/index.ts'
import { flashName, noFlashCookie } from './flash.ts'
import { signInPath } from './render.ts'

/**
 * The interactions that the cookies of a browser bind it to, and the cookies that take those of the pages
 * away.
 */
export function leavePages(
  cookies: string | undefined,
  base: string,
): { readonly handles: readonly string[]; readonly cookies: readonly string[] } {
  const isSecure = base.startsWith('https:')
  const handles = transactionsIn(cookies, { isSecure })
  return {
    handles,
    cookies: [
      ...handles.flatMap((handle) => endedTransactionCookies(handle, cookies, { isSecure })),
      ...(cookieIn(cookies, [flashName]) === undefined
        ? []
        : [noFlashCookie(new URL(base + signInPath).pathname)]),
    ],
  }
}
