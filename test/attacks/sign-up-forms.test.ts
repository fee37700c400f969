import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Kit, Visitor } from '../../src/testing/index.ts'
import { mailCount, mailTo, manyMails, newPassword, parallel, startTarget } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests } from '../support/nodes.ts'
import {
  changeSignUp,
  codeMail,
  fillsIn,
  messagesInFields,
  openSignUp,
  passwordInForm,
  toTheForm,
  unverified,
} from '../support/sign-up.ts'

const email = 'nina@example.com'
const password = 'Marmalade-Harbour-31'
const nina = { email, firstName: 'Nina', lastName: 'Nowak' }
const signUp = { open: true } as const

describe('a form of a sign-up', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startTarget(openSignUp({ limits: manyMails }))
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  const logins = async () =>
    (await apiOf(idp)('GET', '/users')).list.map(({ profile }) => (profile as { login: string }).login).sort()
  /** Deactivates a user, then deletes. */
  const removes = async (user: unknown) => {
    const api = apiOf(idp)
    const { body } = await api('GET', `/users/${user}`)
    await api('DELETE', `/users/${body.id}`)
    await api('DELETE', `/users/${body.id}`)
    expect((await api('GET', `/users/${body.id}`)).status).toBe(404)
  }
  const raw = (stateHandle: string, rest: string) =>
    fetch(`${idp.engineUrl}/idp/idx/enroll/new`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/ion+json; okta-version=1.0.0' },
      body: `{"stateHandle":${JSON.stringify(stateHandle)}${rest}`,
    })

  test('A22: whose values are of another type is refused, wherever they stand, and makes nothing', async () => {
    await changeSignUp(idp, { ...unverified, ...passwordInForm })
    const before = await logins()
    const odd = [null, [], ['a@example.com'], {}, { a: 1 }, 1, true, '', 'x'.repeat(70_000)]
    const bodies: object[] = []
    for (const value of odd) {
      bodies.push({ userProfile: value, credentials: { passcode: password } })
      for (const name of Object.keys(nina)) {
        bodies.push({ userProfile: { ...nina, [name]: value }, credentials: { passcode: password } })
      }
      bodies.push({ userProfile: nina, credentials: value })
      bodies.push({ userProfile: nina, credentials: { passcode: value } })
    }
    const visitor = await toTheForm(idp.visitor())
    for (const body of bodies) {
      const { status } = await visitor.submits('enroll/new', { ...body })
      expect([JSON.stringify(body).slice(0, 120), status]).toEqual([
        JSON.stringify(body).slice(0, 120),
        status === 413 ? 413 : 400,
      ])
    }
    expect(await logins()).toEqual(before)
  })

  test('A47: that two readers read differently is refused', async () => {
    const { stateHandle } = await toTheForm(idp.visitor())
    const profile = '"firstName":"N","lastName":"N"'
    for (const rest of [
      `,"userProfile":{"email":"a@example.com","email":"b@example.com",${profile}}}`,
      `,"userProfile":{"email":"a@example.com",${profile}},"userProfile":{"email":"b@example.com",${profile}}}`,
      `,"userProfile":{"email":"a@example.com","em\\u0061il":"b@example.com",${profile}}}`,
      `,"userProfile":{"__proto__":{"email":"a@example.com"},${profile}}}`,
    ]) {
      expect([rest, (await raw(stateHandle, rest)).status]).toEqual([rest, 400])
    }
    expect(await mailCount(idp)).toBe(0)
  })

  test('A58: gives no group, id, status, role or credential that it did not ask for', async () => {
    const api = apiOf(idp)
    const { body: group } = await api('POST', '/groups', { profile: { name: 'Admins' } })
    const wanted = {
      ...{ id: '00uaaaaaaaaaaaaaaaaa', status: 'ACTIVE', type: { id: 'otyadmin' }, groups: [group.id] },
      ...{ groupIds: [group.id], credentials: { password: { value: password } }, constructor: { x: 1 } },
      ...{ emailVerified: true, email_verified: true, admin: true, roles: ['SUPER_ADMIN'], login: 'admin' },
      ...{ secondEmail: 'eve@evil.example', mobilePhone: '+12024561111', userName: 'root' },
    }
    for (const setup of [{}, { ...unverified, ...passwordInForm }]) {
      await changeSignUp(idp, setup)
      const visitor = idp.visitor()
      await fillsIn(
        visitor,
        { ...wanted, ...nina },
        { ...wanted, credentials: { passcode: password, ...wanted } },
      )
      if (!('enrollAuthenticatorTypes' in setup)) await visitor.answers((await mailTo(idp, email)).code)
      const { body, text } = await api('GET', `/users/${email}`)
      expect(body.id).not.toBe(wanted.id)
      expect(body.profile).toMatchObject({ ...nina, login: email })
      expect(text).not.toMatch(/evil|SUPER|otyadmin|2024561111|root/)
      const groups = (await api('GET', `/users/${body.id}/groups`)).list
      expect(groups.map(({ profile }) => (profile as { name: string }).name)).toEqual(['Everyone'])
      await removes(email)
    }
  })

  test('A26: is text in mails and log, whatever it looks like, and no header', async () => {
    const odd = `\${user.id} {{7*7}} "Q" & O'Hara a < b`
    const visitor = await fillsIn(idp.visitor(), { ...nina, firstName: odd })
    await visitor.answers((await mailTo(idp, email)).code)
    await visitor.enrolls('okta_password')
    await visitor.answers(password)
    const { subject, text, html } = await mailTo(idp, email, ['Welcome'])
    // What could become a link is taken apart.
    expect(text).toContain(odd.replace('.', '. '))
    expect(subject).not.toContain('49')
    expect(html).not.toMatch(/a < b|"Q" & O'Hara/)
    expect(html).toContain('{{7*7}}')
    expect(html).toContain('&lt; b')
  })

  test.each([
    ['markup', '<img src=x onerror=alert(1)>'],
    ['the beginning of a tag', '</title'],
    ['a comment', '<!--'],
    ['a line end', 'Nina\r\nBcc: eve@evil.example'],
    ['a separator of lines', 'Nina\u2028Bcc'],
    ['a change of direction', '\u202eanin'],
    ['an isolate', '\u2066nina'],
    ['nothing to be seen', 'Ni\u200bna'],
    ['a NUL', 'Ni\0na'],
    ['half a character', 'Ni\ud800na'],
    ['an address of a page', 'win at https://evil.example'],
    ['an address without a scheme', 'www.evil.example'],
  ])('A26: with %s in a name is refused', async (_, firstName) => {
    const { response } = await fillsIn(idp.visitor(), { ...nina, firstName })
    expect(response.status).toBe(400)
    expect(await mailCount(idp)).toBe(0)
  })

  test.each([
    ['two of them', 'nina@example.com,eve@evil.example'],
    ['a line end', 'nina@example.com\r\nBcc: eve@evil.example'],
    ['a name in front', 'Nina <nina@example.com>'],
    ['a quoted part', '"nina eve"@example.com'],
    ['two signs', 'nina@example.com@evil.example'],
    ['a comment', 'nina(x)@example.com'],
    ['an address in brackets', 'nina@[127.0.0.1]'],
    ['a dot at its end', 'nina@example.com.'],
    ['nothing to be seen', 'ni\u200bna@example.com'],
    ['a change of direction', '\u202enina@example.com'],
    ['a fullwidth letter', '\uff4eina@example.com'],
    ['a fullwidth sign', 'nina\uff0b1@example.com'],
    ['the Kelvin sign', 'nina\u212a@example.com'],
    ['a ligature', 'nina\ufb01@example.com'],
    ['another full stop in its domain', 'nina@example\u3002com'],
    ['a halfwidth full stop in its domain', 'nina@example\uff61com'],
    ['a fullwidth letter in its domain', 'nina@\uff45xample.com'],
    ['the Kelvin sign in its domain', 'nina@\u212a.example'],
    ['a soft hyphen in its domain', 'nina@exam\u00adple.com'],
  ])('A27: with an address that is read in more than one way is refused: %s', async (_, odd) => {
    const { response } = await fillsIn(idp.visitor(), { ...nina, email: odd })
    expect([response.status, Object.keys(messagesInFields(response))]).toEqual([400, ['userProfile.email']])
    expect(await mailCount(idp)).toBe(0)
  })

  test('A27: with letters of its own in the domain is good', async () => {
    for (const own of ['nina@b\u00fccher.example', 'nina@B\u00dcCHER2.example', 'nina@stra\u00dfe.example']) {
      const { response } = await fillsIn(idp.visitor(), { ...nina, email: own })
      expect([own, response.status]).toEqual([own, 200])
    }
  })

  test('A23: a name that differs from a user’s in what is not compared is that user’s', async () => {
    for (const same of ['MARY@example.com', 'mary@EXAMPLE.com', ' mary@example.com ']) {
      await fillsIn(idp.visitor(), { ...nina, email: same })
      await idp.engine.delivery.idle()
      const [mail] = idp.outbox.all()
      expect([same, mail?.template, mail?.to]).toEqual([same, 'RegistrationTaken', 'mary@example.com'])
    }
  })

  test('A08: that is sent several times at once causes one mail; right answers at once make one user', async () => {
    const visitor = await toTheForm(idp.visitor())
    await parallel(5, () => visitor.submits('enroll/new', { userProfile: nina }))
    expect(await mailCount(idp)).toBe(1)
    const { code } = await mailTo(idp, email)
    const replies = await parallel(5, () => visitor.answers(code))
    expect(replies.every(({ status }) => status < 500)).toBe(true)
    expect((await logins()).filter((login) => login === email)).toHaveLength(1)
    await visitor.submits('introspect')
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    await visitor.enrolls('okta_password')
    const ends = await parallel(5, () => visitor.answers(password))
    expect(new Set(ends.flatMap(({ interactionCode }) => interactionCode ?? [])).size).toBe(1)
  })

  test('A13: the code of a sign-up is no code of a recovery, nor the reverse, nor that of another sign-up', async () => {
    const signsUp = await fillsIn(idp.visitor(), nina)
    const first = (await mailTo(idp, email)).code
    const other = await fillsIn(idp.visitor(), { ...nina, email: 'nora@example.com' })
    const second = (await mailTo(idp, 'nora@example.com')).code
    const recovers = await idp.visitor().atTheCode('mary@example.com')
    const third = (await mailTo(idp, 'mary@example.com')).code
    const wrong = async (visitor: Visitor, code: string | null | undefined) => {
      expect((await visitor.answers(code)).status).toBe(401)
    }
    if (first !== second) await wrong(signsUp, second)
    if (first !== third) await wrong(signsUp, third)
    if (first !== third) await wrong(recovers, first)
    if (first !== second) await wrong(other, first)
    expect(await logins()).not.toContain(email)
    await signsUp.answers(first)
    expect(await logins()).toContain(email)
    expect(await logins()).not.toContain('nora@example.com')
  })

  test('A16: every step of another page is refused at the form, and the form at every other page', async () => {
    const steps = [
      'challenge/answer',
      'challenge',
      'credential/enroll',
      'skip',
      'challenge/resend',
      'recover',
    ]
    const visitor = await toTheForm(idp.visitor())
    for (const step of steps) {
      const body = { credentials: { passcode: '000000' }, authenticator: { id: 'x' }, identifier: email }
      expect([step, (await visitor.submits(step, body)).status]).toEqual([step, 400])
    }
    const atCode = await fillsIn(idp.visitor(), nina)
    const { code } = await mailTo(idp, email)
    for (const path of ['enroll/new', 'enroll']) {
      const again = await atCode.submits(path, { userProfile: { ...nina, email: 'nora@example.com' } })
      expect([path, again.status]).toEqual([path, 400])
    }
    await atCode.answers(code)
    expect((await atCode.submits('skip')).status).toBe(400)
    expect((await atCode.submits('enroll/new', { userProfile: nina })).status).toBe(400)
    expect(await logins()).not.toContain('nora@example.com')
  })

  test('A15: a code that comes late makes nothing', async () => {
    const visitor = await fillsIn(idp.visitor(), nina)
    const { code } = await mailTo(idp, email)
    idp.clock.advance('6m')
    expect((await visitor.answers(code)).status).toBe(401)
    idp.clock.advance('2h')
    expect((await visitor.resends()).status).toBe(401)
    expect(await logins()).not.toContain(email)
  })

  test('A39: an unfinished user who is suspended or deleted gets no further', async () => {
    for (const [method, path] of [
      ['POST', '/lifecycle/deactivate'],
      ['DELETE', ''],
    ] as const) {
      const visitor = await fillsIn(idp.visitor(), nina)
      await visitor.answers((await mailTo(idp, email, [codeMail])).code)
      const api = apiOf(idp)
      const { body } = await api('GET', `/users/${email}`)
      await api(method, `/users/${body.id}${path}`)
      await visitor.enrolls('okta_password').catch(() => undefined)
      const last = await visitor.answers(password)
      expect([path, last.status >= 400, last.interactionCode]).toEqual([path, true, undefined])
      const after = (await api('GET', `/users/${body.id}`)).body.status
      expect(after).not.toBe('ACTIVE')
      await removes(body.id)
      expect(await logins()).not.toContain(email)
    }
  })

  test('A38: an address that is freed in between can be proven by another mail, and by no earlier one', async () => {
    const visitor = await fillsIn(idp.visitor(), { ...nina, email: 'mary@example.com' })
    expect((await mailTo(idp, 'mary@example.com')).code).toBeNull()
    await removes('mary@example.com')
    expect((await visitor.answers('000000')).status).toBe(401)
    await visitor.resends()
    await visitor.answers((await mailTo(idp, 'mary@example.com', [codeMail])).code)
    expect((await apiOf(idp)('GET', '/users/mary@example.com')).body).toMatchObject({
      status: 'PROVISIONED',
      profile: { firstName: 'Nina' },
    })
  })

  test('A38: an address that another user gets in between, as email or as login, is that user’s', async () => {
    const api = apiOf(idp)
    for (const change of [{ email }, { login: email }]) {
      const visitor = await fillsIn(idp.visitor(), nina)
      const { code } = await mailTo(idp, email, [codeMail])
      const { status } = await api('POST', '/users/mary@example.com', { profile: change })
      expect(status).toBe(200)
      await visitor.answers(code)
      expect(visitor.messages).toEqual(['registration.error.notUniqueWithinOrg'])
      await idp.reset()
    }
  })

  test('A13: a token or a code of a deleted user is worth nothing to who signs up with the address', async () => {
    const api = apiOf(idp)
    const made = await api('POST', '/users?activate=false', { profile: { ...nina, login: email } })
    const { body } = await api('POST', `/users/${made.body.id}/lifecycle/activate?sendEmail=false`)
    const activation_token = String(body.activationToken)
    await removes(made.body.id)
    const visitor = await fillsIn(idp.visitor(), nina)
    await visitor.answers((await mailTo(idp, email, [codeMail])).code)
    const holder = idp.visitor({ parameters: { activation_token } })
    expect((await holder.interacts()).status).toBe(400)
    await visitor.enrolls('okta_password')
    expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
  })
})

describe('a flood of forms', () => {
  const sending = async (idp: Kit, address: string, index: number, client?: string) => {
    const visitor = idp.visitor({
      headers: { 'x-forwarded-for': address },
      ...(client !== undefined && { client }),
    })
    await fillsIn(visitor, { ...nina, email: `n${index}@example.com` })
    return visitor.response.status
  }

  test('A60: from one IPv6 network is one source, and a public client vouches for none', async () => {
    const requests = { ...manyRequests.requests, signUpsPerSource: 2, signUpsPerNetwork: 4 }
    const idp = await startTarget({ settings: { signUp, limits: { ...manyMails, requests } } })
    const statuses: number[] = []
    let index = 0
    // One /64, whatever stands behind it; then others of the same /48; then another one.
    for (const address of ['2001:db8:1:1::1', '2001:db8:1:1::2', '2001:db8:1:1:ffff::3']) {
      statuses.push(await sending(idp, address, index++))
    }
    expect(statuses).toEqual([200, 200, 429])
    for (const address of ['2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8:1:4::1']) {
      statuses.push(await sending(idp, address, index++))
    }
    expect(statuses.slice(3)).toEqual([200, 200, 429])
    expect(await sending(idp, '2001:db8:2::1', index++)).toBe(200)
    expect(await sending(idp, '::ffff:203.0.113.7', index++)).toBe(200)
    expect(await sending(idp, '203.0.113.7', index++)).toBe(200)
    expect(await sending(idp, '203.0.113.7', index++)).toBe(429)
    const forged: number[] = []
    for (let host = 0; host < 4; host++) {
      forged.push(await sending(idp, `198.51.100.${host}`, index++, idp.publicClientId))
    }
    expect(forged).toEqual([200, 200, 429, 429])
    await idp.close()
  })

  test('A28: under every spelling of an address, a mailbox gets as many mails as under one', async () => {
    const idp = await startTarget({ settings: { signUp } })
    const spellings = (index: number) =>
      [
        `nina.nowak+${index}@example.com`,
        `NINA.nowak@example.com`,
        `n.ina.nowak+a+${index}@Example.com`,
        `ninanowak@example.com`,
        `nina.n.o.w.a.k+@EXAMPLE.com`,
      ][index % 5] ?? ''
    for (let index = 0; index < 30; index++) {
      const headers = { 'x-forwarded-for': `198.51.${index}.1` }
      await fillsIn(idp.visitor({ headers }), { ...nina, email: spellings(index) })
    }
    expect(await mailCount(idp)).toBeLessThanOrEqual(5)
    await idp.close()
  })

  test('A28: where no mail proves the address, a mailbox gets no more welcomes than other mails, and the account is made', async () => {
    const idp = await startTarget({ settings: { signUp } })
    await changeSignUp(idp, { ...unverified, ...passwordInForm })
    for (let index = 0; index < 12; index++) {
      const visitor = idp.visitor({ headers: { 'x-forwarded-for': `198.51.${index}.1` } })
      const profile = { ...nina, firstName: 'PAY evil.example/x', email: `nina+${index}@example.com` }
      await fillsIn(visitor, profile, { credentials: { passcode: password } })
      expect([index, visitor.response.interactionCode]).toEqual([index, expect.any(String)])
    }
    await idp.engine.delivery.idle()
    const mails = idp.outbox.all()
    expect(mails.length).toBeGreaterThan(0)
    expect(mails.length).toBeLessThanOrEqual(5)
    for (const { text, html } of mails) expect(`${text}${html}`).not.toMatch(/PAY|Nowak/)
    await idp.close()
  })

  test('A63: a welcome to a mailbox that was not proven names the address, and nothing that was typed', async () => {
    const idp = await startTarget({ settings: { signUp } })
    const profileAttributes = ['email', 'login'].map((name) => ({ name, label: name, required: true }))
    await changeSignUp(idp, { ...unverified, ...passwordInForm, profileAttributes })
    const credentials = { passcode: password }
    await fillsIn(idp.visitor(), { ...nina, login: 'PAY evil.example/x' }, { credentials })
    const { text } = await mailTo(idp, email, ['Welcome'])
    expect(text).toContain('nina@example')
    expect(text).not.toContain('PAY')
    await idp.close()
  })
})
