import { isoTime } from '../../base/index.ts'
import { type Client, defaultRefreshTokenLeeway, isConfidential } from '../../clients/index.ts'
import { prefix } from '../operation.ts'

/**
 * A client in the shape of Okta's Applications API. `secret` is passed only when it was created; `policyId` is the access
 * policy of apps without a mapped one.
 */
export function appOf(
  base: string,
  client: Client,
  times: { readonly createdAt: number; readonly updatedAt: number } | undefined,
  { policyId, secret }: { readonly policyId?: string | undefined; readonly secret?: string | undefined } = {},
): object {
  const accessPolicyId = client.settings.accessPolicyId ?? policyId
  const { id, label, status, settings } = client
  const self = `${base}${prefix}/apps/${id}`
  return {
    id,
    name: 'oidc_client',
    label,
    status,
    created: times === undefined ? null : isoTime(times.createdAt),
    lastUpdated: times === undefined ? null : isoTime(times.updatedAt),
    features: [],
    visibility: { autoSubmitToolbar: false, hide: { iOS: true, web: true } },
    signOnMode: 'OPENID_CONNECT',
    credentials: {
      oauthClient: {
        client_id: id,
        ...(secret !== undefined && { client_secret: secret }),
        autoKeyRotation: true,
        token_endpoint_auth_method: methodOf(client),
        pkce_required: settings.applicationType !== 'service',
      },
    },
    settings: {
      app: {},
      oauthClient: {
        redirect_uris: settings.redirectUris,
        post_logout_redirect_uris: settings.postLogoutRedirectUris,
        response_types: settings.applicationType === 'service' ? ['token'] : ['code'],
        grant_types: settings.grantTypes,
        application_type: settings.applicationType,
        consent_method: 'TRUSTED',
        issuer_mode: 'ORG_URL',
        ...(settings.grantTypes.includes('refresh_token') && {
          refresh_token: {
            rotation_type: 'ROTATE',
            leeway: settings.refreshTokenLeeway ?? defaultRefreshTokenLeeway,
          },
        }),
        ...(settings.jwks && { jwks: settings.jwks }),
        ...(settings.emailMagicLinkRedirectUri && {
          email_magic_link_redirect_uri: settings.emailMagicLinkRedirectUri,
        }),
      },
    },
    _links: {
      self: { href: self },
      users: { href: `${self}/users` },
      groups: { href: `${self}/groups` },
      ...(accessPolicyId !== undefined && {
        accessPolicy: { href: `${base}${prefix}/policies/${accessPolicyId}` },
      }),
      ...(status === 'ACTIVE'
        ? { deactivate: { href: `${self}/lifecycle/deactivate` } }
        : { activate: { href: `${self}/lifecycle/activate` } }),
    },
  }
}

function methodOf(client: Client): string {
  if (client.settings.applicationType === 'service') return 'private_key_jwt'
  return isConfidential(client) ? 'client_secret_post' : 'none'
}
