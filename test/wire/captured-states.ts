/**
 * Every state that the public collection of the field's own example responses shows, by the name of its file, in words
 * of this project, and whether this engine has it. `docs/supported.md` is made from this list; `fixtures.test.ts` compares
 * what is covered where the captured files are at hand.
 */
export interface CapturedState {
  readonly file: string
  readonly state: string
  /** `response`: compared field by field. `page`: shown as a page of the engine, its message compared. */
  readonly covered?: 'response' | 'page'
  /** Where it is not covered: what it belongs to, or why it never occurs here. */
  readonly because?: string
}

const phone = 'the phone authenticator'
const webauthn = 'passkeys'
const totp = 'one-time passwords of an app'
const question = 'the security question'
const registration = 'registration'
const unlock = 'unlocking an account'

export const capturedStates: Readonly<Record<string, readonly CapturedState[]>> = {
  'The first page': [
    { file: 'oauth2-interact', state: 'an interaction begins', covered: 'response' },
    {
      file: 'oauth2-error-recovery-token-invalid',
      state: 'an interaction with a recovery token that is none',
      covered: 'response',
    },
    { file: 'identify-with-password', state: 'username and password', covered: 'response' },
    { file: 'identify', state: 'username alone', covered: 'response' },
    { file: 'identify-with-unlock-account-link', state: 'with a way to unlock an account', because: unlock },
    {
      file: 'identify-with-third-party-idps',
      state: 'with other identity providers',
      because: 'social sign-in',
    },
    { file: 'identify-unknown-user', state: 'again, after a failed sign-in', covered: 'response' },
    { file: 'error-400-user-not-assigned', state: 'again, for somebody without access', covered: 'response' },
  ],
  Recovery: [
    { file: 'identify-recovery', state: 'whose password it is', covered: 'response' },
    { file: 'identify-recovery-with-recaptcha-v2', state: 'the same with a captcha', because: 'captchas' },
    {
      file: 'authenticator-verification-select-authenticator-for-recovery',
      state: 'choose a method',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-data-email',
      state: 'ask for the mail after it was chosen',
      because: 'a step between choice and mail, which this engine does without',
    },
    {
      file: 'authenticator-verification-data-email-with-secondary-email',
      state: 'the same with two addresses',
      because: 'secondary addresses',
    },
    { file: 'authenticator-verification-email', state: 'enter the code', covered: 'response' },
    {
      file: 'authenticator-verification-email-without-emailmagiclink',
      state: 'enter the code, where mails have no link',
      because: 'mails without a link',
    },
    { file: 'authenticator-verification-email-polling', state: 'the poll that waits', covered: 'response' },
    {
      file: 'authenticator-verification-email-with-secondary-email',
      state: 'enter the code, with two addresses',
      because: 'secondary addresses',
    },
    {
      file: 'authenticator-verification-email-alphanumeric',
      state: 'enter a long code',
      covered: 'response',
    },
    { file: 'error-401-invalid-email-otp-passcode', state: 'a wrong code', covered: 'response' },
    { file: 'authenticator-reset-password', state: 'the new password', covered: 'response' },
    {
      file: 'error-authenticator-reset-password-requirement',
      state: 'a new password that breaks the rules',
      covered: 'response',
    },
    {
      file: 'error-password-reset-failed',
      state: 'another directory refuses the new password',
      because: 'other directories',
    },
    { file: 'error-forgot-password', state: 'recovery is not allowed, the form stays', covered: 'response' },
    {
      file: 'error-reset-password-not-allowed',
      state: 'recovery is not allowed, the end',
      covered: 'response',
    },
    {
      file: 'authenticator-recovery-password-failure',
      state: 'password set, sign-in failed',
      because: 'nothing: password and sign-in are one commit, so that both happen or neither',
    },
    { file: 'terminal-reset-password-success', state: 'done, without a sign-in', covered: 'response' },
    {
      file: 'terminal-invalid-forgot-password-token',
      state: 'a recovery token that is none',
      because: 'nothing: an interaction does not begin with a token that is none',
    },
    { file: 'authenticator-expired-password', state: 'an expired password is replaced', covered: 'response' },
    {
      file: 'authenticator-expired-password-with-enrollment-authenticator',
      state: 'the same in its newer shape',
      covered: 'response',
    },
    {
      file: 'authenticator-expiry-warning-password',
      state: 'a password that will expire soon',
      because: 'warnings before a password expires',
    },
  ],
  'Magic link': [
    {
      file: 'terminal-return-email',
      state: 'the link passes the challenge by itself',
      because: 'nothing: opening a link changes nothing here, because mail scanners open links',
    },
    {
      file: 'terminal-return-otp-only-full-location-mobile-icon-recovery',
      state: 'the code, to be typed where it was asked for',
      covered: 'page',
    },
    { file: 'terminal-return-expired-email', state: 'an expired link', covered: 'page' },
    { file: 'terminal-return-stale-email', state: 'a link of an earlier mail', covered: 'page' },
    { file: 'terminal-return-error-email', state: 'a link that is none', covered: 'page' },
    {
      file: 'terminal-transfered-email',
      state: 'the first tab, after the end in another',
      covered: 'response',
    },
  ],
  'Challenge at sign-in': [
    {
      file: 'authenticator-verification-select-authenticator-with-email',
      state: 'choose a method',
      covered: 'response',
    },
    { file: 'authenticator-verification-password', state: 'enter the password', covered: 'response' },
    {
      file: 'authenticator-verification-email-without-resend',
      state: 'enter the password, the only method',
      covered: 'response',
    },
    { file: 'error-authenticator-verify-password', state: 'a wrong password', covered: 'response' },
    {
      file: 'error-authenticator-verification-password-too-many-attempts',
      state: 'a password that is locked',
      because:
        'nothing: too many guesses end the conversation, and a locked account is answered like a wrong password',
    },
    { file: 'authenticator-verification-phone-sms', state: 'a code by text message', because: phone },
    {
      file: 'authenticator-verification-data-phone-sms-then-voice',
      state: 'text message or call',
      because: phone,
    },
    { file: 'authenticator-verification-security-question', state: 'a question', because: question },
    { file: 'authenticator-verification-google-authenticator', state: 'a code of an app', because: totp },
    { file: 'authenticator-verification-webauthn', state: 'a passkey', because: webauthn },
    {
      file: 'authenticator-verification-okta-verify-push',
      state: "a push to the service's own app",
      because: "nothing planned: the service's own app",
    },
  ],
  'Registration and enrolment': [
    { file: 'enroll-profile-new', state: 'a new profile', because: registration },
    { file: 'enroll-profile-with-password', state: 'a new profile with its password', because: registration },
    { file: 'error-new-signup-email', state: 'an address that is none', because: registration },
    { file: 'error-new-signup-email-exists', state: 'an address that is taken', because: registration },
    {
      file: 'authenticator-enroll-select-authenticator',
      state: 'choose what to enrol',
      because: registration,
    },
    {
      file: 'authenticator-enroll-select-authenticator-with-skip',
      state: 'choose what to enrol, or nothing',
      because: registration,
    },
    { file: 'authenticator-enroll-email', state: 'enrol an address', because: registration },
    { file: 'authenticator-enroll-password', state: 'enrol a password', because: registration },
    {
      file: 'error-authenticator-enroll-password-common',
      state: 'enrol a common password',
      because: registration,
    },
    { file: 'authenticator-enroll-data-phone', state: 'enrol a phone', because: phone },
    { file: 'authenticator-enroll-security-question', state: 'enrol a question', because: question },
    { file: 'terminal-registration', state: 'an address must be confirmed first', because: registration },
  ],
  Unlock: [
    { file: 'user-unlock-account', state: 'whose account it is', because: unlock },
    { file: 'user-account-unlock-success', state: 'unlocked', because: unlock },
    { file: 'user-account-unlock-success-land-on-app', state: 'unlocked, go on', because: unlock },
    { file: 'error-unlock-account', state: 'refused, the end', because: unlock },
    { file: 'error-400-unlock-account', state: 'refused, the form stays', because: unlock },
  ],
  'Errors and the end': [
    { file: 'error-401-session-expired', state: 'the conversation is over', covered: 'response' },
    {
      file: 'error-404-verification-timed-out',
      state: 'a challenge whose time is over',
      because: 'nothing: an expired code is answered like a wrong one',
    },
    {
      file: 'error-429-too-many-request-operation-ratelimit',
      state: 'too many guesses, the end',
      covered: 'response',
    },
    {
      file: 'error-429-authenticator-verification-email-polling',
      state: 'too many requests, the form stays',
      covered: 'response',
    },
    { file: 'error-429-api-limit-exceeded', state: 'too many requests of one address', covered: 'response' },
    {
      file: 'error-500-internal-server-error',
      state: 'a failure of a gateway',
      because: 'nothing: the body of another server in front; ours is an API error `E0000009`',
    },
    { file: 'success-with-interaction-code', state: 'the end', covered: 'response' },
  ],
}
