import type { DeepPartial } from './deep-partial.ts'
import type { AuthenticatorFacts } from './demand.ts'

/** What a policy of the type MFA_ENROLL says, in the management API's shape. */
export interface EnrollmentPolicyBody {
  readonly settings: {
    readonly type?: string
    readonly authenticators: readonly {
      readonly key: string
      readonly enroll: { readonly self: 'REQUIRED' | 'OPTIONAL' | 'NOT_ALLOWED' }
    }[]
  }
}

/** Which authenticators a user must or may enrol, in the order of the policy. What it does not name is not offered. */
export type EnrollmentPolicy = readonly { readonly key: string; readonly required: boolean }[]

/** Reads a policy. Authenticators that every user has anyway, or that are not in use, are left out. */
export function enrollmentPolicyFrom(
  { settings }: DeepPartial<EnrollmentPolicyBody>,
  usable: readonly AuthenticatorFacts[],
): EnrollmentPolicy {
  const named = Array.isArray(settings?.authenticators) ? settings.authenticators : []
  return (named as DeepPartial<EnrollmentPolicyBody['settings']['authenticators'][number]>[]).flatMap(
    (one) => {
      const known = usable.some(({ key, implicit }) => key === one.key && !implicit)
      const self = one.enroll?.self
      if (!known || one.key === undefined || (self !== 'REQUIRED' && self !== 'OPTIONAL')) return []
      return [{ key: one.key, required: self === 'REQUIRED' }]
    },
  )
}
