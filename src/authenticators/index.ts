/**
 * The kinds of proof there are, each a value in a folder of its own: how it is asked for, judged, and replaced, with
 * its rules and its messages. The generic steps of the protocol delegate to them. Owns no step and no transaction
 * (`flow`). A new authenticator is a folder and a line here.
 */
import type { Authenticator } from '../flow/index.ts'
import type { PasswordHasher } from '../passwords/index.ts'
import { emailAuthenticator } from './email/index.ts'
import { passwordAuthenticator } from './password/index.ts'

/** All of them, by key. */
export const authenticatorsWith = (hasher: PasswordHasher): ReadonlyMap<string, Authenticator> =>
  new Map(
    [passwordAuthenticator(hasher), emailAuthenticator].map((authenticator) => [
      authenticator.key,
      authenticator,
    ]),
  )
