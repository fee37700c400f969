/** Okta's levels of assurance, each with its condition on the authentication methods (`amr`). Strongest first. */
const levels = new Map<string, (amr: readonly string[]) => boolean>([
  ['urn:okta:loa:2fa:any', (amr) => amr.includes('mfa')],
  ['urn:okta:loa:1fa:pwd', (amr) => amr.includes('pwd')],
  ['urn:okta:loa:1fa:any', () => true],
])

/** The levels that are known here of those that were asked for, each once: others can never be reached. */
export const knownLevels = (acrValues: string | undefined): string | undefined =>
  [...new Set(acrValues?.split(' ') ?? [])].filter((value) => levels.has(value)).join(' ') || undefined

/**
 * The first requested level that the sign-in has reached. `acr_values` is voluntary (OpenID Connect Core 1.0, section
 * 3.1.2.1).
 */
export const reachedLevel = (acrValues: string | undefined, amr: readonly string[]): string | undefined =>
  acrValues?.split(' ').find((value) => levels.get(value)?.(amr) === true)
