import type { TObject, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { isObject } from '../../base/index.ts'
import { type ClientSettings, isRedirectUri } from '../../clients/index.ts'
import { outboundUrlProblem } from '../../outbound/index.ts'
import { type Fields, longestStored, readBody } from '../input.ts'
import { memberAt } from '../resources/api.ts'
import { without } from '../resources/change.ts'
import { keyProblem, readKeys } from './keys.ts'
import { type NewApp, newApp, storedNames } from './schema.ts'
import { unreadMembers } from './settings.ts'
import { methodsOf } from './wire.ts'

interface AppBody {
  readonly label: string
  readonly id: string | undefined
  readonly secret: string | undefined
  readonly settings: ClientSettings
}

type OauthSettings = NonNullable<NonNullable<NewApp['settings']>['oauthClient']>

/** Reads the body of an OIDC client. Throws 400 with a cause for each member that is invalid or cannot be obeyed. */
export const readApp = (body: Fields): AppBody => toApp(readBody(newApp, body, appProblems))

/** What is wrong with a body beyond its schema: by the type of the app, or as it promises what the engine does not do. */
export const appProblems = (body: Fields): readonly string[] => examine(body).problems

/** An app from its body, which `newApp` and `appProblems` have checked. */
export const toApp = (body: Fields): AppBody => examine(body).app

/** Both at once, since both need each member that is sound by the schema. */
function examine(body: Fields): { readonly app: AppBody; readonly problems: readonly string[] } {
  const problems: string[] = []
  const { properties } = newApp
  const settings = sound(oauthOf(properties.settings), memberAt(body, 'settings', 'oauthClient'))
  const credentials = sound(oauthOf(properties.credentials), memberAt(body, 'credentials', 'oauthClient'))
  const type = (settings.application_type ?? 'web') as ClientSettings['applicationType']
  const read = readSettings(type, settings as OauthSettings, problems)
  const method = credentials.token_endpoint_auth_method
  if (method !== undefined && !methodsOf[type].includes(String(method))) {
    problems.push(
      `token_endpoint_auth_method: must be ${methodsOf[type].join(' or ')} for this application_type`,
    )
  }
  const registration = registrationOf(body, settings, credentials, type)
  const size = JSON.stringify(registration).length
  if (size > longestStored) {
    problems.push(`body: must have at most ${longestStored} characters of settings, and has ${size}`)
  }
  problems.push(...secretsIn(registration))
  const app = {
    label: String(body.label),
    id: credentials.client_id as string | undefined,
    secret: credentials.client_secret as string | undefined,
    settings: {
      ...read,
      ...(credentials.pkce_required === true && read.applicationType === 'web' && { pkceRequired: true }),
      ...(Object.keys(registration).length > 0 && { registration }),
    },
  }
  return { app, problems }
}

/** The schema of `oauthClient` in that of an optional member. */
const oauthOf = (schema: TSchema): TObject => {
  const solid = (one: unknown) => (one as { readonly anyOf: readonly TSchema[] }).anyOf[0]
  return solid((solid(schema) as TObject).properties.oauthClient) as TObject
}

/** The members of a value that are as the schema says, without those that are null, which is as if they were absent. */
function sound({ properties }: TObject, value: unknown): Fields {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter(([name, member]) => {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
      return member !== null && (schema === undefined || Value.Check(schema, member))
    }),
  )
}

function readSettings(
  applicationType: ClientSettings['applicationType'],
  settings: OauthSettings,
  problems: string[],
): ClientSettings {
  problems.push(...brokenPromises(settings))
  if (applicationType === 'service') return readService(settings, problems)
  const link = settings.email_magic_link_redirect_uri ?? undefined
  const redirectUris = settings.redirect_uris ?? []
  const postLogoutRedirectUris = settings.post_logout_redirect_uris ?? []
  for (const [name, uris] of Object.entries({
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    email_magic_link_redirect_uri: link ? [link] : [],
  })) {
    for (const uri of uris) {
      if (!isRedirectUri(uri)) problems.push(`${name}: ${uri.slice(0, 100)} is not a valid redirect URI`)
    }
  }
  const problem = settings.jwks?.keys.map(keyProblem).find((one) => one !== undefined)
  if (problem !== undefined) problems.push(`jwks: ${problem}`)
  const leeway = settings.refresh_token?.leeway ?? undefined
  const logoutUri = settings.backchannel_logout_uri ?? undefined
  // Whether it may be on this machine or in a private network is decided when it is called.
  const unfit = logoutUri && outboundUrlProblem(logoutUri, { insecureAddresses: true })
  if (unfit) problems.push(`backchannel_logout_uri: ${unfit}`)
  const { email_method_choice: methodChoice, profile_completion: profileCompletion } = settings
  return {
    applicationType,
    redirectUris,
    postLogoutRedirectUris,
    grantTypes: settings.grant_types ?? ['interaction_code', 'refresh_token'],
    ...(link && { emailMagicLinkRedirectUri: link }),
    ...(logoutUri && { backchannelLogoutUri: logoutUri }),
    ...(typeof methodChoice === 'boolean' && { emailMethodChoice: methodChoice }),
    ...(typeof profileCompletion === 'boolean' && { profileCompletion }),
    ...(leeway !== undefined && { refreshTokenLeeway: leeway }),
  }
}

/** Reads the settings of a service app: it calls with its own keys, without redirects. */
function readService(settings: OauthSettings, problems: string[]): ClientSettings {
  const grants = settings.grant_types ?? ['client_credentials']
  if (grants.length !== 1 || grants[0] !== 'client_credentials') {
    problems.push('grant_types: must be client_credentials only for a service app')
  }
  if ((settings.redirect_uris ?? []).length > 0) {
    problems.push('redirect_uris: must be empty for a service app')
  }
  if (settings.dpop_bound_access_tokens === true) {
    problems.push('dpop_bound_access_tokens: must be false for a service app: its tokens are bound to no key')
  }
  if (settings.jwks_uri !== undefined) problems.push('jwks_uri: is not supported, use jwks')
  return {
    applicationType: 'service',
    redirectUris: [],
    postLogoutRedirectUris: [],
    grantTypes: ['client_credentials'],
    jwks: readKeys(problems, settings.jwks),
  }
}

/**
 * Settings that promise a protection that the engine does not give. They are refused: an owner who asked for it would
 * otherwise believe to have it.
 */
function brokenPromises(settings: OauthSettings): readonly string[] {
  const problems: string[] = []
  if (settings.network?.connection === 'ZONE') {
    problems.push('network.connection: must be ANYWHERE: access is not restricted by network')
  }
  if (settings.subject_type === 'pairwise') {
    problems.push('subject_type: must be public: all apps see the same subject')
  }
  for (const name of ['id_token_encrypted_response_alg', 'userinfo_encrypted_response_alg'] as const) {
    if (settings[name]) problems.push(`${name}: must be absent: responses are not encrypted`)
  }
  return problems
}

/** What an app was registered with besides what the engine reads, in the shape of the API. */
function registrationOf(
  body: Fields,
  settings: Fields,
  credentials: Fields,
  applicationType: ClientSettings['applicationType'],
): Fields {
  return filledIn({
    ...Object.fromEntries(storedNames.map((name) => [name, body[name]])),
    credentials: filledIn({
      // No others: those of other sign-on modes are passwords.
      userNameTemplate: memberAt(body, 'credentials', 'userNameTemplate'),
      signing: memberAt(body, 'credentials', 'signing'),
      oauthClient: without(credentials, ['client_id', 'client_secret']),
    }),
    settings: filledIn({
      ...(isObject(body.settings) ? without(body.settings, ownNames) : {}),
      oauthClient: filledIn(unreadMembers(without(settings, ownNames), applicationType)),
    }),
  })
}

/**
 * Members that are secrets by their name. What is stored as it was sent is not hashed, and every caller with the role
 * `read` gets it back: it has none, wherever it stands.
 */
const secretsIn = (fields: Fields, prefix = ''): readonly string[] =>
  Object.entries(fields).flatMap(([name, value]) => {
    const path = `${prefix}${name}`
    const holdsSomething = value !== null && value !== '' && typeof value !== 'boolean'
    if (isSecretName(name) && holdsSomething) {
      return [
        `${path}: must be absent: it would be stored, and returned, as it is; only credentials.oauthClient.client_secret is stored as a hash`,
      ]
    }
    if (Array.isArray(value)) return value.flatMap((one) => (isObject(one) ? secretsIn(one, `${path}.`) : []))
    return isObject(value) ? secretsIn(value, `${path}.`) : []
  })

const isSecretName = (name: string): boolean =>
  /secret(?!.?expires)|passw(or)?d|passphrase|^private|private.?key/i.test(name)

/** Names by which the engine stores what it reads, or decides by itself: nothing of the same name is stored beside them. */
const ownNames = [
  ...['id', 'status', 'label', 'secrets', 'registration', 'planted', 'applicationType', 'redirectUris'],
  ...['postLogoutRedirectUris', 'grantTypes', 'emailMagicLinkRedirectUri', 'accessPolicyId'],
  ...[
    'emailMethodChoice',
    'profileCompletion',
    'profileEnrollmentPolicyId',
    'pkceRequired',
    'backchannelLogoutUri',
    'refreshTokenLeeway',
    'insecureLocalhostRedirects',
    'client_id',
  ],
]

/** Without members that are absent or null, and without parts of the engine's own that are empty. */
const filledIn = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) =>
        value !== undefined &&
        value !== null &&
        !(parts.includes(name) && isObject(value) && Object.keys(value).length === 0),
    ),
  )
const parts = ['credentials', 'settings', 'oauthClient', 'refresh_token']
