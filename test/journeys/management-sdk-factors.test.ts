import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { hasClients, requireClient } from '../support/clients.ts'
import { sdk } from '../support/sdk.ts'
import { newPasskey, passkeyEngine } from '../wire/passkeys.ts'
import { lastCode, number } from '../wire/phone.ts'
import { codeAt, enrollmentPolicy, twoFactors, wrongCode } from '../wire/totp.ts'

// Their types are those of another compiler's settings; what is used of them stands here.
interface Factor {
  readonly id: string
  readonly factorType: string
  readonly provider: string
  readonly status: string
  readonly factorResult: string
  readonly profile: Readonly<Record<string, string>>
  readonly embedded?: Embedded
  readonly _embedded?: Embedded
}
interface Embedded {
  readonly activation: { readonly sharedSecret: string; readonly challenge: string }
}
interface Each {
  each(visit: (thing: Factor) => void): Promise<unknown>
}
type Method = (...given: readonly unknown[]) => Promise<Factor & AsyncIterable<Factor>> & Each
type Api = Readonly<Record<string, Method>>

/** The calls of both majors that are about the factors of a user. */
interface Calls {
  enroll(userId: string, body: object, query?: object): Promise<Factor>
  activate(userId: string, factorId: string, body: object): Promise<Factor>
  verify(userId: string, factorId: string, body: object): Promise<Factor>
  list(userId: string): Promise<readonly Factor[]>
  supported(userId: string): Promise<readonly Factor[]>
  questions(userId: string): Promise<readonly unknown[]>
  get(userId: string, factorId: string): Promise<Factor>
  remove(userId: string, factorId: string): Promise<unknown>
  reset(userId: string): Promise<unknown>
}

let idp: Kit
let userId: string
beforeAll(async () => {
  idp = await startEngine(passkeyEngine)
})
beforeEach(async () => {
  await idp.reset()
  userId = (await idp.people.list(idp.person.login))[0]?.id ?? ''
})
afterAll(() => idp.close())

const options = () => ({ orgUrl: idp.engineUrl, token: idp.apiToken, testing: { disableHttpsCheck: true } })
const call = (api: Api, name: string, ...given: readonly unknown[]) => {
  const method = api[name]
  if (method === undefined) throw new Error(`the SDK has no ${name}`)
  return method.apply(api, [...given])
}

function calls8(): Calls {
  const { Client } = requireClient<{ Client: new (options: object) => Record<string, Api> }>(
    '@okta/okta-sdk-nodejs',
  )
  const { userFactorApi: api = {}, userApi = {} } = new Client(options())
  const all = async (name: string, request: object) => {
    const found: Factor[] = []
    for await (const one of await call(api, name, request)) found.push(one)
    return found
  }
  return {
    enroll: (user, body, query) => call(api, 'enrollFactor', { userId: user, body, ...query }),
    activate: (user, factorId, body) => call(api, 'activateFactor', { userId: user, factorId, body }),
    verify: (user, factorId, body) => call(api, 'verifyFactor', { userId: user, factorId, body }),
    list: (user) => all('listFactors', { userId: user }),
    supported: (user) => all('listSupportedFactors', { userId: user }),
    questions: (user) => all('listSupportedSecurityQuestions', { userId: user }),
    get: (user, factorId) => call(api, 'getFactor', { userId: user, factorId }),
    remove: (user, factorId) => call(api, 'unenrollFactor', { userId: user, factorId }),
    reset: (user) => call(userApi, 'resetFactors', { userId: user }),
  }
}

function calls6(): Calls {
  const { Client } = requireClient<{ Client: new (options: object) => Api }>('okta-sdk-nodejs-6')
  const client = new Client(options())
  const all = async (name: string, user: string) => {
    const found: Factor[] = []
    await call(client, name, user).each((one) => void found.push(one))
    return found
  }
  return {
    enroll: (user, body, query) => call(client, 'enrollFactor', user, body, query),
    activate: (user, id, body) => call(client, 'activateFactor', user, id, body),
    verify: (user, id, body) => call(client, 'verifyFactor', user, id, body),
    list: (user) => all('listFactors', user),
    supported: (user) => all('listSupportedFactors', user),
    questions: (user) => all('listSupportedSecurityQuestions', user),
    get: (user, id) => call(client, 'getFactor', user, id),
    remove: (user, id) => call(client, 'deleteFactor', user, id),
    reset: (user) => call(client, 'resetFactors', user),
  }
}

const activationOf = ({ embedded, _embedded = embedded }: Factor) => {
  if (_embedded === undefined) throw new Error('nothing is embedded')
  return _embedded.activation
}

describe.skipIf(!hasClients).each([
  ['8', calls8],
  ['6', calls6],
])('through okta-sdk-nodejs %s', (_, made) => {
  let it: Calls
  beforeEach(() => {
    it = made()
  })
  const right = (secret: string, steps = 0) => codeAt(secret, idp.clock.now(), steps)

  test('an app is enrolled and confirmed, and the user signs in with it', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const pending = await it.enroll(userId, { factorType: 'token:software:totp', provider: 'GOOGLE' })
    expect(pending).toMatchObject({ status: 'PENDING_ACTIVATION', provider: 'GOOGLE' })
    const { sharedSecret } = activationOf(pending)
    // Scripts compute a code of up to ninety seconds ago, so that the present one stays good.
    const active = await it.activate(userId, pending.id, { passCode: right(sharedSecret, -3) })
    expect([active.id, active.status]).toEqual([pending.id, 'ACTIVE'])
    expect((await it.list(userId)).map(({ factorType, status }) => [factorType, status])).toEqual([
      ['password', 'ACTIVE'],
      ['token:software:totp', 'ACTIVE'],
    ])
    await twoFactors(idp)
    const auth = sdk(idp)
    await auth.idx.authenticate({
      username: idp.person.login,
      password: idp.person.password,
      authenticator: 'google_otp',
    })
    const done = await auth.idx.proceed({ verificationCode: right(sharedSecret) })
    expect(done.tokens?.idToken?.claims.amr).toEqual(['pwd', 'otp', 'mfa'])
    expect((await it.verify(userId, pending.id, { passCode: right(sharedSecret, 1) })).factorResult).toBe(
      'SUCCESS',
    )
    const wrong = { passCode: wrongCode(sharedSecret, idp.clock.now()) }
    await expect(it.verify(userId, pending.id, wrong)).rejects.toThrow('E0000068')
    await it.remove(userId, pending.id)
    await expect(it.get(userId, pending.id)).rejects.toThrow('E0000007')
  })

  test('a phone gets a code, or is active at once; a question and a passkey are enrolled', async () => {
    await enrollmentPolicy(idp, {
      google_otp: 'OPTIONAL',
      phone_number: 'OPTIONAL',
      security_question: 'OPTIONAL',
      webauthn: 'OPTIONAL',
    })
    const sms = { factorType: 'sms', provider: 'OKTA', profile: { phoneNumber: number } }
    const pending = await it.enroll(userId, sms)
    await it.activate(userId, pending.id, { passCode: await lastCode(idp) })
    expect((await it.get(userId, pending.id)).profile.phoneNumber).toBe(number)
    const call = { factorType: 'call', provider: 'OKTA', profile: { phoneNumber: number } }
    expect((await it.enroll(userId, call, { activate: true })).status).toBe('ACTIVE')
    await expect(it.enroll(userId, call)).rejects.toThrow('already set up')
    await idp.clock.advance('30s')
    const challenge = await it.verify(userId, pending.id, {})
    expect(challenge.factorResult).toBe('CHALLENGE')
    expect((await it.verify(userId, pending.id, { passCode: await lastCode(idp) })).factorResult).toBe(
      'SUCCESS',
    )

    expect(await it.questions(userId)).toHaveLength(19)
    const question = { question: 'disliked_food', answer: 'mayonnaise' }
    const asked = await it.enroll(userId, { factorType: 'question', provider: 'OKTA', profile: question })
    expect((await it.verify(userId, asked.id, { answer: 'mayonnaise' })).factorResult).toBe('SUCCESS')

    const passkey = await it.enroll(userId, { factorType: 'webauthn', provider: 'FIDO' })
    const made = newPasskey().create(activationOf(passkey).challenge)
    const named = await it.activate(userId, passkey.id, made)
    expect(named.status).toBe('ACTIVE')
    expect((await it.supported(userId)).map(({ factorType }) => factorType)).toEqual([
      ...['email', 'sms', 'call', 'token:software:totp', 'question', 'webauthn'],
    ])
    await it.reset(userId)
    expect((await it.list(userId)).map(({ factorType }) => factorType)).toEqual(['password'])
  })
})
