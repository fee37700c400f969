import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { dataOfNumber, phoneEnrollment, readNumber } from '../../src/authenticators/phone/index.ts'
import { systemRandom } from '../../src/base/index.ts'
import { findEnrollments, type NewEnrollment, putEnrollment } from '../../src/directory/index.ts'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import {
  type AccountApi,
  accountApi,
  accountVisitor,
  grantAccount,
  signedIn,
  tokenIn,
} from '../support/account.ts'
import { atTheCode, mailTo, masked, newPassword, parallel, startTarget, visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { enrolmentPolicy, sessionRule } from '../support/policy-rules.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { passkeyEngine } from '../wire/passkeys.ts'
import { hasPhone, keyOf, lastCode, number, recoversByPhone } from '../wire/phone.ts'
import { codeAt, enrollmentPolicy, period, secretIn, twoFactors } from '../wire/totp.ts'

const mary = 'mary@example.com'
const password = 'Tangerine-Kettle-42'
const minute = 60_000
/** How many wrong passwords an account may have in an hour. */
const passwordsPerHour = 20
const day = 24 * 60 * minute

/** Where one authenticator, one policy or one API meets another. */
onEachDatabase('where authenticators meet', (database) => {
  let idp: Kit
  beforeAll(async () => {
    const { url } = await database.create()
    idp = await startTarget({ database: url, ...passkeyEngine })
  })
  beforeEach(async () => {
    await idp.reset()
    await grantAccount(idp)
  })
  afterAll(() => idp.close())

  const signsIn = async (passed = password, parameters = {}): Promise<Visitor> => {
    const visitor = await visit(idp, { parameters })
    await visitor.signsIn(mary, passed)
    return visitor
  }
  const idOfPhone = async () =>
    (await apiOf(idp)('GET', '/authenticators')).list.find(({ key }) => key === 'phone_number')?.id
  const switches = async (method: string, action: 'activate' | 'deactivate') => {
    const path = `/authenticators/${await idOfPhone()}/methods/${method}/lifecycle/${action}`
    const { status, text } = await apiOf(idp)('POST', path)
    if (status !== 200) throw new Error(text)
  }
  /** Enrols an app, as the policy asks for; answers its secret. */
  async function hasApp(): Promise<string> {
    const visitor = await signsIn()
    const secret = secretIn(await visitor.enrolls('google_otp'))
    await visitor.answers(codeAt(secret, idp.clock.now()))
    idp.clock.advance(10 * period)
    return secret
  }
  /** A recovery by text, by a caller who has the number. */
  async function recoversByText(): Promise<void> {
    const visitor = await visit(idp)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: mary })
    await visitor.selects('phone_number', { methodType: 'sms' })
    await visitor.answers(await lastCode(idp))
    expect((await visitor.answers(newPassword)).status).toBe(200)
  }

  test('A68: the code of a method that was switched off meanwhile is worth nothing, at a sign-in and an enrolment', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    await hasPhone(idp)
    await twoFactors(idp)
    const visitor = await signsIn()
    await visitor.selects('phone_number', { methodType: 'sms' })
    const code = await lastCode(idp)
    await switches('sms', 'deactivate')
    // The policies of a node are two seconds old at most.
    idp.clock.advance(3000)
    const answer = await visitor.answers(code)
    expect(answer.interactionCode).toBeUndefined()
    expect(visitor.remediations).toContain('select-authenticator-authenticate')
    await switches('sms', 'activate')
  })

  test('A68: a factor that the policy allows no more is no way around the one that it requires, and shuts no user out', async () => {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    await hasApp()
    const api = apiOf(idp)
    const policy = (await api('GET', '/policies?type=MFA_ENROLL')).list.find(
      ({ name }) => name === 'Enrolment',
    )
    await api('DELETE', `/policies/${policy?.id}`)
    await enrollmentPolicy(idp, { google_otp: 'NOT_ALLOWED', phone_number: 'REQUIRED' })
    idp.clock.advance(3000)
    const visitor = await signsIn()
    expect(visitor.response.interactionCode).toBeUndefined()
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    await twoFactors(idp)
    idp.clock.advance(3000)
    const next = await signsIn()
    // Neither is the user refused who has what counts no more.
    expect(next.remediations).toContain('select-authenticator-authenticate')
    expect(JSON.stringify(next.response.body)).not.toContain('google_otp')
  })

  test('A68: a phone that is for recoveries alone is no second factor of the sign-in that enrols it', async () => {
    await enrollmentPolicy(idp, { phone_number: 'REQUIRED', okta_email: 'NOT_ALLOWED' })
    const id = await idOfPhone()
    const { status, text } = await apiOf(idp)('PUT', `/authenticators/${id}`, {
      name: 'Phone',
      settings: { allowedFor: 'recovery' },
    })
    expect(text).toContain('recovery')
    expect(status).toBe(200)
    await twoFactors(idp)
    idp.clock.advance(3000)
    const visitor = await signsIn()
    await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: number })
    const code = await lastCode(idp).catch(() => '000000')
    const answer = await visitor.answers(code)
    expect(answer.interactionCode).toBeUndefined()
    await apiOf(idp)('PUT', `/authenticators/${id}`, { name: 'Phone', settings: { allowedFor: 'any' } })
  })

  test('A69: who cannot prove the second factor has a removal wait, and nothing else happen', async () => {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    await hasApp()
    const api = await signedIn(idp, mary, password)
    const bodies = [
      ['PUT', '/password', { profile: { password: newPassword } }],
      ['PUT', '/password', { profile: { password: newPassword, currentPassword: password } }],
      ['POST', '/password/change-password', { oldPassword: password, newPassword }],
      ['POST', '/emails', { profile: { email: 'eve@evil.example' } }],
    ] as const
    for (const [method, path, body] of bodies) {
      expect([path, (await api(method, `${path}?wait=true`, body)).status]).toEqual([path, 403])
    }
    expect((await signsIn()).response.status).toBe(200)
  })

  test('A69: an app that was enrolled after a recovery is not removed at once by the password alone', async () => {
    const recovery = await visit(idp)
    await recovery.atTheReset(mary)
    await recovery.answers(newPassword)
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const visitor = await signsIn(newPassword)
    await visitor.answers(codeAt(secretIn(await visitor.enrolls('google_otp')), idp.clock.now()))
    const api = await signedIn(idp, mary, newPassword)
    const { list } = await api('GET', '/authenticators?expand=enrollments')
    const { href } = list.find(({ key }) => key === 'google_otp')._embedded.enrollments[0]._links.self
    expect((await api('DELETE', href)).status).toBe(403)
    expect((await api('DELETE', `${href}?wait=true`)).status).toBe(202)
  })

  test('A08: passwords that are guessed at over the account API are counted, also when many are sent at once', async () => {
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(mary, password)
    const api = accountApi(idp, await tokenIn(visitor))
    const guess = (oldPassword: string) =>
      api('POST', '/password/change-password', { oldPassword, newPassword })
    /** How many passwords the engine has compared. */
    const compared = async (): Promise<number> => {
      const metrics = await (await fetch(`${idp.engineUrl}/metrics`)).text()
      return Number(/^rekey_password_hash_duration_seconds_count (\d+)/m.exec(metrics)?.[1])
    }
    const idle = await compared()
    expect((await guess('wrong password')).status).toBe(403)
    expect(await compared()).toBe(idle + 1)
    const statuses = await parallel(40, async (index) => (await guess(`wrong password ${index}`)).status)
    expect(new Set(statuses)).toEqual(new Set([403]))
    // Whichever came first.
    expect(await compared()).toBe(idle + passwordsPerHour)
    expect((await guess(password)).body.errorCode).toBe('E0000014')
    idp.clock.advance(60 * minute)
    const later = await signedIn(idp, mary, password)
    const body = { oldPassword: password, newPassword }
    expect((await later('POST', '/password/change-password', body)).status).toBe(204)
    // A right one is not counted.
    const budgets = idp.engine.storage.db.selectFrom('budgets').select(['key', 'used'])
    const used = await budgets.where('key', 'like', 'passwords-per-hour:person:%').execute()
    expect(used.filter((one) => one.used !== 0)).toEqual([])
  })

  test('A76: a thief with the number of the phone recovers by it, and for a day proves nothing with it', async () => {
    await recoversByPhone(idp)
    await hasPhone(idp)
    idp.clock.advance(day)
    await recoversByText()
    idp.clock.advance(minute)
    const visitor = accountVisitor(idp, { enroll_amr_values: 'google_otp sms' })
    await visitor.begins()
    await visitor.signsIn(mary, newPassword)
    if (visitor.response.interactionCode === undefined) {
      await visitor.selects('phone_number', { methodType: 'sms' })
      await visitor.answers(await lastCode(idp))
    }
    expect(visitor.remediations).not.toContain('select-authenticator-enroll')
    const api = accountApi(idp, await tokenIn(visitor))
    const added = await api('POST', '/emails', { profile: { email: 'eve@evil.example' } })
    const { verify } = added.body._links as { verify: { href: string } }
    const { text } = await mailTo(idp, 'eve@evil.example', ['PendingEmailChange'])
    const verificationCode = /\b\d{6}\b/.exec(text)?.[0]
    expect((await api('POST', verify.href, { verificationCode })).status).toBe(202)
    const [phone] = (await api('GET', '/phones')).list
    expect((await api('DELETE', `/phones/${phone.id}`)).status).toBe(202)
  })

  test('A77: the code that went to a number before an administrator changed it is worth nothing', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    const id = await hasPhone(idp)
    await twoFactors(idp)
    const visitor = await signsIn()
    await visitor.selects('phone_number', { methodType: 'sms' })
    const code = await lastCode(idp)
    const { db } = idp.engine.storage
    const [phone] = (await findEnrollments(db, id)).filter(
      ({ authenticator }) => authenticator === 'phone_number',
    )
    const read = await readNumber('+15557654321')
    if (phone === undefined || read === undefined) throw new Error('no phone')
    await db.deleteFrom('enrollments').where('id', '=', phone.id).execute()
    await putEnrollment(
      db,
      { ...phoneEnrollment(id, 'sms', dataOfNumber(read)), id: phone.id },
      { random: systemRandom, now: idp.clock.now() },
    )
    expect((await visitor.answers(code)).interactionCode).toBeUndefined()
  })

  test('A68: a grace period, what the app wishes and a remembered device together skip no factor', async () => {
    await enrolmentPolicy(idp, {
      authenticators: [
        { key: 'okta_password', enroll: { self: 'REQUIRED' } },
        {
          key: 'google_otp',
          enroll: { self: 'REQUIRED', gracePeriod: { type: 'BY_SKIP_COUNT', skipCount: 3 } },
        },
      ] as never,
    })
    const parameters = { acr_values: 'urn:okta:loa:2fa:any' }
    const visitor = await signsIn(password, parameters)
    expect((await visitor.submits('skip')).status).toBe(400)
    await visitor.cancels()
    await visitor.signsIn(mary, password)
    expect((await visitor.submits('skip')).status).toBe(400)
    expect(keyOf(visitor.response)).toBeDefined()
  })

  test('A68: what an app asks to be enrolled is no way around what the policy requires', async () => {
    const authenticators = ['google_otp', 'phone_number'].map((key, index) => ({
      key,
      enroll: { self: index === 0 ? 'REQUIRED' : 'OPTIONAL' },
    }))
    await enrolmentPolicy(idp, { authenticators })
    const visitor = await signsIn(password, { enroll_amr_values: 'sms' })
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    expect((await visitor.submits('skip')).status).toBe(400)
    const secret = secretIn(await visitor.enrolls('google_otp'))
    await visitor.answers(codeAt(secret, idp.clock.now()))
    expect(visitor.remediations).toEqual(['select-authenticator-enroll', 'skip'])
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
  })

  test('A69: a user who has a question alone adds a method once it is answered', async () => {
    await enrollmentPolicy(idp, {
      security_question: 'OPTIONAL',
      google_otp: 'OPTIONAL',
      okta_email: 'NOT_ALLOWED',
    })
    await hasEnrolled('security_question')
    const visitor = await signsIn(password, { enroll_amr_values: 'otp' })
    expect(visitor.remediations).toEqual(['challenge-authenticator', 'select-authenticator-authenticate'])
    expect(visitor.response.text).toContain('security_question')
    const api = await signedIn(idp, mary, password)
    const added = await api('POST', '/emails', { profile: { email: 'mary.new@example.com' } })
    expect(added.status).toBe(201)
  })

  const had: Readonly<Record<string, Omit<NewEnrollment, 'personId' | 'authenticator'>>> = {
    google_otp: { prefix: 'uft', method: 'otp', data: { sealedSecret: 'x' } },
    security_question: {
      prefix: 'qae',
      method: 'security_question',
      data: { questionKey: 'custom', question: 'Which?', hash: 'x', form: 2 },
    },
    recovery_codes: { prefix: 'rce', method: 'recovery_codes', data: { sealedHashes: '', left: 1 } },
    webauthn: {
      ...{ prefix: 'fwf', method: 'webauthn', several: true, slot: 'a slot', handle: 'a handle' },
      data: { credentialId: 'AAAA', publicKey: 'AAAA', rpId: 'localhost', transports: [], aaguid: '' },
    },
  }
  const factors = ['phone_number', ...Object.keys(had)]
  const hasEnrolled = async (key: string, login = mary): Promise<void> => {
    if (key === 'phone_number') return void (await hasPhone(idp, { login }))
    const [user] = await idp.people.list(login)
    const one = had[key]
    if (user === undefined || one === undefined) throw new Error(`no user, or nothing of ${key}`)
    const enrollment = { ...one, personId: user.id, authenticator: key }
    await putEnrollment(idp.engine.storage.db, enrollment, { random: systemRandom, now: idp.clock.now() })
  }
  const allOptional = () =>
    enrollmentPolicy(idp, Object.fromEntries(factors.map((key) => [key, 'OPTIONAL' as const])))

  /** The links of what a user has of an authenticator. */
  async function hrefsOf(api: AccountApi, key: string): Promise<readonly string[]> {
    const { list } = await api('GET', '/authenticators?expand=enrollments')
    return list
      .find((one) => one.key === key)
      ._embedded.enrollments.map(({ _links }: { _links: { self: { href: string } } }) => _links.self.href)
  }

  test('A69: the mailbox as second factor adds nothing, and no further step-up is asked for, which would be the same', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', phone_number: 'OPTIONAL' })
    await hasEnrolled('google_otp')
    idp.clock.advance(3000)
    const visitor = accountVisitor(idp, { acr_values: 'urn:okta:loa:2fa:any:ifpossible' })
    await visitor.begins()
    await visitor.signsIn(mary, password)
    await visitor.selects('okta_email')
    await visitor.answers((await mailTo(idp, mary)).code)
    if (visitor.remediations.includes('skip')) await visitor.submits('skip')
    const api = accountApi(idp, await tokenIn(visitor))
    const refused = await api('POST', '/phones', { profile: { phoneNumber: number } })
    expect(refused.status).toBe(403)
    expect(refused.body).toMatchObject({
      errorCode: 'E0000006',
      errorCauses: [{ errorSummary: expect.stringContaining('enroll_amr_values') }],
    })
    expect(refused.headers.get('www-authenticate')).toBeNull()
  })

  test('A69: a user who has a question alone is asked for its answer, and for no step-up', async () => {
    await enrollmentPolicy(idp, { security_question: 'OPTIONAL', phone_number: 'OPTIONAL' })
    await hasEnrolled('security_question')
    idp.clock.advance(3000)
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(mary, password)
    if (visitor.remediations.includes('skip')) await visitor.submits('skip')
    const api = accountApi(idp, await tokenIn(visitor))
    const refused = await api('POST', '/phones', { profile: { phoneNumber: number } })
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([403, null])
    expect(refused.text).toContain('enroll_amr_values')
    const [href = ''] = await hrefsOf(api, 'security_question')
    expect((await api('DELETE', href)).status).toBe(202)
  })

  test('A69: a removal that passes by "wait" alone waits, also where a sign-in by one factor proved it', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', google_otp: 'OPTIONAL' })
    await sessionRule(idp, { primaryFactor: 'PASSWORD_IDP_ANY_FACTOR' })
    await hasPhone(idp)
    await hasEnrolled('google_otp')
    idp.clock.advance(3000)
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.submits('identify', { identifier: mary })
    await visitor.selects('phone_number', { methodType: 'sms' })
    await visitor.answers(await lastCode(idp))
    const api = accountApi(idp, await tokenIn(visitor))
    const [href = ''] = await hrefsOf(api, 'google_otp')
    expect((await api('DELETE', href)).status).toBe(403)
    expect((await api('DELETE', `${href}?wait=true`)).status).toBe(202)
    expect((await api('GET', href)).status).toBe(200)
  })

  test('A69: a phone that is for recoveries alone is not removed at once by the password', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    await hasPhone(idp)
    const id = await idOfPhone()
    await apiOf(idp)('PUT', `/authenticators/${id}`, { name: 'Phone', settings: { allowedFor: 'recovery' } })
    idp.clock.advance(3000)
    const api = await signedIn(idp, mary, password)
    const [phone] = (await api('GET', '/phones')).list
    expect((await api('DELETE', `/phones/${phone.id}`)).status).toBe(202)
    expect((await api('GET', '/phones')).list).toHaveLength(1)
    await apiOf(idp)('PUT', `/authenticators/${id}`, { name: 'Phone', settings: { allowedFor: 'any' } })
  })

  test('A69: what the enrolment policy does not name is not removed at once by the password', async () => {
    await enrollmentPolicy(idp, { google_otp: 'NOT_ALLOWED' })
    await hasEnrolled('google_otp')
    idp.clock.advance(3000)
    const api = await signedIn(idp, mary, password)
    const [href = ''] = await hrefsOf(api, 'google_otp')
    expect((await api('DELETE', href)).status).toBe(202)
  })

  test('A69: a removal that waits ends once its owner uses the phone', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    await hasPhone(idp)
    idp.clock.advance(3000)
    const api = await signedIn(idp, mary, password)
    const [phone] = (await api('GET', '/phones')).list
    expect((await api('DELETE', `/phones/${phone.id}?wait=true`)).status).toBe(202)
    await twoFactors(idp)
    idp.clock.advance(day / 2)
    const visitor = await signsIn()
    await visitor.selects('phone_number', { methodType: 'sms' })
    expect((await visitor.answers(await lastCode(idp))).interactionCode).toBeDefined()
    idp.clock.advance(day)
    await idp.engine.maintain()
    const next = await signsIn()
    expect(next.response.text).toContain('phone_number')
    expect(next.remediations).not.toContain('select-authenticator-enroll')
  })

  test('A69: a passkey of an earlier domain is no factor that is asked for, and is removed at once', async () => {
    await enrollmentPolicy(idp, { webauthn: 'OPTIONAL' })
    await hasEnrolled('webauthn')
    await idp.engine.storage.db
      .updateTable('enrollments')
      .set(({ fn, val }) => ({ data: fn<string>('replace', ['data', val('localhost'), val('old.example')]) }))
      .where('authenticator', '=', 'webauthn')
      .execute()
    idp.clock.advance(3000)
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(mary, password)
    await visitor.submits('skip')
    const api = accountApi(idp, await tokenIn(visitor))
    expect((await api('POST', '/webauthn/registration')).status).toBe(200)
    const [href = ''] = await hrefsOf(api, 'webauthn')
    expect((await api('DELETE', href)).status).toBe(204)
  })

  test.each(factors)('A34: a recovery by mail asks a user who has %s for it', async (key) => {
    await allOptional()
    await hasEnrolled(key)
    const visitor = await atTheCode(idp, mary)
    await visitor.answers((await mailTo(idp, mary)).code)
    // A phone that stands alone is asked for its method at once.
    const asked = key === 'phone_number' ? ['authenticator-verification-data'] : []
    expect(visitor.remediations).toEqual([...asked, 'select-authenticator-authenticate'])
    const authenticator = { id: visitor.response.body.authenticators?.value[0]?.id }
    for (const path of ['challenge/answer', 'skip']) {
      expect(
        (await visitor.submits(path, { credentials: { passcode: newPassword }, authenticator })).status,
      ).toBe(400)
    }
    expect(visitor.remediations).not.toContain('reset-authenticator')
  })

  test('A34: a recovery by text asks a user who has a passkey for it', async () => {
    await allOptional()
    await recoversByPhone(idp)
    await hasPhone(idp)
    await hasEnrolled('webauthn')
    const visitor = await visit(idp)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: mary })
    await visitor.selects('phone_number', { methodType: 'sms' })
    await visitor.answers(await lastCode(idp))
    expect(visitor.remediations).not.toContain('reset-authenticator')
    expect(visitor.response.text).toContain('webauthn')
  })

  test('A53: with every authenticator in use nothing shows before a proof who has what, and who is no user', async () => {
    await allOptional()
    await recoversByPhone(idp)
    const login = 'olga@example.com'
    await idp.people.add({ login, password })
    for (const key of factors) await hasEnrolled(key)
    idp.clock.advance(3000)
    const read = async (identifier: string, source: string) => {
      const seen = await walks(idp, identifier, source)
      return seen.map((answer) => masked(answer, identifier).replace(/"(pae|aut)\w{17}"/g, '"<id>"'))
    }
    const first = await read(mary, '203.0.113.9')
    expect(await read(login, '203.0.113.10')).toEqual(first)
    expect(await read('nina@example.com', '203.0.113.11')).toEqual(first)
  })
})

/** Everything that may be sent before a proof, of a name and from an address. */
async function walks(idp: Kit, identifier: string, source: string): Promise<readonly Answer[]> {
  const from = { headers: { 'x-forwarded-for': source } }
  const signIn = await visit(idp, from)
  const seen: Answer[] = [signIn.response, await signIn.signsIn(identifier, 'Wrong-Password-11')]
  for (const [key, methodType] of [
    ['phone_number', 'sms'],
    ['phone_number', 'voice'],
    ['okta_email', 'email'],
    ['google_otp', 'otp'],
    ['webauthn', 'webauthn'],
    ['security_question', 'security_question'],
    ['recovery_codes', 'recovery_codes'],
  ] as const) {
    const recovery = await visit(idp, from)
    seen.push(await recovery.submits('recover'))
    seen.push(await recovery.submits('identify', { identifier }))
    seen.push(await recovery.selects(key, { methodType }).catch(() => recovery.response))
    seen.push(await recovery.answers('000000x'))
    seen.push(await recovery.submits('challenge/resend'))
  }
  return seen
}
