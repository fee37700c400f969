import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import {
  type AccountApi,
  accountApi,
  accountVisitor,
  grantAccount,
  signedIn,
  tokenIn,
} from '../support/account.ts'
import {
  atTheCode,
  atTheReset,
  mailTo,
  newPassword,
  parallel,
  startTarget,
  visit,
} from '../support/attacks.ts'
import { exampleAuthenticator } from '../support/example-authenticator.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { activate, codeAt, enrollmentPolicy, period, secretIn, twoFactors } from '../wire/totp.ts'

const victim = 'mary@example.com'
const thief = 'eve@evil.example'
const password = 'Tangerine-Kettle-42'
const minute = 60_000
const day = 24 * 60 * minute
const waits = ['AccountChangeWaiting']

onEachDatabase('what users change themselves', (database) => {
  let idp: Kit
  beforeAll(async () => {
    const { url } = await database.create()
    idp = await startTarget({
      database: url,
      authenticators: [exampleAuthenticator],
    })
  })
  beforeEach(async () => {
    await idp.reset()
    await grantAccount(idp)
  })
  afterAll(() => idp.close())

  const profile = async (id: string) => (await idp.engine.people.find(id))?.profile
  const idOf = async () => String((await apiOf(idp)('GET', `/users/${victim}`)).body.id)

  /** Enrols an app where a policy asks for it; answers its secret. */
  async function enrolls(passed = password): Promise<string> {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const visitor = await visit(idp)
    await visitor.signsIn(victim, passed)
    const secret = secretIn(await visitor.enrolls('google_otp'))
    expect((await visitor.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
    idp.clock.advance(10 * period)
    return secret
  }

  /** Asks for a new address and confirms it; answers with what confirming was answered. */
  async function wants(api: AccountApi, email = thief, query = '') {
    const added = await api('POST', `/emails${query}`, { profile: { email } })
    const { verify } = added.body._links as { verify: { href: string } }
    const { text } = await mailTo(idp, email, ['PendingEmailChange'])
    const code = /\b\d{6}\b/.exec(text)?.[0] ?? ''
    return api('POST', `${verify.href}${query}`, { verificationCode: code })
  }

  /** A sign-in of a thief who reads the mailbox and has set a password by it. */
  async function recovers(): Promise<void> {
    const visitor = await atTheReset(idp, victim)
    await visitor.answers(newPassword)
  }

  const stopLink = async () => {
    const { text } = await mailTo(idp, victim, waits)
    return /http\S+\/account\/stop\/\w{43}/.exec(text)?.[0] ?? ''
  }

  test('A69: with the password alone, of a user who has an app, adds nothing that a policy requires', async () => {
    const secret = await enrolls()
    const api = apiOf(idp)
    await activate(api, 'example_phone')
    const policy = (await api('GET', '/policies?type=MFA_ENROLL')).list.find(
      ({ name }) => name === 'Enrolment',
    )
    const settings = {
      type: 'AUTHENTICATORS',
      authenticators: ['google_otp', 'example_phone'].map((key) => ({ key, enroll: { self: 'REQUIRED' } })),
    }
    await api('PUT', `/policies/${policy?.id}`, { ...policy, settings })
    const visitor = await visit(idp)
    await visitor.signsIn(victim, password)
    // The only further proof is asked for at once.
    expect(visitor.remediations).toEqual(['challenge-authenticator', 'select-authenticator-authenticate'])
    const forced = await visitor.enrolls('example_phone', { methodType: 'sms', phoneNumber: '+15555550123' })
    expect(forced.status).toBe(400)
    await visitor.selects('google_otp')
    await visitor.answers(codeAt(secret, idp.clock.now()))
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
  })

  test('A69: with the password alone, of a user who has an app, adds nothing in an enrolment, and removes nothing', async () => {
    await enrolls()
    const visitor = accountVisitor(idp, { enroll_amr_values: 'google_otp sms' })
    await visitor.begins()
    await visitor.signsIn(victim, password)
    expect(visitor.remediations).not.toContain('select-authenticator-enroll')
    const api = await signedIn(idp, victim, password)
    const { list } = await api('GET', '/authenticators?expand=enrollments')
    const { href } = list.find(({ key }) => key === 'google_otp')._embedded.enrollments[0]._links.self
    const refused = await api('DELETE', href)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('insufficient_authentication_context')
    // Who has lost the app says so: then the removal waits, and the owner of the mailbox can stop it.
    expect((await api('DELETE', `${href}?wait=true`)).status).toBe(202)
    expect((await api('GET', href)).status).toBe(200)
    await fetch(await stopLink(), { method: 'POST' })
    idp.clock.advance(day + minute)
    await idp.engine.maintain()
    const again = await signedIn(idp, victim, password)
    expect((await again('GET', href)).status).toBe(200)
  })

  test('A69: the removal of a factor that cannot be proven any more is carried out after its time, with a notice', async () => {
    await enrolls()
    const api = await signedIn(idp, victim, password)
    const { list } = await api('GET', '/authenticators?expand=enrollments')
    const { href } = list.find(({ key }) => key === 'google_otp')._embedded.enrollments[0]._links.self
    expect((await api('DELETE', `${href}?wait=true`)).status).toBe(202)
    idp.clock.advance(day)
    await idp.engine.maintain()
    await mailTo(idp, victim, ['AuthenticatorReset'])
    const visitor = await visit(idp)
    await visitor.signsIn(victim, password)
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
  })

  test('A69: a removal that waits ends once its owner uses what was said to be lost', async () => {
    const secret = await enrolls()
    const api = await signedIn(idp, victim, password)
    const { list } = await api('GET', '/authenticators?expand=enrollments')
    const { href } = list.find(({ key }) => key === 'google_otp')._embedded.enrollments[0]._links.self
    expect((await api('DELETE', `${href}?wait=true`)).status).toBe(202)
    await twoFactors(idp)
    idp.clock.advance(day / 2)
    const visitor = await visit(idp)
    await visitor.signsIn(victim, password)
    await visitor.selects('google_otp')
    expect((await visitor.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
    idp.clock.advance(day)
    await idp.engine.maintain()
    const next = await visit(idp)
    await next.signsIn(victim, password)
    expect(next.remediations).toContain('select-authenticator-authenticate')
    expect(next.response.text).toContain('google_otp')
    // It has ended, and is not due again once the app was not used for a while.
    idp.clock.advance(2 * day)
    await idp.engine.maintain()
    const later = await visit(idp)
    await later.signsIn(victim, password)
    expect(later.remediations).toContain('select-authenticator-authenticate')
    expect(later.response.text).toContain('google_otp')
  })

  test('A74: a token of an old sign-in takes no waiting change back', async () => {
    const api = await signedIn(idp, victim, password)
    expect((await wants(api)).status).toBe(202)
    const waiting = (await api('GET', '/emails')).list.find(({ waitingUntil }) => waitingUntil)
    idp.clock.advance(16 * minute)
    const refused = await api('DELETE', `/emails/${waiting.id}`)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('max_age=900')
    const again = await signedIn(idp, victim, password)
    expect((await again('DELETE', `/emails/${waiting.id}`)).status).toBe(204)
  })

  test('A74: a refreshed token is as old as its sign-in, and as weak', async () => {
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(victim, password)
    const { body } = await visitor.redeems()
    idp.clock.advance(16 * minute)
    const refreshed = await fetch(`${idp.engineUrl}/oauth2/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: String(body.refresh_token),
        client_id: idp.clientId,
        client_secret: idp.clientSecret,
      }),
    })
    const { access_token: token } = (await refreshed.json()) as { access_token: string }
    const refused = await accountApi(idp, token)('POST', '/emails', { profile: { email: thief } })
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('max_age=900')
  })

  test('A76: a thief who recovered by the mailbox adds no method for a day', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    await recovers()
    const wanted = async () => {
      const visitor = accountVisitor(idp, { enroll_amr_values: 'google_otp' })
      await visitor.begins()
      return visitor.signsIn(victim, newPassword)
    }
    expect((await wanted()).remediations).not.toContain('select-authenticator-enroll')
    const visitor = await visit(idp)
    expect((await visitor.signsIn(victim, newPassword)).interactionCode).toBeDefined()
    idp.clock.advance(day)
    expect((await wanted()).remediations).toContain('select-authenticator-enroll')
  })

  test('A76: what a policy requires is enrolled after a recovery, with a notice, and opens nothing else', async () => {
    await recovers()
    const secret = await enrolls(newPassword)
    await mailTo(idp, victim, ['AuthenticatorEnrolled'])
    const visitor = accountVisitor(idp, { enroll_amr_values: 'sms' })
    await visitor.begins()
    await visitor.signsIn(victim, newPassword)
    if (visitor.response.interactionCode === undefined) {
      await visitor.selects('google_otp')
      await visitor.answers(codeAt(secret, idp.clock.now()))
    }
    const api = accountApi(idp, await tokenIn(visitor))
    // The app is newer than the recovery: it does not say that this is the user.
    expect((await wants(api)).status).toBe(202)
    expect((await profile(victim))?.email).toBe(victim)
  })

  test('A76: a user who has an app from before proves it first, at each sign-in after the recovery', async () => {
    const secret = await enrolls()
    idp.clock.advance(day)
    await twoFactors(idp)
    const visitor = await atTheCode(idp, victim)
    await visitor.answers((await mailTo(idp, victim)).code)
    await visitor.selects('google_otp')
    await visitor.answers(codeAt(secret, idp.clock.now()))
    await visitor.answers(newPassword)
    idp.clock.advance(10 * period)
    const next = accountVisitor(idp, { enroll_amr_values: 'sms' })
    await next.begins()
    await next.signsIn(victim, newPassword)
    expect(next.remediations).toContain('select-authenticator-authenticate')
    await next.selects('google_otp')
    await next.answers(codeAt(secret, idp.clock.now()))
    expect((await wants(accountApi(idp, await tokenIn(next)))).status).toBe(200)
    expect((await profile(thief))?.email).toBe(thief)
  })

  test('A77: a new address of a user without a factor counts after a day: until then no recovery goes there', async () => {
    const id = await idOf()
    const api = await signedIn(idp, victim, password)
    expect((await wants(api)).status).toBe(202)
    expect(await profile(id)).toMatchObject({ email: victim, login: victim })
    const visitor = await atTheCode(idp, thief)
    expect(visitor.remediations).toContain('challenge-authenticator')
    await idp.engine.delivery.idle()
    expect(idp.outbox.latest({ to: thief })?.template).toBe('PendingEmailChange')
    expect((await mailTo(idp, victim, waits)).text).not.toContain(thief)

    idp.clock.advance(day)
    await idp.engine.maintain()
    expect(await profile(id)).toMatchObject({ email: thief, login: thief })
    await mailTo(idp, victim, ['EmailChanged'])
  })

  test('A77: is stopped by the link in the notice, which spends nothing when it is opened', async () => {
    const id = await idOf()
    const api = await signedIn(idp, victim, password)
    await wants(api)
    const link = await stopLink()
    for (const method of ['GET', 'HEAD', 'GET']) await fetch(link, { method })
    expect((await api('GET', '/emails')).list).toHaveLength(2)
    const stopped = await fetch(link, { method: 'POST' })
    expect(await stopped.text()).toContain('The change is stopped')
    expect((await fetch(link.replace(/.{3}$/, 'AAA'), { method: 'POST' })).status).toBe(404)
    idp.clock.advance(2 * day)
    await idp.engine.maintain()
    expect((await profile(id))?.email).toBe(victim)
  })

  test('A77: stopped at the moment when it is due: either it is stopped, or it is made', async () => {
    const id = await idOf()
    for (let round = 0; round < 6; round++) {
      const address = `eve${round}@evil.example`
      const before = (await profile(id))?.email ?? ''
      const api = await signedIn(idp, String((await profile(id))?.login), password)
      await wants(api, address)
      await idp.engine.delivery.idle()
      const { text } = await mailTo(idp, before, waits)
      const link = /http\S+\/account\/stop\/\w{43}/.exec(text)?.[0] ?? ''
      idp.clock.advance(day)
      const [pages] = await Promise.all([
        parallel(3, async () => (await fetch(link, { method: 'POST' })).text()),
        parallel(2, () => api('GET', '/emails')),
        idp.engine.maintain(),
      ])
      const isStopped = pages.some((page) => page.includes('The change is stopped'))
      expect((await profile(id))?.email).toBe(isStopped ? before : address)
    }
  })

  test('A77: a recovery during the wait ends it', async () => {
    const id = await idOf()
    const api = await signedIn(idp, victim, password)
    await wants(api)
    await recovers()
    idp.clock.advance(day + minute)
    await idp.engine.maintain()
    expect((await profile(id))?.email).toBe(victim)
    // … and what an administrator changes counts at once.
    await apiOf(idp)('POST', `/users/${id}`, { profile: { email: thief } })
    expect((await profile(id))?.email).toBe(thief)
  })

  test('A77: a code for an address is good once, for its user, and guesses are counted over all codes', async () => {
    const api = await signedIn(idp, victim, password)
    const { body } = await api('POST', '/emails', { profile: { email: thief } })
    const links = body._links as { verify: { href: string }; challenge: { href: string } }
    const codeNow = async () =>
      /\b\d{6}\b/.exec((await mailTo(idp, thief, ['PendingEmailChange'])).text)?.[0] ?? ''
    const wrong = async (href: string) =>
      (await api('POST', href, { verificationCode: (await codeNow()) === '123456' ? '654321' : '123456' }))
        .status
    for (let guess = 0; guess < 5; guess++) expect(await wrong(links.verify.href)).toBe(401)
    const anew = await api('POST', links.challenge.href)
    const verify = (anew.body._links as { verify: { href: string } }).verify.href
    expect((await api('POST', verify, { verificationCode: await codeNow() })).status).toBe(401)
  })
})
