import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authenticatorId } from '../../src/flow/index.ts'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { exampleAuthenticator, exampleCode } from '../support/example-authenticator.ts'
import { apiOf } from '../support/management.ts'
import {
  answering,
  codeField,
  form,
  identifier,
  masked,
  message,
  object,
  ownEmail,
  page,
  poll,
  resend,
  selection,
  user,
} from './expected.ts'
import { changeRule, enrollsApp } from './recovery-rules.ts'
import { codeAt } from './totp.ts'
import { type Answer, type Json, newVisitor, type Visitor, wrong } from './visitor.ts'

const mary = 'mary@example.com'
const emailId = authenticatorId('okta_email')
const withUnlock = (more: object = {}): KitOptions => ({
  settings: {
    policies: { password: { recovery: { unlock: true }, lockout: { maxAttempts: 3 } } },
    ...more,
  },
})

let idp: Kit
beforeAll(async () => {
  idp = await startEngine(withUnlock())
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const statusOf = async (kit = idp, login = kit.person.login) =>
  (await apiOf(kit)('GET', `/users/${login}`)).body.status
const eventsOf = async (eventType: string, kit = idp) =>
  (await kit.events()).filter((event) => event.eventType === eventType)

/** Wrong passwords until the policy locks the account. */
async function lock(kit = idp, times = 3): Promise<void> {
  for (let guess = 0; guess < times; guess++) {
    const visitor = newVisitor(kit)
    await visitor.begins()
    await visitor.signsIn(kit.person.login, `not it ${guess}`)
  }
}

/** Up to the page that takes the code. */
async function asks(
  kit = idp,
  login = mary,
  choice: Json = { id: emailId, methodType: 'email' },
): Promise<Visitor> {
  const visitor = newVisitor(kit)
  await visitor.begins()
  await visitor.submits('unlock-account')
  await visitor.submits('challenge', { identifier: login, authenticator: choice })
  return visitor
}

async function unlocks(kit = idp): Promise<Visitor> {
  await lock(kit)
  const visitor = await asks(kit)
  const { code } = await visitor.mail(mary, 'SelfServiceUnlock')
  await visitor.answers(code)
  return visitor
}

const signsIn = async (kit = idp) => {
  const visitor = newVisitor(kit)
  await visitor.begins()
  return (await visitor.signsIn(kit.person.login, kit.person.password)).interactionCode !== undefined
}

const choice = selection(ownEmail('m***y@example.com'))
const offer = form('unlock-account', 'unlock-account')
const unnamed = selection(ownEmail())
const theForm = form('select-authenticator-unlock-account', 'challenge', [
  identifier,
  (choice.form.value as Json[])[0] as Json,
])
const done = message(
  'INFO',
  'oie.selfservice.unlock_user.success.message',
  'Your account is now unlocked! You can log in using your existing username and password.',
)

describe('the way to unlock an account', () => {
  test('is a form of the first page, with nothing but the state handle', async () => {
    const visitor = newVisitor(idp)
    const { body } = await visitor.begins()
    expect(visitor.remediations).toEqual(['identify', 'select-enroll-profile', 'unlock-account'])
    expect(masked(idp, body).remediation).toMatchObject({ value: [{}, {}, offer] })
  })

  test('is on no first page where no policy allows it', async () => {
    const own = await startEngine()
    const visitor = newVisitor(own)
    await visitor.begins()
    expect(visitor.remediations).toEqual(['identify', 'select-enroll-profile'])
    expect((await visitor.submits('unlock-account')).status).toBe(400)
    await own.close()
  })

  test('asks for name and authenticator in one form, by what the policy allows', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    const { body } = await visitor.submits('unlock-account')
    expect(masked(idp, body)).toStrictEqual(page([theForm], unnamed.members))
  })

  test('sends at once, and the page that takes the code lists the same options', async () => {
    await lock()
    const visitor = await asks()
    expect(visitor.response.status).toBe(200)
    expect(masked(idp, visitor.response.body)).toStrictEqual(
      page([answering(codeField), choice.form], {
        ...choice.members,
        currentAuthenticatorEnrollment: object({
          ...ownEmail('m***y@example.com'),
          contextualData: { useEmailMagicLink: true },
          resend,
          poll,
        }),
        user: user(mary),
      }),
    )
  })
})

describe('the code of the mail', () => {
  test('opens the account: the old password is good again, and all attempts are there', async () => {
    const visitor = await unlocks()
    expect(visitor.response.status).toBe(200)
    expect(visitor.response.body.messages?.value).toEqual([done])
    expect(Object.keys(visitor.response.body).toSorted()).toEqual(
      ['expiresAt', 'intent', 'messages', 'stateHandle', 'version'].toSorted(),
    )
    expect(await statusOf()).toBe('ACTIVE')
    await lock(idp, 2)
    expect(await statusOf()).toBe('ACTIVE')
    expect(await signsIn()).toBe(true)
  })

  test('begins no session, and is recorded: begun, done, with a notice to the address', async () => {
    await unlocks()
    await idp.engine.delivery.idle()
    expect(idp.outbox.latest({ to: mary })?.template).toBe('AccountUnlocked')
    const { text, subject } = idp.outbox.latest({ to: mary }) ?? {}
    expect(subject).toBe('Your account was unlocked')
    expect(text).toContain('Your password is the same as before.')
    const unlocked = await eventsOf('user.account.unlock')
    expect(unlocked.map(({ outcome }) => outcome.result)).toEqual(['SUCCESS', 'CHALLENGE'])
    expect(await eventsOf('user.session.start')).toEqual([])
    expect((await eventsOf('system.email.account_unlock.sent_message')).length).toBe(1)
  })

  test('is typed in elsewhere as well: the page that waits learns it by its poll', async () => {
    await lock()
    const visitor = await asks()
    const { code } = await visitor.mail(mary, 'SelfServiceUnlock')
    const other = newVisitor(idp)
    await other.submits('challenge/answer', {
      stateHandle: visitor.stateHandle,
      credentials: { passcode: code },
    })
    const { status, body } = await visitor.polls()
    expect([status, body.messages?.value]).toEqual([200, [done]])
  })

  test('stands behind a link, which leads to the app', async () => {
    await lock()
    const visitor = await asks()
    const { code, link, html } = await visitor.mail(mary, 'SelfServiceUnlock')
    expect(html).toContain('id="unlock-account-link"')
    const { headers, status } = await fetch(link ?? '', { redirect: 'manual' })
    expect(status).toBe(302)
    expect(headers.get('location')).toBe(`${idp.redirectUri}?otp=${code}&state=the+state+of+the+app`)
  })

  test('is wrong five times at most', async () => {
    await lock()
    const visitor = await asks()
    const { code } = await visitor.mail(mary, 'SelfServiceUnlock')
    for (let guess = 1; guess < 5; guess++) expect((await visitor.answers(wrong(code))).status).toBe(401)
    expect((await visitor.answers(wrong(code))).status).toBe(429)
    expect((await visitor.answers(code)).status).toBe(401)
    expect(await statusOf()).toBe('LOCKED_OUT')
  })
})

describe('a mail goes', () => {
  test('to a locked account alone: not to one that is open, suspended or unknown', async () => {
    await idp.people.add({ login: 'sus@example.com', status: 'SUSPENDED' })
    for (const login of [mary, 'sus@example.com', 'nobody@example.com']) {
      const visitor = await asks(idp, login)
      expect(visitor.remediations).toEqual(['challenge-authenticator', 'select-authenticator-authenticate'])
      expect((await visitor.resends()).status).toBe(200)
    }
    await idp.engine.delivery.idle()
    expect(idp.outbox.all()).toEqual([])
    await lock()
    const visitor = await asks()
    expect((await visitor.mail(mary)).template).toBe('SelfServiceUnlock')
    await visitor.resends()
    expect((await visitor.mail(mary)).template).toBe('SelfServiceUnlock')
  })
})

describe('bodies of clients', () => {
  test('without a method: the first one', async () => {
    await lock()
    const visitor = await asks(idp, mary, { id: emailId })
    expect(visitor.remediations[0]).toBe('challenge-authenticator')
  })

  test.each([
    ['a key in place of the choice', { identifier: mary, authenticator: 'okta_email' }, 'E0000020'],
    ['an authenticator that is not offered', { identifier: mary, authenticator: { id: 'aut0' } }, 'E0000020'],
    [
      'a method of another authenticator',
      { identifier: mary, authenticator: { id: emailId, methodType: 'sms' } },
      'E0000020',
    ],
    ['no name', { authenticator: { id: emailId } }, 'model.validation.field.blank'],
    ['nothing', {}, 'model.validation.field.blank'],
    ['a list of names', { identifier: [mary], authenticator: { id: emailId } }, 'E0000020'],
  ])('%s: 400, and the form comes back', async (_, body, key) => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.submits('unlock-account')
    const { status } = await visitor.submits('challenge', body)
    expect([status, visitor.messages, visitor.remediations]).toEqual([
      400,
      [key],
      ['select-authenticator-unlock-account'],
    ])
  })

  test('a budget of mails that is spent names no user: the form comes back', async () => {
    await lock()
    let last: Answer | undefined
    for (let mail = 0; mail < 30 && last?.status !== 429; mail++) last = (await asks()).response
    expect([last?.status, last?.remediations]).toEqual([429, ['select-authenticator-unlock-account']])
  })
})

describe('only after the right code it is said', () => {
  test('that the policy of the user does not allow it', async () => {
    await lock()
    const api = apiOf(idp)
    const { body: group } = await api('POST', '/groups', { profile: { name: 'Not alone' } })
    const { body: person } = await api('GET', `/users/${mary}`)
    await api('PUT', `/groups/${group.id}/users/${person.id}`)
    const conditions = { people: { groups: { include: [group.id] } } }
    const { body: policy } = await api('POST', '/policies', { type: 'PASSWORD', name: 'Strict', conditions })
    const rule = await api('POST', `/policies/${policy.id}/rules`, {
      type: 'PASSWORD',
      name: 'No unlock',
      actions: {
        selfServicePasswordReset: { access: 'ALLOW', requirement: { primary: { methods: ['email'] } } },
        selfServiceUnlock: { access: 'DENY' },
      },
    })
    expect(rule.status).toBe(200)
    const visitor = await asks()
    const { code } = await visitor.mail(mary, 'SelfServiceUnlock')
    const { status } = await visitor.answers(code)
    expect([status, visitor.messages]).toEqual([400, ['oie.selfservice.user.unlock.not.allowed']])
    expect(visitor.remediations).toEqual(['identify', 'select-enroll-profile', 'unlock-account'])
    expect(await statusOf()).toBe('LOCKED_OUT')
  })

  test('that the account was suspended meanwhile', async () => {
    await lock()
    const visitor = await asks()
    const { code } = await visitor.mail(mary, 'SelfServiceUnlock')
    await apiOf(idp)('POST', `/users/${mary}/lifecycle/unlock`)
    expect((await apiOf(idp)('POST', `/users/${mary}/lifecycle/suspend`)).status).toBe(200)
    await visitor.answers(code)
    // What was ended from outside is answered as about an unknown user (A86).
    expect([visitor.response.status, visitor.messages]).toEqual([401, ['api.authn.error.PASSCODE_INVALID']])
    expect(await statusOf()).toBe('SUSPENDED')
  })
})

describe('a rule that asks for two proofs', () => {
  test('asks for the second one, and refuses a user who has none', async () => {
    const own = await startEngine(withUnlock({ recovery: { secondFactor: 'required' } }))
    const alone = await unlocks(own)
    expect([alone.response.status, alone.messages]).toEqual([
      403,
      ['oie.selfservice.unlock_user.challenge.failed.permissions'],
    ])
    expect(await statusOf(own)).toBe('LOCKED_OUT')
    await own.close()
  })

  test('takes an authenticator app on top', async () => {
    const own = await startEngine(withUnlock())
    const secret = await enrollsApp(own)
    await changeRule(own, (actions) => ({
      ...actions,
      selfServicePasswordReset: {
        access: 'ALLOW',
        requirement: { primary: { methods: ['email'] }, stepUp: { required: true, methods: ['otp'] } },
      },
    }))
    const visitor = await unlocks(own)
    expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
    expect(await statusOf(own)).toBe('LOCKED_OUT')
    await visitor.selects('google_otp')
    await visitor.answers(codeAt(secret, own.clock.now(), 1))
    expect(visitor.messages).toEqual(['oie.selfservice.unlock_user.success.message'])
    expect(await statusOf(own)).toBe('ACTIVE')
    await own.close()
  })
})

test('an unlock that goes on to the app asks for a proof of the sign-in, and begins no session by itself', async () => {
  const own = await startEngine(withUnlock({ recovery: { unlockContinues: true } }))
  const visitor = await unlocks(own)
  expect(visitor.messages).toEqual(['oie.selfservice.unlock_user.landing.to.app.success.message'])
  expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
  expect(await statusOf(own)).toBe('ACTIVE')
  await visitor.selects('okta_password')
  expect((await visitor.answers(own.person.password)).interactionCode).toEqual(expect.any(String))
  await own.close()
})

test('a text message: only the methods of the rule, the first one where none was sent', async () => {
  const own = await startEngine({
    ...withUnlock(),
    authenticators: [{ ...exampleAuthenticator, recovers: true, initialStatus: 'ACTIVE' }],
  })
  await changeRule(own, (actions) => ({
    ...actions,
    selfServicePasswordReset: {
      access: 'ALLOW',
      requirement: { primary: { methods: ['email', 'voice'] }, stepUp: { required: false } },
    },
  }))
  const visitor = newVisitor(own)
  await visitor.begins()
  const { body } = await visitor.submits('unlock-account')
  const phone = authenticatorId('example_phone')
  expect(body.authenticators?.value[1]).toMatchObject({ id: phone, methods: [{ type: 'voice' }] })
  expect(body.authenticatorEnrollments).toMatchObject({ value: [{}, { methods: [{ type: 'voice' }] }] })
  const refused = await visitor.submits('challenge', {
    identifier: mary,
    authenticator: { id: phone, methodType: 'sms' },
  })
  expect(refused.status).toBe(400)
  await visitor.submits('challenge', { identifier: mary, authenticator: { id: phone } })
  expect(visitor.remediations[0]).toBe('challenge-authenticator')
  expect(visitor.response.body.currentAuthenticatorEnrollment).toMatchObject({
    value: { methods: [{ type: 'voice' }] },
  })
  await visitor.answers(exampleCode)
  expect(visitor.messages).toEqual(['oie.selfservice.unlock_user.success.message'])
  await own.close()
})
