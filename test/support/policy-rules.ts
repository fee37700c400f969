import type { Kit } from '../../src/testing/index.ts'
import { activate } from '../wire/totp.ts'
import { type Api, apiOf } from './management.ts'

type Managed = Pick<Kit, 'engineUrl' | 'apiToken'>

async function done(api: Api, method: string, path: string, body: object) {
  const answer = await api(method, path, body)
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.text}`)
  return answer.body
}

/** Changes the actions of the one rule of a built-in policy. */
export async function builtInRule(idp: Managed, type: string, actions: object): Promise<void> {
  const api = apiOf(idp)
  const [policy] = (await api('GET', `/policies?type=${type}`)).list
  const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
  await done(api, 'PUT', `/policies/${policy?.id}/rules/${rule?.id}`, { ...rule, actions })
}

/** What every app asks for: `factorMode`, `constraints` … */
export const appRule = (idp: Managed, verificationMethod: object, others: object = {}): Promise<void> =>
  builtInRule(idp, 'ACCESS_POLICY', {
    appSignOn: {
      access: 'ALLOW',
      verificationMethod: { type: 'ASSURANCE', factorMode: '1FA', ...verificationMethod },
      ...others,
    },
  })

/** What every session asks for. */
export const sessionRule = (idp: Managed, signon: object): Promise<void> =>
  builtInRule(idp, 'OKTA_SIGN_ON', {
    signon: { access: 'ALLOW', primaryFactor: 'PASSWORD_IDP', ...signon },
  })

/** A policy of the type MFA_ENROLL for everyone; answers its id. The authenticators are activated. */
export async function enrolmentPolicy(
  idp: Managed,
  settings: {
    readonly authenticators?: readonly { readonly key: string }[]
    readonly [member: string]: unknown
  },
  rule: object = { actions: { enroll: { self: 'LOGIN' } } },
): Promise<string> {
  const api = apiOf(idp)
  for (const { key } of settings.authenticators ?? []) await activate(api, key)
  const { id } = await done(api, 'POST', '/policies', {
    type: 'MFA_ENROLL',
    name: 'Enrolment',
    settings: { type: 'AUTHENTICATORS', ...settings },
  })
  await done(api, 'POST', `/policies/${id}/rules`, { type: 'MFA_ENROLL', name: 'Rule', ...rule })
  return id
}

const had = [
  { key: 'okta_password', enroll: { self: 'REQUIRED' } },
  { key: 'okta_email', enroll: { self: 'OPTIONAL' } },
]
/** The app for authenticator codes as a policy names it, beside password and email. */
export const namingApp = (enroll: object) => ({ authenticators: [...had, { key: 'google_otp', enroll }] })
