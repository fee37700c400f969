import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { codeAt, enrollmentPolicy, secretIn } from './totp.ts'
import { newVisitor } from './visitor.ts'

type Actions = Readonly<Record<string, unknown>>

/** Changes the actions of the rule of the built-in password policy, as an administrator does. */
export async function changeRule(idp: Kit, change: (actions: Actions) => Actions): Promise<void> {
  const api = apiOf(idp)
  const [policy] = (await api('GET', '/policies?type=PASSWORD')).list.filter(({ system }) => system === true)
  const path = `/policies/${policy?.id}/rules`
  const [rule] = (await api('GET', path)).list
  const { status, text } = await api('PUT', `${path}/${rule?.id}`, {
    ...rule,
    actions: change(rule?.actions as Actions),
  })
  if (status !== 200) throw new Error(`the rule was not changed: ${text}`)
}

/** Enrols an authenticator app for the user of the kit, at a sign-in; resolves with its secret. */
export async function enrollsApp(idp: Kit): Promise<string> {
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  const secret = secretIn(await visitor.enrolls('google_otp'))
  const { interactionCode } = await visitor.answers(codeAt(secret, idp.clock.now()))
  if (interactionCode === undefined) throw new Error(`the app was not enrolled: ${visitor.response.text}`)
  return secret
}
