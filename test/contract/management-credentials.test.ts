import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

const newPassword = 'Lighthouse-Biscuit-77'
const mary = '/users/mary@example.com'
let idp: Kit
let api: Api

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const causes = ({ body }: Awaited<ReturnType<Api>>) =>
  ((body.errorCauses ?? []) as { errorSummary: string }[]).map(({ errorSummary }) => errorSummary)
const question = { question: 'Where did the kettle come from?', answer: 'Grandma  Rose' }

describe('a recovery question', () => {
  const ask = (recovery_question: object, value = idp.person.password) =>
    api('POST', `${mary}/credentials/change_recovery_question`, { password: { value }, recovery_question })

  test('is set with the password, shown without its answer, and stored as a hash', async () => {
    const answer = await ask(question)
    expect(answer).toMatchObject({
      status: 200,
      body: { password: {}, recovery_question: { question: question.question } },
    })
    const { body, text } = await api('GET', mary)
    expect(body.credentials).toMatchObject({ recovery_question: { question: question.question } })
    for (const shown of [answer.text, text]) expect(shown.toLowerCase()).not.toMatch(/grandma|argon2|"hash"/)
    const rows = await idp.engine.storage.db.selectFrom('enrollments').select('data').execute()
    expect(JSON.stringify(rows).toLowerCase()).not.toContain('grandma')
  })

  test('is not set without the password', async () => {
    const refused = await ask(question, 'not her password')
    expect([refused.status, refused.body.errorCode]).toEqual([403, 'E0000014'])
    expect(causes(refused)).toEqual(['password: Password is not correct'])
    await api('POST', `${mary}/lifecycle/suspend`)
    expect((await ask(question)).body.errorCode).toBe('E0000038')
  })

  test.each([
    [{ question: 'Where?' }, ['recovery_question.answer: The field cannot be left blank']],
    [{ question: 'Where?', answer: 'abc' }, ['recovery_question.answer: must be at least 4 characters long']],
    [
      { question: 'Is it a kettle?', answer: ' KETTLE' },
      ['recovery_question.answer: must not be part of the question'],
    ],
    [
      { question: 7, answer: ['x'] },
      [expect.stringContaining('question'), expect.stringContaining('answer')],
    ],
  ])('is refused if it is invalid (%#)', async (wanted, expected) => {
    const refused = await ask(wanted)
    expect([refused.status, refused.body.errorCode]).toEqual([400, 'E0000001'])
    expect(causes(refused)).toEqual(expected)
  })

  test('can be set with a new user, and survives a replacement with the body that was returned', async () => {
    const profile = { login: 'ada@example.com', email: 'ada@example.com' }
    const credentials = { password: { value: newPassword }, recovery_question: question }
    const { id, ...shown } = (await api('POST', '/users', { profile, credentials })).body
    expect(shown.credentials).toMatchObject({ recovery_question: { question: question.question } })
    expect((await api('PUT', `/users/${id}`, shown)).body.credentials).toEqual(shown.credentials)
  })
})

describe('a password that is changed with the old one', () => {
  const change = (oldPassword: string, value: string, query = '') =>
    api('POST', `${mary}/credentials/change_password${query}`, {
      oldPassword: { value: oldPassword },
      newPassword: { value },
    })

  test('must not be one of the last, and with strict=true respects the minimum age', async () => {
    const [policy] = (await api('GET', '/policies?type=PASSWORD')).list
    const age = { historyCount: 2, minAgeMinutes: 60 }
    const settings = { password: { complexity: { minLength: 12 }, age } }
    await api('PUT', `/policies/${policy?.id}`, { ...policy, settings })

    expect((await change(idp.person.password, newPassword)).status).toBe(200)
    expect(causes(await change(newPassword, idp.person.password))).toEqual([
      'password: Password cannot be one of your last 2 passwords.',
    ])
    expect(causes(await change(newPassword, 'Another-Biscuit-78', '?strict=true'))).toEqual([
      'password: The password was changed too recently.',
    ])
    expect((await change(newPassword, 'Another-Biscuit-78')).status).toBe(200)
  })
})

describe('what the users API does not offer', () => {
  test('is a method: PATCH is refused, and changes nothing', async () => {
    const { status, body } = await api('PATCH', mary, { profile: { nickName: 'Contrary' } })
    expect([status, body.errorCode]).toEqual([405, 'E0000022'])
    expect((await api('GET', mary)).body.profile).not.toHaveProperty('nickName')
  })

  test('is members that it does not know: they are ignored', async () => {
    const body = { profile: { nickName: 'Contrary' }, id: '00uOther', status: 'SUSPENDED', favourite: 'x' }
    expect((await api('POST', mary, body)).body).toMatchObject({
      status: 'ACTIVE',
      profile: { nickName: 'Contrary' },
    })
  })

  test('is a user of an API token', async () => {
    expect((await api('GET', '/users/me')).body.errorCode).toBe('E0000007')
  })

  test('is a mail to administrators: sendEmail of a deletion is validated and ignored', async () => {
    expect((await api('DELETE', `${mary}?sendEmail=maybe`)).status).toBe(400)
    expect((await api('DELETE', `${mary}?sendEmail=true`)).status).toBe(204)
    expect((await api('GET', mary)).body.status).toBe('DEPROVISIONED')
  })
})

test('what a write of a password answers is the user as stored', async () => {
  const profile = { login: 'ada@example.com', email: 'ada@example.com' }
  const credentials = { password: { value: newPassword } }
  const created = (await api('POST', '/users', { profile, credentials })).body
  expect(created.passwordChanged).toBe((await api('GET', `/users/${created.id}`)).body.passwordChanged)
  await idp.clock.advance('1h')
  const changed = (
    await api('POST', `/users/${created.id}`, {
      credentials: { password: { value: 'Biscuit-Lighthouse-78' } },
    })
  ).body
  expect(changed.passwordChanged).not.toBe(created.passwordChanged)
  expect(changed).toEqual((await api('GET', `/users/${created.id}`)).body)
})
