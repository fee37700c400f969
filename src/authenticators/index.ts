/**
 * The authenticators there are, each a value in a folder of its own: how it is challenged, enrolled and replaced, with
 * its rules, its form fields and its messages. The generic steps of the protocol delegate to them. Owns no transaction
 * (`flow`). A new authenticator is a folder and a line here.
 */
import type { Authenticator } from '../flow/index.ts'
import type { PasswordHasher } from '../passwords/index.ts'
import { emailAuthenticator } from './email/index.ts'
import { oktaVerifyAuthenticator } from './okta-verify/index.ts'
import { passwordAuthenticator } from './password/index.ts'
import { type PhoneOptions, phoneAuthenticator } from './phone/index.ts'
import { recoveryCodesAuthenticator } from './recovery-codes/index.ts'
import { questionAuthenticator } from './security-question/index.ts'
import { totpAuthenticator } from './totp/index.ts'
import { type RelyingParty, webauthnAuthenticator } from './webauthn/index.ts'

export { oktaVerifyPath } from './okta-verify/index.ts'
export {
  dataOfNumber,
  maskedPhone,
  type PhoneData,
  phoneEnrollment,
  phoneKey,
  readNumber,
} from './phone/index.ts'
export { type CodesData, codesData, codesOf, recoveryCodesKey } from './recovery-codes/index.ts'
export {
  answerProblem,
  comparableAnswer,
  namesOf,
  type QuestionData,
  questionData,
  questionKey,
  questionTexts,
} from './security-question/index.ts'

export { totpData } from './totp/index.ts'
export {
  isCovered,
  passkeyHandle,
  type RelyingParty,
  relatedOrigins,
  rpIdOf,
  type SoftwareCredential,
  softwarePasskey,
} from './webauthn/index.ts'

/** What the authenticators are built with besides. */
export interface AuthenticatorParts {
  /** What the configuration says of email. */
  readonly email?: Parameters<typeof emailAuthenticator>[0]
  readonly telephony?: PhoneOptions
  /** For whom passkeys are made. Absent: the engine's own host, and no origin besides those of the apps. */
  readonly relyingParty?: RelyingParty
}

const ownHost: RelyingParty = { nativeOrigins: [], trustedOrigins: async () => [] }

const builtIn = (
  hasher: PasswordHasher,
  { email, telephony = { countries: [] }, relyingParty = ownHost }: AuthenticatorParts,
): readonly Authenticator[] => [
  // In the order in which they are offered.
  passwordAuthenticator(hasher),
  emailAuthenticator(email),
  phoneAuthenticator(telephony),
  totpAuthenticator,
  questionAuthenticator(hasher),
  recoveryCodesAuthenticator,
  oktaVerifyAuthenticator,
  webauthnAuthenticator(relyingParty),
]

/** All of them, by key, in the order in which they are offered; additional ones come behind. */
export const authenticatorsWith = (
  hasher: PasswordHasher,
  additional: readonly Authenticator[] = [],
  parts: AuthenticatorParts = {},
): ReadonlyMap<string, Authenticator> =>
  new Map(
    [...builtIn(hasher, parts), ...additional].map((authenticator) => [authenticator.key, authenticator]),
  )
