import { eventTypes } from './event-types.ts'

const intro = `# Events

The system log, in the shape of Okta's System Log. Each event is recorded in the database transaction of the change that
it describes: both are committed, or neither. Events contain no code, link, token or password.

Read it with \`GET /api/v1/logs\` (\`Authorization: SSWS <token>\`, any role), with \`rekey events\`, or in tests with \`events()\`;
the events of one transaction with \`rekey trace ID\`.

## Reading over HTTP

| parameter | |
|---|---|
| \`since\`, \`until\` | ISO 8601 with a time zone. \`since\` is inclusive (default: a week before the end), \`until\` exclusive. |
| \`filter\` | \`eq\` on \`eventType\`, \`transaction.id\`, \`actor.id\`, \`target.id\` (the first target), \`outcome.result\`; joined by \`and\`, \`or\`, parentheses. |
| \`q\` | Up to 10 keywords of 40 characters; an event must contain all of them. No index finds them, nor an \`outcome.result\` alone: a page reads at most 10,000 events, may be short or empty, and the next one goes on. |
| \`sortOrder\` | \`ASCENDING\` (default) or \`DESCENDING\`. |
| \`limit\` | 1 to 1,000; default 100. |
| \`after\` | From the \`Link\` header with \`rel="next"\`. |

Without \`until\`, ascending, a reader follows the log: there is always a next page, which may still be empty, and no event
is skipped. (On PostgreSQL events may commit in another order than that of their times, so the newest appear after a
second.) Otherwise the last page has no next one. Errors: 400 \`E0000001\`, for a filter \`E0000053\`.

## Members of an event

- \`actor\`: who caused it. In a sign-in or recovery it is a \`User\`, with \`id\` \`unknown\` for an unknown user; what was typed
  is in \`alternateId\`: the address, or \`typed:\` and a keyed hash of anything else, which may be a password in the wrong
  field. Unknown users cause as many events as known ones; these are stored for a day (\`events.unknownRetention\`), and so is that a
  recovery was begun or a transaction cancelled, which anyone can do who knows a name. All others are stored for 90 days (\`events.retention\`). A visitor who leaves before typing anything causes none.
- \`client\`: address and browser of the user, where the app vouched for them, and the id of the app.
- \`transaction.id\`: the transaction, as in \`rekey trace\`. Tokens that are granted afterwards belong to none.
- \`debugContext.debugData.rule\`: the rule that refused, or that ended a transaction (below). Beside it are the budgets by
  name: \`codes-per-day: 3 of 20\`.

## Types
`

const rules = `
## Rules

What ends a transaction, as \`debugData.rule\` and in \`rekey trace\`:

| rule | |
|---|---|
| \`completed\` | It succeeded. |
| \`cancelled\` | The user cancelled. |
| \`guesses-per-transaction\` | The fifth wrong answer. |
| \`status …\` | The account's status does not allow it (\`status SUSPENDED\`), or has changed during the transaction. |
| \`not-assigned\` | The user is not assigned to the app. |
| \`policy selfServicePasswordReset\`, \`policy selfServiceUnlock\` | The user's password policy does not allow the recovery. |
| \`policy enrollment\` | The user's enrolment policy does not allow the password that a recovery sets. |
| \`policy recovery.secondFactor\`, \`policy signOn.factors\` | The policy requires an authenticator that the user does not have. |
| \`password-changed\`, \`email-changed\`, \`person-removed\` | Another change ended all open transactions of the user. |
| \`expired\` | It expired. Nothing is written then, so there is no event: \`rekey trace\` sees it in the row. |

Why an answer was wrong:

| rule | |
|---|---|
| \`wrong-code\`, \`wrong-password\` | The code or password is wrong. |
| \`code-expired\` | The code was right and has expired. |
| \`nobody\` | No user has the identifier that was typed. |
| \`transaction-ended\` | Something else has ended the transaction (a reset in another browser, a new status or email). It goes on as that of an unknown user, so that a stranger who watches it learns nothing. |
| \`status …\` | Users of this status may not sign in with a password. |
| \`wrong-assertion\`, \`wrong-attestation\` | The passkey did not answer this challenge, for this domain, with a key of this user; or its counter did not rise. |
| \`passkey-origin\`, \`passkey-expired\` | The answer of a passkey is from an origin that is not allowed, or came too late. |
| \`passkey-taken\`, \`passkey-syncable\` | A new passkey has the id of another one, or may be copied where a setting forbids it. |
| \`codes-per-day\`, \`codes-until-success\`, \`passwords-per-hour\` | The account's budget is spent: every answer counts as wrong. |
| \`passwords-per-hour-by-source\`, \`passwords-by-name\` | The share of this source is spent: the same, for this source alone. |

Which budget was spent, in \`system.operation.rate_limit.violation\` and \`security.attack.start\`: \`mails-per-recipient-by-source\`,
\`spray-per-minute\`, \`spray-per-hour\`, \`spray-under-attack\`, \`spray-everywhere\`, or a request budget by the name of its
option in \`limits.requests\`.

A mail that replaces an earlier one has the rule \`link-superseded\`: the earlier code and link are invalid.
`

/** docs/events.md, generated from the table of event types. */
export function eventsDocument(): string {
  const rows = Object.entries(eventTypes).map(([type, entry]) => {
    const ours = 'ours' in entry ? ' (Rekey only, named after the same pattern)' : ''
    return `| \`${type}\` | ${entry.when}${ours} | ${entry.outcomes.join('; ')} |`
  })
  return [intro, '| type | when | outcomes |', '|---|---|---|', ...rows, rules].join('\n')
}
