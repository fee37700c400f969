import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { hasClients, requireClient } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import { sdk } from '../support/sdk.ts'
import { activate, codeAt } from '../wire/totp.ts'
import { newVisitor } from '../wire/visitor.ts'
import { majors } from './management-sdk.ts'

// Their types are those of another compiler's settings; what is used of them stands here.
interface Thing {
  readonly id: string
  readonly name: string
  readonly settings: unknown
  actions: Actions
}
type Actions = Readonly<Record<string, unknown>>
interface Each {
  each(visit: (thing: Thing) => void): Promise<unknown>
}
type Api = Readonly<
  Record<string, (...given: readonly unknown[]) => Promise<Thing & AsyncIterable<Thing>> & Each>
>

/** The calls of both majors that are about policies. */
interface Calls {
  policies(type: string): Promise<readonly Thing[]>
  make(policy: object): Promise<Thing>
  rules(policyId: string): Promise<readonly Thing[]>
  makeRule(policyId: string, rule: object): Promise<Thing>
  putRule(policyId: string, rule: Thing): Promise<Thing>
}

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const call = (api: Api, name: string, ...given: readonly unknown[]) => {
  const method = api[name]
  if (method === undefined) throw new Error(`the SDK has no ${name}`)
  return method.apply(api, [...given])
}
const options = () => ({ orgUrl: idp.engineUrl, token: idp.apiToken, testing: { disableHttpsCheck: true } })

function calls8(): Calls {
  const { Client } = requireClient<{ Client: new (options: object) => { readonly policyApi: Api } }>(
    '@okta/okta-sdk-nodejs',
  )
  const { policyApi: api } = new Client(options())
  const all = async (name: string, request: object) => {
    const found: Thing[] = []
    for await (const one of await call(api, name, request)) found.push(one)
    return found
  }
  return {
    policies: (type) => all('listPolicies', { type }),
    make: (policy) => call(api, 'createPolicy', { policy }),
    rules: (policyId) => all('listPolicyRules', { policyId }),
    makeRule: (policyId, policyRule) => call(api, 'createPolicyRule', { policyId, policyRule }),
    putRule: (policyId, policyRule) =>
      call(api, 'replacePolicyRule', { policyId, ruleId: policyRule.id, policyRule }),
  }
}

function calls6(): Calls {
  const { Client } = requireClient<{ Client: new (options: object) => Api }>('okta-sdk-nodejs-6')
  const client = new Client(options())
  const all = async (name: string, given: unknown) => {
    const found: Thing[] = []
    await call(client, name, given).each((one) => void found.push(one))
    return found
  }
  return {
    policies: (type) => all('listPolicies', { type }),
    make: (policy) => call(client, 'createPolicy', policy),
    rules: (policyId) => all('listPolicyRules', policyId),
    makeRule: (policyId, rule) => call(client, 'createPolicyRule', policyId, rule),
    putRule: (policyId, rule) => call(client, 'updatePolicyRule', policyId, rule.id, rule),
  }
}

const { login, password } = { login: 'mary@example.com', password: () => idp.person.password }
const signIn = (auth = sdk(idp)) => auth.idx.authenticate({ username: login, password: password() })
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const optionsIn = (step: { readonly inputs?: readonly { readonly options?: readonly unknown[] }[] } = {}) =>
  step.inputs?.[0]?.options

describe.skipIf(!hasClients).each(majors)('policies through okta-sdk-nodejs %s', (major) => {
  let it: Calls
  beforeEach(() => {
    it = major === '8' ? calls8() : calls6()
  })

  /** Reads the one rule of a built-in policy, writes other actions into it and puts it back, as scripts do. */
  async function changes(type: string, actions: Actions): Promise<void> {
    const [policy] = await it.policies(type)
    const [rule] = await it.rules(policy?.id ?? '')
    if (policy === undefined || rule === undefined) throw new Error(`there is no rule of the type ${type}`)
    rule.actions = { ...rule.actions, ...actions }
    await it.putRule(policy.id, rule)
    const [after] = await it.rules(policy.id)
    expect(plain(after?.actions)).toMatchObject(actions)
  }

  /** A policy of the type MFA_ENROLL for all users, that asks at each sign-in. */
  async function enrols(authenticators: readonly object[]): Promise<void> {
    const settings = { type: 'AUTHENTICATORS', authenticators }
    const made = await it.make({ type: 'MFA_ENROLL', name: 'Enrolment', settings })
    expect(plain(made.settings)).toMatchObject(settings)
    const rule = { type: 'MFA_ENROLL', name: 'At sign-in', actions: { enroll: { self: 'LOGIN' } } }
    const { actions } = await it.makeRule(made.id, rule)
    expect(plain(actions)).toMatchObject(rule.actions)
  }
  const ofEveryUser = { key: 'okta_password', enroll: { self: 'REQUIRED' } }
  const mailbox = { key: 'okta_email', enroll: { self: 'OPTIONAL' } }

  test('an access rule names the methods: of two factors of the user one is asked for, and proves it', async () => {
    await activate(apiOf(idp), 'google_otp')
    await enrols([ofEveryUser, mailbox, { key: 'google_otp', enroll: { self: 'OPTIONAL' } }])
    const { sharedSecret = '' } = await idp.factors.enroll(login, 'google_otp')
    const verificationMethod = {
      type: 'ASSURANCE',
      factorMode: '2FA',
      reauthenticateIn: 'PT2H',
      constraints: [
        {
          knowledge: { types: ['password'], reauthenticateIn: 'PT2H' },
          possession: { authenticationMethods: [{ key: 'google_otp', method: 'otp' }] },
        },
      ],
    }
    await changes('ACCESS_POLICY', { appSignOn: { access: 'ALLOW', verificationMethod } })

    const auth = sdk(idp)
    const asked = await signIn(auth)
    expect(asked.nextStep?.authenticator?.key).toBe('google_otp')
    const done = await auth.idx.proceed({ verificationCode: codeAt(sharedSecret, idp.clock.now()) })
    expect(done.tokens?.idToken?.claims.amr).toEqual(['pwd', 'otp', 'mfa'])

    // Excluded, it is of no use, and the mailbox is asked for in its place.
    const possession = { excludedAuthenticationMethods: [{ key: 'google_otp' }] }
    const excluding = { ...verificationMethod, constraints: [{ possession }] }
    await changes('ACCESS_POLICY', { appSignOn: { access: 'ALLOW', verificationMethod: excluding } })
    expect(optionsIn((await signIn()).nextStep)).toEqual([{ label: 'Email', value: 'okta_email' }])
  })

  test('an enrolment that may be put off twice is, and not a third time', async () => {
    await activate(apiOf(idp), 'google_otp')
    const gracePeriod = { type: 'BY_SKIP_COUNT', skipCount: 2 }
    await enrols([ofEveryUser, mailbox, { key: 'google_otp', enroll: { self: 'REQUIRED', gracePeriod } }])
    for (const _ of [2, 1]) {
      const auth = sdk(idp)
      expect((await signIn(auth)).nextStep?.canSkip).toBe(true)
      expect((await auth.idx.proceed({ skip: true })).status).toBe('SUCCESS')
    }
    const last = await signIn()
    expect([last.nextStep?.name, last.nextStep?.canSkip ?? false]).toEqual([
      'select-authenticator-enroll',
      false,
    ])
  })

  test('an enrolment that may be put off until a date is until then', async () => {
    await activate(apiOf(idp), 'google_otp')
    const expiry = new Date(idp.clock.now() + 60_000).toISOString()
    const gracePeriod = { type: 'BY_DATE_TIME', expiry }
    await enrols([ofEveryUser, mailbox, { key: 'google_otp', enroll: { self: 'REQUIRED', gracePeriod } }])
    expect((await signIn()).nextStep?.canSkip).toBe(true)
    idp.clock.advance(60_000)
    expect((await signIn()).nextStep?.canSkip ?? false).toBe(false)
  })

  test('a password rule says what begins a recovery, and what is asked for on top', async () => {
    for (const key of ['google_otp', 'phone_number']) await activate(apiOf(idp), key)
    await enrols([
      ...[ofEveryUser, mailbox],
      ...['google_otp', 'phone_number'].map((key) => ({ key, enroll: { self: 'OPTIONAL' } })),
    ])
    const { sharedSecret = '' } = await idp.factors.enroll(login, 'google_otp')
    // Of what the user has, too, which the rule does not name.
    await idp.factors.enroll(login, { phone_number: { phoneNumber: '+12024561111' } })
    const requirement = {
      primary: { methods: ['email', 'sms'] },
      stepUp: { required: true, methods: ['otp'] },
    }
    await changes('PASSWORD', { selfServicePasswordReset: { access: 'ALLOW', requirement } })

    const auth = sdk(idp)
    const began = await auth.idx.recoverPassword({ username: login })
    expect(optionsIn(began.nextStep)).toEqual([
      { label: 'Email', value: 'okta_email' },
      { label: 'Phone', value: 'phone_number' },
    ])
    await auth.idx.proceed({ authenticator: 'okta_email' })
    const { code } = await idp.outbox.waitFor({ to: login })
    const onTop = await auth.idx.proceed({ verificationCode: code ?? '' })
    expect(optionsIn(onTop.nextStep)).toEqual([{ label: 'Google Authenticator', value: 'google_otp' }])
    await auth.idx.proceed({ authenticator: 'google_otp' })
    const reset = await auth.idx.proceed({ verificationCode: codeAt(sharedSecret, idp.clock.now()) })
    expect(reset.nextStep?.name).toBe('reset-authenticator')

    await changes('PASSWORD', { selfServicePasswordReset: { access: 'DENY' } })
    expect((await sdk(idp).idx.authenticate()).availableSteps?.map(({ name }) => name)).not.toContain(
      'currentAuthenticator-recover',
    )
  })

  test('a rule of sessions says what the first page asks for, and asks for a second factor', async () => {
    const signon = { access: 'ALLOW', requireFactor: true, factorPromptMode: 'ALWAYS' }
    await changes('OKTA_SIGN_ON', { signon: { ...signon, primaryFactor: 'PASSWORD_IDP_ANY_FACTOR' } })
    const visitor = newVisitor(idp)
    const { body } = await visitor.begins()
    expect(JSON.stringify(body.remediation)).not.toContain('"credentials"')
    const second = await signIn()
    expect([second.status, second.nextStep?.name]).toEqual(['PENDING', 'select-authenticator-authenticate'])
    expect(optionsIn(second.nextStep)).toEqual([{ label: 'Email', value: 'okta_email' }])

    await changes('OKTA_SIGN_ON', { signon: { access: 'DENY' } })
    const denied = await signIn()
    expect([denied.status, denied.messages?.[0]?.i18n.key]).toEqual(['TERMINAL', 'security.access_denied'])
  })
})
