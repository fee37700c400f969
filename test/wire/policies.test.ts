import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { handedOut } from '../support/management.ts'
import {
  answering,
  array,
  badRequest,
  credentials,
  end,
  form,
  identifier,
  longCodeField,
  message,
  newPasswordField,
  object,
  ownEmail,
  ownPassword,
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
  user,
  wrongCode,
} from './expected.ts'
import { expectState, type State } from './state.ts'
import { type Json, newVisitor, type Visitor, wrong } from './visitor.ts'

const mary = 'mary@example.com'
const newPassword = 'Lighthouse-Biscuit-77'
const signOn = [form('identify', 'identify', [identifier, credentials(passwordField), rememberMe])]
const withRecover = { currentAuthenticator: object({ ...password, recover }) }
const recovered = { recoveryAuthenticator: object(password) }

const notAllowed = message(
  'ERROR',
  'oie.selfservice.reset.password.not.allowed',
  'Reset password is not allowed at this time. Please contact support for assistance.',
)
const unknown = (typed: string) => ({
  ...message('INFO', 'idx.unknown.user', `There is no account with the Username ${typed}.`),
})
const named = async (visitor: Visitor, typed: string) => {
  await visitor.begins()
  return visitor.submits('identify', { identifier: typed })
}

const noRecovery: KitOptions = { settings: { policies: { password: { recovery: { authenticators: [] } } } } }
const notRecovered: readonly State[] = [
  {
    name: 'the first page offers no recovery',
    reach: (visitor) => visitor.begins(),
    status: 200,
    body: page(signOn),
  },
  {
    name: 'whoever asks for one all the same is told',
    reach: (visitor) => visitor.begins().then(() => visitor.submits('recover')),
    status: 403,
    body: page(signOn, { messages: array(notAllowed) }),
  },
]

const both = selection(ownPassword, ownEmail('m***y@example.com'))
const atThePassword = {
  ...both.members,
  currentAuthenticatorEnrollment: object(ownPassword),
  user: user(mary),
}
const notRecoveredAtThePassword: readonly State[] = [
  {
    name: 'the password offers no recovery',
    reach: (visitor) => named(visitor, mary).then(() => visitor.selects('okta_password')),
    status: 200,
    body: page([answering(passwordField), both.form], atThePassword),
  },
  {
    name: 'whoever asks for one all the same is told',
    async reach(visitor) {
      await named(visitor, mary)
      await visitor.selects('okta_password')
      return visitor.submits('recover')
    },
    status: 403,
    body: page([answering(passwordField), both.form], { ...atThePassword, messages: array(notAllowed) }),
  },
]

const revealing: readonly State[] = [
  {
    name: 'a recovery of nobody',
    reach: (visitor) => visitor.recovers('nobody@example.com'),
    status: 200,
    body: page([form('identify-recovery', 'identify', [identifier])], {
      ...recovered,
      messages: array(unknown('nobody@example.com')),
    }),
  },
  {
    name: 'a sign-in of nobody',
    reach: (visitor) => visitor.begins().then(() => visitor.signsIn('nobody@example.com', newPassword)),
    status: 200,
    body: page(signOn, { ...withRecover, messages: array(unknown('nobody@example.com')) }),
  },
]

const withSessions = [
  newPasswordField,
  { name: 'revokeSessions', type: 'boolean', label: 'Sign me out of all other devices' },
]
const enterNewPassword = (more: Json = {}) =>
  page([resetting(...withSessions)], {
    currentAuthenticator: object({ ...password, settings }),
    recoveryAuthenticator: object({ ...password, settings }),
    user: user(mary),
    ...more,
  })
const asksAboutSessions: readonly State[] = [
  {
    name: 'the new password, and whether to end other sessions',
    reach: (visitor) => visitor.atTheReset(),
    status: 200,
    body: enterNewPassword(),
  },
  {
    name: 'an answer that is neither yes nor no',
    async reach(visitor) {
      await visitor.atTheReset()
      const credentials = { passcode: newPassword, revokeSessions: 'yes' }
      return visitor.submits('challenge/answer', { credentials })
    },
    status: 400,
    body: enterNewPassword({ messages: array(badRequest) }),
  },
  {
    name: 'a yes',
    async reach(visitor) {
      await visitor.atTheReset()
      const credentials = { passcode: newPassword, revokeSessions: true }
      return visitor.submits('challenge/answer', { credentials })
    },
    status: 200,
    body: end(mary),
  },
]

const signsNobodyIn: readonly State[] = [
  {
    name: 'the end of a recovery',
    reach: (visitor) => visitor.atTheReset().then(() => visitor.answers(newPassword)),
    status: 200,
    body: terminal(
      message(
        'INFO',
        'idx.recovery.completed',
        'You can now sign in with your existing username and new password.',
      ),
    ),
  },
  {
    name: 'a poll after it',
    async reach(visitor) {
      await visitor.atTheReset()
      await visitor.answers(newPassword)
      return visitor.submits('challenge/poll')
    },
    status: 200,
    body: terminal(message('INFO', 'idx.transferred.to.new.tab', 'Flow continued in a new tab.')),
  },
]

const twoMethods: readonly State[] = [
  {
    name: 'a mailbox alone',
    reach: (visitor) => visitor.atTheReset(),
    status: 403,
    body: terminal(notAllowed),
  },
]

const tokenAndNothing: readonly State[] = [
  {
    name: 'a token that was handed out, which is the only way there is',
    reach: async (visitor, idp) => visitor.begins({ recovery_token: await handedOut(idp) }),
    status: 200,
    body: page([resetting(newPasswordField)], {
      currentAuthenticator: object({ ...password, settings }),
      recoveryAuthenticator: object({ ...password, settings }),
      user: user(mary),
    }),
  },
]

const only = selection(ownEmail('m***y@example.com'))
const enterLongCode = (field: Json = longCodeField) =>
  page([answering(field), only.form], {
    ...only.members,
    ...recovered,
    currentAuthenticatorEnrollment: object({
      ...ownEmail('m***y@example.com'),
      contextualData: { useEmailMagicLink: true },
      resend,
      poll,
    }),
    user: user(mary),
  })
const spends = async (visitor: Visitor) => {
  await visitor.atTheCode()
  const { code } = await visitor.mail(mary)
  for (let guess = 0; guess < 2; guess++) await visitor.answers(wrong(code))
}
const afterTheBudget: readonly State[] = [
  {
    name: 'the form asks for a long code',
    async reach(visitor) {
      await spends(visitor)
      return visitor.submits('challenge/resend')
    },
    status: 200,
    body: enterLongCode(),
  },
  {
    name: 'the long code, in small letters and groups, is right',
    async reach(visitor) {
      await spends(visitor)
      await visitor.submits('challenge/resend')
      const { code } = await visitor.mail(mary)
      expect(code).toMatch(/^[A-Z2-9]{10}$/)
      return visitor.answers(` ${code?.slice(0, 5).toLowerCase()}-${code?.slice(5)} `)
    },
    status: 200,
    body: page([resetting(newPasswordField)], {
      currentAuthenticator: object({ ...password, settings }),
      recoveryAuthenticator: object({ ...password, settings }),
      user: user(mary),
    }),
  },
  {
    name: 'a wrong long code',
    async reach(visitor) {
      await spends(visitor)
      await visitor.submits('challenge/resend')
      return visitor.answers('ABCDEFGHJK')
    },
    status: 401,
    body: enterLongCode(refused(longCodeField, wrongCode)),
  },
]

const oktaSettings = {
  complexity: {
    minLength: 8,
    minLowerCase: 1,
    minUpperCase: 1,
    minNumber: 1,
    minSymbol: 1,
    excludeUsername: true,
    excludeAttributes: [],
  },
  age: { minAgeMinutes: 0, historyCount: 4 },
}
const sentence =
  'Password requirements: at least 8 characters, a lowercase letter, an uppercase letter, a number, a symbol, no parts of your username. Your password cannot be any of your last 4 passwords.'
const oktaPreset: readonly State[] = [
  {
    name: 'the rules stand in the settings and in the message',
    reach: (visitor) => visitor.atTheReset().then(() => visitor.answers('lowercase only')),
    status: 400,
    body: page(
      [
        resetting(
          refused(
            newPasswordField,
            message(
              'ERROR',
              'password.passwordRequirementsNotMet',
              `Password requirements were not met. ${sentence}`,
              sentence,
            ),
          ),
        ),
      ],
      {
        currentAuthenticator: object({ ...password, settings: oktaSettings }),
        recoveryAuthenticator: object({ ...password, settings: oktaSettings }),
        user: user(mary),
      },
    ),
  },
]

const recovery = (options: NonNullable<NonNullable<KitOptions['settings']>['recovery']>): KitOptions => ({
  settings: { recovery: options },
})

const policies: readonly {
  readonly title: string
  readonly options: KitOptions
  readonly states: readonly State[]
}[] = [
  { title: 'where nobody may recover', options: noRecovery, states: notRecovered },
  {
    title: 'where nobody may recover, identifier first',
    options: { settings: { ...noRecovery.settings, signOn: { start: 'identifier' } } },
    states: notRecoveredAtThePassword,
  },
  { title: 'where it is told who is unknown', options: recovery({ revealUnknown: true }), states: revealing },
  {
    title: 'where ending sessions is offered',
    options: recovery({ offerRevokeSessions: true }),
    states: asksAboutSessions,
  },
  { title: 'where a recovery signs nobody in', options: recovery({ signIn: false }), states: signsNobodyIn },
  {
    title: 'where a second factor is required',
    options: recovery({ secondFactor: 'required' }),
    states: twoMethods,
  },
  {
    title: 'where a second factor is required and none is allowed',
    options: { settings: { ...noRecovery.settings, recovery: { secondFactor: 'required' } } },
    states: tokenAndNothing,
  },
  {
    title: 'once the budget of short codes is spent',
    options: { settings: { limits: { codesPerDay: 2 } } },
    states: afterTheBudget,
  },
  {
    title: 'with the rules of the okta preset',
    options: { settings: { policies: { password: { preset: 'okta' } } } },
    states: oktaPreset,
  },
]

describe.each(policies)('$title, each state is answered as its row says', ({ options, states }) => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({ ...options, settings: { ...options?.settings, signUp: { open: false } } })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  test.each(states)('$name', (state) => expectState(idp, state))
})

describe('who a person is, and what she may, is told to nobody but her', () => {
  const denied: readonly State[] = [
    {
      name: 'a suspended person learns so after her proof',
      async reach(visitor, idp) {
        await idp.people.add({ login: 'sam@example.com', status: 'SUSPENDED' })
        return visitor.atTheReset('sam@example.com')
      },
      status: 403,
      body: terminal(notAllowed),
    },
    {
      name: 'somebody who may not use the app learns so after her proof',
      async reach(visitor, idp) {
        await idp.engine.storage.db.deleteFrom('client_groups').execute()
        return visitor.atTheReset()
      },
      status: 400,
      body: terminal(
        message('ERROR', 'idx.error.user.not.assigned.to.app', 'User is not assigned to this application.'),
      ),
    },
  ]
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({ settings: { signUp: { open: false } } })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  test.each(denied)('$name', (state) => expectState(idp, state))
})

test('a "no" keeps other sessions, a "yes" ends them, and no answer ends them as well', async () => {
  const idp = await startEngine(recovery({ offerRevokeSessions: true }))
  for (const { answer, kept } of [
    { answer: { revokeSessions: false }, kept: true },
    { answer: { revokeSessions: true }, kept: false },
    { answer: {}, kept: false },
  ]) {
    await idp.reset()
    const elsewhere = newVisitor(idp)
    await elsewhere.begins()
    const tokens = await elsewhere.redeems(
      (await elsewhere.signsIn(mary, idp.person.password)).interactionCode,
    )

    const here = newVisitor(idp)
    await here.atTheReset()
    const done = await here.submits('challenge/answer', {
      credentials: { passcode: newPassword, ...answer },
    })

    expect(done.interactionCode).toBeDefined()
    const userinfo = await fetch(`${idp.issuer}/v1/userinfo`, {
      headers: { authorization: `Bearer ${tokens.body.access_token}` },
    })
    expect(userinfo.status, JSON.stringify(answer)).toBe(kept ? 200 : 401)
  }
  await idp.close()
})

test('after a reset by an administrator a new password ends the sessions, whatever the answer (F8)', async () => {
  const idp = await startEngine(recovery({ offerRevokeSessions: true }))
  const elsewhere = newVisitor(idp)
  await elsewhere.begins()
  const tokens = await elsewhere.redeems((await elsewhere.signsIn(mary, idp.person.password)).interactionCode)
  const userinfo = async () =>
    (
      await fetch(`${idp.issuer}/v1/userinfo`, {
        headers: { authorization: `Bearer ${tokens.body.access_token}` },
      })
    ).status

  const here = newVisitor(idp)
  await here.begins({ recovery_token: await handedOut(idp, '&revokeSessions=false') })
  expect(await userinfo()).toBe(200)
  const credentials = { passcode: newPassword, revokeSessions: false }
  const done = await here.submits('challenge/answer', { credentials })
  expect(done.interactionCode).toBeDefined()
  expect(await userinfo()).toBe(401)
  await idp.close()
})
