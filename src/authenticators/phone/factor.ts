import { randomDigits } from '../../base/index.ts'
import type { TextChannel } from '../../delivery/index.ts'
import type { Enrollment, Person } from '../../directory/index.ts'
import {
  alreadySetUp,
  type FactorChallenge,
  type FactorContext,
  type FactorKind,
  type FactorProblems,
  type FactorVerdict,
  type ManagedFactor,
  type NewFactor,
  noPassCode,
  passCodeIn,
} from '../../flow/index.ts'
import {
  dataOfNumber,
  dialled,
  maskedPhone,
  methodsIn,
  type PhoneData,
  phoneEnrollment,
  phoneKey,
} from './data.ts'
import { isServed, type ReadNumber, readNumber } from './numbers.ts'
import { usesOfNumber } from './send.ts'

interface CodeData {
  readonly codeHash: string
  /** Where the code went: it proves that phone and no other. */
  readonly to: string
  readonly expiresAt: number
}

const purpose = 'factor code'
const dataIn = (data: unknown): PhoneData => data as PhoneData
const channelOf = ({ method }: FactorKind): TextChannel => method as TextChannel

/** The user's phone with a number, as it is now. */
const phoneWith = (enrollments: readonly Enrollment[], data: PhoneData): Enrollment | undefined =>
  enrollments.find((one) => one.authenticator === phoneKey && dialled(dataIn(one.data)) === dialled(data))

/**
 * The phone as two factors of the management API, `sms` and `call`: methods of one enrollment, the number's. One that was
 * enrolled at a sign-in has both.
 */
export function phoneFactor(countries: readonly string[]): ManagedFactor {
  return {
    kinds: [
      { ...okta, factorType: 'sms', method: 'sms', idPrefix: 'sms', sends: 'sms' },
      { ...okta, factorType: 'call', method: 'voice', idPrefix: 'clf', sends: 'call' },
    ],
    several: true,
    isOf: ({ method }, { data }) => methodsIn(dataIn(data)).includes(method),
    profile: (data) => {
      const { number, extension } = dataIn(data)
      return { phoneNumber: number, ...(extension !== undefined && { phoneExtension: extension }) }
    },
    maskedProfile: (data) => ({ phoneNumber: maskedPhone(dataIn(data)) }),
    without({ method }, { data, personId }) {
      const methods = methodsIn(dataIn(data)).filter((one) => one !== method)
      const [first] = methods
      if (first === undefined) return undefined
      const { slot } = phoneEnrollment(personId, first, dataIn(data))
      return { method: first, data: { ...dataIn(data), methods }, ...(slot !== undefined && { slot }) }
    },
    enroll: ({ kind, profile, updates }, context) => enroll(countries, { kind, profile, updates }, context),
    challenge: async ({ kind, id, data, enrollment }, context) =>
      send(channelOf(kind), { id, data: dataIn(data), isNew: enrollment === undefined }, context),
    async activate(answer, { id, kind, data, challenge }, context) {
      const verdict = check(answer, { id, data: dataIn(data), challenge }, context)
      if (verdict.verdict !== 'right') return verdict
      // As of now: another method of the same number may have been enrolled since.
      return { ...verdict, enrollment: stored(dataIn(data), kind, context) }
    },
    verify: async (answer, { id, data, challenge }, context) =>
      check(answer, { id, data: dataIn(data), challenge }, context),
  }
}

const okta = { provider: 'OKTA', vendorName: 'OKTA' } as const

/** What is stored of a number with one more method. */
function stored(data: PhoneData, { method }: FactorKind, { enrollments, person }: FactorContext) {
  const same = phoneWith(enrollments, data)
  const before = same === undefined ? [] : methodsIn(dataIn(same.data))
  const { methods: _, ...number } = data
  const { slot = '' } = phoneEnrollment(person.id, method, data)
  return {
    data: { ...number, methods: [...new Set([...before, method])] } satisfies PhoneData,
    slot,
    ...(same?.name != null && { name: same.name }),
  }
}

async function enroll(
  countries: readonly string[],
  {
    kind,
    profile: { phoneNumber, phoneExtension = '' },
    updates,
  }: {
    readonly kind: FactorKind
    readonly profile: Readonly<Record<string, unknown>>
    readonly updates: boolean
  },
  context: FactorContext,
): Promise<FactorProblems | NewFactor> {
  if (typeof phoneNumber !== 'string' || phoneNumber.trim() === '')
    return { problems: ['profile.phoneNumber: The field cannot be left blank'] }
  const extension = phoneExtension === null ? '' : String(phoneExtension).trim()
  const read = await readNumber(extension === '' ? phoneNumber : `${phoneNumber}x${extension}`)
  if (read === undefined)
    return { problems: ['profile.phoneNumber: must be a number with its country, such as +15551234567'] }
  if (!isServed(read, countries))
    return { problems: ['profile.phoneNumber: codes cannot be sent to this number'] }
  if (read.extension !== undefined && kind.method === 'sms')
    return { problems: ['profile.phoneNumber: a phone behind an extension takes calls only; use call'] }
  const { enrollments } = context
  const data = dataOfNumber(read)
  const same = phoneWith(enrollments, data)
  if (same !== undefined && methodsIn(dataIn(same.data)).includes(kind.method))
    return { problems: [alreadySetUp] }
  const replaced =
    same === undefined && updates
      ? enrollments.find(({ authenticator }) => authenticator === phoneKey)
      : undefined
  const enrollment = same ?? replaced
  return {
    ...stored(data, kind, context),
    ...(enrollment && { enrollment: { id: enrollment.id } }),
    ...(replaced && { replaces: true }),
  }
}

/** A code of six digits. Guesses at it are counted by factor, a few a day. */
async function send(
  channel: TextChannel,
  { id, data, isNew }: { readonly id: string; readonly data: PhoneData; readonly isNew: boolean },
  context: FactorContext,
): Promise<FactorChallenge> {
  const { now, random, secrets, person, org, codeLifetime, language, budgets } = context
  const code = randomDigits(random, 6)
  const expiresAt = now + codeLifetime
  const to = dialled(data)
  const read = await readNumber(to)
  const challenge: CodeData = { codeHash: secrets.hash(purpose, `${id}:${code}`), to, expiresAt }
  const message = {
    channel,
    template: isNew ? 'PhoneEnrollment' : 'PhoneSignIn',
    recipient: to,
    personId: person.id,
    variables: { code, org: org.name, lifetimeMs: codeLifetime, user: userOf(person) },
    endsAt: expiresAt,
    locale: [language, person.profile.locale].filter((one) => one !== undefined).join(',') || undefined,
  } as const
  const charges = read === undefined ? [] : usesOfNumber(read as ReadNumber, { budgets, secrets })
  return { data: challenge, expiresAt, charges, effects: [{ type: 'text.queue', message }] }
}

const userOf = ({ id, profile: { login, firstName, lastName } }: Person) => ({
  id,
  login,
  firstName,
  lastName,
})

function check(
  answer: Readonly<Record<string, unknown>>,
  { id, data, challenge }: { readonly id: string; readonly data: PhoneData; readonly challenge: unknown },
  { now, secrets }: FactorContext,
): FactorVerdict {
  const code = passCodeIn(answer)
  if (code === undefined) return noPassCode
  const { codeHash = '', to, expiresAt = 0 } = (challenge ?? {}) as Partial<CodeData>
  // A code that went to another number proves nothing (A59).
  if (expiresAt <= now || to !== dialled(data)) return { verdict: 'timeout' }
  if (!secrets.matches(purpose, `${id}:${code}`, codeHash)) return { verdict: 'wrong', rule: 'wrong-code' }
  return { verdict: 'right', effects: [] }
}
