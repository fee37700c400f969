import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type AuthnAnswer, authn } from '../support/classic.ts'
import { apiOf } from '../support/management.ts'
import { hasPhone, lastCode, number, recoversByPhone } from '../wire/phone.ts'
import { changeRule } from '../wire/recovery-rules.ts'

// The recovery of the classic authentication API: as silent as the pages about who there is, and no way around what a policy asks for.
let idp: Kit
const newPassword = 'Lighthouse-Biscuit-77'

beforeEach(async () => {
  idp = await startEngine({
    clock: 'frozen',
    settings: { classic: { enabled: true }, policies: { password: { recovery: { unlock: true } } } },
  })
})
afterEach(() => idp.close())

const nobody = 'nobody@example.com'
/** An answer without what is random in it. */
const shape = ({ status, body }: AuthnAnswer) =>
  JSON.stringify([status, body])
    .replace(/00[\w.-]{20,}/g, 'TOKEN')
    .replace(/"oae\w+"/g, '"ID"')

test.each([
  ['/recovery/password', 'EMAIL'],
  ['/recovery/password', 'SMS'],
  ['/recovery/password', 'CALL'],
  ['/recovery/unlock', 'EMAIL'],
])(
  'A83: %s by %s is answered to the byte alike for a user, a user without a phone, and no user',
  async (path, factorType) => {
    await recoversByPhone(idp)
    await apiOf(idp)('POST', '/users', {
      profile: { login: 'bo@example.com', email: 'bo@example.com', firstName: 'Bo', lastName: 'Bay' },
      credentials: { password: { value: 'Tangerine-Kettle-42' } },
    })
    await hasPhone(idp)
    const seen = new Set<string>()
    for (const username of [idp.person.login, 'bo@example.com', nobody]) {
      const begun = await authn(idp, path, { username, factorType })
      const { stateToken } = begun.body
      const passCode = '000000'
      const wrong =
        stateToken === undefined
          ? undefined
          : shape(await authn(idp, `/recovery/factors/${factorType}/verify`, { stateToken, passCode }))
      idp.clock.advance(31_000)
      const resent =
        stateToken === undefined
          ? undefined
          : shape(await authn(idp, `/recovery/factors/${factorType}/resend`, { stateToken })).replace(
              /"expiresAt":"[^"]+"/,
              '',
            )
      seen.add([shape(begun).replace(/"expiresAt":"[^"]+"/, ''), wrong, resent].join('\n'))
    }
    expect([...seen]).toHaveLength(1)
    await idp.engine.delivery.idle()
    const to = factorType === 'EMAIL' ? idp.person.login : number
    // Only who is locked out gets the mail of an unlock.
    const isSent = path === '/recovery/password'
    expect(idp.outbox.all().some((one) => one.to === to)).toBe(isSent)
    expect(idp.outbox.all().some((one) => one.to === nobody)).toBe(false)
  },
)

test('A83: guesses of a recovery’s code are counted as on the pages, and a new transaction buys none', async () => {
  await recoversByPhone(idp)
  await hasPhone(idp)
  const begins = async (username: string) =>
    (await authn(idp, '/recovery/password', { username, factorType: 'SMS' })).body.stateToken
  const guesses = async (username: string) => {
    const codes: unknown[] = []
    for (let round = 0; round < 3; round++) {
      const stateToken = await begins(username)
      for (let count = 0; count < 6; count++) {
        const { status, body } = await authn(idp, '/recovery/factors/SMS/verify', {
          stateToken,
          passCode: '000000',
        })
        codes.push([status, body.errorCode])
      }
      idp.clock.advance(31_000)
    }
    return codes
  }
  const known = await guesses(idp.person.login)
  // The transaction is over after five wrong codes, whatever comes then.
  expect(known.slice(0, 6)).toEqual([...Array(5).fill([403, 'E0000068']), [401, 'E0000011']])
  expect(await guesses(nobody)).toEqual(known)
})

test('A83: what a recovery has proven is not worth a session before the second factor of the policy', async () => {
  await recoversByPhone(idp)
  const requirement = {
    primary: { methods: ['sms'] },
    stepUp: { required: true, methods: ['okta_email'] },
  }
  await changeRule(idp, (all) => ({ ...all, selfServicePasswordReset: { access: 'ALLOW', requirement } }))
  await hasPhone(idp)
  const { stateToken } = (
    await authn(idp, '/recovery/password', { username: idp.person.login, factorType: 'SMS' })
  ).body
  const proven = await authn(idp, '/recovery/factors/SMS/verify', {
    stateToken,
    passCode: await lastCode(idp),
  })
  expect(proven.body).toMatchObject({ status: 'MFA_REQUIRED' })
  expect(proven.body.sessionToken).toBeUndefined()
  const skips = [
    ['/credentials/reset_password', { stateToken, newPassword }],
    ['/credentials/change_password', { stateToken, oldPassword: 'x', newPassword }],
    ['/skip', { stateToken }],
  ] as const
  for (const [path, body] of skips) {
    const { status, body: answer } = await authn(idp, path, body)
    expect([path, status, answer.errorCode]).toEqual([path, 403, 'E0000079'])
  }
  const mail = proven.body._embedded?.factors?.find(({ factorType }) => factorType === 'email')
  await authn(idp, `/factors/${mail?.id}/verify`, { stateToken })
  await idp.engine.delivery.idle()
  const passCode = idp.outbox.latest({ to: idp.person.login })?.code ?? ''
  const verified = await authn(idp, `/factors/${mail?.id}/verify`, { stateToken, passCode })
  expect(verified.body).toMatchObject({ status: 'PASSWORD_RESET' })
})

test('A83: the state token of a sign-in sets no password, nor that of a recovery signs in', async () => {
  await recoversByPhone(idp)
  await hasPhone(idp)
  const { body } = await authn(idp, '/recovery/password', { username: idp.person.login, factorType: 'SMS' })
  const { stateToken } = body
  const asked = { stateToken, username: idp.person.login, password: idp.person.password }
  const signedIn = await authn(idp, '', asked)
  // With a name and a password it is a sign-in of its own: nothing of the recovery is in it.
  expect(signedIn.body.status).toBe('SUCCESS')
  for (const path of ['/credentials/reset_password', '/recovery/answer']) {
    const answer = await authn(idp, path, { stateToken, newPassword, answer: 'x' })
    expect([path, answer.body.errorCode]).toEqual([path, 'E0000079'])
  }
  const otherWay = await authn(idp, '/recovery/factors/CALL/verify', { stateToken, passCode: '000000' })
  expect(otherWay.body.errorCode).toBe('E0000079')
  expect(
    (await authn(idp, '/recovery/factors/constructor/verify', { stateToken, passCode: '1' })).status,
  ).toBe(404)
})

test('A83: a page of an origin that is not trusted has no mail sent', async () => {
  const body = { username: idp.person.login, factorType: 'EMAIL' }
  expect((await authn(idp, '/recovery/password', body, { origin: 'https://evil.example' })).status).toBe(403)
  await idp.engine.delivery.idle()
  expect(idp.outbox.all()).toEqual([])
})
