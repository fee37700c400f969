import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Kit, KitOptions, Visitor } from '../../src/testing/index.ts'
import { atTheCode, mailTo, newPassword, startTarget, visit, wrongCode } from '../support/attacks.ts'
import { appWith, enrolsEmail, verifiesSecond } from '../wire/email.ts'
import { twoFactors } from '../wire/totp.ts'

const victim = 'mary@example.com'
const second = 'mary.second@example.net'
const minute = 60_000

let idp: Kit
afterEach(() => idp.close())

async function start(options: KitOptions = {}): Promise<void> {
  idp = await startTarget(options)
  await twoFactors(idp)
}
/** A thief who knows the password waits for the mailed code. */
async function atTheFactor(password = idp.person.password): Promise<Visitor> {
  await idp.engine.delivery.idle()
  const visitor = await visit(idp)
  await visitor.signsIn(victim, password)
  await visitor.selects('okta_email')
  return visitor
}
const challenge = ['EmailChallenge']

describe('guesses at the mailed code, by a thief who knows the password', () => {
  beforeEach(() => start())

  test('A06: after five wrong codes of the second factor the right one is worth nothing', async () => {
    const visitor = await atTheFactor()
    const { code } = await mailTo(idp, victim, challenge)
    const statuses = []
    for (let guess = 1; guess <= 5; guess++)
      statuses.push((await visitor.answers(wrongCode(code, guess))).status)
    expect(statuses).toEqual([401, 401, 401, 401, 429])
    expect((await visitor.answers(code)).status).toBe(401)
  })

  test('A09: another mail of the second factor, or choosing it again, buys no further guess', async () => {
    const visitor = await atTheFactor()
    const statuses = []
    for (let guess = 1; guess <= 5; guess++) {
      const { code } = await mailTo(idp, victim, challenge)
      statuses.push((await visitor.answers(wrongCode(code))).status)
      if (guess % 2 === 0) await visitor.submits('challenge/resend')
      else if (guess < 5) await visitor.selects('okta_email')
    }
    expect(statuses).toEqual([401, 401, 401, 401, 429])
  })

  test('A14: the code of an earlier mail of the second factor is worth nothing', async () => {
    const visitor = await atTheFactor()
    const { code } = await mailTo(idp, victim, challenge)
    await visitor.submits('challenge/resend')
    expect((await visitor.answers(code)).messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
  })

  test('A28: five mails of the second factor reach the mailbox in ten minutes', async () => {
    const visitor = await atTheFactor()
    for (let mail = 2; mail <= 5; mail++) await visitor.submits('challenge/resend')
    expect((await visitor.submits('challenge/resend')).status).toBe(429)
    expect((await atTheFactor()).response.status).toBe(429)
    await idp.engine.delivery.idle()
    expect(idp.outbox.to(victim)).toHaveLength(5)
  })
})

test('A07: over all sign-ins a day holds so many guesses at the second factor; then the owner gets a long code', async () => {
  await start({ settings: { limits: { codesPerDay: 6, mailsPerRecipient: 1000 } } })
  for (let transaction = 1; transaction <= 2; transaction++) {
    const visitor = await atTheFactor()
    const { code } = await mailTo(idp, victim, challenge)
    for (let guess = 1; guess <= 3; guess++) await visitor.answers(wrongCode(code, guess))
    idp.clock.advance(minute)
  }
  const owner = await atTheFactor()
  const { code } = await mailTo(idp, victim, challenge)
  expect(code).toMatch(/^[0-9A-Z]{10}$/)
  expect((await owner.answers(code)).interactionCode).toBeDefined()
})

test('A16: the method choice sends nothing for the page, and leads past no factor', async () => {
  await start()
  await appWith(idp, { email_method_choice: true })
  const visitor = await visit(idp)
  await visitor.signsIn(victim, idp.person.password)
  expect(visitor.remediations[0]).toBe('authenticator-verification-data')
  for (const path of [
    'challenge/answer',
    'skip',
    'credential/enroll',
    'challenge/resend',
    'challenge/poll',
  ]) {
    const answer = await visitor.submits(path, { credentials: { passcode: '000000' } })
    expect(answer.interactionCode, path).toBeUndefined()
    expect(answer.remediations[0], path).toBe('authenticator-verification-data')
  }
  await idp.engine.delivery.idle()
  expect(idp.outbox.to(victim)).toHaveLength(0)
})

describe('A54, where the password and the mailbox are one factor', () => {
  test('A54: a password that was set by mail and a mailbox that is enrolled at sign-in are one factor', async () => {
    await start({ settings: { recovery: { countsAsOneFactor: true } } })
    const thief = await atTheCode(idp, victim)
    await thief.answers((await mailTo(idp, victim)).code)
    await thief.answers(newPassword)
    await enrolsEmail(idp)
    // The code of the recovery has proven the mailbox; a version of before would not have noted it.
    await idp.engine.storage.db.updateTable('people').set({ verified_email_key: null }).execute()
    idp.clock.advance(minute)
    const visitor = await visit(idp)
    await visitor.signsIn(victim, newPassword)
    await visitor.enrolls('okta_email')
    const answer = await visitor.answers((await mailTo(idp, victim, challenge)).code)
    expect(answer.interactionCode).toBeUndefined()
    expect(answer.messages).toEqual(['security.access_denied'])
  })

  test('A54: a mailbox that was never proven is no second factor where it has to be enrolled', async () => {
    await start()
    await enrolsEmail(idp)
    const visitor = await visit(idp)
    await visitor.signsIn(victim, idp.person.password)
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    const id = visitor.response.body.authenticators?.value.find(({ key }) => key === 'okta_email')?.id
    expect((await visitor.submits('challenge', { authenticator: { id } })).status).toBe(400)
    await idp.engine.delivery.idle()
    expect(idp.outbox.to(victim)).toHaveLength(0)
  })
})

describe('two addresses', () => {
  beforeEach(() => start())
  const rows = async () => {
    const { n } = await idp.engine.storage.db
      .selectFrom('outbox')
      .select((eb) => eb.fn.countAll().as('n'))
      .executeTakeFirstOrThrow()
    return Number(n)
  }

  test('A02: a recovery writes as many mails for a user with two, a user with one and an unknown user', async () => {
    await idp.people.add({ login: 'eve@example.com', password: newPassword })
    await verifiesSecond(idp, victim, second)
    const written = []
    for (const login of [victim, 'eve@example.com', 'nobody@example.com']) {
      const before = await rows()
      await atTheCode(idp, login)
      written.push((await rows()) - before)
    }
    expect(written).toEqual([2, 2, 2])
  })

  test('A05: before a proof nothing shows them, and nothing of the account where the name is no address', async () => {
    await idp.people.add({ login: 'eve77', email: 'eve@example.com', password: newPassword })
    await verifiesSecond(idp, victim, second)
    await verifiesSecond(idp, 'eve77', 'eve.second@example.net')
    for (const [login, unknown] of [
      [victim, 'nora@example.com'],
      ['eve77', 'nora77'],
    ] as const) {
      const [seen, other] = [await atTheCode(idp, login), await atTheCode(idp, unknown)]
      const profileOf = ({ response }: Visitor) => response.body.currentAuthenticatorEnrollment?.value.profile
      expect(Object.keys(profileOf(seen) ?? {})).toEqual(Object.keys(profileOf(other) ?? {}))
      expect(Object.keys(profileOf(seen) ?? {})).not.toContain('secondaryEmail')
    }
  })

  test('A38: an address that an administrator or a thief sets gets no code, and that of before no more', async () => {
    const id = await verifiesSecond(idp, victim, second)
    const visitor = await atTheCode(idp, victim)
    const { code } = await mailTo(idp, second, ['ForgotPassword'])
    await idp.engine.people.change(id, { profile: { secondEmail: 'thief@example.net' } })
    expect((await visitor.answers(code)).messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
    const before = idp.outbox.to(second).length
    await atTheCode(idp, victim)
    await idp.engine.delivery.idle()
    expect(idp.outbox.to('thief@example.net')).toEqual([])
    expect(idp.outbox.to(second)).toHaveLength(before)
  })

  test('A59: both are notified of a new password, and of a second address that takes the place of one', async () => {
    const id = await verifiesSecond(idp, victim, second)
    await idp.engine.people.change(id, { password: newPassword })
    for (const to of [victim, second]) await mailTo(idp, to, ['PasswordChanged'])
    idp.outbox.clear()
    await verifiesSecond(idp, victim, 'thief@example.net')
    for (const to of [victim, second]) await mailTo(idp, to, ['AuthenticatorEnrolled'])
  })
})
