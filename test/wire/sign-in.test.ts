import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import {
  answering,
  array,
  blank,
  codeField,
  credentials,
  end,
  form,
  identifier,
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
  tooMany,
  user,
  wrongCode,
  wrongPassword,
} from './expected.ts'
import { expectState, type State } from './state.ts'
import { type Json, newVisitor, type Visitor, wrong } from './visitor.ts'

const mary = 'mary@example.com'
const masked = 'm***y@example.com'
const right = 'Tangerine-Kettle-42'

/** The first page; `fields` are the credentials that it asks for. */
const firstPage = (fields: readonly Json[], more: Json = {}, name: Json = identifier) =>
  page([form('identify', 'identify', [name, ...fields, rememberMe])], more)
const withRecover = { currentAuthenticator: object({ ...password, recover }) }
const passwordFirst = (field: Json = passwordField, more: Json = {}, name: Json = identifier) =>
  firstPage([credentials(field)], { ...withRecover, ...more }, name)

/** The page that takes a mailed code: one of `choice`. */
const enterCode = (choice: ReturnType<typeof selection>, field: Json = codeField) =>
  page([answering(field), choice.form], {
    ...choice.members,
    currentAuthenticatorEnrollment: object({
      ...ownEmail(masked),
      contextualData: { useEmailMagicLink: true },
      resend,
      poll,
    }),
    user: user(mary),
  })

interface Setting {
  readonly title: string
  readonly signOn: { readonly start: 'password' | 'identifier'; readonly factors: '1FA' | '2FA' }
  readonly states: readonly State[]
}

const passwordIn1: readonly State[] = [
  { name: 'the first page', reach: (visitor) => visitor.begins(), status: 200, body: passwordFirst() },
  {
    name: 'the right password',
    reach: (visitor) => visitor.begins().then(() => visitor.signsIn(mary, right)),
    status: 200,
    body: end(mary),
  },
  {
    name: 'the right password, and the device to be remembered',
    async reach(visitor) {
      await visitor.begins()
      const input = { identifier: mary, credentials: { passcode: right }, rememberMe: true }
      return visitor.submits('identify', input)
    },
    status: 200,
    body: end(mary),
  },
  {
    name: 'a wrong password',
    reach: (visitor) => visitor.begins().then(() => visitor.signsIn(mary, 'not her password')),
    status: 401,
    body: passwordFirst(passwordField, { messages: array(wrongPassword) }),
  },
  {
    name: 'a password of nobody',
    reach: (visitor) => visitor.begins().then(() => visitor.signsIn('nobody@example.com', right)),
    status: 401,
    body: passwordFirst(passwordField, { messages: array(wrongPassword) }),
  },
  {
    name: 'no password',
    reach: (visitor) => visitor.begins().then(() => visitor.submits('identify', { identifier: mary })),
    status: 400,
    body: passwordFirst(refused(passwordField, blank)),
  },
  {
    name: 'no username',
    reach: (visitor) =>
      visitor.begins().then(() => visitor.submits('identify', { credentials: { passcode: right } })),
    status: 400,
    body: passwordFirst(passwordField, {}, refused(identifier, blank)),
  },
  {
    name: 'the fifth wrong password',
    async reach(visitor) {
      await visitor.begins()
      for (let guess = 1; guess < 5; guess++) await visitor.signsIn(mary, 'not her password')
      return visitor.signsIn(mary, 'not her password')
    },
    status: 429,
    body: terminal(tooMany),
  },
  {
    name: 'the right password of somebody whose password has expired',
    async reach(visitor, idp) {
      await idp.people.add({ login: 'eve@example.com', password: right, status: 'PASSWORD_EXPIRED' })
      await visitor.begins()
      return visitor.signsIn('eve@example.com', right)
    },
    status: 200,
    body: page([{ ...resetting(newPasswordField), name: 'reenroll-authenticator' }], {
      currentAuthenticator: object({ ...password, settings }),
      recoveryAuthenticator: object({ ...password, settings }),
      enrollmentAuthenticator: object({ ...password, settings }),
      user: user('eve@example.com'),
    }),
  },
  {
    name: 'the right password of somebody who may not use the app',
    async reach(visitor, idp) {
      await idp.engine.storage.db.deleteFrom('client_groups').execute()
      await visitor.begins()
      return visitor.signsIn(mary, right)
    },
    status: 400,
    body: passwordFirst(passwordField, {
      messages: array(
        message('ERROR', 'idx.error.user.not.assigned.to.app', 'User is not assigned to this application.'),
      ),
    }),
  },
  {
    name: 'the right password at the org authorization server',
    reach: (visitor) => visitor.begins().then(() => visitor.signsIn(mary, right)),
    status: 200,
    body: end(mary, { server: '' }),
    as: { server: 'org' },
  },
  {
    name: 'the right password in a public client',
    reach: (visitor) => visitor.begins().then(() => visitor.signsIn(mary, right)),
    status: 200,
    body: {
      ...end(mary, { client: 'rekey-public' }),
      app: object({ name: 'oidc_client', label: 'Sample Browser App', id: 'rekey-public' }),
    },
    as: { client: 'rekey-public' },
  },
]

const both = selection(ownPassword, ownEmail(masked))
const enterPassword = (field: Json = passwordField, more: Json = {}) =>
  page([answering(field), both.form], {
    ...both.members,
    currentAuthenticatorEnrollment: object({ ...ownPassword, recover }),
    user: user(mary),
    ...more,
  })
const names = async (visitor: Visitor) => {
  await visitor.begins()
  return visitor.submits('identify', { identifier: mary })
}
const atThePassword = async (visitor: Visitor) => {
  await names(visitor)
  return visitor.selects('okta_password')
}

const identifierIn1: readonly State[] = [
  { name: 'the first page', reach: (visitor) => visitor.begins(), status: 200, body: firstPage([]) },
  {
    name: 'the choice of a method',
    reach: names,
    status: 200,
    body: page([both.form], { ...both.members, user: user(mary) }),
  },
  { name: 'the password', reach: atThePassword, status: 200, body: enterPassword() },
  {
    name: 'the right password',
    reach: (visitor) => atThePassword(visitor).then(() => visitor.answers(right)),
    status: 200,
    body: end(mary),
  },
  {
    name: 'a wrong password',
    reach: (visitor) => atThePassword(visitor).then(() => visitor.answers('not her password')),
    status: 401,
    body: enterPassword(passwordField, { messages: array(wrongPassword) }),
  },
  {
    name: 'no password',
    reach: (visitor) => atThePassword(visitor).then(() => visitor.submits('challenge/answer')),
    status: 400,
    body: enterPassword(refused(passwordField, blank)),
  },
  {
    name: 'a poll at the password',
    reach: (visitor) => atThePassword(visitor).then(() => visitor.submits('challenge/poll')),
    status: 200,
    body: enterPassword(),
  },
  {
    name: 'a code by mail in place of the password',
    reach: (visitor) => atThePassword(visitor).then(() => visitor.selects('okta_email')),
    status: 200,
    body: enterCode(both),
  },
  {
    name: 'a wrong code',
    async reach(visitor) {
      await names(visitor)
      await visitor.selects('okta_email')
      const { code } = await visitor.mail(mary)
      return visitor.answers(wrong(code))
    },
    status: 401,
    body: enterCode(both, refused(codeField, wrongCode)),
  },
  {
    name: 'the right code',
    async reach(visitor) {
      await names(visitor)
      await visitor.selects('okta_email')
      const { code } = await visitor.mail(mary)
      return visitor.answers(code)
    },
    status: 200,
    body: end(mary),
  },
  {
    name: 'a forgotten password, at the password',
    reach: (visitor) => atThePassword(visitor).then(() => visitor.submits('recover')),
    status: 200,
    body: page([selection(ownEmail(masked)).form], {
      ...selection(ownEmail(masked)).members,
      recoveryAuthenticator: object(password),
      user: user(mary),
    }),
  },
  {
    name: 'a forgotten password, at the first page, where it is not on offer',
    reach: (visitor) => visitor.begins().then(() => visitor.submits('recover')),
    status: 400,
    body: firstPage([], { messages: array(message('ERROR', 'E0000020', 'Bad request.')) }),
  },
]

const second = selection(ownEmail(masked))
const passwordIn2: readonly State[] = [
  {
    name: 'the choice of a second factor',
    reach: (visitor) => visitor.begins().then(() => visitor.signsIn(mary, right)),
    status: 200,
    body: page([second.form], { ...second.members, user: user(mary) }),
  },
  {
    name: 'the code',
    async reach(visitor) {
      await visitor.begins()
      await visitor.signsIn(mary, right)
      return visitor.selects('okta_email')
    },
    status: 200,
    body: enterCode(second),
  },
  {
    name: 'both factors',
    async reach(visitor) {
      await visitor.begins()
      await visitor.signsIn(mary, right)
      await visitor.selects('okta_email')
      const { code } = await visitor.mail(mary)
      return visitor.answers(code)
    },
    status: 200,
    body: end(mary),
  },
  {
    name: 'a recovery, which proves the mailbox alone',
    async reach(visitor) {
      await visitor.atTheReset(mary)
      return visitor.answers('Lighthouse-Biscuit-77')
    },
    status: 200,
    body: terminal(
      message(
        'INFO',
        'idx.recovery.completed',
        'You can now sign in with your existing username and new password.',
      ),
    ),
  },
]

const sets: readonly Setting[] = [
  { title: 'password first', signOn: { start: 'password', factors: '1FA' }, states: passwordIn1 },
  { title: 'identifier first', signOn: { start: 'identifier', factors: '1FA' }, states: identifierIn1 },
  { title: 'password and email', signOn: { start: 'password', factors: '2FA' }, states: passwordIn2 },
]

describe.each(sets)('$title: each state of a sign-in is answered as its row says', ({ signOn, states }) => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({ settings: { signOn, signUp: { open: false } } })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  test.each(states)('$name', (state) => expectState(idp, state))
})

describe('an interaction code', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({ settings: { signUp: { open: false } } })
  })
  afterAll(() => idp.close())

  test('is worth nothing to another client and tokens to the one that asked', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    const code = (await visitor.signsIn(mary, right)).interactionCode

    const other = await visitor.redeems(code, idp.publicClientId)
    expect(other).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    const own = await visitor.redeems(code)
    expect(own).toMatchObject({ status: 200, body: { token_type: 'Bearer' } })
    expect(own.body).not.toHaveProperty('state')
  })
})
