import { afterEach, describe, expect, test } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import { putEnrollment } from '../../src/directory/index.ts'
import { type Authenticator, authenticatorId } from '../../src/flow/index.ts'
import { putAuthenticatorSetup } from '../../src/policies/index.ts'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { exampleAuthenticator, exampleCode } from '../support/example-authenticator.ts'
import { apiOf } from '../support/management.ts'
import { changeRule, enrollsApp } from './recovery-rules.ts'
import { activate, codeAt, period } from './totp.ts'
import { type Json, newVisitor, type Visitor } from './visitor.ts'

const mary = 'mary@example.com'
const newPassword = 'Lighthouse-Biscuit-77'

const kits: Kit[] = []
async function engine(options: KitOptions = {}): Promise<Kit> {
  const idp = await startEngine(options)
  kits.push(idp)
  return idp
}
afterEach(async () => {
  await Promise.all(kits.splice(0).map((idp) => idp.close()))
})

const phone: Authenticator = { ...exampleAuthenticator, recovers: true, initialStatus: 'ACTIVE' }

const requiring = (idp: Kit, primary: Json, stepUp: Json = { required: false }) =>
  changeRule(idp, (actions) => ({
    ...actions,
    selfServicePasswordReset: { access: 'ALLOW', requirement: { primary, stepUp } },
  }))

/** The user's enrollment of an authenticator, as a migration would write it. */
async function has(idp: Kit, authenticator: Authenticator, method: string, data: object = {}): Promise<void> {
  const { db } = idp.engine.storage
  const person = await db.selectFrom('people').select('id').executeTakeFirstOrThrow()
  await putEnrollment(
    db,
    { personId: person.id, authenticator: authenticator.key, prefix: 'tst', method, data },
    { random: systemRandom, now: idp.clock.now() },
  )
}

const keysOf = ({ response: { body } }: Visitor) => (body.authenticators?.value ?? []).map(({ key }) => key)
const methodsOf = ({ response: { body } }: Visitor, key: string) =>
  body.authenticators?.value.find((one) => one.key === key)?.methods
async function asks(idp: Kit, login = mary): Promise<Visitor> {
  const visitor = newVisitor(idp)
  await visitor.recovers(login)
  return visitor
}
async function provesMail(idp: Kit): Promise<Visitor> {
  const visitor = await asks(idp)
  await visitor.selects('okta_email')
  await visitor.answers((await visitor.mail(mary)).code)
  return visitor
}

describe('the methods of a rule', () => {
  test.each([
    [['sms'], [{ type: 'sms' }]],
    [['voice'], [{ type: 'voice' }]],
    [
      ['voice', 'sms', 'email'],
      [{ type: 'sms' }, { type: 'voice' }],
    ],
  ])('%j begin a recovery, and no others', async (methods, listed) => {
    const idp = await engine({ authenticators: [phone] })
    await requiring(idp, { methods })
    const visitor = await asks(idp)
    expect(keysOf(visitor)).toEqual([...(methods.includes('email') ? ['okta_email'] : []), 'example_phone'])
    expect(methodsOf(visitor, 'example_phone')).toEqual(listed)
    for (const methodType of ['sms', 'voice']) {
      const { status } = await visitor.submits('challenge', {
        authenticator: { id: authenticatorId('example_phone'), methodType },
      })
      expect([methodType, status]).toEqual([methodType, methods.includes(methodType) ? 200 : 400])
    }
  })

  test('that an administrator has switched off are offered nowhere', async () => {
    const idp = await engine({ authenticators: [phone] })
    const { storage } = idp.engine
    const off = async (inactiveMethods: readonly string[]) => {
      const setup = { status: 'ACTIVE', settings: { inactiveMethods }, updatedAt: 1 } as const
      await putAuthenticatorSetup(storage.db, 'example_phone', setup)
      // A change over the management API has the policies read anew.
      await requiring(idp, { methods: ['email', 'sms', 'voice'] })
    }
    await off(['sms'])
    expect(methodsOf(await asks(idp), 'example_phone')).toEqual([{ type: 'voice' }])
    await off(['sms', 'voice'])
    expect(keysOf(await asks(idp))).toEqual(['okta_email'])
  })

  test('are the union of all policies before the proof; after it those of the user count', async () => {
    const idp = await engine({ authenticators: [phone] })
    const api = apiOf(idp)
    const { body: group } = await api('POST', '/groups', { profile: { name: 'Phones' } })
    const conditions = { people: { groups: { include: [group.id] } } }
    const { body: policy } = await api('POST', '/policies', { type: 'PASSWORD', name: 'Phones', conditions })
    await api('POST', `/policies/${policy.id}/rules`, {
      type: 'PASSWORD',
      name: 'By text message',
      actions: {
        selfServicePasswordReset: { access: 'ALLOW', requirement: { primary: { methods: ['sms'] } } },
      },
    })
    for (const login of [mary, 'nobody@example.com']) {
      const visitor = await asks(idp, login)
      expect(keysOf(visitor)).toEqual(['okta_email', 'example_phone'])
      expect(methodsOf(visitor, 'example_phone')).toEqual([{ type: 'sms' }])
    }
    // Mary is in no such group: a text message begins no recovery of hers, and the mailbox is asked for besides.
    const visitor = await asks(idp)
    await visitor.selects('example_phone', { methodType: 'sms' })
    await visitor.answers(exampleCode)
    expect(keysOf(visitor)).toEqual(['okta_email'])
  })

  test('leave it to the settings of the policy where the rule names none', async () => {
    const idp = await engine({ authenticators: [phone] })
    await changeRule(idp, (actions) => ({
      ...actions,
      selfServicePasswordReset: { access: 'ALLOW', requirement: { stepUp: { required: false } } },
    }))
    const api = apiOf(idp)
    const [policy] = (await api('GET', '/policies?type=PASSWORD')).list
    const offered = async (factors: Json) => {
      const settings = { ...(policy?.settings as object), recovery: { factors } }
      const { status } = await api('PUT', `/policies/${policy?.id}`, { ...policy, settings })
      expect(status).toBe(200)
      const visitor = await asks(idp)
      return [keysOf(visitor), methodsOf(visitor, 'example_phone')]
    }
    expect(await offered({})).toEqual([['okta_email'], undefined])
    expect(await offered({ okta_sms: { status: 'ACTIVE' } })).toEqual([
      ['okta_email', 'example_phone'],
      [{ type: 'sms' }],
    ])
    expect(await offered({ okta_email: { status: 'INACTIVE' }, okta_call: { status: 'ACTIVE' } })).toEqual([
      ['example_phone'],
      [{ type: 'voice' }],
    ])
  })
})

describe('an authenticator app', () => {
  test('begins a recovery only where the rule names codes, and leaves its constraint to it', async () => {
    const idp = await engine()
    await activate(apiOf(idp), 'google_otp')
    expect(keysOf(await asks(idp))).toEqual(['okta_email'])
    await requiring(idp, { methods: ['email', 'otp'] })
    expect(keysOf(await asks(idp))).toEqual(['okta_email', 'google_otp'])
    const constraint = (key: string) => ({
      methods: ['email', 'otp'],
      methodConstraints: [{ method: 'otp', allowedAuthenticators: [{ key }] }],
    })
    await requiring(idp, constraint('google_otp'))
    expect(keysOf(await asks(idp))).toEqual(['okta_email', 'google_otp'])
    await requiring(idp, constraint('okta_verify'))
    expect(keysOf(await asks(idp))).toEqual(['okta_email'])
  })

  test('recovers the password of its owner, and attests no second factor with it (A54)', async () => {
    const idp = await engine({ clock: 'frozen' })
    const secret = await enrollsApp(idp)
    // What was added without an older factor begins a recovery a day later (A77).
    idp.clock.advance('1d')
    await requiring(idp, { methods: ['otp'] })
    const visitor = await asks(idp)
    await visitor.selects('google_otp')
    await visitor.answers(codeAt(secret, idp.clock.now(), 1))
    expect(visitor.remediations).toEqual(['reset-authenticator'])
    const { interactionCode } = await visitor.answers(newPassword)
    const { body } = await visitor.redeems(interactionCode)
    const [, claims = ''] = String(body.id_token).split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).amr).toEqual(['otp'])
  })

  test('is asked of every name alike: who has none is answered a wrong code', async () => {
    const idp = await engine({ clock: 'frozen' })
    await activate(apiOf(idp), 'google_otp')
    await requiring(idp, { methods: ['email', 'otp'] })
    const answers = async (login: string) => {
      const visitor = await asks(idp, login)
      await visitor.selects('google_otp')
      const seen = []
      for (let guess = 0; guess < 6; guess++) {
        const { status } = await visitor.answers(String(100000 + guess))
        seen.push([status, ...visitor.messages])
      }
      return seen
    }
    const known = await answers(mary)
    expect(await answers('nina@example.com')).toEqual(known)
    expect(known.map(([status]) => status)).toEqual([401, 401, 401, 401, 429, 401])
  })
})

describe('a second proof', () => {
  const required = { recovery: { secondFactor: 'required' } } as const

  test.each([
    ['a user who has one is asked for it, also where the rule does not say so', {}, { required: false }],
    ['the setting asks all users for it', required, { required: false }],
    ['the rule asks all users for it', {}, { required: true }],
  ])('%s: an authenticator app', async (_, settings, stepUp) => {
    const idp = await engine({ clock: 'frozen', settings })
    const secret = await enrollsApp(idp)
    await requiring(idp, { methods: ['email'] }, stepUp)
    const visitor = await provesMail(idp)
    expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
    expect(keysOf(visitor)).toEqual(['google_otp'])
    await visitor.selects('google_otp')
    idp.clock.advance(`${period}ms`)
    await visitor.answers(codeAt(secret, idp.clock.now(), 1))
    expect(visitor.remediations).toEqual(['reset-authenticator'])
  })

  test('is asked for by each authenticator that the user has', async () => {
    const idp = await engine({ authenticators: [phone] })
    await activate(apiOf(idp), 'security_question')
    await requiring(idp, { methods: ['email'] })
    await has(idp, phone, 'sms')
    const visitor = await provesMail(idp)
    expect(keysOf(visitor)).toEqual(['example_phone'])
    await visitor.selects('example_phone', { methodType: 'voice' })
    await visitor.answers(exampleCode)
    expect(visitor.remediations).toEqual(['reset-authenticator'])
  })

  test('is one of those that the rule names, and of their methods', async () => {
    const idp = await engine({ authenticators: [phone] })
    await activate(apiOf(idp), 'security_question')
    await has(idp, phone, 'sms')
    const offered = async (methods: readonly string[]) => {
      await requiring(idp, { methods: ['email'] }, { required: true, methods })
      const visitor = await provesMail(idp)
      return [visitor.response.status, keysOf(visitor), methodsOf(visitor, 'example_phone'), visitor.messages]
    }
    expect(await offered(['voice'])).toEqual([200, ['example_phone'], [{ type: 'voice' }], []])
    expect(await offered(['sms', 'otp'])).toEqual([200, ['example_phone'], [{ type: 'sms' }], []])
    // A user who has none of what the rule names is refused, as the step-up is required (A34): an administrator resets the factors.
    const refused = 'oie.selfservice.reset.password.not.allowed'
    expect(await offered(['security_question'])).toEqual([403, [], undefined, [refused]])
  })

  test('may not be the mailbox again, nor the password', async () => {
    const idp = await engine({ settings: required })
    const visitor = await provesMail(idp)
    expect([visitor.response.status, visitor.messages]).toEqual([
      403,
      ['oie.selfservice.reset.password.not.allowed'],
    ])
    expect((await newVisitor(idp).signsIn(mary, idp.person.password)).interactionCode).toBeDefined()
  })

  test('is not asked for twice: who begins with the phone has proven it', async () => {
    const idp = await engine({ authenticators: [phone] })
    await requiring(idp, { methods: ['sms'] })
    await has(idp, phone, 'sms')
    const visitor = await asks(idp)
    await visitor.selects('example_phone', { methodType: 'sms' })
    await visitor.answers(exampleCode)
    expect(visitor.remediations).toEqual(['reset-authenticator'])
  })

  test('follows a phone, too, where the user has an authenticator app besides', async () => {
    const idp = await engine({ clock: 'frozen', authenticators: [phone] })
    const secret = await enrollsApp(idp)
    await has(idp, phone, 'sms')
    await requiring(idp, { methods: ['sms'] }, { required: true, methods: ['otp'] })
    const visitor = await asks(idp)
    await visitor.selects('example_phone', { methodType: 'sms' })
    await visitor.answers(exampleCode)
    expect(keysOf(visitor)).toEqual(['google_otp'])
    await visitor.selects('google_otp')
    await visitor.answers(codeAt(secret, idp.clock.now(), 1))
    expect(visitor.remediations).toEqual(['reset-authenticator'])
  })
})

test('a rule that names what cannot be obeyed says so, and what is obeyed it does not', async () => {
  const idp = await engine()
  const api = apiOf(idp)
  const [policy] = (await api('GET', '/policies?type=PASSWORD')).list
  const requirement = {
    primary: {
      methods: ['email', 'otp'],
      methodConstraints: [{ method: 'otp', allowedAuthenticators: [{ key: 'google_otp' }] }],
    },
    stepUp: { required: true, methods: ['otp'] },
  }
  const { body } = await api('POST', `/policies/${policy?.id}/rules`, {
    type: 'PASSWORD',
    name: 'Codes',
    actions: {
      selfServicePasswordReset: { access: 'ALLOW', requirement },
      selfServiceUnlock: { access: 'ALLOW' },
    },
  })
  const read = await api('GET', `/policies/${policy?.id}/rules/${body.id}`)
  expect(read.body.actions).toMatchObject({ selfServicePasswordReset: { requirement } })
})
