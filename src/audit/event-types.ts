interface Entry {
  /** When it is recorded, as one sentence of docs/events.md. */
  readonly when: string
  /** Its results, each with what it means where that is not plain. */
  readonly outcomes: readonly string[]
  /** Whether Okta's catalogue has it; ours continue its patterns. */
  readonly ours?: true
}

/**
 * Every type of event there is. A type that does not stand here does not compile, and docs/events.md is made from this.
 */
export const eventTypes = {
  'user.account.reset_password': {
    when: 'A recovery begins, ends with a new password, or ends without one.',
    outcomes: [
      'CHALLENGE: somebody was named, a proof is asked for',
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
    when: 'A code or password is judged.',
    outcomes: ['SUCCESS', 'FAILURE: INVALID_CREDENTIALS; `rule` names why'],
  },
  'user.session.start': {
    when: 'A sign-in completes, or ends without one.',
    outcomes: ['SUCCESS', 'FAILURE: too many wrong answers', 'SKIPPED: the visitor cancelled'],
  },
  'user.session.end': { when: 'A person signs out at the logout endpoint.', outcomes: ['SUCCESS'] },
  'user.session.clear': {
    when: 'Sessions of a person are revoked: by a new password, or by an administrator.',
    outcomes: ['SUCCESS; `sessions` tells how many'],
  },
  'policy.evaluate_sign_on': {
    when: 'A person has proven who she is and may not sign in.',
    outcomes: ['DENY; `rule` names the status or the policy'],
  },
  'app.generic.unauth_app_access_attempt': {
    when: 'A person has proven who she is and is not assigned to the app.',
    outcomes: ['FAILURE'],
  },
  'system.email.password_reset.sent_message': {
    when: 'A recovery mail is queued. To nobody as well, where nobody may get one.',
    outcomes: ['SUCCESS'],
  },
  'system.email.send_factor_verify_message': {
    when: 'A sign-in code is queued.',
    outcomes: ['SUCCESS'],
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
  'system.email.delivery': {
    when: 'A mail has come to its end.',
    outcomes: [
      'SUCCESS: the mail server has it',
      'FAILURE: DEAD (it can never be delivered) or EXPIRED (its time was over first)',
      'SKIPPED: NOBODY (there was no recipient)',
    ],
  },
  'system.operation.rate_limit.violation': {
    when: 'A budget that visitors can see is spent; once a window of each budget and subject.',
    outcomes: ['DENY; `rule` names the budget'],
  },
  'security.attack.start': {
    when: 'The wrong answers of all addresses together exceed `limits.sprayEverywhere`; once a window.',
    outcomes: ['DENY'],
  },
  'user.lifecycle.create': { when: 'A person is created.', outcomes: ['SUCCESS'] },
  'user.lifecycle.activate': { when: 'A person becomes ACTIVE for the first time.', outcomes: ['SUCCESS'] },
  'user.lifecycle.reactivate': {
    when: 'A deactivated person is taken back.',
    outcomes: ['SUCCESS'],
  },
  'user.lifecycle.suspend': { when: 'A person is suspended.', outcomes: ['SUCCESS'] },
  'user.lifecycle.unsuspend': { when: 'A suspension ends.', outcomes: ['SUCCESS'] },
  'user.lifecycle.deactivate': { when: 'A person is deactivated.', outcomes: ['SUCCESS'] },
  'user.lifecycle.delete.completed': { when: 'A person is removed.', outcomes: ['SUCCESS'] },
  'user.account.lock': {
    when: 'An account is locked: by an administrator, or by too many wrong passwords in a row.',
    outcomes: ['SUCCESS', 'SKIPPED: too many, about nobody or somebody who may not sign in'],
  },
  'user.account.unlock': { when: 'A locked account is opened again.', outcomes: ['SUCCESS'] },
  'user.account.expire_password': { when: 'A password is declared expired.', outcomes: ['SUCCESS'] },
  'user.account.update_profile': { when: 'A profile is changed.', outcomes: ['SUCCESS'] },
  'user.account.update_primary_email': { when: 'A primary email is changed.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.grant.access_token': { when: 'An access token is granted.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.grant.id_token': { when: 'An ID token is granted.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.grant.refresh_token': { when: 'A refresh token is granted.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.revoke': { when: 'A token is revoked by its client.', outcomes: ['SUCCESS'] },
  'app.oauth2.token.detect_reuse': {
    when: 'A code or refresh token is used twice; what came of it ends.',
    outcomes: ['FAILURE'],
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
    when: 'The user schema is changed: which attributes profiles may have.',
    outcomes: ['SUCCESS'],
  },
  'group.lifecycle.create': { when: 'A group is created.', outcomes: ['SUCCESS'] },
  'group.profile.update': { when: 'A group is changed.', outcomes: ['SUCCESS'] },
  'group.lifecycle.delete': { when: 'A group is removed.', outcomes: ['SUCCESS'] },
  'group.user_membership.add': { when: 'A person is taken into a group.', outcomes: ['SUCCESS'] },
  'group.user_membership.remove': { when: 'A person is taken out of a group.', outcomes: ['SUCCESS'] },
  'application.lifecycle.create': { when: 'An app is registered.', outcomes: ['SUCCESS'] },
  'application.lifecycle.update': {
    when: 'An app, or who is assigned to it, is changed.',
    outcomes: ['SUCCESS'],
  },
  'application.lifecycle.activate': { when: 'An app is activated.', outcomes: ['SUCCESS'] },
  'application.lifecycle.deactivate': { when: 'An app is deactivated.', outcomes: ['SUCCESS'] },
  'application.lifecycle.delete': { when: 'An app is removed.', outcomes: ['SUCCESS'] },
  'policy.lifecycle.create': { when: 'A policy or a rule is created.', outcomes: ['SUCCESS'] },
  'policy.lifecycle.update': {
    when: 'A policy or a rule is changed, activated or deactivated.',
    outcomes: ['SUCCESS'],
  },
  'policy.lifecycle.delete': { when: 'A policy or a rule is removed.', outcomes: ['SUCCESS'] },
  'security.trusted_origin.update': {
    when: 'A trusted origin is created, changed or removed.',
    outcomes: ['SUCCESS'],
    ours: true,
  },
  'system.api_token.create': { when: 'An API token is made.', outcomes: ['SUCCESS'] },
  'system.api_token.revoke': { when: 'An API token is revoked.', outcomes: ['SUCCESS'] },
} as const satisfies Readonly<Record<string, Entry>>

export type EventType = keyof typeof eventTypes
