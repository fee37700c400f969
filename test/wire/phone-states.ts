import type { Kit } from '../../src/testing/index.ts'
import {
  type Deviation,
  hiddenIds,
  names,
  noPassword,
  nothingToChoose,
  oldIds,
  oldIntent,
  oldMethods,
  oldTypes,
  optional,
  otherKinds,
  personId,
} from './captured.ts'
import {
  atTheSecondFactor,
  enrolsAPhone,
  enrolsNumber,
  lastCode,
  number,
  recoversA,
  recoversByPhone,
} from './phone.ts'
import { type Answer, newVisitor, type Visitor, wrong } from './visitor.ts'

/** Clients read what is inside of the field. */
const wrapped: Deviation = [
  /\/field\/authenticator\/(type|required|id\/visible)$/,
  'what stands around a form that has one field; clients read what is inside',
]
const slower: Deviation = [/\/poll\/refresh$/, 'how often a client may ask is not the same for all of them']
const enrolling = [oldTypes, names, oldIds, otherKinds, personId, noPassword]
const older = [...enrolling, hiddenIds]
const confirming = [names, personId, nothingToChoose]
const verifying = [...older, oldMethods]

/** Where an answer differs from the captured one, and why that is right. */
export const phoneDeviations: Readonly<Record<string, readonly Deviation[]>> = {
  'authenticator-enroll-data-phone': [...enrolling, oldIntent, nothingToChoose, wrapped],
  'authenticator-enroll-data-phone-voice': [...enrolling, oldIntent, nothingToChoose, wrapped],
  'authenticator-enroll-phone': confirming,
  'authenticator-enroll-phone-voice': confirming,
  'error-authenticator-enroll-phone-invalid-number': confirming,
  'error-authenticator-enroll-phone-invalid-otp': confirming,
  'authenticator-verification-select-authenticator-with-nickname': verifying,
  'authenticator-verification-select-authenticator-no-number': verifying,
  'authenticator-verification-data-phone-sms-then-voice': [...verifying, wrapped],
  'authenticator-verification-data-phone-voice-only': [...verifying, wrapped],
  'authenticator-verification-data-phone-sms-then-voice-no-profile': [...verifying, wrapped],
  'authenticator-verification-phone-sms': verifying,
  'authenticator-verification-phone-sms-required': verifying,
  'authenticator-verification-phone-voice': verifying,
  'authenticator-verification-phone-sms-nickname': verifying,
  'authenticator-verification-phone-sms-no-profile': verifying,
  'error-authenticator-challenge-phone-invalid-otp': [otherKinds, personId, optional],
  'error-401-invalid-otp-passcode': [personId, slower],
  'error-authenticator-phone-voice-ratelimit': [...verifying, wrapped],
}

type Reach = (visitor: Visitor, idp: Kit) => Promise<Answer | Visitor>

const selects =
  (method: string | undefined, phones?: Parameters<typeof atTheSecondFactor>[1]): Reach =>
  async (_, idp) =>
    (await atTheSecondFactor(idp, phones)).selects('phone_number', method ? { methodType: method } : {})

async function wrongCode(_: Visitor, idp: Kit): Promise<Answer> {
  const visitor = await atTheSecondFactor(idp)
  await visitor.selects('phone_number', { methodType: 'sms' })
  return visitor.answers(wrong(await lastCode(idp)))
}

/** So many texts to one phone that there are no more. */
const tooMany =
  (methodType: string): Reach =>
  async (_, idp) => {
    const visitor = await atTheSecondFactor(idp)
    let seen = await visitor.selects('phone_number')
    for (let text = 0; text < 6; text++) {
      const again = newVisitor(idp)
      await again.begins()
      await again.signsIn(idp.person.login, idp.person.password)
      await again.selects('phone_number')
      seen = await again.selects('phone_number', { methodType })
    }
    return seen
  }

/** The ways to the captured states of a phone, by the names of their files. */
export const phoneStates: Readonly<Record<string, Reach>> = {
  'authenticator-enroll-data-phone': (visitor, idp) => enrolsAPhone(idp, visitor),
  'authenticator-enroll-data-phone-voice': async (visitor, idp) => {
    await enrolsAPhone(idp, visitor)
    return visitor.enrolls('phone_number', { methodType: 'voice' })
  },
  'authenticator-enroll-phone': (visitor, idp) => enrolsNumber(idp, visitor),
  'authenticator-enroll-phone-voice': (visitor, idp) => enrolsNumber(idp, visitor, { methodType: 'voice' }),
  'error-authenticator-enroll-phone-invalid-number': (visitor, idp) =>
    enrolsNumber(idp, visitor, { phoneNumber: '12' }),
  async 'error-authenticator-enroll-phone-invalid-otp'(visitor, idp) {
    await enrolsNumber(idp, visitor)
    return visitor.answers(wrong(await lastCode(idp)))
  },
  'authenticator-verification-select-authenticator-with-nickname': async (_, idp) =>
    (await atTheSecondFactor(idp, [{ name: 'ph1' }])).introspects(),
  async 'authenticator-verification-select-authenticator-no-number'(visitor, idp) {
    await recoversByPhone(idp)
    return recoversA(idp, visitor)
  },
  'authenticator-verification-data-phone-sms-then-voice': selects(undefined),
  'authenticator-verification-data-phone-voice-only': selects(undefined, [{ to: `${number}x12` }]),
  async 'authenticator-verification-data-phone-sms-then-voice-no-profile'(visitor, idp) {
    await recoversByPhone(idp)
    await recoversA(idp, visitor)
    return visitor.selects('phone_number')
  },
  'authenticator-verification-phone-sms': selects('sms'),
  'authenticator-verification-phone-sms-required': selects('sms'),
  'authenticator-verification-phone-voice': selects('voice'),
  'authenticator-verification-phone-sms-nickname': selects('sms', [{ name: 'ph1' }]),
  async 'authenticator-verification-phone-sms-no-profile'(visitor, idp) {
    await recoversByPhone(idp)
    await recoversA(idp, visitor)
    return visitor.selects('phone_number', { methodType: 'sms' })
  },
  'error-authenticator-challenge-phone-invalid-otp': wrongCode,
  async 'error-401-invalid-otp-passcode'(_, idp) {
    const visitor = await atTheSecondFactor(idp)
    await visitor.selects('okta_email')
    return visitor.answers(wrong((await visitor.mail()).code))
  },
  'error-authenticator-phone-sms-ratelimit': tooMany('sms'),
  'error-authenticator-phone-voice-ratelimit': tooMany('voice'),
}
