import type { Kit } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

type Managed = Pick<Kit, 'engineUrl' | 'apiToken'>

async function sent(api: Api, method: string, path: string, body: object): Promise<void> {
  const { status, text } = await api(method, path, body)
  if (status !== 200) throw new Error(`${method} ${path} was answered with ${status}: ${text}`)
}

/** Changes settings of the email authenticator. */
export async function emailWith(idp: Managed, settings: object): Promise<void> {
  const api = apiOf(idp)
  const found = (await api('GET', '/authenticators')).list.find(({ key }) => key === 'okta_email')
  await sent(api, 'PUT', `/authenticators/${found?.id}`, { settings })
}

/** Changes settings of an app. */
export async function appWith(idp: Managed & Pick<Kit, 'clientId'>, settings: object): Promise<void> {
  const api = apiOf(idp)
  const { body } = await api('GET', `/apps/${idp.clientId}`)
  const app = body as unknown as { readonly settings: { readonly oauthClient: object } }
  const oauthClient = { ...app.settings.oauthClient, ...settings }
  await sent(api, 'PUT', `/apps/${idp.clientId}`, { ...body, settings: { ...app.settings, oauthClient } })
}

/** A policy by which users have to prove their mailbox, unless it is enrolled by itself. */
export async function enrolsEmail(
  idp: Managed,
  self: 'REQUIRED' | 'OPTIONAL' = 'REQUIRED',
  autoEnroll = false,
): Promise<void> {
  const api = apiOf(idp)
  const authenticators = [{ key: 'okta_email', enroll: { self, autoEnroll } }]
  const settings = { type: 'AUTHENTICATORS', authenticators }
  const { body } = await api('POST', '/policies', { type: 'MFA_ENROLL', name: 'Mailbox', settings })
  const rule = { type: 'MFA_ENROLL', name: 'At sign-in', actions: { enroll: { self: 'LOGIN' } } }
  await sent(api, 'POST', `/policies/${body.id}/rules`, rule)
}

/** A user's secondary address, proven; answers the user's id. */
export async function verifiesSecond(
  { engine }: Pick<Kit, 'engine'>,
  login: string,
  address: string,
): Promise<string> {
  const found = await engine.people.find(login)
  if (found === undefined) throw new Error(`there is no ${login}`)
  await engine.people.verifySecondEmail(found.id, address)
  return found.id
}

/** Passwords last ten days, and users are warned for the last three. */
export async function warnsOfExpiry(
  idp: Managed,
  age: object = { maxAgeDays: 10, expireWarnDays: 3 },
): Promise<void> {
  const api = apiOf(idp)
  const [policy] = (await api('GET', '/policies?type=PASSWORD')).list
  const { settings } = policy as unknown as {
    readonly settings: { readonly password: { readonly age: object } }
  }
  const password = { ...settings.password, age: { ...settings.password.age, ...age } }
  await sent(api, 'PUT', `/policies/${policy?.id}`, { ...policy, settings: { ...settings, password } })
}

/** No password policy lets users recover by themselves: an authenticator may then be of no use for it. */
export async function withoutSelfService(idp: Managed): Promise<void> {
  const api = apiOf(idp)
  const [policy] = (await api('GET', '/policies?type=PASSWORD')).list
  const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
  const actions = { selfServicePasswordReset: { access: 'DENY' } }
  await sent(api, 'PUT', `/policies/${policy?.id}/rules/${rule?.id}`, { ...rule, actions })
}
