import type { PersonTokenKind } from '../directory/index.ts'

/** For how long an activation token is good, in milliseconds. */
export const activationLifetimeMs = 7 * 24 * 3_600_000

/** The link of a token: the last segment of its path is the token. */
export const tokenLink = (base: string, kind: PersonTokenKind, token: string): string =>
  `${base}/${kind === 'recovery' ? 'signin/reset-password' : 'welcome'}/${token}`
