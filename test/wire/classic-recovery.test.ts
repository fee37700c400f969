import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { authn } from '../support/classic.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { hasPhone, lastCode, recoversByPhone } from './phone.ts'
import { changeRule } from './recovery-rules.ts'
import { enrollmentPolicy } from './totp.ts'

const newPassword = 'Lighthouse-Biscuit-77'

onEachDatabase('the classic recovery', ({ create }) => {
  let idp: Kit
  let database: TestDatabase
  beforeAll(async () => {
    database = await create()
    idp = await startEngine({
      ...{ clock: 'frozen', database: database.url },
      settings: {
        classic: { enabled: true },
        policies: { password: { recovery: { unlock: true }, lockout: { maxAttempts: 3 } } },
      },
    })
  })
  beforeEach(() => idp.reset())
  afterAll(async () => {
    await idp.close()
    await database.drop()
  })

  const signsIn = async (password: string) =>
    (await authn(idp, '', { username: idp.person.login, password })).body.status

  test('by mail: the link leads to the pages of the engine, where the password is set', async () => {
    const asked = { username: idp.person.login, factorType: 'EMAIL', relayState: '/home' }
    const sent = await authn(idp, '/recovery/password', asked)
    expect([sent.status, sent.body]).toEqual([
      200,
      {
        ...{ status: 'RECOVERY_CHALLENGE', factorResult: 'WAITING', factorType: 'EMAIL' },
        ...{ recoveryType: 'PASSWORD', relayState: '/home' },
      },
    ])
    const mail = await idp.outbox.waitFor({ to: idp.person.login, template: 'ForgotPassword' })
    // There is no place to type a code.
    expect([mail.code, mail.link]).toEqual([null, expect.stringMatching(/^http/)])
    const browser = newHostedBrowser(idp)
    const page = await browser.opens(mail.link ?? '')
    const code = /class="code[^"]*">/.exec(page.text)
    expect([page.status, code]).toEqual([200, null])
    const [, own = ''] = /<a href="([^"]+own=1)"/.exec(page.text) ?? []
    await browser.opens(own.replaceAll('&amp;', '&'))
    const [, token = ''] = /name="token" value="([^"]+)"/.exec(browser.page.text) ?? []
    const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(browser.page.text) ?? []
    await browser.sends(action, { token })
    expect(browser.page.title).toBe('Choose a new password')
    await browser.submits('reset-authenticator', { 'credentials.passcode': newPassword })
    expect(browser.page.title).toBe('That is all')
    expect(await signsIn(newPassword)).toBe('SUCCESS')
  })

  test.each([
    ['SMS', 'sms'],
    ['CALL', 'call'],
  ] as const)(
    'by %s: the code leads to the new password, and to a session token',
    async (factorType, resend) => {
      await recoversByPhone(idp)
      await hasPhone(idp)
      const sent = await authn(idp, '/recovery/password', { username: idp.person.login, factorType })
      const { stateToken } = sent.body
      expect(sent.body).toMatchObject({
        ...{ status: 'RECOVERY_CHALLENGE', factorType, recoveryType: 'PASSWORD' },
        stateToken: expect.stringMatching(/^00/),
        _links: { next: { name: 'verify' }, resend: [{ name: resend }], cancel: {} },
      })
      expect((await authn(idp, '', { stateToken })).body).toEqual(sent.body)
      const verify = (passCode: string, way = factorType) =>
        authn(idp, `/recovery/factors/${way}/verify`, { stateToken, passCode })
      const wrong = await verify('000000')
      expect([wrong.status, wrong.body.errorCode]).toEqual([403, 'E0000068'])
      idp.clock.advance(31_000)
      const again = await authn(idp, `/recovery/factors/${factorType}/resend`, { stateToken })
      expect(again.body).toMatchObject({ status: 'RECOVERY_CHALLENGE', stateToken })
      const proven = await verify(await lastCode(idp))
      expect(proven.body).toMatchObject({
        ...{ status: 'PASSWORD_RESET', recoveryType: 'PASSWORD', stateToken },
        _embedded: { user: { profile: { login: idp.person.login } } },
        _links: { next: { name: 'resetPassword' } },
      })
      const reset = (password: string) =>
        authn(idp, '/credentials/reset_password', { stateToken, newPassword: password })
      const short = await reset('short')
      expect([short.status, short.body.errorCode]).toEqual([403, 'E0000014'])
      const done = await reset(newPassword)
      expect(done.body).toMatchObject({ status: 'SUCCESS', sessionToken: expect.stringMatching(/^20111/) })
      expect((await reset(newPassword)).body.errorCode).toBe('E0000011')
      expect([await signsIn(newPassword), await signsIn(idp.person.password)]).toEqual(['SUCCESS', undefined])
    },
  )

  test('by the token of an administrator, which is good until the password is set', async () => {
    const [person] = await idp.people.list(idp.person.login)
    const made = await apiOf(idp)('POST', `/users/${person?.id}/lifecycle/reset_password?sendEmail=false`)
    const url = String((made.body as { resetPasswordUrl?: string }).resetPasswordUrl)
    const recoveryToken = url.split('/').at(-1)
    const begun = await authn(idp, '/recovery/token', { recoveryToken, relayState: '/x' })
    expect(begun.body).toMatchObject({ status: 'PASSWORD_RESET', recoveryType: 'PASSWORD', relayState: '/x' })
    const { stateToken } = begun.body
    const done = await authn(idp, '/credentials/reset_password', {
      stateToken,
      newPassword,
      revokeSessions: true,
    })
    expect(done.body).toMatchObject({ status: 'SUCCESS', relayState: '/x', sessionToken: expect.any(String) })
    const spent = await authn(idp, '/recovery/token', { recoveryToken })
    expect([spent.status, spent.body.errorCode]).toEqual([401, 'E0000011'])
    expect(await signsIn(newPassword)).toBe('SUCCESS')
  })

  test('the question of a user is asked for besides, where the policy says so', async () => {
    const [person] = await idp.people.list(idp.person.login)
    const recovery_question = { question: 'Who is the cat?', answer: 'Mog of course' }
    await apiOf(idp)('POST', `/users/${person?.id}`, { credentials: { recovery_question } })
    const requirement = {
      primary: { methods: ['email', 'sms'] },
      stepUp: { required: true, methods: ['security_question'] },
    }
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', security_question: 'OPTIONAL' })
    await changeRule(idp, (all) => ({ ...all, selfServicePasswordReset: { access: 'ALLOW', requirement } }))
    await hasPhone(idp)
    const { stateToken } = (
      await authn(idp, '/recovery/password', { username: idp.person.login, factorType: 'SMS' })
    ).body
    const passCode = await lastCode(idp)
    const asked = await authn(idp, '/recovery/factors/SMS/verify', { stateToken, passCode })
    expect(asked.body).toMatchObject({
      ...{ status: 'RECOVERY', recoveryType: 'PASSWORD' },
      _embedded: { user: { recovery_question: { question: recovery_question.question } } },
      _links: { next: { name: 'answer' } },
    })
    // Nothing is set before the question is answered (A34).
    const early = await authn(idp, '/credentials/reset_password', { stateToken, newPassword })
    expect([early.status, early.body.errorCode]).toEqual([403, 'E0000079'])
    const wrong = await authn(idp, '/recovery/answer', { stateToken, answer: 'Tibbles' })
    expect([wrong.status, wrong.body.errorCode]).toEqual([403, 'E0000087'])
    const right = await authn(idp, '/recovery/answer', { stateToken, answer: 'mog of COURSE' })
    expect(right.body).toMatchObject({ status: 'PASSWORD_RESET' })
    const done = await authn(idp, '/credentials/reset_password', { stateToken, newPassword })
    expect(done.body.status).toBe('SUCCESS')
  })

  describe('an unlock', () => {
    const locks = async () => {
      for (let count = 0; count < 3; count++) {
        await authn(idp, '', { username: idp.person.login, password: 'wrong' })
      }
      expect(await signsIn(idp.person.password)).toBeUndefined()
    }

    test('by mail takes the code of the mail, and opens the account', async () => {
      await locks()
      const sent = await authn(idp, '/recovery/unlock', { username: idp.person.login, factorType: 'EMAIL' })
      const { stateToken } = sent.body
      expect(sent.body).toMatchObject({
        ...{ status: 'RECOVERY_CHALLENGE', factorType: 'EMAIL', recoveryType: 'UNLOCK' },
        _links: { next: { name: 'verify' } },
      })
      const { code } = await idp.outbox.waitFor({ to: idp.person.login, template: 'SelfServiceUnlock' })
      const done = await authn(idp, '/recovery/factors/EMAIL/verify', { stateToken, passCode: code })
      expect(done.body).toEqual({ status: 'SUCCESS', recoveryType: 'UNLOCK' })
      expect(await signsIn(idp.person.password)).toBe('SUCCESS')
    })
  })

  test.each([
    ['/recovery/password', {}, 400, 'E0000001'],
    ['/recovery/password', { username: 'mary@example.com', factorType: 'PIGEON' }, 400, 'E0000001'],
    ['/recovery/password', { username: 'mary@example.com', factorType: ['SMS'] }, 400, 'E0000001'],
    // No policy of these users allows it.
    ['/recovery/password', { username: 'mary@example.com', factorType: 'SMS' }, 403, 'E0000034'],
    ['/recovery/unlock', { username: 'mary@example.com', factorType: 'CALL' }, 403, 'E0000034'],
    ['/recovery/token', {}, 400, 'E0000001'],
    ['/recovery/token', { recoveryToken: 'x' }, 401, 'E0000011'],
    ['/recovery/token', { recoveryToken: 'x'.repeat(43) }, 401, 'E0000011'],
    ['/recovery/answer', { stateToken: '00x', answer: 'x' }, 401, 'E0000011'],
    ['/recovery/factors/SMS/verify', { passCode: '123456' }, 401, 'E0000011'],
    ['/credentials/reset_password', { stateToken: '00x', newPassword }, 401, 'E0000011'],
  ])('%s %j is refused', async (path, body, status, errorCode) => {
    const answer = await authn(idp, path, body)
    expect([answer.status, answer.body.errorCode]).toEqual([status, errorCode])
  })
})
