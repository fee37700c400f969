import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a browser says that a form was sent from a page of the engine (A71): by `Sec-Fetch-Site`, in older browsers by `Origin`. Other hosts
 * of the same site are others, too. It is one of three that must agree: the cookie and the token of the page are the others.
 *
 * @param base the engine's public address
 */
export function isFromOwnPage(headers: IncomingHttpHeaders, base: string): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin } = headers
  return origin === undefined || origin === new URL(base).origin
}

/**
 * Whether a browser went to an address by itself or from a page of the engine, for what may happen without a question. A browser that does
 * not say so may have been led here, and one that prefetches was not asked to go (A73).
 */
export const isOwnNavigation = (headers: IncomingHttpHeaders): boolean =>
  (headers['sec-fetch-site'] === 'none' || headers['sec-fetch-site'] === 'same-origin') && !isGuess(headers)

/** Whether a browser fetches a page before its user has asked for it (`Sec-Purpose: prefetch`). */
export const isGuess = (headers: IncomingHttpHeaders): boolean =>
  headers['sec-purpose'] !== undefined || headers.purpose !== undefined
