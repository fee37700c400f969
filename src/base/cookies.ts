/** The value of the first cookie with one of these names in a `Cookie` header. */
export function cookieIn(header: string | undefined, names: readonly string[]): string | undefined {
  const cookies = (header ?? '').split(';').map((part) => part.trim())
  const found = names.flatMap((name) =>
    cookies.flatMap((cookie) => (cookie.startsWith(`${name}=`) ? [cookie.slice(name.length + 1)] : [])),
  )
  return found[0]
}

/** The names of the cookie of a remembered device: with https bound to the host and to https, else plain. */
export const deviceCookieNames = ['__Host-rekey_device', 'rekey_device'] as const

/** The cookie of a remembered device. With https it is sent by apps of other sites, too, as far as browsers let it be. */
export function deviceCookie(
  secret: string,
  { maxAgeMs, isSecure }: { readonly maxAgeMs: number; readonly isSecure: boolean },
): string {
  const [name, site] = isSecure
    ? [deviceCookieNames[0], 'Secure; SameSite=None']
    : [deviceCookieNames[1], 'SameSite=Lax']
  return `${name}=${secret}; Path=/; Max-Age=${Math.floor(maxAgeMs / 1000)}; HttpOnly; ${site}`
}

/** The names of the cookie that a request to `authorize` is bound to its browser by (A80). */
export const browserCookieNames = ['__Host-rekey_browser', 'rekey_browser'] as const

/** The names of the cookie of a browser's session. */
export const sessionCookieNames = ['__Host-rekey_session', 'rekey_session'] as const

/**
 * The value of a cookie of the engine's own pages. With https the one that is bound to the host alone counts: a page of another
 * subdomain can set a cookie with the other name (A71).
 */
export const ownCookieIn = (
  header: string | undefined,
  [secure, plain]: readonly [string, string],
  isSecure: boolean,
): string | undefined => cookieIn(header, [isSecure ? secure : plain])

/** The secret of the browser that a `Cookie` header is from, by the cookie that binds requests to it; undefined: it has none yet. */
export function browserSecretIn(header: string | undefined, isSecure: boolean): string | undefined {
  const value = ownCookieIn(header, browserCookieNames, isSecure)
  return value !== undefined && /^[A-Za-z0-9]{43}$/.test(value) ? value : undefined
}

/** No browser keeps a cookie for longer (RFC 6265bis, section 5.5). */
const longestMs = 400 * 86_400_000

/**
 * A cookie of the engine's own pages: read by no script, and not sent by pages of other sites, except where they lead here.
 *
 * @param maxAgeMs how long it lives; absent: as long as the browser, and an empty one takes the place of the one before
 */
export function ownCookie(
  [secure, plain]: readonly [string, string],
  value: string,
  isSecure: boolean,
  maxAgeMs: number | undefined = value === '' ? 0 : undefined,
): string {
  const [name, more] = isSecure ? [secure, '; Secure'] : [plain, '']
  const age = maxAgeMs === undefined ? '' : `; Max-Age=${Math.floor(Math.min(maxAgeMs, longestMs) / 1000)}`
  return `${name}=${value}; Path=/${age}; HttpOnly; SameSite=Lax${more}`
}
