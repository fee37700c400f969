import type { Db } from '../storage/index.ts'
import { type ActivePolicy, activePolicies } from './active-policies.store.ts'
import { type AccessRuleBody, assuranceOf } from './assurance.ts'
import { authenticatorSetups, isAllowedFor } from './authenticator-settings.store.ts'
import type { DeepPartial } from './deep-partial.ts'
import type { AuthenticatorFacts } from './demand.ts'
import {
  type PasswordPolicyBody,
  type PasswordRuleBody,
  recoveryFrom,
  type SignOnRuleBody,
} from './policy.ts'

type Catalogue = readonly AuthenticatorFacts[]

/** Whether these authenticators can prove two different factors. */
const provesTwo = (catalogue: Catalogue): boolean =>
  new Set(catalogue.flatMap(({ factors }) => factors)).size >= 2

/** Whether a rule can be satisfied with these authenticators, and what for. */
const canBeMet: Readonly<
  Record<
    ActivePolicy['type'],
    { readonly use: 'sso' | 'recovery'; with(catalogue: Catalogue, body: unknown, rule: unknown): boolean }
  >
> = {
  PASSWORD: {
    use: 'recovery',
    with: (catalogue, body, rule) =>
      recoveryFrom(rule as DeepPartial<PasswordRuleBody>, body as DeepPartial<PasswordPolicyBody>, catalogue)
        .authenticators.length > 0,
  },
  OKTA_SIGN_ON: {
    use: 'sso',
    with: (catalogue, _, rule) =>
      (rule as DeepPartial<SignOnRuleBody>).actions?.signon?.requireFactor !== true || provesTwo(catalogue),
  },
  ACCESS_POLICY: {
    use: 'sso',
    with(catalogue, _, rule) {
      const { access, demand } = assuranceOf(rule as DeepPartial<AccessRuleBody>, catalogue)
      return access === 'ALLOW' && (demand.factors === 1 || provesTwo(catalogue))
    },
  },
  MFA_ENROLL: { use: 'sso', with: () => true },
  PROFILE_ENROLLMENT: { use: 'sso', with: () => true },
}

/** The names of the policies that could not be satisfied any more without an authenticator, by what they need it for. */
export async function policiesNeeding(
  db: Db,
  key: string,
  catalogue: Catalogue,
): Promise<Readonly<Record<'sso' | 'recovery', readonly string[]>>> {
  const setups = await authenticatorSetups(db, catalogue)
  const needs = (await activePolicies(db)).flatMap(({ type, name, body, rules }) =>
    rules.flatMap((rule) => {
      const { use, with: canBe } = canBeMet[type] ?? canBeMet.MFA_ENROLL
      const usable = catalogue.filter((one) => {
        const setup = setups[one.key]
        return setup !== undefined && isAllowedFor(setup, use)
      })
      const without = usable.filter((one) => one.key !== key)
      return canBe(usable, body, rule) && !canBe(without, body, rule) ? [{ use, name }] : []
    }),
  )
  const names = (wanted: string) => [
    ...new Set(needs.flatMap(({ use, name }) => (use === wanted ? [name] : []))),
  ]
  return { sso: names('sso'), recovery: names('recovery') }
}

/**
 * The names of the active policies that would be left without a method if this one were switched off: a list `methods` of
 * theirs names nothing else. Its case does not matter, as in the bodies of such policies.
 */
export async function policiesNamingOnly(db: Db, method: string): Promise<readonly string[]> {
  const policies = await activePolicies(db)
  return policies.filter(({ body, rules }) => namesOnly([body, rules], method)).map(({ name }) => name)
}

function namesOnly(value: unknown, method: string): boolean {
  if (Array.isArray(value)) return value.some((one) => namesOnly(one, method))
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, member]) =>
    name === 'methods' && Array.isArray(member) && member.length > 0
      ? member.every((one) => String(one).toLowerCase() === method)
      : namesOnly(member, method),
  )
}
