import { hasVerifiedEmail, type Person } from '../directory/index.ts'
import type { Claims } from './keys.ts'

/** Reads the value of a claim from a user. */
type Source = (person: Person) => unknown

const text =
  (attribute: string): Source =>
  ({ profile }) => {
    const value = profile[attribute]
    return typeof value === 'string' && value !== '' ? value : undefined
  }

const firstOf =
  (...sources: readonly Source[]): Source =>
  (person) => {
    for (const source of sources) {
      const value = source(person)
      if (value !== undefined) return value
    }
    return undefined
  }

const fullName: Source = ({ profile }) =>
  [profile.firstName, profile.lastName].filter(Boolean).join(' ') || undefined

const address: Source = (person) => {
  const parts = withoutUndefined({
    street_address: text('streetAddress')(person),
    locality: text('city')(person),
    region: text('state')(person),
    postal_code: text('zipCode')(person),
    country: text('countryCode')(person),
  })
  return Object.keys(parts).length === 0 ? undefined : parts
}

/** The claims of each scope (OpenID Connect Core 1.0, section 5.4) and the profile attributes they are read from. */
const byScope: Readonly<Record<string, Readonly<Record<string, Source>>>> = {
  profile: {
    name: firstOf(text('displayName'), fullName),
    preferred_username: ({ profile }) => profile.login,
    given_name: text('firstName'),
    middle_name: text('middleName'),
    family_name: text('lastName'),
    nickname: text('nickName'),
    profile: text('profileUrl'),
    zoneinfo: text('timezone'),
    locale: text('locale'),
    updated_at: ({ updatedAt }) => Math.floor(updatedAt / 1000),
  },
  email: {
    email: ({ profile }) => profile.email,
    // Only what a user has proven by a mail: who sets an address proves nothing (section 5.1).
    email_verified: hasVerifiedEmail,
  },
  phone: { phone_number: firstOf(text('mobilePhone'), text('primaryPhone')) },
  address: { address },
}

/** The names of the claims that each scope releases. */
export const claimNames: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.entries(byScope).map(([scope, claims]) => [scope, Object.keys(claims)])),
  groups: ['groups'],
}

const withoutUndefined = (values: Claims): Claims =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

/**
 * Claims with a defined meaning. A custom attribute of that name is left out: it could pose as one (`sub`, `groups`).
 */
const reserved = new Set([
  ...Object.values(byScope).flatMap((claims) => Object.keys(claims)),
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'nonce', 'azp', 'acr', 'amr', 'auth_time', 'at_hash'],
  ...[
    'c_hash',
    's_hash',
    'cnf',
    'act',
    'client_id',
    'scope',
    'ver',
    'cid',
    'uid',
    'sid',
    'scp',
    'groups',
    'roles',
  ],
  ...[
    'entitlements',
    'gender',
    'birthdate',
    'website',
    'picture',
    'phone_number_verified',
    'active',
    'username',
  ],
])

/** Data beyond the user's row, read only where a scope requires it. */
export interface ClaimSources {
  groupNames(): Promise<readonly string[]>
  /** The names of the custom attributes that apps may see. */
  customAttributes(): Promise<readonly string[]>
}

/** The claims about a user that these scopes release. */
export async function claimsOf(
  person: Person,
  scopes: readonly string[],
  { groupNames, customAttributes }: ClaimSources,
): Promise<Claims> {
  const claims: Record<string, unknown> = {}
  if (scopes.includes('profile')) {
    for (const name of await customAttributes()) if (!reserved.has(name)) claims[name] = person.profile[name]
  }
  for (const scope of scopes) {
    for (const [name, source] of Object.entries(byScope[scope] ?? {})) claims[name] = source(person)
  }
  if (scopes.includes('groups')) claims.groups = await groupNames()
  return withoutUndefined(claims)
}
