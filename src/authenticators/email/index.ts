import {
  openUnder,
  plainHash,
  randomDigits,
  randomLegible,
  randomToken,
  sealUnder,
} from '../../base/index.ts'
import type { NewMail } from '../../delivery/index.ts'
import {
  hasVerifiedEmail,
  isUnclaimed,
  looksLikeAddress,
  mailboxKey,
  maskAddress,
  type Person,
  verifiedSecondEmail,
} from '../../directory/index.ts'
import {
  type Authenticator,
  type Challenge,
  type Charge,
  type Choice,
  type Effect,
  type Field,
  givesWay,
  type Input,
  intents,
  isMistyped,
  type Judgement,
  linkToken,
  localesOf,
  mailboxSubjects,
  mailVariables,
  nameAndAccount,
  type Outcome,
  type Progress,
  replacing,
  type Started,
  type StepContext,
  textAt,
  type View,
} from '../../flow/index.ts'
import { type Budget, everybody, shareOf, usesOfPool } from '../../limits/index.ts'
import type { Policy } from '../../policies/index.ts'
import { emailFactor } from './factor.ts'

const key = 'okta_email'

/** What the configuration says of it. */
interface EmailOptions {
  /** Whether the method is asked for before a mail leaves; an app may have its own setting. */
  readonly methodChoice: boolean
}

/**
 * The email authenticator: a code and, unless it is switched off, a magic link in one mail. Owns how codes are made, checked
 * and explained; the mail's words stand in the catalogue. Six digits as a rule; ten letters and digits once the day's budget
 * for short codes is spent, so that guessing stops without locking the owner out.
 */
export const emailAuthenticator = (
  { methodChoice }: EmailOptions = { methodChoice: false },
): Authenticator => {
  const asksFirst = ({ settings }: View['client']): boolean => settings.emailMethodChoice ?? methodChoice
  const isComplete = ({ isMethodChosen }: Choice, { client }: View): boolean =>
    isMethodChosen || !asksFirst(client)
  return {
    key,
    type: 'email',
    displayName: 'Email',
    factors: ['possession'],
    traits: [],
    methods: [{ type: 'email', amr: ['otp'] }],
    first: true,
    recovers: true,
    initialStatus: 'ACTIVE',
    implicit: true,
    hasEnrolled: hasVerifiedEmail,
    enrollmentPrefix: 'eae',
    factor: emailFactor,
    challenge: {
      asksFirst,
      dataFields: ({ client }) => (asksFirst(client) ? [methodField(true)] : undefined),
      isComplete,
      start: (context) => start(context, 'verify'),
      judge,
      resends: true,
      polls,
      fields: codeFields,
      profile,
      contextualData,
      provesMailbox: (challenge) => dataOf(challenge)?.toBoth !== true,
      codeUnder: (challenge, token) => openUnder(token, 'link code', dataOf(challenge)?.sealedCode ?? ''),
    },
    // Where a policy asks for it: elsewhere every user has the mailbox of the primary address.
    enroll: {
      dataFields: ({ client }) => (asksFirst(client) ? [methodField(false)] : undefined),
      isComplete,
      start: (context) => start(context, 'enroll'),
      judge,
      resends: true,
      polls,
      fields: codeFields,
      contextualData,
    },
    settings: {
      useEmailMagicLink: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
      allowedFor: (value) =>
        ['any', 'recovery', 'sso', 'none'].includes(value as string)
          ? undefined
          : 'must be one of any, recovery, sso, none',
      tokenLifetimeInMinutes: (value) =>
        Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1440
          ? undefined
          : 'must be a number from 1 to 1440',
    },
    messages: {
      'api.authn.error.PASSCODE_INVALID': { class: 'ERROR', text: 'Invalid code. Try again.' },
    },
  }
}

const methodField = (required: boolean): Field => ({
  name: 'methodType',
  type: 'string',
  required,
  values: [{ label: 'Email', value: 'email' }],
})

const codeFields = (challenge: Challenge | undefined): readonly Field[] => [
  {
    name: 'credentials',
    type: 'object',
    required: true,
    fields: [
      {
        name: 'passcode',
        label: 'Enter code',
        ...(dataOf(challenge)?.long ? { minLength: 10, maxLength: 10, format: 'alphanumeric' as const } : {}),
      },
    ],
  },
]

/** Only a link is used elsewhere: a code is typed where it was asked for. */
const polls = ({ linkHash }: Challenge): number | undefined => (linkHash === undefined ? undefined : 4000)

const contextualData = ({ linkHash }: Challenge) => ({ useEmailMagicLink: linkHash !== undefined })

/** Before a proof made from what was typed, never from what is stored: it says the same about unknown users. */
function profile({
  policy,
  progress: { subject },
  user,
}: View): Readonly<Record<string, string>> | undefined {
  if (user !== undefined) {
    const second = secondAddressOf(user, policy)
    return {
      email: maskAddress(user.profile.email),
      ...(second !== undefined && { secondaryEmail: maskAddress(second) }),
    }
  }
  const typed = subject?.identifier.trim() ?? ''
  return looksLikeAddress(typed) ? { email: maskAddress(typed) } : undefined
}

/** Where codes go besides the primary address: to an address that the user has proven to read, and to no other. */
const secondAddressOf = (person: Person | undefined, { secondaryEmails }: Policy): string | undefined =>
  // Who made an account without proving its mailbox may have added an own address to it (A63).
  person === undefined || !secondaryEmails || isUnclaimed(person) ? undefined : verifiedSecondEmail(person)

interface EmailChallenge {
  readonly codeHash: string
  /** The code once more for the link's page, sealed under the link's token, which is stored nowhere. Absent: no link. */
  readonly sealedCode?: string
  /** The address is a user's already: no code is right. */
  readonly taken?: true
  /** It was mailed to a second address, too: a right code does not say which of the two was read. */
  readonly toBoth?: true
  /** Whether the form says that a long code is expected. */
  readonly long: boolean
  /** Whether the mailed code is long: its guesses need no daily budget. */
  readonly longCode: boolean
}

const dataOf = (challenge: Challenge | undefined) => challenge?.data as EmailChallenge | undefined

/** By what a visitor typed, and by the account behind it; unknown users have an account of their own kind. */
const subjectsOf = ({ progress, person, secrets }: StepContext) =>
  person?.prospective
    ? mailboxSubjects(secrets, person.profile.email)
    : nameAndAccount(secrets, progress.subject?.identifier ?? '', person)

/**
 * What mails are counted by: the account, but for one whose mailbox no user has proven, which is a visitor's with the address of another.
 * All such accounts of one mailbox share one budget, or each of `victim+1@`, `victim+2@` … would have mails of its own (A28).
 */
function mailSubjectOf({ person, progress, secrets }: StepContext, account: string): string {
  // Hashed for every name, so that all take the same time (A02).
  const { account: mailbox } = mailboxSubjects(
    secrets,
    person?.profile.email ?? progress.subject?.identifier ?? '',
  )
  return person !== undefined && isUnclaimed(person) ? mailbox : account
}

/**
 * Who has the address of a user who is not there yet, and would not give way: that user gets a notice in place of the code, and
 * no code is right. Looked up by the same statement for every address (A64).
 */
async function ownerOf(context: StepContext): Promise<Person | undefined> {
  const { person, directory } = context
  if (person?.prospective !== true) return undefined
  const holder = await directory.findByIdentifier(person.profile.email)
  return holder && !givesWay(holder, person.profile, replacing(context)) ? holder : undefined
}

/** An unknown user never succeeds: what made-up names have used up is forgotten after a day, or it would stay for good (A45). */
const untilSuccessOf = ({ budgets, person }: StepContext): Budget =>
  person === undefined || person.prospective
    ? { ...budgets.codesUntilSuccess, windowMs: budgets.codesPerDay.windowMs }
    : budgets.codesUntilSuccess

async function start(context: StepContext, purpose: Challenge['purpose']): Promise<Started> {
  const { budgets, lifetimes, now, person, policy, progress, random, secrets, transaction } = context
  const { mail: words } = intents[progress.intent]
  const { typed, account } = subjectsOf(context)
  const { everywhere } = budgets.spray
  const untilSuccess = untilSuccessOf(context)
  // All are asked for, whatever the first one says: the number of statements must not depend on the account (A02).
  const [asTyped = 0, wrongEverywhere = 0, today = 0, lately = 0] = await context.used([
    { budget: budgets.codesPerDay, subject: typed },
    { budget: everywhere, subject: everybody },
    { budget: budgets.codesPerDay, subject: account },
    { budget: untilSuccess, subject: account },
  ])
  const spentAsTyped = asTyped >= budgets.codesPerDay.limit
  const attackFrom = (await context.attackFrom?.(wrongEverywhere)) ?? everywhere.limit
  const underAttack = wrongEverywhere >= attackFrom
  const spentOfAccount = today >= budgets.codesPerDay.limit || lately >= untilSuccess.limit

  // The form may only show what the visitor's own attempts have spent; the mail goes to the owner, who may have a long
  // code wherever a short one would not be accepted any more.
  // While the whole installation is being guessed at (A11), all mails carry what cannot be guessed.
  const long = spentAsTyped || underAttack
  const longCode = long || spentOfAccount
  const code = longCode ? randomLegible(random, 10) : randomDigits(random, 6)
  const token = linkToken(transaction.id, randomToken(random))
  const lifetime = policy.codeLifetimes[key] ?? lifetimes.code
  const expiresAt = now + lifetime
  const { linkOnly = false } = context.interaction.request.classic ?? {}
  const hasLink = linkOnly || policy.authenticatorSettings[key]?.useEmailMagicLink !== false
  const owner = await ownerOf(context)
  const reader = owner ?? person
  // The address may be the login of a user with another mailbox: it is the typed one that gets the mail, and nothing of that user (A63).
  const isElsewhere = owner !== undefined && person !== undefined && !haveSameMailbox(owner, person)
  // Who is not here yet, or not any more, gets no mail; the visitor sees no difference.
  const addressee = reader === undefined || !mayGetMail(reader) ? undefined : isElsewhere ? person : reader
  // What is being enrolled is the primary address alone.
  const alsoToSecond = purpose === 'verify' && policy.secondaryEmails
  const second = alsoToSecond ? secondAddressOf(addressee, policy) : undefined
  const data: EmailChallenge = {
    codeHash: secrets.hash('code', `${transaction.id}:${code}`),
    ...(hasLink && { sealedCode: sealUnder(token, 'link code', code) }),
    ...(second !== undefined && { toBoth: true as const }),
    ...(owner !== undefined && { taken: true as const }),
    long,
    longCode,
  }
  // What a stranger has typed about the owner of a mailbox is no text of a mail to it (A63).
  const named = person?.prospective
    ? { profile: { email: person.profile.email, login: person.profile.email } }
    : person
  const about = isElsewhere ? named : (owner ?? named)
  const mail: NewMail = {
    template: owner === undefined ? words.template : 'RegistrationTaken',
    variables:
      owner === undefined
        ? {
            ...(!linkOnly && { [words.code]: code }),
            ...(hasLink && { [words.link]: context.linkFor(token) }),
          }
        : {},
    recipient: addressee?.profile.email ?? null,
    personId: addressee === undefined || addressee.prospective ? null : addressee.id,
    transactionId: transaction.id,
    endsAt: expiresAt,
    locale: localesOf(context.interaction, about),
  }
  const variables = { ...mailVariables(context, about, lifetime), ...mail.variables }
  // Of all users or of none: how many mails are written must not show who has two addresses (A02).
  const mails: readonly NewMail[] = [
    mail,
    ...(alsoToSecond
      ? [{ ...mail, recipient: second ?? null, personId: second === undefined ? null : mail.personId }]
      : []),
  ]
  return {
    challenge: {
      authenticator: key,
      method: 'email',
      purpose,
      startedAt: now,
      expiresAt,
      ...(hasLink && { linkHash: plainHash(token) }),
      data,
    },
    effects: mails.map((each) => ({ type: 'mail.queue', mail: { ...each, variables } })),
    charges: (outcome) => mailCharges(context, outcome, typed, mailSubjectOf(context, account)),
  }
}

const haveSameMailbox = (one: Person, other: Person): boolean =>
  mailboxKey(one.profile.email) === mailboxKey(other.profile.email)

const mayGetMail = ({ status }: Person): boolean => status !== 'STAGED' && status !== 'DEPROVISIONED'

/**
 * Too many mails to a name as typed, from one source: refused openly, the same for every name. Too many to the account,
 * from that source or from all: silently sent to no address. What all sources together have taken is never shown, as from
 * a source that the user has signed in from it is more (A56), which would reveal who signs in from there.
 */
function mailCharges(
  context: StepContext,
  outcome: Outcome,
  typed: string,
  account: string,
): readonly Charge[] {
  const toNobody: Outcome = {
    ...outcome,
    effects: (outcome.effects ?? []).map((effect) =>
      effect.type === 'mail.queue'
        ? { ...effect, mail: { ...effect.mail, recipient: null, personId: null } }
        : effect,
    ),
  }
  const refused: Outcome = { progress: context.progress, refused: { status: 429, key: 'tooManyRequests' } }
  const { budgets, person, source } = context
  const pool = usesOfPool(budgets.mails, source, { subject: account, known: context.isKnownSource(person) })
  return [
    {
      budget: shareOf(budgets.mails, source),
      subject: `${typed} ${source.key}`,
      otherwise: refused,
      announces: 'system.operation.rate_limit.violation',
    },
    ...pool.map((use) => ({ ...use, otherwise: toNobody })),
  ]
}

/**
 * A code that came by mail proves that the user reads the mails of the address; known once, it is not written again. One
 * that went to two addresses does not say which of them the user reads. In an account that a visitor made without it, the
 * user who proves the mailbox before anything else may be another than the visitor, of whom nothing stays (A63).
 */
function verifies(person: Person, { toBoth }: EmailChallenge, { proofs }: Progress): readonly Effect[] {
  if (toBoth || hasVerifiedEmail(person)) return []
  const claims = isUnclaimed(person) && proofs.length === 0
  const { email } = person.profile
  const changes = { verifiedEmail: email, ...(claims && { secretChanged: true as const }) }
  return [
    { type: 'person.update', personId: person.id, changes },
    ...(claims ? [{ type: 'account.claim', person } as const] : []),
  ]
}

async function judge(
  input: Input,
  context: StepContext,
  challenge: Challenge | undefined,
): Promise<Judgement> {
  const typedCode = textAt(input, 'credentials.passcode')
  const data = dataOf(challenge)
  if (challenge === undefined || data === undefined) return { verdict: 'unreadable' }
  if (typedCode === undefined || typedCode === '' || isMistyped(input, 'credentials.passcode')) {
    return { verdict: 'unreadable' }
  }
  const { budgets, now, person, secrets, transaction } = context
  const code = typedCode.normalize('NFKC').replace(/[\s-]/g, '').toUpperCase().slice(0, 64)
  // Compared even where it cannot be right, so that the time reveals nothing.
  const matches = secrets.matches('code', `${transaction.id}:${code}`, data.codeHash)
  const right = matches && person !== undefined && data.taken !== true && now < challenge.expiresAt
  const { typed, account } = subjectsOf(context)
  const clears: Effect = { type: 'budget.clear', budget: budgets.codesUntilSuccess, subject: account }
  return {
    verdict: right ? 'right' : 'wrong',
    // The form says whether a short code is asked for, so wrong answers are charged by it; whether the mailed code is
    // short depends on the account, and is charged to the account (A52). A right long code needs no budget.
    visible: data.long || (right && data.longCode) ? [] : [{ budget: budgets.codesPerDay, subject: typed }],
    budgets: data.longCode
      ? []
      : [
          { budget: budgets.codesPerDay, subject: account },
          { budget: untilSuccessOf(context), subject: account },
        ],
    effects: right ? [...verifies(person, data, context.progress), clears] : [],
    refusal: { status: 401, key: 'api.authn.error.PASSCODE_INVALID', field: 'credentials.passcode' },
    rule: person === undefined || data.taken ? 'nobody' : matches ? 'code-expired' : 'wrong-code',
  }
}
