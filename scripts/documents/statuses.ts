import { personStatuses } from '../../src/directory/index.ts'
import { statusAnswers } from '../../test/journeys/statuses.ts'
import { generatedFrom, table } from './table.ts'

/** The meaning of terms in the table that are not part of the protocol. */
const meanings: readonly (readonly [string, string])[] = [
  ['signed in', 'the interaction code of a sign-in'],
  ['no code is right', 'every code is refused like a wrong one, because no code was mailed'],
  ['`errors.E0000004`', 'the message of every failed sign-in, whatever the reason'],
  ['`api.authn.error.PASSCODE_INVALID`', 'the message of every wrong code'],
]

const code = (text: string): string =>
  text.replace(/\b([\w-]+-authenticator|errors\.\w+|oie\.[\w.]+|ACTIVE)\b/g, '`$1`')

/** Generates docs/statuses.md: the response of each step by user status, as tested in test/journeys/statuses.test.ts. */
export function statusesPage(): string {
  const rows = personStatuses.map((status) => {
    const { signIn, mail, code: mailed } = statusAnswers[status]
    return [`\`${status}\``, code(signIn), '401 `errors.E0000004`', mail ? 'yes' : 'no', code(mailed)]
  })
  return `${generatedFrom('test/journeys/statuses.ts, which test/journeys/statuses.test.ts checks')}

# Responses by account status

Up to the code, a recovery looks the same for every name: \`identify-recovery\` accepts any name,
\`select-authenticator-authenticate\` offers the mail, \`challenge-authenticator\` asks for a code, and \`resend\` and
\`poll\` return the same, for users of every status, with and without a password, and for unknown users. Only the mail
differs: whether it is sent, and what its code or link leads to. A change of status ends the transactions of the user: one
in which something was proven is answered 401 \`idx.session.expired\`; any other goes on like that of an unknown user, so that
a caller who only watches it learns nothing.

${table(
  [
    'status',
    'sign-in with the right password',
    'sign-in without a password',
    'a recovery sends a mail',
    'the mailed code leads to, with and without a password',
  ],
  rows,
)}

\`, ACTIVE\` at the end means that the status is \`ACTIVE\` afterwards; otherwise it does not change. The rule that refused a
user is in the system log and in \`rekey trace\`, never in the response: [events.md](events.md).

| term in the table | meaning |
|---|---|
${meanings.map(([word, meaning]) => `| ${word} | ${meaning} |`).join('\n')}
`
}
