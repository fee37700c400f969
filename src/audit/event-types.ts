interface Entry {
  /** When it is recorded, as one sentence of docs/events.md. */
  readonly when: string
  /** Its results, each with its meaning where the name does not say it. */
  readonly outcomes: readonly string[]
  /** Whether Okta's catalogue has it; ours continue its patterns. */
  readonly ours?: true
}

/** Every event type. The compiler refuses others, and docs/events.md is generated from this table. */
export const eventTypes = {
  'user.account.reset_password': {
    when: 'A recovery begins, ends with a new password, or ends without one.',
    outcomes: [
      'CHALLENGE: an account was named, a proof is required',
      'SUCCESS: the new password is set',
      'FAILURE: too many wrong answers',
      'DENY: the status, the policy or the app does not allow it',
      'SKIPPED: the visitor cancelled',
    ],
  },
  'user.account.update_password': {
    when: 'A password is changed outside of a recovery: an expired one at sign-in, or by an administrator.',
    outcomes: ['SUCCESS'],
  },
  'user.authentication.verify': {
    when: 'A code or password is checked.',
    outcomes: ['SUCCESS', 'FAILURE: INVALID_CREDENTIALS; `rule` has the reason'],
  },
  'user.mfa.factor.activate': {
    when: 'An authenticator is enrolled: by the user, an administrator or a program. `authenticator` names it.',
    outcomes: ['SUCCESS'],
  },
  'user.mfa.factor.deactivate': {
    when: 'An authenticator is removed from a user: by the user, an administrator or a program. `authenticator` names it.',
    outcomes: ['SUCCESS'],
  },
  'user.mfa.factor.update': {
    when: 'An administrator has an authenticator of a user count at once, which its user added and which would have begun no recovery for a while yet.',
    outcomes: ['SUCCESS'],
  },
  'user.mfa.factor.reset_all': {
    when: 'An administrator resets the factors of a user; each one that was removed is recorded besides.',
    outcomes: ['SUCCESS'],
  },
  'user.session.start': {
    when: 'A sign-in completes, or ends without one.',
    outcomes: ['SUCCESS', 'FAILURE: too many wrong answers', 'SKIPPED: the visitor cancelled'],
  },
  'app.oauth2.as.consent.grant': {
    when: 'A user allows an app what it asked for. `scopes` names it.',
    outcomes: ['SUCCESS'],
  },
  'app.oauth2.as.consent.revoke': {
    when: 'An administrator takes a consent of a user back. `scopes` names it.',
    outcomes: ['SUCCESS'],
  },
  'oauth2.scope.updated': {
    when: 'What a scope of the authorization server is called, or whether it asks for consent, is changed.',
    outcomes: ['SUCCESS'],
  },
  'user.session.end': { when: 'A user signs out at the logout endpoint.', outcomes: ['SUCCESS'] },
  'user.session.clear': {
    when: 'Sessions of a user are revoked: by a new password, or by an administrator.',
    outcomes: ['SUCCESS; `sessions` has their number'],
  },
  'policy.evaluate_sign_on': {
    when: 'A user was authenticated and may not sign in.',
    outcomes: ['DENY; `rule` names the status or the policy'],
  },
  'app.generic.unauth_app_access_attempt': {
    when: 'A user was authenticated and is not assigned to the app.',
    outcomes: ['FAILURE'],
  },
  'system.email.password_reset.sent_message': {
    when: 'A recovery mail is queued. Also recorded, without a mail, for an unknown user and for one who may not recover.',
    outcomes: ['SUCCESS'],
  },
  'system.email.send_factor_verify_message': {
    when: 'A sign-in code is queued.',
    outcomes: ['SUCCESS'],
  },
  'system.email.account_unlock.sent_message': {
    when: 'A mail to unlock an account is queued. Also recorded, without a mail, for an unknown user and for one who is not locked out.',
    outcomes: ['SUCCESS'],
  },
  'system.email.account_unlocked.sent_message': {
    when: 'The notice that an account was unlocked by its user is queued.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.email.self_service_registration.sent_message': {
    when: 'The code of a sign-up is queued or, in its place, the notice to a user who has an account already. `template` says which.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.email.welcome.sent_message': {
    when: 'The mail to a new user whose sign-up has ended is queued.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.email.new_user.sent_message': {
    when: 'An activation mail is queued.',
    outcomes: ['SUCCESS'],
  },
  'system.email.password_changed.sent_message': {
    when: 'The notice of a changed password is queued.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.email.password_expired.sent_message': {
    when: 'The notice of a password that was expired or invalidated is queued.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.email.email_changed.sent_message': {
    when: 'A notice of a changed email is queued: one to the former address, one to the new one.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.email.login_changed.sent_message': {
    when: 'The notice of a changed login is queued.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.email.mfa_enroll_notification.sent_message': {
    when: 'The notice of an authenticator that was set up is queued.',
    outcomes: ['SUCCESS'],
  },
  'system.email.mfa_reset_notification.sent_message': {
    when: 'The notice of an authenticator that was removed is queued.',
    outcomes: ['SUCCESS'],
  },
  'system.email.change_pending.sent_message': {
    when: 'The code for a new address that a user wants is queued.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.email.account_change_waiting.sent_message': {
    when: 'The notice of a change that waits, with the link that stops it, is queued.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'user.account.change': {
    when: 'A change that a user has asked for waits, since no factor from before was proven, or was stopped. `kind` says which.',
    outcomes: ['CHALLENGE: it waits', 'DENY: it was stopped, by the link of its notice or an administrator'],
    ours: true,
  },
  'system.email.delivery': {
    when: 'The delivery of a mail has ended.',
    outcomes: [
      'SUCCESS: the mail server accepted it',
      'FAILURE: DEAD (it can never be delivered; `suppressedUntil` where the address gets no mail until then) or EXPIRED (it expired before)',
      'SKIPPED: NOBODY (there was no recipient)',
    ],
  },
  'system.email.bounce.removal': {
    when: 'An administrator lets mails go to an address again that the mail server had refused for good.',
    outcomes: ['SUCCESS'],
  },
  'system.sms.send_phone_verification_message': {
    when: 'A text with the code that confirms a phone is queued.',
    outcomes: ['SUCCESS'],
  },
  'system.sms.send_factor_verify_message': {
    when: 'A text with a sign-in code is queued.',
    outcomes: ['SUCCESS'],
  },
  'system.sms.send_password_reset_message': {
    when: 'A text with a recovery code is queued. Also recorded, without a text, for an unknown user and for one without a phone.',
    outcomes: ['SUCCESS'],
  },
  'system.sms.send_account_unlock_message': {
    when: 'A text with a code that unlocks an account is queued, or would be.',
    outcomes: ['SUCCESS'],
  },
  'system.sms.receive_status': {
    when: 'The delivery of a text has ended.',
    outcomes: [
      'SUCCESS: the telephony service accepted it',
      'FAILURE: DEAD (it can never be delivered) or EXPIRED (its code ended before)',
      'SKIPPED: NOBODY (there was no number)',
    ],
  },
  'system.voice.send_phone_verification_call': {
    when: 'A call with the code that confirms a phone is queued.',
    outcomes: ['SUCCESS'],
  },
  'system.voice.send_mfa_challenge_call': {
    when: 'A call with a sign-in code is queued.',
    outcomes: ['SUCCESS'],
  },
  'system.voice.send_password_reset_call': {
    when: 'A call with a recovery code is queued. Also recorded, without a call, for an unknown user and for one without a phone.',
    outcomes: ['SUCCESS'],
  },
  'system.voice.send_account_unlock_call': {
    when: 'A call with a code that unlocks an account is queued, or would be.',
    outcomes: ['SUCCESS'],
  },
  'system.voice.receive_status': {
    when: 'The delivery of a call has ended.',
    outcomes: [
      'SUCCESS: the telephony service accepted it',
      'FAILURE: DEAD (it can never be delivered) or EXPIRED (its code ended before)',
      'SKIPPED: NOBODY (there was no number)',
    ],
  },
  'system.operation.rate_limit.violation': {
    when: 'A budget that a caller can observe is spent; once per window, budget and subject.',
    outcomes: ['DENY; `rule` names the budget'],
  },
  'security.attack.start': {
    when: 'The wrong answers of all addresses together exceed `limits.sprayEverywhere`; once per window.',
    outcomes: ['DENY'],
  },
  'user.lifecycle.create': {
    when: 'A user is created, by an administrator or by a sign-up; or a sign-up ended without one.',
    outcomes: [
      'SUCCESS',
      'FAILURE: TOO_MANY_ATTEMPTS (a sign-up with too many wrong codes)',
      'SKIPPED: CANCELLED (a sign-up was cancelled)',
      'DENY: ACCESS_DENIED (a policy or the app refused a sign-up, or another user took the name first; `rule` says which)',
    ],
  },
  'user.lifecycle.activate': { when: 'A user becomes ACTIVE for the first time.', outcomes: ['SUCCESS'] },
  'user.lifecycle.reactivate': {
    when: 'A deactivated user is reactivated.',
    outcomes: ['SUCCESS'],
  },
  'user.lifecycle.suspend': { when: 'A user is suspended.', outcomes: ['SUCCESS'] },
  'user.lifecycle.unsuspend': { when: 'A user is unsuspended.', outcomes: ['SUCCESS'] },
  'user.lifecycle.deactivate': { when: 'A user is deactivated.', outcomes: ['SUCCESS'] },
  'user.lifecycle.delete.completed': { when: 'A user is deleted.', outcomes: ['SUCCESS'] },
  'user.lifecycle.erase.completed': {
    when: 'A user is erased; the target is the pseudonym that stands in the log from now on, `events` the number of events changed.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'user.account.lock': {
    when: 'An account is locked: by an administrator, or by too many wrong passwords in a row.',
    outcomes: ['SUCCESS', 'SKIPPED: too many, for an unknown user or one who may not sign in'],
  },
  'user.account.unlock': {
    when: 'A locked account is unlocked, by an administrator, or by its user, who began it with a name.',
    outcomes: [
      'SUCCESS',
      'CHALLENGE: begun by a user, known or not',
      'FAILURE',
      'DENY: the status or the policy of the user',
      'SKIPPED: cancelled',
    ],
  },
  'user.account.expire_password': { when: 'A password is set to expired.', outcomes: ['SUCCESS'] },
  'user.account.update_profile': { when: 'A profile is changed.', outcomes: ['SUCCESS'] },
  'user.account.update_primary_email': { when: 'A primary email is changed.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.grant.access_token': { when: 'An access token is granted.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.grant.id_token': { when: 'An ID token is granted.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.grant.refresh_token': { when: 'A refresh token is granted.', outcomes: ['SUCCESS'] },
  'app.oauth2.logout_token.delivery': {
    when: 'The delivery of a logout token to an app has ended: the app has ended its session, or has not been reached in a day.',
    outcomes: ['SUCCESS', 'FAILURE'],
  },
  'app.oauth2.token.revoke': { when: 'A token is revoked by its client.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.detect_reuse': {
    when: 'A code or refresh token is used twice; the tokens issued for it are revoked.',
    outcomes: ['FAILURE'],
  },
  'app.oauth2.as.key.rollover': {
    when: 'A new signing key is published; `signsFrom` has the time when it begins to sign.',
    outcomes: ['SUCCESS'],
  },
  'app.oauth2.as.key.revoke': {
    when: 'A signing key is revoked: it is published no more, and its tokens are refused.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'security.authenticator.lifecycle.activate': {
    when: 'An authenticator is activated.',
    outcomes: ['SUCCESS'],
  },
  'security.authenticator.lifecycle.deactivate': {
    when: 'An authenticator is deactivated.',
    outcomes: ['SUCCESS'],
  },
  'security.authenticator.lifecycle.update': {
    when: 'The settings of an authenticator are changed.',
    outcomes: ['SUCCESS'],
  },
  'directory.user_profile.update': {
    when: 'The user schema is changed: the attributes that profiles may have.',
    outcomes: ['SUCCESS'],
  },
  'group.lifecycle.create': { when: 'A group is created.', outcomes: ['SUCCESS'] },
  'group.profile.update': { when: 'A group is changed.', outcomes: ['SUCCESS'] },
  'group.lifecycle.delete': { when: 'A group is deleted.', outcomes: ['SUCCESS'] },
  'group.user_membership.add': { when: 'A user is added to a group.', outcomes: ['SUCCESS'] },
  'group.user_membership.remove': { when: 'A user is removed from a group.', outcomes: ['SUCCESS'] },
  'application.lifecycle.create': { when: 'An app is registered.', outcomes: ['SUCCESS'] },
  'application.lifecycle.update': {
    when: 'An app, or an assignment to it, is changed.',
    outcomes: ['SUCCESS'],
  },
  'application.lifecycle.activate': { when: 'An app is activated.', outcomes: ['SUCCESS'] },
  'application.lifecycle.deactivate': { when: 'An app is deactivated.', outcomes: ['SUCCESS'] },
  'application.lifecycle.delete': { when: 'An app is deleted.', outcomes: ['SUCCESS'] },
  'policy.lifecycle.create': { when: 'A policy or a rule is created.', outcomes: ['SUCCESS'] },
  'policy.lifecycle.update': {
    when: 'A policy or a rule is changed, activated or deactivated.',
    outcomes: ['SUCCESS'],
  },
  'policy.lifecycle.delete': { when: 'A policy or a rule is deleted.', outcomes: ['SUCCESS'] },
  'security.trusted_origin.update': {
    when: 'A trusted origin is created, changed or deleted.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.brand.update': {
    when: 'The look of the pages, or their logo, is changed over the management API.',
    outcomes: ['SUCCESS'],
  },
  'system.api_token.create': { when: 'An API token is created.', outcomes: ['SUCCESS'] },
  'system.api_token.revoke': { when: 'An API token is revoked.', outcomes: ['SUCCESS'] },
} as const satisfies Readonly<Record<string, Entry>>

export type EventType = keyof typeof eventTypes
