import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Answered, type Api, apiOf } from '../support/management.ts'

let idp: Kit
let api: Api
beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const causes = ({ body }: Answered) =>
  ((body.errorCauses ?? []) as { errorSummary: string }[]).map(({ errorSummary }) => errorSummary)
const mary = '/users/mary@example.com'
const ada = { login: 'ada@example.com', email: 'ada@example.com' }

/** Zero width space, soft hyphen, word joiner, override, joiner, mark of direction, private use, tag. */
const invisible = ['\u200b', '\u00ad', '\u2060', '\u202e', '\u200d', '\u200e', '\ue000', '\u{e0041}']
const places = invisible.flatMap((mark) => [
  `${mark}eve@example.com`,
  `e${mark}ve@example.com`,
  `eve@exam${mark}ple.com`,
  `eve@example.com${mark}`,
])

describe('an invisible character is refused by one rule', () => {
  test.each(['login', 'email', 'secondEmail'])(
    'in %s, wherever it stands and however it is sent',
    async (name) => {
      for (const text of places) {
        const wanted = [400, [`${name}: contains an invisible character`]]
        const created = await api('POST', '/users', { profile: { ...ada, [name]: text } })
        const changed = await api('POST', mary, { profile: { [name]: text } })
        const replaced = await api('PUT', mary, { profile: { ...ada, [name]: text } })
        for (const answer of [created, changed, replaced]) {
          expect([answer.status, causes(answer)], JSON.stringify(text)).toEqual(wanted)
        }
        await expect(idp.engine.people.add({ profile: { ...ada, [name]: text } })).rejects.toMatchObject({
          causes: [`${name}: contains an invisible character`],
        })
      }
      expect((await api('GET', '/users')).list).toHaveLength(1)
    },
  )

  test('in an attribute that is an address by the schema', async () => {
    const definitions = { custom: { properties: { work: { type: 'string', format: 'email' } } } }
    await api('POST', '/meta/schemas/user/default', { definitions })
    const refused = await api('POST', mary, { profile: { work: 'm\u200bary@example.com' } })
    expect(causes(refused)).toEqual(['work: contains an invisible character'])
    expect((await api('POST', mary, { profile: { work: 'mary@example.com' } })).status).toBe(200)
  })
})

test('all names that are no names are in one answer', async () => {
  const refused = await api('POST', '/users', {
    profile: { login: ' ', email: 'ada', secondEmail: 'a b@example.com', firstName: 7 },
  })
  expect(causes(refused).toSorted()).toEqual([
    'email: must be in the form of an email address',
    'firstName: must be a text of at most 50 characters',
    'login: a text of 1 to 100 characters is needed',
    'secondEmail: must be in the form of an email address',
  ])
})
