import { personStatuses } from '../../src/directory/index.ts'
import { statusAnswers } from '../../test/support/statuses.ts'
import { generatedFrom, table } from './table.ts'

/** What the words of the table mean that are not wire words. */
const meanings: readonly (readonly [string, string])[] = [
  ['signed in', 'the interaction code of a sign-in'],
  ['no code is right', 'what was typed is refused as any wrong code is: nobody got one'],
  ['`errors.E0000004`', 'the one message of every sign-in that fails, whatever the reason'],
  ['`api.authn.error.PASSCODE_INVALID`', 'the one message of every wrong code'],
]

const code = (text: string): string =>
  text.replace(/\b([\w-]+-authenticator|errors\.\w+|oie\.[\w.]+|ACTIVE)\b/g, '`$1`')

/** docs/statuses.md: what each step answers to a person of each status; test/journeys/statuses.test.ts checks it. */
export function statusesPage(): string {
  const rows = personStatuses.map((status) => {
    const { signIn, mail, code: mailed } = statusAnswers[status]
    return [`\`${status}\``, code(signIn), '401 `errors.E0000004`', mail ? 'yes' : 'no', code(mailed)]
  })
  return `${generatedFrom('test/support/statuses.ts, which test/journeys/statuses.test.ts checks')}

# What each account status is answered

Up to the code, a recovery looks the same whoever asks: \`identify-recovery\` takes any name,
\`select-authenticator-authenticate\` offers the mail, \`challenge-authenticator\` asks for a code, and \`resend\` and
\`poll\` answer alike, for people of every status, with and without a password, and for nobody at all. What differs is
whether a mail comes, and what its code or link leads to. A change of status ends the transactions that are under way: one
in which something was proven is answered 401 \`idx.session.expired\`; any other goes on as that of an unknown user, so that
a caller who only watches it learns nothing.

${table(
  [
    'status',
    'sign-in with the right password',
    'sign-in without a password',
    'a recovery mails her',
    'the mailed code leads to, with and without a password',
  ],
  rows,
)}

\`, ACTIVE\` at the end says that her status is \`ACTIVE\` afterwards; else it stays as it is. The rule that refused
somebody stands in the system log and in \`rekey trace\`, never in the answer: [events.md](events.md).

| words of the table | meaning |
|---|---|
${meanings.map(([word, meaning]) => `| ${word} | ${meaning} |`).join('\n')}
`
}
