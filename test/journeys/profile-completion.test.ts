import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { builtInRule } from '../support/policy-rules.ts'
import { majors, sdk } from '../support/sdk.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(async () => {
  await idp.reset()
  await builtInRule(idp, 'PROFILE_ENROLLMENT', {
    profileEnrollment: {
      access: 'ALLOW',
      profileAttributes: [{ name: 'city', label: 'Town', required: true }],
      progressiveProfilingAction: 'ENABLED',
    },
  })
})
afterAll(() => idp.close())

const credentials = () => ({ username: idp.person.login, password: idp.person.password })
const cityOf = async () =>
  ((await apiOf(idp)('GET', `/users/${idp.person.login}`)).body.profile as { readonly city?: string }).city

test('okta-auth-js 8 in step mode is asked for what is missing, and signed in with it', async () => {
  const auth = sdk(idp, { major: 8, mode: 'step' })
  await auth.idx.start()
  const { username: identifier, password: passcode } = credentials()
  const asked = await auth.idx.proceed({ step: 'identify', identifier, credentials: { passcode } })
  expect(asked.nextStep).toMatchObject({ name: 'enroll-profile' })
  const done = await auth.idx.proceed({ step: 'enroll-profile', userProfile: { city: 'Wien' } } as never)
  expect(done.status).toBe('SUCCESS')
  expect(done.tokens?.idToken).toBeDefined()
  expect(await cityOf()).toBe('Wien')
})

describe.each(majors)('okta-auth-js %s', (major) => {
  test('goes on by the name of the step, where the app began with start()', async () => {
    const auth = sdk(idp, { major })
    await auth.idx.start()
    const asked = await auth.idx.proceed(credentials())
    expect(asked.status).toBe('PENDING')
    const done = await auth.idx.proceed({ step: 'enroll-profile', userProfile: { city: 'Wien' } } as never)
    expect(done.status).toBe('SUCCESS')
    expect(await cityOf()).toBe('Wien')
  })

  test('signs in by authenticate() at an app for which the form is left out', async () => {
    const api = apiOf(idp)
    const auth = sdk(idp, { major })
    // It has no page for the form in this call.
    await expect(auth.idx.authenticate(credentials())).rejects.toThrow(/No remediation can match/)
    for (const { id } of (await api('GET', '/apps')).list) {
      const { body } = await api('GET', `/apps/${id}`)
      const { oauthClient } = body.settings as { readonly oauthClient: object }
      await api('PUT', `/apps/${id}`, {
        ...body,
        settings: { oauthClient: { ...oauthClient, profile_completion: false } },
      })
    }
    expect((await sdk(idp, { major }).idx.authenticate(credentials())).status).toBe('SUCCESS')
  })
})
