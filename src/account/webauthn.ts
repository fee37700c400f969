import { Type } from 'typebox'
import { apiError, isoTime } from '../base/index.ts'
import {
  type Enrollment,
  findEnrollments,
  ifUnchanged,
  newEnrollmentId,
  putFactorChallenge,
} from '../directory/index.ts'
import { factorId } from '../flow/index.ts'
import { removeFactor, settling } from './authenticators.ts'
import { type Answer, type Call, invalid, link, notFound, type Operation, operation } from './operation.ts'
import {
  confirmFactor,
  factorContextOf,
  mayAnswer,
  openOf,
  ownAuthenticator,
  requireOwner,
} from './own-factors.ts'

const key = 'webauthn'
/** The id prefix of what is being made here, apart from what an administrator has begun. */
const ownPrefix = 'fwo'

/** What of a passkey that is being made is stored, as the factors API stores it. */
interface Pending {
  readonly enrolled: unknown
  readonly challenge: unknown
}

const passkeysOf = async ({ parts, caller }: Call<unknown>): Promise<readonly Enrollment[]> =>
  (await findEnrollments(parts.storage.db, caller.person.id)).filter(
    ({ authenticator }) => authenticator === key,
  )

async function find(call: Call<unknown>): Promise<Enrollment> {
  const { id = '' } = call.params
  const found = (await passkeysOf(call)).find((one) => one.id === id)
  if (found === undefined) throw notFound(id, 'WebAuthn')
  return found
}

const shown = (call: Call<unknown>, enrollment: Enrollment) => ({
  id: enrollment.id,
  status: enrollment.status,
  name: enrollment.name,
  created: isoTime(enrollment.createdAt),
  lastUpdated: isoTime(enrollment.updatedAt),
  ...settling(enrollment, call.now),
  _links: { self: link(call, `/webauthn/${enrollment.id}`, 'GET', 'DELETE') },
})

/** What the user has begun here and not finished: at most one. */
const pendingOf = async (call: Call<unknown>) =>
  (await openOf(call, key)).find(
    ({ purpose, factorId: id }) => purpose === 'activate' && id.startsWith(ownPrefix),
  )

/** The options that the browser makes a passkey with, and their challenge. A second call takes the place of the first. */
async function register(call: Call<unknown>): Promise<Answer> {
  const { parts, caller, now } = call
  const { person } = caller
  const { authenticator, managed } = ownAuthenticator(call, key)
  requireOwner(call)
  const [kind] = managed.kinds
  const context = await factorContextOf(call, authenticator)
  const request = { kind, profile: {}, body: {}, activates: false, updates: false }
  const made = await managed.enroll?.(request, context)
  if (made === undefined || 'problems' in made) throw apiError('E0000038')
  const enrollmentId =
    (await pendingOf(call))?.enrollmentId ??
    newEnrollmentId(parts.random, {
      personId: person.id,
      prefix: authenticator.enrollmentPrefix,
      several: true,
    })
  const id = factorId({ ...kind, idPrefix: ownPrefix }, enrollmentId)
  const asked = { kind, id, data: made.data, enrollment: undefined, challenge: undefined }
  const challenge = await managed.challenge?.(asked, context)
  if (challenge === undefined) throw apiError('E0000038')
  const data: Pending = { enrolled: made.data, challenge: challenge.data }
  const { expiresAt } = challenge
  const row = { personId: person.id, factorId: id, enrollmentId, authenticator: key, method: kind.method }
  await ifUnchanged(parts.storage, person, (tx) =>
    putFactorChallenge(tx, { ...row, purpose: 'activate', data, expiresAt }, { random: parts.random, now }),
  )
  const options = await managed.activation?.({ ...asked, challenge: challenge.data }, context)
  return {
    body: {
      options: { ...options, u2fParams: { appid: parts.baseUrl() } },
      expiresAt: isoTime(expiresAt),
      _links: { enroll: link(call, '/webauthn', 'POST') },
    },
  }
}

async function enroll(call: Call<Readonly<Record<string, unknown>>>): Promise<Answer> {
  const { parts, caller, body } = call
  const { authenticator, managed } = ownAuthenticator(call, key)
  requireOwner(call)
  const pending = await pendingOf(call)
  if (pending === undefined) throw notFound('registration', 'WebAuthn')
  if (!(await mayAnswer(call, pending))) throw refused()
  const [kind] = managed.kinds
  const { enrolled, challenge } = pending.data as Pending
  const asked = { kind, id: pending.factorId, data: enrolled, enrollment: undefined, challenge }
  const verdict = await managed.activate?.(body, asked, await factorContextOf(call, authenticator))
  if (verdict?.verdict === 'unreadable') {
    const [problem = 'attestation: is invalid'] = verdict.problems
    const [field = '', why = ''] = problem.split(': ')
    throw invalid(field, why)
  }
  if (verdict?.verdict !== 'right' || verdict.enrollment === undefined) throw refused()
  const { enrollmentId: id } = pending
  const { enrollmentPrefix: prefix } = authenticator
  const { method } = kind
  await confirmFactor(call, pending, {
    ...{ personId: caller.person.id, authenticator: key, prefix, id, method, several: true },
    ...verdict.enrollment,
  })
  parts.onCommitted()
  return { body: shown(call, await find({ ...call, params: { id } })) }
}

const refused = () =>
  apiError('E0000004', {
    causes: ['The passkey could not be set up: what the browser sent was not accepted.'],
  })

const path = '/webauthn/:id'
const manage = { scope: 'webauthn.manage', stepUp: true } as const
const bytes = Type.String({ minLength: 1, maxLength: 64_000 })

export const webauthnOperations: readonly Operation[] = [
  operation({
    ...{ method: 'GET', path: '/webauthn', scope: 'webauthn.read', summary: 'List the passkeys of the user' },
    handle: async (call) => ({ body: (await passkeysOf(call)).map((one) => shown(call, one)) }),
  }),
  operation({
    ...{ method: 'GET', path, scope: 'webauthn.read', summary: 'Get a passkey' },
    handle: async (call) => ({ body: shown(call, await find(call)) }),
  }),
  operation({
    ...{ method: 'POST', path: '/webauthn/registration', ...manage },
    summary: 'Get the options for a new passkey, and their challenge',
    handle: register,
  }),
  operation({
    ...{ method: 'POST', path: '/webauthn', ...manage },
    summary: 'Add the passkey that the browser has made with the options of a registration',
    body: Type.Object({
      ...{ clientData: bytes, attestation: bytes },
      clientExtensions: Type.Optional(Type.Unknown()),
      transports: Type.Optional(Type.Unknown()),
    }),
    handle: enroll,
  }),
  operation({
    ...{ method: 'DELETE', path, scope: 'webauthn.manage', stepUp: 'waits', answers: false },
    summary: 'Remove a passkey; 202 where the removal waits',
    handle: async (call) => removeFactor(call, await find(call)),
  }),
]
