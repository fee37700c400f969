import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PersonStatus, personStatuses } from '../../src/directory/index.ts'
import { type Answer, type Kit, startEngine } from '../../src/testing/index.ts'
import { visit } from '../support/attacks.ts'
import { statusAnswers } from './statuses.ts'

const password = 'Marmalade-Harbour-31'
const newPassword = 'Lighthouse-Biscuit-77'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
afterAll(() => idp.close())

/** A response in the words of the table. */
function told({ status, interactionCode, messages, remediations }: Answer): string {
  if (interactionCode !== undefined) return 'signed in'
  if (status >= 400) return `${status} ${messages.join(' ')}`
  return remediations[0] ?? 'nothing'
}

async function signIn(login: string): Promise<string> {
  const visitor = await visit(idp)
  const answer = await visitor.submits('identify', { identifier: login, credentials: { passcode: password } })
  if (told(answer) !== 'reenroll-authenticator') return told(answer)
  const replaced = await visitor.submits('challenge/answer', { credentials: { passcode: newPassword } })
  return `reenroll-authenticator, then ${told(replaced)}`
}

/** The whole of a recovery; every step before the code must look the same for every name. */
async function recover(login: string) {
  const visitor = await visit(idp)
  await visitor.submits('recover')
  const selected = await visitor.submits('identify', { identifier: login })
  expect(selected.remediations).toEqual(['select-authenticator-authenticate'])
  const challenged = await visitor.selects('okta_email')
  expect(challenged.remediations).toEqual(['challenge-authenticator', 'select-authenticator-authenticate'])
  await idp.engine.delivery.idle()
  const mail = idp.outbox.latest({ to: login })
  const proven = await visitor.submits('challenge/answer', {
    credentials: { passcode: mail?.code ?? '000000' },
  })
  if (mail === undefined) {
    expect(told(proven)).toBe('401 api.authn.error.PASSCODE_INVALID')
    return { mail: false, code: 'no code is right' }
  }
  if (told(proven) !== 'reset-authenticator') return { mail: true, code: told(proven) }
  const done = await visitor.submits('challenge/answer', { credentials: { passcode: newPassword } })
  return { mail: true, code: `reset-authenticator, then ${told(done)}` }
}

const statusOf = async (id: string): Promise<string | undefined> => (await idp.people.update(id, {}))?.status

describe.each(personStatuses)('a person who is %s', (status: PersonStatus) => {
  const { signIn: expectedSignIn, ...expectedRecovery } = statusAnswers[status]
  const name = status.toLowerCase()
  const withoutEnd = (text: string) => text.replace(', ACTIVE', '')

  test('is answered as the table says when she signs in', async () => {
    const { id } = await idp.people.add({ login: `${name}.in@example.com`, password, status })

    expect(await signIn(`${name}.in@example.com`)).toBe(withoutEnd(expectedSignIn))
    expect(await statusOf(id)).toBe(expectedSignIn.endsWith('ACTIVE') ? 'ACTIVE' : status)
  })

  test.each([
    ['with a password', password],
    ['without a password', undefined],
  ])('is answered as the table says when she recovers, %s', async (kind, own) => {
    const login = `${name}.${own ? 'with' : 'without'}@example.com`
    const { id } = await idp.people.add({ login, status, ...(own && { password: own }) })

    expect(await recover(login), kind).toEqual({
      ...expectedRecovery,
      code: withoutEnd(expectedRecovery.code),
    })
    expect(await statusOf(id)).toBe(expectedRecovery.code.endsWith('ACTIVE') ? 'ACTIVE' : status)
  })

  test('cannot sign in without a password', async () => {
    const login = `${name}.none@example.com`
    await idp.people.add({ login, status })

    expect(await signIn(login)).toBe('401 errors.E0000004')
  })
})
