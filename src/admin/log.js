// @ts-check
/** The system log, and the events of a user. */
import { el, timeOf } from '../ui/dom.js'
import { request } from './api.js'
import { blank, chip, code, facts, pagedList, searchField } from './parts.js'

/** @typedef {import('./api.js').Json} Json */

/**
 * What has happened, by the type of the event: one wording for all of them, whichever part of the engine recorded it. The
 * test of the admin page compares the names with those of the engine.
 * @type {Readonly<Record<string, string>>}
 */
const labels = {
  'user.account.reset_password': 'Password recovery',
  'user.account.update_password': 'Password changed',
  'user.authentication.verify': 'Answer checked',
  'user.mfa.factor.activate': 'Authenticator enrolled',
  'user.mfa.factor.deactivate': 'Authenticator removed',
  'user.mfa.factor.update': 'Authenticator counts at once',
  'user.mfa.factor.reset_all': 'Factors reset',
  'user.session.start': 'Sign-in',
  'user.session.end': 'Signed out',
  'user.session.clear': 'Sessions ended',
  'policy.evaluate_sign_on': 'Sign-in refused by policy',
  'app.generic.unauth_app_access_attempt': 'Sign-in to an app without assignment',
  'system.email.password_reset.sent_message': 'Recovery email queued',
  'system.email.send_factor_verify_message': 'Sign-in code queued',
  'system.email.self_service_registration.sent_message': 'Sign-up email queued',
  'system.email.welcome.sent_message': 'Welcome email queued',
  'system.email.new_user.sent_message': 'Activation email queued',
  'system.email.password_changed.sent_message': 'Notice of a changed password queued',
  'system.email.password_expired.sent_message': 'Notice of an expired password queued',
  'system.email.email_changed.sent_message': 'Notice of a changed email queued',
  'system.email.login_changed.sent_message': 'Notice of a changed username queued',
  'system.email.mfa_enroll_notification.sent_message': 'Notice of a new authenticator queued',
  'system.email.mfa_reset_notification.sent_message': 'Notice of a removed authenticator queued',
  'system.email.change_pending.sent_message': 'Code for a new address queued',
  'system.email.account_change_waiting.sent_message': 'Notice of a change that waits queued',
  'system.email.account_unlock.sent_message': 'Email to unlock an account queued',
  'system.email.account_unlocked.sent_message': 'Notice of an unlocked account queued',
  'system.sms.send_phone_verification_message': 'Text to confirm a phone queued',
  'system.sms.send_factor_verify_message': 'Sign-in code by text queued',
  'system.sms.send_password_reset_message': 'Recovery text queued',
  'system.sms.send_account_unlock_message': 'Text to unlock an account queued',
  'system.sms.receive_status': 'Text delivery',
  'system.voice.send_phone_verification_call': 'Call to confirm a phone queued',
  'system.voice.send_mfa_challenge_call': 'Sign-in code by call queued',
  'system.voice.send_password_reset_call': 'Recovery call queued',
  'system.voice.send_account_unlock_call': 'Call to unlock an account queued',
  'system.voice.receive_status': 'Call delivery',
  'system.email.delivery': 'Email delivery',
  'system.email.bounce.removal': 'Email address allowed again',
  'system.operation.rate_limit.violation': 'Rate limit reached',
  'security.attack.start': 'Attack detected: too many wrong answers',
  'user.lifecycle.create': 'User created',
  'user.lifecycle.activate': 'User activated',
  'user.lifecycle.reactivate': 'User reactivated',
  'user.lifecycle.suspend': 'User suspended',
  'user.lifecycle.unsuspend': 'Suspension ended',
  'user.lifecycle.deactivate': 'User deactivated',
  'user.lifecycle.delete.completed': 'User deleted',
  'user.lifecycle.erase.completed': 'User erased',
  'user.account.lock': 'Account locked',
  'user.account.unlock': 'Account unlocked',
  'user.account.change': 'Own change waits',
  'user.account.expire_password': 'Password expired',
  'user.account.update_profile': 'Profile changed',
  'user.account.update_primary_email': 'Primary email changed',
  'app.oauth2.token.grant.access_token': 'Access token granted',
  'app.oauth2.token.grant.id_token': 'ID token granted',
  'app.oauth2.token.grant.refresh_token': 'Refresh token granted',
  'app.oauth2.as.consent.grant': 'Consent given',
  'app.oauth2.as.consent.revoke': 'Consent taken back',
  'oauth2.scope.updated': 'Scope changed',
  'app.oauth2.logout_token.delivery': 'Logout token delivered',
  'app.oauth2.token.revoke': 'Token revoked',
  'app.oauth2.token.detect_reuse': 'Code or token used twice',
  'app.oauth2.as.key.rollover': 'Signing key created',
  'app.oauth2.as.key.revoke': 'Signing key revoked',
  'security.authenticator.lifecycle.activate': 'Authenticator activated',
  'security.authenticator.lifecycle.deactivate': 'Authenticator deactivated',
  'security.authenticator.lifecycle.update': 'Authenticator changed',
  'directory.user_profile.update': 'User schema changed',
  'group.lifecycle.create': 'Group created',
  'group.profile.update': 'Group changed',
  'group.lifecycle.delete': 'Group deleted',
  'group.user_membership.add': 'User added to group',
  'group.user_membership.remove': 'User removed from group',
  'application.lifecycle.create': 'App registered',
  'application.lifecycle.update': 'App changed',
  'application.lifecycle.activate': 'App activated',
  'application.lifecycle.deactivate': 'App deactivated',
  'application.lifecycle.delete': 'App deleted',
  'policy.lifecycle.create': 'Policy created',
  'policy.lifecycle.update': 'Policy changed',
  'policy.lifecycle.delete': 'Policy deleted',
  'security.trusted_origin.update': 'Trusted origin changed',
  'system.brand.update': 'Look of the pages changed',
  'system.api_token.create': 'API token created',
  'system.api_token.revoke': 'API token revoked',
}

/** A recovery has several events of one type. @type {Readonly<Record<string, string>>} */
const recoveryEnds = { CHALLENGE: 'started', SUCCESS: 'completed', SKIPPED: 'cancelled' }

/** @param {Json} event */
const labelOf = ({ eventType, displayMessage, outcome, actor }) => {
  const label = labels[eventType] ?? (displayMessage || eventType)
  if (eventType !== 'user.account.reset_password') return label
  return actor?.type === 'User' ? `${label} ${recoveryEnds[outcome?.result] ?? 'ended'}` : 'Password reset'
}

/** Actors and targets that are no users, in words. @type {Readonly<Record<string, string>>} */
const wellKnown = {
  system: 'the engine',
  cli: 'the command line',
  configured: 'the API token of the configuration',
  unknown: 'an unknown user',
}
/** @type {Readonly<Record<string, string>>} */
const kinds = {
  ApiToken: 'API token',
  PublicClientApp: 'app',
  AppInstance: 'app',
  User: 'user',
  UserGroup: 'group',
  SystemPrincipal: 'engine',
}

/**
 * A party by its name; by its id where it has none.
 * @param {Json} party
 * @returns {string}
 */
function partyOf(party) {
  if (!party) return ''
  const name = party.alternateId || party.displayName
  if (/^typed:/.test(name ?? '')) return 'a name that is not an address'
  if (name) return party.type === 'ApiToken' ? (wellKnown[name] ?? `API token ${name}`) : name
  return wellKnown[party.id] ?? party.id ?? ''
}

/** @param {Json} party */
const partyWithKind = (party) =>
  [partyOf(party), kinds[party?.type] ?? party?.type].filter(Boolean).join(' · ')

/** @param {Json} event */
export function eventItem(event) {
  const { outcome, client, debugContext, target, actor } = event
  /** @type {readonly (readonly [string, import('../ui/dom.js').Children])[]} */
  const more = [
    ['By', partyWithKind(actor)],
    ['Concerns', (target ?? []).map(partyWithKind).join(', ')],
    ['Message', event.displayMessage],
    ['Reason', outcome?.reason],
    ['Address', client?.ipAddress],
    ['Browser', client?.userAgent?.rawUserAgent],
    ...Object.entries(debugContext?.debugData ?? {}).map(
      ([name, value]) => /** @type {const} */ ([name, String(value)]),
    ),
    ['Type', code(event.eventType)],
    ['Id', code(event.uuid)],
  ]
  // A party that has only an id says nothing to a reader: it is in the details.
  const [named] = (target ?? []).filter(
    (/** @type {Json} */ one) => one.id !== actor?.id && (one.alternateId || one.displayName),
  )
  const concerned = named && `${named.type === 'AppInstance' ? ' in' : ':'} ${partyOf(named)}`
  return el(
    'li',
    {},
    el(
      'details',
      { class: 'event' },
      el(
        'summary',
        {},
        el('span', { class: 'event-what' }, labelOf(event), concerned),
        chip(outcome?.result ?? 'UNKNOWN'),
        el('span', { class: 'event-who' }, `by ${partyOf(actor) || 'unknown'}`),
        timeOf(event.published),
      ),
      facts(more),
    ),
  )
}

/**
 * @param {import('./admin.js').Place} place
 * @param {import('./admin.js').Context} context
 */
export async function log({ query }, context) {
  const words = query.get('q') ?? ''
  const list = el('ol', { class: 'events' })
  const page = await request(
    'GET',
    `/logs?sortOrder=DESCENDING&limit=50${words ? `&q=${encodeURIComponent(words)}` : ''}`,
    { signal: context.signal },
  )
  const search = el('input', {
    type: 'search',
    id: 'search',
    value: words,
    placeholder: 'Search events',
    'aria-label': 'Search the events of the last seven days',
    maxlength: '100',
    autocomplete: 'off',
    onkeydown: (event) => {
      if (event.key !== 'Enter' || !(search instanceof HTMLInputElement)) return
      const typed = search.value.trim()
      location.hash = typed ? `#/log?q=${encodeURIComponent(typed)}` : '#/log'
    },
  })
  return el(
    'section',
    { class: 'page', 'aria-label': 'Log' },
    el('h2', {}, 'System log'),
    el('p', { class: 'quiet' }, 'Events of the last seven days, newest first.'),
    searchField(search),
    page.value.length === 0 ? blank('No events found.') : pagedList(list, eventItem, page, context),
  )
}
