import { type Client, isLocalhostOrigin, originsOf } from '../../clients/index.ts'

/** For whom passkeys are made, and from where they may be used. */
export interface RelyingParty {
  /** The domain that passkeys are bound to; absent: the host of the engine's address. */
  readonly rpId?: string | undefined
  /** Origins besides those of pages: `android:apk-key-hash:…` of native apps. */
  readonly nativeOrigins: readonly string[]
  /** Origins that an administrator trusts, as they are now. */
  trustedOrigins(): Promise<readonly string[]>
  /** The apps that there are, whose pages may use passkeys where no one app asks. Absent: none. */
  clients?(): Promise<readonly Client[]>
}

interface Org {
  readonly baseUrl: string
}

/** The domain that passkeys are bound to. */
export const rpIdOf = ({ rpId }: Pick<RelyingParty, 'rpId'>, { baseUrl }: Org): string =>
  rpId ?? new URL(baseUrl).hostname

/** Whether pages of an origin may use an RP ID by themselves: their host is it, or is below it (WebAuthn, section 5.1.2). */
export function isCovered(rpId: string, origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { hostname } = new URL(origin)
  return hostname === rpId || hostname.endsWith(`.${rpId}`)
}

/**
 * Whether a passkey may be used from an origin: that of the engine, those of the app's redirect URIs that the RP ID
 * covers, trusted ones, and native apps that the configuration names. Other pages, however much they look like it, get
 * nothing by an answer that they obtained (A67).
 *
 * @param context.client absent: an API asks, for no app; then the pages of any app are meant
 */
export async function isAllowedOrigin(
  origin: string,
  party: RelyingParty,
  { org, client }: { readonly org: Org; readonly client?: Client },
): Promise<boolean> {
  const rpId = rpIdOf(party, org)
  const apps = client === undefined ? ((await party.clients?.()) ?? []) : [client]
  const isOfApp = apps.some(
    (app) =>
      originsOf(app).includes(origin) ||
      (app.settings.insecureLocalhostRedirects === true && isLocalhostOrigin(origin)),
  )
  // Read whatever the origin is, so that its answer takes the same statements.
  const trusted = await party.trustedOrigins()
  return (
    origin === new URL(org.baseUrl).origin ||
    (isOfApp && isCovered(rpId, origin)) ||
    trusted.includes(origin) ||
    party.nativeOrigins.includes(origin)
  )
}

/**
 * The AppID of a challenge, where the engine and the pages of the app are one site, with https. Elsewhere browsers refuse the whole
 * request for it: an AppID without https is good for its own origin alone (FIDO AppID and Facet Specification, 3.1.2).
 */
export function extensionsOf(
  party: Pick<RelyingParty, 'rpId'>,
  { org, client }: { readonly org: Org; readonly client: Client },
): { readonly appid?: string } {
  const rpId = rpIdOf(party, org)
  const isOneSite = originsOf(client).every((origin) => isCovered(rpId, origin))
  return isOneSite && org.baseUrl.startsWith('https:') ? { appid: org.baseUrl } : {}
}

/** The origins that `/.well-known/webauthn` names: trusted ones that the RP ID does not cover by itself. */
export const relatedOrigins = async (party: RelyingParty, org: Org): Promise<readonly string[]> =>
  (await party.trustedOrigins()).filter((origin) => !isCovered(rpIdOf(party, org), origin))
