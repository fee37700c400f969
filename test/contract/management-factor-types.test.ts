import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { questionTexts } from '../../src/authenticators/index.ts'
import { findEnrollments } from '../../src/directory/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Answered, type Api, apiOf } from '../support/management.ts'
import { challengeOf, newPasskey, passkeyEngine, sends } from '../wire/passkeys.ts'
import { lastCode, latestText, number } from '../wire/phone.ts'
import { enrollmentPolicy, twoFactors } from '../wire/totp.ts'
import { newVisitor } from '../wire/visitor.ts'

// Every type of the factors API with the authenticator that a sign-in has.
let idp: Kit
let api: Api
let user: string
const all = Object.fromEntries(
  ['phone_number', 'google_otp', 'security_question', 'webauthn', 'recovery_codes'].map(
    (key) => [key, 'OPTIONAL'] as const,
  ),
)

beforeAll(async () => {
  idp = await startEngine(passkeyEngine)
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  user = `/users/${(await idp.people.list(idp.person.login))[0]?.id}`
  await enrollmentPolicy(idp, all)
})
afterAll(() => idp.close())

const okta = { provider: 'OKTA' }
const phone = (factorType: string, phoneNumber = number) => ({
  factorType,
  ...okta,
  profile: { phoneNumber },
})
const failure = ({ status, body }: Answered) => [status, body.errorCode]
const causes = ({ body }: Answered) =>
  (body.errorCauses as readonly { readonly errorSummary: string }[]).map(({ errorSummary }) => errorSummary)
const rows = async () =>
  (await findEnrollments(idp.engine.storage.db, user.slice(7))).filter(
    ({ authenticator }) => authenticator !== 'okta_password',
  )
const listed = async () => (await api('GET', `${user}/factors`)).list.map(({ factorType }) => factorType)

describe('a phone', () => {
  test('is enrolled by text, by call too, is used at a sign-in, and goes one method at a time', async () => {
    const made = await api('POST', `${user}/factors`, phone('sms', '+1 (555) 123-4567'))
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^sms/),
      status: 'PENDING_ACTIVATION',
      profile: { phoneNumber: number },
    })
    expect(await rows()).toEqual([])
    const sms = `${user}/factors/${made.body.id}`
    expect(failure(await api('POST', `${sms}/resend`, phone('sms')))).toEqual([429, 'E0000109'])
    const first = await lastCode(idp)
    await idp.clock.advance('30s')
    expect((await api('POST', `${sms}/resend`, phone('sms'))).status).toBe(200)
    const second = await lastCode(idp)
    expect(second).not.toBe(first)
    const confirm = (passCode: string) => api('POST', `${sms}/lifecycle/activate`, { passCode })
    expect(failure(await confirm(first))).toEqual([403, 'E0000068'])
    expect((await confirm(second)).body).toMatchObject({ id: made.body.id, status: 'ACTIVE' })
    expect(await listed()).toEqual(['password', 'sms'])

    const call = await api('POST', `${user}/factors`, phone('call'))
    expect((await latestText(idp)).channel).toBe('voice')
    const clf = `${user}/factors/${call.body.id}`
    await api('POST', `${clf}/lifecycle/activate`, { passCode: await lastCode(idp) })
    expect(await listed()).toEqual(['password', 'sms', 'call'])
    expect(await rows()).toEqual([
      expect.objectContaining({
        authenticator: 'phone_number',
        data: { number, callingCode: '1', methods: ['sms', 'voice'] },
      }),
    ])
    expect(failure(await api('POST', `${user}/factors`, phone('call')))).toEqual([400, 'E0000001'])

    await idp.clock.advance('30s')
    expect((await api('POST', `${sms}/verify`, {})).body.factorResult).toBe('CHALLENGE')
    const passCode = await lastCode(idp)
    expect((await api('POST', `${sms}/verify`, { passCode })).body).toEqual({ factorResult: 'SUCCESS' })
    expect((await api('POST', `${sms}/verify`, { passCode })).body).toEqual({ factorResult: 'TIMEOUT' })

    expect((await api('DELETE', sms)).status).toBe(204)
    expect(await listed()).toEqual(['password', 'call'])
    await twoFactors(idp)
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(idp.person.login, idp.person.password)
    const asked = await visitor.selects('phone_number')
    expect(asked.body.currentAuthenticatorEnrollment).toMatchObject({
      value: { methods: [{ type: 'voice' }] },
    })
    expect(asked.text).not.toContain('"value":"sms"')
    await api('DELETE', clf)
    expect(await rows()).toEqual([])
  })

  test('that a user has enrolled at a sign-in is two factors already', async () => {
    await idp.factors.enroll(idp.person, { phone_number: { phoneNumber: number } })
    expect(await listed()).toEqual(['password', 'sms', 'call'])
    expect(failure(await api('POST', `${user}/factors?activate=true`, phone('call')))).toEqual([
      400,
      'E0000001',
    ])
  })

  test('of two ways that are confirmed one after the other is one enrollment', async () => {
    const sms = await api('POST', `${user}/factors`, phone('sms'))
    const passCode = await lastCode(idp)
    const call = await api('POST', `${user}/factors?activate=true`, phone('call'))
    expect(call.body.status).toBe('ACTIVE')
    const active = await api('POST', `${user}/factors/${sms.body.id}/lifecycle/activate`, { passCode })
    expect([active.status, active.body.id]).toEqual([200, `sms${call.body.id.slice(3)}`])
    expect(await listed()).toEqual(['password', 'sms', 'call'])
    expect(await rows()).toHaveLength(1)
  })

  test('with updatePhone takes the place of the one before, at once or once it is confirmed', async () => {
    const first = await api('POST', `${user}/factors?activate=true`, phone('sms'))
    const second = await api(
      'POST',
      `${user}/factors?activate=true&updatePhone=true`,
      phone('sms', '+15551234568'),
    )
    expect([second.body.id, second.body.profile]).toEqual([first.body.id, { phoneNumber: '+15551234568' }])
    const third = await api('POST', `${user}/factors?updatePhone=true`, phone('sms', '+15551234569'))
    expect(await rows()).toEqual([
      expect.objectContaining({ data: expect.objectContaining({ number: '+15551234568' }) }),
    ])
    const path = `${user}/factors/${third.body.id}/lifecycle/activate`
    expect((await api('POST', path, { passCode: await lastCode(idp, '+15551234569') })).status).toBe(200)
    expect(await rows()).toEqual([
      expect.objectContaining({ data: expect.objectContaining({ number: '+15551234569' }) }),
    ])
  })

  test('is refused where codes cannot be sent to it', async () => {
    const cause = async (body: object) => causes(await api('POST', `${user}/factors?activate=true`, body))[0]
    expect(await cause(phone('sms', '5551234567'))).toBe(
      'profile.phoneNumber: must be a number with its country, such as +15551234567',
    )
    expect(await cause(phone('call', '+19005551234'))).toBe(
      'profile.phoneNumber: codes cannot be sent to this number',
    )
    const behind = { ...phone('sms'), profile: { phoneNumber: number, phoneExtension: '12' } }
    expect(await cause(behind)).toContain('takes calls only; use call')
    const called = await api('POST', `${user}/factors?activate=true`, { ...behind, factorType: 'call' })
    expect(called.body.profile).toEqual({ phoneNumber: number, phoneExtension: '12' })
  })

  test('is active at once over authenticator-enrollments, and masked there', async () => {
    const { list } = await api('GET', '/authenticators')
    const authenticatorId = list.find(({ key }) => key === 'phone_number')?.id
    const body = { authenticatorId, profile: { phoneNumber: number } }
    const made = await api('POST', `${user}/authenticator-enrollments/phone`, body)
    expect(made.body).toMatchObject({ key: 'phone_number', profile: { phoneNumber: '+1 XXX-XXX-4567' } })
    const shown = `${user}/authenticator-enrollments/${made.body.id}`
    expect((await api('GET', `${shown}?discloseIdentifiers=phone`)).body.profile).toEqual({
      phoneNumber: number,
    })
    expect((await api('DELETE', shown)).status).toBe(204)
    expect(await rows()).toEqual([])
  })

  test('costs what a text to its number costs, whoever asks for it (A65)', async () => {
    // Another user each time: what is counted by user is not what ends it.
    const outcomes: unknown[] = []
    for (let round = 0; round < 21; round++) {
      const login = `user${round}@example.com`
      await idp.people.add({ login, password: 'Abcd1234!xyz' })
      outcomes.push((await api('POST', `/users/${login}/factors`, phone('sms'))).status)
    }
    expect(outcomes[0]).toBe(200)
    expect(outcomes.at(-1)).toBe(429)
  })
})

describe('a question', () => {
  const question = (profile: object) => ({ factorType: 'question', ...okta, profile })

  test('is active at once, asked for at a sign-in, and compares answers as a sign-in does', async () => {
    const { list } = await api('GET', `${user}/factors/questions`)
    expect(list).toHaveLength(Object.keys(questionTexts).length)
    expect(list[0]).toEqual({
      question: 'disliked_food',
      questionText: 'What is the food you least liked as a child?',
    })
    const made = await api(
      'POST',
      `${user}/factors`,
      question({ question: 'disliked_food', answer: 'Mayon naise' }),
    )
    expect(made.body).toMatchObject({ id: expect.stringMatching(/^ufs/), status: 'ACTIVE', profile: list[0] })
    expect(made.text.toLowerCase()).not.toMatch(/mayon ?naise/)
    const verify = (answer: string) => api('POST', `${user}/factors/${made.body.id}/verify`, { answer })
    expect((await verify(' MAYON  NAISE')).body).toEqual({ factorResult: 'SUCCESS' })
    expect(failure(await verify('mustard'))).toEqual([403, 'E0000068'])
    expect(
      failure(await api('POST', `${user}/factors`, question({ question: 'favorite_toy', answer: 'teddy' }))),
    ).toEqual([400, 'E0000001'])
    expect((await api('DELETE', `${user}/factors/${made.body.id}`)).status).toBe(204)
    const own = { question: 'custom', questionText: 'Which street?', answer: 'elm street' }
    expect((await api('POST', `${user}/factors`, question(own))).body.profile).toEqual({
      question: 'custom',
      questionText: 'Which street?',
    })
  })

  test.each([
    [{ question: 'what', answer: 'mayonnaise' }, 'profile.question: must be a key of factors/questions'],
    [{ question: 'custom', answer: 'mayonnaise' }, 'profile.questionText: The field cannot be left blank'],
    [
      { question: 'custom', questionText: '<b>?', answer: 'mayonnaise' },
      'profile.questionText: must not contain',
    ],
    [{ question: 'disliked_food' }, 'profile.answer: The field cannot be left blank'],
    [{ question: 'disliked_food', answer: 'abc' }, 'profile.answer: must be at least 4 characters'],
    [{ question: 'disliked_food', answer: 'FOOD' }, 'profile.answer: must not be part of the question'],
  ])('%j is refused in words', async (profile, words) => {
    const refused = await api('POST', `${user}/factors`, question(profile))
    expect(refused.status).toBe(400)
    expect(causes(refused)[0]).toContain(words)
  })
})

describe('a passkey', () => {
  const begin = () => api('POST', `${user}/factors`, { factorType: 'webauthn', provider: 'FIDO' })
  const optionsOf = ({ body }: Answered) =>
    (body._embedded as { activation: { challenge: string; user: { id: string }; rp: { id: string } } })
      .activation
  const challengeIn = ({ body }: Answered) =>
    (body._embedded as { challenge: { challenge: string } }).challenge.challenge

  test('is made by what a browser signs, verified, and good at a sign-in', async () => {
    const made = await begin()
    const options = optionsOf(made)
    expect(options).toMatchObject({ rp: { id: 'localhost' }, attestation: 'none', excludeCredentials: [] })
    const passkey = newPasskey()
    const path = `${user}/factors/${made.body.id}`
    const foreign = passkey.create(options.challenge, { origin: 'https://evil.example' })
    expect(failure(await api('POST', `${path}/lifecycle/activate`, foreign))).toEqual([403, 'E0000068'])
    const active = await api('POST', `${path}/lifecycle/activate`, passkey.create(options.challenge))
    expect(active.body).toMatchObject({
      status: 'ACTIVE',
      profile: { credentialId: passkey.credentialId.toString('base64url'), authenticatorName: 'Passkey' },
    })
    const challenge = await api('POST', `${path}/verify`, {})
    const signed = passkey.get(challengeIn(challenge))
    expect((await api('POST', `${path}/verify`, signed)).body).toEqual({ factorResult: 'SUCCESS' })
    expect((await api('POST', `${path}/verify`, signed)).body).toEqual({ factorResult: 'TIMEOUT' })

    const next = await begin()
    expect(optionsOf(next)).toMatchObject({
      user: { id: options.user.id },
      excludeCredentials: [{ id: passkey.credentialId.toString('base64url') }],
    })
    const again = passkey.create(optionsOf(next).challenge)
    expect(failure(await api('POST', `${user}/factors/${next.body.id}/lifecycle/activate`, again))).toEqual([
      403,
      'E0000068',
    ])

    await twoFactors(idp)
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(idp.person.login, idp.person.password)
    const asked = await visitor.selects('webauthn')
    const done = await sends(visitor, passkey.get(challengeOf(asked).challenge))
    expect([done.status, done.messages, done.remediations]).toEqual([
      200,
      [],
      ['select-authenticator-enroll', 'skip'],
    ])
  })

  test('of another passkey, of an older challenge or too late is refused', async () => {
    const made = await begin()
    const passkey = newPasskey()
    const path = `${user}/factors/${made.body.id}`
    await api('POST', `${path}/lifecycle/activate`, passkey.create(optionsOf(made).challenge))
    const drawn = challengeIn(await api('POST', `${path}/verify`, {}))
    expect(failure(await api('POST', `${path}/verify`, newPasskey().get(drawn)))).toEqual([403, 'E0000068'])
    const newer = challengeIn(await api('POST', `${path}/verify`, {}))
    expect(failure(await api('POST', `${path}/verify`, passkey.get(drawn)))).toEqual([403, 'E0000068'])
    await idp.clock.advance('5m')
    expect((await api('POST', `${path}/verify`, passkey.get(newer))).body).toEqual({
      factorResult: 'TIMEOUT',
    })
  })
})

describe('recovery codes', () => {
  test('have no type: enrolling says so in words, and what a user has is an enrollment that can be removed', async () => {
    const refused = await api('POST', `${user}/factors`, { factorType: 'recovery_code', ...okta })
    expect(failure(refused)).toEqual([400, 'E0000001'])
    expect(causes(refused)[0]).toContain('enrolled at a sign-in')
    await idp.factors.enroll(idp.person, 'recovery_codes')
    expect(await listed()).toEqual(['password'])
    const { list } = await api('GET', `${user}/authenticator-enrollments`)
    expect(list.find(({ key }) => key === 'recovery_codes')).toMatchObject({ profile: { left: 10 } })
    const [{ id } = { id: '' }] = await rows()
    expect((await api('DELETE', `${user}/authenticator-enrollments/${id}`)).status).toBe(204)
    expect(await rows()).toEqual([])
  })
})

test('the catalog has every type that a policy lets a user enrol', async () => {
  expect((await api('GET', `${user}/factors/catalog`)).list.map(({ factorType }) => factorType)).toEqual([
    ...['email', 'sms', 'call', 'token:software:totp', 'question', 'webauthn'],
  ])
  const unknown = await api('POST', `${user}/factors`, { factorType: 'push', ...okta })
  expect(causes(unknown)[0]).toBe(
    'factorType: must be one of password, email, sms, call, token:software:totp, question, webauthn; others are not supported',
  )
})
