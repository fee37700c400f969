import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import {
  appWith,
  emailWith,
  enrolsEmail,
  verifiesSecond,
  warnsOfExpiry,
  withoutSelfService,
} from './email.ts'
import { enrollmentPolicy, twoFactors } from './totp.ts'
import { newVisitor, type Visitor } from './visitor.ts'

const mary = 'mary@example.com'
const second = 'mary.second@example.net'
const newPassword = 'Lighthouse-Biscuit-77'
const day = 86_400_000

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const remediationsOf = ({ remediations }: Answer) => remediations
const formOf = ({ body }: Answer, name: string) =>
  body.remediation?.value.find((one) => one.name === name)?.value ?? []
const emailId = ({ body }: Answer) => body.authenticators?.value.find(({ key }) => key === 'okta_email')?.id
type Current = Readonly<Record<string, unknown>>
const currentOf = ({ body }: Answer): Current =>
  ((body.currentAuthenticatorEnrollment ?? body.currentAuthenticator) as { readonly value: Current }).value
async function templatesTo(to: string): Promise<readonly (string | null)[]> {
  await idp.engine.delivery.idle()
  return idp.outbox.to(to).map(({ template }) => template)
}
const mailsTo = async (to: string) => (await templatesTo(to)).length

/** The claims of the ID token that a visitor's last answer leads to. */
async function claimsOf(visitor: Visitor): Promise<Current> {
  const { body } = await visitor.redeems()
  return JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString())
}

async function afterThePassword(visitor: Visitor = newVisitor(idp)) {
  await visitor.begins()
  await visitor.signsIn(mary, idp.person.password)
  return visitor
}

describe('the method choice', () => {
  test('is not shown as long as nothing says so: the mail leaves as soon as email is chosen', async () => {
    const visitor = newVisitor(idp)
    const named = await visitor.recovers()
    expect(remediationsOf(named)).toEqual(['select-authenticator-authenticate'])

    const chosen = await visitor.submits('challenge', { authenticator: { id: emailId(named) } })
    expect(remediationsOf(chosen)[0]).toBe('challenge-authenticator')
    expect((await visitor.mail(mary)).code).toMatch(/^\d{6}$/)
  })

  test('is shown directly in a recovery where the app says so, and the mail leaves with the method', async () => {
    await appWith(idp, { email_method_choice: true })
    const visitor = newVisitor(idp)
    const named = await visitor.recovers()
    expect(remediationsOf(named)).toEqual([
      'authenticator-verification-data',
      'select-authenticator-authenticate',
    ])
    const [field] = formOf(named, 'authenticator-verification-data')
    expect(field).toEqual({
      name: 'authenticator',
      label: 'Email',
      form: {
        value: [
          { name: 'id', required: true, value: emailId(named), mutable: false },
          {
            name: 'methodType',
            type: 'string',
            required: true,
            options: [{ label: 'Email', value: 'email' }],
          },
        ],
      },
    })
    expect(currentOf(named)).toMatchObject({ key: 'okta_email', profile: { email: 'm***y@example.com' } })
    expect(currentOf(named)).not.toHaveProperty('contextualData')

    // The id alone, and asking for another mail, ask for the method again: nothing has been sent.
    const again = await visitor.submits('challenge', { authenticator: { id: emailId(named) } })
    expect(remediationsOf(again)[0]).toBe('authenticator-verification-data')
    expect(remediationsOf(await visitor.submits('challenge/resend'))[0]).toBe(
      'authenticator-verification-data',
    )
    expect(await mailsTo(mary)).toBe(0)

    const sent = await visitor.submits('challenge', {
      authenticator: { id: emailId(named), methodType: 'email' },
    })
    expect(remediationsOf(sent)[0]).toBe('challenge-authenticator')
    const { code } = await visitor.mail(mary)
    expect(remediationsOf(await visitor.answers(code))).toContain('reset-authenticator')
    expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
  })

  test('looks the same for an unknown user, who gets no mail', async () => {
    await appWith(idp, { email_method_choice: true })
    const walk = async (login: string) => {
      const visitor = newVisitor(idp)
      const named = await visitor.recovers(login)
      const sent = await visitor.submits('challenge', {
        authenticator: { id: emailId(named), methodType: 'email' },
      })
      return [named, sent].map((answer) => ({
        status: answer.status,
        remediations: remediationsOf(answer),
        current: Object.keys(currentOf(answer)),
      }))
    }
    expect(await walk('nobody@example.com')).toEqual(await walk(mary))
    expect(await mailsTo('nobody@example.com')).toBe(0)
  })

  test('is shown after a password, where email is the only second factor', async () => {
    await appWith(idp, { email_method_choice: true })
    await twoFactors(idp)
    const visitor = await afterThePassword()
    expect(remediationsOf(visitor.response)).toEqual([
      'authenticator-verification-data',
      'select-authenticator-authenticate',
    ])
    expect(await mailsTo(mary)).toBe(0)
    await visitor.submits('challenge', {
      authenticator: { id: emailId(visitor.response), methodType: 'email' },
    })
    const { code } = await visitor.mail(mary)
    const done = await visitor.answers(code)
    expect(done.interactionCode).toBeDefined()
    expect((await claimsOf(visitor)).amr).toEqual(['pwd', 'otp', 'mfa'])
  })

  test('is a setting of the installation, which an app may switch off', async () => {
    const other = await startEngine({ settings: { authenticators: { email: { methodChoice: true } } } })
    const before = idp
    idp = other
    try {
      expect(remediationsOf(await newVisitor(idp).recovers())[0]).toBe('authenticator-verification-data')
      await appWith(idp, { email_method_choice: false })
      expect(remediationsOf(await newVisitor(idp).recovers())).toEqual(['select-authenticator-authenticate'])
    } finally {
      idp = before
      await other.close()
    }
  })

  test('is read back, goes with a null, and has to be true or false', async () => {
    await appWith(idp, { email_method_choice: true })
    const api = apiOf(idp)
    const read = async () => {
      const { body } = await api('GET', `/apps/${idp.clientId}`)
      return (body.settings as { readonly oauthClient: object }).oauthClient
    }
    expect(await read()).toMatchObject({ email_method_choice: true })
    await appWith(idp, { email_method_choice: null })
    expect(await read()).not.toHaveProperty('email_method_choice')
    const { body } = await api('GET', `/apps/${idp.clientId}`)
    const wrong = { ...body, settings: { oauthClient: { ...(await read()), email_method_choice: 'yes' } } }
    expect((await api('PUT', `/apps/${idp.clientId}`, wrong)).status).toBe(400)
  })
})

describe('email as the factor beside the password', () => {
  test('proves possession beside knowledge: pwd, otp, mfa', async () => {
    await twoFactors(idp)
    const visitor = await afterThePassword()
    await visitor.selects('okta_email')
    expect(currentOf(visitor.response)).toMatchObject({
      contextualData: { useEmailMagicLink: true },
      poll: { refresh: 4000 },
      resend: {},
    })
    const { code, link } = await visitor.mail(mary)
    expect(link).toContain('/email/verify/')
    expect((await visitor.answers(code)).interactionCode).toBeDefined()
    expect((await claimsOf(visitor)).amr).toEqual(['pwd', 'otp', 'mfa'])
  })

  test('has no link where the authenticator says so: no poll, and the mail has the code alone', async () => {
    await emailWith(idp, { useEmailMagicLink: false })
    await twoFactors(idp)
    const visitor = await afterThePassword()
    await visitor.selects('okta_email')
    const current = currentOf(visitor.response)
    expect(current).toMatchObject({ contextualData: { useEmailMagicLink: false }, resend: {} })
    expect(current).not.toHaveProperty('poll')
    const { code, link, html, text } = await visitor.mail(mary)
    expect(link).toBeNull()
    expect(`${html}${text}`).not.toMatch(/otp=|\/email\/verify|callback\?/)
    expect((await visitor.answers(code)).interactionCode).toBeDefined()

    const recovery = await newVisitor(idp).atTheCode()
    expect(currentOf(recovery.response)).toMatchObject({ contextualData: { useEmailMagicLink: false } })
    expect((await recovery.mail(mary, 'ForgotPassword')).link).toBeNull()
  })

  test.each([
    ['allowedFor recovery', { allowedFor: 'recovery' }],
    ['allowedFor none', { allowedFor: 'none' }],
  ])('is no second factor with %s', async (_, settings) => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    if (settings.allowedFor === 'none') await withoutSelfService(idp)
    await emailWith(idp, settings)
    await twoFactors(idp)
    const visitor = await afterThePassword()
    expect(remediationsOf(visitor.response)).toEqual(['select-authenticator-enroll'])
    expect((await visitor.selects('okta_email')).status).toBe(400)
    expect(await mailsTo(mary)).toBe(0)
  })

  test('starts no recovery with allowedFor sso', async () => {
    await withoutSelfService(idp)
    await emailWith(idp, { allowedFor: 'sso' })
    const visitor = newVisitor(idp)
    await visitor.begins()
    expect((await visitor.submits('recover')).messages).toEqual([
      'oie.selfservice.reset.password.not.allowed',
    ])
  })

  test('takes no code any more once an administrator has switched it off', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    await twoFactors(idp)
    const visitor = await afterThePassword()
    await visitor.selects('okta_email')
    const { code } = await visitor.mail(mary)
    await emailWith(idp, { allowedFor: 'recovery' })
    const refused = await visitor.answers(code)
    expect(refused.interactionCode).toBeUndefined()
    expect(remediationsOf(refused)).toEqual(['select-authenticator-enroll'])
  })

  test('is good for as many minutes as the authenticator says', async () => {
    await emailWith(idp, { tokenLifetimeInMinutes: 2 })
    await twoFactors(idp)
    const visitor = await afterThePassword()
    await visitor.selects('okta_email')
    const { code } = await visitor.mail(mary)
    idp.clock.advance(2 * 60_000)
    expect((await visitor.answers(code)).messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
    await visitor.submits('challenge/resend')
    const next = await visitor.mail(mary)
    idp.clock.advance(2 * 60_000 - 20_000)
    expect((await visitor.answers(next.code)).interactionCode).toBeDefined()
  })
})

describe('the enrolment of a mailbox', () => {
  test('is asked for once where a policy says that it is not done by itself', async () => {
    await enrolsEmail(idp)
    const visitor = await afterThePassword()
    expect(remediationsOf(visitor.response)).toEqual(['select-authenticator-enroll'])
    const at = await visitor.enrolls('okta_email')
    expect(remediationsOf(at)).toEqual(['enroll-authenticator', 'select-authenticator-enroll'])
    expect(currentOf(at)).toMatchObject({
      key: 'okta_email',
      contextualData: { useEmailMagicLink: true },
      poll: { refresh: 4000 },
      resend: {},
    })
    expect(at.body.enrollmentAuthenticator).not.toHaveProperty('value.contextualData')
    const { code } = await visitor.mail(mary)
    expect((await visitor.answers(code === '000000' ? '111111' : '000000')).messages).toEqual([
      'api.authn.error.PASSCODE_INVALID',
    ])
    expect((await visitor.answers(code)).interactionCode).toBeDefined()
    expect((await claimsOf(visitor)).email_verified).toBe(true)

    // The mailbox is proven: from now on it is not asked for.
    expect((await afterThePassword()).response.interactionCode).toBeDefined()
  })

  test('is not asked for of anyone else: by default every user has the mailbox', async () => {
    await enrolsEmail(idp, 'REQUIRED', true)
    expect((await afterThePassword()).response.interactionCode).toBeDefined()
  })

  test('may be skipped where it is optional', async () => {
    await enrolsEmail(idp, 'OPTIONAL')
    const visitor = await afterThePassword()
    expect(remediationsOf(visitor.response)).toEqual(['select-authenticator-enroll', 'skip'])
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
  })

  test('counts as a proof in the transaction; a mailbox that is not enrolled is no second factor', async () => {
    await enrolsEmail(idp)
    await twoFactors(idp)
    const visitor = await afterThePassword()
    expect(remediationsOf(visitor.response)).toEqual(['select-authenticator-enroll'])
    await visitor.enrolls('okta_email')
    const { code } = await visitor.mail(mary)
    expect((await visitor.answers(code)).interactionCode).toBeDefined()
    expect((await claimsOf(visitor)).amr).toEqual(['pwd', 'otp', 'mfa'])
  })

  test('asks for the method first where the app says so', async () => {
    await enrolsEmail(idp)
    await appWith(idp, { email_method_choice: true })
    const visitor = await afterThePassword()
    const asked = await visitor.enrolls('okta_email')
    expect(remediationsOf(asked)).toEqual(['authenticator-enrollment-data', 'select-authenticator-enroll'])
    expect(await mailsTo(mary)).toBe(0)
    const sent = await visitor.enrolls('okta_email', { methodType: 'email' })
    expect(remediationsOf(sent)[0]).toBe('enroll-authenticator')
    expect((await visitor.answers((await visitor.mail(mary)).code)).interactionCode).toBeDefined()
  })
})

describe('a verified secondary address', () => {
  test('gets the code, too, and is shown once the password is proven', async () => {
    await verifiesSecond(idp, mary, second)
    await twoFactors(idp)
    const visitor = await afterThePassword()
    await visitor.selects('okta_email')
    expect(currentOf(visitor.response).profile).toEqual({
      email: 'm***y@example.com',
      secondaryEmail: 'm***d@example.net',
    })
    const first = await visitor.mail(mary, 'EmailChallenge')
    const other = await idp.outbox.waitFor({ to: second, template: 'EmailChallenge' })
    expect(other.code).toBe(first.code)
    expect((await visitor.answers(other.code)).interactionCode).toBeDefined()
    const { credentials } = (await apiOf(idp)('GET', `/users/${mary}`)).body
    expect(credentials).toMatchObject({
      emails: [
        { value: mary, status: 'UNVERIFIED', type: 'PRIMARY' },
        { value: second, status: 'VERIFIED', type: 'SECONDARY' },
      ],
    })
    // The code may have been read at either address: it verifies neither.
    expect((await claimsOf(visitor)).email_verified).toBe(false)
  })

  test('is a way to a new password, and is not shown before the proof', async () => {
    await verifiesSecond(idp, mary, second)
    const visitor = await newVisitor(idp).atTheCode()
    expect(currentOf(visitor.response).profile).toEqual({ email: 'm***y@example.com' })
    const { code } = await idp.outbox.waitFor({ to: second, template: 'ForgotPassword' })
    await visitor.answers(code)
    expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
    // Both addresses are notified of it.
    for (const to of [mary, second]) await idp.outbox.waitFor({ to, template: 'PasswordChanged' })
  })

  test('is used by nobody but its user, and only as long as it is the one that was verified', async () => {
    const api = apiOf(idp)
    const { id } = (await api('GET', `/users/${mary}`)).body
    const set = (secondEmail: string) => api('POST', `/users/${id}`, { profile: { secondEmail } })
    await idp.people.add({ login: 'eve@example.com', password: 'Tangerine-Kettle-42' })
    await verifiesSecond(idp, mary, second)
    idp.outbox.clear()

    // An administrator sets another one: it is verified by nothing.
    expect((await set('other@example.net')).status).toBe(200)
    const visitor = await newVisitor(idp).atTheCode()
    await visitor.mail(mary, 'ForgotPassword')
    expect(await mailsTo('other@example.net')).toBe(0)
    expect(await templatesTo(second)).not.toContain('ForgotPassword')
    await newVisitor(idp).atTheCode('eve@example.com')
    expect(await templatesTo(second)).not.toContain('ForgotPassword')
  })

  test('that is changed ends the codes that went to it', async () => {
    const id = await verifiesSecond(idp, mary, second)
    const visitor = await newVisitor(idp).atTheCode()
    const { code } = await idp.outbox.waitFor({ to: second, template: 'ForgotPassword' })
    await apiOf(idp)('POST', `/users/${id}`, { profile: { secondEmail: 'other@example.net' } })
    expect((await visitor.answers(code)).messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
  })

  test('is reported to both addresses, and may not be the primary one', async () => {
    const id = await verifiesSecond(idp, mary, second)
    for (const to of [mary, second]) await idp.outbox.waitFor({ to, template: 'AuthenticatorEnrolled' })
    await expect(idp.engine.people.verifySecondEmail(id, 'MARY@example.com')).rejects.toThrow('secondEmail')
    await expect(idp.engine.people.verifySecondEmail(id, 'no address')).rejects.toThrow('secondEmail')
    expect(await idp.engine.people.verifySecondEmail('00unone', second)).toBeUndefined()
  })

  test('costs an unknown user as many mails, of which none has a recipient', async () => {
    await verifiesSecond(idp, mary, second)
    await idp.people.add({ login: 'eve@example.com', password: 'Tangerine-Kettle-42' })
    const written = async (login: string) => {
      const visitor = await newVisitor(idp).atTheCode(login)
      expect(currentOf(visitor.response).profile).toEqual({ email: expect.stringContaining('***') })
      const { n } = await idp.engine.storage.db
        .selectFrom('outbox')
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow()
      return Number(n)
    }
    let before = await written('first@example.com')
    for (const login of [mary, 'eve@example.com', 'nobody@example.com']) {
      const after = await written(login)
      expect(after - before, login).toBe(2)
      before = after
    }
  })
})

describe('a password that expires soon', () => {
  const warned = 'reenroll-authenticator-warning'

  test('is warned of with the days that are left, and may be skipped', async () => {
    await warnsOfExpiry(idp)
    idp.clock.advance(7 * day - 60_000)
    expect((await afterThePassword()).response.interactionCode).toBeDefined()
    idp.clock.advance(60_000)
    const visitor = await afterThePassword()
    expect(remediationsOf(visitor.response)).toEqual([warned, 'skip'])
    expect(visitor.messages).toEqual(['idx.password.expiring.message'])
    expect(visitor.response.body.messages?.value).toMatchObject([
      {
        class: 'INFO',
        i18n: { params: ['Rekey'] },
        message:
          'When your password expires, you will have to change your password before you can login to your Rekey account.',
      },
    ])
    expect(currentOf(visitor.response).settings).toMatchObject({ daysToExpiry: 3 })
    expect((await visitor.introspects()).body.messages?.value).toHaveLength(1)
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
    expect((await visitor.redeems()).status).toBe(200)

    idp.clock.advance(2 * day + 1)
    expect(currentOf((await afterThePassword()).response).settings).toMatchObject({ daysToExpiry: 1 })
    idp.clock.advance(day)
    expect(remediationsOf((await afterThePassword()).response)).toEqual(['reenroll-authenticator'])
  })

  test('is replaced by another one, by the rules of the policy', async () => {
    await warnsOfExpiry(idp)
    idp.clock.advance(8 * day)
    const visitor = await afterThePassword()
    const refused = await visitor.answers('short')
    expect(refused.messages).toContain('password.passwordRequirementsNotMet')
    expect(remediationsOf(refused)).toEqual([warned, 'skip'])
    expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
    await visitor.mail(mary, 'PasswordChanged')
    const next = newVisitor(idp)
    await next.begins()
    expect((await next.signsIn(mary, newPassword)).interactionCode).toBeDefined()
  })

  test('is warned of after the second factor, and in no recovery', async () => {
    await warnsOfExpiry(idp)
    await twoFactors(idp)
    idp.clock.advance(8 * day)
    const visitor = await afterThePassword()
    await visitor.selects('okta_email')
    const proven = await visitor.answers((await visitor.mail(mary)).code)
    expect(remediationsOf(proven)).toEqual([warned, 'skip'])
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
    expect((await claimsOf(visitor)).amr).toEqual(['pwd', 'otp', 'mfa'])
    expect(remediationsOf((await newVisitor(idp).atTheReset()).response)).not.toContain(warned)
  })

  test('is not warned of where the policy has no such days, or passwords do not expire', async () => {
    await warnsOfExpiry(idp, { maxAgeDays: 10, expireWarnDays: 0 })
    idp.clock.advance(9 * day)
    expect((await afterThePassword()).response.interactionCode).toBeDefined()
    await warnsOfExpiry(idp, { maxAgeDays: 0, expireWarnDays: 30 })
    expect((await afterThePassword()).response.interactionCode).toBeDefined()
  })
})
