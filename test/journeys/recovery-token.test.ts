import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { majors, newBrowser, sdk, walkingMajors } from '../support/sdk.ts'

const newPassword = 'Lighthouse-Biscuit-77'
let idp: Kit
let api: Api
let id: string

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  id = (await api('GET', `/users/${idp.person.login}`)).body.id
})
afterAll(() => idp.close())

/** The token that an administrator receives, in place of a mail. */
async function handedOut(path = 'lifecycle/reset_password'): Promise<string> {
  const { body } = await api('POST', `/users/${id}/${path}?sendEmail=false`)
  return String(body.resetPasswordUrl).split('/').at(-1) ?? ''
}

const claims = (token: string | undefined) =>
  JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString())

describe.each([...majors])('with okta-auth-js %i', (major) => {
  const visitor = (browser = newBrowser()) => sdk(idp, { major, browser })
  const refused = { errorCode: 'invalid_request', errorSummary: 'The recovery token is invalid' }

  test('the mail of an administrator leads to a new password and tokens', async () => {
    expect((await api('POST', `/users/${id}/lifecycle/reset_password?sendEmail=true`)).text).toBe('{}')
    const mail = await idp.outbox.waitFor({ to: idp.person.login })
    expect(mail.template).toBe('PasswordResetByAdmin')
    const link = /<a id="reset-password-link" href="(\S+)"/.exec(mail.html ?? '')?.[1] ?? ''
    expect(link).toMatch(new RegExp(`^${idp.engineUrl}/signin/reset-password/[A-Za-z0-9]{43}$`))

    const auth = visitor()
    const asked = await auth.idx.recoverPassword({ recoveryToken: link.split('/').at(-1) ?? '' })
    expect(asked).toMatchObject({ status: 'PENDING', nextStep: { name: 'reset-authenticator' } })
    const { status, tokens } = await auth.idx.proceed({ password: newPassword })

    expect(status).toBe('SUCCESS')
    expect(claims(tokens?.idToken?.idToken).sub).toBe(id)
    expect((await api('GET', `/users/${id}`)).body.status).toBe('ACTIVE')
    expect(await idp.engine.people.hasPassword(id, newPassword)).toBe(true)
  })

  test('what is no token is refused alike', async () => {
    for (const recoveryToken of ['x', 'A'.repeat(43), '0'.repeat(500), "' or 1=1 --"]) {
      await expect(visitor().idx.recoverPassword({ recoveryToken })).rejects.toMatchObject(refused)
    }
  })

  if (!walkingMajors.includes(major)) return

  test('until then the old password is good for nothing, and she can still help herself', async () => {
    await handedOut()
    const denied = await visitor().idx.authenticate({
      username: idp.person.login,
      password: idp.person.password,
    })
    expect(denied.status).not.toBe('SUCCESS')

    const auth = visitor()
    await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
    const mail = await idp.outbox.waitFor({ to: idp.person.login, template: 'ForgotPassword' })
    const done = await auth.idx.proceed({ verificationCode: mail.code ?? '', password: newPassword })
    expect(done.status).toBe('SUCCESS')
    expect((await api('GET', `/users/${id}`)).body.status).toBe('ACTIVE')
  })

  test('a page that is loaded again goes on with the same token', async () => {
    const recoveryToken = await handedOut()
    await visitor().idx.recoverPassword({ recoveryToken })
    const again = visitor()
    await again.idx.recoverPassword({ recoveryToken })
    expect((await again.idx.proceed({ password: newPassword })).status).toBe('SUCCESS')
  })

  test('a token sets one password, whoever holds it', async () => {
    const recoveryToken = await handedOut()
    const [first, second] = [visitor(), visitor()]
    await first.idx.recoverPassword({ recoveryToken })
    await second.idx.recoverPassword({ recoveryToken })

    const ends = await Promise.all(
      [first, second].map(({ idx }, n) =>
        idx.proceed({ password: `${newPassword}-${n}` }).catch(() => undefined),
      ),
    )
    expect(ends.filter((end) => end?.status === 'SUCCESS')).toHaveLength(1)
    await expect(visitor().idx.recoverPassword({ recoveryToken })).rejects.toMatchObject(refused)
  })

  test('a password that the policy refuses does not spend the token', async () => {
    const auth = visitor()
    await auth.idx.recoverPassword({ recoveryToken: await handedOut() })
    const short = await auth.idx.proceed({ password: 'short' })
    expect(short).toMatchObject({ status: 'PENDING', nextStep: { name: 'reset-authenticator' } })
    expect((await auth.idx.proceed({ password: newPassword })).status).toBe('SUCCESS')
  })

  test('after an hour it is dead, and so is a page that was opened before', async () => {
    const recoveryToken = await handedOut()
    idp.clock.advance('55m')
    const auth = visitor()
    await auth.idx.recoverPassword({ recoveryToken })
    idp.clock.advance('6m')

    await expect(visitor().idx.recoverPassword({ recoveryToken })).rejects.toMatchObject(refused)
    expect((await auth.idx.proceed({ password: newPassword })).status).not.toBe('SUCCESS')
    expect(await idp.engine.people.hasPassword(id, newPassword)).toBe(false)
  })

  test.each<[string, (token: string) => Promise<unknown>]>([
    [
      'her own recovery',
      async () => {
        const auth = visitor()
        await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
        const mail = await idp.outbox.waitFor({ to: idp.person.login, template: 'ForgotPassword' })
        await auth.idx.proceed({ verificationCode: mail.code ?? '', password: newPassword })
      },
    ],
    [
      'a password of an administrator',
      () => api('POST', `/users/${id}`, { credentials: { password: { value: newPassword } } }),
    ],
    ['a newer token', () => handedOut()],
    ['another email', () => api('POST', `/users/${id}`, { profile: { email: 'other@example.com' } })],
    ['a suspension', () => idp.people.update(id, { status: 'SUSPENDED' })],
    ['her removal', () => idp.people.remove(id)],
  ])('%s ends it, and what was begun with it', async (_, change) => {
    const recoveryToken = await handedOut()
    const auth = visitor()
    await auth.idx.recoverPassword({ recoveryToken })
    await change(recoveryToken)

    await expect(visitor().idx.recoverPassword({ recoveryToken })).rejects.toMatchObject(refused)
    expect((await auth.idx.proceed({ password: 'Umbrella-Rocket-31' })).status).not.toBe('SUCCESS')
    expect(await idp.engine.people.hasPassword(id, 'Umbrella-Rocket-31')).toBe(false)
  })

  test('forgot_password leaves the password as it is until a new one is set', async () => {
    const recoveryToken = await handedOut('credentials/forgot_password')
    expect((await api('GET', `/users/${id}`)).body.status).toBe('ACTIVE')
    expect(await idp.engine.people.hasPassword(id, idp.person.password)).toBe(true)
    const auth = visitor()
    await auth.idx.recoverPassword({ recoveryToken })
    expect((await auth.idx.proceed({ password: newPassword })).status).toBe('SUCCESS')
  })
})

test('neither the token nor its link stands in the database or the log', async () => {
  const token = await handedOut()
  const { db } = idp.engine.storage
  const rows = [
    await db.selectFrom('person_tokens').selectAll().execute(),
    await db.selectFrom('outbox').selectAll().execute(),
    await db.selectFrom('events').selectAll().execute(),
    await db.selectFrom('interactions').selectAll().execute(),
  ]
  expect(JSON.stringify(rows)).not.toContain(token)
})

test('the link shows what it is for, as often as it is opened, and a way on where it is dead', async () => {
  const token = await handedOut()
  for (let n = 0; n < 2; n++) {
    const page = await fetch(`${idp.engineUrl}/signin/reset-password/${token}`)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    const text = await page.text()
    expect(text).toContain('Go on to choose a new password for your account.')
    expect(text).toContain('<form method="post"><button')
  }
  await api('POST', `/users/${id}/lifecycle/reset_password`)
  const { text } = await idp.outbox.waitFor({ to: idp.person.login, template: 'PasswordResetByAdmin' })
  expect(text).toContain(`${idp.engineUrl}/signin/reset-password/`)
  expect(text).toContain('good for one use')
  const dead = await fetch(`${idp.engineUrl}/signin/reset-password/${'A'.repeat(43)}`)
  expect(dead.status).toBe(404)
  const page = await dead.text()
  expect(page).toContain('It has expired, was used before, or is not complete.')
  expect(page).toContain(`href="${idp.engineUrl}/signin/forgot-password">Get a new mail</a>`)
  // The only app with pages; of several a stranger learns none.
  expect(page).toContain('<a href="http://localhost:8080">Go to Sample Web App</a>')
  expect((await fetch(`${idp.engineUrl}/signin/reset-password/%00`)).status).toBe(404)
})

test('a cut link of an invitation leads to a new mail, and to those who sent it', async () => {
  await using other = await startEngine({
    clients: [
      { id: 'shop', label: 'Shop', redirectUris: ['https://shop.example/cb'], secret: 'x'.repeat(16) },
    ],
  })
  const page = await (await fetch(`${other.engineUrl}/welcome/cut`)).text()

  expect(page).toContain('If you were invited, ask the people who run Rekey for a new link.</p>')
  expect(page).not.toContain('Forgot your password')
  expect(page).toContain(`href="${other.engineUrl}/signin/forgot-password">Get a new mail</a>`)
})

test('the link leads on to the app that takes the token', async () => {
  const recoveryPage = 'https://app.example.com/recover/{token}'
  await using other = await startEngine({ settings: { management: { recoveryPage } } })
  const token = 'A'.repeat(43)
  const page = await fetch(`${other.engineUrl}/signin/reset-password/${token}`, { redirect: 'manual' })
  expect([page.status, page.headers.get('location')]).toEqual([
    302,
    `https://app.example.com/recover/${token}`,
  ])
})

test('an activation token begins the choice of the first password, under its own name at interact', async () => {
  const { id: nia } = await idp.people.add({ login: 'nia@example.com', status: 'STAGED' })
  const { body } = await api('POST', `/users/${nia}/lifecycle/activate?sendEmail=false`)
  const activation = String(body.activationToken)
  const visitor = idp.visitor()
  await visitor.begins({ activation_token: activation })
  expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
  await visitor.selects('okta_password')
  await visitor.answers(newPassword)
  expect(visitor.response.interactionCode).toBeDefined()
  expect((await idp.people.get(nia))?.status).toBe('ACTIVE')

  // Used, made up, and one that recovers an account: each refused in the words that the widget compares.
  for (const token of [activation, 'A'.repeat(43), await handedOut()]) {
    expect(await idp.visitor().interacts({ activation_token: token })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description: 'The activation token is invalid' },
    })
  }
})
