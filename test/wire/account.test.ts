import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { accountApi, accountVisitor, grantAccount, signedIn, tokenIn } from '../support/account.ts'
import { apiOf } from '../support/management.ts'
import { codeAt, enrollmentPolicy, period, secretIn } from './totp.ts'

// This file runs on SQLite, and in `npm run test:pg` on PostgreSQL.
let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
beforeEach(async () => {
  await idp.reset()
  await grantAccount(idp)
})
afterAll(() => idp.close())

const minute = 60_000
const day = 24 * 60 * minute
const mary = () => signedIn(idp, idp.person.login, idp.person.password)
const codeTo = async (to: string) => {
  const mail = await idp.outbox.waitFor({ to, template: ['PendingEmailChange'] })
  return /\b\d{6}\b/.exec(mail.text)?.[0] ?? ''
}
const codesIn = ({ body }: { readonly body: Readonly<Record<string, unknown>> }) => body.errorCode

/** Mary's profile as it is stored, whatever her login is by now. */
const profileNow = async () =>
  ((await idp.engine.people.find('mary@example.com')) ?? (await idp.engine.people.find('new@example.com')))
    ?.profile

async function enrolledApp(): Promise<string> {
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
  const visitor = accountVisitor(idp, { enroll_amr_values: 'google_otp' })
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  const secret = secretIn(await visitor.enrolls('google_otp'))
  expect((await visitor.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
  idp.clock.advance(10 * period)
  return secret
}

/** A sign-in by the password and the app, as an app has its user do for what asks for more. */
async function strong(secret: string) {
  const visitor = accountVisitor(idp, { enroll_amr_values: 'kba' })
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  if (visitor.response.interactionCode === undefined) {
    await visitor.selects('google_otp')
    await visitor.answers(codeAt(secret, idp.clock.now()))
  }
  const token = await tokenIn(visitor)
  idp.clock.advance(2 * period)
  return accountApi(idp, token)
}

describe('who may call', () => {
  test('nobody without a token of a user, and none with one of another kind', async () => {
    for (const token of ['', 'x.y.z', idp.apiToken]) {
      const { status, body, headers } = await accountApi(idp, token)('GET', '/profile')
      expect([status, body.errorCode]).toEqual([401, 'E0000011'])
      expect(headers.get('www-authenticate')).toContain('error="invalid_token"')
    }
  })
  test('a token with the scope of the operation; that of a change is good for reading', async () => {
    const api = await signedIn(idp, idp.person.login, idp.person.password, ['okta.myAccount.email.manage'])
    expect((await api('GET', '/emails')).status).toBe(200)
    const { status, headers, body } = await api('GET', '/profile')
    expect([status, body.errorCode]).toEqual([403, 'E0000006'])
    expect(headers.get('www-authenticate')).toContain('scope="okta.myAccount.profile.read"')
  })
  test('whose grant was not taken back, and whose session lives', async () => {
    const api = await mary()
    const admin = apiOf(idp)
    const { list } = await admin('GET', `/apps/${idp.clientId}/grants`)
    const id = list.find(({ scopeId }) => scopeId === 'okta.myAccount.profile.read')?.id
    const manage = list.find(({ scopeId }) => scopeId === 'okta.myAccount.profile.manage')?.id
    for (const one of [id, manage]) await admin('DELETE', `/apps/${idp.clientId}/grants/${one}`)
    expect((await api('GET', '/profile')).status).toBe(403)
    expect((await api('DELETE', '/sessions')).status).toBe(204)
    expect((await api('GET', '/emails')).status).toBe(401)
  })
  test('whose call names a version', async () => {
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.signsIn()
    const token = await tokenIn(visitor)
    const called = (accept: string) => accountApi(idp, token, { accept })('GET', '/profile')
    expect(codesIn(await called('application/json'))).toBe('E0000149')
    expect((await called('application/json')).status).toBe(406)
    const answered = await called('*/*;okta-version=1.0.0')
    expect(answered.status).toBe(200)
    expect(answered.headers.get('content-type')).toBe('application/json;okta-version=1.0.0')
  })
  test('a page of a trusted origin reads the reason of a refusal', async () => {
    const origin = new URL(idp.redirectUri).origin
    const response = await fetch(`${idp.engineUrl}/idp/myaccount/profile`, { headers: { origin } })
    expect(response.headers.get('access-control-expose-headers')).toContain('www-authenticate')
    const asked = await fetch(`${idp.engineUrl}/idp/myaccount/emails/x`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'authorization,x-okta-user-agent-extended',
      },
    })
    expect(asked.headers.get('access-control-allow-methods')).toContain('PATCH')
  })
})

describe('the sign-in behind a token', () => {
  test('must be recent for a change: the reason says how the app has it done anew', async () => {
    const api = await mary()
    idp.clock.advance(15 * minute + 1000)
    expect((await api('GET', '/emails')).status).toBe(200)
    const refused = await api('POST', '/emails', { profile: { email: 'new@example.com' } })
    expect([refused.status, codesIn(refused)]).toEqual([403, 'E0000006'])
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="IdpMyAccountAPI", error="insufficient_authentication_context", error_description="The access token requires additional assurance to access the resource", max_age=900',
    )
  })
  test('must have proven two factors where the user has two', async () => {
    const secret = await enrolledApp()
    const weak = await mary()
    const refused = await weak('POST', '/emails', { profile: { email: 'new@example.com' } })
    expect(refused.headers.get('www-authenticate')).toMatch(
      /max_age=900, acr_values="urn:okta:loa:2fa:any:ifpossible"$/,
    )
    const api = await strong(secret)
    expect((await api('POST', '/emails', { profile: { email: 'new@example.com' } })).status).toBe(201)
  })
})

describe('an address', () => {
  test('is listed as one of the account, with links that the SDK follows', async () => {
    const { list, status } = await (await mary())('GET', '/emails')
    expect(status).toBe(200)
    expect(list).toEqual([
      {
        id: expect.stringMatching(/^eml/),
        status: 'UNVERIFIED',
        roles: ['PRIMARY'],
        profile: { email: idp.person.login },
        _links: {
          self: { href: expect.stringContaining('/idp/myaccount/emails/eml'), hints: { allow: ['GET'] } },
          challenge: { href: expect.stringMatching(/\/challenge$/), hints: { allow: ['POST'] } },
        },
      },
    ])
  })
  test('takes the place of the former one once its code came back and an own factor was proven', async () => {
    const secret = await enrolledApp()
    // A factor that was added without an older one counts for this a day later (A77).
    idp.clock.advance(day + minute)
    const api = await strong(secret)
    const added = await api('POST', '/emails', { profile: { email: 'new@example.com' } })
    expect([added.status, added.body.status]).toEqual([201, 'UNVERIFIED'])
    const links = added.body._links as { verify: { href: string }; poll: { href: string } }
    expect((await api('GET', links.poll.href)).body.status).toBe('UNVERIFIED')
    const code = await codeTo('new@example.com')
    const wrong = await api('POST', links.verify.href, {
      verificationCode: code === '000000' ? '1' : '000000',
    })
    expect([wrong.status, codesIn(wrong)]).toEqual([401, 'E0000004'])
    const verified = await api('POST', links.verify.href, { verificationCode: code })
    expect([verified.status, verified.text, verified.headers.get('content-type')]).toEqual([200, '', null])
    expect(await profileNow()).toMatchObject({ email: 'new@example.com', login: 'new@example.com' })
    await idp.outbox.waitFor({ to: idp.person.login, template: ['EmailChanged'] })
  })
  test('without an own factor waits a day, and a link in the notice stops it', async () => {
    const api = await mary()
    const { body } = await api('POST', '/emails', { profile: { email: 'new@example.com' } })
    const { verify } = body._links as { verify: { href: string } }
    const answer = await api('POST', verify.href, { verificationCode: await codeTo('new@example.com') })
    expect(answer.status).toBe(202)
    const notice = await idp.outbox.waitFor({ to: idp.person.login, template: ['AccountChangeWaiting'] })
    const stop = /http\S+\/account\/stop\/\w{43}/.exec(notice.text)?.[0] ?? ''
    const opened = await fetch(stop)
    expect([opened.status, await opened.text()]).toEqual([
      200,
      expect.stringContaining('<form method="post">'),
    ])
    expect((await api('GET', '/emails')).list).toMatchObject([
      { profile: { email: idp.person.login } },
      { profile: { email: 'new@example.com' }, status: 'UNVERIFIED', waitingUntil: expect.any(String) },
    ])
    const stopped = await fetch(stop, { method: 'POST' })
    expect(await stopped.text()).toContain('The change is stopped')
    idp.clock.advance(day + minute)
    await idp.engine.maintain()
    expect(await profileNow()).toMatchObject({ email: idp.person.login })
  })
  test('that waited its time is carried out', async () => {
    const api = await mary()
    const { body } = await api('POST', '/emails', { profile: { email: 'new@example.com' } })
    const { verify } = body._links as { verify: { href: string } }
    await api('POST', verify.href, { verificationCode: await codeTo('new@example.com') })
    idp.clock.advance(day - minute)
    await idp.engine.maintain()
    expect(await profileNow()).toMatchObject({ email: idp.person.login })
    idp.clock.advance(2 * minute)
    await idp.engine.maintain()
    expect(await profileNow()).toMatchObject({ email: 'new@example.com' })
  })
  test('that the account has, or that is none, is refused, and one that is not confirmed is taken back', async () => {
    const api = await mary()
    const post = (email: unknown) => api('POST', '/emails', { profile: { email } })
    expect(codesIn(await post(idp.person.login.toUpperCase()))).toBe('E0000157')
    expect(codesIn(await post('no address'))).toBe('E0000001')
    expect(codesIn(await post(7))).toBe('E0000001')
    const { body } = await post('new@example.com')
    expect((await post('new@example.com')).status).toBe(409)
    const removed = await api('DELETE', `/emails/${body.id}`)
    expect([removed.status, removed.text]).toEqual([204, ''])
    const [{ id }] = (await api('GET', '/emails')).list
    expect((await api('DELETE', `/emails/${id}`)).status).toBe(400)
    expect((await api('GET', '/emails/emlnone')).status).toBe(404)
  })
  test('of the account is proven by a code that is sent to it', async () => {
    const api = await mary()
    const [{ id }] = (await api('GET', '/emails')).list
    const sent = await api('POST', `/emails/${id}/challenge`)
    expect([sent.status, sent.body.id]).toEqual([201, expect.stringMatching(/^myaccount/)])
    const at = `/emails/${id}/challenge/${sent.body.id}`
    expect((await api('POST', at)).body.status).toBe('UNVERIFIED')
    const code = await codeTo(idp.person.login)
    expect((await api('POST', `${at}/verify`, { verificationCode: code })).status).toBe(200)
    expect((await api('GET', '/emails')).list).toMatchObject([{ id, status: 'VERIFIED' }])
    expect((await api('GET', at)).body.status).toBe('VERIFIED')
  })
})

describe('a password', () => {
  test('is replaced by a user who knows the former one', async () => {
    const api = await mary()
    const shown = await api('GET', '/password')
    expect(shown.body).toMatchObject({ status: 'ACTIVE', id: expect.stringMatching(/^lae/) })
    const change = (oldPassword: string, newPassword: string) =>
      api('POST', '/password/change-password', { oldPassword, newPassword })
    expect(await change('wrong', 'Lighthouse-Biscuit-77')).toMatchObject({
      status: 403,
      body: { errorCode: 'E0000014' },
    })
    expect(codesIn(await change(idp.person.password, 'short'))).toBe('E0000001')
    const changed = await change(idp.person.password, 'Lighthouse-Biscuit-77')
    expect([changed.status, changed.text]).toEqual([204, ''])
    expect((await api('GET', '/password')).status).toBe(401)
    await signedIn(idp, idp.person.login, 'Lighthouse-Biscuit-77')
  })
  test('says what it must be', async () => {
    const { body } = await (await mary())('GET', '/password/complexity-requirements')
    expect(body).toMatchObject({
      description: expect.stringMatching(/^Password requirements/),
      complexity: { minLength: 12 },
    })
  })
})

describe('a profile', () => {
  test('is replaced as far as the user schema lets its user', async () => {
    const admin = apiOf(idp)
    await admin('POST', '/meta/schemas/user/default', {
      definitions: {
        custom: {
          id: '#custom',
          type: 'object',
          properties: {
            shoeSize: {
              title: 'Shoe size',
              type: 'integer',
              permissions: [{ principal: 'SELF', action: 'READ_WRITE' }],
            },
            secret: { title: 'Secret', type: 'string', permissions: [{ principal: 'SELF', action: 'HIDE' }] },
          },
        },
      },
    })
    const api = await mary()
    const { body } = await api('GET', '/profile')
    const profile = body.profile as Record<string, unknown>
    expect(profile).not.toHaveProperty('secret')
    expect((await api('GET', '/profile/schema')).body.properties).toMatchObject({
      shoeSize: { title: 'Shoe size', type: 'integer', permissions: { SELF: 'READ_WRITE' } },
    })
    const put = (changes: object) => api('PUT', '/profile', { profile: { ...profile, ...changes } })
    const cause = async (changes: object) => {
      const refused = await put(changes)
      expect(refused.body.errorSummary).toBe('Api validation failed: forUpdate')
      return (refused.body.errorCauses as { errorSummary: string }[])[0]?.errorSummary
    }
    const changed = await put({ shoeSize: 43 })
    expect(changed.body.profile).toMatchObject({ shoeSize: 43 })
    expect(await cause({ shoeSize: 'large' })).toContain("Invalid value data type for property 'shoeSize'")
    expect(await cause({ email: 'new@example.com' })).toContain('You cannot update email attributes')
    expect(await cause({ firstName: 'Eve' })).toContain("Property 'firstName' is read only.")
    expect(await cause({ secret: 'x' })).toContain("Property 'secret' does not exist or is not accessible.")
    expect(await cause({ shoeSize: undefined })).toContain("Property 'shoeSize' needs a value passed.")
    expect((await put({ shoeSize: null })).body.profile).toMatchObject({ shoeSize: null })
  })
})

describe('what the user has of authenticators', () => {
  test('is listed, and removed by a user who has proven it', async () => {
    const secret = await enrolledApp()
    const api = await strong(secret)
    const { list } = await api('GET', '/authenticators?expand=enrollments,requirements')
    const app = list.find(({ key }) => key === 'google_otp')
    expect(app).toMatchObject({ enrollable: false, _embedded: { enrollments: [{ canUnenroll: true }] } })
    const own = list.find(({ key }) => key === 'okta_password')
    expect(own._embedded).toMatchObject({
      enrollments: [{ canUnenroll: false, canReset: true }],
      requirements: { complexity: { minLength: 12 } },
    })
    const at = app._embedded.enrollments[0]._links.self.href
    expect((await api('GET', at)).body.id).toMatch(/^uft/)
    expect((await api('PATCH', at, { nickname: 'Mine' })).status).toBe(403)
    expect((await api('DELETE', own._embedded.enrollments[0]._links.self.href)).status).toBe(403)
    expect((await api('DELETE', at)).status).toBe(204)
    expect((await api('GET', at)).status).toBe(404)
    await idp.outbox.waitFor({ to: idp.person.login, template: ['AuthenticatorReset'] })
  })
  test('phones are of an authenticator that is not in use', async () => {
    const api = await mary()
    expect(await api('GET', '/phones')).toMatchObject({ status: 200, list: [] })
    const added = await api('POST', '/phones', { profile: { phoneNumber: '+15555550123' }, method: 'SMS' })
    expect([added.status, codesIn(added)]).toEqual([403, 'E0000038'])
  })
})

describe('an enrolment that an app begins', () => {
  test('offers what the app asks for and the policy allows, and may be declined', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const visitor = accountVisitor(idp, { enroll_amr_values: 'sms google_otp webauthn' })
    await visitor.begins()
    const seen = await visitor.signsIn()
    expect(seen.remediations).toEqual(['select-authenticator-enroll', 'skip'])
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
  })
  test('asks a user who has an app for its code first, and has nothing to add of what is there', async () => {
    const secret = await enrolledApp()
    const visitor = accountVisitor(idp, { enroll_amr_values: 'google_otp' })
    await visitor.begins()
    await visitor.signsIn()
    expect(visitor.remediations).toContain('select-authenticator-authenticate')
    await visitor.selects('google_otp')
    const done = await visitor.answers(codeAt(secret, idp.clock.now()))
    expect(done.interactionCode).toBeDefined()
  })
  test('stays one after it was cancelled, and names that are none are refused', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const visitor = accountVisitor(idp, { enroll_amr_values: 'otp' })
    await visitor.begins()
    await visitor.signsIn()
    await visitor.cancels()
    expect((await visitor.signsIn()).remediations).toContain('select-authenticator-enroll')
    expect((await visitor.interacts({ enroll_amr_values: 'nonsense' })).body.error).toBe('invalid_request')
  })
})
