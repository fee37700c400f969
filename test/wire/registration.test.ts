import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import {
  changeSignUp,
  claimsOf,
  codeMail,
  fillsIn,
  messagesInFields,
  offeredToEnrol,
  openSignUp,
  passwordInForm,
  toTheForm,
  unverified,
} from '../support/sign-up.ts'
import { enrollmentPolicy } from './totp.ts'
import { newVisitor, type Visitor, wrong } from './visitor.ts'

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const mary = { email: 'mary@example.com', firstName: 'Not', lastName: 'Mary' }
const password = 'Marmalade-Harbour-31'

let idp: Kit
let api: Api
beforeAll(async () => {
  idp = await startEngine(openSignUp())
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const atTheForm = (kit = idp): Promise<Visitor> => toTheForm(newVisitor(kit))
const atTheCode = (userProfile: object = nina, kit = idp): Promise<Visitor> =>
  fillsIn(newVisitor(kit), userProfile)

/** With the mailbox proven. */
async function made(userProfile = nina): Promise<Visitor> {
  const visitor = await atTheCode(userProfile)
  await visitor.answers((await visitor.mail(userProfile.email, codeMail)).code)
  return visitor
}

const userOf = async (login: string, kit = idp) => apiOf(kit)('GET', `/users/${login}`)
const templates = async (to: string) => {
  await idp.engine.delivery.idle()
  return idp.outbox
    .all()
    .filter((mail) => mail.to === to)
    .map((mail) => mail.template)
    .toReversed()
}

describe('a visitor without an account', () => {
  test('signs up with a code from the mail and a password', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    expect(visitor.remediations).toEqual(['identify', 'select-enroll-profile'])
    await visitor.submits('enroll')
    expect(visitor.remediations).toEqual(['enroll-profile', 'select-identify'])
    await visitor.submits('enroll/new', { userProfile: nina })
    expect(visitor.remediations).toEqual(['enroll-authenticator', 'select-authenticator-enroll'])
    await visitor.answers((await visitor.mail(nina.email, codeMail)).code)
    expect([visitor.remediations, offeredToEnrol(visitor)]).toEqual([
      ['select-authenticator-enroll'],
      ['Password'],
    ])
    const { body: between } = await userOf(nina.email)
    expect(between.status).toBe('PROVISIONED')
    await visitor.enrolls('okta_password')
    await visitor.answers(password)

    const claims = await claimsOf(visitor)
    expect(claims).toMatchObject({ email: nina.email, email_verified: true })
    expect(new Set(claims.amr as string[])).toEqual(new Set(['otp', 'pwd', 'mfa']))
    const { body } = await userOf(nina.email)
    expect(body).toMatchObject({ id: between.id, status: 'ACTIVE', profile: { ...nina, login: nina.email } })
    expect(await templates(nina.email)).toEqual([codeMail, 'Welcome'])
    const events = (await idp.events()).filter(({ actor }) => actor?.id === body.id)
    const types = events.map(({ eventType }) => eventType)
    expect(types.filter((type) => type.startsWith('user.lifecycle.'))).toEqual([
      'user.lifecycle.activate',
      'user.lifecycle.create',
    ])
    const again = newVisitor(idp)
    await again.signsIn(nina.email, password)
    expect(again.response.interactionCode).toBeDefined()
  })

  test('finds the offer again after a wrong password, and goes back from the form', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn('mary@example.com', 'not it')
    expect(visitor.remediations).toContain('select-enroll-profile')
    await visitor.submits('enroll')
    await visitor.submits('identify/select')
    expect(visitor.remediations).toEqual(['identify', 'select-enroll-profile'])
    await visitor.signsIn('mary@example.com', idp.person.password)
    expect(visitor.response.interactionCode).toBeDefined()
  })

  test('may ask for the form twice, and after an answer that was refused', async () => {
    const visitor = await atTheForm()
    const form = (await visitor.submits('enroll')).body.remediation
    expect((await visitor.submits('enroll/new')).status).toBe(400)
    expect((await visitor.submits('enroll')).body.remediation).toEqual(form)
    await visitor.submits('enroll/new', { userProfile: nina })
    expect(visitor.remediations[0]).toBe('enroll-authenticator')
  })

  test('is offered nothing where sign-up is closed', async () => {
    const closed = await startEngine({ settings: { signUp: { open: false } } })
    const visitor = newVisitor(closed)
    await visitor.begins()
    expect(visitor.remediations).toEqual(['identify'])
    expect((await visitor.submits('enroll')).status).toBe(400)
    expect(visitor.remediations).toEqual(['identify'])
    await closed.close()
  })

  test('reads that it was closed meanwhile, on the first page', async () => {
    const visitor = await atTheForm()
    await changeSignUp(idp, { unknownUserAction: 'DENY' })
    await visitor.submits('enroll/new', { userProfile: nina })
    expect([visitor.messages, visitor.remediations]).toEqual([
      ['idx.error.registration.unavailable'],
      ['identify'],
    ])
  })

  test('reads the same with a code or a password that it has in hand, and no account is made', async () => {
    const wasClosed = async (visitor: Visitor, answer: string) => {
      await visitor.answers(answer)
      expect([visitor.response.status, visitor.messages, visitor.remediations]).toEqual([
        403,
        ['idx.error.registration.unavailable'],
        ['identify'],
      ])
      const found = await apiOf(idp)('GET', `/users/${nina.email}`)
      expect(found.status).toBe(404)
    }
    for (const closing of [{ access: 'DENY' }, { unknownUserAction: 'DENY' }]) {
      await idp.reset()
      const visitor = await atTheForm()
      await visitor.submits('enroll/new', { userProfile: nina })
      const { code } = await visitor.mail(nina.email)
      await changeSignUp(idp, closing)
      await wasClosed(visitor, code ?? '')
      await idp.reset()
      await changeSignUp(idp, unverified)
      const other = await atTheForm()
      await other.submits('enroll/new', { userProfile: nina })
      await other.enrolls('okta_password')
      await changeSignUp(idp, closing)
      await wasClosed(other, 'Marmalade-Harbour-31')
    }
  })

  test('is not led into sign-up by a name that no user has', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    const known = await visitor.signsIn('mary@example.com', 'not it')
    const other = newVisitor(idp)
    await other.begins()
    const unknown = await other.signsIn('mark@example.com', 'not it')
    expect([unknown.status, other.remediations]).toEqual([known.status, visitor.remediations])
  })
})

describe('the form', () => {
  test('has the fields of the policy, in the shape of the protocol', async () => {
    const { response } = await atTheForm()
    expect(response.body.remediation?.value[0]?.value?.[0]).toEqual({
      name: 'userProfile',
      form: {
        value: [
          { name: 'email', label: 'Email', required: true },
          { name: 'firstName', label: 'First name', required: true, minLength: 1, maxLength: 50 },
          { name: 'lastName', label: 'Last name', required: true, minLength: 1, maxLength: 50 },
        ],
      },
    })
  })

  test.each([
    ['no address', { email: 'nina' }, ['invalidLoginEmail', 'doesNotMatchPattern'], 'email'],
    ['a name that is too long', { firstName: 'N'.repeat(51) }, ['tooLong'], 'firstName'],
  ])('says what is wrong in its field: %s', async (_, change, keys, field) => {
    const { response } = await atTheCode({ ...nina, ...change })
    expect(response.status).toBe(400)
    expect(messagesInFields(response)).toEqual({
      [`userProfile.${field}`]: keys.map((key) => `registration.error.${key}`),
    })
  })

  test('takes no markup, and nothing that it did not ask for', async () => {
    const { response } = await atTheCode({ ...nina, firstName: '<b>Nina</b>' })
    expect(messagesInFields(response)).toEqual({ 'userProfile.firstName': ['tagsNotAllowed'] })
    const visitor = await atTheCode({ ...nina, title: 'CEO', groups: ['Admins'], status: 'ACTIVE' })
    await visitor.answers((await visitor.mail(nina.email, codeMail)).code)
    const { body } = await userOf(nina.email)
    expect(body).toMatchObject({ status: 'PROVISIONED', profile: nina })
    expect(body.profile).not.toHaveProperty('title')
    expect((await api('GET', `/users/${body.id}/groups`)).list).toHaveLength(1)
  })

  test('asks for the password, too, where the policy says so; what is wrong with both is said at once', async () => {
    await changeSignUp(idp, passwordInForm)
    const visitor = await atTheForm()
    const { remediation, currentAuthenticator } = visitor.response.body
    expect(remediation?.value[0]?.value?.[1]).toMatchObject({
      name: 'credentials',
      required: true,
      relatesTo: '$.currentAuthenticator',
    })
    expect(currentAuthenticator).toMatchObject({ value: { type: 'password', settings: { complexity: {} } } })
    const both = { userProfile: { ...nina, email: 'nina' }, credentials: { passcode: 'short' } }
    expect(messagesInFields(await visitor.submits('enroll/new', both))).toEqual({
      'userProfile.email': ['registration.error.invalidLoginEmail', 'registration.error.doesNotMatchPattern'],
      'credentials.passcode': ['password.passwordRequirementsNotMet'],
    })
    expect((await userOf(nina.email)).status).toBe(404)

    await visitor.submits('enroll/new', { userProfile: nina, credentials: { passcode: password } })
    expect((await userOf(nina.email)).status).toBe(404)
    await visitor.answers((await visitor.mail(nina.email, codeMail)).code)
    expect((await visitor.redeems()).status).toBe(200)
    const again = newVisitor(idp)
    await again.signsIn(nina.email, password)
    expect(again.response.interactionCode).toBeDefined()
  })
})

describe('what is enrolled', () => {
  test('optional authenticators may be skipped, the password among them: an account without one', async () => {
    await enrollmentPolicy(idp, { okta_email: 'REQUIRED', okta_password: 'OPTIONAL', google_otp: 'OPTIONAL' })
    const visitor = await made()
    expect(visitor.remediations).toEqual(['select-authenticator-enroll', 'skip'])
    expect(offeredToEnrol(visitor)).toEqual(['Password', 'Google Authenticator'])
    await visitor.submits('skip')
    expect((await visitor.redeems()).status).toBe(200)
    expect((await userOf(nina.email)).body.status).toBe('ACTIVE')
    expect((await idp.events()).map(({ eventType }) => eventType)).not.toContain('user.mfa.factor.deactivate')
  })

  test('what is required may not be skipped', async () => {
    await enrollmentPolicy(idp, { okta_password: 'REQUIRED', google_otp: 'OPTIONAL' })
    const visitor = await made()
    expect([visitor.remediations, offeredToEnrol(visitor)]).toEqual([
      ['select-authenticator-enroll'],
      ['Password'],
    ])
    expect((await visitor.submits('skip')).status).toBe(400)
    await visitor.enrolls('okta_password')
    await visitor.answers(password)
    expect(visitor.remediations).toEqual(['select-authenticator-enroll', 'skip'])
    expect((await templates(nina.email)).includes('PasswordChanged')).toBe(false)
  })

  test('a rule for challenges alone puts off what is added later, never the first password', async () => {
    await enrollmentPolicy(idp, { okta_password: 'REQUIRED', google_otp: 'REQUIRED' }, 'CHALLENGE')
    const visitor = await made()
    expect([visitor.remediations, offeredToEnrol(visitor)]).toEqual([
      ['select-authenticator-enroll'],
      ['Password'],
    ])
    await visitor.enrolls('okta_password')
    await visitor.answers(password)
    expect((await visitor.redeems()).status).toBe(200)
  })

  test('without a verified address the first enrolment makes the user, who may be unverified', async () => {
    await changeSignUp(idp, unverified)
    const visitor = await atTheCode()
    expect([visitor.remediations, offeredToEnrol(visitor)]).toEqual([
      ['select-authenticator-enroll'],
      ['Password'],
    ])
    expect((await userOf(nina.email)).status).toBe(404)
    await visitor.enrolls('okta_password')
    await visitor.answers('short')
    expect((await userOf(nina.email)).status).toBe(404)
    await visitor.answers(password)
    const claims = await claimsOf(visitor)
    expect([claims.email_verified, claims.amr]).toEqual([false, ['pwd']])
    expect(await templates(nina.email)).toEqual(['Welcome'])
  })

  test('without a verified address and with the password in the form, the form alone is enough', async () => {
    await changeSignUp(idp, { ...unverified, ...passwordInForm })
    const visitor = await atTheForm()
    await visitor.submits('enroll/new', { userProfile: nina, credentials: { passcode: password } })
    expect((await visitor.redeems()).status).toBe(200)
    expect((await userOf(nina.email)).body.status).toBe('ACTIVE')
  })

  test('a new user joins the groups of the policy, and its app, in the same moment', async () => {
    const { body: group } = await api('POST', '/groups', { profile: { name: 'Customers' } })
    await changeSignUp(idp, { targetGroupIds: [group.id] })
    const visitor = await atTheCode()
    expect((await api('GET', `/groups/${group.id}/users`)).list).toEqual([])
    await visitor.answers((await visitor.mail(nina.email, codeMail)).code)
    const { list } = await api('GET', `/groups/${group.id}/users`)
    expect(list).toMatchObject([{ profile: { email: nina.email } }])
  })
})

describe('an address that is taken', () => {
  test('is said plainly where no mail is sent', async () => {
    await changeSignUp(idp, unverified)
    const { response } = await atTheCode(mary)
    expect([response.status, messagesInFields(response)]).toEqual([
      400,
      { 'userProfile.email': ['registration.error.notUniqueWithinOrg'] },
    ])
  })

  test('is said plainly where unknown users are revealed', async () => {
    const own = await startEngine(openSignUp({ recovery: { revealUnknown: true } }))
    const { response } = await atTheCode(mary, own)
    expect(messagesInFields(response)).toEqual({
      'userProfile.email': ['registration.error.notUniqueWithinOrg'],
    })
    await own.close()
  })

  test('is said plainly where the form asks for a login besides', async () => {
    await changeSignUp(idp, {
      profileAttributes: [
        { name: 'login', label: 'Username', required: true },
        { name: 'email', label: 'Email', required: true },
      ],
    })
    const first = { login: 'newcomer', email: 'first@example.com' }
    const visitor = await atTheCode(first)
    await visitor.answers((await visitor.mail(first.email, codeMail)).code)
    const { response } = await atTheCode({ login: 'newcomer', email: 'new@example.com' })
    expect(messagesInFields(response)).toEqual({
      'userProfile.login': ['registration.error.notUniqueWithinOrg'],
    })
  })

  test('is a mail to its owner elsewhere, and no code is right', async () => {
    const visitor = await atTheCode(mary)
    expect(visitor.remediations).toEqual(['enroll-authenticator', 'select-authenticator-enroll'])
    const mail = await idp.outbox.waitFor({ to: mary.email })
    expect([mail.template, mail.code, mail.link]).toEqual(['RegistrationTaken', null, null])
    expect(mail.text).not.toContain('Not')
    expect((await visitor.answers('000000')).status).toBe(401)
    await visitor.resends()
    expect(await templates(mary.email)).toEqual(['RegistrationTaken', 'RegistrationTaken'])
  })
})

test('the terms that were agreed to stand with the user, and the box for them is not required', async () => {
  const terms = { version: '3', url: 'https://example.com/terms' }
  const own = await startEngine(openSignUp({ signUp: { terms } }))
  onTestFinished(() => own.close())
  const visitor = await atTheForm(own)
  const [profile] = visitor.response.body.remediation?.value[0]?.value ?? []
  expect(profile?.form?.value.at(-1)).toMatchObject({ name: 'termsAccepted', required: false })
  expect(messagesInFields(await visitor.submits('enroll/new', { userProfile: nina }))).toEqual({
    'userProfile.termsAccepted': ['registration.error.termsNotAccepted'],
  })
  await visitor.submits('enroll/new', { userProfile: { ...nina, termsAccepted: true } })
  await visitor.answers((await visitor.mail(nina.email, codeMail)).code)
  const { body } = await userOf(nina.email, own)
  expect(body.terms).toEqual({ version: terms.version, agreed: expect.stringContaining('T') })
})

test('wrong codes close the transaction, and make no user', async () => {
  const visitor = await atTheCode()
  const { code } = await visitor.mail(nina.email, codeMail)
  for (let guess = 0; guess < 5; guess++) await visitor.answers(wrong(code))
  expect(visitor.response.status).toBe(429)
  expect((await visitor.answers(code)).status).toBe(401)
  expect((await userOf(nina.email)).status).toBe(404)
})

test('a mail of a sign-up names nothing that the visitor has typed about the owner of the mailbox', async () => {
  await atTheCode({ ...nina, firstName: 'You have won. Call', lastName: '0900 123' })
  const mail = await idp.outbox.waitFor({ to: nina.email })
  expect(`${mail.subject} ${mail.text} ${mail.html}`).not.toMatch(/won|0900/)
})

test('a user who left the password out comes back where the name is asked for first', async () => {
  await using own = await startEngine(openSignUp({ signOn: { start: 'identifier' } }))
  await enrollmentPolicy(own, { okta_email: 'REQUIRED', okta_password: 'OPTIONAL' })
  const signingUp = await fillsIn(newVisitor(own), nina)
  await signingUp.answers((await signingUp.mail(nina.email, codeMail)).code)
  expect((await signingUp.submits('skip')).interactionCode).toBeDefined()

  const back = newVisitor(own)
  await back.begins()
  await back.submits('identify', { identifier: nina.email })
  await back.selects('okta_email')
  const { code } = await back.mail(nina.email, 'EmailChallenge')
  expect((await back.answers(code)).interactionCode).toBeDefined()
})
