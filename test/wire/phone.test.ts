import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dialled, isServed, readNumber } from '../../src/authenticators/phone/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import {
  atTheSecondFactor,
  enrolsAPhone,
  enrolsNumber,
  hasPhone,
  keyOf,
  lastCode,
  latestText,
  number,
  recoversA,
  recoversByPhone,
} from './phone.ts'
import { enrollmentPolicy, twoFactors } from './totp.ts'
import { type Answer, type Json, newVisitor, type Visitor, wrong } from './visitor.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const partOf = ({ body }: Answer, name: string) => (body[name] as { value: Json }).value
const seen = (answer: Answer) => [answer.status, keyOf(answer), answer.remediations[0]]
const sent = async (kit = idp) => {
  await kit.engine.delivery.idle()
  return kit.outbox
    .all()
    .filter(({ channel }) => channel !== 'email')
    .map(({ channel, to }) => `${channel} ${to}`)
    .toReversed()
}
async function claimsOf(visitor: Visitor, answer: Answer): Promise<Json> {
  const { body } = await visitor.redeems(answer.interactionCode)
  return JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString()) as Json
}

describe('a number', () => {
  test.each([
    ['+15551234567', '+15551234567'],
    ['+1 (555) 123-4567', '+15551234567'],
    ['+1.555.123.4567', '+15551234567'],
    ['  +1 555 123 4567 ', '+15551234567'],
    ['＋１５５５１２３４５６７', '+15551234567'],
    ['+436641234567', '+436641234567'],
    ['+43 0664 1234567', '+436641234567'],
    ['+15551234567x12', '+15551234567x12'],
    ['+1 555-123-4567 ext. 12', '+15551234567x12'],
  ])('%s is %s', async (typed, expected) => {
    const read = await readNumber(typed)
    expect(read && dialled(read)).toBe(expected)
  })

  test.each([
    '5551234567',
    '0664 1234567',
    '00436641234567',
    '+12',
    '+',
    '',
    'tel:+15551234567',
    '+1555123456x',
    '+1555CALLNOW',
    '+999123456789',
    `+${'1'.repeat(70)}`,
    '+1 555 123 4567; drop',
  ])('%s is none', async (typed) => expect(await readNumber(typed)).toBeUndefined())

  test.each([
    ['+19005551234', 'of premium rate'],
    ['+447000000000', 'a personal number'],
    ['+33899123456', 'of premium rate'],
    ['+870123456789', 'of a satellite'],
    ['+979123456789', 'of premium rate, of no country'],
  ])('%s is %s, and served nowhere', async (typed) => {
    const read = await readNumber(typed)
    expect(read && isServed(read, [])).toBe(false)
  })

  test('is served where its country is, and one that is not given out where one of its countries is', async () => {
    const [austrian, unassigned] = [await readNumber('+436641234567'), await readNumber(number)]
    if (austrian === undefined || unassigned === undefined) throw new Error('no number')
    expect([isServed(austrian, []), isServed(austrian, ['AT']), isServed(austrian, ['DE'])]).toEqual([
      true,
      true,
      false,
    ])
    expect([isServed(unassigned, ['US']), isServed(unassigned, ['DE'])]).toEqual([true, false])
  })
})

describe('enrolling a phone', () => {
  test('asks for the number, sends a code, and counts as a factor', async () => {
    const visitor = newVisitor(idp)
    const asked = await enrolsAPhone(idp, visitor)
    expect(asked.remediations).toEqual(['authenticator-enrollment-data', 'select-authenticator-enroll'])
    expect(asked.body.enrollmentAuthenticator).toBeUndefined()
    // There is nothing to send again yet, and clients ask all the same.
    expect((await visitor.resends()).remediations).toEqual(asked.remediations)
    expect(await sent()).toEqual([])

    const code = await visitor.enrolls('phone_number', {
      methodType: 'sms',
      phoneNumber: '+1 (555) 123-4567',
    })
    expect(code.remediations).toEqual(['enroll-authenticator', 'select-authenticator-enroll'])
    expect(partOf(code, 'currentAuthenticator')).toMatchObject({ methods: [{ type: 'sms' }] })
    const text = await latestText(idp)
    expect(text).toMatchObject({ channel: 'sms', to: number, template: 'PhoneEnrollment', link: null })
    expect(text.text).toMatch(
      new RegExp(`^Your verification code is ${text.code}\\..*\\n\\n@localhost #${text.code}$`, 's'),
    )

    expect(seen(await visitor.answers(wrong(text.code)))).toEqual([
      401,
      'api.authn.error.PASSCODE_INVALID',
      'enroll-authenticator',
    ])
    const claims = await claimsOf(visitor, await visitor.answers(text.code))
    expect(claims.amr).toEqual(['pwd', 'sms', 'otp', 'mfa'])
    const types = (await idp.events()).map(({ eventType }) => eventType)
    for (const type of [
      'system.sms.send_phone_verification_message',
      'system.sms.receive_status',
      'user.mfa.factor.activate',
    ]) {
      expect(types).toContain(type)
    }
    await idp.engine.delivery.idle()
    // The user is notified by mail (A59).
    expect(idp.outbox.latest({ channel: 'email' })).toMatchObject({ template: 'AuthenticatorEnrolled' })
  })

  test.each([
    ['5551234567', 'api.factors.error.sms.invalid_phone'],
    ['+12', 'api.factors.error.sms.invalid_phone'],
    [['+15551234567'], 'api.factors.error.sms.invalid_phone'],
    ['+15551234567x12', 'api.factors.error.sms.invalid_phone'],
    ['+19005551234', 'phone.number.notServed'],
  ])('refuses %s for a text, and asks again, from wherever it came', async (phoneNumber, key) => {
    const visitor = newVisitor(idp)
    const refused = await enrolsNumber(idp, visitor, { phoneNumber })
    expect(seen(refused)).toEqual([400, key, 'authenticator-enrollment-data'])
    expect(refused.text.match(/"i18n"/g)).toHaveLength(1)
    // Straight from the selection as well: SDKs send all of it in one request.
    const second = newVisitor(idp)
    await second.begins()
    await second.signsIn(idp.person.login, idp.person.password)
    const direct = await second.enrolls('phone_number', { methodType: 'sms', phoneNumber })
    expect(seen(direct)).toEqual([400, key, 'authenticator-enrollment-data'])
    expect(await sent()).toEqual([])
    const good = await second.enrolls('phone_number', { methodType: 'sms', phoneNumber: number })
    expect(good.remediations[0]).toBe('enroll-authenticator')
  })

  test('sends again after thirty seconds, calls at once after a change of mind, and an earlier code is good for nothing', async () => {
    const visitor = newVisitor(idp)
    await enrolsNumber(idp, visitor)
    const first = await lastCode(idp)
    const soon = await visitor.resends()
    expect(seen(soon)).toEqual([429, 'errors.E0000109', 'enroll-authenticator'])
    expect(Number(soon.headers.get('retry-after'))).toBe(30)
    const again = { methodType: 'sms', phoneNumber: '+1 555 123 45 67' }
    expect(seen(await visitor.enrolls('phone_number', again))[1]).toBe('errors.E0000109')

    await visitor.enrolls('phone_number', { methodType: 'voice', phoneNumber: number })
    const call = await latestText(idp)
    expect(call.text).toContain([...(call.code ?? '')].join(', '))
    expect(seen(await visitor.resends())[1]).toBe('errors.E0000133')
    await idp.clock.advance('31s')
    await visitor.resends()
    expect(await sent()).toEqual([`sms ${number}`, `voice ${number}`, `voice ${number}`])
    const last = await lastCode(idp)
    if (first !== last) expect((await visitor.answers(first)).status).toBe(401)
    expect((await claimsOf(visitor, await visitor.answers(last))).amr).toEqual(['pwd', 'tel', 'otp', 'mfa'])
  })

  test('takes a call behind an extension, which gets no texts later', async () => {
    const visitor = newVisitor(idp)
    await enrolsNumber(idp, visitor, { methodType: 'voice', phoneNumber: '+1 555 123 4567 x12' })
    const { code, to } = await latestText(idp, `${number}x12`)
    expect(to).toBe(`${number}x12`)
    await visitor.answers(code)
    const [row] = await idp.engine.storage.db
      .selectFrom('enrollments')
      .select('data')
      .where('authenticator', '=', 'phone_number')
      .execute()
    expect(JSON.parse(row?.data ?? '')).toEqual({ number, callingCode: '1', extension: '12' })
  })

  test('a code is good for its time', async () => {
    const visitor = newVisitor(idp)
    await enrolsNumber(idp, visitor)
    const code = await lastCode(idp)
    await idp.clock.advance('6m')
    expect((await visitor.answers(code)).status).toBe(401)
  })

  test('the same number again takes the place of the phone before', async () => {
    await hasPhone(idp)
    await hasPhone(idp)
    await hasPhone(idp, { to: '+15557654321' })
    const rows = await idp.engine.storage.db
      .selectFrom('enrollments')
      .selectAll()
      .where('authenticator', '=', 'phone_number')
      .execute()
    expect(rows.map(({ version }) => version).toSorted()).toEqual([1, 2])
  })
})

describe('a phone as a second factor', () => {
  test('is asked how first, and a second one is an option of its own', async () => {
    const visitor = await atTheSecondFactor(idp, [{}, { to: '+15557654321', name: 'work' }])
    const choice = await visitor.introspects()
    const shown = (partOf(choice, 'authenticatorEnrollments') as unknown as readonly Json[]).filter(
      ({ key }) => key === 'phone_number',
    )
    expect(shown).toMatchObject([
      { profile: { phoneNumber: '+1 XXX-XXX-4567' }, displayName: 'Phone' },
      { profile: { phoneNumber: '+1 XXX-XXX-4321' }, displayName: 'Phone', nickname: 'work' },
    ])
    expect(choice.text).not.toContain('5551234567')

    const asked = await visitor.selects('phone_number')
    expect(asked.remediations).toEqual([
      'authenticator-verification-data',
      'select-authenticator-authenticate',
    ])
    expect((await visitor.resends()).remediations).toEqual(asked.remediations)
    expect(await sent()).toEqual([])
    await visitor.selects('phone_number', { methodType: 'sms', enrollmentId: shown[1]?.id })
    await visitor.selects('phone_number', { methodType: 'voice', enrollmentId: shown[1]?.id })
    await idp.clock.advance('31s')
    await visitor.resends()
    expect(await sent()).toEqual(['sms +15557654321', 'voice +15557654321', 'voice +15557654321'])
    const done = await visitor.answers(await lastCode(idp, '+15557654321'))
    expect((await claimsOf(visitor, done)).amr).toEqual(['pwd', 'tel', 'otp', 'mfa'])
  })

  test('is asked in the user’s language', async () => {
    const [user] = await idp.people.list(idp.person.login)
    await idp.people.update(user?.id ?? '', { locale: 'de-AT' })
    const visitor = await atTheSecondFactor(idp)
    await visitor.selects('phone_number', { methodType: 'sms' })
    expect((await latestText(idp)).text).toMatch(/^Ihr Bestätigungscode lautet \d{6}\./)
  })

  test('that was removed meanwhile proves nothing', async () => {
    const visitor = await atTheSecondFactor(idp)
    await visitor.selects('phone_number', { methodType: 'sms' })
    const code = await lastCode(idp)
    await idp.engine.storage.db
      .deleteFrom('enrollments')
      .where('authenticator', '=', 'phone_number')
      .execute()
    // It is not offered any more: what is left is asked for in its place.
    await visitor.answers(code)
    expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
    expect(visitor.response.text).not.toContain('phone_number')
  })

  test('a code is good once, and for the transaction that asked for it', async () => {
    const visitor = await atTheSecondFactor(idp)
    await visitor.selects('phone_number', { methodType: 'sms' })
    const code = await lastCode(idp)
    const other = newVisitor(idp)
    await other.begins()
    await other.signsIn(idp.person.login, idp.person.password)
    await other.selects('phone_number', { methodType: 'voice' })
    if ((await lastCode(idp)) !== code) expect((await other.answers(code)).status).toBe(401)
    expect((await visitor.answers(code)).interactionCode).toBeDefined()
  })

  test('a method that is none is refused', async () => {
    const visitor = await atTheSecondFactor(idp)
    expect((await visitor.selects('phone_number', { methodType: 'fax' })).status).toBe(400)
    expect((await visitor.selects('phone_number', { methodType: ['sms'] })).status).toBe(400)
  })
})

describe('a recovery by phone', () => {
  test('sends a text to the phone, and ends with a new password', async () => {
    await recoversByPhone(idp)
    await hasPhone(idp)
    const visitor = newVisitor(idp)
    await recoversA(idp, visitor)
    await visitor.selects('phone_number')
    const code = await visitor.selects('phone_number', { methodType: 'sms' })
    expect(code.remediations[0]).toBe('challenge-authenticator')
    expect(await latestText(idp)).toMatchObject({ template: 'PhoneRecovery' })
    const reset = await visitor.answers(await lastCode(idp))
    expect(reset.text).not.toContain(number)
    expect(idp.outbox.latest({ channel: 'voice' })).toBeUndefined()
    const types = (await idp.events()).map(({ eventType }) => eventType)
    expect(types).toContain('system.sms.send_password_reset_message')
  })
})

describe('the kit', () => {
  test('has texts and calls beside mails, by number and channel', async () => {
    const visitor = newVisitor(idp)
    await enrolsAPhone(idp, visitor)
    const waiting = idp.outbox.waitFor({ to: '+1 555 123 4567', channel: 'sms', template: 'PhoneEnrollment' })
    await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: number })
    expect(await waiting).toMatchObject({
      channel: 'sms',
      to: number,
      code: expect.stringMatching(/^\d{6}$/),
    })
    expect(idp.outbox.latest({ to: number, channel: 'voice' })).toBeUndefined()
    expect(idp.outbox.latest({ to: number, channel: 'sms' })?.code).toBe((await waiting).code)
    const found = await fetch(`${idp.controlUrl}/messages?to=+15551234567&channel=sms`)
    expect(await found.json()).toMatchObject([{ channel: 'sms', to: number }])
    expect((await fetch(`${idp.controlUrl}/messages?channel=fax`)).status).toBe(400)
    expect(() => idp.outbox.latest({ channel: 'fax' } as never)).toThrow(/outbox\.latest: channel/)
  })
})

describe('with a list of countries', () => {
  let there: Kit | undefined
  afterEach(() => there?.close())

  test('a number of another country is refused at enrolment, and asked for once more', async () => {
    there = await startEngine({ settings: { telephony: { countries: ['AT'] } } })
    const visitor = newVisitor(there)
    expect(seen(await enrolsNumber(there, visitor, { phoneNumber: '+4915112345678' }))).toEqual([
      400,
      'phone.number.notServed',
      'authenticator-enrollment-data',
    ])
    await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: '+43 664 1234567' })
    expect(await sent(there)).toEqual(['sms +436641234567'])
  })
})

test('the only factor of a user is not chosen once more: how its code comes is asked at once, and nothing is sent', async () => {
  await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', okta_email: 'NOT_ALLOWED' })
  await hasPhone(idp)
  await twoFactors(idp)
  const begins = async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(idp.person.login, idp.person.password)
    return visitor
  }
  const visitor = await begins()
  const asked = visitor.response
  expect(asked.remediations).toEqual(['authenticator-verification-data', 'select-authenticator-authenticate'])
  const { id, methods } = partOf(asked, 'currentAuthenticatorEnrollment')
  expect(methods).toEqual([{ type: 'sms' }, { type: 'voice' }])
  // The form names the phone that it is about.
  expect(JSON.stringify(asked.body.remediation?.value[0])).toContain(`"value":"${String(id)}"`)
  expect(await sent()).toEqual([])
  await visitor.selects('phone_number', { methodType: 'voice', enrollmentId: id })
  expect(await sent()).toEqual([`voice ${number}`])

  // Of two phones one is chosen first.
  await hasPhone(idp, { to: '+15557654321' })
  expect((await begins()).remediations).toEqual(['select-authenticator-authenticate'])
})
