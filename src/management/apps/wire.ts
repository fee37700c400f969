import { isObject, isoTime } from '../../base/index.ts'
import {
  type Assignment,
  type Client,
  type ClientSecret,
  type ClientSettings,
  defaultRefreshTokenLeeway,
  type ScopeGrant,
} from '../../clients/index.ts'
import type { Person } from '../../directory/index.ts'
import type { Fields } from '../input.ts'
import { prefix } from '../operation.ts'
import { merged } from '../resources/change.ts'
import { renderSettings } from './settings.ts'

/** The policies of apps that no policy of the type is mapped to, and those that can be mapped. */
export interface AppPolicies {
  readonly access?: string | undefined
  readonly profileEnrollment?: string | undefined
  /** The ids of all profile enrollment policies: the mapping of one that was deleted means the default one. */
  readonly profileEnrollments?: readonly string[]
}

/** What a member has that an app was not registered with, as in Okta. */
export function defaultsOf({
  applicationType,
  grantTypes,
  pkceRequired,
}: Pick<ClientSettings, 'applicationType' | 'grantTypes' | 'pkceRequired'>): Fields {
  const isService = applicationType === 'service'
  return {
    accessibility: { selfService: false, errorRedirectUrl: null, loginRedirectUrl: null },
    features: [],
    visibility: { autoLaunch: false, autoSubmitToolbar: false, hide: { iOS: true, web: true } },
    credentials: {
      oauthClient: {
        autoKeyRotation: true,
        token_endpoint_auth_method: methodsOf[applicationType][0],
        // Of confidential apps where they say so, of public ones always.
        pkce_required: applicationType === 'web' ? pkceRequired === true : !isService,
      },
    },
    settings: {
      app: {},
      oauthClient: {
        response_types: [isService ? 'token' : 'code'],
        consent_method: 'TRUSTED',
        issuer_mode: 'ORG_URL',
        ...(grantTypes.includes('refresh_token') && {
          refresh_token: { rotation_type: 'ROTATE', leeway: defaultRefreshTokenLeeway },
        }),
      },
    },
  }
}

/** How apps of a type authenticate at the token endpoint, the default first. Of two, both are accepted. */
export const methodsOf: Readonly<
  Record<ClientSettings['applicationType'], readonly [string, ...(readonly string[])]>
> = {
  web: ['client_secret_basic', 'client_secret_post'],
  browser: ['none'],
  native: ['none'],
  service: ['private_key_jwt'],
}

/**
 * A client in the shape of Okta's Applications API: what it was registered with, as it was sent, and defaults for the
 * rest. `secret` is passed only when it was created.
 */
export function renderApp(
  base: string,
  client: Client,
  times: { readonly createdAt: number; readonly updatedAt: number } | undefined,
  { policies = {}, secret }: { readonly policies?: AppPolicies; readonly secret?: string | undefined } = {},
): object {
  const { id, label, status, settings } = client
  const self = `${base}${prefix}/apps/${id}`
  const policy = (policyId: string) => ({ href: `${base}${prefix}/policies/${policyId}` })
  const access = settings.accessPolicyId ?? policies.access
  const mapped = settings.profileEnrollmentPolicyId
  const enrollment = policies.profileEnrollments?.includes(mapped ?? '') ? mapped : policies.profileEnrollment
  return {
    id,
    name: 'oidc_client',
    label,
    status,
    created: times === undefined ? null : isoTime(times.createdAt),
    lastUpdated: times === undefined ? null : isoTime(times.updatedAt),
    signOnMode: 'OPENID_CONNECT',
    ...merged(merged(defaultsOf(settings), settings.registration ?? {}), {
      credentials: { oauthClient: { client_id: id, ...(secret !== undefined && { client_secret: secret }) } },
      settings: { oauthClient: renderSettings(settings) },
    }),
    _links: {
      self: { href: self },
      users: { href: `${self}/users` },
      groups: { href: `${self}/groups` },
      ...(access !== undefined && { accessPolicy: policy(access) }),
      ...(enrollment !== undefined && { profileEnrollment: policy(enrollment) }),
      ...(status === 'ACTIVE'
        ? { deactivate: { href: `${self}/lifecycle/deactivate` } }
        : { activate: { href: `${self}/lifecycle/activate` } }),
    },
  }
}

/** Without the members that have the value which they would have if they were absent. */
export function withoutDefaults(fields: Fields, defaults: Fields): Fields {
  const entries = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    const usual = Object.hasOwn(defaults, name) ? defaults[name] : undefined
    if (isObject(value) && isObject(usual)) {
      const rest = withoutDefaults(value, usual)
      return Object.keys(rest).length === 0 ? [] : [[name, rest]]
    }
    return JSON.stringify(value) === JSON.stringify(usual) ? [] : [[name, value]]
  })
  return Object.fromEntries(entries)
}

export function renderSecret(base: string, appId: string, secret: ClientSecret, text?: string): object {
  const self = `${base}${prefix}/apps/${appId}/credentials/secrets/${secret.id}`
  const next = secret.status === 'ACTIVE' ? 'deactivate' : 'activate'
  return {
    id: secret.id,
    status: secret.status,
    created: isoTime(secret.createdAt),
    lastUpdated: isoTime(secret.updatedAt),
    ...(text !== undefined && { client_secret: text }),
    _links: {
      [next]: { href: `${self}/lifecycle/${next}`, hints: { allow: ['POST'] } },
      ...(secret.status === 'INACTIVE' && { delete: { href: self, hints: { allow: ['DELETE'] } } }),
    },
  }
}

export function renderGrant(base: string, { id, clientId, scope, createdBy, createdAt }: ScopeGrant): object {
  const app = `${base}${prefix}/apps/${clientId}`
  return {
    id,
    status: 'ACTIVE',
    source: 'ADMIN',
    issuer: base,
    clientId,
    scopeId: scope,
    created: isoTime(createdAt),
    lastUpdated: isoTime(createdAt),
    createdBy: { id: createdBy, type: 'User' },
    _links: { self: { href: `${app}/grants/${id}` }, app: { href: app } },
  }
}

export const renderAppGroup = (
  base: string,
  appId: string,
  { id, priority, profile, createdAt }: Assignment,
): object => ({
  id,
  ...(createdAt !== undefined && { lastUpdated: isoTime(createdAt) }),
  priority,
  profile,
  _links: {
    group: { href: `${base}${prefix}/groups/${id}` },
    app: { href: `${base}${prefix}/apps/${appId}` },
  },
})

/** The time is that of the assignment; of one that a version made which did not note it, that of the user. */
export const renderAppUser = (
  base: string,
  { id, createdAt, profile: { login } }: Person,
  assigned: Assignment,
): object => ({
  id,
  scope: 'USER',
  status: 'ACTIVE',
  created: isoTime(assigned.createdAt ?? createdAt),
  credentials: { userName: login },
  profile: assigned.profile,
  _links: { user: { href: `${base}${prefix}/users/${id}` } },
})
