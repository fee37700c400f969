import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, newVisitor, startEngine } from './index.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const newPassword = 'Lighthouse-Biscuit-77'

test('signs in and redeems the code, begun or not', async () => {
  const visitor = idp.visitor()
  const done = await visitor.signsIn(idp.person.login, idp.person.password)
  const tokens = await visitor.redeems()

  expect(done.path).toBe('/idp/idx/identify')
  expect(tokens.body.access_token).toEqual(expect.any(String))
  expect(tokens.body.refresh_token).toEqual(expect.any(String))

  const begun = idp.visitor()
  await begun.begins()
  const handle = begun.stateHandle
  await begun.signsIn(idp.person.login, 'a wrong password')
  expect(begun.messages).toEqual(['errors.E0000004'])
  await begun.signsIn(idp.person.login, idp.person.password)
  expect(begun.stateHandle).toBe(handle)
  expect(begun.response.interactionCode).toBeDefined()
})

test('recovers an account, with a wrong answer, a poll and another mail on the way', async () => {
  const visitor = await idp.visitor({ client: idp.publicClientId }).atTheCode(idp.person.login)
  expect(visitor.remediations).toContain('challenge-authenticator')
  const first = await visitor.mail()

  expect((await visitor.answers('000000')).messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
  expect((await visitor.polls()).status).toBe(200)
  await visitor.resends()
  const second = await visitor.mail()
  expect(second.id).not.toBe(first.id)
  await visitor.answers(first.code)
  expect(visitor.messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
  await visitor.answers(second.code)
  expect(visitor.remediations).toEqual(['reset-authenticator'])
  await visitor.answers(newPassword)
  expect((await visitor.redeems()).status).toBe(200)
})

test('a mail of an earlier visitor is not read again', async () => {
  const earlier = await (await idp.visitor().atTheCode()).mail()
  const later = await idp.visitor().atTheCode()
  expect((await later.mail()).id).not.toBe(earlier.id)
})

test('goes on with the new transaction after it was cancelled', async () => {
  const visitor = await idp.visitor().atTheReset()
  const cancelled = visitor.stateHandle
  await visitor.cancels()
  expect(visitor.stateHandle).not.toBe(cancelled)
  expect((await visitor.signsIn(idp.person.login, idp.person.password)).interactionCode).toBeDefined()
})

test('says why it cannot begin', async () => {
  const visitor = newVisitor({ ...idp, redirectUri: 'https://not-registered.invalid' })
  const message =
    /^interact was answered with 400: .*redirect_uri.* \(redirect URI: https:\/\/not-registered\.invalid\)$/
  await expect(visitor.begins()).rejects.toThrow(message)
  await expect(visitor.signsIn()).rejects.toThrow(message)
  await expect(visitor.recovers()).rejects.toThrow(message)
  expect((await visitor.interacts()).status).toBe(400)
})

test('begins as the client, on the server and with the parameters that are given', async () => {
  const visitor = idp.visitor({ server: 'org', parameters: { scope: 'openid' } })
  await visitor.signsIn()
  const code = visitor.response.interactionCode
  const stranger = await visitor.redeems(code, idp.publicClientId)
  expect(stranger.body.error).toBe('invalid_grant')

  const own = idp.visitor({ server: 'org', parameters: { scope: 'openid' } })
  await own.signsIn()
  const { body } = await own.redeems()
  expect(body.scope).toBe('openid')
  expect(body.refresh_token).toBeUndefined()
})

test('reaches an engine by its addresses alone, and has no mails to read then', async () => {
  const { engineUrl, issuer, clientId, clientSecret, redirectUri } = idp
  const visitor = newVisitor({ engineUrl, issuer, clientId, clientSecret, redirectUri })
  expect(() => visitor.response).toThrow('asked for nothing')
  await visitor.atTheCode(idp.person.login)
  expect(visitor.response.status).toBe(200)
  await expect(visitor.mail()).rejects.toThrow('no outbox')
})

test('shows each answer as soon as it is there', async () => {
  const seen: string[] = []
  const visitor = idp.visitor({ onAnswer: ({ path }) => void seen.push(path) })
  await visitor.recovers()
  expect(seen).toEqual([
    '/oauth2/default/v1/interact',
    '/idp/idx/introspect',
    '/idp/idx/recover',
    '/idp/idx/identify',
  ])
  expect(visitor.responses).toHaveLength(4)
})

test('signs up in one call, with and without a password, and stops where it cannot go on', async () => {
  const visitor = idp.visitor({ client: idp.publicClientId })
  const done = await visitor.signsUp({ email: 'grace@example.com', firstName: 'Grace', lastName: 'Hopper' })
  expect(done.interactionCode).toBeDefined()
  expect((await visitor.redeems()).body.id_token).toEqual(expect.any(String))
  const [user] = await idp.people.list('grace@example.com')
  expect(user).toMatchObject({ status: 'ACTIVE', firstName: 'Grace' })
  await idp.visitor().signsIn('grace@example.com', 'Lighthouse-Biscuit-77')

  // Ada by default. The password is required here, so without one it stops at its page.
  const without = await idp.visitor().signsUp({ password: null })
  expect(without.interactionCode).toBeUndefined()

  const taken = idp.visitor()
  await taken.signsUp({ email: idp.person.login })
  expect(taken.remediations).toContain('enroll-authenticator')
  expect(taken.response.interactionCode).toBeUndefined()

  const refused = await idp.visitor().signsUp({ email: 'no address' })
  expect([refused.status, refused.messages[0]]).toEqual([400, 'registration.error.invalidLoginEmail'])
  await expect(idp.visitor().signsUp({ mail: 'x' } as never)).rejects.toThrow(/mail/)
})

test('goes as far as the code of a sign-up, and on by hand', async () => {
  const visitor = await idp.visitor().atTheSignUpCode()
  await visitor.answers('000000')
  expect(visitor.messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
  const { code, template } = await visitor.mail()
  expect(template).toBe('RegistrationEmailVerification')
  await visitor.answers(code)
  await visitor.enrolls('okta_password')
  expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
})
