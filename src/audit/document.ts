import { eventTypes } from './event-types.ts'

const intro = `# Events

The system log tells what happened, in the shape of Okta's System Log. Each event is recorded in the database transaction
that does what it tells of: it stands if and only if that happened. No code, link, token or password is in it.

Read it with \`GET /api/v1/logs\` (\`Authorization: SSWS <token>\`, any role), with \`rekey events\`, or in tests with \`events()\`;
one conversation with \`rekey trace ID\`.

## Reading over HTTP

| parameter | |
|---|---|
| \`since\`, \`until\` | ISO 8601 with a zone. From \`since\` (a week before the end where absent) to just before \`until\`. |
| \`filter\` | \`eq\` on \`eventType\`, \`transaction.id\`, \`actor.id\`, \`target.id\` (the first target), \`outcome.result\`; joined by \`and\`, \`or\`, parentheses. |
| \`q\` | Up to 10 keywords of 40 characters; each must stand somewhere in the event. Looks at every event of the time: name a short one. |
| \`sortOrder\` | \`ASCENDING\` (default) or \`DESCENDING\`. |
| \`limit\` | 1 to 1,000; 100 where absent. |
| \`after\` | From the \`Link\` header with \`rel="next"\`. |

Without \`until\`, ascending, a reader follows the log: there is always a next page, also when nothing is on it yet, and no
event is stepped over. (On PostgreSQL events commit in another order than that of their times, so the newest wait for a
second.) Otherwise the last page has no next one. Bad input: 400 \`E0000001\`, of a filter \`E0000053\`.

## What stands in an event

- \`actor\`: who did it. A visitor is a \`User\`; \`id\` is \`unknown\` where nobody is known by what was typed, which stands in
  \`alternateId\`. People who do not exist leave as many events as those who do.
- \`client\`: address and browser of the person, where the app vouched for them, and the id of the app.
- \`transaction.id\`: the conversation, as in \`rekey trace\`. Tokens that are granted afterwards are none's.
- \`debugContext.debugData.rule\`: the rule that refused, or that ended a conversation (below). Budgets stand beside it by
  their names: \`codes-per-day: 3 of 20\`.

## Types
`

const rules = `
## Rules

What ends a conversation, as \`debugData.rule\` and in \`rekey trace\`:

| rule | |
|---|---|
| \`completed\` | It came to its good end. |
| \`cancelled\` | The visitor started over. |
| \`guesses-per-transaction\` | The fifth wrong answer. |
| \`status …\` | The account's status does not allow it (\`status SUSPENDED\`), or it changed meanwhile. |
| \`not-assigned\` | The person is not assigned to the app. |
| \`policy recovery.secondFactor\`, \`policy signOn.factors\` | The policy asks for a proof that the person does not have. |
| \`password-changed\`, \`email-changed\`, \`person-removed\` | Something else ended all open conversations of the person. |
| \`expired\` | Its time ran out. Nothing is written then, so there is no event: \`rekey trace\` sees it in the row. |

Why an answer was wrong:

| rule | |
|---|---|
| \`wrong-code\`, \`wrong-password\` | Just that. |
| \`code-expired\` | It was right, too late. |
| \`nobody\` | Nobody is known by what was typed. |
| \`status …\` | People of this status do not sign in by password. |
| \`codes-per-day\`, \`codes-until-success\`, \`passwords-per-hour\` | The account's budget is spent: whatever was typed counts as wrong. |
| \`passwords-per-hour-by-source\`, \`passwords-by-name\` | The share of this source is spent: the same, for this source alone. |

Which budget was spent, in \`system.operation.rate_limit.violation\` and \`security.attack.start\`: \`mails-per-recipient-by-source\`,
\`spray-per-minute\`, \`spray-per-hour\`, \`spray-under-attack\`, \`spray-everywhere\`, or a request budget by the name of its
option in \`limits.requests\`.

A mail that takes the place of an earlier one says \`link-superseded\`: the earlier code and link are dead.
`

/** docs/events.md, which is made of the types that the code knows. */
export function eventsDocument(): string {
  const rows = Object.entries(eventTypes).map(([type, entry]) => {
    const ours = 'ours' in entry ? ' (ours, after the pattern of the field)' : ''
    return `| \`${type}\` | ${entry.when}${ours} | ${entry.outcomes.join('; ')} |`
  })
  return [intro, '| type | when | outcomes |', '|---|---|---|', ...rows, rules].join('\n')
}
