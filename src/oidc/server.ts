import { derivedId } from '../base/index.ts'
import { prompts, responseModes } from './hosted/response.ts'
import { responseTypes } from './hosted/response-types.ts'

/** One of the two authorization servers, which share users, clients and keys. */
export interface AuthorizationServer {
  readonly id: 'default' | 'org'
  /** The claim `iss`, and the issuer that apps are configured with. */
  readonly issuer: string
  /** The address of its endpoints: `{oauth}/v1/token`. As at Okta it is not below the issuer of the org server. */
  readonly oauth: string
  /** The claim `aud` of its access tokens. */
  readonly audience: string
}

/** The paths from the engine's root, independent of the public address. */
export const serverPaths = {
  default: { issuer: '/oauth2/default', oauth: '/oauth2/default' },
  org: { issuer: '', oauth: '/oauth2' },
} as const

export const scopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'groups'] as const

/** @param base the engine's public address without a slash at the end. */
export function authorizationServer(id: AuthorizationServer['id'], base: string): AuthorizationServer {
  const issuer = base + serverPaths[id].issuer
  return {
    id,
    issuer,
    oauth: base + serverPaths[id].oauth,
    audience: id === 'default' ? 'api://default' : issuer,
  }
}

/**
 * The metadata of a server (OpenID Connect Discovery 1.0, RFC 8414). Addresses are built from the configured issuer,
 * never from the request's Host (A20). It lists what is served, and nothing else.
 */
export const discoveryOf = (
  { id, issuer, oauth }: AuthorizationServer,
  installation: { readonly implicit: boolean },
) => ({
  issuer,
  authorization_endpoint: `${oauth}/v1/authorize`,
  token_endpoint: `${oauth}/v1/token`,
  interaction_endpoint: `${oauth}/v1/interact`,
  userinfo_endpoint: `${oauth}/v1/userinfo`,
  jwks_uri: `${oauth}/v1/keys`,
  introspection_endpoint: `${oauth}/v1/introspect`,
  revocation_endpoint: `${oauth}/v1/revoke`,
  pushed_authorization_request_endpoint: `${oauth}/v1/par`,
  end_session_endpoint: `${oauth}/v1/logout`,
  response_types_supported: responseTypes(installation),
  response_modes_supported: responseModes,
  grant_types_supported: [
    'authorization_code',
    'interaction_code',
    'refresh_token',
    ...(installation.implicit ? ['implicit'] : []),
    ...(id === 'org' ? ['client_credentials'] : []),
  ],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  scopes_supported: scopes,
  claims_supported: [
    ...[
      'iss',
      'ver',
      'sub',
      'aud',
      'iat',
      'exp',
      'jti',
      'auth_time',
      'amr',
      'acr',
      'nonce',
      'at_hash',
      ...(installation.implicit ? ['c_hash'] : []),
      'sid',
    ],
    ...['name', 'nickname', 'preferred_username', 'given_name', 'middle_name', 'family_name', 'profile'],
    ...['zoneinfo', 'locale', 'updated_at', 'email', 'email_verified', 'address', 'phone_number', 'groups'],
  ],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: [...authMethods, ...(id === 'org' ? ['private_key_jwt'] : [])],
  ...(id === 'org' && { token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms }),
  introspection_endpoint_auth_methods_supported: [...authMethods, 'private_key_jwt'],
  introspection_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
  revocation_endpoint_auth_methods_supported: [...authMethods, 'private_key_jwt'],
  revocation_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
  backchannel_logout_supported: true,
  backchannel_logout_session_supported: true,
  authorization_response_iss_parameter_supported: true,
  dpop_signing_alg_values_supported: assertionAlgorithms,
  prompt_values_supported: prompts,
  claims_parameter_supported: false,
  request_parameter_supported: false,
  request_uri_parameter_supported: false,
})

/**
 * The metadata of the organization, by which clients of Okta find out that it speaks IDX. The id is that of the address,
 * the same on every node and after each start.
 */
export const organizationOf = ({ issuer: base }: AuthorizationServer) => ({
  id: derivedId('00o', `organization ${base}`),
  _links: { organization: { href: base } },
  pipeline: 'idx',
  settings: { analyticsCollectionEnabled: false, bugReportingEnabled: false, omEnabled: false },
})

/** Asymmetric algorithms only: with HS256 a public key would do as the secret to sign with (RFC 8725, section 2.1). */
export const assertionAlgorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'] as const

const authMethods = ['client_secret_basic', 'client_secret_post', 'none']
