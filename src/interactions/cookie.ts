import { cookieIn, plainHash } from '../base/index.ts'

/** With https the cookie is bound to the host, so that no other host of the site can set it (A71). */
const names = ['__Host-rekey_tx', 'rekey_tx'] as const

const attributes = (isSecure: boolean): string =>
  `Path=/; HttpOnly; ${isSecure ? 'Secure; ' : ''}SameSite=Lax`

/**
 * The cookie that binds the transaction of an interaction to a browser, as the value of `Set-Cookie`. Its value is the interaction
 * handle: 256 random bits of which the row has the hash alone, and that stand in no address (A80). It ends with the browser.
 */
export const transactionCookie = (handle: string, { isSecure }: { readonly isSecure: boolean }): string =>
  `${names[isSecure ? 0 : 1]}=${handle}; ${attributes(isSecure)}`

/** The cookie that takes the place of `transactionCookie` where the transaction has ended. */
export const endedTransactionCookie = ({ isSecure }: { readonly isSecure: boolean }): string =>
  `${names[isSecure ? 0 : 1]}=; Max-Age=0; ${attributes(isSecure)}`

/**
 * What stands in the address of a page for the transaction that it is of. It says nothing of the handle, and is worth nothing without the
 * cookie that has it (A80).
 */
export const selectorOf = (handle: string): string => plainHash(`page ${handle}`).slice(0, 12)

/** Of a page's address: undefined where it is of none. */
export const isSelector = (text: unknown): text is string =>
  typeof text === 'string' && /^[\w-]{12}$/.test(text)

/** How many transactions of a browser are under way at once, each in a tab of its own. */
const most = 5

/**
 * The cookies that bind a new transaction to a browser: the one of the latest, for a page without a selector, and one of its own, so that a second tab takes
 * nothing from the first. Of those that the browser has more of than `most` the oldest end: browsers send them by age (RFC 6265, section 5.4).
 */
export function transactionCookies(
  handle: string,
  cookies: string | undefined,
  { isSecure }: { readonly isSecure: boolean },
): readonly string[] {
  const name = ownNameOf(selectorOf(handle), isSecure)
  const others = ownNamesIn(cookies, isSecure).filter((other) => other !== name)
  return [
    transactionCookie(handle, { isSecure }),
    `${name}=${handle}; ${attributes(isSecure)}`,
    ...others
      .slice(0, Math.max(0, others.length - (most - 1)))
      .map((other) => `${other}=; Max-Age=0; ${attributes(isSecure)}`),
  ]
}

/** The cookies that take those of a transaction away which has ended; the others of the browser stay. */
export function endedTransactionCookies(
  handle: string,
  cookies: string | undefined,
  { isSecure }: { readonly isSecure: boolean },
): readonly string[] {
  const name = ownNameOf(selectorOf(handle), isSecure)
  const isLatest = transactionCookieIn(cookies, { isSecure }) === handle
  return [
    ...(isLatest ? [endedTransactionCookie({ isSecure })] : []),
    ...(ownNamesIn(cookies, isSecure).includes(name) ? [`${name}=; Max-Age=0; ${attributes(isSecure)}`] : []),
  ]
}

const ownNameOf = (selector: string, isSecure: boolean): string => `${names[isSecure ? 0 : 1]}-${selector}`

function ownNamesIn(cookies: string | undefined, isSecure: boolean): readonly string[] {
  const prefix = ownNameOf('', isSecure)
  return (cookies ?? '').split(';').flatMap((part) => {
    const [name = ''] = part.trim().split('=')
    return name.startsWith(prefix) && isSelector(name.slice(prefix.length)) ? [name] : []
  })
}

/** All interactions that the cookies of a browser bind it to. */
export const transactionsIn = (
  cookies: string | undefined,
  { isSecure }: { readonly isSecure: boolean },
): readonly string[] => [
  ...new Set(
    [names[isSecure ? 0 : 1], ...ownNamesIn(cookies, isSecure)]
      .map((name) => handleIn(cookies, name))
      .filter((handle) => handle !== undefined),
  ),
]

/**
 * The interaction handle in a `Cookie` header; undefined where there is none. Only the name of the present scheme counts.
 *
 * @param options.selector of the page's address: the handle of that transaction alone; absent: of the latest
 */
export function transactionCookieIn(
  header: string | undefined,
  { isSecure, selector }: { readonly isSecure: boolean; readonly selector?: string | undefined },
): string | undefined {
  const latest = handleIn(header, names[isSecure ? 0 : 1])
  if (selector === undefined) return latest
  const own = handleIn(header, ownNameOf(selector, isSecure)) ?? latest
  return own !== undefined && selectorOf(own) === selector ? own : undefined
}

function handleIn(header: string | undefined, name: string): string | undefined {
  const value = cookieIn(header, [name])
  return value !== undefined && /^[\w-]{20,200}$/.test(value) ? value : undefined
}
