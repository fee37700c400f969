import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { handedOut } from '../support/management.ts'
import {
  answering,
  array,
  badRequest,
  blank,
  codeField,
  credentials,
  end,
  form,
  identifier,
  message,
  newPasswordField,
  object,
  over,
  ownEmail,
  page,
  password,
  passwordField,
  poll,
  recover,
  refused,
  rememberMe,
  resend,
  resetting,
  selection,
  settings,
  terminal,
  tooMany,
  user,
  wrongCode,
} from './expected.ts'
import { expectState, type State } from './state.ts'
import { ion, type Json, newVisitor, type Visitor, wrong } from './visitor.ts'

const mary = 'mary@example.com'
const newPassword = 'Lighthouse-Biscuit-77'

const choice = selection(ownEmail('m***y@example.com'))
const recovered = { recoveryAuthenticator: object(password) }

const firstPage = page([form('identify', 'identify', [identifier, credentials(passwordField), rememberMe])], {
  currentAuthenticator: object({ ...password, recover }),
})
const nameIt = (field: Json = identifier) => page([form('identify-recovery', 'identify', [field])], recovered)
const choose = page([choice.form], { ...choice.members, ...recovered, user: user(mary) })
const enterCode = (field: Json = codeField, more: Json = {}) =>
  page([answering(field), choice.form], {
    ...choice.members,
    ...recovered,
    currentAuthenticatorEnrollment: object({
      ...ownEmail('m***y@example.com'),
      contextualData: { useEmailMagicLink: true },
      resend,
      poll,
    }),
    user: user(mary),
    ...more,
  })

const enterNewPassword = (field: Json = newPasswordField) =>
  page([resetting(field)], {
    currentAuthenticator: object({ ...password, settings }),
    recoveryAuthenticator: object({ ...password, settings }),
    user: user(mary),
  })
const signedIn = end(mary)

const unmet = (text: string) =>
  message('ERROR', 'password.passwordRequirementsNotMet', `Password requirements were not met. ${text}`, text)
const rules =
  'Password requirements: at least 12 characters, no parts of your username, does not include your first name, does not include your last name. Your password cannot be your current password.'

async function wrongCodes(visitor: Visitor, times: number) {
  await visitor.atTheCode()
  const { code } = await visitor.mail(mary)
  for (let guess = 1; guess < times; guess++) await visitor.answers(wrong(code))
  return visitor.answers(wrong(code))
}

async function done(visitor: Visitor) {
  await visitor.atTheReset()
  return visitor.answers(newPassword)
}

const states: readonly State[] = [
  { name: 'the first page', reach: (visitor) => visitor.begins(), status: 200, body: firstPage },
  {
    name: 'asking whose password it is',
    async reach(visitor) {
      await visitor.begins()
      return visitor.submits('recover')
    },
    status: 200,
    body: nameIt(),
  },
  {
    name: 'asking again, because nobody was named',
    async reach(visitor) {
      await visitor.begins()
      await visitor.submits('recover')
      return visitor.submits('identify')
    },
    status: 400,
    body: nameIt(refused(identifier, blank)),
  },
  { name: 'the choice of a method', reach: (visitor) => visitor.recovers(), status: 200, body: choose },
  {
    name: 'the choice again, because something else was chosen',
    async reach(visitor) {
      await visitor.recovers()
      return visitor.submits('challenge', { authenticator: { id: 'autSomethingElse12345' } })
    },
    status: 400,
    body: { ...choose, messages: array(badRequest) },
  },
  { name: 'the code', reach: (visitor) => visitor.atTheCode(), status: 200, body: enterCode() },
  {
    name: 'the code, with the method named as well',
    async reach(visitor) {
      const { body } = await visitor.recovers()
      const id = body.authenticators?.value[0]?.id
      return visitor.submits('challenge', { authenticator: { id, methodType: 'email', key: 'okta_email' } })
    },
    status: 200,
    body: enterCode(),
  },
  {
    name: 'a wrong code',
    reach: (visitor) => wrongCodes(visitor, 1),
    status: 401,
    body: enterCode(refused(codeField, wrongCode)),
  },
  {
    name: 'no code',
    async reach(visitor) {
      await visitor.atTheCode()
      return visitor.submits('challenge/answer')
    },
    status: 400,
    body: enterCode(refused(codeField, blank)),
  },
  {
    name: 'the fifth wrong code',
    reach: (visitor) => wrongCodes(visitor, 5),
    status: 429,
    body: terminal(tooMany),
  },
  {
    name: 'an expired code',
    async reach(visitor, idp) {
      await visitor.atTheCode()
      const { code } = await visitor.mail(mary)
      idp.clock.advance('5m')
      return visitor.answers(code)
    },
    status: 401,
    body: enterCode(refused(codeField, wrongCode)),
  },
  {
    name: 'another mail',
    async reach(visitor) {
      await visitor.atTheCode()
      return visitor.submits('challenge/resend')
    },
    status: 200,
    body: enterCode(),
  },
  {
    name: 'one mail too many',
    async reach(visitor) {
      await visitor.atTheCode()
      for (let mail = 2; mail <= 5; mail++) await visitor.submits('challenge/resend')
      return visitor.submits('challenge/resend')
    },
    status: 429,
    body: enterCode(codeField, { messages: array(tooMany) }),
  },
  {
    name: 'a poll that still waits',
    async reach(visitor) {
      await visitor.atTheCode()
      return visitor.submits('challenge/poll')
    },
    status: 200,
    body: enterCode(),
  },
  {
    name: 'a poll after the code was given elsewhere',
    async reach(visitor) {
      await visitor.atTheReset()
      return visitor.submits('challenge/poll')
    },
    status: 200,
    body: enterNewPassword(),
  },
  {
    name: 'a poll after the end',
    async reach(visitor) {
      await done(visitor)
      return visitor.submits('challenge/poll')
    },
    status: 200,
    body: terminal(message('INFO', 'idx.transferred.to.new.tab', 'Flow continued in a new tab.')),
  },
  {
    name: 'the new password',
    reach: (visitor) => visitor.atTheReset(),
    status: 200,
    body: enterNewPassword(),
  },
  {
    name: 'no new password',
    async reach(visitor) {
      await visitor.atTheReset()
      return visitor.submits('challenge/answer')
    },
    status: 400,
    body: enterNewPassword(refused(newPasswordField, blank)),
  },
  {
    name: 'a new password that breaks the rules',
    async reach(visitor) {
      await visitor.atTheReset()
      return visitor.answers('short')
    },
    status: 400,
    body: enterNewPassword(refused(newPasswordField, unmet(rules))),
  },
  {
    name: 'the old password again',
    async reach(visitor, idp) {
      await visitor.atTheReset()
      return visitor.answers(idp.person.password)
    },
    status: 400,
    body: enterNewPassword(refused(newPasswordField, unmet(rules))),
  },
  {
    name: 'a new password that is too long',
    async reach(visitor) {
      await visitor.atTheReset()
      return visitor.answers('long'.repeat(65))
    },
    status: 400,
    body: enterNewPassword(
      refused(newPasswordField, unmet('Password requirements: at most 256 characters.')),
    ),
  },
  {
    name: 'a common password',
    async reach(visitor) {
      await visitor.atTheReset()
      return visitor.answers('passwordpassword')
    },
    status: 400,
    body: enterNewPassword(
      refused(
        newPasswordField,
        message(
          'ERROR',
          'password.common',
          'This password was found in a list of commonly used passwords. Please try another password.',
          '',
        ),
      ),
    ),
  },
  {
    name: 'the new password at once, with a token that was handed out',
    reach: async (visitor, idp) => visitor.begins({ recovery_token: await handedOut(idp) }),
    status: 200,
    body: enterNewPassword(),
  },
  {
    name: 'the end after a token',
    async reach(visitor, idp) {
      await visitor.begins({ recovery_token: await handedOut(idp) })
      return visitor.answers(newPassword)
    },
    status: 200,
    body: signedIn,
  },
  { name: 'the end', reach: done, status: 200, body: signedIn },
  {
    name: 'cancelled at the first page',
    async reach(visitor) {
      await visitor.begins()
      return visitor.cancels()
    },
    status: 200,
    body: firstPage,
  },
  {
    name: 'cancelled at the code',
    async reach(visitor) {
      await visitor.atTheCode()
      return visitor.cancels()
    },
    status: 200,
    body: firstPage,
  },
]

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ settings: { signUp: { open: false } } })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

describe('each state of a recovery is answered as its row says', () => {
  test.each(states)('$name', (state) => expectState(idp, state))
})

describe('nothing is on offer but what is shown', () => {
  const paths = ['identify', 'recover', 'challenge', 'challenge/answer', 'challenge/resend'] as const
  const atStage: readonly {
    readonly stage: string
    readonly reach: (visitor: Visitor) => Promise<unknown>
    readonly offered: readonly string[]
    readonly body: Json
  }[] = [
    {
      stage: 'the first page',
      reach: (visitor) => visitor.begins(),
      offered: ['identify', 'recover'],
      body: firstPage,
    },
    {
      stage: 'asking whose password it is',
      reach: (visitor) => visitor.begins().then(() => visitor.submits('recover')),
      offered: ['identify'],
      body: nameIt(),
    },
    {
      stage: 'the choice of a method',
      reach: (visitor) => visitor.recovers(),
      offered: ['challenge'],
      body: choose,
    },
    {
      stage: 'the code',
      reach: (visitor) => visitor.atTheCode(),
      offered: ['challenge', 'challenge/answer', 'challenge/resend'],
      body: enterCode(),
    },
    {
      stage: 'the new password',
      reach: (visitor) => visitor.atTheReset(),
      offered: ['challenge/answer'],
      body: enterNewPassword(),
    },
  ]
  const rows = atStage.flatMap(({ offered, ...rest }) =>
    paths.filter((path) => !offered.includes(path)).map((path) => ({ ...rest, path })),
  )

  test.each(rows)('$path at "$stage" is refused with the form that stands', async ({ reach, path, body }) => {
    await expectState(idp, {
      name: path,
      async reach(visitor) {
        await reach(visitor)
        const input = {
          identifier: mary,
          credentials: { passcode: newPassword },
          authenticator: { id: 'autSomethingElse12345' },
        }
        return visitor.submits(path, input)
      },
      status: 400,
      body: { ...body, messages: array(badRequest) },
    })
  })
})

describe('what is over says so, and only so', () => {
  const endings: readonly (readonly [name: string, reach: (visitor: Visitor) => Promise<unknown>])[] = [
    ['a cancelled transaction', (visitor) => visitor.atTheCode()],
    ['a finished transaction', done],
    ['a locked transaction', (visitor) => wrongCodes(visitor, 5)],
    ['an expired transaction', (visitor) => visitor.atTheCode()],
  ]

  test.each(endings)('%s', async (name, reach) => {
    const visitor = newVisitor(idp)
    await reach(visitor)
    const { stateHandle } = visitor
    if (name === 'a cancelled transaction') await visitor.cancels()
    if (name === 'an expired transaction') idp.clock.advance('30m')

    for (const path of [
      'identify',
      'recover',
      'challenge',
      'challenge/answer',
      'challenge/resend',
      'cancel',
    ]) {
      const { status, type, body } = await visitor.submits(path, { stateHandle })
      expect({ status, type, body }, path).toEqual({
        status: 401,
        type: ion,
        body: over,
      })
    }
    // The SDK reads a failed introspect only as plain JSON.
    for (const handle of ['stateHandle', 'stateToken']) {
      const { status, type, body } = await visitor.submits('introspect', {
        stateHandle: '',
        [handle]: stateHandle,
      })
      expect({ status, type, body }).toEqual({ status: 401, type: 'application/json', body: over })
    }
  })

  test('the interaction handle of a finished transaction leads nowhere', async () => {
    const visitor = newVisitor(idp)
    expect((await done(visitor)).interactionCode).toMatch(/^\w{43}$/)

    const { status, type, body } = await visitor.introspects()

    expect({ status, type, body }).toEqual({ status: 401, type: 'application/json', body: over })
  })
})
