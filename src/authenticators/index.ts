/**
 * The authenticators there are, each a value in a folder of its own: how it is challenged, enrolled and replaced, with
 * its rules, its form fields and its messages. The generic steps of the protocol delegate to them. Owns no transaction
 * (`flow`). A new authenticator is a folder and a line here.
 */
import type { Authenticator } from '../flow/index.ts'
import type { PasswordHasher } from '../passwords/index.ts'
import { emailAuthenticator } from './email/index.ts'
import { passwordAuthenticator } from './password/index.ts'
import { totpAuthenticator } from './totp/index.ts'

const builtIn = (hasher: PasswordHasher): readonly Authenticator[] => [
  // In the order in which they are offered.
  passwordAuthenticator(hasher),
  emailAuthenticator,
  totpAuthenticator,
]

/** All of them, by key, in the order in which they are offered; additional ones come behind. */
export const authenticatorsWith = (
  hasher: PasswordHasher,
  additional: readonly Authenticator[] = [],
): ReadonlyMap<string, Authenticator> =>
  new Map([...builtIn(hasher), ...additional].map((authenticator) => [authenticator.key, authenticator]))
