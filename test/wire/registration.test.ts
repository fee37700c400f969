import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { newVisitor, type Visitor } from './visitor.ts'

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'
const open: KitOptions = { settings: { signUp: { open: true } } }

let idp: Kit
beforeAll(async () => {
  idp = await startEngine(open)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

/** At the form by which a visitor makes an account. */
async function atTheForm(kit = idp): Promise<Visitor> {
  const visitor = newVisitor(kit)
  await visitor.begins()
  await visitor.submits('enroll')
  return visitor
}

describe('a visitor without an account', () => {
  test('signs up with a code from the mail and a password', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    expect(visitor.remediations).toContain('select-enroll-profile')
    await visitor.submits('enroll')
    expect(visitor.remediations).toEqual(['enroll-profile', 'select-identify'])
    await visitor.submits('enroll/new', { userProfile: nina })
    expect(visitor.remediations).toEqual(['enroll-authenticator', 'select-authenticator-enroll'])
    const { code } = await visitor.mail(nina.email, 'RegistrationEmailVerification')
    await visitor.answers(code)
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    await visitor.enrolls('okta_password')
    await visitor.answers(password)
    expect(visitor.response.interactionCode).toBeDefined()
    const tokens = await visitor.redeems()
    expect(tokens.status).toBe(200)
    const { body } = await apiOf(idp)('GET', `/users/${nina.email}`)
    expect(body.status).toBe('ACTIVE')
  })
})
