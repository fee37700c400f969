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
  readonly reason: RefusalReason
}

/** What a reply without an enhanced code says (RFC 5321, section 4.2.3). What is not listed is tried again. */
export const bareCodes: readonly BareRule[] = [
  { at: 'recipient', code: 550, reason: 'address' },
  { at: 'recipient', code: 551, reason: 'address' },
  { at: 'recipient', code: 553, reason: 'address' },
  // RFC 7504: the domain accepts no mail.
  { at: 'recipient', code: 521, reason: 'address' },
  { at: 'recipient', code: 556, reason: 'address' },
  { at: 'message', code: 550, reason: 'content' },
  { at: 'message', code: 551, reason: 'content' },
  { at: 'message', code: 553, reason: 'content' },
  { at: 'message', code: 554, reason: 'content' },
]

// Exim and others deny relaying with a bare 550; that is about this client and not about the mailbox.
const aboutTheClient = /\brelay(?:ing|ed)?\b|\bauthenticat\w*/i

/** The enhanced status code of a reply, such as `5.1.1`; undefined where it has none. */
export const enhancedCodeOf = (reply: string): string | undefined =>
  /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/m.exec(reply)?.[1]

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
  // 5.0.0, and what the table does not know, say no more than the code before them.
  const rule = enhancedCodes.find((one) => enhanced === one.code || enhanced?.startsWith(`${one.code}.`))
  if (rule !== undefined) return rule.reason
  const at = stage === 'recipient' ? 'recipient' : 'message'
  const bare = bareCodes.find((one) => one.at === at && one.code === code)
  return bare === undefined || aboutTheClient.test(reply) ? 'policy' : bare.reason
}
