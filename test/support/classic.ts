import { expect } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'

/** A body of the classic authentication API, as far as tests read it. */
export interface AuthnBody {
  readonly status?: string
  readonly stateToken?: string
  readonly sessionToken?: string
  readonly relayState?: string
  readonly errorCode?: string
  readonly expiresAt?: string
  readonly _embedded?: {
    readonly user?: { readonly id: string; readonly profile: { readonly login: string } }
    readonly factors?: readonly Factor[]
    readonly factor?: Factor
  }
  readonly _links?: Readonly<Record<string, unknown>>
}

export interface Factor {
  readonly id: string
  readonly factorType: string
  readonly provider: string
  readonly profile: Readonly<Record<string, string>>
}

export interface AuthnAnswer {
  readonly status: number
  readonly body: AuthnBody
  readonly headers: Headers
}

/** Posts JSON to the classic authentication API, below `/api/v1/authn`. */
export async function authn(
  { engineUrl }: Pick<Kit, 'engineUrl'>,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<AuthnAnswer> {
  const response = await fetch(`${engineUrl}/api/v1/authn${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as AuthnBody, headers: response.headers }
}

/** A session token by a name and a password alone. */
export async function sessionTokenOf(
  idp: Pick<Kit, 'engineUrl'>,
  { login, password }: { readonly login: string; readonly password: string },
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { body } = await authn(idp, '', { username: login, password }, headers)
  expect(body).toMatchObject({ status: 'SUCCESS' })
  return body.sessionToken ?? ''
}
