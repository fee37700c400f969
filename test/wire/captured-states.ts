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

const olderButton = 'nothing: an older form of the button, which clients show as the newer one'
const promotion =
  'nothing: no setting of the API asks for it, and okta-auth-js shows the `skip` of it alone; a policy offers a passkey like all other methods'
const newApp =
  'nothing: a recovery replaces the password alone; a lost app is removed, or reset by an administrator, and enrolled at a sign-in'
const unsatisfiable =
  'nothing: such a sign-in ends in `security.access_denied`, since no other answer would help'
const tenAtMost =
  'nothing: a form has ten attributes at most, as the API of policies has it; each field is compared by itself'
const codeInstead =
  'nothing: the mail has a code, and the transaction goes on with it; the SDK would drop the transaction here'
const oneCommit =
  'nothing: an account and what proves it are one commit, so a failure is an API error and the form can be sent again'
const landing = 'nothing: an unlock ends in its message, or at the choice of a method'
const atFirstPage = 'nothing: the refusal comes with the first page, since no other method would help'
const oneForm = 'nothing: name and method are asked for in one form'
const ownApp = "nothing planned: the service's own app"
const notSent = 'nothing: no link is sent, since nothing here could finish the enrolment'
const sessions = 'the name of the user of a session, on the first page'
const profiling = 'nothing: the newer form asks for what is required, which is not skipped'
const noActivation =
  'nothing: such a token begins no transaction; `interact` answers 400 "The activation token is invalid"'
const activatingReset =
  'nothing: a recovery sets the first password of a user who is waiting for an activation'
const mailedSignIn = 'sign-in by mail alone'
const staying = '"keep me signed in" asked behind the sign-in'
const hosted = 'the widget as the page that `authorize` leads to'
const consent = 'consent'
const device = 'the device flow'
const oauthTests = 'nothing: it is no state of a transaction; the OAuth tests cover it'
const alwaysOn = 'nothing: the engine cannot be switched off'
const classic = 'the classic API'
const examples = 'nothing: they are examples of a specification, no state of a transaction'

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
    {
      file: 'identify-with-unlock-account-link',
      state: 'with a way to unlock an account',
      covered: 'response',
    },
    {
      file: 'identify-with-third-party-idps',
      state: 'with other identity providers',
      because: 'social sign-in',
    },
    { file: 'identify-unknown-user', state: 'again, after a failed sign-in', covered: 'response' },
    { file: 'error-400-user-not-assigned', state: 'again, for a user without access', covered: 'response' },
  ],
  Recovery: [
    { file: 'identify-recovery', state: 'whose password it is', covered: 'response' },
    {
      file: 'identify-recovery-with-recaptcha-v2',
      state: 'the same with a captcha',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-select-authenticator-for-recovery',
      state: 'choose a method',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-data-email',
      state: 'ask for the mail after it was chosen',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-data-email-with-secondary-email',
      state: 'the same with two addresses',
      covered: 'response',
    },
    { file: 'authenticator-verification-email', state: 'enter the code', covered: 'response' },
    {
      file: 'authenticator-verification-email-without-emailmagiclink',
      state: 'enter the code, where mails have no link',
      covered: 'response',
    },
    { file: 'authenticator-verification-email-polling', state: 'the poll that waits', covered: 'response' },
    {
      file: 'authenticator-verification-email-with-secondary-email',
      state: 'enter the code, with two addresses',
      covered: 'response',
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
      covered: 'response',
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
        'nothing: too many guesses end the transaction, and a locked account is answered like a wrong password',
    },
    { file: 'authenticator-verification-phone-sms', state: 'a code by text message', covered: 'response' },
    {
      file: 'authenticator-verification-data-phone-sms-then-voice',
      state: 'text message or call',
      covered: 'response',
    },
    { file: 'authenticator-verification-security-question', state: 'a question', covered: 'response' },
    {
      file: 'authenticator-verification-google-authenticator',
      state: 'a code of an app',
      covered: 'response',
    },
    { file: 'authenticator-verification-webauthn', state: 'a passkey', covered: 'response' },
    {
      file: 'authenticator-verification-okta-verify-push',
      state: "a push to the service's own app",
      because: ownApp,
    },
  ],
  'Registration and enrolment': [
    { file: 'enroll-profile-new', state: 'a new profile', covered: 'response' },
    { file: 'enroll-profile-with-password', state: 'a new profile with its password', covered: 'response' },
    { file: 'error-new-signup-email', state: 'an address that is none', covered: 'response' },
    { file: 'error-new-signup-email-exists', state: 'an address that is taken', covered: 'response' },
    {
      file: 'authenticator-enroll-select-authenticator',
      state: 'choose what to enrol',
      covered: 'response',
    },
    {
      file: 'authenticator-enroll-select-authenticator-with-skip',
      state: 'choose what to enrol, or nothing',
      covered: 'response',
    },
    { file: 'authenticator-enroll-email', state: 'enrol an address', covered: 'response' },
    { file: 'authenticator-enroll-password', state: 'enrol a password', covered: 'response' },
    {
      file: 'error-authenticator-enroll-password-common',
      state: 'enrol a common password',
      covered: 'response',
    },
    { file: 'authenticator-enroll-data-phone', state: 'enrol a phone', covered: 'response' },
    { file: 'authenticator-enroll-security-question', state: 'enrol a question', covered: 'response' },
    { file: 'terminal-registration', state: 'an address must be confirmed first', because: codeInstead },
  ],
  Unlock: [
    { file: 'user-unlock-account', state: 'whose account it is', covered: 'response' },
    { file: 'user-account-unlock-success', state: 'unlocked', covered: 'response' },
    { file: 'user-account-unlock-success-land-on-app', state: 'unlocked, go on', because: landing },
    { file: 'error-unlock-account', state: 'refused, the end', covered: 'response' },
    { file: 'error-400-unlock-account', state: 'refused, the form stays', because: atFirstPage },
  ],
  'Errors and the end': [
    { file: 'error-401-session-expired', state: 'the transaction is over', covered: 'response' },
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
  'Enrolment of each authenticator': [
    {
      file: 'authenticator-enroll-email-emailmagiclink-true',
      state: 'enrol an address, the mail has a link',
      covered: 'response',
    },
    {
      file: 'authenticator-enroll-email-emailmagiclink-false',
      state: 'enrol an address, the mail has no link',
      covered: 'response',
    },
    {
      file: 'authenticator-enroll-email-first',
      state: 'ask for the mail before the code',
      covered: 'response',
    },
    {
      file: 'authenticator-enroll-email-first-emailmagiclink-true',
      state: 'the step after it',
      covered: 'response',
    },
    { file: 'authenticator-enroll-phone', state: 'enter the code of a text message', covered: 'response' },
    { file: 'authenticator-enroll-phone-voice', state: 'enter the code of a call', covered: 'response' },
    { file: 'authenticator-enroll-data-phone-voice', state: 'a number that is called', covered: 'response' },
    {
      file: 'authenticator-enroll-google-authenticator',
      state: 'the QR code and the shared secret',
      covered: 'response',
    },
    { file: 'authenticator-reset-google', state: 'a new secret in a recovery', because: newApp },
    { file: 'authenticator-enroll-webauthn', state: 'create a passkey', covered: 'response' },
    {
      file: 'authenticator-enroll-webauthn-passkeys',
      state: 'the same under its newer name',
      covered: 'response',
    },
    {
      file: 'authenticator-enroll-passkey-promotion',
      state: 'a passkey is suggested after sign-in',
      because: promotion,
    },
    {
      file: 'authenticator-enroll-select-authenticator-with-usage-info',
      state: 'choose what to enrol, with what it is for',
      covered: 'response',
    },
    { file: 'authenticator-enroll-grace-period', state: 'required from a date on', covered: 'response' },
    {
      file: 'authenticator-enroll-grace-period-with-skip',
      state: 'the same, it may be skipped',
      covered: 'response',
    },
    {
      file: 'authenticator-enroll-grace-period-login-count-with-skip',
      state: 'it may be skipped a number of times',
      covered: 'response',
    },
    { file: 'authenticator-enroll-ov-qr', state: "the service's own app, by QR code", covered: 'response' },
    { file: 'authenticator-enroll-ov-via-email', state: 'the same: ask for an address', covered: 'response' },
    { file: 'authenticator-enroll-ov-via-sms', state: 'the same: ask for a number', covered: 'response' },
    { file: 'authenticator-enroll-ov-email', state: 'the same: the mail is sent', because: notSent },
    { file: 'authenticator-enroll-ov-sms', state: 'the same: the text message is sent', because: notSent },
  ],
  'Challenge and choice of every authenticator': [
    {
      file: 'authenticator-verification-select-authenticator',
      state: 'choose among all of them, two phones among them',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-select-authenticator-no-number',
      state: 'the same, the numbers are hidden',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-select-authenticator-with-nickname',
      state: 'the same, the phones have names',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-data-phone-voice-then-sms',
      state: 'call or text message',
      because: 'nothing: text messages are offered first, as clients preselect the first method',
    },
    { file: 'authenticator-verification-data-phone-voice-only', state: 'call alone', covered: 'response' },
    {
      file: 'authenticator-verification-data-phone-sms-then-voice-no-profile',
      state: 'text message or call, the number is hidden',
      covered: 'response',
    },
    { file: 'authenticator-verification-phone-voice', state: 'a code by call', covered: 'response' },
    {
      file: 'authenticator-verification-phone-sms-required',
      state: 'a code by text message, a required field',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-phone-sms-no-profile',
      state: 'a code by text message, the number is hidden',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-phone-sms-nickname',
      state: 'a code by text message, the phone has a name',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-data-email-no-profile',
      state: 'ask for the mail, the address is hidden',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-email-no-profile',
      state: 'enter the mailed code, the address is hidden',
      covered: 'response',
    },
    {
      file: 'authenticator-verification-webauthn-passkeys',
      state: 'a passkey under its newer name',
      covered: 'response',
    },
    {
      file: 'identify-with-webauthn-autofill',
      state: 'the first page fills a passkey in',
      covered: 'response',
    },
    {
      file: 'identify-with-passkeys-launch-authenticator',
      state: 'the first page has a button for passkeys',
      covered: 'response',
    },
    { file: 'identify-with-webauthn-launch-authenticator', state: 'the same, older', because: olderButton },
    {
      file: 'identify-with-webauthn-residentkey',
      state: 'the step behind the older button',
      because: olderButton,
    },
    { file: 'post-auth-keep-me-signed-in', state: 'stay signed in?', because: staying },
  ],
  'Errors of authenticators': [
    { file: 'error-401-invalid-otp-passcode', state: 'a wrong code, beside a phone', covered: 'response' },
    {
      file: 'error-authenticator-enroll-email-invalid-otp',
      state: 'a wrong code while an address is enrolled',
      covered: 'response',
    },
    {
      file: 'error-authenticator-enroll-phone-invalid-otp',
      state: 'a wrong code while a phone is enrolled',
      covered: 'response',
    },
    {
      file: 'error-authenticator-enroll-phone-invalid-number',
      state: 'a number that is none',
      covered: 'response',
    },
    {
      file: 'error-authenticator-challenge-phone-invalid-otp',
      state: 'a wrong code of a phone',
      covered: 'response',
    },
    { file: 'error-authenticator-phone-sms-ratelimit', state: 'too many text messages', covered: 'response' },
    { file: 'error-authenticator-phone-voice-ratelimit', state: 'too many calls', covered: 'response' },
    {
      file: 'error-authenticator-enroll-google-invalid-otp',
      state: 'a wrong code while an app is enrolled',
      covered: 'response',
    },
    {
      file: 'error-authenticator-reset-google-invalid-otp',
      state: 'a wrong code while an app is replaced',
      because: newApp,
    },
    {
      file: 'error-authenticator-verification-on-google-otp-invalid-passcode',
      state: 'a wrong code of an app',
      covered: 'response',
    },
    {
      file: 'error-authenticator-verification-on-google-otp-used-passcode',
      state: 'a code that was used before',
      covered: 'response',
    },
    {
      file: 'error-authenticator-enroll-security-question',
      state: 'an answer that is too short',
      covered: 'response',
    },
    {
      file: 'error-authenticator-enroll-security-question-create-question',
      state: "the same, a question of the user's own",
      covered: 'response',
    },
    {
      file: 'error-authenticator-enroll-security-question-html-tags',
      state: 'an answer with tags in it',
      covered: 'response',
    },
    {
      file: 'enroll-security-question-with-character-limit-error',
      state: 'an answer that is too long',
      covered: 'response',
    },
    { file: 'error-authenticator-webauthn-failure', state: 'a passkey is refused', covered: 'response' },
    {
      file: 'error-unable-to-authenticate-user',
      state: 'the user has nothing that the policy asks for',
      because: unsatisfiable,
    },
  ],
  'Profiles, registration and activation': [
    {
      file: 'enroll-profile-all-base-attributes',
      state: 'every attribute of a profile',
      because: tenAtMost,
    },
    { file: 'enroll-profile-new-additional-fields', state: 'country and time zone', covered: 'response' },
    {
      file: 'enroll-profile-new-boolean-fields',
      state: 'fields that are true or false',
      covered: 'response',
    },
    {
      file: 'profile-enrollment-string-fields-options',
      state: 'fields with a list of values',
      covered: 'response',
    },
    { file: 'enroll-profile-new-with-hcaptcha', state: 'a new profile with a captcha', covered: 'response' },
    {
      file: 'enroll-profile-with-password-returns-error',
      state: 'profile and password, the password is refused',
      covered: 'response',
    },
    {
      file: 'enroll-profile-with-password-returns-multiple-errors',
      state: 'the same for several reasons',
      covered: 'response',
    },
    { file: 'enroll-profile-submit', state: 'attributes that are asked for at sign-in', covered: 'response' },
    { file: 'enroll-profile-update-params', state: 'the same, older', because: profiling },
    {
      file: 'enroll-profile-update-all-optional-params',
      state: 'the same, it may be skipped',
      because: profiling,
    },
    { file: 'error-account-creation', state: 'the account cannot be created', because: oneCommit },
    { file: 'error-request-not-completed', state: 'the request cannot be completed', because: oneCommit },
    { file: 'error-enroll-regisration-unavailable', state: 'registration is closed', covered: 'response' },
    {
      file: 'oauth2-error-activation-token-invalid',
      state: 'an interaction with an activation token that is none',
      covered: 'response',
    },
    { file: 'request-activation-email', state: 'ask for another activation mail', covered: 'response' },
    {
      file: 'terminal-request-activation-email-submitted',
      state: 'the activation mail is sent',
      covered: 'response',
    },
    {
      file: 'error-request-activation-email-expired-token',
      state: 'an activation link that expired',
      because: noActivation,
    },
    {
      file: 'error-request-activation-email-invalid',
      state: 'an activation link that is none',
      because: noActivation,
    },
    {
      file: 'error-request-activation-email-suspended',
      state: 'an activation link of a suspended user',
      because: noActivation,
    },
    {
      file: 'terminal-return-otp-only-full-location-mobile-icon-enrollment',
      state: 'the code of a registration, to be typed where it was asked for',
      covered: 'page',
    },
    {
      file: 'terminal-return-otp-only-full-location-mobile-icon-authentication',
      state: 'the code of a sign-in, to be typed where it was asked for',
      covered: 'page',
    },
    {
      file: 'terminal-return-otp-only-full-location-mobile-icon-unlock',
      state: 'the code of an unlock, to be typed where it was asked for',
      covered: 'page',
    },
    {
      file: 'terminal-reset-password-inactive-user',
      state: 'a password reset of an inactive user',
      because: activatingReset,
    },
  ],
  'Unlock, step by step': [
    {
      file: 'user-account-unlock-introspect-choose-auth-after-unlock',
      state: 'the first page, with the way to unlock',
      covered: 'response',
    },
    {
      file: 'user-account-unlock-introspect-direct-landing-after-unlock',
      state: 'the same where an unlock leads straight to the app',
      covered: 'response',
    },
    {
      file: 'user-account-unlock-choose-auth-after-unlock',
      state: 'username and method',
      covered: 'response',
    },
    { file: 'user-unlock-account-identifier-first', state: 'the username first', because: oneForm },
    { file: 'user-unlock-account-choose-auth-identifier-first', state: 'then the method', because: oneForm },
    {
      file: 'user-account-unlock-challenge-choose-auth-after-unlock',
      state: 'enter the code, of an unknown user',
      covered: 'response',
    },
    {
      file: 'user-account-unlock-challenge-direct-landing-after-unlock',
      state: 'enter the code, of a known user',
      covered: 'response',
    },
    {
      file: 'user-account-unlock-answer-1-choose-auth-after-unlock',
      state: 'a second proof',
      covered: 'response',
    },
    {
      file: 'user-account-unlock-answer-2-choose-auth-after-unlock',
      state: 'unlocked, a factor is chosen',
      covered: 'response',
    },
    {
      file: 'user-account-unlock-answer-choose-auth-after-unlock',
      state: 'unlocked, nothing more',
      because: landing,
    },
    { file: 'error-unlock-account-failed-permissions', state: 'refused: not allowed', covered: 'response' },
  ],
  'Hosted pages, consent and devices': [
    { file: 'success', state: 'the end of a hosted sign-in', because: hosted },
    { file: 'success-with-app-user', state: 'the same with app and user', because: hosted },
    { file: 'success-redirect-remediation', state: 'the same as a form', because: hosted },
    { file: 'error-with-failure-redirect', state: 'a failure that leads back to the app', because: hosted },
    { file: 'failure-redirect-remediation', state: 'the same as a form', because: hosted },
    { file: 'identify-with-username', state: 'the username is filled in', because: hosted },
    { file: 'identify-with-user', state: 'a session is known, the user is named', because: sessions },
    { file: 'error-403-access-denied', state: 'a policy denies access', because: hosted },
    { file: 'error-403-security-access-denied', state: 'the same in the shape of the API', because: hosted },
    {
      file: 'error-custom-access-denied-success-redirect',
      state: 'denied, with links and a way on',
      because: hosted,
    },
    {
      file: 'email-challenge-consent',
      state: 'the link of a mail asks whether it was the user',
      because: mailedSignIn,
    },
    { file: 'consent-enduser', state: 'consent of a user', because: consent },
    {
      file: 'consent-enduser-custom-scopes',
      state: 'the same for scopes of an installation',
      because: consent,
    },
    { file: 'consent-granular', state: 'consent scope by scope', because: consent },
    { file: 'consent-admin', state: 'consent of an administrator', because: consent },
    { file: 'device-code-activate', state: 'enter the code of a device', because: device },
    { file: 'device-code-activate-userCode', state: 'the same, the code is filled in', because: device },
    { file: 'error-device-code-activate', state: 'a code of a device is refused', because: device },
    { file: 'error-invalid-device-code', state: 'a code of a device that is none', because: device },
    { file: 'terminal-device-activated', state: 'the device is signed in', because: device },
    { file: 'terminal-device-not-activated-consent-denied', state: 'the device is refused', because: device },
  ],
  OAuth: [
    { file: 'oauth2-well-known-openid-configuration', state: 'discovery', because: oauthTests },
    { file: 'oauth2-success-tokens', state: 'tokens for an interaction code', because: oauthTests },
    {
      file: 'oauth2-error-token-invalid-grant-pkce',
      state: 'a verifier that does not fit',
      because: oauthTests,
    },
    {
      file: 'error-400-unauthorized-client',
      state: 'an interaction of a client without the grant',
      because: oauthTests,
    },
    {
      file: 'error-feature-not-enabled',
      state: 'an interaction where the engine is switched off',
      because: alwaysOn,
    },
    { file: 'oauth2-error-feature-not-enabled', state: 'the same in the shape of OAuth', because: alwaysOn },
  ],
  'The classic API': [
    { file: 'authn-unauthenticated', state: 'no factor is proven yet', because: classic },
    { file: 'authn-unauthenticated-using-device-flow', state: 'the same for a device', because: classic },
    { file: 'authn-error-authentication-failed', state: 'a failed sign-in', because: classic },
    { file: 'authn-success-001', state: 'signed in', because: classic },
    { file: 'authn-cancel', state: 'cancelled', because: classic },
    { file: 'authn-mfa-all-factors', state: 'a second factor is required, of all kinds', because: classic },
    { file: 'authn-mfa-required-email', state: 'a second factor by mail is required', because: classic },
    { file: 'authn-mfa-required-oktaverify', state: "the service's own app is required", because: classic },
    { file: 'authn-mfa-challenge-email', state: 'enter the mailed code', because: classic },
    {
      file: 'authn-mfa-number-challenge-ov',
      state: "choose a number in the service's own app",
      because: classic,
    },
    { file: 'authn-mfa-enroll-sms', state: 'enrol a phone', because: classic },
    { file: 'authn-mfa-enroll-totp', state: 'enrol an app', because: classic },
    {
      file: 'authn-mfa-enroll-email-with-sms-enrolled',
      state: 'enrol an address beside a phone',
      because: classic,
    },
    { file: 'authn-mfa-enroll-activate-email', state: 'activate an address', because: classic },
    { file: 'authn-mfa-enroll-activate-sms', state: 'activate a phone', because: classic },
    {
      file: 'authn-mfa-enroll-qr-okta-verify',
      state: "enrol the service's own app by QR code",
      because: classic,
    },
    { file: 'authn-mfa-enroll-ov-manual', state: 'the same by a typed secret', because: classic },
    { file: 'authn-recovery-password', state: 'a recovery is verified', because: classic },
    {
      file: 'authn-recovery-challenge-sms-pwd',
      state: 'enter the code of a text message in a recovery',
      because: classic,
    },
    { file: 'authn-recovery-answer', state: 'the new password', because: classic },
    { file: 'authn-consent-required', state: 'consent', because: classic },
    { file: 'authn-consent-required-granular', state: 'consent scope by scope', because: classic },
    { file: 'authn-admin-consent-required', state: 'consent of an administrator', because: classic },
    { file: 'authn-device-code-activate', state: 'enter the code of a device', because: classic },
    {
      file: 'authn-device-code-activate-userCode',
      state: 'the same, the code is filled in',
      because: classic,
    },
    { file: 'authn-error-device-code-activate', state: 'a code of a device is refused', because: classic },
    { file: 'authn-error-invalid-device-code', state: 'a code of a device that is none', because: classic },
    { file: 'authn-terminal-device-activated', state: 'the device is signed in', because: classic },
    {
      file: 'authn-terminal-device-not-activated-consent-denied',
      state: 'the device is refused',
      because: classic,
    },
    {
      file: 'authn-terminal-device-not-activated-internal-error',
      state: 'the device meets a failure',
      because: classic,
    },
  ],
  'Examples of the specification': [
    { file: 'spec-authenticators', state: 'authenticators, methods, enrolments', because: examples },
    { file: 'spec-factors', state: 'factors of a user', because: examples },
    { file: 'spec-hooks', state: 'event hooks and inline hooks', because: examples },
    { file: 'spec-myaccount', state: 'the account API of a user', because: examples },
    { file: 'spec-oauth', state: 'discovery, tokens, devices, clients', because: examples },
    { file: 'spec-policies', state: 'policies and rules', because: examples },
    { file: 'spec-sessions', state: 'sessions', because: examples },
  ],
}
