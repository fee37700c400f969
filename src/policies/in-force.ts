import type { Db } from '../storage/index.ts'
import { activePolicies } from './active-policies.store.ts'
import type { AccessRuleBody } from './assurance.ts'
import { authenticatorSetups, isAllowedFor } from './authenticator-settings.store.ts'
import type { DeepPartial } from './deep-partial.ts'
import type { AuthenticatorFacts } from './demand.ts'
import {
  type EnrollmentPolicyBody,
  type EnrollmentRuleBody,
  enrollmentPolicyFrom,
  notAllowedBy,
} from './enrollment-policy.ts'
import type { PasswordRules } from './password-rules.ts'
import {
  lockoutFrom,
  type PasswordPolicyBody,
  type PasswordRuleBody,
  passwordRulesFrom,
  recoveryFrom,
  type SignOnRuleBody,
} from './policy.ts'
import { type RegistrationPolicy, registrationFrom } from './registration.ts'

/** What the policies of a database ask for, all of them: the configuration is where they began. */
export interface InForce {
  readonly passwords: readonly { readonly policy: string; readonly rules: PasswordRules }[]
  /** The authenticators by which some user may recover a password. */
  readonly recovery: readonly string[]
  /** After how many wrong passwords the password policies lock an account; 0: never. */
  readonly lockouts: readonly number[]
  /** Whether a mailed code can be a factor of a sign-in. */
  readonly mailSignsIn: boolean
  /** How many factors the rules of the apps, and of global sessions, ask for. */
  readonly factors: readonly ('1FA' | '2FA')[]
  /** The lifetimes of mailed codes that an administrator has set, in minutes. */
  readonly codeMinutes: readonly number[]
  /** Whether security questions are in use; absent: not. */
  readonly asksQuestions?: boolean
  /** Whether phones are in use, which texts and calls must reach. */
  readonly usesPhones?: boolean
  /** What the profile enrollment policies say, by their names; absent: nothing is known of them. */
  readonly signUps?: readonly { readonly policy: string; readonly registration: RegistrationPolicy }[]
  /** The enrolment policies by which an account can do without a password, by their names; absent: nothing is known of them. */
  readonly passwordless?: readonly string[]
  /** The policies whose first page asks for the password with the name, by their names; absent: as above. */
  readonly passwordFirst?: readonly string[]
}

/** Reads what applies to some user at some app, whatever its priority. */
export async function policiesInForce(db: Db, catalogue: readonly AuthenticatorFacts[]): Promise<InForce> {
  const active = await activePolicies(db)
  const ofType = (wanted: string) => active.filter(({ type }) => type === wanted)
  const passwords = ofType('PASSWORD').map(({ name, body, rules }) => ({
    policy: name,
    rules: passwordRulesFrom(body as DeepPartial<PasswordPolicyBody>),
    attempts: lockoutFrom(body as DeepPartial<PasswordPolicyBody>).maxAttempts,
    recovery: rules.flatMap(
      (rule) =>
        recoveryFrom(
          rule as DeepPartial<PasswordRuleBody>,
          body as DeepPartial<PasswordPolicyBody>,
          catalogue,
        ).authenticators,
    ),
  }))
  const setups = await authenticatorSetups(db, catalogue)
  const signOns = ofType('OKTA_SIGN_ON').flatMap(({ rules }) =>
    rules.map((rule) => (rule as DeepPartial<SignOnRuleBody>).actions?.signon),
  )
  const factors = [
    ...ofType('ACCESS_POLICY').flatMap(({ rules }) => rules.flatMap(factorsOf)),
    ...(signOns.some((signOn) => signOn?.requireFactor === true) ? ['2FA' as const] : []),
  ]
  const startsByAny = signOns.some((signOn) => signOn?.primaryFactor === 'PASSWORD_IDP_ANY_FACTOR')
  const passwordFirst = ofType('OKTA_SIGN_ON').filter(({ rules }) =>
    rules.some((rule) => {
      const { access, primaryFactor } = (rule as DeepPartial<SignOnRuleBody>).actions?.signon ?? {}
      return access !== 'DENY' && primaryFactor !== 'PASSWORD_IDP_ANY_FACTOR'
    }),
  )
  const passwordless = ofType('MFA_ENROLL').filter(({ body, rules }) =>
    rules.some((rule) => canDoWithoutPassword(body, rule, catalogue)),
  )
  const namesOf = (policies: readonly { readonly name: string }[]) => policies.map(({ name }) => name)
  const email = setups.okta_email
  const minutes = Object.values(setups).map(({ settings }) => settings.tokenLifetimeInMinutes)
  return {
    passwords: passwords.map(({ policy, rules }) => ({ policy, rules })),
    recovery: [...new Set(passwords.flatMap(({ recovery }) => recovery))],
    lockouts: passwords.map(({ attempts }) => attempts),
    mailSignsIn:
      email !== undefined && isAllowedFor(email, 'sso') && (startsByAny || factors.includes('2FA')),
    factors: [...new Set(factors)],
    codeMinutes: minutes.filter((value) => value !== undefined),
    asksQuestions: setups.security_question?.status === 'ACTIVE',
    usesPhones: setups.phone_number?.status === 'ACTIVE',
    signUps: ofType('PROFILE_ENROLLMENT').flatMap(({ id, name, rules }) =>
      rules.map((rule) => ({ policy: name, registration: registrationFrom({ policyId: id, rule }, {}) })),
    ),
    passwordless: namesOf(passwordless),
    passwordFirst: namesOf(passwordFirst),
  }
}

/** Whether a rule makes the password optional, or forbids it. Where it says nothing of one, an account needs it. */
function canDoWithoutPassword(
  body: unknown,
  rule: unknown,
  catalogue: readonly AuthenticatorFacts[],
): boolean {
  const policy = body as DeepPartial<EnrollmentPolicyBody>
  const password = catalogue.find(({ type }) => type === 'password')?.key ?? ''
  return (
    notAllowedBy(policy, catalogue).includes(password) ||
    enrollmentPolicyFrom(policy, rule as DeepPartial<EnrollmentRuleBody>, catalogue).some(
      ({ key, required }) => key === password && !required,
    )
  )
}

/** A rule that denies access asks for nothing. */
function factorsOf(rule: unknown): readonly ('1FA' | '2FA')[] {
  const { access, verificationMethod } = (rule as DeepPartial<AccessRuleBody>).actions?.appSignOn ?? {}
  if (access === 'DENY') return []
  return [verificationMethod?.factorMode === '2FA' ? '2FA' : '1FA']
}
