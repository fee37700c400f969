import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findEnrollments } from '../../src/directory/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { managedPasskey, managedPhone, managedQuestion, type Sent } from '../support/managed-factors.ts'
import { type Answered, type Api, apiOf, tokenOf } from '../support/management.ts'
import { codeAt, enrollmentPolicy, period, twoFactors, wrongCode } from '../wire/totp.ts'
import { newVisitor } from '../wire/visitor.ts'

let idp: Kit
let api: Api
let user: string
const sent: Sent[] = []
const others = {
  phone_number: 'OPTIONAL',
  security_question: 'OPTIONAL',
  webauthn: 'REQUIRED',
} as const
const totp = { factorType: 'token:software:totp', provider: 'GOOGLE' }

beforeAll(async () => {
  idp = await startEngine({
    authenticators: [managedPhone((message) => sent.push(message)), managedQuestion, managedPasskey],
  })
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  sent.length = 0
  const [person] = await idp.people.list(idp.person.login)
  user = `/users/${person?.id}`
})
afterAll(() => idp.close())

const allowed = (more: Readonly<Record<string, 'REQUIRED' | 'OPTIONAL' | 'NOT_ALLOWED'>> = {}) =>
  enrollmentPolicy(idp, { google_otp: 'OPTIONAL', ...more })
const failure = ({ status, body }: Answered) => [status, body.errorCode]
const causes = ({ body }: Answered) =>
  (body.errorCauses as readonly { readonly errorSummary: string }[]).map(({ errorSummary }) => errorSummary)
const secretIn = ({ body }: Answered) =>
  (body._embedded as { readonly activation: { readonly sharedSecret: string } }).activation.sharedSecret
const now = () => idp.clock.now()
const codeOf = (secret: string, steps = 0) => codeAt(secret, now(), steps)

/** Enrols an app and confirms it with a code so many steps old. */
async function enrolled(steps = 0): Promise<{ readonly secret: string; readonly factor: string }> {
  const made = await api('POST', `${user}/factors`, totp)
  const factor = `${user}/factors/${made.body.id}`
  const secret = secretIn(made)
  const active = await api('POST', `${factor}/lifecycle/activate`, { passCode: codeOf(secret, steps) })
  expect(active.body.status).toBe('ACTIVE')
  return { secret, factor }
}
const listed = async () =>
  (await api('GET', `${user}/factors`)).list.map(({ factorType, status }) => [factorType, status])
const rows = () => findEnrollments(idp.engine.storage.db, user.slice(7))
const typesOf = async () => (await idp.events()).map(({ eventType }) => eventType)

describe('an app', () => {
  test('is pending until a code confirms it, and until then nowhere enrolled', async () => {
    await allowed()
    const made = await api('POST', `${user}/factors`, totp)
    const { id, ...body } = made.body
    expect(made.status).toBe(200)
    expect(id).toMatch(/^uft\w{17}$/)
    const self = `${idp.engineUrl}/api/v1${user}/factors/${id}`
    expect(body).toEqual({
      ...totp,
      vendorName: 'GOOGLE',
      status: 'PENDING_ACTIVATION',
      created: expect.stringMatching(/\.\d{3}Z$/),
      lastUpdated: expect.any(String),
      profile: { credentialId: idp.person.login },
      _links: {
        activate: { href: `${self}/lifecycle/activate`, hints: { allow: ['POST'] } },
        self: { href: self, hints: { allow: ['GET', 'DELETE'] } },
        user: { href: `${idp.engineUrl}/api/v1${user}`, hints: { allow: ['GET'] } },
      },
      _embedded: {
        activation: {
          timeStep: 30,
          sharedSecret: expect.stringMatching(/^[A-Z2-7]{32}$/),
          encoding: 'base32',
          keyLength: 32,
          _links: { qrcode: { href: expect.stringMatching(/^data:image\/png;base64,/), type: 'image/png' } },
        },
      },
    })
    expect(await listed()).toEqual([
      ['password', 'ACTIVE'],
      ['token:software:totp', 'PENDING_ACTIVATION'],
    ])
    expect((await rows()).map(({ authenticator }) => authenticator)).toEqual(['okta_password'])
    await twoFactors(idp)
    const visitor = newVisitor(idp)
    await visitor.begins()
    const asked = await visitor.signsIn(idp.person.login, idp.person.password)
    expect(JSON.stringify(asked.body.authenticatorEnrollments)).not.toContain('google_otp')

    const wrong = await api('POST', `${user}/factors/${id}/lifecycle/activate`, {
      passCode: wrongCode(secretIn(made), now()),
    })
    expect([...failure(wrong), wrong.body.errorSummary, causes(wrong)]).toEqual([
      403,
      'E0000068',
      'Invalid Passcode/Answer',
      ["Your passcode doesn't match our records. Please try again."],
    ])
    const active = await api('POST', `${user}/factors/${id}/lifecycle/activate`, {
      passCode: codeOf(secretIn(made)),
    })
    expect([active.status, active.body.id, active.body.status, active.body._embedded]).toEqual([
      200,
      id,
      'ACTIVE',
      undefined,
    ])
    expect(await rows()).toEqual([
      expect.objectContaining({ authenticator: 'okta_password' }),
      expect.objectContaining({ id, authenticator: 'google_otp', method: 'otp' }),
    ])
    expect(failure(await api('POST', `${user}/factors/${id}/lifecycle/activate`, { passCode: '1' }))).toEqual(
      [400, 'E0000001'],
    )
  })

  test('that an older code has confirmed is used with the current one at the next sign-in', async () => {
    await allowed()
    const { secret } = await enrolled(-4)
    await twoFactors(idp)
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(idp.person.login, idp.person.password)
    await visitor.selects('google_otp')
    expect((await visitor.answers(codeOf(secret))).status).toBe(200)
    const again = await api('POST', `${user}/factors`, totp)
    expect([...failure(again), causes(again)]).toEqual([
      400,
      'E0000001',
      ['A factor of this type is already set up.'],
    ])
  })

  test('is not confirmed by a code that is five steps old, and after five attempts not for five minutes', async () => {
    await allowed()
    const made = await api('POST', `${user}/factors`, totp)
    const activate = `${user}/factors/${made.body.id}/lifecycle/activate`
    const old = await api('POST', activate, { passCode: codeOf(secretIn(made), -5) })
    expect(failure(old)).toEqual([403, 'E0000068'])
    const wrong = wrongCode(secretIn(made), now())
    for (let tries = 0; tries < 4; tries++) await api('POST', activate, { passCode: wrong })
    const right = () => api('POST', activate, { passCode: codeOf(secretIn(made)) })
    expect(failure(await right())).toEqual([429, 'E0000047'])
    await idp.clock.advance('5m')
    expect((await right()).body.status).toBe('ACTIVE')
  })

  test('is verified by a code of one step either side, each step once, without a session', async () => {
    await allowed()
    const { secret, factor } = await enrolled(-4)
    const verify = async (steps: number) =>
      api('POST', `${factor}/verify`, { passCode: codeOf(secret, steps) })
    expect(failure(await verify(-2))).toEqual([403, 'E0000068'])
    expect((await verify(0)).body).toEqual({ factorResult: 'SUCCESS' })
    expect(failure(await verify(0))).toEqual([403, 'E0000068'])
    expect(failure(await verify(-1))).toEqual([403, 'E0000068'])
    expect((await verify(1)).body).toEqual({ factorResult: 'SUCCESS' })
    expect(failure(await verify(2))).toEqual([403, 'E0000068'])
    expect(failure(await api('POST', `${factor}/verify`))).toEqual([400, 'E0000001'])
    expect((await api('GET', `${user}/sessions`)).list).toEqual([])
    const [event] = await idp.events()
    expect(event).toMatchObject({ eventType: 'user.authentication.verify', outcome: { result: 'FAILURE' } })
  })

  test('is active at once on the word of the caller, who alone sees the secret', async () => {
    await allowed()
    const made = await api('POST', `${user}/factors?activate=true`, totp)
    expect(made.body.status).toBe('ACTIVE')
    const secret = secretIn(made)
    const factor = `${user}/factors/${made.body.id}`
    expect((await api('GET', factor)).body).not.toHaveProperty('_embedded')
    expect((await api('POST', `${factor}/verify`, { passCode: codeOf(secret) })).body.factorResult).toBe(
      'SUCCESS',
    )
  })

  test('is removed, and may be enrolled anew', async () => {
    await allowed()
    const { factor } = await enrolled()
    expect((await api('DELETE', `${factor}?removeRecoveryEnrollment=true`)).status).toBe(204)
    expect(await listed()).toEqual([['password', 'ACTIVE']])
    expect(failure(await api('DELETE', factor))).toEqual([404, 'E0000007'])
    await idp.clock.advance(10 * period)
    await enrolled()
    const pending = await api('DELETE', factor)
    expect(pending.status).toBe(204)
  })

  test('that is pending is ended, replaced by the next, and over after a day', async () => {
    await allowed()
    const first = await api('POST', `${user}/factors`, totp)
    const second = await api('POST', `${user}/factors`, totp)
    const factor = `${user}/factors/${second.body.id}`
    expect(second.body.id).toBe(first.body.id)
    const old = await api('POST', `${factor}/lifecycle/activate`, { passCode: codeOf(secretIn(first)) })
    expect(failure(old)).toEqual([403, 'E0000068'])
    expect((await api('GET', factor)).body).not.toHaveProperty('_embedded')
    expect((await api('DELETE', factor)).status).toBe(204)
    expect(failure(await api('GET', factor))).toEqual([404, 'E0000007'])

    await api('POST', `${user}/factors`, totp)
    await idp.clock.advance('24h')
    expect(failure(await api('GET', factor))).toEqual([404, 'E0000007'])
  })

  test('needs an authenticator that is active and a policy that has it', async () => {
    const off = await api('POST', `${user}/factors`, totp)
    expect([...failure(off), causes(off)]).toEqual([
      403,
      'E0000006',
      ['token:software:totp: the authenticator google_otp is not active'],
    ])
    await allowed({ google_otp: 'NOT_ALLOWED' })
    const refused = await api('POST', `${user}/factors`, totp)
    expect([...failure(refused), causes(refused)]).toEqual([
      403,
      'E0000006',
      ['token:software:totp: no enrolment policy of the user has google_otp as REQUIRED or OPTIONAL'],
    ])
    expect((await api('GET', `${user}/factors/catalog`)).list.map(({ factorType }) => factorType)).toEqual([
      'email',
    ])
  })
})

describe('what is sent', () => {
  const phone = (factorType: string, phoneNumber = '+14155550100') => ({
    ...{ factorType, provider: 'OKTA' },
    profile: { phoneNumber },
  })

  test('by text and by call to one number is one enrollment with two factors', async () => {
    await allowed(others)
    const sms = await api('POST', `${user}/factors`, phone('sms'))
    expect(sms.body).toMatchObject({
      id: expect.stringMatching(/^sms/),
      status: 'PENDING_ACTIVATION',
      profile: { phoneNumber: '+14155550100' },
      _links: {
        resend: [{ name: 'sms', href: expect.stringMatching(/\/resend$/), hints: { allow: ['POST'] } }],
      },
    })
    const path = `${user}/factors/${sms.body.id}`
    expect(failure(await api('POST', `${path}/resend`, phone('sms')))).toEqual([429, 'E0000109'])
    expect(failure(await api('POST', `${user}/factors`, phone('sms', '+14155550101')))).toEqual([
      429,
      'E0000109',
    ])
    await idp.clock.advance('30s')
    expect((await api('POST', `${path}/resend`, phone('sms'))).status).toBe(200)
    const [first, second] = sent
    const activate = (code = '') => api('POST', `${path}/lifecycle/activate`, { passCode: code })
    expect(first?.code).not.toBe(second?.code)
    expect(failure(await activate(first?.code))).toEqual([403, 'E0000068'])
    expect((await activate(sent.at(-1)?.code)).body).toMatchObject({ status: 'ACTIVE' })

    const call = await api('POST', `${user}/factors?activate=true`, phone('call'))
    expect(call.body).toMatchObject({ id: `clf${sms.body.id.slice(3)}`, status: 'ACTIVE' })
    expect((await rows()).filter(({ authenticator }) => authenticator === 'phone_number')).toHaveLength(1)
    expect((await api('GET', `${user}/authenticator-enrollments`)).list).toContainEqual(
      expect.objectContaining({
        key: 'phone_number',
        type: 'phone',
        profile: { phoneNumber: '+1 XXX-XXX-0100' },
        nickname: null,
      }),
    )
    expect((await api('DELETE', path)).status).toBe(204)
    expect(await listed()).toEqual([
      ['password', 'ACTIVE'],
      ['call', 'ACTIVE'],
    ])
    expect((await api('DELETE', `${user}/factors/${call.body.id}`)).status).toBe(204)
    expect(await listed()).toEqual([['password', 'ACTIVE']])
  })

  test('for a verification is sent by an empty body, and answered once', async () => {
    await allowed(others)
    const { body } = await api('POST', `${user}/factors?activate=true`, phone('sms'))
    expect(sent).toEqual([])
    const verify = `${user}/factors/${body.id}/verify`
    expect((await api('POST', verify, { passCode: '123456' })).body).toEqual({ factorResult: 'TIMEOUT' })
    const challenge = await api('POST', `${verify}?tokenLifetimeSeconds=60`)
    expect(challenge.body).toMatchObject({
      factorResult: 'CHALLENGE',
      profile: { phoneNumber: '+14155550100' },
    })
    const passCode = sent[0]?.code ?? ''
    expect((await api('POST', verify, { passCode })).body).toEqual({ factorResult: 'SUCCESS' })
    expect((await api('POST', verify, { passCode })).body).toEqual({ factorResult: 'TIMEOUT' })
    await idp.clock.advance('30s')
    await api('POST', `${verify}?tokenLifetimeSeconds=60`)
    await idp.clock.advance('60s')
    expect((await api('POST', verify, { passCode: sent[1]?.code ?? '' })).body.factorResult).toBe('TIMEOUT')
  })

  test('to a number is refused where it is none, and replaces the one of before with updatePhone', async () => {
    await allowed(others)
    expect(causes(await api('POST', `${user}/factors`, phone('sms', '1')))).toEqual([
      'profile.phoneNumber: must be a number such as +14155550100',
    ])
    const first = await api('POST', `${user}/factors?activate=true`, phone('sms'))
    expect(failure(await api('POST', `${user}/factors?activate=true`, phone('sms')))).toEqual([
      400,
      'E0000001',
    ])
    const second = await api(
      'POST',
      `${user}/factors?activate=true&updatePhone=true`,
      phone('sms', '+14155550101'),
    )
    expect([second.body.id, second.body.profile]).toEqual([first.body.id, { phoneNumber: '+14155550101' }])
    const { list } = await api('GET', `${user}/factors/catalog`)
    expect(list.find(({ factorType }) => factorType === 'sms')).toMatchObject({
      status: 'ACTIVE',
      enrollment: 'OPTIONAL',
      _embedded: { phones: [{ id: first.body.id, profile: { phoneNumber: '+14155550101' } }] },
    })
  })

  test('by a method that is switched off is refused, and not listed', async () => {
    await allowed(others)
    const { list } = await api('GET', '/authenticators')
    const id = list.find(({ key }) => key === 'phone_number')?.id
    await api('POST', `${user}/factors?activate=true`, phone('call'))
    await api('POST', `/authenticators/${id}/methods/voice/lifecycle/deactivate`)
    const refused = await api('POST', `${user}/factors`, phone('call', '+14155550101'))
    expect([...failure(refused), causes(refused)]).toEqual([
      403,
      'E0000006',
      ['call: the method voice of phone_number is switched off'],
    ])
    expect(await listed()).toEqual([['password', 'ACTIVE']])
    const supported = (await api('GET', `${user}/factors/catalog`)).list.map(({ factorType }) => factorType)
    expect([supported.includes('sms'), supported.includes('call')]).toEqual([true, false])
  })

  test('to a phone that an administrator adds: active at once', async () => {
    await allowed(others)
    const { list } = await api('GET', '/authenticators')
    const authenticatorId = list.find(({ key }) => key === 'phone_number')?.id
    const made = await api('POST', `${user}/authenticator-enrollments/phone`, {
      authenticatorId,
      profile: { phoneNumber: '+14155550100' },
    })
    expect(made.body).toMatchObject({ status: 'ACTIVE', profile: { phoneNumber: '+1 XXX-XXX-0100' } })
    const self = `${user}/authenticator-enrollments/${made.body.id}`
    expect((await api('GET', `${self}?discloseIdentifiers=phone`)).body.profile).toEqual({
      phoneNumber: '+14155550100',
    })
    expect((await api('DELETE', self)).status).toBe(204)
    expect(failure(await api('GET', self))).toEqual([404, 'E0000007'])
    const wrong = await api('POST', `${user}/authenticator-enrollments/phone`, {
      authenticatorId: 'autNone',
      profile: { phoneNumber: '+14155550100' },
    })
    expect(failure(wrong)).toEqual([400, 'E0000001'])
  })

  test('by mail confirms the primary address', async () => {
    const email = { factorType: 'email', provider: 'OKTA', profile: { email: idp.person.login } }
    expect(
      causes(await api('POST', `${user}/factors`, { ...email, profile: { email: 'x@example.com' } })),
    ).toEqual(['profile.email: must be the primary email of the user'])
    const made = await api('POST', `${user}/factors`, email)
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^emf/),
      status: 'PENDING_ACTIVATION',
      profile: { email: idp.person.login },
      _links: { resend: [{ name: 'email' }] },
    })
    const path = `${user}/factors/${made.body.id}`
    expect(failure(await api('POST', `${path}/resend`, {}))).toEqual([429, 'E0000118'])
    const mail = await idp.outbox.waitFor({ to: idp.person.login, template: 'EmailChallenge' })
    expect([mail.code, mail.link]).toEqual([expect.stringMatching(/^\d{6}$/), null])
    expect((await api('POST', `${path}/lifecycle/activate`, { passCode: mail.code })).body.status).toBe(
      'ACTIVE',
    )
    expect(causes(await api('POST', `${user}/factors`, email))).toEqual([
      'A factor of this type is already set up.',
    ])
    const shown = (await api('GET', user)).body.credentials as { readonly emails: readonly object[] }
    expect(shown.emails).toEqual([{ value: idp.person.login, status: 'VERIFIED', type: 'PRIMARY' }])

    await idp.clock.advance('10s')
    await api('POST', `${path}/verify`)
    const second = await idp.outbox.waitFor({
      to: idp.person.login,
      template: 'EmailChallenge',
      after: mail.id,
    })
    expect((await api('POST', `${path}/verify`, { passCode: second.code })).body.factorResult).toBe('SUCCESS')
    expect(failure(await api('DELETE', path))).toEqual([403, 'E0000006'])
  })
})

describe('a question', () => {
  test('is active at once, and its answer is nowhere', async () => {
    await allowed(others)
    expect((await api('GET', `${user}/factors/questions`)).list).toEqual([
      { question: 'disliked_food', questionText: 'What is the food you least liked as a child?' },
    ])
    const body = { factorType: 'question', profile: { question: 'disliked_food', answer: 'mayonnaise' } }
    const made = await api('POST', `${user}/factors`, body)
    expect(made.body).toMatchObject({ id: expect.stringMatching(/^ufs/), status: 'ACTIVE', provider: 'OKTA' })
    expect(made.text).not.toContain('mayonnaise')
    expect(made.body._links).toHaveProperty('questions')
    const verify = `${user}/factors/${made.body.id}/verify`
    expect((await api('POST', verify, { answer: 'mayonnaise' })).body).toEqual({ factorResult: 'SUCCESS' })
    expect(failure(await api('POST', verify, { answer: 'ketchup' }))).toEqual([403, 'E0000068'])
    expect(failure(await api('POST', verify))).toEqual([400, 'E0000001'])
  })
})

describe('a passkey', () => {
  test('has options while it is pending, a name once it is active, and a challenge at a verification', async () => {
    await allowed(others)
    const made = await api('POST', `${user}/factors`, { factorType: 'webauthn', provider: 'FIDO' })
    const { activation } = made.body._embedded as { readonly activation: { readonly challenge: string } }
    expect(activation).toMatchObject({ rp: { name: expect.any(String) }, user: { name: idp.person.login } })
    const path = `${user}/factors/${made.body.id}`
    const wrong = { attestation: 'credential', clientData: 'another' }
    expect(failure(await api('POST', `${path}/lifecycle/activate`, wrong))).toEqual([403, 'E0000068'])
    const right = { attestation: 'credential', clientData: activation.challenge }
    const active = await api('POST', `${path}/lifecycle/activate`, right)
    expect(active.body).toMatchObject({ status: 'ACTIVE', profile: { credentialId: 'credential' } })
    expect((await api('GET', `${user}/authenticator-enrollments`)).list).toContainEqual(
      expect.objectContaining({ key: 'webauthn', nickname: 'MacBook Touch ID' }),
    )
    const asked = await api('POST', `${path}/verify`)
    const { challenge } = asked.body._embedded as { readonly challenge: { readonly challenge: string } }
    expect(asked.body).toMatchObject({
      factorResult: 'CHALLENGE',
      _embedded: { challenge: { extensions: {} } },
    })
    const signed = await api('POST', `${path}/verify`, { clientData: challenge.challenge })
    expect(signed.body).toEqual({ factorResult: 'SUCCESS' })
    expect((await api('POST', `${user}/factors`, { factorType: 'webauthn' })).status).toBe(200)
  })
})

describe('the factors of a user', () => {
  test('are reset together: the password stays, and the sessions', async () => {
    await allowed(others)
    await idp.signInAs(idp.person.login)
    await enrolled()
    await api('POST', `${user}/factors?activate=true`, {
      factorType: 'sms',
      profile: { phoneNumber: '+14155550100' },
    })
    await api('POST', `${user}/factors`, { factorType: 'webauthn' })
    expect(await listed()).toHaveLength(4)
    const reset = await api('POST', `${user}/lifecycle/reset_factors?removeRecoveryEnrollment=true`)
    expect([reset.status, reset.body]).toEqual([200, {}])
    expect(await listed()).toEqual([['password', 'ACTIVE']])
    expect((await api('GET', `${user}/sessions`)).list).toHaveLength(1)
    expect(await typesOf()).toEqual(
      expect.arrayContaining(['user.mfa.factor.reset_all', 'user.mfa.factor.deactivate']),
    )
  })

  test.each([
    [
      { factorType: 'u2f', provider: 'FIDO' },
      /^factorType: must be one of password, email, sms, call, token:software:totp/,
    ],
    [{ factorType: 'token:software:totp', provider: 'OKTA' }, /^provider: must be GOOGLE/],
    [{ factorType: 'password', provider: 'OKTA' }, /^factorType: a password is set by credentials.password/],
    [{ provider: 'OKTA' }, /^factorType: The field cannot be left blank/],
  ])('%j is refused in words', async (body, words) => {
    await allowed(others)
    const refused = await api('POST', `${user}/factors`, body)
    expect(failure(refused)).toEqual([400, 'E0000001'])
    expect(causes(refused)[0]).toMatch(words)
  })

  test('are found by login, and of an unknown user there are none', async () => {
    expect((await api('GET', `/users/${idp.person.login}/factors`)).status).toBe(200)
    for (const path of ['/factors', '/factors/catalog', '/factors/questions', '/authenticator-enrollments'])
      expect(failure(await api('GET', `/users/00uNobody${path}`))).toEqual([404, 'E0000007'])
    expect(failure(await api('POST', `${user}/factors/uftNone/verify`, {}))).toEqual([404, 'E0000007'])
    expect(failure(await api('GET', `${user}/factors/uftNone/transactions/x`))).toEqual([404, 'E0000007'])
    const deactivated = async () => {
      await api('POST', `${user}/lifecycle/deactivate`)
      return api('POST', `${user}/factors`, totp)
    }
    expect(failure(await deactivated())).toEqual([403, 'E0000038'])
  })

  test('password and mailbox cannot be removed here, and a password is not verified', async () => {
    const { list } = await api('GET', `${user}/factors`)
    const password = `${user}/factors/${list.find(({ factorType }) => factorType === 'password')?.id}`
    expect(failure(await api('DELETE', password))).toEqual([403, 'E0000006'])
    expect(failure(await api('POST', `${password}/verify`, { passCode: 'x' }))).toEqual([400, 'E0000001'])
    const read = apiOf(idp, await tokenOf(idp, 'read'))
    expect((await read('GET', `${user}/factors`)).status).toBe(200)
    expect(failure(await read('POST', `${user}/factors`, totp))).toEqual([403, 'E0000006'])
  })
})
