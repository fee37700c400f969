/** What Okta's levels of assurance ask of the methods used, strongest first. */
const levels = new Map<string, (amr: readonly string[]) => boolean>([
  ['urn:okta:loa:2fa:any', (amr) => amr.includes('mfa')],
  ['urn:okta:loa:1fa:pwd', (amr) => amr.includes('pwd')],
  ['urn:okta:loa:1fa:any', () => true],
])

/** The first level asked for that the sign-in has reached. Others are wishes (OpenID Connect Core 1.0, section 3.1.2.1). */
export const reachedLevel = (acrValues: string | undefined, amr: readonly string[]): string | undefined =>
  acrValues?.split(' ').find((value) => levels.get(value)?.(amr) === true)
