import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { type Answer, newVisitor } from '../wire/visitor.ts'

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

const mary = async () => (await api('GET', `/users/${idp.person.login}`)).body.id
const builtIn = async (type: string) => {
  const policy = (await api('GET', `/policies?type=${type}`)).list.at(-1)
  const rule = (await api('GET', `/policies/${policy?.id}/rules`)).list.at(-1)
  return { policy: policy ?? { id: '' }, rule: rule ?? { id: '' } }
}
async function signIn(password = idp.person.password): Promise<Answer> {
  const visitor = newVisitor(idp)
  await visitor.begins()
  return visitor.signsIn(idp.person.login, password)
}
const done = ({ body }: Answer) => 'successWithInteractionCode' in body
const offers = ({ body }: Answer) =>
  ((body.remediation as { value: { name: string }[] } | undefined)?.value ?? []).map(({ name }) => name)
const keyOf = ({ body }: Answer) =>
  (body.messages as { value: { i18n: { key: string } }[] } | undefined)?.value[0]?.i18n.key

const access = (verificationMethod: object, more: object = {}) => ({
  type: 'ACCESS_POLICY',
  name: 'Rule',
  actions: {
    appSignOn: { access: 'ALLOW', verificationMethod: { type: 'ASSURANCE', ...verificationMethod } },
  },
  ...more,
})
/** An access policy with one rule before its catch-all, mapped to the kit's app. */
async function mapped(rule?: object): Promise<string> {
  const { id } = (await api('POST', '/policies', { type: 'ACCESS_POLICY', name: 'Shop' })).body
  if (rule !== undefined) expect((await api('POST', `/policies/${id}/rules`, rule)).status).toBe(200)
  expect((await api('PUT', `/apps/${idp.clientId}/policies/${id}`)).status).toBe(204)
  return id
}

describe('an access policy', () => {
  test('applies to the app that it is mapped to, and to no other', async () => {
    const { id } = (await api('POST', '/policies', { type: 'ACCESS_POLICY', name: 'Shop' })).body
    await api('POST', `/policies/${id}/rules`, access({ factorMode: '2FA' }))
    expect(done(await signIn())).toBe(true)

    expect((await api('PUT', `/apps/${idp.clientId}/policies/${id}`)).status).toBe(204)
    expect(offers(await signIn())).toContain('select-authenticator-authenticate')
    const app = (await api('GET', `/apps/${idp.clientId}`)).body
    expect(app._links).toMatchObject({
      accessPolicy: { href: `${idp.engineUrl}/api/v1/policies/${id}` },
    })
    expect((await api('GET', `/policies/${id}/app`)).list.map((one) => one.id)).toEqual([idp.clientId])

    const { policy } = await builtIn('ACCESS_POLICY')
    await api('PUT', `/apps/${idp.clientId}/policies/${policy.id}`)
    expect(done(await signIn())).toBe(true)
  })

  test('is not deactivated while it is mapped to an app', async () => {
    const id = await mapped()
    expect((await api('POST', `/policies/${id}/lifecycle/deactivate`)).status).toBe(400)
    expect((await api('PUT', `/policies/${id}`, { name: 'Shop', status: 'INACTIVE' })).status).toBe(400)
    const { policy } = await builtIn('ACCESS_POLICY')
    await api('PUT', `/apps/${idp.clientId}/policies/${policy.id}`)
    expect((await api('POST', `/policies/${id}/lifecycle/deactivate`)).status).toBe(204)
  })

  test('is deleted while it is mapped, as in Okta: its apps have the built-in one, and the log says which', async () => {
    const id = await mapped({ ...access({}), actions: { appSignOn: { access: 'DENY' } } })
    expect(done(await signIn())).toBe(false)
    expect((await api('DELETE', `/policies/${id}`)).status).toBe(204)
    const { policy } = await builtIn('ACCESS_POLICY')
    const app = (await api('GET', `/apps/${idp.clientId}`)).body
    expect(app._links).toMatchObject({
      accessPolicy: { href: `${idp.engineUrl}/api/v1/policies/${policy.id}` },
    })
    expect(done(await signIn())).toBe(true)
    expect(lines.join('\n')).toContain('a policy was deleted that was mapped to apps')
  })

  test('has constraints in a list, or one that stands alone', async () => {
    const constraints = { possession: { required: true, types: ['SECURITY_KEY'] } }
    await mapped(access({ factorMode: '1FA', constraints }))
    // No authenticator in use is a security key: the constraint is obeyed, and the log says that it cannot be met.
    expect(done(await signIn())).toBe(false)
    expect(lines.join('\n')).toContain(
      'verificationMethod.constraints.0: no authenticator in use satisfies it',
    )
  })

  test('can be mapped only if the app and the access policy exist', async () => {
    const { policy } = await builtIn('PASSWORD')
    expect((await api('PUT', `/apps/${idp.clientId}/policies/${policy.id}`)).status).toBe(400)
    expect((await api('PUT', `/apps/${idp.clientId}/policies/rstNone`)).status).toBe(404)
    expect((await api('PUT', `/apps/0oaNone/policies/${policy.id}`)).status).toBe(404)
  })

  test('applies by group and by user', async () => {
    const staff = (await api('POST', '/groups', { profile: { name: 'Staff' } })).body.id
    const forStaff = { conditions: { people: { groups: { include: [staff] } } } }
    const id = await mapped(access({ factorMode: '2FA' }, forStaff))
    expect(done(await signIn())).toBe(true)
    await api('PUT', `/groups/${staff}/users/${await mary()}`)
    expect(done(await signIn())).toBe(false)

    const forMary = { conditions: { people: { users: { include: [await mary()] } } }, priority: 1 }
    await api('POST', `/policies/${id}/rules`, access({ factorMode: '1FA' }, forMary))
    expect(done(await signIn())).toBe(true)
  })

  test('that denies refuses after a proof, and reveals nothing before', async () => {
    await mapped({ ...access({}), actions: { appSignOn: { access: 'DENY' } } })
    const wrongPassword = await signIn('not her password')
    expect([wrongPassword.status, keyOf(wrongPassword)]).toEqual([401, 'errors.E0000004'])
    const denied = await signIn()
    expect([denied.status, keyOf(denied)]).toEqual([403, 'security.access_denied'])
  })

  test('that denies still lets a recovery set a password, and then shows a message', async () => {
    await mapped({ ...access({}), actions: { appSignOn: { access: 'DENY' } } })
    const visitor = newVisitor(idp)
    await visitor.atTheReset()
    const end = await visitor.answers('Lighthouse-Biscuit-77')
    expect(done(end)).toBe(false)
    expect(keyOf(end)).toBe('idx.recovery.completed')
    expect(await idp.engine.people.hasPassword(await mary(), 'Lighthouse-Biscuit-77')).toBe(true)
  })

  test('can require certain authenticators', async () => {
    await mapped(access({ factorMode: '1FA', constraints: [{ possession: { required: true } }] }))
    const visitor = newVisitor(idp)
    await visitor.begins()
    const asked = await visitor.signsIn(idp.person.login, idp.person.password)
    expect(offers(asked)).toEqual(['select-authenticator-authenticate'])
    await visitor.selects('okta_email')
    const { code } = await visitor.mail(idp.person.login)
    expect(done(await visitor.answers(code))).toBe(true)
  })

  test.each([
    ['a device', { constraints: [{ possession: { deviceBound: 'REQUIRED' } }] }],
    ['another provider', { constraints: [{ knowledge: { types: ['federated'] } }] }],
    ['a fingerprint', { constraints: [{ inherence: {} }] }],
    ['a chain', { type: 'AUTH_METHOD_CHAIN' }],
  ])('that requires %s, which is not supported, denies access, and the log says so', async (_, method) => {
    await mapped(access(method))
    expect((await signIn()).status).toBe(403)
    expect(lines.join('')).toContain('verificationMethod')
  })

  test('with an unsupported condition never matches', async () => {
    const home = { conditions: { network: { connection: 'ZONE', include: ['nzoHome'] } } }
    const id = await mapped(access({ factorMode: '1FA' }, home))
    const [, catchAll] = (await api('GET', `/policies/${id}/rules`)).list
    await api('PUT', `/policies/${id}/rules/${catchAll?.id}`, {
      ...catchAll,
      actions: { appSignOn: { access: 'DENY' } },
    })
    expect((await signIn()).status).toBe(403)
    expect(lines.join('')).toContain('conditions.network: cannot be evaluated')
  })
})

describe('a global session policy', () => {
  test('can require a second factor, or deny', async () => {
    const { policy, rule } = await builtIn('OKTA_SIGN_ON')
    const path = `/policies/${policy.id}/rules/${rule.id}`
    const signon = { access: 'ALLOW', primaryFactor: 'PASSWORD_IDP', requireFactor: true }
    expect((await api('PUT', path, { ...rule, actions: { signon } })).status).toBe(200)
    expect(offers(await signIn())).toContain('select-authenticator-authenticate')
    await api('PUT', path, { ...rule, actions: { signon: { access: 'DENY' } } })
    expect((await signIn()).status).toBe(403)
  })
})

describe('a password policy', () => {
  const change = async (settings: object) => {
    const { policy } = await builtIn('PASSWORD')
    expect((await api('PUT', `/policies/${policy.id}`, { ...policy, settings })).status).toBe(200)
  }
  const accepts = async (value: string) =>
    (await api('POST', `/users/${await mary()}`, { credentials: { password: { value } } })).status === 200

  test('defines the complexity of passwords', async () => {
    const complexity = { minLength: 10, minLowerCase: 1, minUpperCase: 1, minNumber: 1, minSymbol: 1 }
    await change({ password: { complexity: { ...complexity, excludeAttributes: ['firstName'] } } })
    await api('POST', `/users/${await mary()}`, { profile: { firstName: 'Rosalind' } })
    const taken = {
      'Kettle-42-Fog': true,
      'Ke-42': false,
      'kettle-42-fog': false,
      'KETTLE-42-FOG': false,
      'Kettle-Fog-Fog': false,
      Kettle42FogFog: false,
      'Rosalind-42-x': false,
      'Mary@example-42': false,
    }
    for (const [password, isTaken] of Object.entries(taken)) {
      expect(await accepts(password), password).toBe(isTaken)
    }
  })

  test('defines whether common passwords are refused', async () => {
    const complexity = { minLength: 8, minUpperCase: 0, minNumber: 0, minSymbol: 0 }
    const common = (exclude: boolean) => ({
      password: { complexity: { ...complexity, dictionary: { common: { exclude } } } },
    })
    await change(common(true))
    expect(await accepts('password')).toBe(false)
    await change(common(false))
    expect(await accepts('password')).toBe(true)
  })

  test('lets a password expire: the next sign-in requires a new one', async () => {
    await change({ password: { age: { maxAgeDays: 30 } } })
    idp.clock.advance(31 * 86_400_000)
    expect(offers(await signIn())).toEqual(['reenroll-authenticator'])
  })

  test('refuses earlier passwords, and keeps no user from a recovery by a minimum age', async () => {
    await change({ password: { complexity: { minLength: 12 }, age: { historyCount: 2, minAgeMinutes: 60 } } })
    const set = async (value: string) => {
      const visitor = newVisitor(idp)
      await visitor.atTheCode()
      await idp.engine.delivery.idle()
      const mail = idp.outbox.all().find((one) => one.template === 'ForgotPassword')
      await visitor.answers(mail?.code)
      return (await visitor.answers(value)).status
    }
    expect(await set('Lighthouse-Biscuit-77')).toBe(200)
    idp.clock.advance('30m')
    expect(await set('Lighthouse-Biscuit-77')).toBe(400)
    expect(await set('Another-Biscuit-78')).toBe(200)
  })

  test('locks accounts, and defines after how long they are unlocked', async () => {
    await change({ password: { lockout: { maxAttempts: 1, autoUnlockMinutes: 10 } } })
    expect((await signIn('not her password')).status).toBe(401)
    expect((await api('GET', `/users/${await mary()}`)).body.status).toBe('LOCKED_OUT')
    expect(done(await signIn())).toBe(false)
    idp.clock.advance('11m')
    expect(done(await signIn())).toBe(true)
  })

  test('defines how a recovery can begin, if its rule does not', async () => {
    const { policy, rule } = await builtIn('PASSWORD')
    const path = `/policies/${policy.id}/rules/${rule.id}`
    const reset = async (selfServicePasswordReset: object) =>
      api('PUT', path, { ...rule, actions: { selfServicePasswordReset } })
    const recovers = async () => {
      const visitor = newVisitor(idp)
      await visitor.begins()
      return (await visitor.submits('recover')).status === 200
    }
    await reset({ access: 'ALLOW' })
    expect(await recovers()).toBe(true)
    await change({ recovery: { factors: { okta_email: { status: 'INACTIVE' } } } })
    expect(await recovers()).toBe(false)
    await reset({ access: 'ALLOW', requirement: { primary: { methods: ['email'] } } })
    expect(await recovers()).toBe(true)
    // Known, and not in use.
    await reset({ access: 'ALLOW', requirement: { primary: { methods: ['sms'] } } })
    expect(await recovers()).toBe(false)
    expect(lines.join('')).not.toContain('sms is not supported')
    await reset({ access: 'ALLOW', requirement: { primary: { methods: ['push'] } } })
    expect(await recovers()).toBe(false)
    expect(lines.join('')).toContain('requirement.primary.methods: push is not supported')
  })
})

describe('unsupported settings', () => {
  test.each([
    [
      'MFA_ENROLL',
      { settings: { factors: { okta_otp: { enroll: { self: 'REQUIRED' } } } } },
      'settings.factors.okta_otp.enroll.self',
    ],
    ['IDP_DISCOVERY', {}, 'type IDP_DISCOVERY'],
    [
      'PASSWORD',
      { settings: { password: { age: { expireWarnDays: 5 }, lockout: { showLockoutFailures: true } } } },
      '"ignored":["settings.password.lockout.showLockoutFailures"]',
    ],
  ])('of a policy of the type %s are stored and logged', async (type, body, logged) => {
    const made = await api('POST', '/policies', { type, name: 'Odd', ...body })
    expect(made).toMatchObject({ status: 200, body })
    expect(lines.join('')).toContain(logged)
  })

  test('do not occur in what the engine itself creates', async () => {
    for (const type of ['PASSWORD', 'OKTA_SIGN_ON', 'ACCESS_POLICY', 'PROFILE_ENROLLMENT']) {
      const { policy, rule } = await builtIn(type)
      await api('PUT', `/policies/${policy.id}`, policy)
      await api('PUT', `/policies/${policy.id}/rules/${rule.id}`, rule)
    }
    expect(lines).toEqual([])
  })
})

test.each([[{}], [null], ['MFA_ENROLL'], [7]])('the type of a policy is not changed (%j)', async (type) => {
  const made = await api('POST', '/policies', { type: 'PASSWORD', name: 'One' })
  const changed = await api('PUT', `/policies/${made.body.id}`, { name: 'Two', type })
  expect([changed.status, changed.body.errorCode]).toEqual([400, 'E0000001'])
  expect((await api('GET', `/policies/${made.body.id}`)).body).toMatchObject({
    type: 'PASSWORD',
    name: 'One',
  })
})

describe('what clients read, merge and write back', () => {
  test('a policy for sign-up comes with its one rule, with every member that clients merge into (C5)', async () => {
    const made = (await api('POST', '/policies', { type: 'PROFILE_ENROLLMENT', name: 'Sign-up' })).body
    const [rule, ...others] = (await api('GET', `/policies/${made.id}/rules`)).list
    expect(others).toEqual([])
    expect(rule).toMatchObject({
      system: true,
      type: 'PROFILE_ENROLLMENT',
      actions: {
        profileEnrollment: {
          access: 'ALLOW',
          preRegistrationInlineHooks: null,
          profileAttributes: ['email', 'firstName', 'lastName'].map((name) => ({
            name,
            label: expect.any(String),
            required: true,
          })),
          targetGroupIds: null,
          unknownUserAction: 'DENY',
          activationRequirements: { emailVerification: true },
          uiSchemaId: null,
        },
      },
    })
  })

  test.each([
    'PASSWORD',
    'OKTA_SIGN_ON',
    'ACCESS_POLICY',
    'MFA_ENROLL',
    'PROFILE_ENROLLMENT',
    'IDP_DISCOVERY',
  ])(
    'a policy and a rule of the type %s read back as they were written, and are written as they were read',
    async (type) => {
      const conditions = { people: { groups: { include: ['b', 'a', 'b'], exclude: null } } }
      const body = {
        type,
        name: 'Mine',
        description: 'of mine',
        ...(type !== 'ACCESS_POLICY' && { conditions }),
      }
      const made = (await api('POST', '/policies', { ...body, surplus: { z: [3, 1, 2] } })).body
      expect(made).toMatchObject({ ...body, surplus: { z: [3, 1, 2] } })
      expect((await api('PUT', `/policies/${made.id}`, made)).body).toEqual({
        ...made,
        lastUpdated: expect.any(String),
      })

      const { type: ruleType, ...rule } = (
        await api('POST', `/policies/${made.id}/rules`, { name: 'Rule', type, conditions, surplus: [2, 1] })
      ).body
      expect(rule).toMatchObject({ name: 'Rule', conditions, surplus: [2, 1] })
      const at = `/policies/${made.id}/rules/${rule.id}`
      const merged = { ...rule, type: ruleType, conditions: { people: { groups: { include: ['a', 'a'] } } } }
      expect((await api('PUT', at, merged)).body).toEqual({ ...merged, lastUpdated: expect.any(String) })
      expect((await api('PUT', at, { ...merged, type: 'OTHER' })).status).toBe(400)
    },
  )

  test('lists are restricted by name, status and app, and have rules in them where they are asked for', async () => {
    const id = await mapped(access({}))
    const names = async (query: string) =>
      (await api('GET', `/policies?type=ACCESS_POLICY${query}`)).list.map(({ name }) => name)
    expect(await names('&q=sho')).toEqual(['Shop'])
    expect(await names('&q=hop')).toEqual([])
    expect(await names(`&resourceId=${idp.clientId}`)).toEqual(['Shop'])
    expect(await names('&status=INACTIVE')).toEqual([])
    const [first] = (await api('GET', '/policies?type=ACCESS_POLICY&expand=rules')).list
    expect(first).toMatchObject({
      id,
      _embedded: { rules: [{ name: 'Rule', priority: 1 }, { priority: 99 }] },
    })
    expect((await api('GET', `/policies/${id}?expand=rules`)).body).toEqual(first)
    // Types that Okta has and this engine does not: there are none of them.
    expect((await api('GET', '/policies?type=POST_AUTH_SESSION')).list).toEqual([])
    expect((await api('POST', '/policies', { type: 'POST_AUTH_SESSION', name: 'x' })).status).toBe(400)
  })
})

describe('lists of policies', () => {
  test('and of rules have pages, by priority', async () => {
    for (const name of ['a', 'b', 'c']) await api('POST', '/policies', { type: 'MFA_ENROLL', name })
    const first = await api('GET', '/policies?type=MFA_ENROLL&limit=2')
    expect(first.list.map(({ name }) => name)).toEqual(['a', 'b'])
    const second = await api('GET', first.next ?? '')
    expect(second.list.map(({ name }) => name)).toEqual(['c'])
    expect(second.next).toBeUndefined()

    const { id } = first.list[0] ?? { id: '' }
    for (const name of ['x', 'y']) await api('POST', `/policies/${id}/rules`, { name })
    const rules = await api('GET', `/policies/${id}/rules?limit=1`)
    expect((await api('GET', rules.next ?? '')).list.map(({ name }) => name)).toEqual(['y'])
  })
})

test.each([
  [{ type: 'ACCESS_POLICY', name: 'x', actions: { appSignOn: { access: 'MAYBE' } } }],
  [
    {
      type: 'ACCESS_POLICY',
      name: 'x',
      actions: { appSignOn: { verificationMethod: { factorMode: '3FA' } } },
    },
  ],
  [{ name: 'x', actions: { appSignOn: { verificationMethod: { constraints: 'none' } } } }],
  [
    {
      name: 'x',
      actions: { appSignOn: { verificationMethod: { constraints: [{ knowledge: { types: 7 } }] } } },
    },
  ],
])('an invalid rule is refused (%#)', async (body) => {
  const { policy } = await builtIn('ACCESS_POLICY')
  expect((await api('POST', `/policies/${policy.id}/rules`, body)).status).toBe(400)
})
