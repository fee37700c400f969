import { type Static, Type } from 'typebox'
import {
  anything,
  closed,
  displayed,
  either,
  filled,
  links,
  named,
  optional,
  status,
  texts,
  time,
  timeOrNull,
} from '../schema.ts'

/** The grant types that an app can be registered with. */
const grantTypes = [
  'authorization_code',
  'client_credentials',
  'implicit',
  'interaction_code',
  'password',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:saml2-bearer',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:openid:params:grant-type:ciba',
  'urn:okta:params:oauth:grant-type:oob',
  'urn:okta:params:oauth:grant-type:otp',
  'http://auth0.com/oauth/grant-type/mfa-oob',
  'http://auth0.com/oauth/grant-type/mfa-otp',
] as const

/** Those that the engine serves, to apps that users sign in to and to service apps. */
export const servedGrants: Readonly<Record<'users' | 'service', readonly string[]>> = {
  users: ['authorization_code', 'interaction_code', 'refresh_token'],
  service: ['client_credentials'],
}

const webAddress = (description: string) =>
  Type.String({
    maxLength: 1024,
    pattern: '^https?://[\\x21-\\x7e]+$',
    description,
    hint: 'an http or https address',
  })

const uris = (description: string) =>
  Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 200, description })

/** `settings.oauthClient`. Members that are not listed are stored and returned as well. */
const oauthSettings = Type.Object({
  redirect_uris: optional(uris('Where codes lead to, compared as exact strings.')),
  post_logout_redirect_uris: optional(uris('Where a sign-out may lead to.')),
  response_types: optional(Type.Array(either('code', 'token', 'id_token'), { maxItems: 3 })),
  grant_types: optional(
    Type.Array(Type.Enum([...grantTypes]), {
      maxItems: 20,
      description:
        'As registered. The engine serves authorization_code, interaction_code and refresh_token, and client_credentials for a service.',
    }),
  ),
  application_type: optional(either('web', 'browser', 'native', 'service')),
  consent_method: optional(either('TRUSTED', 'REQUIRED')),
  pushed_authorization_request_required: optional(
    Type.Boolean({ description: 'Whether the app must push its requests to authorize. Default: false.' }),
  ),
  issuer_mode: optional(either('ORG_URL', 'CUSTOM_URL', 'DYNAMIC')),
  email_magic_link_redirect_uri: optional(
    Type.String({ maxLength: 1024, description: 'Where magic links lead to.' }),
  ),
  email_method_choice: optional(
    Type.Boolean({
      description:
        'Whether the method is asked for before a mail with a code leaves (`authenticator-verification-data`). Absent: as the configuration says.',
    }),
  ),
  profile_completion: optional(
    Type.Boolean({
      description:
        'Whether a sign-in asks for attributes that the profile enrollment policy requires and the user does not have, where the policy says so. Absent: true. `false` for apps that cannot show the form, such as those that sign in by `authenticate()`.',
    }),
  ),
  jwks: optional(
    Type.Object(
      { keys: Type.Array(Type.Unknown()) },
      { hint: 'a set of public keys such as {"keys":[…]}', description: 'The public keys of the app.' },
    ),
  ),
  jwks_uri: optional(Type.String({ maxLength: 1024 })),
  refresh_token: optional(
    Type.Object({
      rotation_type: optional(either('ROTATE', 'STATIC')),
      leeway: optional(
        Type.Integer({
          minimum: 0,
          maximum: 60,
          description: 'For how many seconds a spent refresh token is answered with its successor again.',
        }),
      ),
    }),
  ),
  dpop_bound_access_tokens: optional(
    Type.Boolean({
      description:
        'Whether the app gets tokens that are bound to its key alone (RFC 9449). Not of a service app.',
    }),
  ),
  wildcard_redirect: optional(either('DISABLED', 'SUBDOMAIN')),
  client_uri: optional(webAddress('The page of the app.')),
  logo_uri: optional(webAddress('The logo of the app.')),
  tos_uri: optional(webAddress('The terms of service of the app.')),
  policy_uri: optional(webAddress('The privacy policy of the app.')),
  initiate_login_uri: optional(webAddress('Where a sign-in to the app can be started.')),
  idp_initiated_login: optional(
    Type.Object({
      mode: optional(either('DISABLED', 'SPEC', 'OKTA')),
      default_scope: optional(texts),
    }),
  ),
  participate_slo: optional(Type.Boolean()),
  frontchannel_logout_uri: optional(Type.String({ maxLength: 1024 })),
  frontchannel_logout_session_required: optional(Type.Boolean()),
  backchannel_logout_uri: optional(
    Type.String({
      maxLength: 1024,
      description:
        'Where the app is sent a logout token when a session of it ends (OpenID Connect Back-Channel Logout 1.0): an https address.',
    }),
  ),
  backchannel_logout_session_required: optional(
    Type.Boolean({ description: 'Logout tokens always have `sid`, whatever is said here.' }),
  ),
  request_object_signing_alg: optional(Type.String({ maxLength: 40 })),
  id_token_encrypted_response_alg: optional(Type.String({ maxLength: 40 })),
  userinfo_encrypted_response_alg: optional(Type.String({ maxLength: 40 })),
  subject_type: optional(either('public', 'pairwise')),
  sector_identifier_uri: optional(Type.String({ maxLength: 1024 })),
  network: optional(
    Type.Object({
      connection: optional(either('ANYWHERE', 'ZONE')),
      include: optional(texts),
      exclude: optional(texts),
    }),
  ),
  backchannel_authentication_request_signing_alg: optional(Type.String({ maxLength: 40 })),
  backchannel_custom_authenticator_id: optional(Type.String({ maxLength: 100 })),
  backchannel_token_delivery_mode: optional(Type.String({ maxLength: 40 })),
})

/** The members of `settings.oauthClient` that are known by name. */
export const oauthSettingNames = Object.keys(oauthSettings.properties)

const secretText = Type.String({
  pattern: '^[\\w~.-]{14,100}$',
  hint: '14 to 100 URL-safe characters',
})

/** `credentials.oauthClient`. */
const oauthCredentials = Type.Object({
  client_id: optional(Type.String({ pattern: '^[\\w-]{6,100}$', hint: '6 to 100 letters, digits, - and _' })),
  client_secret: optional(secretText),
  token_endpoint_auth_method: optional(Type.String({ maxLength: 40 })),
  autoKeyRotation: optional(Type.Boolean()),
  pkce_required: optional(Type.Boolean()),
})

export const oauthCredentialNames = Object.keys(oauthCredentials.properties)

/** What an app is registered with besides its label and its OAuth client: stored, and returned as it was sent. */
const stored = {
  accessibility: optional(
    Type.Object({
      selfService: optional(Type.Boolean()),
      errorRedirectUrl: optional(Type.String({ maxLength: 1024 })),
      loginRedirectUrl: optional(Type.String({ maxLength: 1024 })),
    }),
  ),
  features: optional(texts),
  licensing: optional(Type.Object({ seatCount: optional(Type.Integer({ minimum: 0 })) })),
  profile: optional(anything),
  visibility: optional(
    Type.Object({
      autoLaunch: optional(Type.Boolean()),
      autoSubmitToolbar: optional(Type.Boolean()),
      hide: optional(Type.Object({ iOS: optional(Type.Boolean()), web: optional(Type.Boolean()) })),
      appLinks: optional(anything),
    }),
  ),
}

export const storedNames = Object.keys(stored)

const note = optional(Type.String({ maxLength: 2000 }))

export const newApp = named('NewApp', {
  name: optional(either('oidc_client')),
  label: displayed(100, { hint: 'a string of at most 100 characters' }),
  signOnMode: either('OPENID_CONNECT'),
  ...stored,
  credentials: optional(
    Type.Object({
      oauthClient: optional(oauthCredentials),
      userNameTemplate: optional(anything),
      signing: optional(anything),
    }),
  ),
  settings: optional(
    Type.Object({
      oauthClient: optional(oauthSettings),
      app: optional(anything),
      implicitAssignment: optional(Type.Boolean()),
      inlineHookId: optional(Type.String({ maxLength: 100 })),
      notes: optional(Type.Object({ admin: note, enduser: note })),
      notifications: optional(anything),
    }),
  ),
})
export type NewApp = Static<typeof newApp>

/** The settings of an OAuth client in one object, as the console of Okta sends them. */
export const oidcSettings = named('OidcSettings', {
  label: optional(displayed(100, { hint: 'a string of at most 100 characters' })),
  ...oauthSettings.properties,
  ...oauthCredentials.properties,
})

export const app = named(
  'App',
  {
    id: Type.String(),
    name: Type.String(),
    label: Type.String(),
    status,
    created: timeOrNull,
    lastUpdated: timeOrNull,
    accessibility: anything,
    features: texts,
    licensing: Type.Optional(anything),
    profile: Type.Optional(anything),
    visibility: anything,
    signOnMode: either('OPENID_CONNECT'),
    credentials: Type.Object({
      oauthClient: Type.Object({
        client_id: Type.String(),
        client_secret: Type.Optional(
          Type.String({ description: 'Returned only when the secret is created.' }),
        ),
        autoKeyRotation: Type.Boolean(),
        token_endpoint_auth_method: Type.String(),
        pkce_required: Type.Boolean(),
      }),
    }),
    settings: Type.Object({
      app: anything,
      oauthClient: Type.Object({
        ...oauthSettings.properties,
        redirect_uris: texts,
        post_logout_redirect_uris: texts,
        response_types: texts,
        grant_types: texts,
        application_type: either('web', 'browser', 'native', 'service'),
        consent_method: Type.String(),
        issuer_mode: Type.String(),
      }),
    }),
    _links: links,
  },
  closed,
)

export const newSecret = named('NewSecret', {
  client_secret: optional(secretText),
  status: optional(status),
})

export const secret = named(
  'Secret',
  {
    id: Type.String(),
    status,
    created: time,
    lastUpdated: time,
    client_secret: Type.Optional(Type.String({ description: 'Returned only when the secret is created.' })),
    _links: links,
  },
  closed,
)

export const newScopeGrant = named('NewScopeGrant', {
  scopeId: filled(100, {
    description: 'Such as okta.users.read for a service app, okta.myAccount.profile.read for others.',
  }),
  issuer: optional(Type.String({ maxLength: 1024, description: 'The address of the engine.' })),
})

export const scopeGrant = named(
  'ScopeGrant',
  {
    id: Type.String(),
    status,
    source: Type.String(),
    issuer: Type.String(),
    clientId: Type.String(),
    scopeId: Type.String(),
    created: time,
    lastUpdated: time,
    createdBy: anything,
    _links: links,
  },
  closed,
)

export const newAppGroup = named('NewAppGroup', {
  priority: optional(Type.Integer({ minimum: 0 })),
  profile: optional(anything),
})

export const appGroup = named(
  'AppGroup',
  {
    id: Type.String(),
    lastUpdated: optional(time),
    priority: Type.Integer(),
    profile: anything,
    _links: links,
  },
  closed,
)

export const newAppUser = named('NewAppUser', {
  id: filled(100),
  scope: optional(either('USER', 'GROUP')),
  credentials: optional(anything),
  profile: optional(anything),
})

export const appUser = named(
  'AppUser',
  {
    id: Type.String(),
    scope: Type.String(),
    status: Type.String(),
    created: time,
    credentials: anything,
    profile: anything,
    _links: links,
  },
  closed,
)

export const newPolicyMapping = named('NewPolicyMapping', {
  resourceId: filled(100, { description: 'The id of an app.' }),
  resourceType: optional(either('APP')),
})

export const policyMapping = named('PolicyMapping', { id: Type.String(), _links: links }, closed)
