import {
  type Enrollment,
  findEnrollments,
  findFactorChallenges,
  groupIdsOf,
  isSlotTaken,
  type Person,
  type StoredChallenge,
} from '../../directory/index.ts'
import {
  type AskedFactor,
  type Authenticator,
  type FactorContext,
  type FactorKind,
  factorId,
  kindsOf,
  type ManagedFactor,
} from '../../flow/index.ts'
import type { AccountChange } from '../../people/index.ts'
import { authenticatorSetups, methodsOffIn, type Policy } from '../../policies/index.ts'
import { notFound } from '../errors.ts'
import type { Context } from '../operation.ts'
import { getUser } from '../users/read.ts'

/** An authenticator of the factors API. */
export interface ManagedAuthenticator {
  readonly authenticator: Authenticator
  readonly managed: ManagedFactor
}

/** A factor that a user has, or that waits to be confirmed. */
export interface Factor extends ManagedAuthenticator {
  readonly id: string
  readonly kind: FactorKind
  readonly status: 'ACTIVE' | 'PENDING_ACTIVATION'
  readonly data: unknown
  /** Absent: it is pending, or the user has it without one. */
  readonly enrollment?: Enrollment
  /** The enrolment that waits to be confirmed. */
  readonly pending?: StoredChallenge
  /** The challenge that is open. */
  readonly challenge?: StoredChallenge
  readonly createdAt: number
  readonly updatedAt: number
}

/** What of a pending enrolment is stored. */
export interface PendingData {
  /** Of the enrollment to come. */
  readonly enrolled: unknown
  /** Of what was sent or drawn; null: nothing is needed. */
  readonly challenge: unknown
  readonly name?: string | undefined
  /** No enrollment is written in the end. */
  readonly isImplied?: boolean | undefined
  readonly slot?: string | undefined
  readonly handle?: string | undefined
  readonly replaces?: boolean | undefined
}

/** A user with everything that is a factor. */
export interface UserFactors {
  readonly person: Person
  readonly policy: Policy
  readonly enrollments: readonly Enrollment[]
  readonly challenges: readonly StoredChallenge[]
  readonly factors: readonly Factor[]
  /** What the user has asked for and what waits. */
  readonly changes: readonly AccountChange[]
  /** The methods that an administrator has switched off, by authenticator. */
  readonly methodsOff: ReadonlyMap<string, readonly string[]>
}

export const managedOf = ({ parts }: Pick<Context, 'parts'>): readonly ManagedAuthenticator[] =>
  parts.authenticators.flatMap((authenticator) =>
    authenticator.factor === undefined ? [] : [{ authenticator, managed: authenticator.factor }],
  )

/** The user of a path with all factors. Throws 404. */
export async function loadFactors(call: Context): Promise<UserFactors> {
  const { parts, now } = call
  const { db } = parts.storage
  const person = await getUser(call)
  const policy = await parts.policies.for({
    groupIds: await groupIdsOf(db, person.id),
    personId: person.id,
  })
  const enrollments = await findEnrollments(db, person.id)
  const challenges = await findFactorChallenges(db, person.id, now)
  const factors = managedOf(call).flatMap((one) => factorsOf(one, { person, enrollments, challenges }))
  const setups = await authenticatorSetups(db, parts.authenticators)
  const methodsOff = new Map(Object.entries(setups).map(([key, setup]) => [key, methodsOffIn(setup)]))
  const changes = (await parts.changes?.open(person.id)) ?? []
  return { person, policy, enrollments, challenges, factors, changes, methodsOff }
}

function factorsOf(
  one: ManagedAuthenticator,
  { person, enrollments, challenges }: Pick<UserFactors, 'person' | 'enrollments' | 'challenges'>,
): readonly Factor[] {
  const { authenticator, managed } = one
  const own = enrollments.filter((enrollment) => enrollment.authenticator === authenticator.key)
  const openOf = (id: string) =>
    challenges.find(({ factorId: of, purpose }) => of === id && purpose === 'verify')
  const active = own.flatMap((enrollment) =>
    kindsOf(managed, enrollment).map((kind): Factor => {
      const id = factorId(kind, enrollment.id)
      const { createdAt, updatedAt, data } = enrollment
      const challenge = openOf(id)
      const common = { ...one, id, kind, status: 'ACTIVE', data, enrollment, createdAt, updatedAt } as const
      return challenge === undefined ? common : { ...common, challenge }
    }),
  )
  const implied = managed.implied?.(person)
  const withoutRow = managed.kinds.flatMap((kind): readonly Factor[] => {
    const id = factorId(kind, person.id)
    if (implied === undefined || active.some((factor) => factor.id === id)) return []
    const challenge = openOf(id)
    const at = { createdAt: person.createdAt, updatedAt: person.verifiedEmail?.at ?? person.createdAt }
    const common = { ...one, id, kind, status: 'ACTIVE', data: implied, ...at } as const
    return [challenge === undefined ? common : { ...common, challenge }]
  })
  const pending = challenges.flatMap((row): readonly Factor[] => {
    const kind = managed.kinds.find(({ method }) => method === row.method)
    if (row.purpose !== 'activate' || row.authenticator !== authenticator.key || kind === undefined) return []
    const { enrolled } = row.data as PendingData
    const { factorId: id, createdAt, updatedAt } = row
    return [
      { ...one, id, kind, status: 'PENDING_ACTIVATION', data: enrolled, pending: row, createdAt, updatedAt },
    ]
  })
  return [...active, ...withoutRow, ...pending]
}

/**
 * Whether the enrolment policy of a user has an authenticator, and how; undefined: not at all, or it is not in use, or this
 * method of it is switched off. What every user has anyway, and the password, need no policy.
 */
export function enrollmentIn(
  { policy: { signOn, enrollment }, methodsOff }: Pick<UserFactors, 'policy' | 'methodsOff'>,
  { authenticator: { key, implicit, reset }, kind }: Pick<Factor, 'authenticator' | 'kind'>,
): 'REQUIRED' | 'OPTIONAL' | undefined {
  if (!signOn.active.includes(key) || methodsOff.get(key)?.includes(kind.method)) return undefined
  if (implicit || reset !== undefined) return 'OPTIONAL'
  const named = enrollment.find((one) => one.key === key)
  return named && (named.required ? 'REQUIRED' : 'OPTIONAL')
}

/**
 * The factor of a path, whatever the policy says of it now: what was enrolled before can be removed. A pending one may have
 * the id of one that is there, such as a number that replaces it: `prefers` says which is meant. Throws 404.
 */
export function getFactor(
  { params }: Context,
  { factors }: UserFactors,
  prefers: Factor['status'] = 'ACTIVE',
): Factor {
  const id = params.factorId ?? ''
  const named = factors.filter((factor) => factor.id === id)
  const found = named.find(({ status }) => status === prefers) ?? named[0]
  if (found === undefined) throw notFound(id, 'UserFactor')
  return found
}

/** What a factor may read. */
export function factorContext(
  { parts, actor, now }: Context,
  { person, policy, enrollments }: Pick<UserFactors, 'person' | 'policy' | 'enrollments'>,
  { key }: Authenticator,
  wanted: {
    readonly tokenLifetimeSeconds?: number | undefined
    readonly templateId?: string | undefined
    readonly language?: string | undefined
  } = {},
): FactorContext {
  const { tokenLifetimeSeconds, templateId, language } = wanted
  const usual = policy.codeLifetimes[key] ?? parts.codeLifetimeMs ?? 300_000
  return {
    now,
    referenceTime: parts.clock.reference?.() ?? now,
    random: parts.random,
    secrets: parts.secrets,
    person,
    enrollments,
    org: { name: parts.orgName, baseUrl: parts.baseUrl() },
    codeLifetime: tokenLifetimeSeconds === undefined ? usual : tokenLifetimeSeconds * 1000,
    policy,
    budgets: parts.budgets,
    caller: `api:${actor.id}`,
    isSlotTaken: (slot) => isSlotTaken(parts.storage.db, key, slot),
    language,
    templateId,
  }
}

/** A factor as its authenticator is asked about it. */
export const askedFor = ({ kind, id, data, enrollment, challenge, pending }: Factor): AskedFactor => ({
  kind,
  id,
  data,
  enrollment,
  challenge: pending === undefined ? challenge?.data : ((pending.data as PendingData).challenge ?? undefined),
})
