import type { IncomingHttpHeaders } from 'node:http'
import { browserCookieNames, ownCookie, ownCookieIn, plainHash, randomToken } from '../base/index.ts'
import { beginOwnRecovery, type FlowParts } from '../flow/index.ts'
import { acceptedLocales } from '../i18n/index.ts'
import { transactionCookies } from '../interactions/index.ts'
import { endPath, pageAddress } from '../pages/index.ts'

/**
 * Begins the recovery of a mailbox's owner in the browser that calls, and binds it to that browser alone (A84): where the browser goes on, and
 * its cookies. Undefined where the link is good for nothing any more.
 */
export async function ownRecovery(
  parts: FlowParts,
  base: string,
  call: {
    readonly clientId: string
    readonly token: string
    readonly ip: string
    readonly headers: IncomingHttpHeaders
  },
): Promise<{ readonly location: string; readonly cookies: readonly string[] } | undefined> {
  const { clientId, token, ip, headers } = call
  const isSecure = base.startsWith('https:')
  const former = ownCookieIn(headers.cookie, browserCookieNames, isSecure)
  const own = former !== undefined && /^[A-Za-z0-9]{43}$/.test(former) ? former : undefined
  const browser = own ?? randomToken(parts.random)
  const begun = await beginOwnRecovery(
    parts,
    { clientId, token },
    {
      browser: plainHash(browser),
      end: `${base}${endPath}`,
      origin: {
        ip,
        userAgent: headers['user-agent']?.slice(0, 200),
        locales: acceptedLocales(headers['accept-language']),
        vouched: false,
      },
    },
  )
  if (begun === undefined) return undefined
  const bound = own === undefined ? [ownCookie(browserCookieNames, browser, isSecure)] : []
  return {
    location: pageAddress(base, begun.handle),
    cookies: [...bound, ...transactionCookies(begun.handle, headers.cookie, { isSecure })],
  }
}
