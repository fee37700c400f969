import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { newMaker } from '../support/attestations.ts'
import { appRule } from '../support/policy-rules.ts'
import type { PasskeyOptions, SoftwarePasskey } from '../support/software-passkey.ts'
import {
  activationOf,
  assertionFailed,
  attestationFailed,
  challengeOf,
  enrolsPasskey,
  newPasskey,
  passkeyEngine,
  sends,
  setPasskeys,
} from './passkeys.ts'
import { codeAt, enrollmentPolicy } from './totp.ts'
import { type Answer, newVisitor, type Visitor } from './visitor.ts'

// What a rule of an app asks of a possession besides the factor, each with who gets in and who does not.

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen', ...passkeyEngine })
})
beforeEach(async () => {
  await idp.reset()
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', webauthn: 'OPTIONAL' })
})
afterAll(() => idp.close())

const maker = newMaker()
const demands = (possession: object) =>
  appRule(idp, { factorMode: '2FA', constraints: [{ possession: { required: true, ...possession } }] })
const keysIn = ({ body }: Answer) => body.authenticators?.value.map(({ key }) => key)

async function signsIn(): Promise<Visitor> {
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  return visitor
}
async function has(options: PasskeyOptions = {}) {
  const visitor = newVisitor(idp)
  const { passkey, answer } = await enrolsPasskey(visitor, idp.person, newPasskey(options))
  expect(answer.status).toBe(200)
  if (answer.remediations.includes('skip')) await visitor.submits('skip')
  return passkey
}

/** Answers with a passkey as the second factor. */
async function answers(passkey: SoftwarePasskey, more: PasskeyOptions = {}) {
  const visitor = await signsIn()
  expect(keysIn(visitor.response)).toEqual(['webauthn'])
  const seen = await visitor.selects('webauthn')
  const challenge = challengeOf(seen)
  return { visitor, challenge, done: await sends(visitor, passkey.get(challenge.challenge, more)) }
}
const amrOf = async (visitor: Visitor) => decodeJwt(String((await visitor.redeems()).body.id_token)).amr
const refusalOf = ({ status, messages }: Answer) => [status, ...messages]

describe('phishingResistant', () => {
  test('a user with a passkey is let in, whether or not it verifies its user', async () => {
    const passkey = await has()
    await demands({ phishingResistant: 'REQUIRED' })
    for (const verifiesUser of [true, false]) {
      const { visitor, done } = await answers(passkey, { verifiesUser })
      expect(done.interactionCode).toBeDefined()
      expect(await amrOf(visitor)).toEqual(['pwd', 'hwk', 'user', 'mfa'])
    }
  })

  test('a user who has codes alone is not: a passkey is enrolled, once the code is proven', async () => {
    const { sharedSecret } = await idp.factors.enroll(idp.person.login, 'google_otp')
    await demands({ phishingResistant: 'REQUIRED' })
    const visitor = await signsIn()
    expect(keysIn(visitor.response)).toEqual(['google_otp'])
    await visitor.selects('google_otp')
    const proven = await visitor.answers(codeAt(String(sharedSecret), idp.clock.now()))
    expect([proven.remediations, keysIn(proven)]).toEqual([['select-authenticator-enroll'], ['webauthn']])
    expect((await visitor.submits('skip')).status).toBe(400)
    const { challenge } = activationOf(await visitor.enrolls('webauthn'))
    expect((await sends(visitor, newPasskey().create(challenge))).interactionCode).toBeDefined()
  })

  test('no user is where no passkey may be enrolled', async () => {
    await idp.reset()
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const { sharedSecret } = await idp.factors.enroll(idp.person.login, 'google_otp')
    await demands({ phishingResistant: 'REQUIRED' })
    const visitor = await signsIn()
    if (visitor.remediations.length > 0) {
      await visitor.selects('google_otp')
      await visitor.answers(codeAt(String(sharedSecret), idp.clock.now()))
    }
    expect(refusalOf(visitor.response)).toEqual([403, 'security.access_denied'])
  })
})

describe('userVerification', () => {
  test('is asked of the browser, and a passkey that did not verify its user is a wrong answer', async () => {
    const passkey = await has()
    await demands({ userVerification: 'REQUIRED' })
    const refused = await answers(passkey, { verifiesUser: false })
    expect(refused.challenge.userVerification).toBe('required')
    expect(refusalOf(refused.done)).toEqual([401, assertionFailed])
    const { done } = await answers(passkey)
    expect(done.interactionCode).toBeDefined()
  })

  test('is asked for where one is made on the way in, too', async () => {
    await demands({ userVerification: 'REQUIRED' })
    const visitor = await signsIn()
    expect([visitor.remediations, keysIn(visitor.response)]).toEqual([
      ['select-authenticator-enroll'],
      ['webauthn'],
    ])
    const first = activationOf(await visitor.enrolls('webauthn'))
    expect(first.authenticatorSelection).toMatchObject({ userVerification: 'required' })
    const refused = await sends(visitor, newPasskey({ verifiesUser: false }).create(first.challenge))
    expect(refusalOf(refused)).toEqual([400, attestationFailed])
    const made = await sends(visitor, newPasskey().create(activationOf(refused).challenge))
    // What is optional is offered besides, with a way around it.
    expect(made.remediations).toEqual(['select-authenticator-enroll', 'skip'])
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
  })

  test('by userVerificationMethods is the same', async () => {
    const passkey = await has()
    await demands({ userVerificationMethods: ['PIN', 'BIOMETRICS'] })
    expect(refusalOf((await answers(passkey, { verifiesUser: false })).done)).toEqual([401, assertionFailed])
    expect((await answers(passkey)).done.interactionCode).toBeDefined()
  })
})

describe('hardwareProtection', () => {
  beforeEach(() => setPasskeys(idp, { attestation: 'DIRECT' }))

  test('a passkey whose maker says that hardware protects it is let in', async () => {
    onTestFinished(maker.isTrustedFor('apple'))
    const passkey = await has({ attests: maker.apple })
    await demands({ phishingResistant: 'REQUIRED', hardwareProtection: 'REQUIRED' })
    const { visitor, done } = await answers(passkey)
    expect(done.interactionCode).toBeDefined()
    expect(await amrOf(visitor)).toEqual(['pwd', 'hwk', 'user', 'mfa'])
  })

  test.each<[string, PasskeyOptions]>([
    ['of which nothing is said', {}],
    ['that a module of an unknown maker certifies, which anyone can say', { attests: maker.tpm }],
    ['that is copied to other devices', { attests: maker.apple, isSyncable: true }],
  ])('a passkey %s is not, though its answer is right', async (_, options) => {
    onTestFinished(maker.isTrustedFor('apple'))
    const passkey = await has(options)
    await demands({ hardwareProtection: 'REQUIRED' })
    expect(refusalOf((await answers(passkey)).done)).toEqual([403, 'security.access_denied'])
    // It is good wherever no such thing is asked for.
    await demands({ phishingResistant: 'REQUIRED' })
    expect((await answers(passkey)).done.interactionCode).toBeDefined()
  })

  test('a statement whose chain ends at no root of the format is none, and no passkey is made', async () => {
    onTestFinished(maker.isTrustedFor('apple'))
    const other = newPasskey({ attests: newMaker().apple })
    const { answer } = await enrolsPasskey(newVisitor(idp), idp.person, other)
    expect(refusalOf(answer)).toEqual([400, attestationFailed])
  })

  test('a statement that was not asked for shows nothing', async () => {
    onTestFinished(maker.isTrustedFor('apple'))
    await setPasskeys(idp, { attestation: 'NONE' })
    const passkey = await has({ attests: maker.apple })
    await demands({ hardwareProtection: 'REQUIRED' })
    expect(refusalOf((await answers(passkey)).done)).toEqual([403, 'security.access_denied'])
  })
})
