import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authenticatorId } from '../../src/flow/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { openLink, type SdkMajor, sdk } from '../support/sdk.ts'

const locked = 'lee@example.com'
const password = 'Tangerine-Kettle-42'
const success = 'oie.selfservice.unlock_user.success.message'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ settings: { policies: { password: { recovery: { unlock: true } } } } })
})
beforeEach(async () => {
  await idp.reset()
  await idp.people.add({ login: locked, password, status: 'LOCKED_OUT' })
})
afterAll(() => idp.close())

const keys = (messages: readonly { readonly i18n?: { readonly key: string } }[] | undefined) =>
  messages?.map(({ i18n }) => i18n?.key)
const codeOf = async () =>
  (await idp.outbox.waitFor({ to: locked, template: 'SelfServiceUnlock' })).code ?? ''
const signsIn = async (major: SdkMajor) =>
  (await sdk(idp, { major, mode: 'legacy' }).idx.authenticate({ username: locked, password })).status

describe.each<[SdkMajor]>([[6], [7], [8]])('okta-auth-js %i, legacy mode', (major) => {
  const app = () => sdk(idp, { major, mode: 'legacy' })

  test('a user unlocks the account step by step, and signs in with the old password', async () => {
    const auth = app()
    const asked = await auth.idx.unlockAccount()
    expect(asked.nextStep?.name).toBe('select-authenticator-unlock-account')
    expect(asked.nextStep?.inputs?.map(({ name }) => name)).toEqual(['username', 'authenticator'])
    const sent = await auth.idx.proceed({ username: locked, authenticator: 'okta_email' })
    expect([sent.status, sent.nextStep?.name]).toEqual(['PENDING', 'challenge-authenticator'])
    expect(await signsIn(major)).not.toBe('SUCCESS')
    const done = await auth.idx.proceed({ verificationCode: await codeOf() })
    expect([done.status, keys(done.messages)]).toEqual(['TERMINAL', [success]])
    expect(done.messages?.[0]?.message).toContain('unlocked!')
    expect(await signsIn(major)).toBe('SUCCESS')
  })

  test('the same in one call, and by the link of the mail', async () => {
    const auth = app()
    const sent = await auth.idx.unlockAccount({ username: locked, authenticator: 'okta_email' })
    expect(sent.nextStep?.name).toBe('challenge-authenticator')
    const { link } = await idp.outbox.waitFor({ to: locked, template: 'SelfServiceUnlock' })
    const { search } = await openLink(link ?? '')
    const done = await auth.idx.handleEmailVerifyCallback(search)
    expect([done?.status, keys(done?.messages)]).toEqual(['TERMINAL', [success]])
    expect(await signsIn(major)).toBe('SUCCESS')
  })

  test.each(['mary@example.com', 'nobody@example.com'])(
    '%s is answered as a locked user is',
    async (username) => {
      const sent = await app().idx.unlockAccount({ username, authenticator: 'okta_email' })
      expect([sent.status, sent.nextStep?.name, sent.messages]).toEqual([
        'PENDING',
        'challenge-authenticator',
        undefined,
      ])
    },
  )
})

test('okta-auth-js 8, step mode', async () => {
  const auth = sdk(idp, { major: 8, mode: 'step' })
  const started = await auth.idx.start()
  expect(started.enabledFeatures).toContain('unlock-account')
  await auth.idx.proceed({ step: 'unlock-account' })
  const id = authenticatorId('okta_email')
  const sent = await auth.idx.proceed({
    step: 'select-authenticator-unlock-account',
    identifier: locked,
    authenticator: { id, methodType: 'email' },
  })
  expect(sent.nextStep?.name).toBe('challenge-authenticator')
  const done = await auth.idx.proceed({
    step: 'challenge-authenticator',
    credentials: { passcode: await codeOf() },
  })
  expect([done.status, keys(done.messages)]).toEqual(['TERMINAL', [success]])
  expect(await signsIn(8)).toBe('SUCCESS')
})
