import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { type Answer, newVisitor } from './visitor.ts'

let idp: Kit

beforeAll(async () => {
  idp = await startEngine({
    settings: { policies: { password: { lockout: { maxAttempts: 3, autoUnlockMinutes: 30 } } } },
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

async function signIn(identifier: string, passcode: string): Promise<Answer> {
  const visitor = newVisitor(idp)
  await visitor.begins()
  return visitor.submits('identify', { identifier, credentials: { passcode } })
}

async function guesses(identifier: string, times: number): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let guess = 0; guess < times; guess++) answers.push(await signIn(identifier, `not it ${guess}`))
  return answers
}

const mary = async () => (await apiOf(idp)('GET', `/users/${idp.person.login}`)).body
const signsIn = async () => (await signIn(idp.person.login, idp.person.password)).status === 200
const lockedAt = async () =>
  (await idp.events()).filter(
    ({ eventType, outcome }) => eventType === 'user.account.lock' && outcome.result === 'SUCCESS',
  ).length

describe('wrong passwords in a row', () => {
  test('lock an account at the one that the policy names, and a right one before it forgets them', async () => {
    await guesses(idp.person.login, 2)
    expect((await mary()).status).toBe('ACTIVE')
    expect(await signsIn()).toBe(true)

    await guesses(idp.person.login, 2)
    expect((await mary()).status).toBe('ACTIVE')
    await guesses(idp.person.login, 1)
    expect((await mary()).status).toBe('LOCKED_OUT')
    expect(await signsIn()).toBe(false)
    expect(await lockedAt()).toBe(1)
  })

  test('are answered alike whether they lock, have locked, or are about nobody', async () => {
    const said = ({ status, body }: Answer) => [status, body.messages, Object.keys(body)]
    const known = await guesses(idp.person.login, 6)
    const unknown = await guesses('nobody@example.com', 6)
    expect(known.map(said)).toEqual(unknown.map(said))
    expect(await lockedAt()).toBe(1)
  })

  test('that come at once lock as well, and the right one among them does not slip through afterwards', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, guess) => signIn(idp.person.login, `not it ${guess}`)))
    expect((await mary()).status).toBe('LOCKED_OUT')
    expect(await signsIn()).toBe(false)
    expect(await lockedAt()).toBe(1)
  })

  test('put off nothing: an account that is locked opens at its time, with all attempts', async () => {
    await guesses(idp.person.login, 3)
    idp.clock.advance('20m')
    await guesses(idp.person.login, 2)
    idp.clock.advance('9m')
    expect(await signsIn()).toBe(false)
    idp.clock.advance('2m')
    await guesses(idp.person.login, 2)
    expect(await signsIn()).toBe(true)
    expect((await mary()).status).toBe('ACTIVE')
  })

  test('count no more once an administrator has unlocked the account', async () => {
    await guesses(idp.person.login, 3)
    expect((await apiOf(idp)('POST', `/users/${idp.person.login}/lifecycle/unlock`)).status).toBe(200)
    await guesses(idp.person.login, 2)
    expect(await signsIn()).toBe(true)
  })
})

test('a lock ends no session: whoever guesses at a name must not sign its owner out', async () => {
  const { headers } = await idp.signInAs(idp.person.login)
  await guesses(idp.person.login, 3)
  expect((await mary()).status).toBe('LOCKED_OUT')
  expect((await fetch(`${idp.issuer}/v1/userinfo`, { headers })).status).toBe(200)
})

describe('a recovery of somebody who is locked out', () => {
  test('opens the account', async () => {
    await guesses(idp.person.login, 3)
    const visitor = newVisitor(idp)
    expect((await visitor.atTheReset()).response.status).toBe(200)
    expect((await visitor.answers('Lighthouse-Biscuit-77')).status).toBe(200)
    expect((await mary()).status).toBe('ACTIVE')
    await guesses(idp.person.login, 2)
    expect((await mary()).status).toBe('ACTIVE')
  })

  test('is refused once the mailbox is proven, where the policy lets nobody unlock herself', async () => {
    const api = apiOf(idp)
    const [policy] = (await api('GET', '/policies?type=PASSWORD')).list
    const path = `/policies/${policy?.id}/rules`
    const [rule] = (await api('GET', path)).list
    const actions = { ...(rule?.actions as object), selfServiceUnlock: { access: 'DENY' } }
    expect((await api('PUT', `${path}/${rule?.id}`, { ...rule, actions })).status).toBe(200)

    await guesses(idp.person.login, 3)
    expect((await newVisitor(idp).atTheReset()).response.status).toBe(403)
    expect((await mary()).status).toBe('LOCKED_OUT')
  })
})
