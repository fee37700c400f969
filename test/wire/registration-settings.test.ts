import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Kit, type KitOptions, startEngine, type Visitor } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { enrolmentPolicy } from '../support/policy-rules.ts'
import { onEachDatabase } from '../support/postgres.ts'
import {
  changeSignUp,
  claimsOf,
  codeMail,
  fillsIn,
  messagesInFields,
  openSignUp,
  toTheForm,
} from '../support/sign-up.ts'
import { newVisitor } from './visitor.ts'

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'
const terms = { version: '2026-01', url: 'https://shop.example.com/terms', label: 'I agree' }

const kits: Kit[] = []
afterEach(async () => {
  for (const kit of kits.splice(0)) await kit.close()
})
async function engine(options: KitOptions): Promise<Kit> {
  const kit = await startEngine(options)
  kits.push(kit)
  return kit
}
const code = async (visitor: Visitor) => visitor.answers((await visitor.mail(nina.email, codeMail)).code)
async function setsPassword(visitor: Visitor) {
  await visitor.enrolls('okta_password')
  return visitor.answers(password)
}

onEachDatabase('terms', (database) => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({
      ...openSignUp({ signUp: { terms } }),
      database: (await database.create()).url,
      clock: 'frozen',
    })
  })
  afterAll(() => idp.close())

  test('are agreed to in the form, and the version and the time stand at the user and in the log from the first moment', async () => {
    const visitor = await fillsIn(newVisitor(idp), nina)
    expect(messagesInFields(visitor.response)).toEqual({
      'userProfile.termsAccepted': ['registration.error.termsNotAccepted'],
    })
    const agreed = new Date(idp.clock.now()).toISOString()
    await visitor.submits('enroll/new', { userProfile: { ...nina, termsAccepted: 'true' } })
    idp.clock.advance('1m')
    await code(visitor)
    const user = async () => (await apiOf(idp)('GET', `/users/${nina.email}`)).body
    // Of an account that is not complete, too, and as of the moment at which the form was sent.
    expect(await user()).toMatchObject({
      status: 'PROVISIONED',
      terms: { version: terms.version, agreed },
    })
    const created = (await idp.events()).find(({ eventType }) => eventType === 'user.lifecycle.create')
    expect(created?.debugContext?.debugData).toMatchObject({
      termsVersion: terms.version,
      termsUrl: terms.url,
    })
    await setsPassword(visitor)
    expect(await user()).toMatchObject({ status: 'ACTIVE', terms: { version: terms.version, agreed } })
  })
})

describe('domains', () => {
  test('an address of a blocked domain, or of none that is allowed, is refused in its field, and no mail leaves', async () => {
    const idp = await engine(
      openSignUp({
        signUp: { domains: { allowed: ['example.com', '*.example.org'], blocked: ['bad.example.org'] } },
      }),
    )
    for (const email of ['nina@other.net', 'nina@bad.example.org', 'nina@example.com.evil.net']) {
      const { response } = await fillsIn(newVisitor(idp), { ...nina, email })
      expect([response.status, messagesInFields(response)]).toEqual([
        400,
        { 'userProfile.email': ['registration.error.domainNotAllowed'] },
      ])
    }
    for (const email of [nina.email, 'nina@shop.example.org']) {
      const { remediations } = await fillsIn(newVisitor(idp), { ...nina, email })
      expect(remediations[0]).toBe('enroll-authenticator')
    }
    await idp.engine.delivery.idle()
    expect(
      idp.outbox
        .all()
        .map(({ to }) => to)
        .toSorted(),
    ).toEqual([nina.email, 'nina@shop.example.org'])
  })
})

describe('where sign-up is left to invitations', () => {
  test('a visitor is offered none, and who has an activation token fills in what is missing and agrees to the terms', async () => {
    const idp = await engine(openSignUp({ signUp: { invitationOnly: true, terms } }))
    const visitor = newVisitor(idp)
    await visitor.begins()
    expect(visitor.remediations).toEqual(['identify'])
    expect((await visitor.submits('enroll')).status).toBe(400)
    expect((await visitor.submits('enroll/new', { userProfile: nina })).status).toBe(400)

    const profile = { login: nina.email, email: nina.email }
    const { body } = await apiOf(idp)('POST', '/users?activate=false', { profile })
    const sent = await apiOf(idp)('POST', `/users/${body.id}/lifecycle/activate?sendEmail=false`)
    const invited = newVisitor(idp)
    await invited.begins({ activation_token: String(sent.body.activationToken) })
    await setsPassword(invited)
    expect(invited.remediations).toEqual(['enroll-profile'])
    const { email: _, ...names } = nina
    await invited.submits('enroll/update', { userProfile: { ...names, termsAccepted: 'true' } })
    expect((await claimsOf(invited)).email).toBe(nina.email)
    const user = (await apiOf(idp)('GET', `/users/${body.id}`)).body
    expect(user).toMatchObject({ status: 'ACTIVE', profile: names, terms: { version: terms.version } })
  })
})

test('a custom attribute stays in the form when the schema is read and written back, and leaves it when it is hidden', async () => {
  const idp = await engine(openSignUp())
  const api = apiOf(idp)
  const schema = '/meta/schemas/user/default'
  const write = (nick: object) =>
    api('POST', schema, { definitions: { custom: { id: '#custom', type: 'object', properties: { nick } } } })
  await write({ title: 'Nick', type: 'string' })
  await changeSignUp(idp, {
    profileAttributes: ['email', 'nick'].map((name) => ({ name, label: name, required: true })),
  })
  const asked = async () => Object.keys(messagesInFields((await fillsIn(newVisitor(idp), {})).response))
  expect(await asked()).toEqual(['userProfile.email', 'userProfile.nick'])
  const { custom } = (await api('GET', schema)).body.definitions as {
    readonly custom: { readonly properties: { readonly nick: object } }
  }
  expect((await api('POST', schema, { definitions: { custom } })).status).toBe(200)
  expect(await asked()).toEqual(['userProfile.email', 'userProfile.nick'])
  await write({ ...custom.properties.nick, permissions: [{ principal: 'SELF', action: 'HIDE' }] })
  expect(await asked()).toEqual(['userProfile.email'])
})

describe('a recovery of a user who waits for an activation', () => {
  const invited = async (idp: Kit, more: object = {}) => {
    const profile = { login: nina.email, email: nina.email, ...more }
    const { body } = await apiOf(idp)('POST', '/users?activate=false', { profile })
    const sent = await apiOf(idp)('POST', `/users/${body.id}/lifecycle/activate?sendEmail=false`)
    return sent.body.activationToken as string
  }
  const statusOf = async (idp: Kit) => (await apiOf(idp)('GET', `/users/${nina.email}`)).body.status
  const { email: _, ...names } = nina
  const notAllowed = [403, ['oie.selfservice.reset.password.not.allowed']]

  test.each([
    ['terms are agreed to', { signUp: { terms } }, names],
    ['required attributes are filled in', { signUp: { invitationOnly: true } }, {}],
  ])(
    'is not allowed before the %s, and the activation stays as good as it was',
    async (_, settings, more) => {
      const idp = await engine(openSignUp(settings))
      const token = await invited(idp, more)
      const visitor = await newVisitor(idp).atTheReset(nina.email)
      expect([visitor.response.status, visitor.messages]).toEqual(notAllowed)
      expect(await statusOf(idp)).toBe('PROVISIONED')

      const later = newVisitor(idp, { parameters: { activation_token: token } })
      await later.begins()
      await setsPassword(later)
      expect(later.remediations[0]).toBe('enroll-profile')
      await later.submits('enroll/update', { userProfile: { ...names, termsAccepted: 'true' } })
      expect(await statusOf(idp)).toBe('ACTIVE')
      // A user who is active is asked for nothing more in a recovery.
      const again = await newVisitor(idp).atTheReset(nina.email)
      expect(again.remediations[0]).toBe('reset-authenticator')
    },
  )

  test.each([
    ['terms', { signUp: { terms } }, names, 403],
    ['required attributes of who is invited', { signUp: { invitationOnly: true } }, {}, 403],
    ['nothing', { signUp: { invitationOnly: true } }, names, 200],
    ['nothing, as sign-up is open', {}, {}, 200],
  ])(
    'is begun by no administrator while the activation has still to ask for %s',
    async (_, settings, more, status) => {
      const idp = await engine(openSignUp(settings))
      await invited(idp, more)
      const path = `/users/${nina.email}/lifecycle`
      const reset = await apiOf(idp)('POST', `${path}/reset_password?sendEmail=false`)
      expect(reset.status).toBe(status)
      expect(await statusOf(idp)).toBe(status === 200 ? 'RECOVERY' : 'PROVISIONED')
      if (status !== 403) return
      expect(reset.body.errorCode).toBe('E0000038')
      expect((await apiOf(idp)('POST', `${path}/reactivate?sendEmail=false`)).status).toBe(200)
    },
  )

  test('is allowed where nothing is due, and makes the user active', async () => {
    const idp = await engine(openSignUp({ signUp: { invitationOnly: true } }))
    await invited(idp, names)
    const visitor = await newVisitor(idp).atTheReset(nina.email)
    await visitor.answers(password)
    expect(await statusOf(idp)).toBe('ACTIVE')
  })

  test('of users who were active before there were terms asks for none', async () => {
    const idp = await engine(openSignUp({ signUp: { terms, invitationOnly: true } }))
    const visitor = await newVisitor(idp).atTheReset()
    expect(visitor.remediations[0]).toBe('reset-authenticator')
  })
})

test('a recovery sets no password where the enrolment policy forbids one, but an administrator may have it set', async () => {
  const idp = await engine(openSignUp())
  const before = await newVisitor(idp).atTheCode()
  await before.mail(undefined, 'ForgotPassword')
  const [email, forbidden] = [
    { key: 'okta_email', enroll: { self: 'REQUIRED' } },
    { key: 'okta_password', enroll: { self: 'NOT_ALLOWED' } },
  ]
  await enrolmentPolicy(idp, { authenticators: [email, forbidden] })
  const visitor = await newVisitor(idp).atTheCode()
  expect(visitor.remediations).toEqual(before.remediations)
  await visitor.answers((await visitor.mail(undefined, 'ForgotPassword')).code)
  expect([visitor.response.status, visitor.messages]).toEqual([
    403,
    ['oie.selfservice.reset.password.not.allowed'],
  ])
  const sent = await apiOf(idp)('POST', `/users/${idp.person.login}/lifecycle/reset_password?sendEmail=false`)
  const token = new URL(sent.body.resetPasswordUrl as string).pathname.split('/').at(-1) ?? ''
  const reset = newVisitor(idp, { parameters: { recovery_token: token } })
  await reset.begins()
  expect(reset.remediations[0]).toBe('reset-authenticator')
})

describe('a name that no user has', () => {
  const identified = async (idp: Kit) => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    const answer = await visitor.signsIn('nobody@example.com', 'not it')
    return [answer.status, visitor.messages, visitor.remediations]
  }

  test('is said to have none, beside the offer of a sign-up, where the configuration reveals it and sign-up is open', async () => {
    const idp = await engine(openSignUp({ recovery: { revealUnknown: true } }))
    expect(await identified(idp)).toEqual([200, ['idx.unknown.user'], ['identify', 'select-enroll-profile']])
    // The offer leads to the form, as on any first page.
    const visitor = await toTheForm(newVisitor(idp))
    expect(visitor.remediations[0]).toBe('enroll-profile')
  })

  test('is said to have none, without an offer, where sign-up is closed', async () => {
    const idp = await engine({ settings: { signUp: { open: false }, recovery: { revealUnknown: true } } })
    expect(await identified(idp)).toEqual([200, ['idx.unknown.user'], ['identify']])
  })

  test('is answered like a wrong password elsewhere', async () => {
    const idp = await engine(openSignUp())
    expect((await identified(idp))[1]).toEqual(['errors.E0000004'])
  })
})

test('the testing kit lets visitors sign up without a word of configuration', async () => {
  const visitor = newVisitor(await engine({}))
  await visitor.begins()
  expect(visitor.remediations).toContain('select-enroll-profile')
})
