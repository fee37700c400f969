import { Type } from 'typebox'
import { apiError, isoTime } from '../base/index.ts'
import { type Enrollment, findEnrollments, maskAddress, renameEnrollment } from '../directory/index.ts'
import { type Authenticator, authenticatorId } from '../flow/index.ts'
import { type AccountChange, isSettled } from '../people/index.ts'
import { isUsable } from './access.ts'
import { type Answer, type Call, link, notFound, type Operation, operation } from './operation.ts'
import { requirements } from './password.ts'

type Named = Pick<Enrollment, 'id' | 'name' | 'createdAt' | 'lastUsedAt' | 'settlesAt'>

/** What the user has of all authenticators, and the own changes that are open. */
interface Stored {
  readonly enrollments: readonly Enrollment[]
  readonly changes: readonly AccountChange[]
}

/** The authenticators that the user has, or may enrol, in the order in which they are offered. */
const inUse = ({ parts, caller: { policy } }: Call<unknown>): readonly Authenticator[] =>
  [...parts.authenticators.values()].filter(
    ({ key }) =>
      policy.signOn.active.includes(key) ||
      policy.enrollment.some((one) => one.key === key) ||
      key === 'okta_password',
  )

function find(call: Call<unknown>): Authenticator {
  const { id = '' } = call.params
  const found = inUse(call).find(({ key }) => authenticatorId(key) === id)
  if (found === undefined) throw notFound(id, 'Authenticator')
  return found
}

/** What the user has of an authenticator: what every account has, too, under an id of the authenticator and the user. */
function enrollmentsOf(
  call: Call<unknown>,
  { key, implicit, enrollmentPrefix }: Authenticator,
  { enrollments }: Stored,
): readonly Named[] {
  if (!implicit) return enrollments.filter(({ authenticator }) => authenticator === key)
  const { person } = call.caller
  return [
    {
      id: `${enrollmentPrefix}${person.id.slice(3)}`,
      name: null,
      createdAt: person.createdAt,
      lastUsedAt: null,
      settlesAt: null,
    },
  ]
}

const canUnenroll = ({ implicit, reset }: Authenticator): boolean => !implicit && reset === undefined

/**
 * What the user has, and what does not count yet, each with its time: `settlesAt` of what begins no recovery and no unlock until
 * then (A77), `waitingUntil` of what is removed then, so that its user still sees it where the first answer is long gone (A69).
 */
function shownEnrollment(
  call: Call<unknown>,
  authenticator: Authenticator,
  enrollment: Named,
  changes: readonly AccountChange[],
) {
  const at = `/authenticators/${authenticatorId(authenticator.key)}`
  const isPassword = authenticator.reset !== undefined
  const { person } = call.caller
  // Of another one under the same id it is not: that was enrolled later.
  const removal = changes.find(
    ({ data }) => data.enrollmentId === enrollment.id && data.enrolledAt === enrollment.createdAt,
  )
  return {
    id: enrollment.id,
    name: authenticator.displayName,
    ...(authenticator.enroll?.several && { nickname: enrollment.name }),
    created: isoTime(enrollment.createdAt),
    ...(enrollment.lastUsedAt !== null && { lastChallenged: isoTime(enrollment.lastUsedAt) }),
    ...settling(enrollment, call.now),
    ...(removal?.dueAt !== undefined && { waitingUntil: isoTime(removal.dueAt) }),
    ...(authenticator.implicit && { profile: { email: maskAddress(person.profile.email) } }),
    canReset: isPassword,
    canUnenroll: canUnenroll(authenticator),
    ...(isPassword && { canChangePassword: true, canResetPassword: true }),
    _links: {
      self: link(
        call,
        `${at}/enrollments/${enrollment.id}`,
        'GET',
        ...(canUnenroll(authenticator) ? (['DELETE'] as const) : []),
      ),
      authenticator: link(call, at, 'GET'),
    },
  }
}

function shown(call: Call<unknown>, authenticator: Authenticator, stored: Stored) {
  const { key, displayName, enroll, reset } = authenticator
  const at = `/authenticators/${authenticatorId(key)}`
  const own = enrollmentsOf(call, authenticator, stored)
  const isNamed = call.caller.policy.enrollment.some((one) => one.key === key)
  const expand = String(call.query.expand ?? '').split(',')
  const isPassword = reset !== undefined
  return {
    id: authenticatorId(key),
    key,
    name: displayName,
    enrollable: isNamed && enroll !== undefined && (own.length === 0 || enroll.several === true),
    _links: {
      self: link(call, at, 'GET'),
      enrollments: link(call, `${at}/enrollments`, 'GET'),
      ...(isPassword && { requirements: link(call, '/password/complexity-requirements', 'GET') }),
    },
    ...((expand.includes('enrollments') || (isPassword && expand.includes('requirements'))) && {
      _embedded: {
        ...(expand.includes('enrollments') && {
          enrollments: own.map((enrollment) =>
            shownEnrollment(call, authenticator, enrollment, stored.changes),
          ),
        }),
        ...(isPassword && expand.includes('requirements') && { requirements: requirements(call) }),
      },
    }),
  }
}

async function storedFor({ parts, caller: { person } }: Call<unknown>): Promise<Stored> {
  const [enrollments, changes] = await Promise.all([
    findEnrollments(parts.storage.db, person.id),
    parts.changes.open(person.id),
  ])
  return { enrollments, changes }
}

/** From when an enrollment may begin a recovery, as its user sees it: absent where it may already. */
export const settling = (enrollment: Pick<Enrollment, 'settlesAt'>, now: number) =>
  enrollment.settlesAt != null && !isSettled(enrollment, now)
    ? { settlesAt: isoTime(enrollment.settlesAt) }
    : undefined

async function findEnrollment(call: Call<unknown>) {
  const { eid = '' } = call.params
  const authenticator = find(call)
  const { enrollments, changes } = await storedFor(call)
  const enrollment = enrollmentsOf(call, authenticator, { enrollments, changes }).find(({ id }) => id === eid)
  if (enrollment === undefined) throw notFound(eid, 'Enrollment')
  return { authenticator, enrollment, changes, stored: enrollments.find(({ id }) => id === eid) }
}

/**
 * Removes what the user has: now, where one of the user's own factors was proven in a sign-in that is strong enough, or where the
 * installation has no use for it; else after the waiting time (A69, A76). What only the policy of this app does not use is good
 * elsewhere, or for a recovery: the password alone does not remove it at once.
 */
export async function removeFactor(call: Call<unknown>, stored: Enrollment): Promise<Answer> {
  const { parts, caller, mustWait } = call
  // What does not count yet may go by what does not count yet: to correct a number takes no day.
  const isProven = caller.proof === 'proven' || (caller.proof === 'fresh' && !isSettled(stored, call.now))
  const atOnce = !mustWait && (isProven || !isUsable(parts, stored))
  const result = await parts.changes.removeFactor(caller.person, stored, { atOnce })
  return result.done ? {} : { status: 202, body: { waitingUntil: isoTime(result.dueAt) } }
}

const path = '/authenticators/:id'
const read = { scope: 'authenticators.read' } as const
const manage = { scope: 'authenticators.manage' } as const

export const authenticatorOperations: readonly Operation[] = [
  operation({
    ...{ method: 'GET', path: '/authenticators', ...read },
    summary: 'List the authenticators; `expand=enrollments,requirements` shows what the user has of each',
    async handle(call) {
      const stored = await storedFor(call)
      return { body: inUse(call).map((authenticator) => shown(call, authenticator, stored)) }
    },
  }),
  operation({
    ...{ method: 'GET', path, ...read, summary: 'Get an authenticator' },
    handle: async (call) => ({ body: shown(call, find(call), await storedFor(call)) }),
  }),
  operation({
    ...{
      method: 'GET',
      path: `${path}/enrollments`,
      ...read,
      summary: 'List what the user has of an authenticator',
    },
    async handle(call) {
      const authenticator = find(call)
      const stored = await storedFor(call)
      const own = enrollmentsOf(call, authenticator, stored)
      return {
        body: own.map((enrollment) => shownEnrollment(call, authenticator, enrollment, stored.changes)),
      }
    },
  }),
  operation({
    ...{ method: 'GET', path: `${path}/enrollments/:eid`, ...read, summary: 'Get an enrollment' },
    async handle(call) {
      const { authenticator, enrollment, changes } = await findEnrollment(call)
      return { body: shownEnrollment(call, authenticator, enrollment, changes) }
    },
  }),
  operation({
    ...{ method: 'PATCH', path: `${path}/enrollments/:eid`, ...manage, stepUp: true },
    summary: 'Name an enrollment, or take its name away (JSON Merge Patch, RFC 7396)',
    body: Type.Object({ nickname: Type.Union([Type.String({ maxLength: 100 }), Type.Null()]) }),
    async handle(call) {
      const { authenticator, enrollment, stored, changes } = await findEnrollment(call)
      if (stored === undefined || authenticator.enroll?.several !== true) throw apiError('E0000038')
      const name = call.body.nickname?.trim() || null
      await renameEnrollment(call.parts.storage.db, { ...stored, name }, call.now)
      return { body: shownEnrollment(call, authenticator, { ...enrollment, name }, changes) }
    },
  }),
  operation({
    ...{ method: 'DELETE', path: `${path}/enrollments/:eid`, ...manage, stepUp: 'waits', answers: false },
    summary: 'Remove an enrollment; 202 where the removal waits. An addition to Okta’s API',
    async handle(call) {
      const { authenticator, stored } = await findEnrollment(call)
      if (stored === undefined || !canUnenroll(authenticator)) throw apiError('E0000038')
      return removeFactor(call, stored)
    },
  }),
]
