import type { RefusalReason } from './transport.ts'

/** Where in the dialogue a server refuses. `message` is the reply to the whole message, `data` that to the command. */
export type SmtpStage = 'connect' | 'ehlo' | 'starttls' | 'auth' | 'mail' | 'recipient' | 'data' | 'message'

interface Rule {
  /** The enhanced status code of a 5xx reply (RFC 3463): `x.y.z`, or `x.y` for the whole subject. The first rule that fits decides. */
  readonly code: string
  readonly reason: RefusalReason
  readonly meaning: string
}

/**
 * What an enhanced status code says about a recipient or a message (RFC 3463, and the registry of RFC 5248). Final is
 * only what concerns this mailbox or this message; what an administrator can mend is tried again (report 14).
 */
export const enhancedCodes: readonly Rule[] = [
  { code: '5.1.7', reason: 'policy', meaning: 'the syntax of the sender’s address' },
  { code: '5.1.8', reason: 'policy', meaning: 'the system of the sender’s address' },
  { code: '5.1', reason: 'address', meaning: 'the recipient’s address' },
  { code: '5.2.1', reason: 'address', meaning: 'the mailbox is disabled' },
  { code: '5.2.3', reason: 'content', meaning: 'the message is too long for the mailbox' },
  { code: '5.2', reason: 'policy', meaning: 'the mailbox: full (5.2.2), or without a reason' },
  { code: '5.3', reason: 'policy', meaning: 'the mail system' },
  { code: '5.4', reason: 'policy', meaning: 'the network, routing, quotas' },
  {
    code: '5.5',
    reason: 'policy',
    meaning: 'the protocol: 5.5.1 is what a server says that wants AUTH first',
  },
  { code: '5.6', reason: 'content', meaning: 'the content, or its conversion' },
  { code: '5.7', reason: 'policy', meaning: 'policy: relaying, authentication, SPF, DMARC, blocklists' },
]

interface BareRule {
  readonly at: 'recipient' | 'message'
  readonly code: number
  /** `text`: what the text says decides. */
  readonly reason: RefusalReason | 'text'
}

/** What a reply without an enhanced code says (RFC 5321, section 4.2.3). What is not listed is tried again. */
export const bareCodes: readonly BareRule[] = [
  { at: 'recipient', code: 550, reason: 'text' },
  { at: 'recipient', code: 551, reason: 'text' },
  { at: 'recipient', code: 553, reason: 'text' },
  // RFC 7504: the domain accepts no mail.
  { at: 'recipient', code: 521, reason: 'address' },
  { at: 'recipient', code: 556, reason: 'address' },
  { at: 'message', code: 550, reason: 'content' },
  { at: 'message', code: 551, reason: 'content' },
  { at: 'message', code: 553, reason: 'content' },
  { at: 'message', code: 554, reason: 'content' },
]

/**
 * What a text speaks of that is not about this mailbox or message, whatever the code before it: this client, the sender, a
 * list, a limit. Exim and others deny all of it with a bare 550; an address that such a reply suppressed would shut its user out.
 */
const aboutAllMails = new RegExp(
  [
    /\brelay|authenticat|\bsender\b|\bspf\b|\bdkim\b|\bdmarc\b|\bpolicy\b|reputation|access denied/,
    /block|black ?list|\brbl\b|dnsbl|spam|\b(?:ip|client|host)\b/,
    /\bfull\b|quota|exceed|too many|too much|\brate\b|\blimit|\blater\b|try again|temporar/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
)

const mailbox = '(?:user|mailbox|recipient|account|address|addressee|customer|inbox)'
/** How servers say that there is no such mailbox, or that it is disabled. */
const noMailbox: readonly RegExp[] = [
  new RegExp(
    `\\b(?:no such|unknown|invalid|non-?existent|unroute?able|inactive|disabled) (?:\\w+ )?${mailbox}\\b`,
    'i',
  ),
  new RegExp(`\\bno ${mailbox}\\b`, 'i'),
  new RegExp(
    `\\b${mailbox}\\b.*\\b(?:unknown|invalid|not (?:found|exist|known|valid|local|allowed)|(?:doesn.?t|no longer) exists?|disabled|deactivated|inactive|suspended|closed)\\b`,
    'is',
  ),
]

/** What RFC 5321, section 4.2.3 has for 550 says no more than the code. */
const standardText = /requested action not taken:? ?mailbox unavailable/i

/** The enhanced status code of a reply, such as `5.1.1`, also where qmail has it: `(#5.1.1)`. Undefined where it has none. */
export const enhancedCodeOf = (reply: string): string | undefined =>
  /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/m.exec(reply)?.[1] ??
  /\(#([245]\.\d{1,3}\.\d{1,3})\)/.exec(reply)?.[1]

/** The text of a reply without codes and addresses: what stands in an address says nothing. */
const textOf = (reply: string): string =>
  reply
    .replace(/^\d{3}[ -]?(?:\d\.\d{1,3}\.\d{1,3})?/gm, '')
    .replace(/\S+@\S+/g, '')
    .replace(standardText, '')
    .trim()

/**
 * Classifies a refusal: the server's reply, and where it was given. Never final before the recipient was named:
 * connection, TLS, credentials and the sender are the operator's to mend.
 */
export function reasonOf(stage: SmtpStage, reply: string): RefusalReason {
  const code = Number(reply.slice(0, 3))
  const enhanced = enhancedCodeOf(reply)
  if (code < 500 || enhanced?.startsWith('4.')) return 'deferred'
  if (stage === 'connect' || stage === 'ehlo' || stage === 'starttls') return 'connection'
  if (stage === 'auth' || stage === 'mail') return 'policy'
  const text = textOf(reply)
  // 5.1.0 is any fault of an address, the sender's as well.
  if (enhanced === '5.1.0' && aboutAllMails.test(text)) return 'policy'
  // 5.0.0, and what the table does not know, say no more than the code before them.
  const rule = enhancedCodes.find((one) => enhanced === one.code || enhanced?.startsWith(`${one.code}.`))
  if (rule !== undefined) return rule.reason
  const at = stage === 'recipient' ? 'recipient' : 'message'
  const bare = bareCodes.find((one) => one.at === at && one.code === code)
  if (bare === undefined || aboutAllMails.test(text)) return 'policy'
  if (bare.reason !== 'text') return bare.reason
  if (text === '') return 'refused'
  return noMailbox.some((words) => words.test(text)) ? 'address' : 'policy'
}
