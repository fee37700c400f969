import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, answerFrom, type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { atTheCode, mailTo, visit, wrongCode } from '../support/attacks.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const start = (options: KitOptions = {}): Promise<Kit> => startEngine({ clock: 'frozen', ...options })

/** Sent by an app with its secret, of the person it serves. */
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })

const headersOf = ({ headers }: { readonly headers: Headers }) =>
  Object.fromEntries(
    ['x-rate-limit-limit', 'x-rate-limit-remaining', 'x-rate-limit-reset', 'retry-after'].map((name) => [
      name,
      headers.get(name),
    ]),
  )

/**
 * By the host's clock, as the header Date is, whatever the engine's says: some seconds may begin between the two, and Node
 * reads the clock for the header once a second, where it gets to it.
 */
const resetsIn = (seconds: number, { headers }: { readonly headers: Headers }) => {
  const waits = Number(headers.get('x-rate-limit-reset')) - Date.parse(headers.get('date') ?? '') / 1000
  expect(Math.abs(waits - seconds)).toBeLessThanOrEqual(10)
  return headers.get('x-rate-limit-reset')
}

const spent = {
  errorCode: 'E0000047',
  errorSummary: 'API call exceeded rate limit due to too many requests.',
  errorLink: 'E0000047',
  errorId: expect.stringMatching(/^oae/),
  errorCauses: [],
}

describe('request budgets', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await start({
      settings: {
        limits: { requests: { idxPerAddress: 4, interactPerAddress: 3, tokenPerAddress: 2 } },
      },
    })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  const post = (
    path: string,
    body: NonNullable<RequestInit['body']>,
    headers: Record<string, string> = {},
  ): Promise<Answer> => fetch(`${idp.engineUrl}${path}`, { method: 'POST', body, headers }).then(answerFrom)
  const introspect = (body = '{}', headers = {}) =>
    post('/idp/idx/introspect', body, { 'content-type': 'application/json', ...headers })
  const interact = (form: Record<string, string> = {}, headers = {}) =>
    post('/oauth2/default/v1/interact', new URLSearchParams(form), headers)
  const token = (form: Record<string, string> = {}, headers = {}) =>
    post('/oauth2/default/v1/token', new URLSearchParams(form), headers)

  test('good answers tell how much is left and when it comes back', async () => {
    const visitor = await visit(idp, from('192.0.2.1'))

    expect(headersOf(visitor.response)).toEqual({
      'x-rate-limit-limit': '4',
      'x-rate-limit-remaining': '3',
      'x-rate-limit-reset': resetsIn(60, visitor.response),
      'retry-after': null,
    })
    expect(headersOf(await visitor.submits('challenge/poll'))['x-rate-limit-remaining']).toBe('2')
  })

  test('a spent budget answers 429 in the shape of the API until its window is over', async () => {
    const visitor = await visit(idp, from('192.0.2.1'))
    for (let n = 0; n < 3; n++) expect((await visitor.submits('recover')).status).not.toBe(429)

    const refused = await visitor.submits('identify', { identifier: idp.person.login })
    expect(refused).toMatchObject({ status: 429, body: spent })
    expect(refused.headers.get('content-type')).toMatch(/^application\/json/)
    expect(headersOf(refused)).toEqual({
      'x-rate-limit-limit': '4',
      'x-rate-limit-remaining': '0',
      'x-rate-limit-reset': resetsIn(60, refused),
      'retry-after': '60',
    })

    idp.clock.advance('60s')
    expect((await visitor.submits('identify', { identifier: idp.person.login })).status).toBe(200)
  })

  test('each person behind an app that vouches has a budget of her own', async () => {
    const eve = await visit(idp, from('192.0.2.1'))
    for (let n = 0; n < 5; n++) await eve.submits('challenge/poll')
    expect((await eve.submits('challenge/poll')).status).toBe(429)

    const mary = await visit(idp, from('192.0.2.2'))
    expect(mary.response.status).toBe(200)
  })

  test('nobody else is believed where she comes from', async () => {
    for (let n = 0; n < 3; n++) {
      const { response: first } = await visit(idp, { client: idp.publicClientId, ...from(`192.0.2.${n}`) })
      expect(first.status).toBe(200)
    }
    const refused = await interact({ client_id: idp.publicClientId }, from('192.0.2.9').headers)
    expect(refused.status).toBe(429)
  })

  test.each([
    ['no JSON', () => introspect('{')],
    ['a key twice', () => introspect('{"a":1,"a":1}')],
    ['another type', () => introspect('a=1', { 'content-type': 'text/plain' })],
    ['a foreign origin', () => introspect('{}', { origin: 'https://evil.example' })],
    ['an unknown handle', () => introspect('{"interactionHandle":"x"}')],
    ['an unknown state handle', () => introspect('{"stateHandle":"x"}')],
    ['nothing', () => introspect()],
  ])('%s costs a request like any other', async (_, ask) => {
    const remaining = async () => {
      const reply = await ask()
      return [reply.status === 429, headersOf(reply)['x-rate-limit-remaining']]
    }
    expect([await remaining(), await remaining(), await remaining(), await remaining()]).toEqual([
      [false, '3'],
      [false, '2'],
      [false, '1'],
      [false, '0'],
    ])
    expect(await remaining()).toEqual([true, '0'])
  })

  test.each([
    ['interact', () => interact(), 3],
    ['interact of an unknown client', () => interact({ client_id: 'nobody' }), 3],
    ['interact with a body that is no form', () => post('/oauth2/default/v1/interact', '{}'), 3],
    ['token', () => token(), 2],
    ['token with an unknown code', () => token({ grant_type: 'interaction_code', interaction_code: 'x' }), 2],
    ['token with a parameter twice', () => post('/oauth2/default/v1/token', 'a=1&a=2'), 2],
  ])('%s costs a request, and tells of it', async (_, ask, limit) => {
    for (let left = limit - 1; left >= 0; left--) {
      const reply = await ask()
      expect(reply.status).not.toBe(429)
      expect(headersOf(reply)).toMatchObject({
        'x-rate-limit-limit': String(limit),
        'x-rate-limit-remaining': String(left),
      })
    }
    expect(await ask()).toMatchObject({ status: 429, body: spent })
  })

  test.each(['keys', 'introspect', 'revoke', 'userinfo', 'logout'])(
    '%s says what is left, too',
    async (endpoint) => {
      const answer = await fetch(`${idp.issuer}/v1/${endpoint}`, {
        method: endpoint === 'keys' ? 'GET' : 'POST',
      })
      expect(headersOf(answer)).toEqual({
        'x-rate-limit-limit': '30000',
        'x-rate-limit-remaining': expect.stringMatching(/^299\d\d$/),
        'x-rate-limit-reset': resetsIn(60, answer),
        'retry-after': null,
      })
    },
  )

  test('an engine whose clock is days ahead lets nobody wait for days', async () => {
    idp.clock.advance('10d')
    for (let n = 0; n < 2; n++) await token()
    const refused = await token()
    expect(refused.status).toBe(429)
    resetsIn(60, refused)
  })

  test('the two servers share what an address has', async () => {
    await token()
    await token()
    expect((await post('/oauth2/v1/token', new URLSearchParams())).status).toBe(429)
  })

  test('what is not limited says nothing of limits', async () => {
    const { headers } = await fetch(`${idp.issuer}/.well-known/openid-configuration`)
    expect(headersOf({ headers })).toEqual({
      'x-rate-limit-limit': null,
      'x-rate-limit-remaining': null,
      'x-rate-limit-reset': null,
      'retry-after': null,
    })
  })

  test('scripts of allowed origins may read the headers', async () => {
    const origin = new URL(idp.redirectUri).origin
    const { headers } = await introspect('{}', { origin })
    const exposed = headers.get('access-control-expose-headers')?.split(', ')
    for (const name of ['limit', 'remaining', 'reset']) expect(exposed).toContain(`x-rate-limit-${name}`)
    expect(exposed).toContain('date')
    for (let n = 0; n < 3; n++) await introspect('{}', { origin })
    const refused = await introspect('{}', { origin })
    expect(refused.status).toBe(429)
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin)
    expect(refused.headers.get('access-control-expose-headers')).toContain('retry-after')
  })

  test('a violation is logged once a window, with its rule', async () => {
    for (let n = 0; n < 5; n++) await token()

    const events = (await idp.events()).filter(
      ({ eventType }) => eventType === 'system.operation.rate_limit.violation',
    )
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      outcome: { result: 'DENY' },
      client: { ipAddress: '127.0.0.1' },
      debugContext: { debugData: { rule: 'tokenPerAddress', endpoint: 'token', limit: '2' } },
    })
  })
})

describe('the presets of Okta', () => {
  test('stop the eleventh request of a state handle in five seconds', async () => {
    const idp = await start({ settings: { limits: { preset: 'okta-integrator' } } })
    try {
      const visitor = await visit(idp)
      expect(headersOf(visitor.response)).toMatchObject({ 'x-rate-limit-limit': '200' })
      for (let n = 0; n < 10; n++) expect((await visitor.submits('challenge/poll')).status).toBe(200)
      expect((await visitor.submits('challenge/poll')).status).toBe(429)

      idp.clock.advance('5s')
      expect((await visitor.submits('challenge/poll')).status).toBe(200)
    } finally {
      await idp.close()
    }
  })
})

onEachDatabase('budgets in the database', (database) => {
  let place: TestDatabase
  let idp: Kit
  let sibling: Kit
  const limits = {
    sprayPerAddressMinute: 4,
    sprayPerAddressHour: 6,
    sprayEverywhere: 12,
    sprayPerAddressUnderAttack: 1,
  }
  const people = ['ada', 'bea', 'cleo'].map((name) => ({
    login: `${name}@example.com`,
    password: 'Tangerine-Kettle-42',
  }))
  const ada = 'ada@example.com'

  beforeAll(async () => {
    place = await database.create()
    const options = { database: place.url, people }
    idp = await start({ ...options, settings: { limits } })
    // One of the two delivers, so that a test knows whose outbox a mail comes to.
    sibling = await start({ ...options, settings: { limits, mail: { deliver: false } } })
  })
  // Not back to the seed: a node does not learn of it where another one goes there.
  beforeEach(async () => {
    sibling.clock.set(new Date(idp.clock.now()).toISOString())
    for (const table of ['budgets', 'events'] as const) {
      await idp.engine.storage.db.deleteFrom(table).execute()
    }
  })
  afterAll(async () => {
    await sibling.close()
    await idp.close()
    await place.drop()
  })
  const later = (span: string) => {
    idp.clock.advance(span)
    sibling.clock.advance(span)
  }

  const signIn = async (kit: Kit, identifier: string, address: string, passcode = 'not the password') => {
    const visitor = await visit(kit, from(address))
    return visitor.submits('identify', { identifier, credentials: { passcode } })
  }
  const password = people[0]?.password ?? ''

  test('wrong answers of one address are counted together, about whomever, on all nodes', async () => {
    expect((await signIn(idp, ada, '192.0.2.1')).status).toBe(401)
    expect((await signIn(sibling, 'bea@example.com', '192.0.2.1')).status).toBe(401)
    expect((await signIn(idp, 'nobody@example.com', '192.0.2.1')).status).toBe(401)
    expect((await signIn(sibling, 'nobody-else@example.com', '192.0.2.1')).status).toBe(401)

    for (const kit of [idp, sibling]) {
      const refused = await signIn(kit, 'cleo@example.com', '192.0.2.1')
      expect(refused.status).toBe(429)
      expect(refused.messages).toEqual(['tooManyRequests'])
      expect(refused.remediations).toEqual(['identify', 'select-enroll-profile'])
      expect(refused.headers.get('retry-after')).toBe('60')
      expect(refused.headers.get('x-rate-limit-remaining')).toBe('0')
      resetsIn(60, refused)
    }
  })

  test('whoever guessed too much is not judged, right or wrong, known or not', async () => {
    for (let n = 0; n < 4; n++) await signIn(idp, `guess-${n}@example.com`, '192.0.2.1')

    const replies = [
      await signIn(idp, ada, '192.0.2.1', password),
      await signIn(idp, ada, '192.0.2.1'),
      await signIn(idp, 'nobody@example.com', '192.0.2.1'),
    ]
    expect(replies.map(({ status, messages }) => [status, messages])).toEqual(
      Array(3).fill([429, ['tooManyRequests']]),
    )
    expect((await signIn(idp, ada, '192.0.2.2', password)).status).toBe(200)

    later('60s')
    expect((await signIn(idp, ada, '192.0.2.1', password)).status).toBe(200)
  })

  test('right answers cost nothing', async () => {
    for (let n = 0; n < 6; n++) expect((await signIn(idp, ada, '192.0.2.1', password)).status).toBe(200)
  })

  test('the hour has a budget of its own', async () => {
    for (let n = 0; n < 4; n++) await signIn(idp, `guess-${n}@example.com`, '192.0.2.1')
    later('60s')
    for (let n = 4; n < 6; n++) await signIn(idp, `guess-${n}@example.com`, '192.0.2.1')

    const refused = await signIn(idp, ada, '192.0.2.1', password)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe(String(3600 - 60))
  })

  test('a wrong code counts like a wrong password, and the transaction outlives the refusal', async () => {
    for (let n = 0; n < 3; n++) await signIn(idp, `guess-${n}@example.com`, '192.0.2.1')
    const visitor = await atTheCode(idp, ada, from('192.0.2.1'))
    const { code } = await mailTo(idp, ada)
    expect((await visitor.answers(wrongCode(code))).status).toBe(401)

    const refused = await visitor.answers(code)
    expect([refused.status, ...refused.messages]).toEqual([429, 'tooManyRequests'])
    later('60s')
    expect((await visitor.answers(code)).remediations).toEqual(['reset-authenticator'])
  })

  /** One wrong answer from each of many addresses: no address has a budget to spend. */
  const attack = async () => {
    for (let n = 0; n < 12; n++) {
      expect((await signIn(idp, `guess-${n}@example.com`, `198.51.100.${n}`)).status).toBe(401)
    }
  }

  test('under attack mails carry long codes, for everybody alike, until the hour is over', async () => {
    await attack()

    const known = await atTheCode(sibling, ada, from('192.0.2.1'))
    const unknown = await atTheCode(sibling, 'nobody@example.com', from('192.0.2.2'))
    const formOf = ({ body }: Answer) => JSON.stringify(body.remediation?.value[0]?.value?.[0])
    expect(formOf(known.response)).toContain('"maxLength":10')
    expect(formOf(unknown.response)).toBe(formOf(known.response))
    const { code } = await mailTo(idp, ada)
    expect(code).toMatch(/^[A-Z0-9]{10}$/)
    expect((await known.answers(code)).remediations).toEqual(['reset-authenticator'])

    later('1h')
    await atTheCode(sibling, ada, from('192.0.2.1'))
    expect((await mailTo(idp, ada)).code).toMatch(/^\d{6}$/)
  })

  test('under attack an address has little room, and whoever did nothing wrong signs in', async () => {
    await attack()

    expect((await signIn(idp, 'guess@example.com', '192.0.2.1')).status).toBe(401)
    expect((await signIn(sibling, 'guess@example.com', '192.0.2.1')).status).toBe(429)
    expect((await signIn(sibling, ada, '192.0.2.2', password)).status).toBe(200)
    const events = (await idp.events()).filter(({ eventType }) => eventType === 'security.attack.start')
    expect(events).toHaveLength(1)
    expect(events[0]?.debugContext.debugData).toMatchObject({ rule: 'spray-everywhere', limit: '12' })
  })

  test.each([
    ['somebody', ada],
    ['nobody', 'nobody@example.com'],
  ])('the sixth mail to %s in ten minutes is refused openly, with the same form', async (_, identifier) => {
    const mails = () => idp.outbox.all().length
    const before = mails()
    const visitor = await atTheCode(idp, identifier)
    for (let n = 2; n <= 5; n++) expect((await visitor.submits('challenge/resend')).status).toBe(200)

    const refused = await visitor.submits('challenge/resend')
    expect([refused.status, ...refused.messages]).toEqual([429, 'tooManyRequests'])
    expect(refused.headers.get('retry-after')).toBe('600')
    expect(refused.remediations).toEqual(visitor.response.remediations)

    const other = await visit(sibling)
    await other.submits('recover')
    await other.submits('identify', { identifier: identifier.toUpperCase() })
    expect((await other.selects('okta_email')).status).toBe(429)

    later('10m')
    expect((await visitor.submits('challenge/resend')).status).toBe(200)
    await idp.engine.delivery.idle()
    expect(mails() - before).toBe(identifier === ada ? 6 : 0)
  })

  test('a refused mail is logged once a window, with its rule', async () => {
    const visitor = await atTheCode(idp, 'nobody@example.com')
    for (let n = 0; n < 9; n++) await visitor.submits('challenge/resend')

    const events = (await idp.events()).filter(
      ({ eventType }) => eventType === 'system.operation.rate_limit.violation',
    )
    expect(events.map(({ debugContext }) => debugContext.debugData.rule)).toEqual([
      'mails-per-recipient-by-source',
    ])
  })
})
