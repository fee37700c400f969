import { isoTime } from '../../base/index.ts'
import { authenticatorId } from '../../flow/index.ts'
import { isSettled } from '../../people/index.ts'
import { type Context, prefix } from '../operation.ts'
import {
  askedFor,
  enrollmentIn,
  type Factor,
  factorContext,
  type ManagedAuthenticator,
  managedOf,
  type UserFactors,
} from './find.ts'

const allow = (...methods: readonly string[]) => ({ allow: methods })

const userLink = ({ parts }: Context, id: string): string => `${parts.baseUrl()}${prefix}/users/${id}`

/** The profile of a factor, as its authenticator shows it. */
export const profileOf = (call: Context, loaded: UserFactors, { authenticator, managed, data }: Factor) =>
  managed.profile(data, factorContext(call, loaded, authenticator))

/**
 * What of an enrollment waits, each with its time: `settlesAt`, from when it begins a recovery (A77), and `waitingUntil`, when it is removed
 * (A69). Okta's API has neither, so they stand in `_embedded`, which its clients pass on as it is; undefined where nothing waits.
 */
export function waitingOf(
  { now }: Context,
  { changes }: Pick<UserFactors, 'changes'>,
  { enrollment, status }: Pick<Factor, 'enrollment' | 'status'>,
): object | undefined {
  if (enrollment === undefined || status !== 'ACTIVE') return undefined
  const { settlesAt } = enrollment
  const removal = changes.find(
    ({ data }) => data.enrollmentId === enrollment.id && data.enrolledAt === enrollment.createdAt,
  )
  const waits = {
    ...(settlesAt != null && !isSettled(enrollment, now) && { settlesAt: isoTime(settlesAt) }),
    ...(removal?.dueAt !== undefined && { waitingUntil: isoTime(removal.dueAt), change: removal.id }),
  }
  return Object.keys(waits).length > 0 ? waits : undefined
}

/**
 * A factor in the shape of Okta's Factors API.
 *
 * @param embedded `_embedded`: what only the caller that begins it is shown. A secret is in no later answer, or a token that
 *   may only read could make codes (A69).
 */
export function renderFactor(
  call: Context,
  loaded: UserFactors,
  factor: Factor,
  embedded: object | undefined = waitingOf(call, loaded, factor),
): object {
  const { id, kind, status, createdAt, updatedAt } = factor
  const user = userLink(call, loaded.person.id)
  const self = `${user}/factors/${id}`
  const isPending = status === 'PENDING_ACTIVATION'
  const isQuestion = kind.factorType === 'question'
  const next = isPending ? { activate: `${self}/lifecycle/activate` } : { verify: `${self}/verify` }
  const [[name, href] = ['', '']] = Object.entries(next)
  return {
    id,
    factorType: kind.factorType,
    provider: kind.provider,
    vendorName: kind.vendorName,
    status,
    created: isoTime(createdAt),
    lastUpdated: isoTime(updatedAt),
    profile: profileOf(call, loaded, factor),
    _links: {
      ...(isQuestion
        ? { questions: { href: `${user}/factors/questions`, hints: allow('GET') } }
        : { [name]: { href, hints: allow('POST') } }),
      ...(isPending &&
        kind.sends !== undefined && {
          resend: [{ name: kind.sends, href: `${self}/resend`, hints: allow('POST') }],
        }),
      self: { href: self, hints: allow('GET', 'DELETE') },
      user: { href: user, hints: allow('GET') },
    },
    ...(embedded !== undefined && { _embedded: embedded }),
  }
}

/** That a challenge was issued. */
export function renderChallenge(
  call: Context,
  loaded: UserFactors,
  factor: Factor,
  embedded: object | undefined,
): object {
  const self = `${userLink(call, loaded.person.id)}/factors/${factor.id}`
  return {
    factorResult: 'CHALLENGE',
    profile: profileOf(call, loaded, factor),
    _links: {
      verify: { href: `${self}/verify`, hints: allow('POST') },
      factor: { href: self, hints: allow('GET', 'DELETE') },
    },
    ...(embedded !== undefined && { _embedded: { challenge: embedded } }),
  }
}

/** A challenge that nothing has answered yet. */
export function renderWaiting(call: Context, loaded: UserFactors, factor: Factor, expiresAt: number): object {
  const self = `${userLink(call, loaded.person.id)}/factors/${factor.id}`
  return {
    factorResult: 'WAITING',
    expiresAt: isoTime(expiresAt),
    profile: profileOf(call, loaded, factor),
    _links: { factor: { href: self, hints: allow('GET', 'DELETE') } },
  }
}

/** What of an authenticator could be enrolled here, or is. */
export function renderSupported(call: Context, loaded: UserFactors): readonly object[] {
  const user = userLink(call, loaded.person.id)
  return managedOf(call).flatMap(({ authenticator, managed }: ManagedAuthenticator) => {
    if (managed.refuses?.enroll !== undefined) return []
    return managed.kinds.flatMap((kind) => {
      const enrollment = enrollmentIn(loaded, { authenticator, kind })
      if (enrollment === undefined) return []
      const own = loaded.factors.filter(
        (factor) => factor.authenticator.key === authenticator.key && factor.kind === kind,
      )
      const { factorType, provider, vendorName, sends } = kind
      const phones = own.map((factor) => ({
        id: factor.id,
        profile: profileOf(call, loaded, factor),
        status: factor.status,
      }))
      return {
        factorType,
        provider,
        vendorName,
        status: (own.find(({ status }) => status === 'ACTIVE') ?? own[0])?.status ?? 'NOT_SETUP',
        enrollment,
        _links: {
          ...(factorType === 'question' && {
            questions: { href: `${user}/factors/questions`, hints: allow('GET') },
          }),
          enroll: { href: `${user}/factors`, hints: allow('POST') },
        },
        ...((sends === 'sms' || sends === 'call') && phones.length > 0 && { _embedded: { phones } }),
      }
    })
  })
}

/** An enrollment in the shape of Okta's Authenticator Enrollments API. Numbers are masked unless `discloses`. */
export function renderEnrollment(
  call: Context,
  loaded: UserFactors,
  factor: Factor,
  { discloses }: { readonly discloses: boolean },
): object {
  const { authenticator, managed, data, enrollment, createdAt, updatedAt } = factor
  const waiting = waitingOf(call, loaded, factor)
  const { key, type, displayName, enrollmentPrefix } = authenticator
  const id = enrollment?.id ?? `${enrollmentPrefix}${loaded.person.id.slice(3)}`
  const user = userLink(call, loaded.person.id)
  const context = factorContext(call, loaded, authenticator)
  const isMasked = type === 'phone' && !discloses
  const profile = isMasked
    ? (managed.maskedProfile?.(data, context) ?? managed.profile(data, context))
    : managed.profile(data, context)
  return {
    id,
    key,
    type,
    name: displayName,
    status: 'ACTIVE',
    created: isoTime(createdAt),
    lastUpdated: isoTime(updatedAt),
    ...(Object.keys(profile).length > 0 && { profile }),
    nickname: enrollment?.name ?? null,
    _links: {
      self: { href: `${user}/authenticator-enrollments/${id}`, hints: allow('GET', 'DELETE') },
      user: { href: user, hints: allow('GET') },
      authenticator: {
        href: `${call.parts.baseUrl()}${prefix}/authenticators/${authenticatorId(key)}`,
        hints: allow('GET'),
      },
      ...(waiting !== undefined &&
        'settlesAt' in waiting && {
          settle: {
            href: `${user}/authenticator-enrollments/${id}/lifecycle/settle`,
            hints: allow('POST'),
          },
        }),
    },
    ...(waiting !== undefined && { _embedded: waiting }),
  }
}

/** `_embedded` of an enrolment that was just begun: a secret to show, options for a passkey. */
export async function activationOf(
  call: Context,
  loaded: UserFactors,
  factor: Factor,
): Promise<object | undefined> {
  const { managed, authenticator } = factor
  const activation = await managed.activation?.(askedFor(factor), factorContext(call, loaded, authenticator))
  return activation === undefined ? undefined : { activation }
}
