import { dataOfNumber, phoneEnrollment, readNumber } from '../../src/authenticators/phone/index.ts'
import { systemRandom } from '../../src/base/index.ts'
import { putEnrollment } from '../../src/directory/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { enrollmentPolicy, twoFactors } from './totp.ts'
import { type Answer, type Json, newVisitor, type Visitor } from './visitor.ts'

export const number = '+15551234567'

let made = 0
/** Stores a phone of a user, as enrolled before; the default user's, where no other is named. */
export async function hasPhone(
  idp: Kit,
  { login = idp.person.login, to = number, name }: { login?: string; to?: string; name?: string } = {},
): Promise<string> {
  const [user] = await idp.people.list(login)
  const read = await readNumber(to)
  if (user === undefined || read === undefined) throw new Error(`no user ${login}, or no number ${to}`)
  const enrollment = phoneEnrollment(user.id, 'sms', dataOfNumber(read))
  await putEnrollment(
    idp.engine.storage.db,
    { ...enrollment, ...(name && { name }) },
    // One after the other, as they are listed by age.
    { random: systemRandom, now: idp.clock.now() + 1000 * ++made },
  )
  return user.id
}

/** A sign-in whose policy requires a phone, at the form for the number. */
export async function enrolsAPhone(idp: Kit, visitor: Visitor): Promise<Answer> {
  await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  return visitor.enrolls('phone_number')
}

/** The same, with a number. */
export async function enrolsNumber(idp: Kit, visitor: Visitor, more: Json = {}): Promise<Answer> {
  await enrolsAPhone(idp, visitor)
  return visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: number, ...more })
}

/** A user with these phones, at the choice of the second factor. */
export async function atTheSecondFactor(
  idp: Kit,
  phones: readonly { to?: string; name?: string }[] = [{}],
): Promise<Visitor> {
  await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
  for (const phone of phones) await hasPhone(idp, phone)
  await twoFactors(idp)
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  return visitor
}

/** Lets passwords be recovered by phone as well as by mail. */
export async function recoversByPhone(idp: Kit): Promise<void> {
  const api = apiOf(idp)
  await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
  const [policy] = (await api('GET', '/policies?type=PASSWORD')).list
  const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
  const actions = {
    ...(rule?.actions as Json),
    selfServicePasswordReset: {
      access: 'ALLOW',
      requirement: { primary: { methods: ['email', 'sms', 'voice'] }, stepUp: { required: false } },
    },
  }
  const { status, text } = await api('PUT', `/policies/${policy?.id}/rules/${rule?.id}`, { ...rule, actions })
  if (status !== 200) throw new Error(`the rule was not changed: ${text}`)
}

/** A recovery at the choice of a method. */
export async function recoversA(idp: Kit, visitor: Visitor, login = idp.person.login): Promise<Answer> {
  await visitor.begins()
  await visitor.submits('recover')
  return visitor.submits('identify', { identifier: login })
}

/** The newest text or call, once everything that is due has been delivered. */
export async function latestText(idp: Kit, to = number) {
  await idp.engine.delivery.idle()
  const text = idp.outbox.latest({ to })
  if (text === undefined) throw new Error(`nothing was sent to ${to}`)
  return text
}
export const lastCode = async (idp: Kit, to = number): Promise<string> =>
  (await latestText(idp, to)).code ?? ''

export const keyOf = ({ body }: Answer) => /"i18n":\{"key":"([\w.]+)"/.exec(JSON.stringify(body))?.[1]
