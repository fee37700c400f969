import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Kit, Visitor } from '../../src/testing/index.ts'
import { type AccountApi, accountApi, accountVisitor, grantAccount, signedIn } from '../support/account.ts'
import { atTheCode, atTheReset, mailTo, manyMails, startTarget, visit } from '../support/attacks.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import {
  changeSignUp,
  claimsOf,
  fillsIn,
  messagesInFields,
  openSignUp,
  passwordInForm,
  unverified,
} from '../support/sign-up.ts'
import { codeAt, enrollmentPolicy, period, secretIn, twoFactors } from '../wire/totp.ts'

// Sudhodanan and Paverd, "Pre-hijacked accounts" (2022): a stranger makes an account with the owner's address first. The
// classic-federated merge needs an identity provider besides; there is none.

const owner = 'nina@example.com'
const stranger = 'eve@evil.example'
const strangers = 'Marmalade-Harbour-31'
const owners = 'Lighthouse-Biscuit-77'
const profileOf = (email: string) => ({ email, firstName: 'Nina', lastName: 'Nowak' })
const number = '+12024561111'
const day = 24 * 3_600_000

onEachDatabase('who makes an account with the address of another, where no mail proves it', (database) => {
  let idp: Kit
  beforeAll(async () => {
    const { url } = await database.create()
    idp = await startTarget({ database: url, ...openSignUp({ limits: manyMails }) })
  })
  beforeEach(async () => {
    await idp.reset()
    await grantAccount(idp)
    await changeSignUp(idp, { ...unverified, ...passwordInForm })
  })
  afterAll(() => idp.close())

  /** The stranger's account, and the tokens that it was made with. */
  async function takes(): Promise<{
    readonly api: AccountApi
    readonly refreshToken: string
    readonly idToken: string
    readonly visitor: Visitor
  }> {
    const visitor = accountVisitor(idp)
    await fillsIn(visitor, profileOf(owner), { credentials: { passcode: strangers } })
    const { body, text } = await visitor.redeems()
    expect([typeof body.access_token, typeof body.refresh_token], text).toEqual(['string', 'string'])
    const api = accountApi(idp, String(body.access_token))
    expect((await api('GET', '/profile')).status).toBe(200)
    // Mails that are delivered side by side arrive in any order: the one that welcomes first.
    await idp.engine.delivery.idle()
    return { api, refreshToken: String(body.refresh_token), idToken: String(body.id_token), visitor }
  }

  /** The owner gets the account, by the one thing that is the owner's: the mailbox. */
  async function recovers(): Promise<void> {
    const visitor = await atTheReset(idp, owner)
    await visitor.answers(owners)
    expect(visitor.response.interactionCode ?? visitor.messages).toBeTruthy()
  }

  async function refresh(token: string): Promise<number> {
    const response = await fetch(`${idp.engineUrl}/oauth2/v1/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: token,
        client_id: idp.clientId,
        client_secret: idp.clientSecret,
      }),
    })
    return response.status
  }

  const idOf = async () => (await apiOf(idp)('GET', `/users/${owner}`)).body.id

  const emailOf = async () => {
    const { list } = await apiOf(idp)('GET', '/users')
    return list.map(({ profile }) => (profile as { readonly email: string }).email)
  }

  test('A63: unexpired session: session, tokens and password are dead once the owner recovers', async () => {
    const { api, refreshToken } = await takes()
    expect(await refresh(refreshToken)).toBe(200)
    await recovers()
    expect((await api('GET', '/profile')).status).toBe(401)
    expect(await refresh(refreshToken)).toBe(400)
    const again = await visit(idp)
    await again.signsIn(owner, strangers)
    expect(again.messages).toEqual(['errors.E0000004'])
  })

  test('A63: trojan identifier: a second address that the stranger proved gets no mail of the account', async () => {
    const { api } = await takes()
    const added = await api('POST', '/emails', { profile: { email: stranger }, role: 'SECONDARY' })
    expect([added.status, added.text]).toEqual([201, added.text])
    const { verify } = added.body._links as { verify: { href: string } }
    const { text } = await mailTo(idp, stranger)
    const code = /\b\d{6}\b/.exec(text)?.[0] ?? ''
    expect((await api('POST', verify.href, { verificationCode: code })).status).toBe(202)
    idp.clock.advance(2 * day)
    await idp.engine.maintain()
    const codes = () => idp.outbox.to(stranger).filter(({ template }) => template === 'ForgotPassword')
    await recovers()
    await atTheCode(idp, owner)
    await idp.engine.delivery.idle()
    expect(codes()).toEqual([])
  })

  test('A63: trojan identifier: no app and no phone of the stranger is asked for, or good, once the mailbox is proven', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', phone_number: 'OPTIONAL' })
    const visitor = idp.visitor()
    await fillsIn(visitor, profileOf(owner), { credentials: { passcode: strangers } })
    const secret = secretIn(await visitor.enrolls('google_otp'))
    await visitor.answers(codeAt(secret, idp.clock.now()))
    await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: number })
    await visitor.answers((await idp.outbox.waitFor({ to: number, channel: 'sms' })).code)
    expect(visitor.response.interactionCode).toBeDefined()
    idp.clock.advance(2 * day)
    // Where the code alone has been answered, too.
    const recovery = await atTheReset(idp, owner)
    const enrolled = async () => {
      const { db } = idp.engine.storage
      const [user] = await db.selectFrom('people').select('id').where('email', '=', owner).execute()
      const rows = await db
        .selectFrom('enrollments')
        .select('authenticator')
        .where('person_id', '=', user?.id ?? '')
        .execute()
      return rows.map(({ authenticator }) => authenticator)
    }
    expect(await enrolled()).toEqual([])
    await recovery.answers(owners)
    expect(await enrolled()).toEqual(['okta_password'])
    const thief = await visit(idp)
    await thief.submits('recover')
    await thief.submits('identify', { identifier: owner })
    await thief.selects('phone_number', { methodType: 'sms' }).catch(() => thief.response)
    await idp.engine.delivery.idle()
    expect(idp.outbox.all().filter(({ to }) => to === number)).toHaveLength(1)
    const events = (await idp.events()).map(({ eventType }) => eventType)
    expect(events).toContain('user.mfa.factor.reset_all')
  })

  test('A63: trojan identifier: a suspension in between does not make the account the stranger’s', async () => {
    await takes()
    const administrator = apiOf(idp)
    for (const change of ['suspend', 'unsuspend']) {
      expect((await administrator('POST', `/users/${owner}/lifecycle/${change}`)).status).toBe(200)
    }
    const api = await signedIn(idp, owner, strangers)
    expect((await api('GET', '/profile')).status).toBe(200)
    const recovery = await atTheReset(idp, owner)
    expect((await api('GET', '/profile')).status).toBe(401)
    const thief = await visit(idp)
    await thief.signsIn(owner, strangers)
    expect(thief.messages).toEqual(['errors.E0000004'])
    await recovery.answers(owners)
    expect(await idp.engine.people.hasPassword(String(await idOf()), owners)).toBe(true)
  })

  test('A63: trojan identifier: nor is the app good once the owner has used a mail of an administrator', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const visitor = idp.visitor()
    await fillsIn(visitor, profileOf(owner), { credentials: { passcode: strangers } })
    const secret = secretIn(await visitor.enrolls('google_otp'))
    await visitor.answers(codeAt(secret, idp.clock.now()))
    const id = String(await idOf())
    expect((await apiOf(idp)('POST', `/users/${id}/lifecycle/reset_password?sendEmail=true`)).status).toBe(
      200,
    )
    const { link } = await mailTo(idp, owner, ['PasswordResetByAdmin'])
    const recovery_token = String(link).split('/').at(-1) ?? ''
    const recovery = await visit(idp, { parameters: { recovery_token } })
    expect(recovery.remediations).toEqual(['reset-authenticator'])
    await recovery.answers(owners)
    const rows = await idp.engine.storage.db
      .selectFrom('enrollments')
      .select('authenticator')
      .where('person_id', '=', id)
      .execute()
    expect(rows).toEqual([{ authenticator: 'okta_password' }])
    expect(await idp.engine.people.hasPassword(id, owners)).toBe(true)
  })

  test('A63: trojan identifier: nor is the app good once the owner has gone on from the link of a mail', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const visitor = idp.visitor()
    await fillsIn(visitor, profileOf(owner), { credentials: { passcode: strangers } })
    const secret = secretIn(await visitor.enrolls('google_otp'))
    await visitor.answers(codeAt(secret, idp.clock.now()))
    const id = String(await idOf())
    await atTheCode(idp, owner)
    const { link } = await mailTo(idp, owner, ['ForgotPassword'])
    const { origin, pathname, searchParams } = new URL(String(link))
    const begun = await fetch(`${origin}${pathname}/own`, {
      ...{ method: 'POST', redirect: 'manual', headers: { 'sec-fetch-site': 'same-origin' } },
      body: new URLSearchParams({ token: searchParams.get('token') ?? '' }),
    })
    const browser = newHostedBrowser(idp)
    for (const line of begun.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      browser.jar.set(name, value)
    }
    expect((await browser.opens()).forms).toContain('reset-authenticator')
    await browser.submits('reset-authenticator', { 'credentials.passcode': owners })
    const rows = await idp.engine.storage.db
      .selectFrom('enrollments')
      .select('authenticator')
      .where('person_id', '=', id)
      .execute()
    expect(rows).toEqual([{ authenticator: 'okta_password' }])
    expect(await idp.engine.people.hasPassword(id, owners)).toBe(true)
    const again = idp.visitor()
    await again.signsIn(owner, owners)
    expect(await claimsOf(again)).toMatchObject({ email_verified: true })
  })

  test('A63: trojan identifier: an account that the stranger left unfinished is the owner’s alone, too', async () => {
    await changeSignUp(idp, { ...unverified, enrollAuthenticatorTypes: [] })
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const visitor = idp.visitor()
    await fillsIn(visitor, profileOf(owner))
    const secret = secretIn(await visitor.enrolls('google_otp'))
    await visitor.answers(codeAt(secret, idp.clock.now()))
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    const id = String(await idOf())
    const recovery = await atTheReset(idp, owner)
    // The page that the stranger left open leads nowhere.
    expect((await visitor.enrolls('okta_password').catch(() => visitor.response)).status).toBe(401)
    await recovery.answers(owners)
    const rows = await idp.engine.storage.db
      .selectFrom('enrollments')
      .select('authenticator')
      .where('person_id', '=', id)
      .execute()
    expect(rows).toEqual([{ authenticator: 'okta_password' }])
  })

  test('A63: the visitor who made the account proves the mailbox and keeps what is in it', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    await twoFactors(idp)
    const visitor = idp.visitor()
    await fillsIn(visitor, profileOf(owner), { credentials: { passcode: strangers } })
    const secret = secretIn(await visitor.enrolls('google_otp'))
    await visitor.answers(codeAt(secret, idp.clock.now()))
    expect(visitor.response.interactionCode).toBeDefined()
    idp.clock.advance(10 * period)
    const again = await visit(idp)
    await again.signsIn(owner, strangers)
    await again.selects('okta_email', { methodType: 'email' })
    await again.answers((await mailTo(idp, owner, ['EmailChallenge'])).code)
    expect((await claimsOf(again)).email_verified).toBe(true)
    // From now on a recovery asks for the app, as that of every user.
    const recovery = await atTheCode(idp, owner)
    await recovery.answers((await mailTo(idp, owner, ['ForgotPassword'])).code)
    expect(recovery.remediations).not.toContain('reset-authenticator')
  })

  const withLogin = {
    profileAttributes: ['email', 'login', 'firstName', 'lastName'].map((name) => ({
      ...{ name, label: name },
      required: true,
    })),
  }

  test.each([
    ['the owner’s', owner],
    ['the owner’s in capitals', owner.toUpperCase()],
    ['the owner’s with a fullwidth sign', owner.replace('@', '\uff20')],
    ['the owner’s with a fullwidth letter', `\uff4e${owner.slice(1)}`],
    ['the owner’s with another full stop', owner.replace('.com', '\u3002com')],
    ['one more of the stranger’s', 'eve@other.example'],
  ])('A63: trojan identifier: an address as the login is refused where it is %s', async (_, login) => {
    for (const setup of [
      { ...unverified, ...passwordInForm },
      { activationRequirements: { emailVerification: true } },
    ]) {
      await changeSignUp(idp, { enrollAuthenticatorTypes: [], ...setup, ...withLogin })
      const credentials = { passcode: strangers }
      const { response } = await fillsIn(idp.visitor(), { ...profileOf(stranger), login }, { credentials })
      expect([response.status, messagesInFields(response)]).toEqual([
        400,
        { 'userProfile.login': ['registration.error.doesNotMatchPattern'] },
      ])
    }
    await idp.engine.delivery.idle()
    expect(idp.outbox.all()).toEqual([])
    expect(await emailOf()).not.toContain(stranger)
  })

  test('A63: a login that is the email, or is no address, is accepted', async () => {
    await changeSignUp(idp, withLogin)
    const credentials = { passcode: strangers }
    for (const [email, login] of [
      [owner, owner.toUpperCase()],
      [stranger, 'eve'],
    ] as const) {
      const visitor = await fillsIn(idp.visitor(), { ...profileOf(email), login }, { credentials })
      expect((await claimsOf(visitor)).preferred_username).toBe(login)
    }
  })

  test('A63: trojan identifier: where an address is only a user’s login, no other mailbox hears of its sign-up', async () => {
    const api = apiOf(idp)
    const user = { ...profileOf(stranger), firstName: 'Evelyn', login: owner }
    expect((await api('POST', '/users?activate=false', { profile: user })).status).toBe(200)
    const id = String((await api('GET', `/users/${owner}`)).body.id)
    expect((await api('POST', `/users/${id}/lifecycle/activate?sendEmail=false`)).status).toBe(200)
    await changeSignUp(idp, {
      activationRequirements: { emailVerification: true },
      enrollAuthenticatorTypes: [],
    })
    const visitor = await fillsIn(idp.visitor(), profileOf(owner))
    const { template, text } = await mailTo(idp, owner)
    expect(template).toBe('RegistrationTaken')
    expect(text).not.toMatch(/Evelyn|evil/)
    expect(idp.outbox.to(stranger)).toEqual([])
    expect((await visitor.answers('000000')).status).toBe(401)
  })

  test('A63: unexpired email change: a change that the stranger began comes to nothing', async () => {
    const { api } = await takes()
    const added = await api('POST', '/emails', { profile: { email: stranger } })
    const { verify } = added.body._links as { verify: { href: string } }
    const { text } = await mailTo(idp, stranger, ['PendingEmailChange'])
    const code = /\b\d{6}\b/.exec(text)?.[0] ?? ''
    await recovers()
    expect((await api('POST', verify.href, { verificationCode: code })).status).toBe(401)
    idp.clock.advance(2 * day)
    await idp.engine.maintain()
    expect(await emailOf()).toContain(owner)
    expect(await emailOf()).not.toContain(stranger)
  })

  test('A63: unexpired email change: one that was confirmed and waits comes to nothing either', async () => {
    const { api } = await takes()
    const added = await api('POST', '/emails', { profile: { email: stranger } })
    const { verify } = added.body._links as { verify: { href: string } }
    const { text } = await mailTo(idp, stranger, ['PendingEmailChange'])
    const verificationCode = /\b\d{6}\b/.exec(text)?.[0] ?? ''
    const confirmed = await api('POST', verify.href, { verificationCode })
    expect([confirmed.status, confirmed.text]).toEqual([202, confirmed.text])
    await recovers()
    idp.clock.advance(2 * day)
    await idp.engine.maintain()
    expect(await emailOf()).toContain(owner)
    expect(await emailOf()).not.toContain(stranger)
  })

  test('A63: non-verifying provider: no token says that an address was proven which was not', async () => {
    const { idToken } = await takes()
    const claims = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString())
    expect(claims.email_verified ?? false).toBe(false)
    const again = idp.visitor()
    await again.begins()
    await again.signsIn(owner, strangers)
    expect((await claimsOf(again)).email_verified).toBe(false)
    // An app whose sign-up does verify takes it for taken, and merges nothing.
    await changeSignUp(idp, { activationRequirements: { emailVerification: true } })
    const own = await fillsIn(idp.visitor(), profileOf(owner), { credentials: { passcode: owners } })
    expect((await mailTo(idp, owner)).template).toBe('RegistrationTaken')
    expect((await own.answers('000000')).status).toBe(401)
  })
})
