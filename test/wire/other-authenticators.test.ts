import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import { putEnrollment } from '../../src/directory/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { passkeyAuthenticator, signatureOf } from './authenticators/passkey.ts'
import { phoneAuthenticator, type Told } from './authenticators/phone.ts'
import { enrollmentPolicy, twoFactors } from './totp.ts'
import { type Answer, type Json, newVisitor, type Visitor, wrong } from './visitor.ts'

// Authenticators that the product does not have, as values of the same interface: what they need is there, and the flow, the
// steps and the wire need none of their names. The phone is one beside the built-in; the passkey takes the place of the
// built-in. The built-in ones are compared with the captured responses in fixtures.test.ts.
const told: Told[] = []
let idp: Kit
beforeAll(async () => {
  idp = await startEngine({
    authenticators: [phoneAuthenticator((message) => told.push(message)), passkeyAuthenticator],
    settings: { signOn: { start: 'password' } },
  })
})
beforeEach(async () => {
  await idp.reset()
  told.length = 0
})
afterAll(() => idp.close())

const number = '+15551234567'

async function signsIn(visitor: Visitor): Promise<Answer> {
  await visitor.begins()
  return visitor.signsIn(idp.person.login, idp.person.password)
}
const lastCode = () => told.at(-1)?.code ?? ''
const offered = ({ remediations }: Answer) => remediations
const partOf = ({ body }: Answer, name: string) => (body[name] as { value: Json }).value
const listOf = (seen: Answer, name: string) => partOf(seen, name) as unknown as readonly Json[]
const keyOf = ({ body }: Answer) => /"i18n":\{"key":"([\w.]+)"/.exec(JSON.stringify(body))?.[1]
const optionsOf = ({ body }: Answer) => {
  const options = body.remediation?.value[0]?.value?.[0]?.options
  return (options ?? []) as readonly Option[]
}
interface Option {
  readonly label: string
  readonly relatesTo: string
}

// Ways to the captured states.

async function enrolsA(key: string, visitor: Visitor): Promise<Answer> {
  await enrollmentPolicy(idp, { [key]: 'REQUIRED' })
  await signsIn(visitor)
  return visitor.enrolls(key)
}
async function sendsTo(visitor: Visitor, more: Json = {}): Promise<Answer> {
  await enrolsA('example_phone', visitor)
  return visitor.enrolls('example_phone', { methodType: 'sms', phoneNumber: number, ...more })
}
/** A user with these phones, at the choice of the second factor. */
async function withPhones(phones: readonly { number: string; nickname?: string }[]): Promise<Visitor> {
  await enrollmentPolicy(idp, { example_phone: 'OPTIONAL' })
  for (const data of phones) await put('example_phone', 'pae', 'sms', data)
  await twoFactors(idp)
  const visitor = newVisitor(idp)
  await signsIn(visitor)
  return visitor
}
let made = 0
async function put(authenticator: string, prefix: string, method: string, data: object, name?: string) {
  const { db } = idp.engine.storage
  const person = await db.selectFrom('people').select('id').executeTakeFirstOrThrow()
  await putEnrollment(
    db,
    { personId: person.id, authenticator, prefix, method, data, several: true, ...(name && { name }) },
    // One after the other, as they are listed by age.
    { random: systemRandom, now: idp.clock.now() + 1000 * ++made },
  )
  return person.id
}
async function withPasskeys(...credentialIds: readonly string[]): Promise<Visitor> {
  await enrollmentPolicy(idp, { webauthn: 'OPTIONAL' })
  for (const credentialId of credentialIds) {
    await put('webauthn', 'fwf', 'webauthn', { credentialId, transports: ['internal'] }, 'MacBook Touch ID')
  }
  await twoFactors(idp)
  const visitor = newVisitor(idp)
  await signsIn(visitor)
  return visitor
}
/** A recovery that asks for the answer that was enrolled at a sign-in before. */
async function atTheQuestion(visitor = newVisitor(idp)): Promise<Answer> {
  const first = newVisitor(idp)
  await enrolsA('security_question', first)
  await first.submits('challenge/answer', {
    credentials: { questionKey: 'favorite_vacation_location', answer: 'Madrid' },
  })
  await visitor.atTheCode()
  await visitor.answers((await visitor.mail()).code)
  return visitor.selects('security_question')
}

async function claimsOf(visitor: Visitor, seen: Answer): Promise<Json> {
  const { body } = await visitor.redeems(seen.interactionCode)
  return JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString()) as Json
}
const dataOf = (seen: Answer) => partOf(seen, 'currentAuthenticator').contextualData as Json

describe('a phone', () => {
  test('is enrolled in two steps: the number first, then the code that was sent to it', async () => {
    const visitor = newVisitor(idp)
    const asked = await enrolsA('example_phone', visitor)
    expect(offered(asked)).toEqual(['authenticator-enrollment-data', 'select-authenticator-enroll'])
    expect(asked.body.enrollmentAuthenticator).toBeUndefined()
    // There is nothing to send again yet, and clients ask all the same.
    expect(offered(await visitor.submits('challenge/resend'))).toEqual(offered(asked))
    expect(told).toEqual([])

    // A method without a number: the same page, with that method alone.
    const half = await visitor.enrolls('example_phone', { methodType: 'voice' })
    expect(JSON.stringify(half.body.remediation?.value[0])).not.toContain('"sms"')

    const sent = await visitor.enrolls('example_phone', {
      methodType: 'sms',
      phoneNumber: '+1 (555) 123-4567',
    })
    expect(offered(sent)).toEqual(['enroll-authenticator', 'select-authenticator-enroll'])
    expect(partOf(sent, 'currentAuthenticator')).toMatchObject({ methods: [{ type: 'sms' }] })
    expect(told).toEqual([{ to: number, by: 'sms', code: expect.stringMatching(/^\d{6}$/) }])

    const first = lastCode()
    await visitor.submits('challenge/resend')
    expect(told.map(({ to, by }) => [to, by])).toEqual([
      [number, 'sms'],
      [number, 'sms'],
    ])
    expect((await visitor.answers(first === lastCode() ? wrong(first) : first)).status).toBe(401)
    expect(await claimsOf(visitor, await visitor.answers(lastCode()))).toMatchObject({
      amr: ['pwd', 'sms', 'mfa'],
    })
  })

  test('is called after a change of mind, and the text message is good for nothing', async () => {
    const visitor = newVisitor(idp)
    await sendsTo(visitor)
    const message = lastCode()
    await visitor.enrolls('example_phone', { methodType: 'voice', phoneNumber: number })
    expect(told.at(-1)).toMatchObject({ by: 'voice' })
    if (message !== lastCode()) expect((await visitor.answers(message)).status).toBe(401)
    expect(await claimsOf(visitor, await visitor.answers(lastCode()))).toMatchObject({
      amr: ['pwd', 'tel', 'mfa'],
    })
  })

  test('a number that is none is refused at the top, and may be typed again', async () => {
    const visitor = newVisitor(idp)
    const refused = await sendsTo(visitor, { phoneNumber: '555' })
    expect([refused.status, keyOf(refused)]).toEqual([400, 'api.factors.error.sms.invalid_phone'])
    expect(offered(refused)[0]).toBe('authenticator-enrollment-data')
    const sent = await visitor.enrolls('example_phone', { methodType: 'sms', phoneNumber: number })
    expect(offered(sent)[0]).toBe('enroll-authenticator')
  })

  test('two are two options, each with its own number masked', async () => {
    const visitor = await withPhones([{ number }, { number: '+15557654321', nickname: 'work' }])
    const seen = await visitor.introspects()
    const phones = optionsOf(seen).filter(({ label }) => label === 'Phone')
    const indexes = phones.map(({ relatesTo }) => Number(/\d+/.exec(relatesTo)?.[0]))
    const shown = indexes.map((index) => listOf(seen, 'authenticatorEnrollments')[index])
    expect(shown).toMatchObject([
      { key: 'example_phone', profile: { phoneNumber: '+1 XXX-XXX-4567' } },
      { key: 'example_phone', profile: { phoneNumber: '+1 XXX-XXX-4321' }, nickname: 'work' },
    ])
    expect(seen.text).not.toContain('5551234567')

    // Without saying which, it is the first one; what is missing is asked for before anything is sent.
    const asked = await visitor.selects('example_phone')
    expect(offered(asked)).toEqual(['authenticator-verification-data', 'select-authenticator-authenticate'])
    expect(partOf(asked, 'currentAuthenticatorEnrollment')).toMatchObject({
      id: shown[0]?.id,
      methods: [{ type: 'sms' }, { type: 'voice' }],
    })
    expect(offered(await visitor.submits('challenge/resend'))).toEqual(offered(asked))
    expect(told).toEqual([])
    await visitor.selects('example_phone', { methodType: 'sms', enrollmentId: shown[1]?.id })
    expect(told.map(({ to, by }) => [to, by])).toEqual([['+15557654321', 'sms']])
    // From the code's page to a call, in one request; a resend calls the same number.
    await visitor.selects('example_phone', { methodType: 'voice', enrollmentId: shown[1]?.id })
    await visitor.submits('challenge/resend')
    expect(told.slice(1).map(({ to, by }) => [to, by])).toEqual([
      ['+15557654321', 'voice'],
      ['+15557654321', 'voice'],
    ])
    expect(await claimsOf(visitor, await visitor.answers(lastCode()))).toMatchObject({
      amr: ['pwd', 'tel', 'mfa'],
    })
  })
})

describe('a passkey', () => {
  const userHandle = (id: string) => Buffer.from(id).toString('base64')
  const assertion = (credentialId: string, challenge: unknown, counter = 1, more: Json = {}) => ({
    credentials: {
      authenticatorData: String(counter),
      clientData: 'client data',
      signatureData: signatureOf(credentialId, String(challenge)),
      ...more,
    },
  })
  const challengeOf = (data: Json) => (data.challengeData as Json).challenge

  test('is enrolled with what the browser needs to make it', async () => {
    const visitor = newVisitor(idp)
    const seen = await enrolsA('webauthn', visitor)
    const { activationData } = dataOf(seen) as { activationData: Json }
    expect(activationData).toMatchObject({ user: { name: idp.person.login }, attestation: 'direct' })
    expect(activationData.challenge).toMatch(/^[\w-]{43}$/)
    const missing = await visitor.submits('challenge/answer', { credentials: { clientData: 'x' } })
    expect([missing.status, keyOf(missing)]).toEqual([400, 'model.validation.field.blank'])
    const credentials = { attestation: 'AAAA', clientData: activationData.challenge }
    const refused = await visitor.submits('challenge/answer', {
      credentials: { ...credentials, clientData: 'another challenge' },
    })
    expect([refused.status, keyOf(refused)]).toEqual([
      400,
      'authfactor.webauthn.error.attestation_validation_failure',
    ])
    // After a wrong answer it is another challenge.
    const again = dataOf(refused) as { activationData: Json }
    expect(again.activationData.challenge).not.toBe(activationData.challenge)
    const done = await visitor.submits('challenge/answer', {
      credentials: { ...credentials, clientData: again.activationData.challenge },
    })
    expect(await claimsOf(visitor, done)).toMatchObject({ amr: ['pwd', 'hwk', 'user', 'mfa'] })
  })

  test('several are one option, and each of them answers it', async () => {
    const visitor = await withPasskeys('AAAA', 'BBBB')
    const chosen = await visitor.introspects()
    expect(optionsOf(chosen).map(({ label, relatesTo }) => [label, relatesTo])).toEqual([
      ['Email', '$.authenticatorEnrollments.value[0]'],
      ['Security Key or Biometric', '$.authenticators.value[1]'],
    ])
    expect(listOf(chosen, 'authenticatorEnrollments').slice(1)).toMatchObject([
      { key: 'webauthn', credentialId: 'AAAA', transports: ['internal'], displayName: 'MacBook Touch ID' },
      { key: 'webauthn', credentialId: 'BBBB', transports: ['internal'], displayName: 'MacBook Touch ID' },
    ])
    const seen = await visitor.selects('webauthn')
    const challenge = challengeOf(dataOf(seen))
    expect(challengeOf(dataOf(await visitor.introspects()))).toBe(challenge)
    const refused = await visitor.submits('challenge/answer', assertion('CCCC', challenge))
    expect([refused.status, keyOf(refused)]).toEqual([
      401,
      'authfactor.webauthn.error.assertion_validation_failure',
    ])
    const next = challengeOf(dataOf(refused))
    expect(next).not.toBe(challenge)
    // What the earlier challenge was answered with is good for nothing.
    const replayed = await visitor.submits('challenge/answer', assertion('BBBB', challenge))
    expect(replayed.status).toBe(401)
    const last = challengeOf(dataOf(replayed))
    const done = await visitor.submits('challenge/answer', assertion('BBBB', last, 7))
    expect(await claimsOf(visitor, done)).toMatchObject({ amr: ['pwd', 'hwk', 'user', 'mfa'] })

    // A counter that goes back is refused.
    const second = newVisitor(idp)
    await signsIn(second)
    const again = challengeOf(dataOf(await second.selects('webauthn')))
    expect((await second.submits('challenge/answer', assertion('BBBB', again, 7))).status).toBe(401)
  })

  test('signs in from the first page, without a name', async () => {
    const before = newVisitor(idp)
    expect(offered(await before.begins())).toEqual(['identify', 'select-enroll-profile'])
    const withdrawn = await before.submits('challenge/answer/webauthn-autofillui', {})
    expect(withdrawn.status).toBe(400)

    await withPasskeys('AAAA')
    const personId = await put('webauthn', 'fwf', 'webauthn', { credentialId: 'BBBB', transports: [] })
    const visitor = newVisitor(idp)
    const first = await visitor.begins()
    expect(offered(first)).toEqual([
      'identify',
      'launch-passkeys-authenticator',
      'challenge-webauthn-autofillui-authenticator',
      'select-enroll-profile',
    ])
    expect(first.text).not.toContain('"AAAA"')
    const challenge = challengeOf(partOf(first, 'webauthnAutofillUIChallenge'))
    expect(challengeOf(partOf(await visitor.introspects(), 'webauthnAutofillUIChallenge'))).toBe(challenge)

    // A passkey of an unknown user, and a credential that is not the user's, are refused alike; the first page comes back.
    const refusals = []
    for (const handle of ['nobody', personId]) {
      const one = newVisitor(idp)
      const own = challengeOf(partOf(await one.begins(), 'webauthnAutofillUIChallenge'))
      const more = { userHandle: userHandle(handle) }
      refusals.push(
        await one.submits('challenge/answer/webauthn-autofillui', assertion('CCCC', own, 1, more)),
      )
    }
    for (const refused of refusals) {
      expect([refused.status, keyOf(refused)]).toEqual([
        401,
        'authfactor.webauthn.error.assertion_validation_failure',
      ])
      expect(offered(refused)).toEqual(offered(first))
      expect(refused.body.user).toBeUndefined()
    }

    const done = await visitor.submits(
      'challenge/answer/webauthn-autofillui',
      assertion('BBBB', challenge, 1, { userHandle: userHandle(personId) }),
    )
    // It verified its user: two factors, which is what this app asks for.
    expect(await claimsOf(visitor, done)).toMatchObject({ sub: personId, amr: ['hwk', 'user', 'mfa'] })
  })
})

describe('a security question', () => {
  test('is enrolled by either of two forms, and an answer that is too short is no guess', async () => {
    const visitor = newVisitor(idp)
    await enrolsA('security_question', visitor)
    for (let time = 1; time <= 6; time++) {
      const short = await visitor.submits('challenge/answer', {
        credentials: { questionKey: 'disliked_food', answer: 'tea' },
      })
      expect(short.status).toBe(400)
      // In both forms, as clients show one of them.
      expect(short.text.match(/securityQuestion\.answer\.tooShort\.arg/g)).toHaveLength(2)
    }
    const done = await visitor.submits('challenge/answer', {
      credentials: { questionKey: 'custom', question: 'Whose cat?', answer: 'Felix' },
    })
    expect(await claimsOf(visitor, done)).toMatchObject({ amr: ['pwd', 'kba'] })
  })

  test('is asked in a recovery, in its own words', async () => {
    const visitor = newVisitor(idp)
    const seen = await atTheQuestion(visitor)
    expect(partOf(seen, 'currentAuthenticatorEnrollment')).toMatchObject({
      profile: { questionKey: 'favorite_vacation_location' },
      contextualData: { enrolledQuestion: { question: 'Where did you go for your favorite vacation?' } },
    })
    const wrongOne = await visitor.submits('challenge/answer', { credentials: { answer: 'Paris' } })
    expect([wrongOne.status, keyOf(wrongOne)]).toEqual([401, 'errors.E0000087'])
    const right = await visitor.submits('challenge/answer', { credentials: { answer: ' madrid ' } })
    expect(offered(right)).toEqual(['reset-authenticator'])
  })
})
