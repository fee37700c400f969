import type { EventType, NewEvent } from '../audit/index.ts'
import { isoTime } from '../base/index.ts'
import type { ClosedMail, MailOutcome, NewMail, TextChannel, TextTemplate } from '../delivery/index.ts'

/** The event that records that a mail of a template was queued. */
export const queuedEvents: Readonly<Record<NewMail['template'], EventType>> = {
  ForgotPassword: 'system.email.password_reset.sent_message',
  EmailChallenge: 'system.email.send_factor_verify_message',
  SelfServiceUnlock: 'system.email.account_unlock.sent_message',
  RegistrationEmailVerification: 'system.email.self_service_registration.sent_message',
  RegistrationTaken: 'system.email.self_service_registration.sent_message',
  Welcome: 'system.email.welcome.sent_message',
  PasswordResetByAdmin: 'system.email.password_reset.sent_message',
  UserActivation: 'system.email.new_user.sent_message',
  PasswordChanged: 'system.email.password_changed.sent_message',
  PasswordExpired: 'system.email.password_expired.sent_message',
  EmailChanged: 'system.email.email_changed.sent_message',
  LoginChanged: 'system.email.login_changed.sent_message',
  AuthenticatorEnrolled: 'system.email.mfa_enroll_notification.sent_message',
  AuthenticatorReset: 'system.email.mfa_reset_notification.sent_message',
  AccountUnlocked: 'system.email.account_unlocked.sent_message',
  PendingEmailChange: 'system.email.change_pending.sent_message',
  AccountChangeWaiting: 'system.email.account_change_waiting.sent_message',
}

/** The event that records that a text or call was queued. */
export const textEvents: Readonly<Record<TextChannel, Readonly<Record<TextTemplate, EventType>>>> = {
  sms: {
    PhoneEnrollment: 'system.sms.send_phone_verification_message',
    PhoneSignIn: 'system.sms.send_factor_verify_message',
    PhoneRecovery: 'system.sms.send_password_reset_message',
    PhoneUnlock: 'system.sms.send_account_unlock_message',
  },
  voice: {
    PhoneEnrollment: 'system.voice.send_phone_verification_call',
    PhoneSignIn: 'system.voice.send_mfa_challenge_call',
    PhoneRecovery: 'system.voice.send_password_reset_call',
    PhoneUnlock: 'system.voice.send_account_unlock_call',
  },
}

/** How its end is recorded. */
const ended = {
  email: { eventType: 'system.email.delivery', noun: 'Email', without: 'recipient' },
  sms: { eventType: 'system.sms.receive_status', noun: 'SMS message', without: 'number' },
  voice: { eventType: 'system.voice.receive_status', noun: 'Call', without: 'number' },
  logout: { eventType: 'app.oauth2.logout_token.delivery', noun: 'Logout token', without: 'recipient' },
} as const satisfies Readonly<Record<ClosedMail['channel'], object>>

/** A mail, text, call or logout token has come to its end. */
export function mailClosed(mail: ClosedMail, outcome: MailOutcome): NewEvent {
  const isWithoutRecipient = mail.recipient === null
  const { eventType, noun, without } = ended[mail.channel]
  const ends: Readonly<Record<MailOutcome, NewEvent['outcome']>> = {
    sent: isWithoutRecipient ? { result: 'SKIPPED', reason: 'NOBODY' } : { result: 'SUCCESS' },
    dead: { result: 'FAILURE', reason: 'DEAD' },
    expired: { result: 'FAILURE', reason: 'EXPIRED' },
  }
  return {
    eventType,
    displayMessage: isWithoutRecipient ? `${noun} without a ${without} dropped` : `${noun} ${outcome}`,
    outcome: ends[outcome],
    actor: { id: 'system', type: 'SystemPrincipal' },
    target: [
      ...(mail.personId === null ? [] : [{ id: mail.personId, type: 'User' }]),
      ...(mail.channel === 'logout' ? [{ id: mail.recipient ?? '', type: 'AppInstance' }] : []),
    ],
    transactionId: mail.transactionId ?? undefined,
    debugData: {
      mail: mail.id,
      template: mail.template,
      attempts: String(mail.attempts),
      ...(mail.error && { error: mail.error }),
      ...(mail.suppressedUntil !== undefined && { suppressedUntil: isoTime(mail.suppressedUntil) }),
    },
  }
}
