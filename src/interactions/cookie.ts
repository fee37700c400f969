import { cookieIn } from '../base/index.ts'

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

/** The interaction handle in a `Cookie` header; undefined where there is none. Only the name of the present scheme counts. */
export function transactionCookieIn(
  header: string | undefined,
  { isSecure }: { readonly isSecure: boolean },
): string | undefined {
  const value = cookieIn(header, [names[isSecure ? 0 : 1]])
  return value !== undefined && /^[\w-]{20,200}$/.test(value) ? value : undefined
}
