import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bareCodes, enhancedCodeOf, reasonOf, type SmtpStage } from './smtp-replies.ts'
import type { RefusalReason } from './transport.ts'

type Row = readonly [stage: SmtpStage, reply: string, reason: RefusalReason]

// Report 14 and its neighbours, and the replies of Postfix, Exim, Microsoft 365 and Google.
const rows: readonly Row[] = [
  ['recipient', '554 5.7.1 <mary@example.com>: Relay access denied', 'policy'],
  ['recipient', '554 Relay access denied', 'policy'],
  ['recipient', '550 relay not permitted', 'policy'],
  ['recipient', '550 authentication required for relaying', 'policy'],
  ['recipient', '550 5.7.1 Client host rejected: Access denied', 'policy'],
  ['recipient', '550 5.7.60 SMTP; Client does not have permissions to send as this sender', 'policy'],
  ['message', '550 5.7.26 This mail has been blocked because the sender is unauthenticated', 'policy'],
  ['recipient', '530 5.7.0 Must issue a STARTTLS command first', 'policy'],
  ['recipient', '530 5.7.1 Authentication required', 'policy'],
  ['recipient', '530 Authentication required', 'policy'],
  ['auth', '535 5.7.8 Authentication credentials invalid', 'policy'],
  ['recipient', '535 5.7.8 Authentication credentials invalid', 'policy'],
  ['auth', '534 5.7.9 Application-specific password required', 'policy'],
  ['auth', '538 5.7.11 Encryption required for requested authentication mechanism', 'policy'],
  ['recipient', '503 5.5.1 Error: need MAIL command', 'policy'],
  ['message', '503 5.5.1 bad sequence', 'policy'],
  ['recipient', '501 5.5.4 bad argument', 'policy'],
  ['recipient', '550 5.4.5 Daily sending quota exceeded', 'policy'],
  ['recipient', '550 5.4.1 Recipient address rejected: Access denied', 'policy'],
  ['recipient', '554 5.2.2 mailbox full', 'policy'],
  ['recipient', '552 5.2.2 mailbox full', 'policy'],
  ['message', '552 5.2.2 mailbox full', 'policy'],
  ['recipient', '552 mailbox full', 'policy'],
  ['message', '552 mailbox full', 'policy'],
  ['recipient', '550 5.2.0 other mailbox status', 'policy'],
  ['message', '552 5.3.4 Message size exceeds fixed limit', 'policy'],
  ['recipient', '554 5.3.1 mail system full', 'policy'],
  ['recipient', '550 5.1.8 Sender address rejected: Domain not found', 'policy'],
  ['recipient', '553 5.1.7 Sender address rejected: not owned by user', 'policy'],
  ['mail', '550 5.1.1 no such sender', 'policy'],
  ['mail', '550 no', 'policy'],
  ['mail', '553 5.7.1 Sender address rejected', 'policy'],

  ['recipient', '550 5.1.1 <mary@example.com>: Recipient address rejected: User unknown', 'address'],
  [
    'recipient',
    '550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 Learn more',
    'address',
  ],
  ['recipient', '550 5.1.0 Address rejected', 'address'],
  ['recipient', '550 5.1.2 bad destination system', 'address'],
  ['recipient', '501 5.1.3 Bad recipient address syntax', 'address'],
  ['recipient', '551 5.1.6 moved', 'address'],
  ['recipient', '556 5.1.10 recipient address has null MX', 'address'],
  ['recipient', '550 5.2.1 The email account that you tried to reach is disabled', 'address'],
  ['message', '550 5.1.1 unknown user', 'address'],
  ['recipient', '550 no such user', 'address'],
  ['recipient', '550 Unrouteable address', 'address'],
  ['recipient', '550 sorry, no mailbox here by that name. (#5.1.1)', 'address'],
  ['recipient', '550 <mary@example.com>... User unknown', 'address'],
  [
    'recipient',
    '550-Verification failed for <mary@example.com>\n550 Recipient does not exist here',
    'address',
  ],
  ['recipient', '550 Invalid recipient', 'address'],
  ['recipient', '550 This account has been disabled', 'address'],
  ['recipient', '550 Mailbox not found', 'address'],
  ['recipient', "550 mary@example.com: user doesn't exist", 'address'],
  ['recipient', '551 user not local', 'address'],
  ['recipient', '553 mailbox name not allowed', 'address'],
  ['recipient', '556 domain does not accept mail', 'address'],
  ['recipient', '550 5.9.9 a code of tomorrow: no such user', 'address'],

  // Final, as report 14 measured it, and says nothing about the mailbox.
  ['recipient', '550', 'refused'],
  ['recipient', '550 5.0.0', 'refused'],
  ['recipient', '553 ', 'refused'],
  ['recipient', '550 Requested action not taken: mailbox unavailable', 'refused'],

  // About the server or the sender: shut out with it would be each user of the domain.
  ['recipient', '550 SPF check failed', 'policy'],
  ['recipient', '550 Blocked by Spamhaus, see https://www.spamhaus.org/query/ip/192.0.2.1', 'policy'],
  ['recipient', '550 Sender verify failed', 'policy'],
  ['recipient', '550-No such user here\n550 Sender verify failed', 'policy'],
  ['recipient', '550 rejected because 192.0.2.1 is in a black list', 'policy'],
  ['recipient', '550 Mailbox full', 'policy'],
  ['recipient', '550 User is over quota', 'policy'],
  ['recipient', '550 Too many recipients, try later', 'policy'],
  ['recipient', '550 5.1.0 <no-reply@acme.example> sender rejected', 'policy'],
  ['recipient', '553 sorry, that domain is not in my list of allowed rcpthosts (#5.7.1)', 'policy'],
  ['recipient', '550 5.0.0 no', 'policy'],
  ['recipient', '550 5.9.9 a code of tomorrow', 'policy'],
  // A name in an address says nothing.
  ['recipient', '550 <no-such.user.unknown@example.com>: rejected', 'policy'],
  ['recipient', '550 <spam.sender@example.com>: user unknown', 'address'],
  ['message', '554 Message rejected: rate limit exceeded', 'policy'],
  ['message', '554 Message refused, your IP is on a blocklist', 'policy'],
  ['message', '554 DMARC evaluation failed', 'policy'],

  ['message', '554 transaction failed', 'content'],
  ['message', '550 rejected', 'content'],
  ['message', '552 5.2.3 message too long for the mailbox', 'content'],
  ['message', '554 5.6.0 malformed', 'content'],
  ['recipient', '550 5.6.7 non-ASCII addresses not permitted', 'content'],
  ['recipient', '554 no', 'policy'],
  ['recipient', '500 what?', 'policy'],
  ['data', '503 no recipient', 'policy'],

  ['recipient', '450 4.7.1 Greylisted, try again in 300 seconds', 'deferred'],
  ['recipient', '451 try later', 'deferred'],
  ['recipient', '452 4.2.2 over quota', 'deferred'],
  ['message', '451 4.3.0 later', 'deferred'],
  ['connect', '421 4.7.0 too many connections', 'deferred'],
  ['auth', '454 4.7.0 temporary authentication failure', 'deferred'],
  // A class that contradicts the code: the milder one.
  ['recipient', '550 4.1.1 not now', 'deferred'],
  ['connect', '554 no SMTP service here', 'connection'],
  ['ehlo', '550 not you', 'connection'],
  ['starttls', '502 unknown', 'connection'],
]

describe('what a reply means', () => {
  test.each(rows)('at %s, %j is %s', (stage, reply, reason) => {
    expect(reasonOf(stage, reply)).toBe(reason)
  })
})

test('an enhanced code is read where it stands, and nothing else is taken for one', () => {
  expect(enhancedCodeOf('550 5.1.1 x')).toBe('5.1.1')
  expect(enhancedCodeOf('550-5.7.26 x\n550 y')).toBe('5.7.26')
  expect(enhancedCodeOf('553 sorry, no (#5.7.1)')).toBe('5.7.1')
  expect(enhancedCodeOf('550 10.5.1.1 is blocked')).toBeUndefined()
  expect(enhancedCodeOf('550 see 5.1.1')).toBeUndefined()
  expect(enhancedCodeOf('554 5.7.1.2')).toBeUndefined()
})

test('docs/mails.md lists every code that is final without an enhanced one', () => {
  const page = readFileSync(new URL('../../../docs/mails.md', import.meta.url), 'utf8')
  const [, list = ''] = /Without\s+such a code final are (.*?)\. Not final/s.exec(page) ?? []
  const parts = list.split(';').map((part) => ({
    at: part.includes('message') ? 'message' : 'recipient',
    codes: part.match(/\b5\d\d\b/g) ?? [],
  }))
  const documented = parts.flatMap(({ at, codes }) => codes.map((code) => `${code} ${at}`))
  expect(documented.toSorted()).toEqual(bareCodes.map(({ at, code }) => `${code} ${at}`).toSorted())
})
