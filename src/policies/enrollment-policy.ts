import { parseTime } from '../base/index.ts'
import type { DeepPartial } from './deep-partial.ts'
import type { AuthenticatorFacts } from './demand.ts'

/** What a policy of the type MFA_ENROLL says, in the management API's shape. */
export interface EnrollmentPolicyBody {
  readonly settings: {
    readonly type?: string
    readonly authenticators?: readonly AuthenticatorBody[]
    /** The classic form: by the name of a factor. Read where `type` is FACTORS, or where there are no authenticators. */
    readonly factors?: Readonly<Record<string, Omit<AuthenticatorBody, 'key'> | null>>
  }
}

interface AuthenticatorBody {
  readonly key: string
  readonly enroll?: {
    readonly self?: string
    /** False: what every user has anyway, such as the mailbox, has to be enrolled all the same. */
    readonly autoEnroll?: boolean
    readonly gracePeriod?: GracePeriodBody | null
  }
  readonly gracePeriod?: GracePeriodBody | null
}

interface GracePeriodBody {
  readonly type?: string
  readonly expiry?: string
  readonly skipCount?: number
}

/** The body of a rule of such a policy. */
export interface EnrollmentRuleBody {
  readonly actions: {
    readonly enroll: { readonly self: 'LOGIN' | 'CHALLENGE' | 'NEVER' | 'NEVER_INCLUDING_RECOVERY' }
  }
}

/** Until when a required authenticator may be put off: until a moment (epoch milliseconds), or so many times. */
export type GracePeriod =
  | { readonly type: 'BY_DATE_TIME'; readonly expiry: number }
  | { readonly type: 'BY_SKIP_COUNT'; readonly skipCount: number }

/** An authenticator that a user must or may enrol. */
export interface PolicyEnrollment {
  readonly key: string
  readonly required: boolean
  /** While it lasts the enrolment may be declined, although it is required. */
  readonly gracePeriod?: GracePeriod
  /**
   * Only where the app asks for more than was proven: the rule has CHALLENGE instead of LOGIN. Absent: at every sign-in
   * that lacks a required one.
   */
  readonly atChallenge?: true
}

/** Which authenticators a user must or may enrol, in the order of the policy. What it does not name is not offered. */
export type EnrollmentPolicy = readonly PolicyEnrollment[]

/** The authenticators of the classic factors that can be enrolled here. */
export const classicFactors: Readonly<Record<string, string>> = {
  okta_password: 'okta_password',
  okta_email: 'okta_email',
  okta_sms: 'phone_number',
  okta_call: 'phone_number',
  okta_question: 'security_question',
  google_otp: 'google_otp',
  fido_webauthn: 'webauthn',
  webauthn: 'webauthn',
}

type Named = DeepPartial<AuthenticatorBody>

/**
 * The authenticators that a body names, each once. Clients read a policy, merge their own settings into it and write it
 * back, lists joined: of two entries of one authenticator the last is what they meant. Of two classic factors of one
 * authenticator (text and call) the stricter counts.
 */
function namedIn({ settings }: DeepPartial<EnrollmentPolicyBody>): ReadonlyMap<string, Named> {
  const found = new Map<string, Named>()
  const list = Array.isArray(settings?.authenticators) ? (settings.authenticators as readonly Named[]) : []
  if (settings?.type !== 'FACTORS' && list.length > 0) {
    for (const one of list) if (typeof one?.key === 'string') found.set(one.key, one)
    return found
  }
  for (const [name, one] of Object.entries((settings?.factors ?? {}) as Record<string, Named | null>)) {
    const key = Object.hasOwn(classicFactors, name) ? classicFactors[name] : undefined
    const before = key === undefined ? undefined : found.get(key)
    if (key === undefined || !one || strength(before) > strength(one)) continue
    found.set(key, one)
  }
  return found
}

const strength = (one: Named | undefined): number =>
  one === undefined ? -1 : ['NOT_ALLOWED', 'OPTIONAL', 'REQUIRED'].indexOf(one.enroll?.self ?? 'NOT_ALLOWED')

const isAllowed = (one: Named | undefined): boolean =>
  one?.enroll?.self === 'REQUIRED' || one?.enroll?.self === 'OPTIONAL'

function gracePeriodOf({ enroll, gracePeriod }: Named): GracePeriod | undefined {
  const body = enroll?.gracePeriod ?? gracePeriod
  if (body?.type === 'BY_DATE_TIME') {
    const expiry = parseTime(body.expiry ?? '')
    return expiry === undefined ? undefined : { type: 'BY_DATE_TIME', expiry }
  }
  const count = body?.type === 'BY_SKIP_COUNT' ? (body.skipCount ?? 0) : 0
  return Number.isInteger(count) && count > 0 ? { type: 'BY_SKIP_COUNT', skipCount: count } : undefined
}

/**
 * Reads a policy. Authenticators that every user has anyway (unless `autoEnroll` is false), or that are not in use, are
 * left out.
 */
export function enrollmentPolicyFrom(
  body: DeepPartial<EnrollmentPolicyBody>,
  rule: DeepPartial<EnrollmentRuleBody>,
  usable: readonly AuthenticatorFacts[],
): EnrollmentPolicy {
  const when = rule.actions?.enroll?.self ?? 'LOGIN'
  if (when === 'NEVER' || when === 'NEVER_INCLUDING_RECOVERY') return []
  return [...namedIn(body)].flatMap(([key, one]) => {
    const isAsked = one.enroll?.autoEnroll === false
    const known = usable.some((facts) => key === facts.key && (!facts.implicit || isAsked))
    if (!known || !isAllowed(one)) return []
    const required = one.enroll?.self === 'REQUIRED'
    const gracePeriod = required ? gracePeriodOf(one) : undefined
    return [
      {
        key,
        required,
        ...(gracePeriod && { gracePeriod }),
        ...(when === 'CHALLENGE' && { atChallenge: true as const }),
      },
    ]
  })
}

/**
 * The authenticators that a policy allows neither to enrol nor as a factor: those that it says so of, and those that it
 * does not name. A password that it does not name stays: the first page asks for it, and without it there would be no way in.
 */
export function notAllowedBy(
  body: DeepPartial<EnrollmentPolicyBody>,
  catalogue: readonly AuthenticatorFacts[],
): readonly string[] {
  const named = namedIn(body)
  // A policy that names none says nothing of any.
  if (named.size === 0) return []
  return catalogue.flatMap(({ key, type }) =>
    isAllowed(named.get(key)) || (type === 'password' && !named.has(key)) ? [] : [key],
  )
}
