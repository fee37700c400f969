import { expect } from 'vitest'
import type { Answer, AnswerField, Kit, KitOptions, Visitor } from '../../src/testing/index.ts'
import { apiOf } from './management.ts'
import { builtInRule } from './policy-rules.ts'

/** Settings with which visitors may make accounts. */
export const openSignUp = (more: KitOptions['settings'] = {}): KitOptions => ({
  settings: { ...more, signUp: { open: true, ...more.signUp } },
})

export const codeMail = 'RegistrationEmailVerification'

/** Changes the sign-up of all apps. */
export async function changeSignUp(
  idp: Pick<Kit, 'engineUrl' | 'apiToken'>,
  changes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const api = apiOf(idp)
  const [policy] = (await api('GET', '/policies?type=PROFILE_ENROLLMENT')).list
  const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
  const { profileEnrollment } = (rule?.actions ?? {}) as { readonly profileEnrollment?: object }
  await builtInRule(idp, 'PROFILE_ENROLLMENT', { profileEnrollment: { ...profileEnrollment, ...changes } })
}

/** No mail proves the address. */
export const unverified = { activationRequirements: { emailVerification: false } } as const
export const passwordInForm = { enrollAuthenticatorTypes: ['password'] } as const

/** Begins a transaction and asks for the form by which a visitor makes an account. */
export async function toTheForm(visitor: Visitor): Promise<Visitor> {
  await visitor.begins()
  await visitor.submits('enroll')
  return visitor
}

/** The same, and sends the form. */
export async function fillsIn(visitor: Visitor, userProfile: object, more: object = {}): Promise<Visitor> {
  await toTheForm(visitor)
  await visitor.submits('enroll/new', { userProfile, ...more })
  return visitor
}

/** The claims of the ID token that a visitor's last answer leads to. */
export async function claimsOf(visitor: Visitor): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await visitor.redeems()
  expect(status).toBe(200)
  return JSON.parse(Buffer.from(body.id_token?.split('.')[1] ?? '', 'base64url').toString())
}

/** The messages in the fields of the first form, by the path of the field. */
export function messagesInFields({ body }: Answer): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {}
  const walk = (fields: readonly AnswerField[], prefix: string) => {
    for (const field of fields) {
      const { value = [] } = (field.messages ?? {}) as {
        readonly value?: readonly { readonly i18n: { readonly key: string } }[]
      }
      if (value.length > 0) found[prefix + field.name] = value.map(({ i18n }) => i18n.key)
      walk(field.form?.value ?? [], `${prefix}${field.name}.`)
    }
  }
  walk(body.remediation?.value[0]?.value ?? [], '')
  return found
}

/** The authenticators that a visitor is asked to enrol, by their labels. */
export function offeredToEnrol({ response }: Visitor): readonly string[] {
  const form = response.body.remediation?.value.find(({ name }) => name === 'select-authenticator-enroll')
  const options = (form?.value?.[0]?.options ?? []) as readonly { readonly label: string }[]
  return options.map(({ label }) => label)
}
