import { randomDigits } from '../../base/index.ts'
import { hasVerifiedEmail, mailboxKey, maskAddress, type Person } from '../../directory/index.ts'
import {
  alreadySetUp,
  type FactorChallenge,
  type FactorContext,
  type FactorVerdict,
  factorMailVariables,
  type ManagedFactor,
  noPassCode,
  passCodeIn,
} from '../../flow/index.ts'

/** What the mailbox of a user is, as a factor. */
interface MailboxData {
  readonly email: string
}

interface CodeData {
  readonly codeHash: string
  /** Where the code went: it proves that mailbox and no other. */
  readonly mailbox: string
  readonly expiresAt: number
}

const purpose = 'factor code'
const emailOf = (data: unknown): string => (data as MailboxData).email
const primary = ({ profile }: Person): MailboxData => ({ email: profile.email })

/**
 * Email as a factor of the management API. The primary address is one once the user has proven to read its mails: it needs no
 * enrollment of its own, and goes only with the address.
 */
export const emailFactor: ManagedFactor = {
  kinds: [
    {
      factorType: 'email',
      provider: 'OKTA',
      vendorName: 'OKTA',
      method: 'email',
      idPrefix: 'emf',
      sends: 'email',
    },
  ],
  implied: (person) => (hasVerifiedEmail(person) ? primary(person) : undefined),
  profile: (data) => ({ email: emailOf(data) }),
  maskedProfile: (data) => ({ email: maskAddress(emailOf(data)) }),
  refuses: { remove: 'the primary email of a user is a factor for as long as it is the primary email' },
  async enroll({ profile: { email } }, { person }) {
    if (typeof email !== 'string' || email.trim() === '')
      return { problems: ['profile.email: The field cannot be left blank'] }
    if (mailboxKey(email) !== mailboxKey(person.profile.email))
      return { problems: ['profile.email: must be the primary email of the user'] }
    if (hasVerifiedEmail(person)) return { problems: [alreadySetUp] }
    return { data: primary(person), isImplied: true, effects: [verified(person)] }
  },
  challenge: async ({ id, data }, context) => mailed(id, emailOf(data), context),
  activate: async (answer, { id, challenge }, context) => checked(answer, id, challenge, context),
  verify: async (answer, { id, challenge }, context) => checked(answer, id, challenge, context),
}

const verified = ({ id, profile }: Person) =>
  ({ type: 'person.update', personId: id, changes: { verifiedEmail: profile.email } }) as const

/** Six digits in a mail without a link: nothing of a browser is known that a link could go on in. */
function mailed(id: string, email: string, context: FactorContext): FactorChallenge {
  const { now, random, secrets, person, codeLifetime } = context
  const code = randomDigits(random, 6)
  const expiresAt = now + codeLifetime
  const data: CodeData = {
    codeHash: secrets.hash(purpose, `${id}:${code}`),
    mailbox: mailboxKey(email),
    expiresAt,
  }
  const mail = {
    template: 'EmailChallenge',
    recipient: email,
    personId: person.id,
    variables: { ...factorMailVariables(context), verificationToken: code },
    endsAt: expiresAt,
    locale: person.profile.locale,
  } as const
  return { data, expiresAt, effects: [{ type: 'mail.queue', mail }] }
}

function checked(
  answer: Readonly<Record<string, unknown>>,
  id: string,
  challenge: unknown,
  { now, secrets, person }: FactorContext,
): FactorVerdict {
  const code = passCodeIn(answer)
  if (code === undefined) return noPassCode
  const { codeHash = '', mailbox, expiresAt = 0 } = (challenge ?? {}) as Partial<CodeData>
  // A code that went to an address which the user does not have any more proves nothing (A59).
  if (expiresAt <= now || mailbox !== mailboxKey(person.profile.email)) return { verdict: 'timeout' }
  if (!secrets.matches(purpose, `${id}:${code}`, codeHash)) return { verdict: 'wrong', rule: 'wrong-code' }
  return { verdict: 'right', effects: hasVerifiedEmail(person) ? [] : [verified(person)] }
}
