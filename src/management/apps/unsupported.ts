import { isObject } from '../../base/index.ts'
import type { ClientSettings } from '../../clients/index.ts'
import type { Fields } from '../input.ts'
import { servedGrants } from './schema.ts'
import { defaultsOf } from './wire.ts'

/** Members that have their effect, or ask for none: a note is only read by administrators. */
const supported = [
  'settings.notes',
  'credentials.oauthClient.token_endpoint_auth_method',
  'settings.oauthClient.consent_method',
  'settings.oauthClient.dpop_bound_access_tokens',
  'settings.oauthClient.pushed_authorization_request_required',
  'settings.oauthClient.client_uri',
  'settings.oauthClient.tos_uri',
  'settings.oauthClient.policy_uri',
]

/** What happens instead, where that is not nothing. */
const instead: Readonly<Record<string, string>> = {
  'settings.oauthClient.grant_types: implicit': 'oauth.implicit of the configuration is off',
  'settings.oauthClient.refresh_token.rotation_type': 'refresh tokens are rotated',
  'credentials.oauthClient.pkce_required': 'PKCE is required of every app without a secret',
}

/**
 * What an app was registered with and the engine does not act by, as lines for the log of its author.
 *
 * @param ofServer the grant types that the installation serves to apps that users sign in to
 */
export function unsupportedApp(
  settings: ClientSettings,
  ofServer: readonly string[] = servedGrants.users,
): readonly string[] {
  const served = settings.applicationType === 'service' ? servedGrants.service : ofServer
  const grants = settings.grantTypes.filter((grant) => !served.includes(grant))
  const paths = differing(settings.registration ?? {}, defaultsOf(settings))
  return [
    ...grants.map((grant) => `settings.oauthClient.grant_types: ${grant}`),
    ...paths.filter((path) => !supported.some((one) => path === one || path.startsWith(`${one}.`))),
  ].map((path) => (instead[path] === undefined ? path : `${path}: ${instead[path]}`))
}

/** The paths of members that ask for something else than what they have by default. */
const differing = (fields: Fields, defaults: Fields, prefix = ''): readonly string[] =>
  Object.entries(fields).flatMap(([name, value]) => {
    const usual = Object.hasOwn(defaults, name) ? defaults[name] : undefined
    if (isObject(value)) return differing(value, isObject(usual) ? usual : {}, `${prefix}${name}.`)
    const asksNothing = value === null || value === false || (Array.isArray(value) && value.length === 0)
    const isUsual = usual === undefined ? asksNothing : JSON.stringify(value) === JSON.stringify(usual)
    return isUsual ? [] : [`${prefix}${name}`]
  })
