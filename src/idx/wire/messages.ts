import type { Authenticator, Message, Refusal } from '../../flow/index.ts'
import { profileMessages } from '../../registration/index.ts'

interface Entry {
  readonly class: 'ERROR' | 'INFO'
  /** `{0}` stands for the first parameter. */
  readonly text: string
  /** The parameter is woven into the text but not listed beside the key. */
  readonly hidesParams?: boolean
}

const ofProfiles = Object.fromEntries(
  Object.entries(profileMessages).map(([key, text]): readonly [string, Entry] => [
    key,
    { class: 'ERROR', text },
  ]),
)

/** The messages of the protocol that belong to no single authenticator: key, class, English text. */
export const messages: Readonly<Record<string, Entry>> = {
  ...ofProfiles,
  'idx.session.expired': {
    class: 'ERROR',
    text: 'You have been logged out due to inactivity. Refresh or return to the sign in screen.',
  },
  'idx.unknown.user': {
    class: 'INFO',
    text: 'There is no account with the Username {0}.',
    hidesParams: true,
  },
  'idx.transferred.to.new.tab': { class: 'INFO', text: 'Flow continued in a new tab.' },
  'idx.error.registration.unavailable': {
    class: 'ERROR',
    text: 'Registration is currently unavailable.',
  },
  // A hook writes its own sentence.
  'registration.error.denied': { class: 'ERROR', text: '{0}', hidesParams: true },
  'idx.recovery.completed': {
    class: 'INFO',
    text: 'You can now sign in with your existing username and new password.',
  },
  'idx.password.expiring.message': {
    class: 'INFO',
    text: 'When your password expires, you will have to change your password before you can login to your {0} account.',
  },
  'idx.expired.activation.token': {
    class: 'ERROR',
    text: 'Your account activation link is no longer valid. Request a new activation email below.',
  },
  'idx.request.activation.email': {
    class: 'INFO',
    text: 'New activation link requested. If your information matches our records, you will receive a new activation link in your inbox soon.',
  },
  'idx.error.user.not.assigned.to.app': { class: 'ERROR', text: 'User is not assigned to this application.' },
  'oie.selfservice.reset.password.not.allowed': {
    class: 'ERROR',
    text: 'Reset password is not allowed at this time. Please contact support for assistance.',
  },
  'oie.selfservice.unlock_user.success.message': {
    class: 'INFO',
    text: 'Your account is now unlocked! You can log in using your existing username and password.',
  },
  'oie.selfservice.unlock_user.landing.to.app.success.message': {
    class: 'INFO',
    text: 'Account successfully unlocked! Verify your account with a security method to continue.',
  },
  'oie.selfservice.unlock_user.failed.message': {
    class: 'ERROR',
    text: 'We are unable to unlock your account at this time, please contact your administrator',
  },
  'oie.selfservice.unlock_user.challenge.failed.permissions': {
    class: 'ERROR',
    text: 'You do not have permission to perform the requested action',
  },
  'oie.selfservice.user.unlock.not.allowed': {
    class: 'ERROR',
    text: 'Self Service Unlock is not allowed at this time. Please contact support for assistance.',
  },
  'security.access_denied': {
    class: 'ERROR',
    text: 'You do not have permission to perform the requested action.',
  },
  tooManyRequests: { class: 'ERROR', text: 'Too many requests' },
  'captcha.required': { class: 'ERROR', text: 'Confirm that you are human.' },
  'captcha.invalid': {
    class: 'ERROR',
    text: 'It could not be confirmed that you are human. Please try again.',
  },
  'captcha.unavailable': {
    class: 'ERROR',
    text: 'It cannot be confirmed at this time that you are human. Please try again later.',
  },
  'model.validation.field.blank': { class: 'ERROR', text: 'This field cannot be left blank' },
  E0000020: { class: 'ERROR', text: 'Bad request.' },
  'idx.enter.otp.in.original.tab': {
    class: 'INFO',
    text: 'Enter the OTP in your original browser or device.',
  },
  'idx.return.link.expired': {
    class: 'INFO',
    text: 'This email link has expired. To resend it, return to the screen where you requested it.',
  },
  'idx.return.stale': {
    class: 'INFO',
    text: 'This email link is out of date. Return to the screen where you requested it.',
  },
  'idx.return.error': {
    class: 'ERROR',
    text: 'Could not process this email link. Return to the screen where you requested it.',
  },
}

export interface WireMessage {
  readonly message: string
  readonly i18n: { readonly key: string; readonly params: readonly (string | number)[] }
  readonly class: 'ERROR' | 'INFO'
}

/** A message as it stands in a response. Throws where a key has no words: each refusal's key must be in a table. */
export function wireMessage(
  { key, params = [] }: Message | Refusal,
  authenticators: ReadonlyMap<string, Authenticator>,
): WireMessage {
  const own = [...authenticators.values()].find(
    (authenticator) => authenticator.messages?.[key] !== undefined,
  )
  const entry: Entry | undefined = messages[key] ?? own?.messages?.[key]
  if (entry === undefined) throw new Error(`the message ${key} has no words`)
  return {
    message: entry.text.replace(/\{(\d)\}/g, (_, index) => String(params[Number(index)] ?? '')),
    i18n: { key, params: entry.hidesParams ? [] : params },
    class: entry.class,
  }
}
