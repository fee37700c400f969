import type { Captcha } from '../../captcha/index.ts'
import type { Authenticator, Step } from '../../flow/index.ts'
import { authenticatorEnrollmentData } from './authenticator-enrollment-data.ts'
import { authenticatorVerificationData } from './authenticator-verification-data.ts'
import { cancel } from './cancel.ts'
import { withCaptcha } from './captcha.ts'
import { challengeAuthenticator } from './challenge-authenticator.ts'
import { consent, granularConsent } from './consent.ts'
import { enrollAuthenticator } from './enroll-authenticator.ts'
import { enrollProfile } from './enroll-profile.ts'
import { enrollProfileUpdate } from './enroll-profile-update.ts'
import { channelSteps } from './enrollment-channels.ts'
import { identify } from './identify.ts'
import { identifyRecovery } from './identify-recovery.ts'
import { poll } from './poll.ts'
import { recover } from './recover.ts'
import { reenrollAuthenticator } from './reenroll-authenticator.ts'
import { reenrollAuthenticatorWarning } from './reenroll-authenticator-warning.ts'
import { requestActivationEmail } from './request-activation-email.ts'
import { resend } from './resend.ts'
import { resetAuthenticator } from './reset-authenticator.ts'
import { selectAuthenticatorAuthenticate } from './select-authenticator-authenticate.ts'
import { selectAuthenticatorEnroll } from './select-authenticator-enroll.ts'
import { selectAuthenticatorUnlockAccount } from './select-authenticator-unlock-account.ts'
import { selectEnrollProfile } from './select-enroll-profile.ts'
import { selectIdentify } from './select-identify.ts'
import { skip } from './skip.ts'
import { unlockAccount } from './unlock-account.ts'

/** Everything a visitor can do. The order is that of the forms in a response: the first becomes the SDK's next step. */
export const steps: readonly Step[] = [
  identify,
  identifyRecovery,
  selectEnrollProfile,
  enrollProfile,
  selectIdentify,
  unlockAccount,
  selectAuthenticatorUnlockAccount,
  requestActivationEmail,
  recover,
  authenticatorVerificationData,
  challengeAuthenticator,
  resetAuthenticator,
  reenrollAuthenticator,
  reenrollAuthenticatorWarning,
  enrollProfileUpdate,
  consent,
  granularConsent,
  authenticatorEnrollmentData,
  enrollAuthenticator,
  selectAuthenticatorAuthenticate,
  selectAuthenticatorEnroll,
  skip,
  resend,
  poll,
  cancel,
]

/**
 * The step table with the steps that authenticators bring, and with the captcha where one is configured. Steps of the first
 * page come behind its own.
 */
export const stepsWith = (
  authenticators: ReadonlyMap<string, Authenticator>,
  captcha?: Captcha,
): readonly Step[] => withCaptcha(withOwn(authenticators), captcha)

const withOwn = (authenticators: ReadonlyMap<string, Authenticator>): readonly Step[] => {
  const own = [...authenticators.values()].flatMap(({ steps = [] }) => steps)
  const at = steps.indexOf(identifyRecovery)
  const enrolAt = steps.indexOf(enrollAuthenticator)
  const finishedElsewhere = [...authenticators.values()].some(({ enroll }) => enroll?.channels !== undefined)
  return [
    ...steps.slice(0, at),
    ...own,
    ...steps.slice(at, enrolAt),
    ...(finishedElsewhere ? channelSteps : []),
    ...steps.slice(enrolAt),
  ]
}
