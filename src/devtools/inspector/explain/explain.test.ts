import { expect, test } from 'vitest'
import type { LogEvent } from '../../../audit/index.ts'
import { isoTime } from '../../../base/index.ts'
import type { Timeline } from '../../../flow/index.ts'
import type { FlowFacts, StrayFacts } from '../facts.ts'
import type { Recorded } from '../recorder.ts'
import { type Cause, explain, explainStray, plain } from './index.ts'

// Facts as an engine records them, of a recovery that began at noon; times are minutes after it. That the facts are real
// is shown by test/journeys/inspector.test.ts, over an engine.
const noon = Date.parse('2030-01-01T12:00:00Z')
const minute = 60_000
const iso = (minutes: number): string => isoTime(noon + minutes * minute)

const event = (
  eventType: LogEvent['eventType'],
  minutes: number,
  debugData: Readonly<Record<string, string>>,
  outcome: LogEvent['outcome'] = { result: 'SUCCESS' },
): LogEvent => ({
  uuid: 'evt1',
  eventType,
  displayMessage: '',
  published: iso(minutes),
  version: '0',
  severity: 'INFO',
  outcome,
  actor: { id: '00u1', type: 'User' },
  client: { ipAddress: '127.0.0.1', userAgent: null, id: 'rekey-web' },
  transaction: { type: 'WEB', id: 'trs1' },
  debugContext: { debugData },
})

/** A mail that was queued at a minute. */
const queued = (minutes: number, more: Readonly<Record<string, string>> = {}, id = 'mail1') =>
  event('system.email.password_reset.sent_message', minutes, {
    mail: id,
    template: 'ForgotPassword',
    ...more,
  })
/** A text or call that was queued at the first minute. */
const text = (channel: 'sms' | 'voice', more: Readonly<Record<string, string>> = {}) =>
  event(
    channel === 'sms' ? 'system.sms.send_factor_verify_message' : 'system.voice.send_mfa_challenge_call',
    1,
    { mail: 'text1', template: 'PhoneSignIn', ...more },
  )
const toNobody = queued(1, { recipient: 'nobody' })
/** A mail's end. */
const delivered = (reason: string, more: Readonly<Record<string, string>> = {}) =>
  event('system.email.delivery', 1, { mail: 'mail1', ...more }, { result: 'FAILURE', reason })
/** A wrong answer, by the rule that refused it. */
const wrong = (rule: string) =>
  event(
    'user.authentication.verify',
    2,
    { rule, 'guesses-per-transaction': '1 of 5' },
    { result: 'FAILURE', reason: 'INVALID_CREDENTIALS' },
  )

let exchanges = 0
const exchange = (minutes: number, more: Partial<Recorded>): Recorded => ({
  id: `exc${exchanges++}`,
  times: 1,
  at: noon + minutes * minute,
  durationMs: 1,
  endpoint: 'idx',
  method: 'POST',
  path: '/idp/idx/challenge/answer',
  status: 200,
  sent: {},
  offered: [],
  messages: [],
  ...more,
})
/** An answer to the challenge that was refused with a message. */
const refused = (key: string, more: Partial<Recorded> = {}) =>
  exchange(2, {
    status: 401,
    messages: [key],
    step: 'challenge-authenticator',
    stageBefore: 'verify',
    stageAfter: 'verify',
    ...more,
  })
const passcodeInvalid = refused('api.authn.error.PASSCODE_INVALID')
const selected = exchange(1, {
  path: '/idp/idx/challenge',
  step: 'select-authenticator-authenticate',
  stageBefore: 'select',
  stageAfter: 'verify',
})
const accepted = exchange(2, {
  step: 'challenge-authenticator',
  stageBefore: 'verify',
  stageAfter: 'reset',
})
const granted = exchange(3, {
  step: 'reset-authenticator',
  stageBefore: 'reset',
  stageAfter: 'closed',
  offered: ['successWithInteractionCode'],
})
const link = (minutes: number, reason: string, more: Partial<Recorded> = {}) =>
  exchange(minutes, { endpoint: 'link', method: 'GET', path: '/email/verify/:id', reason, ...more })
const token = (minutes: number, more: Partial<Recorded> = {}) =>
  exchange(minutes, { endpoint: 'token', path: '/oauth2/:server/v1/token', clientId: 'rekey-web', ...more })
const badCode = (reason: string, more: Partial<Recorded> = {}) =>
  token(4, { status: 400, messages: ['invalid_grant'], reason, ...more })

interface Changes extends Partial<Omit<FlowFacts, 'timeline' | 'now'>> {
  readonly timeline?: Partial<Timeline>
  /** The minute at which the explanation is asked for. */
  readonly now?: number
}

/** A recovery that waits for the mailed code, with changes. */
function factsWith({ timeline = {}, now = 3, ...more }: Changes): FlowFacts {
  return {
    timeline: {
      id: 'trs1',
      clientId: 'rekey-web',
      personId: '00u1',
      intent: 'recovery',
      identifier: 'mary@example.com',
      proofs: [],
      misses: 0,
      closed: null,
      createdAt: iso(0),
      updatedAt: iso(1),
      expiresAt: iso(30),
      ended: undefined,
      steps: [],
      waiting: [],
      events: [queued(1), delivered('SUCCESS')],
      ...timeline,
    },
    exchanges: [selected],
    moves: [],
    personStatus: 'ACTIVE',
    codeLifetimeMs: 5 * minute,
    now: noon + now * minute,
    ...more,
  }
}

const at = (minutes: number, exchange: Recorded): Recorded => ({ ...exchange, at: noon + minutes * minute })
const last = (...later: readonly Recorded[]): Changes => ({ exchanges: [selected, ...later] })
const logged = (exchange: Recorded, ...events: readonly LogEvent[]): Changes => ({
  ...last(exchange),
  timeline: { events: [queued(1), delivered('SUCCESS'), ...events] },
})
const end = (closed: string, rule: string, more: Partial<Timeline> = {}): Changes => ({
  timeline: { closed, ended: { rule, at: iso(3) }, ...more },
})
const unsent = (more: Changes = {}): Changes => ({
  ...more,
  timeline: { events: [toNobody], ...more.timeline },
})
const waiting = { id: 'mail1', template: 'ForgotPassword', attempts: 3, nextAt: 0, error: null }
const stray = (more: Partial<Recorded>, client?: StrayFacts['client']): StrayFacts => ({
  exchange: exchange(1, more),
  client,
})
const webApp = { label: 'Sample Web App', redirects: 'http://localhost:8080/login/callback' }
const interact = { endpoint: 'interact', status: 400, messages: ['invalid_request'] } as const

type Case = readonly [what: string, facts: Changes | StrayFacts, says: string]

/** Every cause, each with its similar cases; a new cause does not compile without one. */
const cases: Readonly<Record<Cause, readonly Case[]>> = {
  'signed-in': [
    [
      'the app has its tokens',
      { ...end('completed', 'completed'), ...last(granted, token(4)) },
      'The password was set and the user signed in; the app got its tokens at 12:04 UTC.',
    ],
    [
      'a sign-up has its tokens',
      { ...end('completed', 'completed', { intent: 'registration' }), ...last(granted, token(4)) },
      'The account was made and its user signed in; the app got its tokens at 12:04 UTC.',
    ],
    [
      'a sign-in, as the log has it after a restart',
      { ...end('completed', 'completed', { intent: 'sign-in' }), exchanges: [] },
      'The user was signed in at 12:03 UTC.',
    ],
  ],
  'password-set': [
    [
      'a recovery that signs no user in',
      end('recovered', 'completed'),
      'The new password was set at 12:03 UTC; the policy requires a separate sign-in with it.',
    ],
  ],
  'account-unlocked': [
    [
      'an unlock',
      end('unlocked', 'completed', { intent: 'unlock' }),
      'The account was unlocked at 12:03 UTC; the user signs in with the same password as before.',
    ],
  ],
  'address-taken': [
    [
      'a sign-up with the address of a user',
      {
        ...last(exchange(1, { stageBefore: 'enroll-profile', stageAfter: 'enroll' })),
        timeline: {
          intent: 'registration',
          personId: null,
          events: [queued(1, { template: 'RegistrationTaken' })],
        },
      },
      'A user has this address already, so at 12:01 UTC a notice without a code was queued for that user: no code is right.',
    ],
  ],
  'person-not-locked': [
    [
      'the account is open',
      { timeline: { intent: 'unlock', events: [toNobody] }, personStatus: 'ACTIVE' },
      'The account is not locked out, so no mail was sent at 12:01 UTC: only a locked account is written to.',
    ],
  ],
  'unlock-off': [
    [
      'another policy offers it',
      last(refused('oie.selfservice.user.unlock.not.allowed', { status: 400, stageAfter: 'identify' })),
      'An unlock was refused at 12:02 UTC, after the right code: the password policy of the user does not allow it, though another one offers it.',
    ],
    [
      'a recovery of a locked account',
      end('denied', 'policy selfServiceUnlock'),
      'The user was authenticated at 12:03 UTC, but the account is locked, and the policy lets no user unlock it alone.',
    ],
  ],
  'code-not-redeemed': [
    [
      'granted, and no token was asked for',
      { ...end('completed', 'completed'), ...last(granted) },
      'The user was signed in at 12:03 UTC, but the app has not redeemed the interaction code.',
    ],
  ],
  waiting: [
    [
      'for the mailed code',
      {},
      'The transaction is waiting for the code or the link that was mailed at 12:01 UTC; both are valid until 12:06 UTC.',
    ],
    [
      'for the code of a sign-up',
      {
        ...last(exchange(1, { stageBefore: 'enroll-profile', stageAfter: 'enroll' })),
        timeline: { intent: 'registration', personId: null },
      },
      'The transaction is waiting for the code or the link that was mailed at 12:01 UTC; both are valid until 12:06 UTC.',
    ],
    [
      'for the mailed code, as the log has it after a restart',
      { exchanges: [] },
      'The transaction is waiting for the code or the link that was mailed at 12:01 UTC; both are valid until 12:06 UTC.',
    ],
    [
      'for the code of a text',
      { timeline: { events: [text('sms')] } },
      'The transaction is waiting for the code of the text of 12:01 UTC; it is valid until 12:06 UTC.',
    ],
    [
      'for a new password',
      last(accepted),
      'The transaction has been waiting for a new password since 12:02 UTC.',
    ],
    [
      'for the choice of what to enrol',
      last(exchange(2, { step: 'identify', stageBefore: 'identify', stageAfter: 'select-enroll' })),
      'The transaction has been waiting for the choice of an authenticator to enrol since 12:02 UTC.',
    ],
    [
      'for the details of what to enrol',
      last(exchange(2, { stageBefore: 'select-enroll', stageAfter: 'enroll-data' })),
      'The transaction has been waiting for the details of the authenticator to enrol since 12:02 UTC.',
    ],
    [
      'for the first code of what is enrolled',
      last(exchange(2, { stageBefore: 'select-enroll', stageAfter: 'enroll' })),
      'The transaction has been waiting for the first code or answer of what is enrolled since 12:02 UTC.',
    ],
    [
      'for the choice of how a code is sent',
      last(exchange(2, { stageBefore: 'select', stageAfter: 'verify-data' })),
      'The transaction has been waiting for the choice of how the code is sent since 12:02 UTC.',
    ],
    [
      'for the code of an app, after that of a mail',
      {
        ...last(accepted, exchange(3, { stageBefore: 'select', stageAfter: 'verify' })),
        timeline: { proofs: ['okta_email'] },
      },
      'The transaction has been waiting for the answer to the challenge since 12:03 UTC.',
    ],
    [
      'for more than a password, as the log has it after a restart',
      { exchanges: [], timeline: { intent: 'sign-in', proofs: ['okta_password'], events: [] } },
      'The transaction has been waiting for the next step since 12:01 UTC.',
    ],
    [
      'for the username, as the log has it after a restart',
      { exchanges: [], timeline: { identifier: null, personId: null, intent: 'sign-in', events: [] } },
      'The transaction has been waiting for the username since 12:01 UTC.',
    ],
  ],
  'code-expired': [
    [
      'entered too late, after the clock was moved',
      {
        ...logged(at(8, passcodeInvalid), wrong('code-expired')),
        moves: [
          { at: noon - minute, byMs: 60 * minute },
          { at: noon + 2 * minute, byMs: 7 * minute },
        ],
      },
      'The code expired at 12:06 UTC, 5 minutes after it was mailed; it was entered at 12:08 UTC. The clock was moved ahead by 7 minutes in between.',
    ],
    [
      'never entered',
      { now: 7 },
      'The code expired at 12:06 UTC, 5 minutes after it was mailed; it was not entered.',
    ],
    [
      'never entered, until the transaction expired',
      { now: 31 },
      'The code expired at 12:06 UTC, 5 minutes after it was mailed; it was not entered. The transaction expired at 12:30 UTC.',
    ],
  ],
  'code-wrong': [
    [
      'of an authenticator app',
      logged(refused('authfactor.challenge.soft_token.invalid_passcode'), wrong('wrong-code')),
      'The code entered at 12:02 UTC is none that the authenticator app of the user shows. It is wrong answer 1 of 5.',
    ],
    [
      'of an authenticator app, a second time',
      logged(refused('authfactor.challenge.soft_token.used_passcode'), wrong('code-used')),
      'The code entered at 12:02 UTC was used before: each code of an authenticator app is good once.',
    ],
    [
      'of a text',
      { ...last(passcodeInvalid), timeline: { events: [text('sms'), wrong('wrong-code')] } },
      'The code entered at 12:02 UTC is not that of the newest text message. It is wrong answer 1 of 5.',
    ],
    [
      'of an app or a mail',
      logged(passcodeInvalid, wrong('wrong-code')),
      'The code entered at 12:02 UTC is not that of the newest mail. It is wrong answer 1 of 5.',
    ],
    [
      'as the log has it after a restart',
      { ...logged(passcodeInvalid, wrong('wrong-code')), exchanges: [] },
      'The code entered at 12:02 UTC is not that of the newest mail. It is wrong answer 1 of 5.',
    ],
  ],
  'recovery-code-wrong': [
    [
      'none of the list',
      logged(refused('recoveryCode.invalid'), wrong('wrong-code')),
      'The recovery code entered at 12:02 UTC is none of those that the user has left: each is good once, and a new set ends the old one. It is wrong answer 1 of 5.',
    ],
  ],
  'answer-wrong': [
    [
      'to the security question',
      logged(refused('errors.E0000087'), wrong('wrong-answer')),
      'The answer entered at 12:02 UTC is not that of the security question. It is wrong answer 1 of 5.',
    ],
  ],
  'question-refused': [
    [
      'too short an answer',
      last(refused('securityQuestion.answer.tooShort.arg', { status: 400 })),
      'What was entered at 12:02 UTC for the security question is refused: the answer is too short.',
    ],
    [
      'a question that cannot be read',
      last(refused('securityQuestion.question.unreadable', { status: 400 })),
      'What was entered at 12:02 UTC for the security question is refused: the question has no letters or numbers that can be read.',
    ],
    [
      'with tags',
      last(refused('tagsNotAllowed', { status: 400 })),
      'The security question or answer of 12:02 UTC has HTML tags.',
    ],
  ],
  'number-refused': [
    [
      'that is none',
      last(refused('api.factors.error.sms.invalid_phone', { status: 400 })),
      'The phone number entered at 12:02 UTC is none, or takes no texts: a number behind an extension takes calls only.',
    ],
    [
      'of another country',
      last(refused('phone.number.notServed', { status: 400 })),
      'The phone number entered at 12:02 UTC is not served: its country is not among those of telephony.countries, it is of premium rate or the like, or the phone was removed.',
    ],
  ],
  'texts-spent': [
    [
      'to a number',
      logged(
        refused('errors.E0000150', { status: 429 }),
        event('system.operation.rate_limit.violation', 2, { rule: 'texts-per-number' }),
      ),
      'Too many texts and calls were requested to this number: no text was sent at 12:02 UTC.',
    ],
    [
      'as the log does not say which',
      last(refused('errors.E0000151', { status: 429 })),
      'Too many texts and calls were requested for this user, number, range of numbers or country: no call was sent at 12:02 UTC.',
    ],
    [
      'before a proof',
      { timeline: { events: [text('sms', { recipient: 'nobody' })] } },
      'No text was sent at 12:01 UTC: the user has no phone that may be used here, or added it less than account.waitingTime ago, or a limit of texts is spent.',
    ],
  ],
  'text-too-soon': [
    [
      'a text',
      last(refused('errors.E0000109', { status: 429 })),
      'Another text was asked for at 12:02 UTC, less than 30 seconds after the last one to the same phone: none was sent.',
    ],
    [
      'a call',
      last(refused('errors.E0000133', { status: 429 })),
      'Another call was asked for at 12:02 UTC, less than 30 seconds after the last one to the same phone: none was sent.',
    ],
  ],
  'text-undelivered': [
    [
      'refused by the service',
      {
        timeline: {
          events: [
            text('sms'),
            event(
              'system.sms.receive_status',
              1,
              { mail: 'text1', error: 'no such number' },
              { result: 'FAILURE', reason: 'DEAD' },
            ),
          ],
        },
      },
      'The text queued at 12:01 UTC was refused permanently after 0 attempts (no such number).',
    ],
    [
      'while the service does not answer',
      {
        timeline: {
          events: [text('voice')],
          waiting: [{ ...waiting, id: 'text1', error: 'no connection' }],
        },
      },
      'The call queued at 12:01 UTC is in the outbox: the service did not take it after 3 attempts (no connection).',
    ],
  ],
  'authenticator-unusable': [
    [
      'Okta Verify',
      last(refused('oktaVerify.notSent', { status: 400 })),
      'Okta Verify was chosen at 12:02 UTC: it works with Okta alone, so no link was sent.',
    ],
  ],
  'access-denied': [
    [
      'by a rule',
      end('denied', 'policy signOn.access'),
      'The user was authenticated at 12:03 UTC, but a rule of the policies denies access.',
    ],
    [
      'as the answer says',
      last(refused('security.access_denied', { status: 403 })),
      'Access was denied at 12:02 UTC, after the proof: by the status of the user, or by a rule of the policies.',
    ],
  ],
  'passkey-refused': [
    [
      'of a page that is not the app',
      logged(refused('authfactor.webauthn.error.assertion_validation_failure'), wrong('passkey-origin')),
      'The passkey of 12:02 UTC comes from a page that may not use passkeys of this installation.',
    ],
    [
      'that does not fit',
      logged(refused('authfactor.webauthn.error.attestation_validation_failure'), wrong('wrong-attestation')),
      'The passkey of 12:02 UTC does not fit: another challenge, another domain (webauthn.rpId), a counter that did not rise, no user verification where it is required, or the key of another user.',
    ],
  ],
  'link-used': [
    [
      'after its code',
      { ...last(accepted, link(3, 'dead')), timeline: { proofs: ['okta_email'] } },
      'The link that was opened at 12:03 UTC was used before: its code was accepted at 12:02 UTC.',
    ],
    [
      'of a transaction that is closed',
      { ...end('cancelled', 'cancelled'), ...last(link(4, 'dead')) },
      'The link that was opened at 12:04 UTC is invalid: its transaction is closed.',
    ],
  ],
  'link-superseded': [
    [
      'by a resend',
      {
        ...last(link(3, 'stale')),
        timeline: { events: [queued(1), queued(2, {}, 'mail2')] },
      },
      'The link that was opened at 12:03 UTC is from an earlier mail, which was replaced by a newer one at 12:02 UTC.',
    ],
  ],
  'link-expired': [
    [
      'opened too late',
      last(link(7, 'expired')),
      'The link expired at 12:06 UTC, 5 minutes after it was mailed; it was opened at 12:07 UTC.',
    ],
  ],
  'link-unknown': [
    [
      'not mailed in this transaction',
      last(link(3, 'dead')),
      'The link that was opened at 12:03 UTC was not mailed in this transaction.',
    ],
    [
      'of no transaction',
      stray({ endpoint: 'link', reason: 'unknown' }),
      'The link that was opened at 12:01 UTC was not mailed by this engine, or its transaction has been deleted.',
    ],
  ],
  'link-of-another-client': [
    [
      'whose address was changed',
      last(link(3, 'client')),
      'The link that was opened at 12:03 UTC is for another app than this transaction.',
    ],
  ],
  'link-in-other-browser': [
    [
      'whose code was not entered',
      last(link(2, 'alive', { browser: 'Firefox 140 on Windows' })),
      'The link was opened at 12:02 UTC in another browser (Firefox 140 on Windows) than the one that requested it, which only shows the code; the code was not entered.',
    ],
  ],
  'guesses-spent': [
    [
      'the fifth wrong answer',
      end('locked', 'guesses-per-transaction', { misses: 5 }),
      'Too many wrong answers: the fifth one, at 12:03 UTC, closed the transaction.',
    ],
  ],
  'guesses-of-the-day-spent': [
    ...(
      [
        ['authfactor.challenge.soft_token.invalid_passcode', 'otp-until-success-by-source'],
        ['authfactor.challenge.suspended_factor', 'otp-per-day'],
        ['errors.E0000087', 'otp-per-day-by-source'],
        ['recoveryCode.invalid', 'otp-until-success'],
      ] as const
    ).map(
      ([key, rule]): Case => [
        `${key} by ${rule}`,
        logged(refused(key), wrong(rule)),
        'Too many wrong codes or answers were entered for this authenticator of the account, so even a right one is refused, including the one at 12:02 UTC.',
      ],
    ),
    ...['codes-per-day', 'codes-until-success'].map(
      (rule): Case => [
        rule,
        logged(passcodeInvalid, wrong(rule)),
        'Too many wrong codes were entered for this account, so all short codes are refused, including the one at 12:02 UTC.',
      ],
    ),
    ...['passwords-per-hour', 'passwords-per-hour-by-source', 'passwords-by-name'].map(
      (rule): Case => [
        rule,
        logged(refused('errors.E0000004'), wrong(rule)),
        'Too many wrong passwords were entered for this account or by this source, so all passwords are refused for an hour, including the one at 12:02 UTC.',
      ],
    ),
  ],
  'mails-spent': [
    [
      'by a resend',
      logged(
        refused('tooManyRequests', { status: 429, step: 'resend' }),
        event('system.operation.rate_limit.violation', 2, { limit: '1' }),
      ),
      'Too many mails were requested for this user (the limit is 1): none was sent at 12:02 UTC.',
    ],
    [
      'by another name of the account',
      unsent(),
      'Too many mails were sent to this account under another of its names, so none was sent at 12:01 UTC.',
    ],
  ],
  'address-spent': [
    [
      'an answer from a source that guessed too often',
      last(refused('tooManyRequests', { status: 429 })),
      'Too many wrong answers came from this network address: the one at 12:02 UTC was refused unchecked.',
    ],
  ],
  'requests-spent': [
    [
      'in a transaction',
      last(refused('E0000047', { status: 429 })),
      'Too many requests: the one at 12:02 UTC was refused.',
    ],
    [
      'before one',
      stray({ endpoint: 'interact', status: 429, messages: ['E0000047'] }),
      'Too many requests: the one at 12:01 UTC was refused.',
    ],
  ],
  'person-unknown': [
    [
      'to whom no mail was sent',
      unsent({ timeline: { personId: null }, personStatus: undefined }),
      'There is no user with the name that was entered, so no mail was sent at 12:01 UTC.',
    ],
    [
      'whose every answer is wrong',
      logged(passcodeInvalid, wrong('nobody')),
      'There is no user with the name that was entered, so every answer is wrong, including the one at 12:02 UTC.',
    ],
    [
      'where the policy reveals it',
      last(refused('idx.unknown.user', { status: 200 })),
      'There is no user with the name that was entered at 12:02 UTC, and the policy reveals it (revealUnknown).',
    ],
  ],
  'person-staged': [
    [
      'to whom no mail was sent',
      unsent({ personStatus: 'STAGED' }),
      'The account is staged: it has not been activated yet, so no mail was sent at 12:01 UTC.',
    ],
    [
      'after a proof',
      end('denied', 'status STAGED'),
      'The user was authenticated at 12:03 UTC, but the account is staged: it has not been activated yet.',
    ],
  ],
  'person-suspended': [
    [
      'after a proof',
      end('denied', 'status SUSPENDED'),
      'The user was authenticated at 12:03 UTC, but the account is suspended.',
    ],
    [
      'while the transaction was open',
      end('superseded', 'status SUSPENDED'),
      'The account was changed at 12:03 UTC while the transaction was open: it is suspended.',
    ],
    [
      'at the password',
      logged(refused('errors.E0000004'), wrong('status SUSPENDED')),
      'The account is suspended, so every password is wrong, including the one at 12:02 UTC.',
    ],
  ],
  'person-deactivated': [
    [
      'to whom no mail was sent',
      unsent({ personStatus: 'DEPROVISIONED' }),
      'The account is deactivated, so no mail was sent at 12:01 UTC.',
    ],
    [
      'while the transaction was open',
      end('superseded', 'status DEPROVISIONED'),
      'The account was changed at 12:03 UTC while the transaction was open: it is deactivated.',
    ],
  ],
  'person-locked': [
    [
      'by wrong passwords',
      logged(refused('errors.E0000004'), wrong('lockout')),
      'Too many wrong passwords in a row were entered for this account: it is locked, so every password is wrong, including the one at 12:02 UTC.',
    ],
    [
      'while the transaction was open',
      end('superseded', 'status LOCKED_OUT'),
      'The account was changed at 12:03 UTC while the transaction was open: it is locked.',
    ],
  ],
  'person-removed': [
    [
      'to whom no mail was sent',
      unsent({ personStatus: undefined }),
      'The user was removed, so no mail was sent at 12:01 UTC.',
    ],
    [
      'while the transaction was open',
      end('superseded', 'person-removed'),
      'The user was removed at 12:03 UTC.',
    ],
    [
      'after a proof',
      end('denied', 'status REMOVED'),
      'The user was authenticated at 12:03 UTC, but the account was removed.',
    ],
  ],
  'person-not-ready': [
    [
      'never activated',
      end('denied', 'status PROVISIONED'),
      'The user was authenticated at 12:03 UTC, but the account was never activated by the user.',
    ],
    [
      'of another status',
      end('denied', 'status RECOVERY'),
      'The user was authenticated at 12:03 UTC, but the account has the status RECOVERY.',
    ],
  ],
  'person-not-assigned': [
    [
      'after a proof',
      end('denied', 'not-assigned'),
      'The user was authenticated at 12:03 UTC, but is not assigned to rekey-web.',
    ],
    [
      'at a sign-in, which starts over',
      last(refused('idx.error.user.not.assigned.to.app', { status: 400 })),
      'The user was authenticated at 12:02 UTC, but is not assigned to rekey-web.',
    ],
  ],
  'email-changed': [
    [
      'while the transaction was open',
      end('superseded', 'email-changed'),
      'The email address of the user was changed at 12:03 UTC, which invalidates all codes and links mailed to the old address.',
    ],
  ],
  'password-wrong': [
    [
      'at the sign-in',
      logged(refused('errors.E0000004'), wrong('wrong-password')),
      'The password at 12:02 UTC is wrong. It is wrong answer 1 of 5.',
    ],
  ],
  'password-refused': [
    [
      'a new one',
      last(
        accepted,
        refused('password.passwordRequirementsNotMet', {
          status: 400,
          step: 'reset-authenticator',
          hint: 'Password requirements: at least 12 characters.',
        }),
      ),
      'The new password of 12:02 UTC does not meet the policy. Required: at least 12 characters.',
    ],
  ],
  'password-changed-elsewhere': [
    [
      'while the transaction was open, and its code was entered then',
      { ...end('superseded', 'password-changed'), ...last(at(4, passcodeInvalid)) },
      'The password of the user was changed elsewhere at 12:03 UTC, which ends all other transactions of the user with their codes and links.',
    ],
  ],
  'recovery-off': [
    [
      'no authenticator recovers',
      last(refused('oie.selfservice.reset.password.not.allowed', { status: 403 })),
      'A recovery was refused at 12:02 UTC: the policy has no authenticator for it.',
    ],
  ],
  'factor-missing': [
    [
      'the policy asks for more than the user has',
      end('denied', 'policy recovery.secondFactor'),
      'At 12:03 UTC the policy (recovery.secondFactor) required another factor, and the user has none.',
    ],
  ],
  'transaction-expired': [
    [
      'before the next request',
      last(at(31, refused('idx.session.expired'))),
      'The transaction expired at 12:30 UTC, 30 minutes after it began; the next request came at 12:31 UTC.',
    ],
    [
      'and was not continued',
      { ...last(accepted), now: 31 },
      'The transaction was not continued and expired at 12:30 UTC.',
    ],
  ],
  cancelled: [
    [
      'by the user',
      end('cancelled', 'cancelled'),
      'The user cancelled at 12:03 UTC; the app continues with a new transaction.',
    ],
  ],
  ended: [
    [
      'from outside, by a rule that is not known',
      end('superseded', 'a new rule'),
      'The transaction was ended at 12:03 UTC by the rule a new rule.',
    ],
    [
      'by a denial that is not known',
      end('denied', 'a new rule'),
      'The transaction was denied at 12:03 UTC by the rule a new rule.',
    ],
  ],
  'step-not-on-offer': [
    [
      'a code before a name',
      last(
        exchange(2, {
          status: 400,
          reason: 'not on offer',
          stageBefore: 'identify',
          offered: ['identify', 'recover', 'cancel'],
        }),
      ),
      'The step challenge/answer was sent at 12:02 UTC, when the transaction was at the stage “identify” and offered identify, recover, cancel.',
    ],
  ],
  'answer-incomplete': [
    [
      'an empty field',
      last(refused('model.validation.field.blank', { status: 400 })),
      'The request at 12:02 UTC lacks a required field.',
    ],
  ],
  'request-malformed': ['E0000003', 'E0000020'].map(
    (key): Case => [
      key,
      last(refused(key, { status: 400 })),
      'The request at 12:02 UTC is malformed: a field has the wrong type.',
    ],
  ),
  'handle-unknown': [
    [
      'an interaction handle',
      stray({ status: 401, sent: { interactionHandle: '43 letters' }, messages: ['idx.session.expired'] }),
      'The interaction handle sent at 12:01 UTC was not issued by this engine, or its transaction has been deleted.',
    ],
    [
      'a state handle',
      stray({ status: 401, sent: { stateHandle: 'state handle' }, messages: ['idx.session.expired'] }),
      'The state handle sent at 12:01 UTC was not issued by this engine, or its transaction has been deleted.',
    ],
  ],
  'mail-undelivered': [
    [
      'tried, and tried again later',
      {
        timeline: {
          events: [queued(1)],
          waiting: [{ ...waiting, error: 'connect ECONNREFUSED\n    at x' }],
        },
      },
      'The mail queued at 12:01 UTC is in the outbox: the mail server did not accept it after 3 attempts (connect ECONNREFUSED).',
    ],
    [
      'refused for good',
      { timeline: { events: [queued(1), delivered('DEAD', { attempts: '1', error: '550 no such user' })] } },
      'The mail queued at 12:01 UTC was refused permanently after one attempt (550 no such user).',
    ],
    [
      'given up',
      { timeline: { events: [queued(1), delivered('EXPIRED', { attempts: '6' })] } },
      'The mail queued at 12:01 UTC could not be delivered in time after 6 attempts.',
    ],
  ],
  'client-unknown': [
    [
      'at interact',
      stray({ ...interact, status: 401, messages: ['invalid_client'] }),
      'interact was refused at 12:01 UTC: there is no client with this client id.',
    ],
  ],
  'client-secret-wrong': [
    [
      'at interact',
      stray({ ...interact, status: 401, messages: ['invalid_client'] }, webApp),
      'interact was refused at 12:01 UTC: the client secret is not that of Sample Web App.',
    ],
    [
      'at the token endpoint',
      last(granted, badCode('client secret', { status: 401 })),
      'The interaction code was not redeemed at 12:04 UTC: client authentication failed.',
    ],
  ],
  'client-wrong': [
    [
      'another client',
      last(granted, badCode('client', { clientId: 'rekey-public' })),
      'The interaction code was redeemed at 12:04 UTC by rekey-public; it was issued to rekey-web.',
    ],
    [
      'another authorization server',
      last(granted, badCode('issuer')),
      'The interaction code was redeemed at 12:04 UTC at another authorization server than the one that issued it.',
    ],
  ],
  'redirect-uri-wrong': [
    [
      'at interact',
      stray(
        {
          ...interact,
          sent: { redirect_uri: 'http://localhost:3000/callback' },
          reason: 'redirect_uri is not registered',
        },
        webApp,
      ),
      'interact was refused at 12:01 UTC: http://localhost:3000/callback is not registered for Sample Web App (registered: http://localhost:8080/login/callback).',
    ],
    [
      'at the token endpoint',
      last(granted, badCode('redirect_uri')),
      'The redirect URI sent at 12:04 UTC differs from that of interact.',
    ],
  ],
  'interact-refused': [
    [
      'for another reason',
      stray({ ...interact, reason: 'state is missing' }, webApp),
      'interact was refused at 12:01 UTC: state is missing',
    ],
  ],
  'pkce-missing': [
    [
      'at interact',
      stray({ ...interact, reason: "The 'code_challenge' parameter is required." }, webApp),
      "interact was refused at 12:01 UTC: The 'code_challenge' parameter is required.",
    ],
  ],
  'scope-wrong': [
    [
      'at interact',
      stray({ ...interact, messages: ['invalid_scope'], reason: 'One or more scopes are not configured.' }),
      'interact was refused at 12:01 UTC: One or more scopes are not configured.',
    ],
  ],
  'token-refused': [
    [
      'of another grant',
      stray({
        endpoint: 'token',
        path: '/oauth2/v1/token',
        status: 400,
        messages: ['invalid_grant'],
        reason: 'The refresh token is invalid.',
      }),
      'token was refused at 12:01 UTC: The refresh token is invalid.',
    ],
    [
      'of a client without the grant',
      last(granted, badCode('The client is not authorized.')),
      'The interaction code was refused at 12:04 UTC: The client is not authorized.',
    ],
  ],
  'call-refused': [
    [
      'of a sign-out',
      stray({ endpoint: 'oauth', path: '/oauth2/v1/logout', status: 400, reason: 'The hint is missing.' }),
      'logout was refused at 12:01 UTC: The hint is missing.',
    ],
    [
      'of a sign-in by redirect',
      stray({
        endpoint: 'authorize',
        path: '/oauth2/v1/authorize',
        method: 'GET',
        status: 302,
        reason: 'The type is none.',
      }),
      'authorize was refused at 12:01 UTC: The type is none.',
    ],
  ],
  'origin-untrusted': [
    [
      'of a page',
      stray({ endpoint: 'origin', path: '/a', status: 404, sent: { origin: 'https://a.example' } }),
      'The browser hides the answer of 12:01 UTC to POST /a from pages of https://a.example: no app is registered there (CORS).',
    ],
  ],
  'address-unknown': [
    [
      'of another server',
      stray({ endpoint: 'unknown', method: 'GET', path: '/oauth2/other', status: 404 }),
      'Nothing is served at GET /oauth2/other, which was requested at 12:01 UTC.',
    ],
  ],
  'code-used-twice': [
    [
      'the first time is recorded',
      last(granted, token(3), badCode('used')),
      'The interaction code was redeemed at 12:03 UTC and again at 12:04 UTC, so the tokens of the first redemption were revoked.',
    ],
    [
      'the first time is not recorded',
      last(granted, badCode('used')),
      'The interaction code that was redeemed at 12:04 UTC had been redeemed before, so the tokens of the first redemption were revoked.',
    ],
  ],
  'code-redeemed-late': [
    [
      'the grant is recorded',
      last(granted, badCode('expired')),
      'The interaction code was issued at 12:03 UTC and redeemed at 12:04 UTC: it had expired.',
    ],
    [
      'the grant is not recorded',
      last(badCode('expired')),
      'The interaction code had expired when it was redeemed at 12:04 UTC.',
    ],
  ],
  'code-unknown': [
    [
      'of another engine',
      stray({ endpoint: 'token', status: 400, messages: ['invalid_grant'], reason: 'unknown' }),
      'The interaction code that was redeemed at 12:01 UTC was not issued by this engine, or it has been deleted.',
    ],
  ],
  'verifier-wrong': [
    [
      'of another attempt',
      last(granted, badCode('verifier')),
      'The code verifier sent at 12:04 UTC does not match the code challenge of the interaction.',
    ],
  ],
  'session-over': [
    [
      'before the code was redeemed',
      last(granted, badCode('session')),
      'The interaction code was refused at 12:04 UTC: its session has ended.',
    ],
  ],
  'clock-skew': [
    [
      'ahead',
      last(granted, token(4, { tokensAheadMs: 10 * minute })),
      'The times in the tokens issued at 12:04 UTC are 10 minutes ahead of the clock of this machine, and the SDK accepts at most 5 minutes.',
    ],
    [
      'behind',
      last(granted, token(4, { tokensAheadMs: -10 * minute })),
      'The times in the tokens issued at 12:04 UTC are 10 minutes behind the clock of this machine, and the SDK accepts at most 5 minutes.',
    ],
  ],
  'profile-refused': [
    [
      'a value that another user has',
      last(refused('registration.error.notUniqueWithinOrg', { status: 400 })),
      'The profile entered at 12:02 UTC is refused: the value of a unique attribute belongs to another user.',
    ],
    [
      'a domain that may not sign up',
      last(refused('registration.error.domainNotAllowed', { status: 400 })),
      'The profile entered at 12:02 UTC is refused: addresses of this domain may not sign up.',
    ],
  ],
  'captcha-refused': [
    [
      'no token',
      last(refused('captcha.required', { status: 400 })),
      'The captcha was not solved at 12:02 UTC.',
    ],
    [
      'a provider that is away',
      last(refused('captcha.unavailable', { status: 503 })),
      'The provider of the captcha did not answer, and this form is closed without it, at 12:02 UTC.',
    ],
  ],
  'sign-up-off': [
    [
      'by a policy that changed',
      last(refused('idx.error.registration.unavailable', { status: 403 })),
      'A sign-up was refused at 12:02 UTC: no policy of the app lets visitors sign up.',
    ],
  ],
  'sign-up-denied': [
    [
      'by the hook',
      last(refused('registration.error.denied', { status: 400 })),
      'The sign-up of 12:02 UTC was denied by what checks sign-ups (beforeRegistration).',
    ],
  ],
  'failure-asked-for': [
    [
      'in a transaction',
      last(refused('E0000009', { status: 503 })),
      'The answer 503 at 12:02 UTC was requested with POST /faults.',
    ],
    [
      'a limit in a transaction',
      last(refused('E0000047', { status: 429, reason: 'This failure was requested by a test.' })),
      'The answer 429 at 12:02 UTC was requested with POST /faults.',
    ],
    [
      'before a transaction',
      stray({ status: 503, messages: ['E0000009'] }),
      'The answer 503 at 12:01 UTC was requested with POST /faults.',
    ],
  ],
  'engine-failed': [
    [
      'an answer that nothing explains',
      last(refused('', { status: 500, messages: [] })),
      'The engine answered 500 (no message) at 12:02 UTC.',
    ],
  ],
}

test.each(
  Object.entries(cases).flatMap(([cause, own]) =>
    own.map(([what, facts, says]) => ({ cause, what, facts, says })),
  ),
)('$cause: $what', ({ cause, facts, says }) => {
  const explained = 'exchange' in facts ? explainStray(facts) : explain(factsWith(facts))
  expect({ cause: explained.cause, says: plain(explained.sentence) }).toEqual({ cause, says })
})

test('a poll explains nothing, unless it was refused', () => {
  const poll = (status: number, ...messages: string[]) =>
    exchange(3, { path: '/idp/idx/challenge/poll', status, messages, stageAfter: 'verify' })
  const wrongCode = logged(passcodeInvalid, wrong('wrong-code'))
  const polled = (answer: Recorded) => factsWith({ ...wrongCode, ...last(passcodeInvalid, answer) })
  expect(explain(polled(poll(200))).cause).toBe('code-wrong')
  expect(explain(polled(poll(429, 'E0000047'))).cause).toBe('requests-spent')
})
