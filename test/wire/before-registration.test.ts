import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EnginePorts } from '../../src/engine/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { newVisitor, type Visitor } from '../../src/testing/index.ts'
import { masked } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests, type Node, startNode } from '../support/nodes.ts'
import { changeSignUp, codeMail, fillsIn, messagesInFields, passwordInForm } from '../support/sign-up.ts'

type Hook = NonNullable<EnginePorts['beforeRegistration']>
type Asked = Parameters<Hook>[0]

const apiToken = '00-token-of-the-api-that-only-these-tests-know'
const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'

let node: Node
let hook: Hook
let asked: Asked[] = []
beforeAll(async () => {
  node = await startNode({
    settings: {
      signUp: { open: true, domains: { allowed: ['example.com'] } },
      management: { apiToken },
      limits: { ...manyRequests, mailsPerRecipient: 1000 },
    },
    ports: {
      hasher: createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 1000 }),
      beforeRegistration: (request) => {
        asked.push(request)
        return hook(request)
      },
    },
  })
})
beforeEach(async () => {
  asked = []
  hook = async ({ profile }) => ({ allowed: true, profile })
  await node.engine.delivery.idle()
  node.outbox.clear()
})
afterAll(() => node.close())

const api = (method: string, path: string, body?: object) => apiOf({ ...node, apiToken })(method, path, body)
const signsUp = (profile: object = nina, more: object = {}): Promise<Visitor> =>
  fillsIn(newVisitor(node), profile, more)
/** A hook that changes the profile of a form. */
const changing =
  (changes: object): Hook =>
  async ({ profile }) => ({ allowed: true, profile: { ...profile, ...changes } })

/** Nothing was sent, and no user made. */
async function nothingCame(): Promise<void> {
  await node.engine.delivery.idle()
  expect(node.outbox.all().map(({ to }) => to)).toEqual([])
  expect((await api('GET', `/users/${nina.email}`)).status).toBe(404)
}

describe('the place of a hook before a registration', () => {
  test('is asked with each form that is good by itself, and with no other', async () => {
    await signsUp({ ...nina, email: 'no address' })
    await signsUp({ ...nina, email: 'nina@elsewhere.test' })
    expect(asked).toEqual([])
    const visitor = await signsUp()
    expect(visitor.remediations[0]).toBe('enroll-authenticator')
    expect(asked.map(({ profile, client }) => [profile, client.id])).toEqual([
      [{ ...nina, login: nina.email }, node.clientId],
    ])
  })

  test('refuses with a sentence above the form, and nothing is sent', async () => {
    hook = async () => ({ allowed: false, summary: 'Ask your shop for a number first.' })
    const visitor = await signsUp()
    expect([visitor.response.status, visitor.remediations[0]]).toEqual([400, 'enroll-profile'])
    expect(visitor.response.text).toContain('Ask your shop for a number first.')
    await nothingCame()
  })

  test('reads the same for an address that is taken as for a free one', async () => {
    const outline = async (email: string) => masked((await signsUp({ ...nina, email })).response, email)
    hook = changing({ city: 'Wien' })
    expect(await outline('mary@example.com')).toBe(await outline('nina@example.com'))
    hook = async () => ({ allowed: false, summary: 'No.' })
    expect(await outline('mary@example.com')).toBe(await outline('nina@example.com'))
    expect(asked).toHaveLength(4)
  })

  describe('changes the profile', () => {
    test('also what the form does not ask for, and the changed address is the one that is proven', async () => {
      hook = changing({ email: 'n.nowak@example.com', login: 'n.nowak@example.com', city: 'Wien' })
      const visitor = await signsUp()
      await node.engine.delivery.idle()
      expect(node.outbox.all().map(({ to, template }) => [to, template])).toEqual([
        ['n.nowak@example.com', codeMail],
      ])
      await visitor.answers(node.outbox.all()[0]?.code ?? '')
      const { body } = await api('GET', '/users/n.nowak@example.com')
      expect(body).toMatchObject({ status: 'PROVISIONED', profile: { city: 'Wien', firstName: 'Nina' } })
      expect((await api('GET', `/users/${nina.email}`)).status).toBe(404)
    })

    test.each([
      [
        'an address of a domain that may not sign up',
        { email: 'nina@elsewhere.test' },
        'email',
        'domainNotAllowed',
      ],
      ['an address in two spellings', { email: 'nina\uff20example.com' }, 'email', 'invalidLoginEmail'],
      ['a name with a tag in it', { firstName: '<b>Nina' }, 'firstName', 'tagsNotAllowed'],
      ['a name that is too long', { lastName: 'N'.repeat(51) }, 'lastName', 'tooLong'],
      ['no name', { firstName: '' }, 'firstName', 'blank'],
    ])('to %s: it is said in the field', async (_, changes, field, key) => {
      hook = changing(changes)
      const visitor = await signsUp()
      expect(visitor.response.status).toBe(400)
      expect(messagesInFields(visitor.response)[`userProfile.${field}`]?.[0]).toContain(key)
      await nothingCame()
    })

    test.each([
      ['a login that is the address of another', { login: 'victim@example.com' }],
      ['a login that is none', { login: ' ' }],
      ['an attribute that users do not have', { status: 'ACTIVE' }],
      ['a value that the schema refuses', { countryCode: 'Austria' }],
      ['a text in place of a name', { city: { name: 'Wien' } }],
    ])('to %s: it is an error of the hook', async (_, changes) => {
      hook = changing(changes)
      const visitor = await signsUp()
      expect(visitor.response.status).toBe(500)
      expect(visitor.response.text).not.toContain('beforeRegistration')
      await nothingCame()
      // The form is as good as before.
      hook = async ({ profile }) => ({ allowed: true, profile })
      await visitor.submits('introspect')
      await visitor.submits('enroll/new', { userProfile: nina })
      expect(visitor.remediations[0]).toBe('enroll-authenticator')
    })

    test('to a login that the password contains: the password is refused', async () => {
      await changeSignUp({ ...node, apiToken }, passwordInForm)
      hook = changing({ login: 'marmalade-harbour' })
      const visitor = await signsUp(nina, { credentials: { passcode: password } })
      expect(visitor.response.status).toBe(400)
      expect(Object.keys(messagesInFields(visitor.response))).toEqual(['credentials.passcode'])
      hook = changing({ login: 'nowak' })
      await visitor.submits('enroll/new', { userProfile: nina, credentials: { passcode: password } })
      expect(visitor.remediations[0]).toBe('enroll-authenticator')
      await changeSignUp({ ...node, apiToken }, { enrollAuthenticatorTypes: null })
    })
  })

  test('that throws closes the sign-up: 500, and nothing is sent', async () => {
    hook = async () => {
      throw new Error('the shop does not answer')
    }
    const { response } = await signsUp()
    expect(response.status).toBe(500)
    expect(response.text).not.toContain('the shop')
    await nothingCame()
  })
})
