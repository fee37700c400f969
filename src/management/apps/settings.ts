import { isObject } from '../../base/index.ts'
import type { ClientSettings } from '../../clients/index.ts'
import type { Fields } from '../input.ts'
import { without } from '../resources/change.ts'

/**
 * Where bodies have the settings of a client: paths below `settings.oauthClient`, in the order of responses. Null: no body has
 * the setting. What is not stored as a setting is `registration`, and `planted` is noted by the engine.
 */
const places: Readonly<
  Record<Exclude<keyof ClientSettings, 'registration' | 'planted'>, readonly [string, string?] | null>
> = {
  redirectUris: ['redirect_uris'],
  postLogoutRedirectUris: ['post_logout_redirect_uris'],
  backchannelLogoutUri: ['backchannel_logout_uri'],
  grantTypes: ['grant_types'],
  applicationType: ['application_type'],
  refreshTokenLeeway: ['refresh_token', 'leeway'],
  jwks: ['jwks'],
  emailMagicLinkRedirectUri: ['email_magic_link_redirect_uri'],
  emailMethodChoice: ['email_method_choice'],
  profileCompletion: ['profile_completion'],
  accessPolicyId: null,
  profileEnrollmentPolicyId: null,
  insecureLocalhostRedirects: null,
  pkceRequired: null,
}

const placed = Object.entries(places) as readonly [
  keyof typeof places,
  (typeof places)[keyof typeof places],
][]

/** The settings of a client as members of `settings.oauthClient`. */
export const renderSettings = (settings: ClientSettings): Fields =>
  Object.fromEntries(
    placed.flatMap(([setting, place]) => {
      const value = settings[setting]
      if (place === null || value === undefined || value === null) return []
      const [name, inner] = place
      return [[name, inner === undefined ? value : { [inner]: value }]]
    }),
  )

/** The members of `settings.oauthClient` that are not stored as settings of the client, but as it was registered. */
export function unreadMembers(
  oauthClient: Fields,
  applicationType: ClientSettings['applicationType'],
): Fields {
  return placed.reduce((left, [setting, place]) => {
    // Keys of other apps are stored as they were sent: nothing is decided by them.
    if (place === null || (setting === 'jwks' && applicationType !== 'service')) return left
    const [name, inner] = place
    if (inner === undefined) return without(left, [name])
    const outer = left[name]
    return { ...without(left, [name]), [name]: isObject(outer) ? without(outer, [inner]) : {} }
  }, oauthClient)
}

/**
 * The settings that a replacement leaves alone, for no body has them: among them null as the address of magic links (they
 * show the engine's own page).
 */
export const settingsWithoutMember = (settings: ClientSettings): Partial<ClientSettings> =>
  Object.fromEntries(
    placed.flatMap(([setting, place]) => {
      const value = settings[setting]
      return value === null || (place === null && value !== undefined) ? [[setting, value]] : []
    }),
  )
