import type { NewText, TextChannel, TextTemplate } from '../../delivery/index.ts'
import type { Person } from '../../directory/index.ts'
import {
  type Challenge,
  type Charge,
  localesOf,
  type Outcome,
  type Refusal,
  type Started,
  type StepContext,
} from '../../flow/index.ts'
import { type Budgets, everybody, shareOf, type Use, usesOfPool } from '../../limits/index.ts'
import { newCode, type SentCode, subjectsOf } from './code.ts'
import { dialled, type PhoneData, phoneKey } from './data.ts'
import { noNumber, type ReadNumber, rangeOf } from './numbers.ts'

/** What is stored with a challenge whose code is on its way. */
export interface PhoneChallenge {
  /** While data are missing: the method that was chosen before the number. */
  readonly method?: string
  /** The phone that is being enrolled. */
  readonly phone?: PhoneData
  readonly sent?: SentCode
  /** A keyed hash of the number that it went to: of an enrollment that got another one since it proves nothing (A77). */
  readonly to?: string
  /** When something was sent last, by method and phone: what is asked for again too soon is refused. */
  readonly sentAt?: Readonly<Record<string, number>>
}

export const challengeData = (challenge: Challenge | undefined): PhoneChallenge =>
  challenge?.authenticator === phoneKey ? ((challenge.data ?? {}) as PhoneChallenge) : {}

/** What the number is hashed for that a code went to. */
export const sentTo = 'phone of a code'

/** How long after a text, or a call, another one may be asked for. */
const againMs = 30_000

/** What a text is for, by the intent of its transaction. */
const templates: Readonly<Partial<Record<string, TextTemplate>>> = {
  recovery: 'PhoneRecovery',
  unlock: 'PhoneUnlock',
}

const tooMany: Readonly<Record<TextChannel, Refusal>> = {
  sms: { status: 429, key: 'errors.E0000150' },
  voice: { status: 429, key: 'errors.E0000151' },
}
const tooSoon: Readonly<Record<TextChannel, string>> = { sms: 'errors.E0000109', voice: 'errors.E0000133' }

export interface Sending {
  readonly purpose: Challenge['purpose']
  readonly channel: TextChannel
  /** Undefined: none may be sent to; everything happens as if there were one. */
  readonly to: ReadNumber | undefined
  readonly enrollmentId?: string | undefined
}

/** Opens a challenge and sends its code; before a proof the same for every name, whatever its user has. */
export async function send(
  context: StepContext,
  sending: Sending,
): Promise<Started | { readonly refused: Refusal }> {
  const { now, lifetimes, policy, progress } = context
  const { purpose, channel, to, enrollmentId } = sending
  const sentAt = recent(progress.challenge, now)
  const target = `${channel} ${purpose === 'enroll' && to ? dialled(to) : isProven(context) ? enrollmentId : ''}`
  const last = sentAt[target]
  if (last !== undefined) {
    return { refused: { status: 429, key: tooSoon[channel], retryAt: last + againMs } }
  }
  const { code, sent } = await newCode(context)
  const lifetime = policy.codeLifetimes[phoneKey] ?? lifetimes.code
  const expiresAt = now + lifetime
  const data: PhoneChallenge = {
    sent,
    // Hashed for every name, so that it takes the same time (A02).
    to: context.secrets.hash(sentTo, to === undefined ? noNumber : dialled(to)),
    sentAt: { ...sentAt, [target]: now },
    ...(purpose === 'enroll' && to && { phone: phoneOf(to) }),
  }
  return {
    challenge: {
      authenticator: phoneKey,
      method: channel,
      purpose,
      startedAt: now,
      expiresAt,
      ...(enrollmentId !== undefined && { enrollmentId }),
      data,
    },
    effects: [{ type: 'text.queue', message: messageOf(context, sending, { code, expiresAt, lifetime }) }],
    charges: (outcome) => chargesOf(context, outcome, sending),
  }
}

const phoneOf = ({ number, callingCode, extension }: ReadNumber): PhoneData => ({
  number,
  callingCode,
  ...(extension !== undefined && { extension }),
})

const isProven = ({ progress }: StepContext): boolean => progress.proofs.length > 0

const recent = (challenge: Challenge | undefined, now: number): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(challengeData(challenge).sentAt ?? {}).filter(([, at]) => now < at + againMs),
  )

function messageOf(
  context: StepContext,
  { purpose, channel, to }: Sending,
  {
    code,
    expiresAt,
    lifetime,
  }: { readonly code: string; readonly expiresAt: number; readonly lifetime: number },
): Omit<NewText, 'transactionId' | 'source'> {
  const { interaction, org, person, progress } = context
  const { profile } = person ?? {}
  return {
    channel,
    template: purpose === 'enroll' ? 'PhoneEnrollment' : (templates[progress.intent] ?? 'PhoneSignIn'),
    recipient: to === undefined ? null : dialled(to),
    personId: to === undefined ? null : (person?.id ?? null),
    variables: {
      code,
      host: hostOf(interaction.redirectUri),
      org: org.name,
      lifetimeMs: lifetime,
      ...(profile &&
        person && {
          user: {
            id: person.id,
            login: profile.login,
            firstName: profile.firstName,
            lastName: profile.lastName,
          },
        }),
    },
    endsAt: expiresAt,
    locale: localesOf(interaction, person),
  }
}

/** The host of the app's own pages, where the code is typed; an app without pages of a browser has none. */
function hostOf(redirectUri: string): string | undefined {
  const url = URL.parse(redirectUri)
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url.hostname : undefined
}

/** Who is not here yet, or not any more, gets nothing; the visitor sees no difference. */
export const mayGetText = ({ status }: Person): boolean => status !== 'STAGED' && status !== 'DEPROVISIONED'

/**
 * What a text costs (A65). By name as typed and source: refused openly, the same for every name. By user, number, range,
 * country and day: after a proof refused openly; before one nothing is sent, and the answer is that of one that was (A79).
 */
function chargesOf(context: StepContext, outcome: Outcome, { channel, to }: Sending): readonly Charge[] {
  const { budgets, person, progress, source, secrets } = context
  const { typed, account } = subjectsOf(context)
  const refused: Outcome = { progress, refused: tooMany[channel] }
  const toNobody: Outcome = {
    ...outcome,
    effects: (outcome.effects ?? []).map((effect) =>
      effect.type === 'text.queue'
        ? { ...effect, message: { ...effect.message, recipient: null, personId: null } }
        : effect,
    ),
  }
  const over = isProven(context) ? refused : toNobody
  const read = to ?? { number: noNumber, callingCode: '', countries: [] }
  // What is not sent costs nothing: it is counted shadow, or names of no user would use up what all others have.
  const isTrusted = isProven(context) || context.isKnownSource(person)
  const ofNumber = usesOfNumber(read, { budgets, secrets }, to === undefined ? 'phantom ' : '').map((use) =>
    isTrusted ? use : { ...use, budget: withoutReserve(use.budget) },
  )
  const uses: readonly Use[] = [
    ...usesOfPool(budgets.texts, source, { subject: account, known: isTrusted }),
    ...ofNumber.slice(0, -1),
  ]
  return [
    {
      budget: shareOf(budgets.texts, source),
      subject: `${typed} ${source.key}`,
      otherwise: refused,
      announces: 'system.operation.rate_limit.violation',
    },
    ...uses.map((use) => ({ ...use, otherwise: over })),
    ...ofNumber.slice(-1).map((use) => ({
      ...use,
      otherwise: over,
      announces: 'system.operation.rate_limit.violation' as const,
    })),
  ]
}

/**
 * What of a budget is there for those who have proven nothing: half of it. The rest is the reserve of users with a right password, and
 * of sources that the user has signed in from: else strangers who begin recoveries would take the second factor from its owner (A56).
 */
const withoutReserve = (budget: Use['budget']): Use['budget'] => ({
  ...budget,
  limit: Math.ceil(budget.limit / 2),
})

/**
 * What a text to a number is counted on, whatever asks for it (A65): by number, range, country, and in all, which is the last one.
 *
 * @param shadow put before what is counted, for what is not sent
 */
export function usesOfNumber(
  { number, callingCode, countries }: Pick<ReadNumber, 'number' | 'callingCode' | 'countries'>,
  { budgets, secrets }: Pick<StepContext, 'secrets'> & { readonly budgets: Budgets },
  shadow = '',
): readonly Use[] {
  // A keyed hash: a dump of the database is no directory of numbers.
  const hashed = (text: string) => secrets.hash('number budget', text)
  const [country = callingCode] = countries.length === 1 ? countries : []
  return [
    { budget: budgets.textsPerNumber, subject: hashed(`${shadow}${number}`) },
    { budget: budgets.textsPerRange, subject: hashed(`${shadow}${rangeOf({ number })}`) },
    { budget: budgets.textsPerCountry, subject: `${shadow}${country}` },
    { budget: budgets.textsPerDay, subject: `${shadow}${everybody}` },
  ]
}
