import {
  codesData,
  codesOf,
  comparableAnswer,
  dataOfNumber,
  passkeyHandle,
  phoneEnrollment,
  questionData,
  questionTexts,
  readNumber,
  type SoftwareCredential,
  softwarePasskey,
  totpData,
} from '../../authenticators/index.ts'
import { type Random, randomToken, type Secrets } from '../../base/index.ts'
import {
  findEnrollments,
  findPersonByIdentifier,
  lockPerson,
  type NewEnrollment,
  newEnrollmentId,
  type Person,
  putEnrollment,
  updatePerson,
} from '../../directory/index.ts'
import type { Engine } from '../../engine/index.ts'
import { checkNames, checkOneOf, checkThat, type Names } from './checks.ts'

/** The phone of a user. */
export interface PhoneToEnroll {
  /** With its country: `+15551234567`. */
  readonly phoneNumber: string
  /** By what codes reach it. The default: text and call. */
  readonly methods?: readonly ('sms' | 'voice')[]
  /** What the user calls it. */
  readonly name?: string
}

/** The answer to a security question. */
export interface QuestionToEnroll {
  readonly answer: string
  /** The key of a question, such as `disliked_food`, which is the default. */
  readonly question?: string
}

/** A passkey. */
export interface PasskeyToEnroll {
  /** What the user calls it. */
  readonly name?: string
}

interface Needs {
  readonly google_otp: Readonly<Record<never, never>>
  readonly phone_number: PhoneToEnroll
  readonly security_question: QuestionToEnroll
  readonly recovery_codes: Readonly<Record<never, never>>
  readonly webauthn: PasskeyToEnroll
}

/** What to enrol, as the control API takes it: the key of an authenticator as `type`, and beside it what it needs. */
export type TypedFactor = {
  readonly [Key in keyof Needs]: { readonly type: Key } & Needs[Key]
}[keyof Needs]

/** What to enrol: one authenticator, by its key, or as the control API takes it. */
export type FactorToEnroll =
  | { readonly [Key in keyof Needs]: Readonly<Record<Key, Needs[Key]>> }[keyof Needs]
  | TypedFactor

export interface EnrolledFactor {
  /** Of the enrollment. */
  readonly id: string
  /** Of an authenticator app: in base32. */
  readonly sharedSecret?: string
  /** Recovery codes: each is good once. */
  readonly codes?: readonly string[]
  /** Of a passkey: with its private key, as Chrome's virtual authenticator takes it (`WebAuthn.addCredential`). */
  readonly credential?: SoftwareCredential
}

export interface KitFactors {
  /**
   * Enrols a factor for a user, as enrolled before: no page, no code, no notice. Whether a sign-in asks for it is the policies' to say.
   *
   * @param who the login, or an object with it
   * @param factor the key of an authenticator that needs nothing else (`google_otp`, `recovery_codes`, `webauthn`), or one key with what
   *   it needs: `{ phone_number: { phoneNumber } }`, `{ security_question: { answer } }`; or the same with `type`:
   *   `{ type: 'phone_number', phoneNumber }`
   * @throws TypeError for a name that does not exist, a value that cannot be used, a user that there is not
   */
  enroll(
    who: string | { readonly login: string },
    factor: 'google_otp' | 'recovery_codes' | 'webauthn' | FactorToEnroll,
  ): Promise<EnrolledFactor>
  /** What a user has besides the password: the id, the key of the authenticator, the name. @throws TypeError as `enroll` */
  list(
    who: string | { readonly login: string },
  ): Promise<readonly { readonly id: string; readonly authenticator: string; readonly name: string | null }[]>
}

const keys = ['google_otp', 'phone_number', 'security_question', 'recovery_codes', 'webauthn']
const phoneNames = Object.keys({
  ...{ phoneNumber: true, methods: true, name: true },
} satisfies Names<PhoneToEnroll>)
const passkeyNames = Object.keys({ name: true } satisfies Names<PasskeyToEnroll>)
const questionNames = Object.keys({ answer: true, question: true } satisfies Names<QuestionToEnroll>)

export function kitFactors(
  engine: Pick<Engine, 'storage' | 'clock' | 'people'>,
  { secrets, random, rpId }: { readonly secrets: Secrets; readonly random: Random; rpId(): string },
): KitFactors {
  const { storage, clock, people } = engine

  async function userOf(who: string | { readonly login: string }, where: string): Promise<Person> {
    const login = typeof who === 'string' ? who : who.login
    const person = await findPersonByIdentifier(storage.db, login)
    if (person === undefined) throw new TypeError(`${where}: there is no user ${JSON.stringify(login)}`)
    return person
  }

  /** What is stored of a factor, and what a test gets to know of it. */
  async function made(
    { id: personId }: Person,
    key: string,
    given: unknown,
  ): Promise<{ readonly enrollment: NewEnrollment; readonly shown?: Omit<EnrolledFactor, 'id'> }> {
    if (key === 'phone_number') return { enrollment: await phoneOf(personId, given) }
    if (key === 'security_question') {
      const { answer, question } = checkedQuestion(given)
      const hash = await people.hashed(comparableAnswer(answer))
      const data = questionData(questionTexts[question] ?? '', hash, question)
      const method = 'security_question'
      return { enrollment: { personId, authenticator: key, prefix: 'qae', method, data } }
    }
    if (key === 'webauthn') {
      checkNames(`factors.enroll: ${key}`, given, passkeyNames)
      const { name } = given as PasskeyToEnroll
      checkThat('factors.enroll: webauthn: name', name, 'a text', (value) => typeof value === 'string')
      const handle = passkeyHandle(await findEnrollments(storage.db, personId), random)
      const of = { personId, handle, rpId: rpId(), ...(name !== undefined && { name }) }
      const { enrollment, credential } = softwarePasskey(of, random)
      return { enrollment, shown: { credential } }
    }
    checkNames(`factors.enroll: ${key}`, given, [])
    if (key === 'google_otp') {
      const { data, sharedSecret } = totpData({ secrets, random })
      const enrollment = { personId, authenticator: key, prefix: 'uft', method: 'otp', data }
      return { enrollment, shown: { sharedSecret } }
    }
    const nonce = randomToken(random)
    const codes = codesOf((purpose) => secrets.hash('codes of a test', `${purpose} ${nonce}`))
    const data = codesData(codes, secrets)
    const enrollment = { personId, authenticator: key, prefix: 'rce', method: 'recovery_code', data }
    return { enrollment, shown: { codes } }
  }

  return {
    async enroll(who, factor) {
      const { key, given } = wantedIn(factor)
      const person = await userOf(who, 'factors.enroll')
      const { enrollment, shown } = await made(person, key, given)
      const id = newEnrollmentId(random, enrollment)
      await storage.transaction(async (tx) => {
        await lockPerson(tx, person.id)
        const now = clock.now()
        await putEnrollment(tx, { ...enrollment, id }, { random, now })
        await updatePerson(tx, person.id, { secretChanged: true }, now)
      })
      return { id, ...shown }
    },
    async list(who) {
      const { id } = await userOf(who, 'factors.list')
      const all = await findEnrollments(storage.db, id)
      return all
        .filter(({ authenticator }) => authenticator !== 'okta_password')
        .map(({ id: enrollment, authenticator, name }) => ({ id: enrollment, authenticator, name }))
    },
  }
}

/** The one authenticator that is named, and what is said of it. */
function wantedIn(factor: unknown): { readonly key: string; readonly given: unknown } {
  if (typeof factor === 'string') {
    requireKey(factor)
    return { key: factor, given: {} }
  }
  if (typeof factor === 'object' && factor !== null && 'type' in factor) {
    const { type, ...given } = factor
    requireKey(String(type))
    return { key: String(type), given }
  }
  const entries = typeof factor === 'object' && factor !== null ? Object.entries(factor) : []
  const [entry] = entries
  if (entry === undefined || entries.length > 1)
    throw new TypeError(`factors.enroll: the factor must be one of ${keys.join(', ')}`)
  const [key, given] = entry
  requireKey(key)
  return { key, given }
}

function requireKey(key: string): void {
  checkOneOf('factors.enroll: the factor', key, keys)
}

async function phoneOf(personId: string, given: unknown): Promise<NewEnrollment> {
  const where = 'factors.enroll: phone_number'
  checkNames(where, given, phoneNames)
  const { phoneNumber, methods, name } = given as Partial<PhoneToEnroll>
  const read = typeof phoneNumber === 'string' ? await readNumber(phoneNumber) : undefined
  if (read === undefined)
    throw new TypeError(`${where}: phoneNumber must be a number with its country, such as +15551234567`)
  if (methods !== undefined && (!Array.isArray(methods) || methods.length === 0))
    throw new TypeError(`${where}: methods must be a list of sms and voice`)
  for (const method of methods ?? []) checkOneOf(`${where}: methods`, method, ['sms', 'voice'])
  const enrollment = phoneEnrollment(personId, methods?.[0] ?? 'sms', {
    ...dataOfNumber(read),
    ...(methods && { methods }),
  })
  return name === undefined ? enrollment : { ...enrollment, name }
}

function checkedQuestion(given: unknown): Required<QuestionToEnroll> {
  const where = 'factors.enroll: security_question'
  checkNames(where, given, questionNames)
  const { answer, question = 'disliked_food' } = given as Partial<QuestionToEnroll>
  if (typeof answer !== 'string' || answer.trim() === '')
    throw new TypeError(`${where}: answer must be a text that is not empty`)
  checkOneOf(`${where}: question`, question, Object.keys(questionTexts))
  return { answer, question }
}
