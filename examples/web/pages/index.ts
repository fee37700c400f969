import { authenticatorEnrollmentData } from './authenticator-enrollment-data.ts'
import { authenticatorVerificationData } from './authenticator-verification-data.ts'
import { challengeAuthenticator } from './challenge-authenticator.ts'
import { enrollAuthenticator } from './enroll-authenticator.ts'
import { enrollProfile } from './enroll-profile.ts'
import { identify } from './identify.ts'
import { identifyRecovery } from './identify-recovery.ts'
import type { StepPage } from './page.ts'
import { reenrollAuthenticator } from './reenroll-authenticator.ts'
import { reenrollAuthenticatorWarning } from './reenroll-authenticator-warning.ts'
import { resetAuthenticator } from './reset-authenticator.ts'
import { selectAuthenticatorAuthenticate } from './select-authenticator-authenticate.ts'
import { selectAuthenticatorEnroll } from './select-authenticator-enroll.ts'
import { selectAuthenticatorUnlockAccount } from './select-authenticator-unlock-account.ts'

/** The pages of all steps. To add a step, add a file and a line here. */
export const stepPages: readonly StepPage[] = [
  identify,
  identifyRecovery,
  selectAuthenticatorAuthenticate,
  authenticatorVerificationData,
  challengeAuthenticator,
  selectAuthenticatorEnroll,
  authenticatorEnrollmentData,
  enrollAuthenticator,
  resetAuthenticator,
  reenrollAuthenticator,
  reenrollAuthenticatorWarning,
  selectAuthenticatorUnlockAccount,
  enrollProfile,
]

export const pageOf = (step: string | undefined): StepPage | undefined =>
  stepPages.find((page) => page.step === step)
