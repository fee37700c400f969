import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Answer, type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const userIn = ({ body }: Pick<Answer, 'body'>): readonly unknown[] =>
  body.user === undefined ? [] : [(body.user as { readonly value: unknown }).value]

const recovered = async (login: string) => {
  const visitor = await idp.visitor().atTheReset(login)
  await visitor.introspects()
  await visitor.answers('Bicycle-Lantern-27')
  return visitor
}

test('C8: the last answer has the names of the user, and no earlier one of a recovery has', async () => {
  const { id } = (await apiOf(idp)('GET', `/users/${idp.person.login}`)).body
  const profile = { timezone: 'Europe/Vienna', locale: 'de-AT' }
  expect((await apiOf(idp)('POST', `/users/${id}`, { profile })).status).toBe(200)

  const visitor = await recovered(idp.person.login)

  const users = visitor.responses.flatMap(userIn)
  expect(users.at(-1)).toEqual({
    id,
    identifier: idp.person.login,
    profile: { firstName: 'Mary', lastName: 'Major', timeZone: 'Europe/Vienna', locale: 'de-AT' },
  })
  expect(users.length).toBeGreaterThan(3)
  for (const user of users.slice(0, -1)) expect(user).toEqual({ identifier: idp.person.login })
})

test('C8: a user without names has the members that are always there', async () => {
  await idp.people.add({ login: 'ann@example.com', password: 'Tangerine-Kettle-42' })
  const { body } = await idp.visitor().signsIn('ann@example.com', 'Tangerine-Kettle-42')
  expect(userIn({ body })).toMatchObject([{ profile: { timeZone: 'UTC', locale: 'en_US' } }])
})
