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
