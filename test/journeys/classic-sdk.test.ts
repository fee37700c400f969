import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf, tokenOf } from '../support/management.ts'
import { sessionRule } from '../support/policy-rules.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { type SdkMajor, sdk, walkingMajors } from '../support/sdk.ts'
import { hasPhone, lastCode, recoversByPhone } from '../wire/phone.ts'
import { codeAt, enrollmentPolicy } from '../wire/totp.ts'

// Older apps: the classic methods of okta-auth-js, which follow the names of the links in each answer.
const newPassword = 'Lighthouse-Biscuit-77'

onEachDatabase('okta-auth-js at the classic API', ({ name, create }) => {
  let idp: Kit
  let database: TestDatabase
  beforeAll(async () => {
    database = await create()
    const policies = { password: { recovery: { unlock: true }, lockout: { maxAttempts: 3 } } }
    const settings = { classic: { enabled: true }, policies }
    idp = await startEngine({ clock: 'frozen', database: database.url, settings })
  })
  beforeEach(() => idp.reset())
  afterAll(async () => {
    await idp.close()
    await database.drop()
  })

  const credentials = (password = idp.person.password) => ({ username: idp.person.login, password })
  const userId = async () => (await idp.people.list(idp.person.login))[0]?.id
  // The transaction's methods are made from its links: the types name each of them as one that may be missing.
  type Transaction = Awaited<ReturnType<ReturnType<typeof sdk>['signInWithCredentials']>>
  const on = (transaction: Transaction, method: keyof Transaction, ...given: readonly object[]) =>
    (transaction[method] as (...args: readonly object[]) => Promise<Transaction>)(...given)

  describe.each(name === 'sqlite' ? [...walkingMajors] : ([8] as readonly SdkMajor[]))('%i', (major) => {
    const app = () => sdk(idp, { major })

    test('a name and a password, and the errors of wrong ones', async () => {
      const done = await app().signInWithCredentials(credentials())
      expect([done.status, done.sessionToken]).toEqual(['SUCCESS', expect.stringMatching(/^20111/)])
      await expect(app().signInWithCredentials(credentials('wrong'))).rejects.toMatchObject({
        errorCode: 'E0000004',
      })
    })

    test.each(['email', 'sms', 'call', 'token:software:totp'] as const)(
      '%s is proven as the second factor',
      async (factorType) => {
        const keys = ['phone_number', 'security_question', 'google_otp']
        await enrollmentPolicy(idp, Object.fromEntries(keys.map((key) => [key, 'OPTIONAL' as const])))
        const { sharedSecret = '' } = await idp.factors.enroll(idp.person.login, 'google_otp')
        await hasPhone(idp)
        const recovery_question = { question: 'Who is the cat?', answer: 'Mog of course' }
        await apiOf(idp)('POST', `/users/${await userId()}`, { credentials: { recovery_question } })
        await sessionRule(idp, { access: 'ALLOW', requireFactor: true })
        idp.clock.advance(31_000)

        const asked = await app().signInWithCredentials(credentials())
        expect(asked.status).toBe('MFA_REQUIRED')
        const factors: readonly Readonly<Record<string, unknown>>[] = asked.factors ?? []
        // What is known is no second kind beside a password: the question is for recoveries.
        expect(factors.map((one) => one.factorType)).not.toContain('question')
        const factor = factors.find((one) => one.factorType === factorType)
        if (factor === undefined) throw new Error(`there is no ${factorType}`)
        const verify = factor.verify as (given?: object) => Promise<Transaction>
        const right = async (): Promise<string> => {
          if (factorType === 'token:software:totp') return codeAt(sharedSecret, idp.clock.now())
          if (factorType !== 'email') return lastCode(idp)
          return (await idp.outbox.waitFor({ to: idp.person.login, template: 'EmailChallenge' })).code ?? ''
        }
        if (factorType === 'token:software:totp') {
          expect((await verify({ passCode: await right() })).status).toBe('SUCCESS')
          return
        }
        const sent = await verify()
        expect([sent.status, sent.factorResult]).toEqual(['MFA_CHALLENGE', 'CHALLENGE'])
        await expect(on(sent, 'verify', { passCode: '000000' })).rejects.toMatchObject({
          errorCode: 'E0000068',
        })
        const back = await on(sent, 'prev')
        expect(back.status).toBe('MFA_REQUIRED')
        const done = await on(sent, 'verify', { passCode: await right() })
        expect([done.status, done.sessionToken]).toEqual(['SUCCESS', expect.any(String)])
      },
    )

    test('a password that has expired is replaced, and the old one is good no more', async () => {
      const { status } = await apiOf(idp)('POST', `/users/${await userId()}/lifecycle/expire_password`)
      expect(status).toBe(200)
      const asked = await app().signInWithCredentials(credentials())
      expect([asked.status, asked.sessionToken]).toEqual(['PASSWORD_EXPIRED', undefined])
      const change = (to: string) =>
        on(asked, 'changePassword', { oldPassword: idp.person.password, newPassword: to })
      await expect(change('short')).rejects.toMatchObject({ errorCode: 'E0000014' })
      const done = await change(newPassword)
      expect([done.status, done.sessionToken]).toEqual(['SUCCESS', expect.any(String)])
      expect((await app().signInWithCredentials(credentials(newPassword))).status).toBe('SUCCESS')
      await expect(app().signInWithCredentials(credentials())).rejects.toMatchObject({
        errorCode: 'E0000004',
      })
    })

    test('forgotPassword by text, resend, resetPassword', async () => {
      await recoversByPhone(idp)
      await hasPhone(idp)
      const sent = await app().forgotPassword({ username: idp.person.login, factorType: 'SMS' })
      expect([sent.status, sent.recoveryType]).toEqual(['RECOVERY_CHALLENGE', 'PASSWORD'])
      idp.clock.advance(31_000)
      expect((await on(sent, 'resend', 'sms' as unknown as object)).status).toBe('RECOVERY_CHALLENGE')
      const proven = await on(sent, 'verify', { passCode: await lastCode(idp) })
      expect(proven.status).toBe('PASSWORD_RESET')
      const done = await on(proven, 'resetPassword', { newPassword })
      expect([done.status, done.sessionToken]).toEqual(['SUCCESS', expect.any(String)])
    })

    test('forgotPassword by mail, unlockAccount by mail, verifyRecoveryToken', async () => {
      const mailed = await app().forgotPassword({ username: idp.person.login, factorType: 'EMAIL' })
      expect([mailed.status, mailed.factorResult]).toEqual(['RECOVERY_CHALLENGE', 'WAITING'])
      const made = await apiOf(idp)(
        'POST',
        `/users/${await userId()}/lifecycle/reset_password?sendEmail=false`,
      )
      const url = String((made.body as { resetPasswordUrl?: string }).resetPasswordUrl)
      const begun = await app().verifyRecoveryToken({ recoveryToken: url.split('/').at(-1) ?? '' })
      expect(begun.status).toBe('PASSWORD_RESET')
      expect((await on(begun, 'resetPassword', { newPassword })).status).toBe('SUCCESS')

      for (let count = 0; count < 3; count++)
        await app()
          .signInWithCredentials(credentials('wrong'))
          .catch(() => undefined)
      await expect(app().signInWithCredentials(credentials(newPassword))).rejects.toThrow()
      const asked = await app().unlockAccount({ username: idp.person.login, factorType: 'EMAIL' })
      expect([asked.status, asked.recoveryType]).toEqual(['RECOVERY_CHALLENGE', 'UNLOCK'])
      const { code } = await idp.outbox.waitFor({ to: idp.person.login, template: 'SelfServiceUnlock' })
      const open = await on(asked, 'verify', { passCode: code ?? '' })
      expect([open.status, open.sessionToken]).toEqual(['SUCCESS', undefined])
      expect((await app().signInWithCredentials(credentials(newPassword))).status).toBe('SUCCESS')
    })
  })

  test('a server makes a session of a session token, once, with an API token and without a cookie', async () => {
    const { sessionToken = '' } = await sdk(idp).signInWithCredentials(credentials())
    const posts = (body: object, headers: Readonly<Record<string, string>>) =>
      fetch(`${idp.engineUrl}/api/v1/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    const own = { authorization: `SSWS ${idp.apiToken}` }
    const read = { authorization: `SSWS ${await tokenOf(idp, 'read')}` }
    // No API token, one that may not sign users in, one that is none: the session token is as good as before.
    expect((await posts({ sessionToken }, {})).status).toBe(401)
    expect((await posts({ sessionToken }, { cookie: 'rekey_session=x.y' })).status).toBe(401)
    expect([401, 403]).toContain((await posts({ sessionToken }, read)).status)
    expect((await posts({ sessionToken }, { authorization: 'SSWS x' })).status).toBe(401)
    expect((await posts({}, own)).status).toBe(400)
    expect((await posts({ sessionToken: '20111x' }, own)).status).toBe(401)
    const made = await posts({ sessionToken }, own)
    const session = (await made.json()) as Readonly<Record<string, unknown>>
    expect([made.status, made.headers.get('set-cookie')]).toEqual([200, null])
    expect(session).toMatchObject({
      ...{ userId: await userId(), login: idp.person.login, status: 'ACTIVE', mfaActive: false },
      ...{ amr: ['pwd'], lastPasswordVerification: expect.any(String), lastFactorVerification: null },
    })
    expect((await apiOf(idp)('GET', `/sessions/${session.id}`)).body).toMatchObject({
      login: idp.person.login,
    })
    expect((await posts({ sessionToken }, own)).status).toBe(401)
  })
})
