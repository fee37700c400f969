import { createPrivateKey } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { SoftwarePasskey } from '../../../test/support/software-passkey.ts'
import { challengeOf, sends } from '../../../test/wire/passkeys.ts'
import { enrollmentPolicy, twoFactors } from '../../../test/wire/totp.ts'
import { type EnrolledFactor, type Kit, startEngine } from '../../testing/index.ts'

// Factors over the control API and in the kit: a test in any language gets what it needs to answer with.
let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ settings: { webauthn: { rpId: 'localhost' } } })
})
beforeEach(async () => {
  await idp.reset()
  await enrollmentPolicy(idp, {
    google_otp: 'OPTIONAL',
    phone_number: 'OPTIONAL',
    security_question: 'OPTIONAL',
    recovery_codes: 'OPTIONAL',
    webauthn: 'OPTIONAL',
  })
  await twoFactors(idp)
})
afterAll(() => idp.close())

const call = async (method: string, path: string, body?: unknown) => {
  const json =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await fetch(idp.controlUrl + path, { method, ...json })
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer it checks at once
  return { status: response.status, body: (await response.json()) as any }
}
const ada = { login: 'ada@example.com', password: 'Tangerine-Kettle-42' }
/** A sign-in that has proven the password, and is asked for one of the user's factors. */
const atFactors = async () => {
  const visitor = idp.visitor()
  await visitor.begins()
  await visitor.signsIn(ada.login, ada.password)
  return visitor
}
const signsWith = ({ credential }: EnrolledFactor) => {
  if (credential === undefined) throw new Error('there is no credential')
  const key = Buffer.from(credential.privateKey, 'base64')
  return new SoftwarePasskey({
    rpId: credential.rpId,
    origin: idp.engineUrl,
    credentialId: Buffer.from(credential.credentialId, 'base64'),
    privateKey: createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
    counter: 0,
  })
}

test('a user is created with a phone and factors, and signs in by each of them', async () => {
  const types = ['google_otp', 'recovery_codes', 'webauthn'] as const
  const factors = [...types.map((type) => ({ type })), { type: 'security_question', answer: 'Sprouts' }]
  const { status, body } = await call('POST', '/people', { ...ada, phone: '+12024561111', factors })
  expect([status, body.factors?.length]).toEqual([201, 5])
  const [phone, app, codes, passkey, question] = body.factors as readonly EnrolledFactor[]
  expect(Object.keys(phone ?? {})).toEqual(['id'])
  expect(Object.keys(question ?? {})).toEqual(['id'])

  const byPhone = await atFactors()
  await byPhone.selects('phone_number', { methodType: 'sms' })
  const text = await idp.outbox.waitFor({ to: '+12024561111', channel: 'sms' })
  await byPhone.answers(text.code)
  const byApp = await atFactors()
  await byApp.selects('google_otp')
  const totp = new TOTP({ secret: Secret.fromBase32(app?.sharedSecret ?? '') })
  await byApp.answers(totp.generate({ timestamp: idp.clock.now() }))
  const byCode = await atFactors()
  await byCode.selects('recovery_codes')
  await byCode.answers(codes?.codes?.[0])
  expect(byCode.remediations).toContain('select-authenticator-enroll')
  const byPasskey = await atFactors()
  const asked = await byPasskey.selects('webauthn')
  await sends(byPasskey, signsWith(passkey ?? { id: '' }).get(challengeOf(asked).challenge))
  for (const visitor of [byPhone, byApp, byPasskey]) {
    if (visitor.remediations.includes('skip')) await visitor.submits('skip')
    expect(visitor.response.interactionCode).toBeDefined()
  }
  const { body: listed } = await call('GET', `/people/${body.id}/factors`)
  expect(listed.map(({ authenticator }: { authenticator: string }) => authenticator).toSorted()).toEqual(
    ['google_otp', 'phone_number', 'recovery_codes', 'security_question', 'webauthn'].toSorted(),
  )
})

test('a factor is enrolled later, over the API and by the kit alike', async () => {
  const { id } = await idp.people.add(ada)
  const added = await call('POST', `/people/${id}/factors`, { type: 'google_otp' })
  expect(added).toEqual({ status: 201, body: { id: expect.any(String), sharedSecret: expect.any(String) } })
  const passkey = await idp.factors.enroll(ada.login, { type: 'webauthn', name: 'Laptop' })
  expect(passkey.credential).toMatchObject({ rpId: 'localhost', isResidentCredential: true, signCount: 0 })
  const visitor = await atFactors()
  const asked = await visitor.selects('webauthn')
  await sends(visitor, signsWith(passkey).get(challengeOf(asked).challenge))
  if (visitor.remediations.includes('skip')) await visitor.submits('skip')
  expect(visitor.response.interactionCode).toBeDefined()
  const { factors = [] } = await idp.people.add({ login: 'bob@example.com', phone: '+12024561414' })
  expect(factors).toHaveLength(1)
})

test('what cannot be enrolled is refused with its reason, and leaves no user behind', async () => {
  for (const [factors, reason] of [
    [[{ type: 'phone_number', phoneNumber: '12' }], 'phone_number: phoneNumber must be a number'],
    [[{ type: 'google_otp' }, { type: 'fax' }], 'the factor must be one of google_otp'],
    [[{ type: 'security_question' }], 'security_question: answer must be a text'],
    [[{ type: 'webauthn', nmae: 'x' }], 'nmae'],
    [['google_otp'], 'factors must be a list of objects with a type'],
    ['google_otp', 'factors must be a list'],
  ] as const) {
    const refused = await call('POST', '/people', { ...ada, factors })
    expect([refused.status, refused.body.error]).toEqual([400, 'bad_request'])
    expect(refused.body.message).toContain(reason)
    expect((await call('GET', '/people')).body.map(({ login }: { login: string }) => login)).not.toContain(
      ada.login,
    )
  }
  expect((await call('POST', '/people/00uNone/factors', { type: 'google_otp' })).status).toBe(404)
  const { id } = await idp.people.add(ada)
  expect((await call('POST', `/people/${id}/factors`, {})).status).toBe(400)
})
