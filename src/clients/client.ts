import { isObject } from '../base/index.ts'

/** In seconds, as at Okta. */
export const defaultRefreshTokenLeeway = 30

/** What a client has been registered with. */
export interface ClientSettings {
  /**
   * `web` has a secret; `browser` and `native` are public clients, with PKCE alone; `service` has a private key and acts
   * for itself, never for a user.
   */
  readonly applicationType: 'web' | 'browser' | 'native' | 'service'
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  /**
   * As registered, in this order. Of them the engine serves `authorization_code`, `interaction_code`, `refresh_token` and, for a
   * `service`, `client_credentials`; `implicit` where the installation allows it (`oauth.implicit`).
   */
  readonly grantTypes: readonly string[]
  /** The public keys of a `service` client. */
  readonly jwks?: { readonly keys: readonly PublicKey[] }
  /** The address of magic links. Absent: the transaction's redirect URI; null: the engine's own page. */
  readonly emailMagicLinkRedirectUri?: string | null
  /** Whether the method is asked for before a mail with a code leaves. Absent: as the configuration says. */
  readonly emailMethodChoice?: boolean
  /**
   * Whether a sign-in to the client asks for attributes that its profile enrollment policy requires and the user does not have.
   * Absent: yes. False for clients that cannot show the form.
   */
  readonly profileCompletion?: boolean
  /** The access policy that is mapped to the client. Absent: the built-in one. */
  readonly accessPolicyId?: string
  /** The profile enrollment policy that is mapped to the client. Absent: the built-in one. */
  readonly profileEnrollmentPolicyId?: string
  /** How many seconds a spent refresh token is answered with its successor again, 0 to 60. */
  readonly refreshTokenLeeway?: number
  /** Whether a confidential client must use PKCE at `authorize`, too. Absent: no. Public clients always must. */
  readonly pkceRequired?: boolean
  /** Where the client is sent logout tokens (OpenID Connect Back-Channel Logout 1.0). Absent: it is sent none. */
  readonly backchannelLogoutUri?: string
  /** Development only: any `http://localhost:PORT` address without a query counts as registered. */
  readonly insecureLocalhostRedirects?: boolean
  /**
   * What a client was registered with over the management API besides the members above, in the API's shape. It is
   * returned as it was sent; nothing is decided by it but what `registered` reads below.
   */
  readonly registration?: Readonly<Record<string, unknown>>
  /**
   * Keys and addresses that a service client has set, by the scopes of the token by which it did. Absent for those
   * that an administrator has set. See `plantedBy` (A58).
   */
  readonly planted?: readonly Planted[]
}

/** What service clients with the same scopes have set of a client. */
export interface Planted {
  readonly scopes: readonly string[]
  /** Names of keys and addresses, see `planted.ts`. */
  readonly names: readonly string[]
}

/** A public key as a JWK (RFC 7517): RSA, or EC on a NIST curve. */
export interface PublicKey {
  readonly kty: 'RSA' | 'EC'
  readonly kid?: string
  readonly alg?: string
  readonly use?: 'sig'
  readonly n?: string
  readonly e?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
}

/** A stored secret: its keyed hash. */
export interface StoredSecret {
  /** Where it was hashed anew since: the id that it had before. Absent: derived from the hash. */
  readonly id?: string
  readonly hash: string
  readonly createdAt: number
  readonly updatedAt?: number
  /** Absent: ACTIVE. */
  readonly status?: 'ACTIVE' | 'INACTIVE'
  /** The scopes of the service client that has set or seen it. Absent: an administrator has (A58). */
  readonly plantedBy?: readonly string[]
}

export interface Client {
  readonly id: string
  readonly label: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly secrets: readonly StoredSecret[]
  readonly settings: ClientSettings
}

export interface NewClient extends Partial<ClientSettings> {
  /** Absent: generated. */
  readonly id?: string
  readonly label: string
  readonly redirectUris: readonly string[]
  /** Absent: generated for a `web` client. */
  readonly secret?: string
}

/** Whether a client must authenticate: by its secret or, for a service, by its key. */
export const isConfidential = ({ settings }: Client): boolean =>
  settings.applicationType === 'web' || settings.applicationType === 'service'

/** Whether users are asked before the client gets a scope that wants their consent: its `consent_method`. */
export const asksForConsent = (client: Client): boolean => registered(client, 'consent_method') === 'REQUIRED'

/** Whether the client must push its requests to `authorize` (RFC 9126, section 6). */
export const requiresPushedRequests = (client: Client): boolean =>
  registered(client, 'pushed_authorization_request_required') === true

/** Whether the client gets tokens that are bound to its key alone (RFC 9449, section 5.2). */
export const requiresProofs = (client: Client): boolean =>
  registered(client, 'dpop_bound_access_tokens') === true

/** What stands in `settings.oauthClient` of what a client was registered with. */
const registered = ({ settings: { registration } }: Pick<Client, 'settings'>, member: string): unknown =>
  ['settings', 'oauthClient', member].reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    registration,
  )

/** Whether a redirect URI is registered, by exact comparison (A30, RFC 9700 section 4.1.3). */
export const isRedirectUriRegistered = (client: Client, uri: string): boolean =>
  client.settings.redirectUris.includes(uri) || isLocalhostAllowed(client, uri)

export const isLogoutUriRegistered = (client: Client, uri: string): boolean =>
  client.settings.postLogoutRedirectUris.includes(uri) || isLocalhostAllowed(client, uri)

/** The redirect URIs that a client accepts, in words for a developer. */
export const acceptedRedirects = ({ settings }: Client): string =>
  [
    ...settings.redirectUris,
    ...(settings.insecureLocalhostRedirects === true
      ? ['any http://localhost address with a port and no query']
      : []),
  ].join(', ') || 'none'

function isLocalhostAllowed(client: Client, uri: string): boolean {
  if (client.settings.insecureLocalhostRedirects !== true) return false
  // Only characters that every parser reads alike: no userinfo, backslash or other confusion of parsers (A30).
  return /^http:\/\/localhost:\d{1,5}(\/[\w\-./~%]*)?$/.test(uri) && URL.canParse(uri)
}

const scriptSchemes = ['javascript:', 'data:', 'vbscript:', 'file:', 'blob:']

/**
 * Whether a text can be registered as a redirect URI or as the address of a magic link: absolute, without fragment (RFC
 * 6749, section 3.1.2) or wildcard, in printable ASCII (RFC 3986, section 2), and of no scheme that runs script or reads
 * files (A30). White space and invisible characters would be removed by a browser: the address would be another one, and its
 * origin one that CORS admits.
 */
export const isRedirectUri = (uri: string): boolean =>
  URL.canParse(uri) &&
  /^[\x21-\x7e]+$/.test(uri) &&
  !/[#*]/.test(uri) &&
  !scriptSchemes.includes(new URL(uri).protocol) &&
  (!/^https?:/i.test(uri) || /^https?:\/\/[^/]/i.test(uri))

/**
 * The origin that a text names, as browsers send it: scheme and host in lower case, no default port, no slash at the end.
 * Undefined for anything with a path, a query or a wildcard, which would suggest a restriction that CORS cannot enforce,
 * and for a host without its scheme.
 */
export function originFrom(text: string): string | undefined {
  const trimmed = text.trim()
  if (!/^https?:\/\/[\p{L}\p{N}._:[\]-]+\/?$/iu.test(trimmed) || !URL.canParse(trimmed)) return undefined
  return new URL(trimmed).origin
}

/** The accepted form, for messages. */
export const originForm = 'must be an origin such as https://app.example.com'

/** The origins that a client's pages may call from: those of its redirect URIs. */
export const originsOf = (client: Client): readonly string[] =>
  client.settings.redirectUris
    .filter((uri) => /^https?:/.test(uri) && isRedirectUri(uri))
    .map((uri) => new URL(uri).origin)

/** Whether an origin is on localhost, which a client registered for development may call from. */
export const isLocalhostOrigin = (origin: string): boolean => /^http:\/\/localhost(:\d{1,5})?$/.test(origin)
