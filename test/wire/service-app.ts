import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { randomToken, systemClock, systemRandom } from '../../src/base/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'

/** The members that are given. */
const given = (members: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

type Members<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** A service app with a key pair of its own. */
export interface ServiceApp {
  readonly id: string
  readonly privateJwk: JWK
  /** An assertion as the SDK makes it, with claims and header as given in place of the usual ones; what is undefined is left out. */
  assertion(
    claims?: Members<JWTPayload>,
    header?: Members<JWTHeaderParameters>,
    key?: CryptoKey,
  ): Promise<string>
  /** What the token endpoint answers. */
  ask(
    scope: string | undefined,
    assertion?: string,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
  /** An access token. */
  token(scope: string): Promise<string>
  grant(...scopes: readonly string[]): Promise<void>
}

/** Making one takes a while. */
const pairs = new Map<string, Promise<{ readonly privateJwk: JWK; readonly publicJwk: JWK }>>()

export function keyPair(alg = 'RS256') {
  const made =
    pairs.get(alg) ??
    generateKeyPair(alg, { extractable: true }).then(async ({ privateKey, publicKey }) => ({
      privateJwk: { ...(await exportJWK(privateKey)), alg, kid: `key-${alg}` },
      publicJwk: { ...(await exportJWK(publicKey)), alg, kid: `key-${alg}`, use: 'sig' },
    }))
  pairs.set(alg, made)
  return made
}

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The body of a service app as it is registered over the management API. */
export const serviceBody = (keys: readonly object[], label = 'Robot') => ({
  name: 'oidc_client',
  label,
  signOnMode: 'OPENID_CONNECT',
  credentials: { oauthClient: { token_endpoint_auth_method: 'private_key_jwt' } },
  settings: {
    oauthClient: {
      application_type: 'service',
      grant_types: ['client_credentials'],
      response_types: ['token'],
      jwks: { keys },
    },
  },
})

/** Registers a service app with scopes, over the management API. */
export async function serviceApp(
  idp: Kit,
  scopes: readonly string[] = [],
  { alg = 'RS256', label = 'Robot' } = {},
): Promise<ServiceApp> {
  const { privateJwk, publicJwk } = await keyPair(alg)
  const api = apiOf(idp)
  const { body, status } = await api('POST', '/apps', serviceBody([publicJwk], label))
  if (status !== 200) throw new Error(`the app was refused: ${JSON.stringify(body)}`)
  const { id } = body
  const endpoint = `${idp.engineUrl}/oauth2/v1/token`
  const app: ServiceApp = {
    id,
    privateJwk,
    async assertion(claims = {}, header = {}, key) {
      const now = Math.floor(systemClock.now() / 1000)
      const usual = {
        iss: id,
        sub: id,
        aud: endpoint,
        iat: now,
        exp: now + 300,
        jti: randomToken(systemRandom),
      }
      return new SignJWT(given({ ...usual, ...claims }))
        .setProtectedHeader({ alg, ...given({ kid: privateJwk.kid ?? '', ...header }) })
        .sign(key ?? ((await importJWK(privateJwk, alg)) as CryptoKey))
    },
    async ask(scope, assertion) {
      const response = await fetch(endpoint, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          ...(scope !== undefined && { scope }),
          client_assertion_type: assertionType,
          client_assertion: assertion ?? (await app.assertion()),
        }),
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
    async token(scope) {
      const { status, body: answered } = await app.ask(scope)
      if (status !== 200) throw new Error(`no token was issued: ${JSON.stringify(answered)}`)
      return String(answered.access_token)
    },
    async grant(...wanted) {
      for (const scopeId of wanted) {
        const { status: answered } = await api('POST', `/apps/${id}/grants`, {
          scopeId,
          issuer: idp.engineUrl,
        })
        if (answered !== 201) throw new Error(`${scopeId} was not granted`)
      }
    },
  }
  await app.grant(...scopes)
  return app
}
