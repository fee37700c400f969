import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

const path = '/meta/schemas/user/default'
let idp: Kit
let api: Api
const lines: string[] = []

beforeAll(async () => {
  const stream = { write: (line: string) => void lines.push(line) }
  idp = await startEngine({ log: createLogger({ level: 'warn', stream }) })
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

type Properties = Readonly<Record<string, Record<string, unknown>>>
const define = (properties: object, of: 'custom' | 'base' = 'custom') =>
  api('POST', path, { definitions: { [of]: { properties } } })
const definition = async (of: 'custom' | 'base') =>
  (
    (await api('GET', path)).body.definitions as Record<
      string,
      { properties: Properties; required: string[] }
    >
  )[of] ?? { properties: {}, required: [] }
const mary = `/users/${'mary@example.com'}`
const causes = ({ body }: Awaited<ReturnType<Api>>) =>
  ((body.errorCauses ?? []) as { errorSummary: string }[]).map(({ errorSummary }) => errorSummary)
const setTo = (profile: object) => api('POST', mary, { profile })

describe('the user schema', () => {
  test('describes what every profile may have', async () => {
    const { status, body } = await api('GET', path)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      name: 'user',
      type: 'object',
      properties: { profile: { allOf: [{ $ref: '#/definitions/custom' }, { $ref: '#/definitions/base' }] } },
    })
    const { properties, required } = await definition('base')
    expect(Object.keys(properties)).toHaveLength(31)
    expect(properties.firstName).toMatchObject({ title: 'First name', type: 'string', maxLength: 50 })
    expect(required).toEqual(['login', 'email'])
    expect((await definition('custom')).properties).toEqual({})
    expect((await api('GET', '/meta/schemas/user/oscOther')).body.errorCode).toBe('E0000007')
  })

  test('belongs to the only user type', async () => {
    const [type] = (await api('GET', '/meta/types/user')).list
    const { body } = await api('GET', '/meta/types/user/default')
    expect(body).toEqual(type)
    expect(body._links).toMatchObject({ schema: { href: `${idp.engineUrl}/api/v1${path}` } })
    expect((await api('GET', mary)).body.type).toEqual({ id: type?.id })
    expect((await api('GET', '/meta/types/user/otyOther')).body.errorCode).toBe('E0000007')
  })

  test('accepts custom attributes, stores all their members, and changes and removes them one by one', async () => {
    const team = {
      title: 'Team',
      type: 'string',
      maxLength: 20,
      mutability: 'READ_WRITE',
      permissions: [{ principal: 'SELF', action: 'READ_WRITE' }],
      master: { type: 'OKTA' },
    }
    expect((await define({ team, floor: { type: 'integer' } })).status).toBe(200)
    expect((await definition('custom')).properties).toEqual({
      team: { ...team, required: false, scope: 'NONE' },
      floor: expect.objectContaining({ type: 'integer' }),
    })
    await setTo({ team: 'Engines', floor: 3 })

    await define({ team: { ...team, maxLength: 30 }, floor: null })
    const { properties } = await definition('custom')
    expect([Object.keys(properties), properties.team?.maxLength]).toEqual([['team'], 30])
    const { profile } = (await api('GET', mary)).body
    expect(profile).toMatchObject({ team: 'Engines' })
    expect(profile).not.toHaveProperty('floor')
  })

  test('with unsupported settings is stored, and they are logged', async () => {
    await define({
      badge: { type: 'string', unique: 'UNIQUE_VALIDATED' },
      team: { type: 'string', unique: 'NOT_UNIQUE' },
    })
    expect((await definition('custom')).properties.badge).toMatchObject({ unique: 'UNIQUE_VALIDATED' })
    expect(lines.join('')).toContain('"ignored":["badge.unique"]')
  })

  test('loses no change when many are made at once', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `extra${index}`)
    await Promise.all(names.map((name) => define({ [name]: { type: 'string' } })))
    expect(Object.keys((await definition('custom')).properties).toSorted()).toEqual(names)
  })

  test.each([
    ['a type', { x: { type: 'date' } }, ['x.type: must be one of string, boolean, number, integer, array']],
    [
      'a name',
      { 'a b': { type: 'string' } },
      ['a b: must have 1 to 64 letters, digits and underscores and not begin with a digit'],
    ],
    ['a base attribute', { email: { type: 'string' } }, ['email: is the name of a base attribute']],
    ['a pattern', { x: { type: 'string', pattern: '(' } }, ['x.pattern: is not a valid regular expression']],
    [
      'lengths',
      { x: { type: 'string', minLength: 9, maxLength: 3 } },
      ['x.minLength: is greater than maxLength'],
    ],
    ['values', { x: { type: 'string', enum: [] } }, ['x.enum: must be a list of strings or numbers']],
    ['no object', { x: 'string' }, [expect.stringContaining('x.type')]],
    [
      'permissions',
      { x: { type: 'string', permissions: [{ principal: 'ALL', action: 'NONE' }] } },
      [expect.stringContaining('x.permissions')],
    ],
  ])('refuses %s that is invalid', async (_, properties, expected) => {
    const refused = await define(properties)
    expect([refused.status, refused.body.errorCode]).toEqual([400, 'E0000001'])
    expect(causes(refused)).toEqual(expected)
  })

  test('does not change the type of an attribute, nor what base attributes require', async () => {
    await define({ floor: { type: 'integer' } })
    expect(causes(await define({ floor: { type: 'string' } }))).toEqual([
      'floor.type: cannot be changed; remove the attribute first',
    ])
    expect((await define({ floor: { title: 'Storey' } })).status).toBe(200)
    expect((await define({ email: { required: false } }, 'base')).status).toBe(400)
    expect((await define({ firstName: { type: 'integer' } }, 'base')).status).toBe(400)
    expect((await define({ unheardOf: {} }, 'base')).status).toBe(400)
    expect((await define({ lastName: { required: true } }, 'base')).status).toBe(200)
    expect((await definition('base')).required).toEqual(['login', 'email', 'lastName'])
  })
})

describe('every write of a profile', () => {
  beforeEach(() =>
    define({
      team: { type: 'string', minLength: 2, maxLength: 5, pattern: '^[A-Z]' },
      size: { type: 'string', enum: ['S', 'M'] },
      floor: { type: 'integer' },
      share: { type: 'number' },
      remote: { type: 'boolean' },
      skills: { type: 'array', items: { type: 'string' } },
    }),
  )

  test.each([
    [{ team: 'Crew', size: 'S', floor: -1, share: 0.5, remote: false, skills: ['a', 'b'] }, []],
    [{ team: null, size: null }, []],
    [{ team: 'C' }, ['team: must be at least 2 characters long']],
    [{ team: 'Crews!' }, ['team: must be a text of at most 5 characters']],
    [{ team: 'crew' }, ['team: does not match the pattern']],
    [{ team: 7 }, ['team: must be a text of at most 5 characters']],
    [{ size: 'XL' }, ['size: is none of the values that are allowed']],
    [
      { floor: 1.5, share: '1', remote: 'yes' },
      ['floor: must be a whole number', 'share: must be a number', 'remote: must be true or false'],
    ],
    [{ skills: 'a' }, ['skills: must be a list of at most 200']],
    [{ skills: ['a', 7] }, ['skills: each must be a text of at most 10000 characters']],
    [{ skills: [['a']] }, ['skills: each must be a text of at most 10000 characters']],
    [
      { unheardOf: 'x', constructor: 'y' },
      [
        'unheardOf: is not an attribute of the user schema',
        'constructor: is not an attribute of the user schema',
      ],
    ],
  ])('is validated against the schema (%#)', async (profile, expected) => {
    const answer = await setTo(profile)
    expect(causes(answer)).toEqual(expected)
    expect(answer.status).toBe(expected.length === 0 ? 200 : 400)
  })

  test('is validated, over HTTP and elsewhere', async () => {
    const login = 'ada@example.com'
    const wrong = { profile: { login, email: login, floor: 'third' } }
    await expect(idp.engine.people.add(wrong)).rejects.toMatchObject({ code: 'E0000001' })
    const id = (await api('GET', mary)).body.id
    await expect(idp.engine.people.change(id, { profile: { floor: 'third' } })).rejects.toMatchObject({
      causes: ['floor: must be a whole number'],
    })
  })

  test('must contain required attributes: a new user needs them, and they cannot be removed', async () => {
    await define({ badge: { type: 'string', required: true } })
    const profile = { login: 'ada@example.com', email: 'ada@example.com' }
    const blank = ['badge: The field cannot be left blank']
    expect(causes(await api('POST', '/users', { profile }))).toEqual(blank)
    const { id } = (await api('POST', '/users?activate=false', { profile: { ...profile, badge: 'A1' } })).body
    expect(causes(await api('POST', `/users/${id}`, { profile: { badge: null } }))).toEqual(blank)
    expect(causes(await api('PUT', `/users/${id}`, { profile }))).toEqual(blank)
    expect((await api('POST', `/users/${id}`, { profile: { nickName: 'Countess' } })).status).toBe(200)
    expect((await setTo({ nickName: 'Contrary' })).status).toBe(200)
  })
})

describe('a custom attribute', () => {
  const userinfo = async (scopes: string[]) => {
    const { accessToken } = await idp.signInAs(idp.person.login, { scopes })
    const answer = await fetch(`${idp.issuer}/v1/userinfo`, {
      headers: { authorization: `Bearer ${accessToken}` },
    })
    return (await answer.json()) as object
  }

  test('is visible to apps with the profile, unless it is hidden from the user', async () => {
    const hidden = { type: 'string', permissions: [{ principal: 'SELF', action: 'HIDE' }] }
    await define({ team: { type: 'string' }, salary: hidden, groups: { type: 'string' } })
    expect((await setTo({ team: 'Engines', salary: 'much', groups: 'Admins' })).status).toBe(200)

    const profile = await userinfo(['openid', 'profile'])
    expect(profile).toMatchObject({ team: 'Engines' })
    expect(Object.keys(profile)).not.toEqual(expect.arrayContaining(['salary']))
    expect(Object.keys(profile)).not.toEqual(expect.arrayContaining(['groups']))
    expect(await userinfo(['openid', 'email'])).not.toHaveProperty('team')
    const { idToken = '' } = await idp.signInAs(idp.person.login, { scopes: ['openid', 'profile'] })
    const claims = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({ team: 'Engines' })
  })
})
