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

const invisible = [
  // Zero width space, soft hyphen, word joiner, override, joiner, mark of direction, private use, tag.
  ...['\u200b', '\u00ad', '\u2060', '\u202e', '\u200d', '\u200e', '\ue000', '\u{e0041}'],
  // Variation selector, grapheme joiner, fillers of Hangul, blank Braille, inherent vowel of Khmer.
  ...['\ufe0f', '\u034f', '\u115f', '\u3164', '\uffa0', '\u2800', '\u17b4'],
]
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

  test.each([' ', '\u00a0', '\u2003', '\u3000', '\u2028', '\u2029'])(
    'in a login: %j, which no address has',
    async (mark) => {
      const login = `e${mark}ve`
      const created = await api('POST', '/users', { profile: { ...ada, login } })
      expect([created.status, causes(created)]).toEqual(
        mark === ' ' ? [200, []] : [400, ['login: contains an invisible character']],
      )
    },
  )

  test('in the name of a group, which is compared', async () => {
    await api('POST', '/groups', { profile: { name: 'Admins' } })
    for (const name of ['Admins\u200b', 'Ad\ufe0fmins', 'Ad\u00a0mins', 'Ad\nmins', '\u202eAdmins']) {
      const refused = await api('POST', '/groups', { profile: { name } })
      expect([refused.status, causes(refused)]).toEqual([400, ['name: contains an invisible character']])
    }
  })

  const origin = { origin: 'https://a.example', scopes: [{ type: 'CORS' }] }
  const uri = 'https://a.example/cb'
  const app = (label: string) => ({
    label,
    signOnMode: 'OPENID_CONNECT',
    settings: { oauthClient: { application_type: 'web', redirect_uris: [uri] } },
  })
  test.each([
    ['label', '/apps', app],
    ['name', '/trustedOrigins', (name: string) => ({ name, ...origin })],
    ['name', '/policies', (name: string) => ({ type: 'ACCESS_POLICY', name })],
  ])('in a %s of %s, but what emoji and scripts are joined by is displayed', async (member, path, body) => {
    for (const bad of ['Pay\nroll', 'Pay\u202eroll', 'Pay\u200droll', 'Pay\u200broll', 'Pay\u2028roll']) {
      const refused = await api('POST', path, body(bad))
      expect([refused.status, causes(refused)]).toEqual([400, [`${member}: contains an invisible character`]])
    }
    const joined =
      '\u{1f469}\u200d\u{1f4bb} \u2764\ufe0f 1\ufe0f\u20e3 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'
    expect((await api('POST', path, body(joined))).body).toMatchObject({ [member]: joined })
  })

  test.each(['redirect_uris', 'post_logout_redirect_uris', 'email_magic_link_redirect_uri'])(
    'in %s, and any other character that no address has',
    async (member) => {
      for (const bad of [
        'https://a\u200b.example/cb',
        'https://a.example/c\u00adb',
        'https://\u0430.example/',
      ]) {
        const oauthClient = { ...app('A').settings.oauthClient, [member]: member.endsWith('s') ? [bad] : bad }
        const refused = await api('POST', '/apps', { ...app('A'), settings: { oauthClient } })
        expect([refused.status, causes(refused)]).toEqual([
          400,
          [`${member}: ${bad} is not a valid redirect URI`],
        ])
      }
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
