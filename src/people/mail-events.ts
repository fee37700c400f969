import type { EventType, NewEvent } from '../audit/index.ts'
import { isoTime } from '../base/index.ts'
import type { ClosedMail, MailOutcome, NewMail } from '../delivery/index.ts'

/** The event that records that a mail of a template was queued. */
export const queuedEvents: Readonly<Record<NewMail['template'], EventType>> = {
  ForgotPassword: 'system.email.password_reset.sent_message',
  EmailChallenge: 'system.email.send_factor_verify_message',
  SelfServiceUnlock: 'system.email.account_unlock.sent_message',
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

/** A mail has come to its end. */
export function mailClosed(mail: ClosedMail, outcome: MailOutcome): NewEvent {
  const isWithoutRecipient = mail.recipient === null
  const ends: Readonly<Record<MailOutcome, NewEvent['outcome']>> = {
    sent: isWithoutRecipient ? { result: 'SKIPPED', reason: 'NOBODY' } : { result: 'SUCCESS' },
    dead: { result: 'FAILURE', reason: 'DEAD' },
    expired: { result: 'FAILURE', reason: 'EXPIRED' },
  }
  return {
    eventType: 'system.email.delivery',
    displayMessage: isWithoutRecipient ? 'Email without a recipient dropped' : `Email ${outcome}`,
    outcome: ends[outcome],
    actor: { id: 'system', type: 'SystemPrincipal' },
    target: mail.personId === null ? [] : [{ id: mail.personId, type: 'User' }],
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
