import { type ClientSettings, type GrantType, isRedirectUri } from '../../clients/index.ts'
import type { Fields } from '../input.ts'
import { fieldsIn, newReader, type Reader, requiredText, textIn, textsIn } from '../reader.ts'
import { readKeys } from './keys.ts'

export interface AppBody {
  readonly label: string
  readonly id: string | undefined
  readonly secret: string | undefined
  readonly settings: ClientSettings
}

const grantTypes: readonly GrantType[] = [
  'authorization_code',
  'interaction_code',
  'refresh_token',
  'client_credentials',
]

/** Reads the body of an OIDC client. Throws 400 with a cause for each invalid or unsupported member. */
export function readApp(body: Fields): AppBody {
  const reader = newReader()
  const label = requiredText(reader, body, 'label', { max: 100 })
  if (body.signOnMode !== 'OPENID_CONNECT') reader.problems.push('signOnMode: must be OPENID_CONNECT')
  const credentials = fieldsIn(reader, fieldsIn(reader, body, 'credentials'), 'oauthClient')
  const settings = fieldsIn(reader, fieldsIn(reader, body, 'settings'), 'oauthClient')
  const id = textIn(reader, credentials, 'client_id', { max: 100 })
  if (id !== undefined && !/^[\w-]{6,100}$/.test(id)) {
    reader.problems.push('client_id: must be 6 to 100 letters, digits, - and _')
  }
  const secret = textIn(reader, credentials, 'client_secret', { max: 100 })
  if (secret !== undefined && !/^[\w~.-]{14,100}$/.test(secret)) {
    reader.problems.push('client_secret: must be 14 to 100 URL-safe characters')
  }
  const read = readSettings(reader, settings)
  checkMethod(reader, credentials, read)
  reader.check()
  return { label, id, secret, settings: read }
}

function readSettings(reader: Reader, fields: Fields): ClientSettings {
  const type = fields.application_type ?? 'web'
  if (type === 'service') return readService(reader, fields)
  if (type !== 'web' && type !== 'browser' && type !== 'native') {
    reader.problems.push('application_type: must be web, browser, native or service')
  }
  const grants = textsIn(reader, fields, 'grant_types') ?? ['interaction_code', 'refresh_token']
  for (const grant of grants) {
    if (!(grantTypes as readonly string[]).includes(grant)) {
      reader.problems.push(`grant_types: ${grant.slice(0, 40)} is not supported`)
    }
  }
  const link = textIn(reader, fields, 'email_magic_link_redirect_uri')
  const uris = {
    redirectUris: textsIn(reader, fields, 'redirect_uris') ?? [],
    postLogoutRedirectUris: textsIn(reader, fields, 'post_logout_redirect_uris') ?? [],
  }
  for (const uri of [...uris.redirectUris, ...uris.postLogoutRedirectUris, ...(link ? [link] : [])]) {
    if (!isRedirectUri(uri))
      reader.problems.push(`redirect_uris: ${uri.slice(0, 100)} is not a valid redirect URI`)
  }
  const leeway = readLeeway(reader, fieldsIn(reader, fields, 'refresh_token'))
  return {
    ...uris,
    applicationType: type as ClientSettings['applicationType'],
    grantTypes: grants as readonly GrantType[],
    ...(link !== undefined && { emailMagicLinkRedirectUri: link }),
    ...(leeway !== undefined && { refreshTokenLeeway: leeway }),
  }
}

/** Reads how long a spent refresh token may be retried; refresh tokens are always rotated. */
function readLeeway(reader: Reader, { rotation_type: rotation, leeway }: Fields): number | undefined {
  if (rotation !== undefined && rotation !== 'ROTATE') {
    reader.problems.push('refresh_token.rotation_type: must be ROTATE')
  }
  if (leeway === undefined || leeway === null) return undefined
  if (typeof leeway === 'number' && Number.isInteger(leeway) && leeway >= 0 && leeway <= 60) return leeway
  reader.problems.push('refresh_token.leeway: must be a whole number from 0 to 60')
  return undefined
}

/** Reads the settings of a service app: it calls with its own keys, without redirects. */
function readService(reader: Reader, fields: Fields): ClientSettings {
  const grants = textsIn(reader, fields, 'grant_types') ?? ['client_credentials']
  if (grants.length !== 1 || grants[0] !== 'client_credentials') {
    reader.problems.push('grant_types: must be client_credentials only for a service app')
  }
  if ((textsIn(reader, fields, 'redirect_uris') ?? []).length > 0) {
    reader.problems.push('redirect_uris: must be empty for a service app')
  }
  if (fields.jwks_uri !== undefined && fields.jwks_uri !== null) {
    reader.problems.push('jwks_uri: is not supported, use jwks')
  }
  return {
    applicationType: 'service',
    redirectUris: [],
    postLogoutRedirectUris: [],
    grantTypes: ['client_credentials'],
    jwks: readKeys(reader, fields.jwks),
  }
}

const methods: Readonly<Record<ClientSettings['applicationType'], readonly string[]>> = {
  web: ['client_secret_post', 'client_secret_basic'],
  browser: ['none'],
  native: ['none'],
  service: ['private_key_jwt'],
}

function checkMethod(reader: Reader, credentials: Fields, { applicationType }: ClientSettings): void {
  const method = credentials.token_endpoint_auth_method
  if (method === undefined || method === null) return
  const allowed = methods[applicationType]
  if (typeof method !== 'string' || !allowed.includes(method)) {
    reader.problems.push(
      `token_endpoint_auth_method: must be ${allowed.join(' or ')} for this application_type`,
    )
  }
}
