import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger, systemRandom } from '../../src/base/index.ts'
import { findClient } from '../../src/clients/index.ts'
import {
  openPolicies,
  type RegistrationPolicy,
  type SignUpOptions,
  seedPolicies,
} from '../../src/policies/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

let idp: Kit
let api: Api
const lines: string[] = []

beforeAll(async () => {
  const stream = { write: (line: string) => void lines.push(line) }
  idp = await startEngine({ log: createLogger({ level: 'warn', stream }) })
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  lines.length = 0
})
afterAll(() => idp.close())

/** What applies to an app, by its settings as they are stored. */
async function signUpAt(clientId = idp.clientId, signUp: SignUpOptions = {}): Promise<RegistrationPolicy> {
  const { db } = idp.engine.storage
  const settings = (await findClient(db, clientId))?.settings
  return openPolicies(db, { recovery: {} as never, signUp }, []).registration({
    profileEnrollmentPolicyId: settings?.profileEnrollmentPolicyId,
    clientId,
  })
}

const isOpen = async (clientId?: string) => (await signUpAt(clientId)).isOpen
const rule = async (policyId: string) => {
  const [first] = (await api('GET', `/policies/${policyId}/rules`)).list
  if (first === undefined) throw new Error('no rule')
  return first as { readonly id: string; readonly actions: { readonly profileEnrollment: object } }
}
async function change(policyId: string, changes: object) {
  const before = await rule(policyId)
  const actions = { profileEnrollment: { ...before.actions.profileEnrollment, ...changes } }
  return api('PUT', `/policies/${policyId}/rules/${before.id}`, { ...before, actions })
}
const own = async (changes: object = {}) => {
  const { id } = (await api('POST', '/policies', { type: 'PROFILE_ENROLLMENT', name: 'Shop' })).body
  expect((await change(id, changes)).status).toBe(200)
  return id as string
}
const builtIn = async () => (await api('GET', '/policies?type=PROFILE_ENROLLMENT')).list.at(-1)?.id ?? ''

describe('the default policy', () => {
  test('is there, built in, and lets visitors of the testing kit sign up', async () => {
    const [policy, ...others] = (await api('GET', '/policies?type=PROFILE_ENROLLMENT')).list
    expect(others).toEqual([])
    expect(policy).toMatchObject({ name: 'Default Policy', system: true, status: 'ACTIVE', conditions: null })
    expect(policy?.id).toMatch(/^rst/)
    expect((await api('DELETE', `/policies/${policy?.id}`)).status).toBe(400)
    expect(await signUpAt()).toMatchObject({
      policyId: policy?.id,
      access: 'ALLOW',
      unknownUserAction: 'REGISTER',
      isOpen: true,
      attributes: ['email', 'firstName', 'lastName'].map((name) => ({
        name,
        label: expect.any(String),
        required: true,
      })),
      emailVerification: true,
      passwordInForm: false,
      targetGroupIds: [],
      progressiveProfiling: false,
      byInvitation: false,
    })
  })

  test('applies to every app without another, and its changes take effect at once', async () => {
    expect([await isOpen(), await isOpen(idp.publicClientId)]).toEqual([true, true])
    await change(await builtIn(), { unknownUserAction: 'DENY' })
    expect([await isOpen(), await isOpen(idp.publicClientId)]).toEqual([false, false])
    await change(await builtIn(), { unknownUserAction: 'REGISTER', access: 'DENY' })
    expect(await isOpen()).toBe(false)
  })
})

describe('a policy that is mapped to an app', () => {
  test('applies there and at no other app, until it is unmapped or deleted', async () => {
    const id = await own()
    expect((await api('PUT', `/apps/${idp.clientId}/policies/${id}`)).status).toBe(204)
    expect(lines.join('')).not.toContain('not evaluated')
    expect([await isOpen(), await isOpen(idp.publicClientId)]).toEqual([false, true])
    await change(id, { unknownUserAction: 'REGISTER', emailVerification: true })
    expect((await signUpAt()).policyId).toBe(id)
    expect(await isOpen()).toBe(true)
    await change(id, { unknownUserAction: 'DENY' })
    expect((await api('DELETE', `/policies/${id}`)).status).toBe(204)
    expect(await isOpen()).toBe(true)
  })

  test('leaves the app without sign-up while it is not active', async () => {
    const id = await own({ unknownUserAction: 'REGISTER' })
    await api('PUT', `/apps/${idp.clientId}/policies/${id}`)
    expect(await isOpen()).toBe(true)
    expect((await api('POST', `/policies/${id}/lifecycle/deactivate`)).status).toBe(204)
    expect([await isOpen(), await isOpen(idp.publicClientId)]).toEqual([false, true])
  })

  test('is read in every member', async () => {
    const group = (await api('POST', '/groups', { profile: { name: 'Guests' } })).body.id
    const id = await own({
      unknownUserAction: 'REGISTER',
      // As clients send it that add to the list: the later of two is the one they mean.
      profileAttributes: [
        { name: 'email', label: 'Email', required: true },
        { name: 'firstName', label: 'First name', required: true },
        { name: 'lastName', label: 'Last name', required: true },
        { name: 'email', label: 'Your email', required: true },
        { name: 'city', label: 'Town', required: false, inputType: 'text' },
      ],
      targetGroupIds: [group, group],
      activationRequirements: { emailVerification: false },
      enrollAuthenticatorTypes: ['PASSWORD'],
      progressiveProfilingAction: 'ENABLED',
    })
    await api('PUT', `/apps/${idp.clientId}/policies/${id}`)
    expect(await signUpAt()).toMatchObject({
      attributes: [
        { name: 'email', label: 'Your email', required: true },
        { name: 'firstName', label: 'First name', required: true },
        { name: 'lastName', label: 'Last name', required: true },
        { name: 'city', label: 'Town', required: false, inputType: 'text' },
      ],
      emailVerification: false,
      passwordInForm: true,
      targetGroupIds: [group],
      progressiveProfiling: true,
    })
    expect(lines).toEqual([])
  })
})

describe('a rule', () => {
  test.each([
    [{ access: 'MAYBE' }, /access/],
    [{ unknownUserAction: 'LET_IN' }, /unknownUserAction/],
    [{ profileAttributes: [{ label: 'None' }] }, /profileAttributes/],
    [{ profileAttributes: [{ name: 'email', required: 'yes' }] }, /required as true or false/],
    [
      { profileAttributes: Array.from({ length: 11 }, (_, at) => ({ name: `a${at}` })) },
      /at most 10 attributes/,
    ],
    [{ activationRequirements: { emailVerification: 'true' } }, /emailVerification/],
    [{ progressiveProfilingAction: 'ON' }, /progressiveProfilingAction/],
    [{ enrollAuthenticatorTypes: ['email'] }, /enrollAuthenticatorTypes/],
    [{ targetGroupIds: 'all' }, /targetGroupIds/],
  ])('with %j is refused, in words that name the member', async (changes, words) => {
    const { id } = (await api('POST', '/policies', { type: 'PROFILE_ENROLLMENT', name: 'Shop' })).body
    const answer = await change(id, changes)
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(words)
  })

  test.each([
    [{ profileAttributes: [{ name: 'email' }, { name: 'shoeSize' }] }, 'shoeSize is no attribute'],
    [{ targetGroupIds: ['00gNone'] }, '00gNone is no group'],
    [{ preRegistrationInlineHooks: [{ inlineHookId: 'cal1' }] }, 'preRegistrationInlineHooks'],
    [{ uiSchemaId: 'uis1' }, 'uiSchemaId'],
  ])('with %j is stored, and the log names what has no effect', async (changes, logged) => {
    const id = await own(changes)
    expect((await rule(id)).actions.profileEnrollment).toMatchObject(changes)
    expect(lines.join('')).toContain(logged)
  })

  test('reads back as it was written, and nothing of it is called unsupported', async () => {
    const id = await own({ unknownUserAction: 'REGISTER' })
    const before = await rule(id)
    expect((await api('PUT', `/policies/${id}/rules/${before.id}`, before)).status).toBe(200)
    expect(lines).toEqual([])
  })
})

describe('the configuration', () => {
  test('closes sign-up at every app, whatever the policies say', async () => {
    expect(await signUpAt(idp.clientId, { open: false })).toMatchObject({
      access: 'ALLOW',
      unknownUserAction: 'DENY',
      isOpen: false,
    })
  })

  test('leaves it to invitations', async () => {
    expect(await signUpAt(idp.clientId, { invitationOnly: true })).toMatchObject({
      byInvitation: true,
      isOpen: false,
    })
  })

  test('has terms and domains for all apps', async () => {
    const terms = { version: '2026-01', url: 'https://example.com/terms' }
    expect(
      await signUpAt(idp.clientId, { terms, domains: { allowed: [], blocked: ['spam.example'] } }),
    ).toMatchObject({
      terms,
      domains: { allowed: [], blocked: ['spam.example'] },
      isOpen: true,
    })
  })
})

describe('an upgrade', () => {
  test('opens nothing that an older version has stored', async () => {
    const { db } = idp.engine.storage
    const id = await own({ unknownUserAction: 'REGISTER' })
    await api('PUT', `/apps/${idp.clientId}/policies/${id}`)
    expect(await isOpen()).toBe(true)
    const start = (open?: boolean) =>
      seedPolicies(db, { policies: {}, recovery: {}, signOn: {}, signUp: { open } } as never, {
        random: systemRandom,
        now: 1,
        everyoneId: '00g',
      }).catch(() => undefined)
    // As it is before the first start of this version.
    await db.deleteFrom('settings').where('key', '=', 'policies.seed.registration').execute()
    await start()
    expect([await isOpen(), await isOpen(idp.publicClientId)]).toEqual([false, false])
    // What an administrator opens afterwards stays open at the next start.
    await change(id, { unknownUserAction: 'REGISTER' })
    await start()
    expect([await isOpen(), await isOpen(idp.publicClientId)]).toEqual([true, false])
    await start(true)
    expect([await isOpen(), await isOpen(idp.publicClientId)]).toEqual([true, true])
  })
})
