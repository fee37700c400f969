import { Secret, TOTP } from 'otpauth'
import type { Kit } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

/** How long a code is shown, in milliseconds. */
export const period = 30_000

/** What an authenticator app shows, so many steps of thirty seconds from a moment. */
export const codeAt = (secret: string, now: number, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now + steps * period })

/** The secret that a page of an enrolment shows. */
export function secretIn({ body }: { readonly body: Readonly<Record<string, unknown>> }): string {
  const { value } = body.currentAuthenticator as {
    value: { readonly contextualData: { readonly sharedSecret: string } }
  }
  return value.contextualData.sharedSecret
}

/** A code of six digits that is right at no step near a moment. */
export function wrongCode(secret: string, now: number): string {
  const near = new Set(Array.from({ length: 13 }, (_, index) => codeAt(secret, now, index - 6)))
  const free = Array.from({ length: 20 }, (_, index) => String(index).padStart(6, '0'))
  const found = free.find((code) => !near.has(code))
  if (found === undefined) throw new Error('every code is right')
  return found
}

/** Sets an authenticator ACTIVE, by its key. */
export async function activate(api: Api, key: string): Promise<void> {
  const { list, text: listed } = await api('GET', '/authenticators')
  const found = list.find((one) => one.key === key)
  if (found === undefined) throw new Error(`there is no authenticator ${key}: ${listed}`)
  if (found.status === 'ACTIVE') return
  const { status, text } = await api('POST', `/authenticators/${found.id}/lifecycle/activate`)
  if (status !== 200) throw new Error(`${key} was not activated: ${text}`)
}

type Enroll = 'REQUIRED' | 'OPTIONAL' | 'NOT_ALLOWED'

/** What every user of these tests has. A policy that does not name it would not allow it as a factor. */
const had: Readonly<Record<string, Enroll>> = { okta_password: 'REQUIRED', okta_email: 'OPTIONAL' }

/**
 * Activates authenticators, and makes a policy for everyone that says which of them are enrolled. Password and email are allowed unless it says
 * otherwise.
 */
export async function enrollmentPolicy(
  idp: Pick<Kit, 'engineUrl' | 'apiToken'>,
  wanted: Readonly<Record<string, Enroll>>,
  self: 'LOGIN' | 'CHALLENGE' = 'LOGIN',
): Promise<void> {
  const api = apiOf(idp)
  for (const key of Object.keys(wanted)) await activate(api, key)
  const { body } = await api('POST', '/policies', {
    type: 'MFA_ENROLL',
    name: 'Enrolment',
    settings: {
      type: 'AUTHENTICATORS',
      authenticators: Object.entries({ ...had, ...wanted }).map(([key, self]) => ({ key, enroll: { self } })),
    },
  })
  const rule = { type: 'MFA_ENROLL', name: 'At sign-in', actions: { enroll: { self } } }
  const { status, text } = await api('POST', `/policies/${body.id}/rules`, rule)
  if (status !== 200) throw new Error(`the rule was not made: ${text}`)
}

/** Asks for two factors at every app. */
export async function twoFactors(idp: Pick<Kit, 'engineUrl' | 'apiToken'>): Promise<void> {
  const api = apiOf(idp)
  const [policy] = (await api('GET', '/policies?type=ACCESS_POLICY')).list
  const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
  const verificationMethod = { type: 'ASSURANCE', factorMode: '2FA' }
  const actions = { appSignOn: { access: 'ALLOW', verificationMethod } }
  const { status, text } = await api('PUT', `/policies/${policy?.id}/rules/${rule?.id}`, { ...rule, actions })
  if (status !== 200) throw new Error(`the rule was not changed: ${text}`)
}
