import { isObject } from '../base/index.ts'
import type { SignUpOptions } from './options.ts'
import type { StoredItem } from './policies.store.ts'

/** Which sign-up an app has: its profile enrollment policy, with what the configuration says of all apps. */
export interface RegistrationPolicy {
  /** The id of the policy; undefined: none applies, and no visitor may sign up. */
  readonly policyId: string | undefined
  readonly access: 'ALLOW' | 'DENY'
  /** What happens to visitors who have no account. `REGISTER`: they may make one. */
  readonly unknownUserAction: 'REGISTER' | 'DENY'
  /** Whether a visitor without an invitation may make an account: all of the above, and `byInvitation`. */
  readonly isOpen: boolean
  /** The fields of the form, in its order. Names that the user schema does not have are among them. */
  readonly attributes: readonly RegistrationAttribute[]
  /** Whether the mailbox must be proven before the account is of use, whatever else is asked for. */
  readonly emailVerification: boolean
  /** Whether the form asks for the password, too. */
  readonly passwordInForm: boolean
  /** The groups that a new user joins besides Everyone. */
  readonly targetGroupIds: readonly string[]
  /** Whether required attributes that are empty are asked for at a sign-in. */
  readonly progressiveProfiling: boolean
  /** What must be agreed to in the form. */
  readonly terms?: Terms
  /** The domains of addresses that may, or may not, sign up. Absent: all may. */
  readonly domains?: DomainRules
  /** Only an invitation leads to an account: the token of a user whom an administrator has made. */
  readonly byInvitation: boolean
}

export interface RegistrationAttribute {
  readonly name: string
  readonly label: string
  readonly required: boolean
  /** How the field is shown, where it can be shown in several ways. */
  readonly inputType?: 'select' | 'radio' | 'checkbox' | 'text'
}

export interface Terms {
  readonly version: string
  readonly url: string
  readonly label?: string
}

export interface DomainRules {
  readonly allowed: readonly string[]
  readonly blocked: readonly string[]
}

/** What a profile enrollment policy asks for when it is new, as Okta's. */
export const defaultAttributes: readonly RegistrationAttribute[] = [
  { name: 'email', label: 'Email', required: true },
  { name: 'firstName', label: 'First name', required: true },
  { name: 'lastName', label: 'Last name', required: true },
]

/** The rule that comes with a new policy. Clients merge their wishes into all of these members and send it back. */
export const registrationRuleBody = (unknownUserAction: 'REGISTER' | 'DENY'): StoredItem['body'] => ({
  actions: {
    profileEnrollment: {
      access: 'ALLOW',
      preRegistrationInlineHooks: null,
      profileAttributes: defaultAttributes,
      targetGroupIds: null,
      unknownUserAction,
      activationRequirements: { emailVerification: true },
      uiSchemaId: null,
      progressiveProfilingAction: 'DISABLED',
    },
  },
})

/** How the field of an attribute may be shown. */
export const inputTypes = ['select', 'radio', 'checkbox', 'text'] as const

/** No form is longer, whatever an older version has stored. */
export const mostAttributes = 10

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []

/** Each attribute once: clients that merge lists send the default ones twice, and the later is the one they mean. */
function attributesIn(value: unknown): readonly RegistrationAttribute[] {
  const attributes = new Map<string, RegistrationAttribute>()
  for (const one of Array.isArray(value) ? value : []) {
    if (!isObject(one) || typeof one.name !== 'string' || one.name === '') continue
    const { name, label, required } = one
    const inputType = inputTypes.find((type) => type === one.inputType)
    attributes.set(name, {
      name,
      label: typeof label === 'string' && label.trim() !== '' ? label : name,
      required: required === true,
      ...(inputType && { inputType }),
    })
  }
  return [...attributes.values()].slice(0, mostAttributes)
}

/**
 * The sign-up that a stored rule describes. It may be of an older version, which checked nothing of it: what cannot be read
 * opens nothing.
 *
 * @param rule the rule of the policy that applies; undefined: none does
 */
export function registrationFrom(
  { policyId, rule }: { readonly policyId?: string | undefined; readonly rule: unknown },
  { open, invitationOnly = false, terms, domains }: SignUpOptions,
): RegistrationPolicy {
  const actions = isObject(rule) ? rule.actions : undefined
  const action = isObject(actions) && isObject(actions.profileEnrollment) ? actions.profileEnrollment : {}
  const { activationRequirements: requirements } = action
  const access = action.access === 'ALLOW' ? 'ALLOW' : 'DENY'
  const unknownUserAction = action.unknownUserAction === 'REGISTER' && open !== false ? 'REGISTER' : 'DENY'
  const attributes = attributesIn(action.profileAttributes)
  const { allowed = [], blocked = [] } = domains ?? {}
  return {
    policyId,
    access,
    unknownUserAction,
    isOpen: access === 'ALLOW' && unknownUserAction === 'REGISTER' && !invitationOnly,
    attributes: attributes.length > 0 ? attributes : defaultAttributes,
    emailVerification: !(isObject(requirements) && requirements.emailVerification === false),
    passwordInForm: textsIn(action.enrollAuthenticatorTypes).some(
      (type) => type.toLowerCase() === 'password',
    ),
    targetGroupIds: [...new Set(textsIn(action.targetGroupIds))],
    progressiveProfiling: action.progressiveProfilingAction === 'ENABLED',
    ...(terms?.version !== undefined &&
      terms.url !== undefined && {
        terms: {
          version: terms.version,
          url: terms.url,
          ...(terms.label !== undefined && { label: terms.label }),
        },
      }),
    ...(allowed.length + blocked.length > 0 && { domains: { allowed, blocked } }),
    byInvitation: invitationOnly,
  }
}
