import { Type } from 'typebox'
import { type PhoneData, phoneEnrollment, phoneKey } from '../authenticators/index.ts'
import { apiError, type ProtocolError } from '../base/index.ts'
import {
  type Enrollment,
  endFactorChallenges,
  findEnrollments,
  findFactorChallenges,
  ifUnchanged,
  newEnrollmentId,
  putFactorChallenge,
  type StoredChallenge,
  useFactorChallenge,
} from '../directory/index.ts'
import { type AskedFactor, type FactorChallenge, type FactorKind, factorId } from '../flow/index.ts'
import type { Tx } from '../storage/index.ts'
import { removeFactor, settling } from './authenticators.ts'
import { type Answer, type Call, invalid, link, type Operation, operation, text } from './operation.ts'
import {
  confirmFactor,
  factorContextOf,
  mayAnswer,
  type OwnAuthenticator,
  openOf,
  ownAuthenticator,
  requireOwner,
  sendTo,
} from './own-factors.ts'

const day = 86_400_000

/** What of a phone that waits to be confirmed is stored, as the factors API stores it. */
interface Pending {
  readonly enrolled: PhoneData
  /** Of the code that was sent last; null: none was. */
  readonly challenge: unknown
}

/** A phone of the user: enrolled, or one whose code has not come back yet. */
interface Phone {
  readonly id: string
  readonly data: PhoneData
  readonly enrollment?: Enrollment
  readonly pending?: StoredChallenge
  /** The code that was sent to a phone that is enrolled. */
  readonly asked?: StoredChallenge
}

const dataOf = ({ data }: Enrollment): PhoneData => data as PhoneData

async function phonesOf(call: Call<unknown>): Promise<readonly Phone[]> {
  const own = (await findEnrollments(call.parts.storage.db, call.caller.person.id)).filter(
    ({ authenticator }) => authenticator === phoneKey,
  )
  const open = await openOf(call, phoneKey)
  const enrolled = own.map((enrollment): Phone => {
    const { id } = enrollment
    const asked = open.find((one) => one.purpose === 'verify' && one.enrollmentId === id)
    return { id, data: dataOf(enrollment), enrollment, ...(asked && { asked }) }
  })
  const waiting = open
    .filter(
      ({ purpose, enrollmentId }) => purpose === 'activate' && own.every(({ id }) => id !== enrollmentId),
    )
    .map((pending): Phone => {
      const { enrolled: data } = pending.data as Pending
      return { id: pending.enrollmentId, data, pending }
    })
  return [...enrolled, ...waiting]
}

/** Of an id that is none of the user's, and of an authenticator that cannot be used, the same. */
const noPhone = () => apiError('E0000008', { causes: [troubled] })
const troubled =
  "This operation couldn't be completed as requested due to an issue with the specified authenticator."

async function find(call: Call<unknown>): Promise<Phone> {
  const found = (await phonesOf(call)).find(({ id }) => id === call.params.id)
  if (found === undefined) throw noPhone()
  return found
}

function shown(call: Call<unknown>, { id, data, enrollment }: Phone) {
  const self = `/phones/${id}`
  return {
    id,
    status: enrollment === undefined ? 'UNVERIFIED' : 'VERIFIED',
    profile: { phoneNumber: data.number },
    ...(enrollment?.name != null && { nickname: enrollment.name }),
    ...(enrollment && settling(enrollment, call.now)),
    _links: {
      self: link(call, self, 'GET', 'DELETE'),
      challenge: link(call, `${self}/challenge`, 'POST'),
      ...(enrollment === undefined && { verify: link(call, `${self}/verify`, 'POST') }),
    },
  }
}

type Way = 'SMS' | 'CALL'

/** The factor of a way by which codes are sent. */
function kindOf({ managed }: OwnAuthenticator, way: Way = 'SMS'): FactorKind {
  const wanted = way === 'CALL' ? 'call' : 'sms'
  const [first] = managed.kinds
  return managed.kinds.find(({ factorType }) => factorType === wanted) ?? first
}

const notANumber = (): ProtocolError =>
  apiError('E0000001', {
    summary:
      'Api validation failed: Error type: NOT_A_NUMBER. The string supplied did not seem to be a phone number.',
    causes: ['Invalid phone number.'],
  })
const isThere = () => apiError('E0000157', { causes: ['The account has this phone number already.'] })

/** Whether an administrator has switched a way off. */
const isOff = ({ caller }: Call<unknown>, { method }: FactorKind): boolean =>
  (caller.policy.methodsOff[phoneKey] ?? []).includes(method)

async function add(
  call: Call<{
    readonly profile: { readonly phoneNumber: string }
    readonly sendCode?: boolean
    readonly method?: Way
  }>,
): Promise<Answer> {
  const { parts, body, caller } = call
  const { person } = caller
  const own = ownAuthenticator(call, phoneKey)
  requireOwner(call)
  const kind = kindOf(own, body.method)
  if (isOff(call, kind)) throw apiError('E0000038')
  const context = await factorContextOf(call, own.authenticator)
  const request = { kind, profile: body.profile, body, activates: false, updates: false }
  const made = await own.managed.enroll?.(request, context)
  if (made === undefined) throw apiError('E0000038')
  const phones = await phonesOf(call)
  if ('problems' in made) {
    if (
      phones.some(
        ({ data, enrollment }) =>
          enrollment && data.number === body.profile.phoneNumber.replace(/[^+\d]/g, ''),
      )
    )
      throw isThere()
    const [problem = ''] = made.problems
    throw problem.includes('must be a number')
      ? notANumber()
      : invalid('profile.phoneNumber', problem.replace(/^profile\.phoneNumber: /, ''))
  }
  if (made.enrollment !== undefined) throw isThere()
  // A user's own phone takes texts and calls, as one that is enrolled at a sign-in.
  const { methods: _, ...enrolled } = made.data as PhoneData
  const same = phones.find(({ pending, data }) => pending !== undefined && data.number === enrolled.number)
  const id = same?.id ?? newEnrollmentId(parts.random, { personId: person.id, prefix: 'pae', several: true })
  const phone: Phone = { id, data: enrolled }
  const challenge = body.sendCode === false ? undefined : await drawn(call, own, kind, phone)
  await ifUnchanged(parts.storage, person, async (tx) => {
    // Under the lock of the user's row, so that no number of calls at once leaves more (A45).
    if (same === undefined && (await countOpen(call, tx)) >= mostOpen) throw tooMany()
    await putPending(call, tx, { phone, kind, own }, challenge)
  })
  parts.onCommitted()
  return { status: 201, body: shown(call, phone) }
}

const tooMany = () =>
  apiError('E0000047', {
    causes: [
      `The account has ${mostOpen} phones already that wait to be confirmed: each waits for a day at most.`,
    ],
  })

/** How many phones of a user may wait to be confirmed: each is a row for a day, and with no code sent it costs its caller nothing. */
const mostOpen = 10

const countOpen = async ({ caller, now }: Call<unknown>, tx: Tx): Promise<number> =>
  (await findFactorChallenges(tx, caller.person.id, now)).filter(
    ({ authenticator, purpose }) => authenticator === phoneKey && purpose === 'activate',
  ).length

/** Stores a phone that waits to be confirmed, and sends its code. */
async function putPending(
  call: Call<unknown>,
  tx: Tx,
  { phone, kind, own }: { readonly phone: Phone; readonly kind: FactorKind; readonly own: OwnAuthenticator },
  sent: FactorChallenge | undefined,
): Promise<void> {
  const { parts, caller, now } = call
  const data: Pending = { enrolled: phone.data, challenge: sent?.data ?? null }
  await putFactorChallenge(
    tx,
    {
      ...{ personId: caller.person.id, factorId: codeIdOf(own, phone.id), enrollmentId: phone.id },
      ...{ authenticator: phoneKey, method: kind.method, purpose: 'activate' },
      ...{ data, expiresAt: now + day },
    },
    { random: parts.random, now },
  )
  if (sent !== undefined) await sendTo(call, tx, kind.method as 'sms' | 'voice', sent)
}

/** By what a code of a phone is known, by whichever way it is sent: one code at a time is good. */
const codeIdOf = (own: OwnAuthenticator, enrollmentId: string): string =>
  factorId(kindOf(own, 'SMS'), enrollmentId)

const askedOf = (
  own: OwnAuthenticator,
  kind: FactorKind,
  phone: Phone,
  challenge?: unknown,
): AskedFactor => ({
  ...{ kind, id: codeIdOf(own, phone.id), data: phone.data, challenge },
  enrollment: phone.enrollment,
})

/** Makes a code. */
async function drawn(
  call: Call<unknown>,
  own: OwnAuthenticator,
  kind: FactorKind,
  phone: Phone,
): Promise<FactorChallenge | undefined> {
  const context = await factorContextOf(call, own.authenticator)
  return own.managed.challenge?.(askedOf(own, kind, phone), context)
}

async function challenge(call: Call<{ readonly method?: Way; readonly retry?: boolean }>): Promise<Answer> {
  const { parts, body, caller, now } = call
  const own = ownAuthenticator(call, phoneKey)
  const phone = await find(call)
  const kind = kindOf(own, body.method)
  if (isOff(call, kind)) throw apiError('E0000038')
  if (kind.method === 'sms' && phone.data.extension !== undefined) throw invalid('method', troubled)
  const sent = await drawn(call, own, kind, phone)
  if (sent === undefined) throw apiError('E0000038')
  const { pending } = phone
  await ifUnchanged(parts.storage, caller.person, async (tx) => {
    const data = pending === undefined ? sent.data : { ...(pending.data as Pending), challenge: sent.data }
    await putFactorChallenge(
      tx,
      {
        ...{ personId: caller.person.id, factorId: codeIdOf(own, phone.id), enrollmentId: phone.id },
        ...{ authenticator: phoneKey, method: kind.method },
        purpose: pending === undefined ? 'verify' : 'activate',
        data,
        expiresAt: pending === undefined ? sent.expiresAt : now + day,
      },
      { random: parts.random, now },
    )
    await sendTo(call, tx, kind.method as 'sms' | 'voice', sent)
  })
  parts.onCommitted()
  return { body: { _links: { verify: link(call, `/phones/${phone.id}/verify`, 'POST') } } }
}

async function verify(call: Call<{ readonly verificationCode: string }>): Promise<Answer> {
  const { parts, body, caller } = call
  const own = ownAuthenticator(call, phoneKey)
  const phone = await find(call)
  const open = phone.pending ?? phone.asked
  const code = phone.pending === undefined ? phone.asked?.data : (phone.pending.data as Pending).challenge
  // Nothing was sent, or what was sent is over.
  if (open === undefined || code === null || code === undefined) throw nothingOpen()
  if (phone.pending !== undefined) requireOwner(call)
  if (!(await mayAnswer(call, open))) throw wrongCode()
  const kind = own.managed.kinds.find(({ method }) => method === open.method) ?? kindOf(own)
  const context = await factorContextOf(call, own.authenticator)
  const answer = { passCode: body.verificationCode }
  const asked = askedOf(own, kind, phone, code)
  const verdict = await own.managed.activate?.(answer, asked, context)
  if (verdict?.verdict === 'timeout') throw nothingOpen()
  if (verdict?.verdict !== 'right') throw wrongCode()
  if (phone.pending === undefined) {
    await ifUnchanged(parts.storage, caller.person, async (tx) => void (await useFactorChallenge(tx, open)))
    return {}
  }
  const enrollment = phoneEnrollment(caller.person.id, open.method, phone.data)
  await confirmFactor(call, open, { ...enrollment, id: phone.id })
  parts.onCommitted()
  return {}
}

const nothingOpen = () =>
  apiError('E0000157', { causes: ['No code was sent to this phone, or its time is over.'] })
const wrongCode = () =>
  apiError('E0000004', { causes: ['The verification challenge failed due to an invalid code.'] })

/** Removes a phone; one that waits to be confirmed is taken back at once. */
async function remove(call: Call<unknown>): Promise<Answer> {
  const { enrollment, id } = await find(call)
  if (enrollment !== undefined) return removeFactor(call, enrollment)
  const { parts, caller } = call
  await ifUnchanged(parts.storage, caller.person, (tx) => endFactorChallenges(tx, caller.person.id, id))
  return {}
}

const path = '/phones/:id'
const manage = { scope: 'phone.manage' } as const
const method = Type.Union([Type.Literal('SMS'), Type.Literal('CALL')])

export const phoneOperations: readonly Operation[] = [
  operation({
    ...{ method: 'GET', path: '/phones', scope: 'phone.read', summary: 'List the phones of the user' },
    handle: async (call) => ({ body: (await phonesOf(call)).map((one) => shown(call, one)) }),
  }),
  operation({
    ...{ method: 'POST', path: '/phones', ...manage, stepUp: true, status: 201 },
    summary: 'Add a phone, which counts once the code that is sent to it came back',
    body: Type.Object({
      profile: Type.Object({ phoneNumber: text(32) }),
      sendCode: Type.Optional(Type.Boolean()),
      method: Type.Optional(method),
    }),
    handle: add,
  }),
  operation({
    ...{ method: 'GET', path, scope: 'phone.read', summary: 'Get a phone' },
    handle: async (call) => ({ body: shown(call, await find(call)) }),
  }),
  operation({
    ...{ method: 'DELETE', path, ...manage, stepUp: 'waits', answers: false },
    summary: 'Remove a phone; 202 where the removal waits',
    handle: remove,
  }),
  operation({
    ...{ method: 'POST', path: `${path}/challenge`, ...manage, stepUp: true },
    summary: 'Send a code to a phone, by text or call',
    body: Type.Object({ method: Type.Optional(method), retry: Type.Optional(Type.Boolean()) }),
    handle: challenge,
  }),
  operation({
    ...{ method: 'POST', path: `${path}/verify`, ...manage, stepUp: true, answers: false },
    summary: 'Confirm a phone by the code',
    body: Type.Object({ verificationCode: text(32) }),
    handle: verify,
  }),
]
