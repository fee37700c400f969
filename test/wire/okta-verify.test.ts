import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { sdk } from '../support/sdk.ts'
import { activate, enrollmentPolicy } from './totp.ts'
import { type Answer, type Json, newVisitor, type Visitor } from './visitor.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const dataOf = ({ body }: Answer) =>
  (body.currentAuthenticator as { value: { contextualData: Json } }).value.contextualData
const keyOf = ({ body }: Answer) => /"i18n":\{"key":"([\w.]+)"/.exec(JSON.stringify(body))?.[1]

async function atThePage(): Promise<Visitor> {
  await enrollmentPolicy(idp, { okta_verify: 'OPTIONAL', security_question: 'OPTIONAL' })
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  await visitor.enrolls('okta_verify')
  return visitor
}

describe('the page of an enrolment', () => {
  test('shows a picture and waits, for as long as it is asked', async () => {
    const visitor = await atThePage()
    const page = ['enroll-poll', 'select-enrollment-channel', 'select-authenticator-enroll', 'skip']
    expect(visitor.remediations).toEqual(page)
    expect(dataOf(visitor.response)).toEqual({
      qrcode: {
        method: 'embedded',
        href: expect.stringMatching(/^data:image\/png;base64,/),
        type: 'image/png',
      },
      selectedChannel: 'qrcode',
    })
    for (let time = 0; time < 3; time++) {
      const polled = await visitor.submits('challenge/poll')
      expect([polled.status, visitor.remediations]).toEqual([200, page])
    }
    // Nothing that is typed confirms it.
    expect((await visitor.submits('challenge/answer', { credentials: { passcode: '123456' } })).status).toBe(
      400,
    )
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
  })

  test.each([
    ['email', 'email', 'mary@example.com'],
    ['sms', 'phoneNumber', '+15551234567'],
  ])('asks by %s where to, sends nothing, and says so', async (channel, field, to) => {
    const visitor = await atThePage()
    const seen = await visitor.enrolls('okta_verify', { channel })
    expect(visitor.remediations.slice(0, 2)).toEqual(['enrollment-channel-data', 'select-enrollment-channel'])
    expect(dataOf(seen)).toEqual({ selectedChannel: channel })
    expect(keyOf(await visitor.submits('challenge/send'))).toBe('model.validation.field.blank')
    const sent = await visitor.submits('challenge/send', { [field]: to })
    expect([sent.status, keyOf(sent)]).toEqual([400, 'oktaVerify.notSent'])
    expect(idp.outbox.all()).toEqual([])
    // Back to the picture, and on to another authenticator.
    expect(dataOf(await visitor.enrolls('okta_verify', { channel: 'qrcode' }))).toHaveProperty('qrcode')
    await visitor.enrolls('security_question')
    expect(visitor.remediations[0]).toBe('enroll-authenticator')
  })

  test('leads to a page that says that nothing here can finish it, in the language of its reader', async () => {
    const page = async (language: string) => {
      const answer = await fetch(`${idp.engineUrl}/okta-verify`, { headers: { 'accept-language': language } })
      return [answer.status, await answer.text()] as const
    }
    const [status, text] = await page('en')
    expect(status).toBe(200)
    expect(text).toContain('This page cannot set up Okta Verify')
    expect((await page('de'))[1]).toContain('lässt sich hier nicht einrichten')
  })
})

describe.each([6, 7, 8] as const)('with okta-auth-js %i', (major) => {
  test('the channels are chosen as apps of Okta choose them', async () => {
    await enrollmentPolicy(idp, { okta_verify: 'OPTIONAL' })
    const auth = sdk(idp, { major })
    await auth.idx.authenticate({ username: idp.person.login, password: idp.person.password })
    const shown = await auth.idx.proceed({ authenticator: 'okta_verify' })
    expect(shown.nextStep).toMatchObject({
      name: 'enroll-poll',
      poll: { required: true, refresh: 4000 },
      authenticator: { key: 'okta_verify', contextualData: { selectedChannel: 'qrcode' } },
    })
    expect((await auth.idx.poll()).nextStep?.name).toBe('enroll-poll')
    const channels = await auth.idx.proceed({ step: 'select-enrollment-channel' })
    expect(channels.nextStep?.name).toBe('select-enrollment-channel')
    expect((await auth.idx.proceed({ channel: 'email' })).nextStep?.name).toBe('enrollment-channel-data')
    const sent = await auth.idx.proceed({ email: idp.person.login })
    expect(sent.messages?.map(({ i18n }) => i18n?.key)).toEqual(['oktaVerify.notSent'])
  })
})

test('is off by default, and no policy may require it', async () => {
  const api = apiOf(idp)
  const { list } = await api('GET', '/authenticators')
  expect(list.find(({ key }) => key === 'okta_verify')?.status).toBe('INACTIVE')
  await activate(api, 'okta_verify')
  const policy = (self: string) => ({
    type: 'MFA_ENROLL',
    name: 'Apps',
    settings: { type: 'AUTHENTICATORS', authenticators: [{ key: 'okta_verify', enroll: { self } }] },
  })
  const problem = 'okta_verify cannot be REQUIRED: nothing here can finish its enrolment'
  const refused = await api('POST', '/policies', policy('REQUIRED'))
  expect(refused.status).toBe(400)
  expect(refused.text).toContain(problem)
  const { status, body } = await api('POST', '/policies', policy('OPTIONAL'))
  expect(status).toBe(200)
  const changed = await api('PUT', `/policies/${body.id}`, policy('REQUIRED'))
  expect([changed.status, changed.text.includes(problem)]).toEqual([400, true])
  for (const authenticators of [null, 7, 'x', [null], [7], [{ key: 'okta_verify', enroll: null }]]) {
    const odd = await api('POST', '/policies', { ...policy('OPTIONAL'), settings: { authenticators } })
    expect(odd.status).toBeLessThan(500)
  }
})
