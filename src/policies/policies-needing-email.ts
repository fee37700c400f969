import type { Db } from '../storage/index.ts'
import { type ActivePolicy, activePolicies } from './active-policies.store.ts'
import { type AccessRuleBody, assuranceOf } from './assurance.ts'
import type { DeepPartial } from './deep-partial.ts'
import {
  type PasswordPolicyBody,
  type PasswordRuleBody,
  recoveryAuthenticatorsFrom,
  type SignOnRuleBody,
} from './policy.ts'

const allAuthenticators = ['okta_password', 'okta_email']

/** What a policy requires the email authenticator for; undefined where it does not. */
const emailUse: Readonly<
  Record<ActivePolicy['type'], (body: unknown, rule: unknown) => 'sso' | 'recovery' | undefined>
> = {
  PASSWORD: (body, rule) =>
    recoveryAuthenticatorsFrom(
      rule as DeepPartial<PasswordRuleBody>,
      body as DeepPartial<PasswordPolicyBody>,
    ).includes('okta_email')
      ? 'recovery'
      : undefined,
  OKTA_SIGN_ON: (_, rule) =>
    (rule as DeepPartial<SignOnRuleBody>).actions?.signon?.requireFactor === true ? 'sso' : undefined,
  ACCESS_POLICY: (_, rule) => {
    const { access, factors, alternatives } = assuranceOf(
      rule as DeepPartial<AccessRuleBody>,
      allAuthenticators,
    )
    const needsEmail =
      factors === 2 || (alternatives.length > 0 && alternatives.every((keys) => keys.includes('okta_email')))
    return access === 'ALLOW' && needsEmail ? 'sso' : undefined
  },
}

/**
 * The names of the active policies that cannot be satisfied without the email authenticator, by what they need it for.
 */
export async function policiesNeedingEmail(
  db: Db,
): Promise<Readonly<Record<'sso' | 'recovery', readonly string[]>>> {
  const needs = (await activePolicies(db)).flatMap(({ type, name, body, rules }) =>
    rules.flatMap((rule) => {
      const use = emailUse[type]?.(body, rule)
      return use === undefined ? [] : [{ use, name }]
    }),
  )
  const names = (wanted: string) => [
    ...new Set(needs.flatMap(({ use, name }) => (use === wanted ? [name] : []))),
  ]
  return { sso: names('sso'), recovery: names('recovery') }
}
