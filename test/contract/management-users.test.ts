import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { alive, ended, sessionOf } from '../support/aliveness.ts'
import { visit } from '../support/attacks.ts'
import { type Api, apiOf } from '../support/management.ts'

const password = 'Lighthouse-Biscuit-77'
let idp: Kit
let api: Api

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const ada = {
  profile: { login: 'ada@example.com', email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace' },
}
const create = async (query = '', body: object = {}) =>
  (await api('POST', `/users${query}`, { ...ada, credentials: { password: { value: password } }, ...body }))
    .body

const causes = (body: object) =>
  (body as { errorCauses: { errorSummary: string }[] }).errorCauses.map(({ errorSummary }) => errorSummary)

describe('a user', () => {
  test('is created with a password and can sign in', async () => {
    const created = await api('POST', '/users?activate=true', {
      ...ada,
      credentials: { password: { value: password } },
    })

    expect(created.status).toBe(200)
    expect(created.body).toMatchObject({
      id: expect.stringMatching(/^00u/),
      status: 'ACTIVE',
      profile: { ...ada.profile, mobilePhone: null },
      credentials: { password: {}, provider: { type: 'OKTA', name: 'OKTA' } },
    })
    expect(created.text).not.toMatch(/argon2|Lighthouse/)
    expect(await idp.engine.people.hasPassword(created.body.id, password)).toBe(true)
  })

  test('is STAGED without activation, and must change the password if that is requested', async () => {
    expect(await create('?activate=false')).toMatchObject({ status: 'STAGED' })
    await idp.reset()
    expect(await create('?activate=true&nextLogin=changePassword')).toMatchObject({
      status: 'PASSWORD_EXPIRED',
    })
  })

  test('without a password is PROVISIONED and receives a mail with a link', async () => {
    expect(await create('', { credentials: undefined })).toMatchObject({ status: 'PROVISIONED' })
    const mail = await idp.outbox.waitFor({ to: 'ada@example.com' })
    expect(mail.template).toBe('UserActivation')
    expect(mail.text).toMatch(/\/welcome\/[A-Za-z0-9]{43}\n/)
  })

  test('loses none of several concurrent changes', async () => {
    const { id } = await create('')
    for (let round = 0; round < 5; round++) {
      const names = {
        firstName: `First${round}`,
        lastName: `Last${round}`,
        city: `City${round}`,
        title: `T${round}`,
      }
      await Promise.all(
        Object.entries(names).map(([name, value]) =>
          api('POST', `/users/${id}`, { profile: { [name]: value } }),
        ),
      )
      expect((await api('GET', `/users/${id}`)).body.profile).toMatchObject(names)
    }
  })

  test('is refused with a cause for each field', async () => {
    const { status, body } = await api('POST', '/users', { profile: { firstName: 7 } })
    expect(status).toBe(400)
    expect(body).toMatchObject({
      errorCode: 'E0000001',
      errorSummary: 'Api validation failed: login',
      errorLink: 'E0000001',
      errorId: expect.stringMatching(/^oae/),
    })
    expect(causes(body)).toEqual([
      'login: The field cannot be left blank',
      'email: The field cannot be left blank',
      'firstName: must be a text of at most 50 characters',
    ])
  })

  test('is refused if login or email are in use, regardless of case', async () => {
    await create()
    const { status, body } = await api('POST', '/users', {
      profile: { login: 'ADA@example.com', email: 'ada@Example.com' },
    })
    expect(status).toBe(400)
    expect(causes(body)).toEqual([
      'login: An object with this field already exists in the current organization',
      'email: An object with this field already exists in the current organization',
    ])
  })

  test('is refused with a password that violates the policy', async () => {
    const { status, body } = await api('POST', '/users', {
      ...ada,
      credentials: { password: { value: 'abc' } },
    })
    expect([status, body.errorCode]).toEqual([400, 'E0000001'])
    // All requirements in one sentence, as in Okta, and then those that are not met.
    expect(causes(body)).toEqual([
      'password: Password requirements were not met. Password requirements: at least 12 characters, no parts of your username, does not include your first name, does not include your last name. Your password cannot be your current password.',
      'password: not met: at least 12 characters',
    ])
    expect((await api('GET', '/users/ada@example.com')).status).toBe(404)
  })

  test('is found by id and by login', async () => {
    const { id } = await create()
    expect((await api('GET', `/users/${id}`)).body.id).toBe(id)
    expect((await api('GET', '/users/ADA@example.com')).body.id).toBe(id)
    const missing = await api('GET', '/users/nobody@example.com')
    expect(missing.status).toBe(404)
    expect(missing.body).toMatchObject({
      errorCode: 'E0000007',
      errorSummary: 'Not found: Resource not found: nobody@example.com (User)',
    })
  })

  test('is updated partially: null removes an attribute, absent ones stay', async () => {
    const { id } = await create()
    await api('POST', `/users/${id}`, { profile: { nickName: 'Countess', lastName: 'Byron' } })
    const { body } = await api('POST', `/users/${id}`, { profile: { nickName: null } })
    expect(body.profile).toMatchObject({ login: 'ada@example.com', firstName: 'Ada', lastName: 'Byron' })
    expect(body.profile).not.toHaveProperty('nickName')
    expect(await idp.engine.people.hasPassword(id, password)).toBe(true)
  })

  test('is replaced: absent attributes are removed, an empty password and read-only members are ignored', async () => {
    const { id, ...whole } = await create('', { profile: { ...ada.profile, nickName: 'Countess' } })
    const { status, body } = await api('PUT', `/users/${id}`, {
      ...whole,
      id: '00uOther',
      status: 'SUSPENDED',
      profile: { login: 'ada@example.com', email: 'ada@example.com', firstName: 'Augusta' },
      credentials: { password: {} },
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ id, status: 'ACTIVE', profile: { firstName: 'Augusta', lastName: null } })
    expect(body.profile).not.toHaveProperty('nickName')
    expect(await idp.engine.people.hasPassword(id, password)).toBe(true)
  })

  test('gets a new password by an update or a replacement', async () => {
    const { id } = await create()
    await api('POST', `/users/${id}`, { credentials: { password: { value: 'Umbrella-Rocket-31' } } })
    expect(await idp.engine.people.hasPassword(id, 'Umbrella-Rocket-31')).toBe(true)
  })

  test('is deactivated by the first DELETE and deleted by the second', async () => {
    const { id } = await create()
    expect((await api('DELETE', `/users/${id}`)).status).toBe(204)
    expect((await api('GET', `/users/${id}`)).body.status).toBe('DEPROVISIONED')
    expect((await api('DELETE', `/users/${id}`)).status).toBe(204)
    expect((await api('GET', `/users/${id}`)).status).toBe(404)
  })
})

describe('users', () => {
  beforeEach(async () => {
    await api('POST', '/meta/schemas/user/default', {
      definitions: { custom: { properties: { team: { type: 'string' }, level: { type: 'integer' } } } },
    })
    for (const [index, name] of ['Ann', 'anna', 'Bert', "O'Neil", '100%_x'].entries()) {
      const email = `p${index}@example.com`
      await idp.people.add({ login: email, firstName: name, lastName: 'Tester' })
      const found = await idp.engine.people.find(email)
      await api('POST', `/users/${found?.id}`, {
        profile: { team: index % 2 ? 'Red' : 'blue', level: index },
      })
    }
  })
  const names = async (query: Record<string, string>) =>
    (await api('GET', `/users?${new URLSearchParams(query)}`)).list
      .map(({ profile }) => (profile as { firstName: string }).firstName)
      .toSorted()

  test.each([
    ['profile.firstName eq "ANN"', ['Ann']],
    ['profile.firstName sw "an"', ['Ann', 'anna']],
    ['profile.firstName sw "100%_"', ['100%_x']],
    ['profile.firstName sw "%"', []],
    [`profile.lastName eq "tester" and profile.firstName eq "o'neil"`, ["O'Neil"]],
    ['profile.team eq "red" or profile.firstName eq "Ann"', ["O'Neil", 'Ann', 'anna'].toSorted()],
    ['profile.team sw "re" and (status eq "ACTIVE")', ["O'Neil", 'anna'].toSorted()],
    ['profile.email eq "p2@EXAMPLE.com"', ['Bert']],
    ['status eq "SUSPENDED"', []],
    [
      'created gt "2001-01-01T00:00:00.000Z" and profile.team pr and profile.team ne "red"',
      ['100%_x', 'Ann', 'Bert'],
    ],
    ['profile.level eq 3', ["O'Neil"]],
    ['profile.level eq "3"', ["O'Neil"]],
    ['profile.level gt 2.5', ['100%_x', "O'Neil"]],
    ['profile.level lt "10" and profile.level ge 3e0', ['100%_x', "O'Neil"]],
    ['profile.level ne 0 and profile.level le 1', ['anna']],
    ['profile.level gt -1 and profile.level lt 1', ['Ann']],
    ['profile.nickName eq null and profile.level eq 2', ['Bert']],
    ['profile.level ne null and profile.level gt 3', ['100%_x']],
  ])('are searched by %s', async (search, expected) => {
    expect(await names({ search })).toEqual(expected)
  })

  test('are filtered and found by the beginning of a name or email', async () => {
    expect(await names({ filter: 'profile.firstName eq "Bert" and status eq "ACTIVE"' })).toEqual(['Bert'])
    expect(await names({ q: 'ann' })).toEqual(['Ann', 'anna'])
    expect(await names({ q: 'p3@' })).toEqual(["O'Neil"])
  })

  test.each([
    ['profile.firstName', /profile\.firstName needs an operator: eq, /],
    ['profile.firstName xx "a"', /there is no operator xx, only eq, /],
    ['profile.firstName eq a', /a value is a text in double quotes, .*, not a/],
    ['profile.firstName eq 10', /profile\.firstName is a text: put its value in double quotes/],
    ['profile.level eq', /a value is .*, profile\.level has none/],
    ['profile.level gt "high"', /profile\.level is a number: compare it with one, such as 10/],
    ['profile.level eq 010', /it is not well-formed at 010/],
    ['profile.level eq 1e400', /1e400 is too large/],
    ['profile.level sw 1', /sw compares texts: put the value of profile\.level in double quotes/],
    ['profile.level lt null', /profile\.level can only be compared with null by eq and ne/],
    ['status eq "GONE"', /there is no status GONE, only STAGED, /],
    ['status eq 7', /the value of status must be a text in double quotes/],
    ['profile.a"b eq "x"', /it is not well-formed at "/],
    ['created gt "yesterday"', /created is a time: compare it by .* with one such as "2026/],
    ['created gt "1"', /created is a time/],
    ['created gt 1767225600', /created is a time/],
    ['password eq "x"', /password cannot be compared, only id, status, created, .* and profile\.\*/],
  ])('are not searched by %s, and the answer names what is wrong', async (search, cause) => {
    const { status, body } = await api('GET', `/users?${new URLSearchParams({ search })}`)
    expect([status, body.errorCode]).toEqual([400, 'E0000031'])
    expect(causes(body)).toEqual([expect.stringMatching(cause)])
  })

  test.each([
    ['profile.city eq "x"', /profile\.city cannot be compared by filter, only by search/],
    ['profile.firstName sw "x"', /profile\.firstName can only be compared with eq by filter/],
  ])('are not filtered by %s', async (filter, cause) => {
    const { status, body } = await api('GET', `/users?${new URLSearchParams({ filter })}`)
    expect([status, body.errorCode]).toEqual([400, 'E0000031'])
    expect(causes(body)).toEqual([expect.stringMatching(cause)])
  })

  test('that are deactivated are listed only if a filter matches them', async () => {
    const { id } = (await api('GET', '/users/p0@example.com')).body
    await api('POST', `/users/${id}/lifecycle/deactivate`)
    expect(await names({})).not.toContain('Ann')
    expect(await names({ filter: 'status eq "DEPROVISIONED"' })).toEqual(['Ann'])
  })

  test('have pages that follow each other by links and contain each user once', async () => {
    const ids: string[] = []
    let next: string | undefined = '/users?limit=2'
    let pages = 0
    while (next !== undefined) {
      const page = await api('GET', next)
      expect(page.list.length).toBeLessThanOrEqual(2)
      ids.push(...page.list.map(({ id }) => id))
      next = page.next
      pages++
    }
    expect(pages).toBe(3)
    expect(new Set(ids).size).toBe(6)
    expect(ids).toHaveLength(6)
  })

  test.each(['limit=0', 'limit=x', 'after=%00', 'limit=2&limit=3', 'q=a&search=b', 'sortBy=profile.email'])(
    'are refused with %s',
    async (query) => {
      const { status, body } = await api('GET', `/users?${query}`)
      expect([status, body.errorCode]).toEqual([400, 'E0000001'])
    },
  )
})

describe('the lifecycle', () => {
  const lifecycle = (id: string, name: string) => api('POST', `/users/${id}/lifecycle/${name}`)

  test('leads from STAGED to ACTIVE with a password, and not twice', async () => {
    const { id } = await create('?activate=false')
    expect(await lifecycle(id, 'activate')).toMatchObject({ status: 200, body: {} })
    expect((await api('GET', `/users/${id}`)).body.status).toBe('ACTIVE')
    expect(await lifecycle(id, 'activate')).toMatchObject({ status: 403, body: { errorCode: 'E0000016' } })
  })

  test('returns the activation token if no mail is sent, and a new one each time', async () => {
    const { id } = await create('?activate=false', { credentials: undefined })
    const { body } = await lifecycle(id, 'activate?sendEmail=false')
    expect(body).toEqual({
      activationToken: expect.stringMatching(/^[A-Za-z0-9]{43}$/),
      activationUrl: `${idp.engineUrl}/welcome/${body.activationToken}`,
    })
    const again = await lifecycle(id, 'reactivate?sendEmail=false')
    expect(again.body.activationToken).not.toBe(body.activationToken)
    expect((await fetch(String(body.activationUrl))).status).toBe(404)
    expect((await fetch(String(again.body.activationUrl))).status).toBe(200)
    await idp.engine.delivery.idle()
    expect(idp.outbox.all()).toEqual([])
  })

  test('suspends active users only, and ends suspensions', async () => {
    const { id } = await create()
    expect((await lifecycle(id, 'unsuspend')).status).toBe(400)
    expect((await lifecycle(id, 'suspend')).status).toBe(200)
    expect((await lifecycle(id, 'suspend')).body.errorCode).toBe('E0000001')
    expect((await api('GET', `/users/${id}`)).body.status).toBe('SUSPENDED')
    expect((await lifecycle(id, 'unsuspend')).status).toBe(200)
    expect((await lifecycle(id, 'reactivate')).body.errorCode).toBe('E0000038')
  })

  test('ends sessions with a suspension and on request', async () => {
    const { id } = await create()
    await idp.signInAs('ada@example.com')
    expect(await liveSessions()).toBe(1)
    expect((await api('DELETE', `/users/${id}/sessions`)).status).toBe(204)
    expect(await liveSessions()).toBe(0)
    await idp.signInAs('ada@example.com')
    await lifecycle(id, 'suspend')
    expect(await liveSessions()).toBe(0)
  })

  // F8: the thief of a session must not stay signed in after the password was reset because of the theft.
  test.each([
    ['ends the sessions', '', ended],
    ['ends the sessions if that is asked for', '&revokeSessions=true', ended],
    ['keeps the sessions if that is asked for', '&revokeSessions=false', alive],
  ])('with reset_password %s', async (_, query, after) => {
    const { id } = await create()
    const session = await sessionOf(idp, 'ada@example.com')
    const { status } = await lifecycle(id, `reset_password?sendEmail=false${query}`)
    expect(status).toBe(200)
    expect(await session()).toEqual(after)
  })

  test('lists the sessions and ends one of them; that of another user is not found', async () => {
    const { id } = await create()
    const other = await sessionOf(idp, idp.person.login)
    const first = await sessionOf(idp, 'ada@example.com')
    await idp.clock.advance('1m')
    const second = await sessionOf(idp, 'ada@example.com')
    const { list } = await api('GET', `/users/${id}/sessions`)
    expect(list).toMatchObject([
      { userId: id, status: 'ACTIVE', clientId: idp.clientId, clientLabel: 'Sample Web App' },
      { userId: id },
    ])
    expect(String(list[0]?.createdAt) > String(list[1]?.createdAt)).toBe(true)
    const [marys] = (await api('GET', `/users/${idp.person.login}/sessions`)).list
    expect((await api('DELETE', `/users/${id}/sessions/${marys?.id}`)).status).toBe(404)
    expect((await api('DELETE', `/users/${id}/sessions/${list[1]?.id}`)).status).toBe(204)
    expect((await api('DELETE', `/users/${id}/sessions/${list[1]?.id}`)).status).toBe(404)
    expect([await first(), await second(), await other()]).toEqual([ended, alive, alive])
    expect((await api('GET', `/users/${id}/sessions`)).list).toHaveLength(1)
    expect((await idp.events()).find(({ eventType }) => eventType === 'user.session.clear')).toMatchObject({
      actor: { type: 'ApiToken' },
      target: [{ id }],
    })
  })

  const liveSessions = async () =>
    (await idp.engine.storage.db.selectFrom('sessions').select('revoked_at').execute()).filter(
      ({ revoked_at }) => revoked_at === null,
    ).length

  test.each([
    ['reset_password', 0],
    ['reset_password?revokeSessions=false', 1],
    ['reset_password?revokeSessions=true', 0],
    ['expire_password', 1],
    ['expire_password?revokeSessions=true', 0],
    ['expire_password_with_temp_password', 0],
  ])('leaves or ends sessions as asked: %s', async (name, left) => {
    const { id } = await create()
    await idp.signInAs('ada@example.com')
    expect((await lifecycle(id, name)).status).toBe(200)
    expect(await liveSessions()).toBe(left)
  })

  test.each(['reset_password', 'expire_password', 'expire_password_with_temp_password'])(
    'refuses a revokeSessions of %s that is neither true nor false',
    async (name) => {
      const { id } = await create()
      const refused = await lifecycle(id, `${name}?revokeSessions=1`)
      expect(refused.status).toBe(400)
      expect(causes(refused.body)).toEqual(['revokeSessions: must be true or false'])
    },
  )

  test('unlocks an account', async () => {
    const { id } = await create()
    expect(await lifecycle(id, 'unlock')).toMatchObject({ status: 403, body: { errorCode: 'E0000032' } })
    await idp.people.update(id, { status: 'LOCKED_OUT' })
    expect((await lifecycle(id, 'unlock')).status).toBe(200)
    expect((await api('GET', `/users/${id}`)).body.status).toBe('ACTIVE')
  })

  test('opens an account to a source that has used its share of wrong passwords up', async () => {
    const { id } = await create()
    const from = { headers: { 'x-forwarded-for': '192.0.2.7' } }
    const signIn = async (identifier: string, passcode: string) => {
      const visitor = await visit(idp, from)
      const reply = await visitor.submits('identify', { identifier, credentials: { passcode } })
      return reply.interactionCode !== undefined
    }
    for (let index = 0; index < 21; index++) await signIn('ada@example.com', 'Summer2026!!')
    expect(await signIn('ada@example.com', password)).toBe(false)
    expect((await lifecycle(id, 'unlock')).status).toBe(200)
    expect(await signIn('ada@example.com', password)).toBe(true)
  })

  test('expires a password, and can replace it by a temporary one', async () => {
    const { id } = await create()
    expect((await lifecycle(id, 'expire_password')).body.status).toBe('PASSWORD_EXPIRED')
    const { body } = await lifecycle(id, 'expire_password_with_temp_password')
    expect(await idp.engine.people.hasPassword(id, String(body.tempPassword))).toBe(true)
    expect(await idp.engine.people.hasPassword(id, password)).toBe(false)
  })

  test('changes a password with the old one', async () => {
    const { id } = await create()
    const change = (old: string, value: string) =>
      api('POST', `/users/${id}/credentials/change_password`, {
        oldPassword: { value: old },
        newPassword: { value },
      })
    expect(await change('Wrong-Wrong-Wrong-1', 'Umbrella-Rocket-31')).toMatchObject({
      status: 403,
      body: { errorCode: 'E0000014' },
    })
    const { status, body, text } = await change(password, 'Umbrella-Rocket-31')
    expect(status).toBe(200)
    expect(body).toMatchObject({ password: {}, provider: { type: 'OKTA' } })
    expect(text).not.toContain('Umbrella')
    expect(await idp.engine.people.hasPassword(id, 'Umbrella-Rocket-31')).toBe(true)
  })

  test('is recorded in the system log, with the token as the actor', async () => {
    const { id } = await create()
    await lifecycle(id, 'suspend')
    const [event] = await idp.events()
    expect(event).toMatchObject({
      eventType: 'user.lifecycle.suspend',
      actor: { type: 'ApiToken', displayName: 'configured' },
      target: [{ id }],
    })
  })
})
