import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import { newVisitor } from '../../src/testing/index.ts'
import { apiOf } from './management.ts'

const families = ['profile', 'email', 'phone', 'password', 'authenticators', 'webauthn', 'sessions'] as const

/** All scopes of the MyAccount API. */
export const accountScopes = families.flatMap((name) => [
  `okta.myAccount.${name}.read`,
  `okta.myAccount.${name}.manage`,
])

/** Grants the scopes of the MyAccount API to the web client. */
export async function grantAccount(idp: Pick<Kit, 'engineUrl' | 'apiToken' | 'clientId'>): Promise<void> {
  const api = apiOf(idp)
  for (const scopeId of accountScopes) {
    const { status, text } = await api('POST', `/apps/${idp.clientId}/grants`, { scopeId })
    if (status >= 300) throw new Error(`${scopeId} was not granted: ${text}`)
  }
}

export interface AccountAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer it checks at once
  readonly list: readonly any[]
  readonly text: string
}

export type AccountApi = (method: string, path: string, body?: object) => Promise<AccountAnswer>

/** Calls the MyAccount API with an access token. */
export const accountApi =
  (idp: Pick<Kit, 'engineUrl'>, token: string, headers: Readonly<Record<string, string>> = {}): AccountApi =>
  async (method, path, body) => {
    const url = path.startsWith('http') ? path : `${idp.engineUrl}/idp/myaccount${path}`
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json; okta-version=1.0.0',
        'content-type':
          method === 'PATCH' ? 'application/merge-patch+json;okta-version=1.0.0' : 'application/json',
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : {}
    return {
      status: response.status,
      headers: response.headers,
      body: json,
      list: Array.isArray(json) ? json : [],
      text,
    }
  }

export type AccountTarget = Pick<
  Kit,
  'engineUrl' | 'issuer' | 'clientId' | 'clientSecret' | 'redirectUri' | 'outbox'
>

/** A visitor whose tokens are for the user's own account. */
export const accountVisitor = (
  idp: AccountTarget,
  parameters: Readonly<Record<string, string>> = {},
  scopes: readonly string[] = accountScopes,
): Visitor =>
  newVisitor(idp, {
    server: 'org',
    parameters: { scope: ['openid', 'profile', 'offline_access', ...scopes].join(' '), ...parameters },
  })

/** The access token of the sign-in that the last answer completed. */
export async function tokenIn(visitor: Visitor, seen: Answer = visitor.response): Promise<string> {
  const { body, text } = await visitor.redeems(seen.interactionCode)
  if (typeof body.access_token !== 'string') throw new Error(`no access token: ${text}`)
  return body.access_token
}

/** Signs in by the password and calls the API as its user. */
export async function signedIn(
  idp: AccountTarget,
  login: string,
  password: string,
  scopes?: readonly string[],
): Promise<AccountApi> {
  const visitor = accountVisitor(idp, {}, scopes)
  await visitor.begins()
  await visitor.signsIn(login, password)
  return accountApi(idp, await tokenIn(visitor))
}
