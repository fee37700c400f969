import type { OktaAuth } from '@okta/okta-auth-js'

// The part of Okta's MyAccount API that the SDK has no methods for: a user's own authenticators.

/** What the app asks for besides the sign-in. An administrator grants these scopes to the app. */
export const accountScopes = ['okta.myAccount.authenticators.manage', 'okta.myAccount.phone.read'] as const

/** What the server wants proven anew before it changes anything (RFC 9470). */
export interface StepUp {
  readonly maxAge?: string
  readonly acrValues?: string
}

export interface AccountAnswer {
  readonly status: number
  readonly body: unknown
  /** Present where the sign-in is too old or too weak for the call. */
  readonly stepUp?: StepUp
}

/** Calls the API with the access token of the signed-in user. Without one the answer has the status 401. */
export async function callAccount(
  client: OktaAuth,
  headers: Readonly<Record<string, string>>,
  method: 'GET' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
): Promise<AccountAnswer> {
  const { accessToken } = client.tokenManager.getTokensSync()
  if (accessToken === undefined) return { status: 401, body: undefined }
  const response = await fetch(`${client.getIssuerOrigin()}/idp/myaccount${path}`, {
    method,
    headers: {
      ...headers,
      Authorization: `Bearer ${accessToken.accessToken}`,
      Accept: 'application/json; okta-version=1.0.0',
      ...(body && { 'Content-Type': 'application/merge-patch+json;okta-version=1.0.0' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const stepUp =
    response.status === 403 ? stepUpIn(response.headers.get('WWW-Authenticate') ?? '') : undefined
  return {
    status: response.status,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined,
    ...(stepUp && { stepUp }),
  }
}

function stepUpIn(header: string): StepUp | undefined {
  if (!header.includes('insufficient_authentication_context')) return undefined
  const [, maxAge] = /\bmax_age="?(\d+)/.exec(header) ?? []
  const [, acrValues] = /\bacr_values="([^"]+)"/.exec(header) ?? []
  return { ...(maxAge !== undefined && { maxAge }), ...(acrValues !== undefined && { acrValues }) }
}

/** What a user has of an authenticator. */
export interface Enrollment {
  readonly id: string
  /** The name that the user has given it; null: none yet. Absent where it cannot have one. */
  readonly nickname?: string | null
  readonly created?: string
  readonly lastChallenged?: string
  readonly profile?: { readonly email?: string; readonly phoneNumber?: string }
  readonly canUnenroll?: boolean
  /** Until then it begins no recovery, and what changes the account by its proof waits; absent: it is older. */
  readonly settlesAt?: string
  /** It is removed then; absent: it stays. */
  readonly waitingUntil?: string
}

export interface Authenticator {
  readonly id: string
  readonly key: string
  readonly name: string
  /** Whether the user may add one. */
  readonly enrollable: boolean
  readonly enrollments: readonly Enrollment[]
}

interface Listed extends Omit<Authenticator, 'enrollments'> {
  readonly _embedded?: { readonly enrollments?: readonly Enrollment[] }
}

/** The authenticators of the user, from the answer to `GET /authenticators?expand=enrollments`. */
export const authenticatorsIn = (body: unknown): readonly Authenticator[] =>
  Array.isArray(body)
    ? (body as readonly Listed[]).map(({ _embedded, ...one }) => ({
        ...one,
        enrollments: _embedded?.enrollments ?? [],
      }))
    : []

/** The numbers of the user's phones by the id of their enrollment, from the answer to `GET /phones`. */
export const phoneNumbersIn = (body: unknown): ReadonlyMap<string, string> =>
  new Map(
    Array.isArray(body)
      ? (body as readonly { id: string; profile?: { phoneNumber?: string | null } }[]).flatMap(
          ({ id, profile }) => (profile?.phoneNumber ? [[id, profile.phoneNumber] as const] : []),
        )
      : [],
  )
