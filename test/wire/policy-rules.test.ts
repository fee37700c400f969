import { decodeJwt } from 'jose'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { type Answer, type Kit, type KitOptions, startEngine, type Visitor } from '../../src/testing/index.ts'
import { manyRequests } from '../support/nodes.ts'
import { appRule, enrolmentPolicy, namingApp, sessionRule } from '../support/policy-rules.ts'
import { codeAt, secretIn } from './totp.ts'
import { newVisitor } from './visitor.ts'

const mary = 'mary@example.com'
let idp: Kit
afterEach(() => idp.close())
const start = async (options: KitOptions = {}) => {
  const settings = { ...options.settings, limits: { ...manyRequests, mailsPerRecipient: 1_000_000 } }
  idp = await startEngine({ clock: 'frozen', ...options, settings })
}
const identifierFirst: KitOptions = { settings: { signOn: { start: 'identifier' } } }

const begun = async (parameters?: Readonly<Record<string, string>>): Promise<Visitor> => {
  const visitor = newVisitor(
    idp,
    parameters && { parameters: { scope: 'openid', state: 's', ...parameters } },
  )
  await visitor.begins()
  return visitor
}
const signsIn = async (parameters?: Readonly<Record<string, string>>): Promise<Visitor> => {
  const visitor = await begun(parameters)
  await visitor.signsIn(mary, idp.person.password)
  return visitor
}
const keysIn = ({ body }: Answer) => body.authenticators?.value.map(({ key }) => key)
const byMail = async (visitor: Visitor): Promise<Answer> => {
  await visitor.selects('okta_email')
  await idp.engine.delivery.idle()
  return visitor.answers(idp.outbox.latest({ to: mary })?.code)
}
const claimsOf = async (visitor: Visitor) => decodeJwt(String((await visitor.redeems()).body.id_token))

describe('a required enrolment with a grace period', () => {
  test('until a date: it is on the authenticator with a way around it, and not from then on', async () => {
    await start()
    const expiry = new Date(idp.clock.now() + 60_000).toISOString()
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED', gracePeriod: { type: 'BY_DATE_TIME', expiry } }))
    const visitor = await signsIn()
    expect(visitor.remediations).toEqual(['select-authenticator-enroll', 'skip'])
    expect(visitor.response.body.authenticators?.value).toMatchObject([
      { key: 'google_otp', gracePeriod: { type: 'BY_DATE_TIME', expiry } },
    ])
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
    idp.clock.advance(60_000)
    const late = await signsIn()
    expect(late.remediations).toEqual(['select-authenticator-enroll'])
    expect(late.response.body.authenticators?.value[0]).not.toHaveProperty('gracePeriod')
  })

  test('until a date: asks a user who has a factor for no proof of it, and from then on does', async () => {
    await start()
    const expiry = new Date(idp.clock.now() + 60_000).toISOString()
    const app = { key: 'google_otp', enroll: { self: 'OPTIONAL' } }
    const codes = {
      key: 'recovery_codes',
      enroll: { self: 'REQUIRED', gracePeriod: { type: 'BY_DATE_TIME', expiry } },
    }
    const { authenticators } = namingApp({ self: 'OPTIONAL' })
    await enrolmentPolicy(idp, {
      authenticators: [...authenticators.filter(({ key }) => key !== 'google_otp'), app, codes],
    })
    await idp.factors.enroll(mary, 'google_otp')
    const visitor = await signsIn()
    expect(visitor.response.interactionCode).toBeDefined()
    idp.clock.advance(60_000)
    const due = await signsIn()
    expect(due.remediations).toEqual(['challenge-authenticator', 'select-authenticator-authenticate'])
    expect(keysIn(due.response)).toEqual(['google_otp'])
  })

  test('of a number of times: it counts down with each, and is not asked of a user who has enrolled', async () => {
    await start()
    const gracePeriod = { type: 'BY_SKIP_COUNT', skipCount: 2 }
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED', gracePeriod }))
    for (const remainingSkips of [2, 1]) {
      const visitor = await signsIn()
      expect(visitor.response.body.authenticators?.value).toMatchObject([
        { key: 'google_otp', gracePeriod: { type: 'BY_SKIP_COUNT', remainingSkips } },
      ])
      expect((await visitor.submits('skip')).interactionCode).toBeDefined()
    }
    const last = await signsIn()
    expect(last.remediations).toEqual(['select-authenticator-enroll'])
    const secret = secretIn(await last.enrolls('google_otp'))
    expect((await last.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
    expect((await signsIn()).response.interactionCode).toBeDefined()
  })
})

test('an enrolment rule that asks at a challenge asks where the app needs two factors; one that never asks does not', async () => {
  await start()
  await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED' }), { actions: { enroll: { self: 'CHALLENGE' } } })
  expect((await signsIn()).response.interactionCode).toBeDefined()
  await appRule(idp, { factorMode: '2FA' })
  const visitor = await signsIn()
  await byMail(visitor)
  expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
})

test('what was just enrolled counts: a second factor is not asked for after it', async () => {
  await start()
  await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED' }))
  await appRule(idp, {
    factorMode: '2FA',
    constraints: [
      { knowledge: { types: ['password'] }, possession: { authenticationMethods: [{ key: 'google_otp' }] } },
    ],
  })
  const visitor = await signsIn()
  expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
  const secret = secretIn(await visitor.enrolls('google_otp'))
  expect((await visitor.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
  expect(await claimsOf(visitor)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] })
})

describe('a sign-in without a password', () => {
  test('by mail alone where the rule asks for a possession', async () => {
    await start(identifierFirst)
    await appRule(idp, { factorMode: '1FA', constraints: [{ possession: {} }] })
    const visitor = await begun()
    const answer = await visitor.submits('identify', { identifier: mary })
    expect(keysIn(answer)).toEqual(['okta_email'])
    expect((await byMail(visitor)).interactionCode).toBeDefined()
    expect(await claimsOf(visitor)).toMatchObject({ amr: ['otp'] })
    // The same for a name that does not exist.
    const unknown = await begun()
    expect(keysIn(await unknown.submits('identify', { identifier: 'nobody@example.com' }))).toEqual([
      'okta_email',
    ])
  })
})

describe('acr_values', () => {
  const two = 'urn:okta:loa:2fa:any'
  test('raises what is asked, and the granted one comes back', async () => {
    await start()
    const visitor = await signsIn({ acr_values: two })
    expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
    await byMail(visitor)
    expect(await claimsOf(visitor)).toMatchObject({ acr: two, amr: ['pwd', 'otp', 'mfa'] })
  })

  test.each(['urn:okta:loa:1fa:any', 'urn:okta:loa:1fa:pwd', `${two} urn:okta:loa:1fa:pwd`, 'unknown'])(
    '%s asks for no more than the password',
    async (acrValues) => {
      await start()
      const visitor = await signsIn({ acr_values: acrValues })
      expect(visitor.response.interactionCode).toBeDefined()
      const [wished] = acrValues.split(' ').filter((one) => one.includes('1fa'))
      expect((await claimsOf(visitor)).acr).toBe(wished)
    },
  )

  test('2fa:any:ifpossible asks for a second factor where the user has one', async () => {
    await start()
    const ifPossible = `${two}:ifpossible`
    const visitor = await signsIn({ acr_values: ifPossible })
    await byMail(visitor)
    expect(await claimsOf(visitor)).toMatchObject({ acr: ifPossible })
    // The policy allows nothing but the password: it is not possible.
    await enrolmentPolicy(idp, {
      authenticators: [{ key: 'okta_password', enroll: { self: 'REQUIRED' } } as never],
    })
    const alone = await signsIn({ acr_values: ifPossible })
    expect(alone.response.interactionCode).toBeDefined()
    expect(await claimsOf(alone)).toMatchObject({ acr: ifPossible, amr: ['pwd'] })
  })

  test('1fa:pwd asks for the password where any factor would do, and offers nothing else', async () => {
    await start(identifierFirst)
    const visitor = await begun({ acr_values: 'urn:okta:loa:1fa:pwd' })
    expect(keysIn(await visitor.submits('identify', { identifier: mary }))).toEqual(['okta_password'])
  })

  test.each(['phr', 'phrh'])('%s is not granted to a user who has nothing of the kind', async (level) => {
    await start()
    expect((await signsIn({ acr_values: level })).response.status).toBe(403)
  })

  test('never lowers what the rule asks', async () => {
    await start()
    await appRule(idp, { factorMode: '2FA' })
    const visitor = await signsIn({ acr_values: 'urn:okta:loa:1fa:any' })
    expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
  })
})

describe('the age of a proof', () => {
  test('max_age: what was proven longer ago is asked for again', async () => {
    await start()
    await appRule(idp, { factorMode: '2FA' })
    const visitor = await signsIn({ max_age: '60' })
    idp.clock.advance(61_000)
    const answer = await byMail(visitor)
    expect(keysIn(answer)).toEqual(['okta_password'])
    await visitor.selects('okta_password')
    expect((await visitor.answers(idp.person.password)).interactionCode).toBeDefined()
  })

  test('max_age=0 and PT0S ask for what this transaction proves', async () => {
    await start()
    await appRule(idp, { factorMode: '1FA', reauthenticateIn: 'PT0S' })
    expect((await signsIn({ max_age: '0' })).response.interactionCode).toBeDefined()
  })
})

describe('a chain of methods', () => {
  test('asks for each of its steps', async () => {
    await start()
    await appRule(idp, {
      type: 'AUTH_METHOD_CHAIN',
      chains: [
        {
          authenticationMethods: [{ key: 'okta_password', method: 'password' }],
          next: [{ authenticationMethods: [{ key: 'okta_email', method: 'email' }] }],
        },
      ],
    })
    const visitor = await signsIn()
    expect(keysIn(visitor.response)).toEqual(['okta_email'])
    expect((await byMail(visitor)).interactionCode).toBeDefined()
  })
})

describe('a rule of the global session', () => {
  test('DENY lets no user in, after the proof', async () => {
    await start()
    await sessionRule(idp, { access: 'DENY' })
    expect((await signsIn()).response.status).toBe(403)
  })

  test('requireFactor asks for a second factor at each sign-in, whatever the app asks', async () => {
    await start()
    for (const factorPromptMode of ['ALWAYS', 'SESSION', 'DEVICE']) {
      await sessionRule(idp, { requireFactor: true, factorPromptMode, factorLifetime: 15 })
      const visitor = await signsIn()
      expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
      expect((await byMail(visitor)).interactionCode).toBeDefined()
    }
  })

  test('primaryFactor says what the first page asks for', async () => {
    await start()
    const fields = async () => {
      const { response } = await begun()
      return response.body.remediation?.value[0]?.value?.map(({ name }) => name)
    }
    expect(await fields()).toContain('credentials')
    await sessionRule(idp, { primaryFactor: 'PASSWORD_IDP_ANY_FACTOR' })
    expect(await fields()).not.toContain('credentials')
  })
})

describe('a rule of an enrolment policy that is for some apps', () => {
  const forApps = (app: object) => ({ actions: { enroll: { self: 'LOGIN' } }, conditions: { app } })
  const isAsked = async (client: string): Promise<boolean> => {
    const visitor = newVisitor(idp, { client })
    await visitor.signsIn(mary, idp.person.password)
    return visitor.remediations.includes('select-authenticator-enroll')
  }

  test.each([
    ['includes one', (id: string) => ({ include: [{ id, type: 'APP' }] }), [true, false]],
    ['excludes one', (id: string) => ({ include: [], exclude: [{ id, type: 'APP' }] }), [false, true]],
    ['names no app', () => ({ include: [], exclude: [] }), [true, true]],
  ])('%s: is for those alone', async (_, app, expected) => {
    await start()
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED' }), forApps(app(idp.publicClientId)))
    expect([await isAsked(idp.publicClientId), await isAsked(idp.clientId)]).toEqual(expected)
  })

  test('names a network or a kind of apps, which cannot be evaluated: applies to no user, and the log says so', async () => {
    const lines: string[] = []
    const log = createLogger({ level: 'warn', stream: { write: (line) => void lines.push(line) } })
    await start({ log })
    await enrolmentPolicy(
      idp,
      namingApp({ self: 'REQUIRED' }),
      forApps({ include: [{ name: 'oidc_client', type: 'APP_TYPE' }] }),
    )
    expect(await isAsked(idp.clientId)).toBe(false)
    expect(lines.join()).toContain('conditions.app: cannot be evaluated')
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED' }), {
      actions: { enroll: { self: 'LOGIN' } },
      conditions: { network: { connection: 'ZONE', include: ['nzo1'] } },
    })
    expect(await isAsked(idp.clientId)).toBe(false)
    expect(lines.join()).toContain('conditions.network: cannot be evaluated')
  })
})
