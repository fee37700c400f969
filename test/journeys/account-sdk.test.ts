import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { accountScopes, grantAccount } from '../support/account.ts'
import { requireClient } from '../support/clients.ts'
import { majors, sdk } from '../support/sdk.ts'
import { lastCode, latestText, number } from '../wire/phone.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

// The methods of okta-auth-js for the user's own account, of all majors: 6 has them without the password.
let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
beforeEach(async () => {
  await idp.reset()
  await grantAccount(idp)
})
afterAll(() => idp.close())

const day = 86_400_000

interface Address {
  readonly id: string
  readonly status: string
  readonly roles: readonly string[]
  readonly profile: { readonly email: string }
  get(): Promise<Address>
  delete(): Promise<unknown>
  challenge(): Promise<Challenge>
  verify?(payload: object): Promise<unknown>
}
interface Challenge {
  readonly id: string
  poll(): Promise<{ readonly status: string }>
  verify(payload: object): Promise<unknown>
}
interface Phone {
  readonly id: string
  readonly status: string
  readonly profile: { readonly phoneNumber: string }
  get(): Promise<Phone>
  delete(): Promise<unknown>
  challenge(payload: object): Promise<unknown>
  verify?(payload: object): Promise<unknown>
}
interface OwnAccount {
  getProfile(): Promise<{ readonly profile: Readonly<Record<string, unknown>> }>
  updateProfile(options: object): Promise<unknown>
  getProfileSchema(): Promise<{ readonly properties: object }>
  getEmails(): Promise<Address[]>
  getEmail(options: object): Promise<Address>
  addEmail(options: object): Promise<Address>
  deleteEmail(options: object): Promise<unknown>
  sendEmailChallenge(options: object): Promise<Challenge>
  getEmailChallenge(options: object): Promise<{ readonly status: string }>
  verifyEmailChallenge(options: object): Promise<unknown>
  getPhones(): Promise<Phone[]>
  getPhone(options: object): Promise<Phone>
  addPhone(options: object): Promise<Phone>
  deletePhone(options: object): Promise<unknown>
  sendPhoneChallenge(options: object): Promise<unknown>
  verifyPhoneChallenge(options: object): Promise<unknown>
  getPassword(): Promise<{ readonly status: string; readonly id: string }>
  updatePassword(options: object): Promise<{ readonly status: string }>
}

/** Major 6 has them as functions of a client, beside it, and none for the password. */
function accountOf(client: ReturnType<typeof sdk>, major: number): OwnAccount {
  if (major > 6) return (client as unknown as { readonly myaccount: OwnAccount }).myaccount
  const functions =
    requireClient<Record<string, (of: unknown, options?: object) => unknown>>('okta-auth-js-6/myaccount')
  const methods = Object.entries(functions).map(([name, method]) => [
    name,
    (options?: object) => method(client, options),
  ])
  return Object.fromEntries(methods) as unknown as OwnAccount
}

describe.each(majors)('okta-auth-js %i', (major) => {
  async function signsIn(password = idp.person.password): Promise<OwnAccount> {
    const client = sdk(idp, {
      major,
      issuer: idp.orgIssuer,
      scopes: ['openid', 'profile', ...accountScopes],
    })
    const first = await client.idx.authenticate({ username: idp.person.login, password })
    const done = first.nextStep?.canSkip ? await client.idx.proceed({ skip: true }) : first
    if (done.tokens === undefined) throw new Error(`no tokens: ${JSON.stringify(done.messages)}`)
    client.tokenManager.setTokens(done.tokens)
    return accountOf(client, major)
  }
  const codeTo = async (to: string) => {
    const { text } = await idp.outbox.waitFor({ to, template: ['PendingEmailChange'] })
    return /\b\d{6}\b/.exec(text)?.[0] ?? ''
  }

  test('reads and writes the profile', async () => {
    const account = await signsIn()
    const { profile } = await account.getProfile()
    expect(profile).toMatchObject({ email: idp.person.login, firstName: 'Mary' })
    expect(await account.updateProfile({ payload: { profile } })).toMatchObject({ profile })
    expect((await account.getProfileSchema()).properties).toHaveProperty('login')
    await expect(
      account.updateProfile({ payload: { profile: { ...profile, email: 'x@example.com' } } }),
    ).rejects.toMatchObject({ errorCode: 'E0000001', errorSummary: 'Api validation failed: forUpdate' })
  })

  test('adds an address, confirms it and takes one back', async () => {
    const account = await signsIn()
    const [own] = await account.getEmails()
    expect(own).toMatchObject({ roles: ['PRIMARY'], profile: { email: idp.person.login } })
    const other = await account.addEmail({
      payload: { profile: { email: 'other@example.com' }, sendEmail: false },
    })
    expect((await other.get()).status).toBe('UNVERIFIED')
    await other.delete()
    const added = await account.addEmail({
      payload: { profile: { email: 'new@example.com' }, sendEmail: true, role: 'PRIMARY' },
    })
    // The mail of the addition is there before that of the challenge: at one moment of the clock they have no order.
    await idp.engine.delivery.idle()
    const challenge = await added.challenge()
    expect((await challenge.poll()).status).toBe('UNVERIFIED')
    const emailId = added.id
    const challengeId = challenge.id
    expect((await account.getEmailChallenge({ emailId, challengeId })).status).toBe('UNVERIFIED')
    await expect(
      account.verifyEmailChallenge({ emailId, challengeId, payload: { verificationCode: 'none' } }),
    ).rejects.toMatchObject({ errorCode: 'E0000004' })
    await idp.engine.delivery.idle()
    await challenge.verify({ verificationCode: await codeTo('new@example.com') })
    expect((await account.getEmailChallenge({ emailId, challengeId })).status).toBe('VERIFIED')
    idp.clock.advance(day)
    await idp.engine.maintain()
    expect((await idp.engine.people.find('new@example.com'))?.profile.email).toBe('new@example.com')
  })

  const ofPasswords = major === 6 ? undefined : test
  ofPasswords?.('replaces the password, and shows that phones are not in use', async () => {
    const account = await signsIn()
    expect(await account.getPassword()).toMatchObject({ status: 'ACTIVE' })
    expect(await account.getPhones()).toEqual([])
    await expect(
      account.addPhone({ payload: { profile: { phoneNumber: '+15555550123' }, method: 'SMS' } }),
    ).rejects.toMatchObject({ errorCode: 'E0000038' })
    const password = 'Lighthouse-Biscuit-77'
    await account.updatePassword({ payload: { profile: { password } } })
    await signsIn(password)
  })

  test('adds phones, confirms one by a code, and takes one back', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    const account = await signsIn()
    const payload = { profile: { phoneNumber: number }, sendCode: true, method: 'SMS' }
    const added = await account.addPhone({ payload })
    expect(added).toMatchObject({ status: 'UNVERIFIED', profile: { phoneNumber: number } })
    const wrong = { id: added.id, payload: { verificationCode: 'none' } }
    await expect(account.verifyPhoneChallenge(wrong)).rejects.toMatchObject({ errorCode: 'E0000004' })
    await account.sendPhoneChallenge({ id: added.id, payload: { method: 'CALL' } })
    expect((await latestText(idp)).channel).toBe('voice')
    const other = await account.addPhone({
      payload: { profile: { phoneNumber: '+15551234568' }, sendCode: false },
    })
    await other.delete()
    await added.verify?.({ verificationCode: await lastCode(idp) })
    expect((await account.getPhone({ id: added.id })).status).toBe('VERIFIED')
    expect(await account.getPhones()).toMatchObject([{ id: added.id, status: 'VERIFIED' }])
    await expect(account.deletePhone({ id: added.id })).rejects.toMatchObject({
      errorSummary: 'insufficient_authentication_context',
    })
  })

  test('learns what the app has its user prove anew', async () => {
    const account = await signsIn()
    idp.clock.advance(16 * 60_000)
    await expect(
      account.addEmail({ payload: { profile: { email: 'new@example.com' } } }),
    ).rejects.toMatchObject({
      errorSummary: 'insufficient_authentication_context',
      meta: { max_age: 900 },
    })
  })
})
