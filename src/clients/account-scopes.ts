/** What an app may do with the accounts of its users, as in Okta's MyAccount API. */
const families = [
  'appAuthenticator',
  'appAuthenticator.maintenance',
  // Clients ask for either.
  'authenticator',
  'authenticators',
  'email',
  'oktaApplications',
  'organization',
  'password',
  'phone',
  'profile',
  'sessions',
  'webauthn',
] as const

const scopes: ReadonlySet<string> = new Set(
  families.flatMap((family) => [`okta.myAccount.${family}.read`, `okta.myAccount.${family}.manage`]),
)

/**
 * Whether a scope is one of Okta's API for a user's own account. An administrator grants them to apps that users sign in to;
 * they are issued with the user's consent to the app.
 */
export const isAccountScope = (scope: string): boolean => scopes.has(scope)
