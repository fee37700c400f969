import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { majors, newBrowser, sdk, walkingMajors } from '../support/sdk.ts'

const password = 'Lighthouse-Biscuit-77'
const profile = { login: 'ann@example.com', email: 'ann@example.com', firstName: 'Ann', lastName: 'Lee' }
const key = 'okta_password'
let idp: Kit
let api: Api
let id: string

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  id = (await api('POST', '/users?activate=false', { profile })).body.id
})
afterAll(() => idp.close())

/** The token that an administrator receives, in place of a mail. */
async function handedOut(step: 'activate' | 'reactivate' = 'activate', user = id): Promise<string> {
  const { body } = await api('POST', `/users/${user}/lifecycle/${step}?sendEmail=false`)
  return String(body.activationToken)
}
const statusOf = async () => (await api('GET', `/users/${id}`)).body.status
const claims = (token: string | undefined) =>
  JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString())
const refused = { errorCode: 'invalid_request', errorSummary: 'The activation token is invalid' }

describe.each([...majors])('with okta-auth-js %i', (major) => {
  const visitor = (browser = newBrowser()) => sdk(idp, { major, browser })

  test.each(['register', 'authenticate', 'start'] as const)(
    '%s with the token of an administrator: a password, and tokens',
    async (call) => {
      // Major 8 works in steps: `start` only begins, and the call that follows has to name the step.
      const isStepMode = major === 8 && call === 'start'
      const auth = isStepMode ? sdk(idp, { major, mode: 'step' }) : visitor()
      const at = (step: string) => (isStepMode ? { step } : {})
      const passwordOf = (text: string) =>
        isStepMode ? { credentials: { passcode: text } } : { password: text }
      const offered = (name: string, more: object = {}) =>
        isStepMode
          ? { availableSteps: expect.arrayContaining([expect.objectContaining({ name })]) }
          : { nextStep: { name, ...more } }
      const activationToken = await handedOut()
      const asked = await auth.idx[call]({ activationToken })
      expect(asked).toMatchObject({ status: 'PENDING', ...offered('select-authenticator-enroll') })
      expect(await statusOf()).toBe('PROVISIONED')

      const chosen = await auth.idx.proceed({ ...at('select-authenticator-enroll'), authenticator: key })
      const shown = { authenticator: { key, settings: { complexity: { minLength: 12 } } } }
      expect(chosen).toMatchObject({ status: 'PENDING', ...offered('enroll-authenticator', shown) })
      const weak = await auth.idx.proceed({ ...at('enroll-authenticator'), ...passwordOf('x') })
      expect(weak).toMatchObject({ status: 'PENDING' })
      expect(weak.messages?.[0]?.i18n.key ?? 'in the field').toMatch(/password|in the field/)
      const { status, tokens } = await auth.idx.proceed({
        ...at('enroll-authenticator'),
        ...passwordOf(password),
      })

      expect(status).toBe('SUCCESS')
      expect(claims(tokens?.idToken?.idToken)).toMatchObject({ sub: id, amr: ['pwd'] })
      expect([await statusOf(), await idp.engine.people.hasPassword(id, password)]).toEqual(['ACTIVE', true])
      await expect(visitor().idx[call]({ activationToken })).rejects.toMatchObject(refused)
    },
  )

  if (!walkingMajors.includes(major)) return

  test('the token of a mail, and that of a second mail, whose first one is worth nothing then', async () => {
    await api('POST', `/users/${id}/lifecycle/activate`)
    const linkIn = async () => {
      const mail = await idp.outbox.waitFor({ to: profile.email })
      return /\/welcome\/([A-Za-z0-9]{43})/.exec(mail.html ?? '')?.[1] ?? ''
    }
    const first = await linkIn()
    const second = await handedOut('reactivate')
    await expect(visitor().idx.register({ activationToken: first })).rejects.toMatchObject(refused)
    const auth = visitor()
    await auth.idx.register({ activationToken: second })
    await auth.idx.proceed({ authenticator: key })
    expect(await auth.idx.proceed({ password })).toMatchObject({ status: 'SUCCESS' })
  })

  test('a page that is loaded again goes on', async () => {
    const browser = newBrowser()
    const activationToken = await handedOut()
    await visitor(browser).idx.register({ activationToken })
    await visitor(browser).idx.proceed({ authenticator: key })
    expect(await visitor(browser).idx.proceed({ password })).toMatchObject({ status: 'SUCCESS' })
  })

  test('junk, and tokens of another kind, time or user, are refused alike', async () => {
    const recovery = (
      await api('POST', `/users/${idp.person.login}/lifecycle/reset_password?sendEmail=false`)
    ).body
    const ended = await handedOut()
    await api('POST', `/users/${id}/lifecycle/deactivate`)
    const expired = await handedOut()
    idp.clock.advance('8d')
    const others = [String(recovery.resetPasswordUrl).split('/').at(-1) ?? '', ended, expired]
    for (const activationToken of ['x', 'A'.repeat(43), '0'.repeat(500), "' or 1=1 --", ...others]) {
      await expect(visitor().idx.register({ activationToken })).rejects.toMatchObject(refused)
    }
  })
})

test('both kinds of token at once are refused, and an expired one while the page is open ends it', async () => {
  const visitor = idp.visitor()
  const token = await handedOut()
  expect((await visitor.interacts({ activation_token: token, recovery_token: token })).status).toBe(400)
  await visitor.begins({ activation_token: token })
  await visitor.enrolls(key)
  await api('POST', `/users/${id}/lifecycle/reactivate`)
  const { status, body } = await visitor.answers(password)
  expect([status, JSON.stringify(body.messages)]).toEqual([
    401,
    expect.stringContaining('idx.session.expired'),
  ])
  expect([await statusOf(), await idp.engine.people.hasPassword(id, password)]).toEqual([
    'PROVISIONED',
    false,
  ])
})

test('of two pages with one token the first password counts', async () => {
  const token = await handedOut()
  const [one, other] = [idp.visitor(), idp.visitor()]
  for (const visitor of [one, other]) {
    await visitor.begins({ activation_token: token })
    await visitor.enrolls(key)
  }
  const answers = await Promise.all([one.answers(password), other.answers('Tangerine-Kettle-42')])
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(await statusOf()).toBe('ACTIVE')
  // One notice, of the one password that was set.
  await idp.engine.delivery.idle()
  expect(idp.outbox.all().map(({ to, template }) => [to, template])).toEqual([
    [profile.email, 'PasswordChanged'],
  ])
})

test.each(['suspend', 'deactivate'])(
  'a user whom an administrator stops meanwhile gets nowhere: %s',
  async (change) => {
    const visitor = idp.visitor()
    await visitor.begins({ activation_token: await handedOut() })
    await visitor.enrolls(key)
    await api('POST', `/users/${id}/lifecycle/${change}`)
    const { interactionCode } = await visitor.answers(password)
    const isStopped = change === 'deactivate'
    expect([interactionCode === undefined, await statusOf()]).toEqual([
      isStopped,
      isStopped ? 'DEPROVISIONED' : 'ACTIVE',
    ])
  },
)
