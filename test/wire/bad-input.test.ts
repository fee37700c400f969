import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiError, masked, over } from './expected.ts'
import { checkLaws, messagesIn } from './laws.ts'
import {
  type Answer,
  authenticatorsIn,
  ion,
  type Json,
  newVisitor,
  send,
  type Visitor,
  wrong,
} from './visitor.ts'

const newPassword = 'Lighthouse-Biscuit-77'
const json = { 'content-type': 'application/json' }

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

/** An endpoint where it is on offer, and the answer that it waits for. */
interface Endpoint {
  readonly path: string
  readonly ready: (visitor: Visitor) => Promise<unknown>
  readonly right: (visitor: Visitor) => Promise<Answer>
}

async function atTheMail(visitor: Visitor) {
  await visitor.atTheCode()
  const mail = await visitor.mail()
  return { code: mail.code ?? '', link: mail.link ?? '', mail }
}

const endpoints: readonly Endpoint[] = [
  { path: 'introspect', ready: (visitor) => visitor.begins(), right: (visitor) => visitor.introspects() },
  {
    path: 'identify',
    ready: (visitor) => visitor.begins(),
    right: (visitor) => visitor.signsIn(idp.person.login, idp.person.password),
  },
  { path: 'recover', ready: (visitor) => visitor.begins(), right: (visitor) => visitor.submits('recover') },
  {
    path: 'challenge',
    ready: (visitor) => visitor.recovers(),
    right: (visitor) => visitor.selects('okta_email'),
  },
  {
    path: 'challenge/answer',
    ready: (visitor) => visitor.atTheReset(),
    right: (visitor) => visitor.answers(newPassword),
  },
  {
    path: 'challenge/resend',
    ready: atTheMail,
    right: (visitor) => visitor.submits('challenge/resend'),
  },
  { path: 'challenge/poll', ready: atTheMail, right: (visitor) => visitor.submits('challenge/poll') },
  { path: 'cancel', ready: atTheMail, right: (visitor) => visitor.cancels() },
]

interface Sent {
  readonly method?: string
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Record<string, string>
}

/** Sends something odd, and checks what holds for every answer. */
async function odd(path: string, sent: Sent): Promise<Answer> {
  const seen = await send(idp, path, { headers: json, ...sent })
  if (sent.method !== 'HEAD') checkLaws(seen, { idp, stateHandle: '', recovering: false })
  return seen
}

const malformed = {
  status: 400,
  body: {
    ...apiError('E0000003', 'The request body was not well-formed.'),
    errorCauses: [{ errorSummary: expect.stringMatching(/^body: (must|no JSON)/) }],
  },
}
const tooLarge = { status: 413, body: apiError('E0000003', 'The request body is too large.') }
const wrongType = {
  status: 415,
  body: apiError(
    'E0000021',
    'Bad request. Accept and/or Content-Type headers likely do not match supported values.',
  ),
}
const told = ({ status, type, body }: Answer) => {
  expect(type).toBe('application/json; charset=utf-8')
  return { status, body: masked(idp, body) }
}

const bytes = (...values: readonly number[]) => new Uint8Array(values)
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

/** Bodies that are none, whatever endpoint they are sent to. `own` is a body that would be fine. */
const brokenBodies: Readonly<Record<string, (own: string) => Sent['body']>> = {
  nothing: () => '',
  'broken JSON': (own) => own.slice(0, -1),
  'a trailing comma': (own) => own.replace(/\}$/, ',}'),
  'two bodies': (own) => own + own,
  'a byte order mark': (own) => `\uFEFF${own}`,
  'bytes that are not UTF-8': () => bytes(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d),
  'UTF-16': (own) => new Uint8Array(Buffer.from(own, 'utf16le')),
  'an array': (own) => `[${own}]`,
  'a text': () => '"text"',
  'a number': () => '1',
  true: () => 'true',
  null: () => 'null',
  NaN: () => '{"a":NaN}',
  'a comment': (own) => `/* */${own}`,
  'the same key twice': (own) => own.replace('{', '{"stateHandle":"a",'),
  'the same key twice, one escaped': (own) => own.replace('{', '{"state\\u0048andle":"a",'),
  'the same key twice, deeper': (own) => own.replace('{', '{"more":{"a":1,"a":2},'),
  'the key __proto__': (own) => own.replace('{', '{"__proto__":{"identifier":"mary@example.com"},'),
  'the key __proto__, escaped': (own) => own.replace('{', '{"\\u005f_proto__":1,'),
  'a NUL': (own) => own.replace('{', '{"more":"a\\u0000b",'),
  'eleven levels': (own) => own.replace('{', `{"more":${nested(10)},`),
  'ten thousand levels': (own) => own.replace('{', `{"more":${'['.repeat(10_000)}${']'.repeat(10_000)},`),
}

/** What no transaction is known by. */
const badHandles: Readonly<Record<string, unknown>> = {
  absent: undefined,
  null: null,
  empty: '',
  'a number': 1,
  true: true,
  'an array': ['02.id.a'],
  'an object': { toString: 'a' },
  'one nobody has': `02.id.${'a'.repeat(43)}`,
  'one with a lone surrogate': '02.id.\uD800',
  'ten thousand letters': 'a'.repeat(10_000),
  "somebody's name": 'constructor',
}

describe.each(endpoints)('POST /idp/idx/$path', ({ path, ready, right }) => {
  const url = `/idp/idx/${path}`
  async function begun() {
    const visitor = newVisitor(idp)
    await ready(visitor)
    const { interactionHandle, stateHandle } = visitor
    const own = JSON.stringify(path === 'introspect' ? { interactionHandle, stateHandle } : { stateHandle })
    return { visitor, own }
  }

  test('a body that is none is refused, and nothing is lost', async () => {
    const { visitor, own } = await begun()
    for (const [name, body] of Object.entries(brokenBodies)) {
      expect(told(await odd(url, { body: body(own) ?? '' })), name).toEqual(malformed)
    }
    expect((await right(visitor)).status).toBe(200)
  })

  test('a body of a megabyte is refused before it is read, and nothing is lost', async () => {
    const { visitor, own } = await begun()
    const body = own.replace('{', `{"more":"${'a'.repeat(1_048_576)}",`)

    expect(told(await odd(url, { body }))).toEqual(tooLarge)
    expect(told(await odd(url, { body: body.slice(-70_000) }))).toEqual(tooLarge)

    expect((await right(visitor)).status).toBe(200)
  })

  test('a body that calls itself something else is refused, and nothing is lost', async () => {
    const { visitor, own } = await begun()
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'json',
      'text/json',
      '',
    ]) {
      expect(told(await odd(url, { body: own, headers: { 'content-type': type } })), type).toEqual(wrongType)
    }
    const untyped = new Uint8Array(Buffer.from(own))
    expect(told(await odd(url, { body: untyped, headers: {} })), 'no type').toEqual(wrongType)
    expect(told(await odd(url, { headers: {} })), 'no type, no body').toEqual(wrongType)
    expect((await right(visitor)).status).toBe(200)
  })

  test('a handle that nobody has is answered like one whose time is over', async () => {
    const { visitor } = await begun()
    for (const [name, handle] of Object.entries(badHandles)) {
      const handles =
        path === 'introspect' ? ['stateHandle', 'stateToken', 'interactionHandle'] : ['stateHandle']
      for (const member of handles) {
        const { status, type, body } = await odd(url, { body: JSON.stringify({ [member]: handle }) })
        const expected = path === 'introspect' ? 'application/json' : ion
        expect({ status, type, body }, `${member} ${name}`).toEqual({
          status: 401,
          type: expected,
          body: over,
        })
      }
    }
    expect((await right(visitor)).status).toBe(200)
  })

  test('another method, a slash more and another spelling lead nowhere', async () => {
    const { visitor, own } = await begun()
    const notThis = apiError('E0000022', 'The endpoint does not support the provided HTTP method')
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
      const seen = await odd(url, { method, ...(method !== 'GET' && method !== 'HEAD' && { body: own }) })
      expect(seen.status, method).toBe(405)
      expect(seen.headers.get('allow'), method).toBe('POST')
      expect(masked(idp, seen.body), method).toEqual(method === 'HEAD' ? {} : notThis)
    }
    const notFound = apiError('E0000007', 'Not found: the path is unknown.')
    for (const other of [
      `${url}/`,
      `/${url}`,
      url.toUpperCase(),
      `${url}%00`,
      `${url}.json`,
      `${url}/more`,
    ]) {
      expect(told(await odd(other, { body: own })), other).toEqual({ status: 404, body: notFound })
    }
    expect((await right(visitor)).status).toBe(200)
  })

  test('what no form asks for is ignored, of whatever type', async () => {
    const { visitor } = await begun()
    const more = {
      constructor: 1,
      toString: null,
      hasOwnProperty: [],
      more: { a: [1, { b: null }] },
      stateToken: {},
    }

    const { status } = path === 'introspect' ? await visitor.introspects() : await right(visitor)
    expect(status).toBe(200)

    const again = newVisitor(idp)
    await ready(again)
    const { interactionHandle, stateHandle } = again
    const seen = await odd(url, { body: JSON.stringify({ ...more, interactionHandle, stateHandle }) })
    const needsMore = ['identify', 'challenge', 'challenge/answer'].includes(path)
    expect(seen.status, seen.text).toBe(needsMore ? 400 : 200)
  })
})

test('a path that is none is answered as such', async () => {
  const visitor = newVisitor(idp)
  await visitor.begins()
  for (const path of ['', '/', '/nothing', '/enrol', '/../identify', '/%2e%2e/introspect']) {
    const seen = await odd(`/idp/idx${path}`, {
      body: JSON.stringify({
        interactionHandle: visitor.interactionHandle,
        stateHandle: visitor.stateHandle,
      }),
    })
    expect(told(seen), path).toEqual({
      status: 404,
      body: apiError('E0000007', 'Not found: the path is unknown.'),
    })
  }
  const seen = await odd('/idp/idx/%E0%A4%A', { body: '{}' })
  expect(told(seen)).toEqual({ status: 400, body: apiError('E0000003', 'The address was not well-formed.') })
})

/** The messages of an answer: their keys, and whether each stands in a field or at the top. */
const said = ({ body }: Answer) => {
  const top = messagesIn({ messages: body.messages }).length
  return messagesIn(body).map(
    ({ i18n }) => `${(i18n as Json).key} ${top > 0 ? 'at the top' : 'in the field'}`,
  )
}

const blank = { status: 400, said: ['model.validation.field.blank in the field'] }
const bad = { status: 400, said: ['E0000020 at the top'] }
/** Values that are no text. */
const noTexts: readonly unknown[] = [
  1,
  0,
  true,
  false,
  [],
  ['a'],
  {},
  { a: 1 },
  { toString: null, valueOf: null },
]

describe('an identifier that is none', () => {
  const mary = 'mary@example.com'
  const eve = 'eve@example.com'
  const none: readonly unknown[] = [undefined, null, '', '   ', '\u00A0']
  const odds: readonly unknown[] = [
    ...noTexts,
    [mary, eve],
    [mary],
    { email: mary },
    `${mary},${eve}`,
    `${mary};${eve}`,
    `${mary}\n${eve}`,
    `${mary}\r\nBcc: ${eve}`,
    `${mary}\u0085${eve}`,
    `${mary}\u2028${eve}`,
    `${mary}\u2029${eve}`,
    `${mary}\u001b`,
    `${mary}\uD800`,
    `\uDC00${mary}`,
    'a'.repeat(255),
    `${'a'.repeat(10_000)}@example.com`,
  ]

  test.each(['a recovery', 'a sign-in'])('at %s is refused, mails nobody, and loses nothing', async (at) => {
    await idp.people.add({ login: eve })
    const visitor = newVisitor(idp)
    await visitor.begins()
    if (at === 'a recovery') await visitor.submits('recover')
    const submits = (identifier: unknown) =>
      visitor.submits('identify', { identifier, credentials: { passcode: idp.person.password } })

    for (const identifier of none) {
      const seen = await submits(identifier)
      expect({ status: seen.status, said: said(seen) }, String(identifier)).toEqual(blank)
    }
    for (const identifier of odds) {
      const seen = await submits(identifier)
      expect({ status: seen.status, said: said(seen) }, JSON.stringify(identifier)).toEqual(bad)
    }

    expect((await submits(` ${mary} `)).status).toBe(200)
    await idp.engine.delivery.idle()
    expect(idp.outbox.all()).toEqual([])
  })

  test('that only looks like hers gets no mail of hers', async () => {
    for (const identifier of [
      'mary@example.com/eve',
      'mary@example.com?eve',
      'mary@example.com#eve',
      'mary@example.com\\eve',
      'mary@ex%61mple.com',
      'mary@example.com:80',
      '"mary"@example.com',
      'mary @example.com',
      'mary@example.com.',
      'Mary <mary@example.com>',
      'mary@example.com@evil.example',
      'm\u0131ry@example.com',
      '00u12345678901234567',
      "' or 1=1 --",
      '%',
      '__proto__',
      'constructor',
    ]) {
      const visitor = newVisitor(idp)
      expect((await visitor.atTheCode(identifier)).response.status, identifier).toBe(200)
    }
    await idp.engine.delivery.idle()
    expect(idp.outbox.all()).toEqual([])
  })

  test('that means hers goes to the stored address', async () => {
    for (const identifier of [
      'MARY@EXAMPLE.COM',
      ' mary@example.com\u00A0',
      'mary\uFF20example.com',
      '\uFF4Dary@example.com',
    ]) {
      await idp.reset()
      const visitor = newVisitor(idp)
      await visitor.atTheCode(identifier)
      expect((await visitor.mail(mary)).to, identifier).toBe(mary)
    }
  })
})

test('a password that is none is refused at the first page, and the right one still signs in', async () => {
  const visitor = newVisitor(idp)
  await visitor.begins()
  const submits = (credentials: unknown) =>
    visitor.submits('identify', { identifier: idp.person.login, credentials })

  for (const credentials of [
    undefined,
    null,
    ...noTexts,
    idp.person.password,
    [{ passcode: idp.person.password }],
  ]) {
    const seen = await submits(credentials)
    expect({ status: seen.status, said: said(seen) }, JSON.stringify(credentials)).toEqual(blank)
  }
  for (const passcode of [undefined, null, '', ...noTexts, [idp.person.password]]) {
    const seen = await submits({ passcode })
    expect({ status: seen.status, said: said(seen) }, JSON.stringify(passcode)).toEqual(blank)
  }
  // These are passwords, only not hers: each is a guess.
  for (const passcode of ['a'.repeat(257), 'a'.repeat(50_000), `${idp.person.password}\uD800`]) {
    const seen = await submits({ passcode })
    expect({ status: seen.status, said: said(seen) }).toEqual({
      status: 401,
      said: ['errors.E0000004 at the top'],
    })
  }
  expect((await submits({ passcode: idp.person.password })).interactionCode).toBeDefined()
})

test('a choice that is none is refused, mails nobody, and the right one still does', async () => {
  const visitor = newVisitor(idp)
  const { body } = await visitor.recovers()
  const [email] = authenticatorsIn(body)
  const { body: page } = await newVisitor(idp).begins()
  const password = (page.currentAuthenticator as { value: Json }).value.id
  const submits = (authenticator: unknown) => visitor.submits('challenge', { authenticator })

  const choices: readonly unknown[] = [
    undefined,
    null,
    'okta_email',
    email?.id,
    [email?.id],
    ...noTexts,
    { id: [email?.id] },
    { key: 'okta_email' },
    { id: 'okta_email' },
    // What was lost is never offered, and never taken.
    { id: password },
    ...noTexts.map((id) => ({ id })),
    { id: email?.id, methodType: 'sms' },
    { id: email?.id, methodType: '' },
    ...noTexts.map((methodType) => ({ id: email?.id, methodType })),
    { id: email?.id, methodType: ['email'] },
  ]
  for (const choice of choices) {
    const seen = await submits(choice)
    expect({ status: seen.status, said: said(seen) }, JSON.stringify(choice)).toEqual(bad)
  }
  await idp.engine.delivery.idle()
  expect(idp.outbox.all()).toEqual([])

  expect((await submits({ id: email?.id, methodType: null, key: 1, enrollmentId: {} })).status).toBe(200)
  await visitor.mail(idp.person.login)
})

test('a code that is none costs no guess, and the right one still counts', async () => {
  const visitor = newVisitor(idp)
  const { code } = await atTheMail(visitor)
  const credentials: readonly unknown[] = [
    undefined,
    null,
    code,
    [code],
    ...noTexts,
    { code },
    { Passcode: code },
    ...[undefined, null, '', ...noTexts, [code], Number(code), { passcode: code }].map((passcode) => ({
      passcode,
    })),
  ]
  for (const value of credentials) {
    const seen = await visitor.submits('challenge/answer', { credentials: value })
    expect({ status: seen.status, said: said(seen) }, JSON.stringify(value)).toEqual(blank)
  }
  // These are codes, only not hers: four of the five guesses that there are.
  for (const passcode of [wrong(code), `${code}0`, 'a'.repeat(50_000), '\uD800']) {
    const seen = await visitor.answers(passcode)
    expect({ status: seen.status, said: said(seen) }).toEqual({
      status: 401,
      said: ['api.authn.error.PASSCODE_INVALID in the field'],
    })
  }
  // Full-width digits and blanks are what some keyboards and mail programs make of it.
  const typed = [...code].map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join(' ')
  expect((await visitor.answers(typed)).status).toBe(200)
})

test('a new password that is none leaves the old one, and a good one still counts', async () => {
  const visitor = newVisitor(idp)
  await visitor.atTheReset()
  const submits = (credentials: unknown) => visitor.submits('challenge/answer', { credentials })

  for (const credentials of [undefined, null, newPassword, [newPassword], ...noTexts]) {
    const seen = await submits(credentials)
    expect({ status: seen.status, said: said(seen) }, JSON.stringify(credentials)).toEqual(blank)
  }
  for (const passcode of [undefined, null, '', ...noTexts, [newPassword]]) {
    const seen = await submits({ passcode })
    expect({ status: seen.status, said: said(seen) }, JSON.stringify(passcode)).toEqual(blank)
  }
  for (const passcode of [
    'short',
    'a'.repeat(257),
    '\u{1F511}'.repeat(257),
    `${newPassword}\uD800`,
    'a'.repeat(50_000),
  ]) {
    const seen = await submits({ passcode })
    expect({ status: seen.status, said: said(seen) }).toEqual({
      status: 400,
      said: ['password.passwordRequirementsNotMet in the field'],
    })
  }
  for (const revokeSessions of ['yes', 'true', 1, 0, null, [], {}]) {
    const seen = await submits({ passcode: newPassword, revokeSessions })
    expect({ status: seen.status, said: said(seen) }, JSON.stringify(revokeSessions)).toEqual(bad)
  }
  const signsIn = newVisitor(idp)
  await signsIn.begins()
  expect((await signsIn.signsIn(idp.person.login, idp.person.password)).status).toBe(200)

  expect((await submits({ passcode: '\u{1F511}'.repeat(256) })).interactionCode).toBeDefined()
})

describe('what belongs to another conversation', () => {
  test('a code is wrong there, is counted there, and stays right at home', async () => {
    await idp.people.add({ login: 'eve@example.com' })
    const mary = newVisitor(idp)
    const eve = newVisitor(idp)
    const { code } = await atTheMail(mary)
    await eve.atTheCode('eve@example.com')
    const own = await eve.mail('eve@example.com')

    for (let guess = 0; guess < 4; guess++) expect((await eve.answers(code)).status).toBe(401)
    expect((await eve.answers(code === own.code ? wrong(code) : code)).status).toBe(429)

    expect((await mary.answers(code)).status).toBe(200)
  })

  test("a person's own code of an earlier conversation is wrong in the next", async () => {
    const first = newVisitor(idp)
    const { code, mail } = await atTheMail(first)
    const second = newVisitor(idp)
    await second.atTheCode()
    const other = await idp.outbox.waitFor({ to: idp.person.login, after: mail.id })

    if (other.code !== code) expect((await second.answers(code)).status).toBe(401)

    expect((await first.answers(code)).status).toBe(200)
  })

  test('a code is spent with its use', async () => {
    const visitor = newVisitor(idp)
    const { code } = await atTheMail(visitor)
    await visitor.answers(code)

    // The same path now takes the new password, and a code is a poor one.
    const again = await visitor.answers(code)

    expect({ status: again.status, said: said(again) }).toEqual({
      status: 400,
      said: ['password.passwordRequirementsNotMet in the field'],
    })
    expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
  })

  test("another client's interaction handle shows that client's conversation, whose code only that client redeems", async () => {
    const victim = newVisitor(idp)
    await victim.begins()
    const { interactionHandle } = victim
    const seen = await odd('/idp/idx/introspect', { body: JSON.stringify({ interactionHandle }) })
    expect((seen.body.app as { value: Json }).value.id).toBe(idp.clientId)

    const code = (await victim.signsIn(idp.person.login, idp.person.password)).interactionCode
    const thief = newVisitor(idp, { client: idp.publicClientId })
    await thief.begins()

    expect(await thief.redeems(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(await victim.redeems(code)).toMatchObject({ status: 200 })
  })
})

describe('GET /email/verify/…', () => {
  const path = async () => {
    const { link } = await atTheMail(newVisitor(idp))
    const { pathname, search } = new URL(link)
    return { pathname, search, token: search.slice('?token='.length) }
  }

  /** But for the id by which `rekey trace` finds the request. */
  const page = (text: string) => text.replace(/oae\w{17}/, '')

  test('with a token that is none shows the same page, and the link still works', async () => {
    const { pathname, search, token } = await path()
    const deadly = await send(idp, `${pathname}?token=ft${'a'.repeat(60)}`, { method: 'GET' })
    expect(deadly).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' })

    for (const query of [
      '',
      '?',
      '?token',
      '?token=',
      '?token=a',
      `?token=${token}&token=${token}`,
      `?token[]=${token}`,
      `?token[a]=${token}`,
      `?TOKEN=${token}`,
      `?token=${token}%00`,
      `?token=%00${token}`,
      `?token=ft%00${token.slice(3)}`,
      `?token=${token}a`,
      `?token=${token.slice(0, -1)}`,
      `?token=%20${token}`,
      `?token=${'a'.repeat(10_000)}`,
      '?token=%ED%A0%80',
      '?token=%ZZ',
      "?token=' or 1=1 --",
      '?token=<script>alert(1)</script>',
      '?token=__proto__',
    ]) {
      const seen = await send(idp, `${pathname}${query}`, { method: 'GET' })
      expect({ status: seen.status, text: page(seen.text) }, query).toEqual({
        status: 200,
        text: page(deadly.text),
      })
    }
    for (const client of [
      'nobody',
      '%00',
      '__proto__',
      '%F0%9F%94%91',
      'a%2Fb',
      "'",
      '..%2f..',
      '<script>',
    ]) {
      const seen = await send(idp, `/email/verify/${client}${search}`, { method: 'GET' })
      // The way back is that of the app in the address, which interact names as well; all else is the same.
      expect({ status: seen.status, text: page(seen.text) }, client).toEqual({
        status: 200,
        text: page(deadly.text).replace(/<p><a href="[^"]+">Go to [^<]+<\/a><\/p>/, ''),
      })
    }
    expect((await send(idp, pathname + search, { method: 'GET' })).status).toBe(302)
  })

  test('with another method, a slash more or a broken address leads nowhere', async () => {
    const { pathname, search } = await path()
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status, headers } = await odd(pathname + search, { method, body: '{}' })
      expect([status, headers.get('allow')], method).toEqual([405, 'GET, HEAD'])
    }
    for (const [other, status] of [
      [`${pathname}/${search}`, 404],
      ['/email/verify', 404],
      ['/email/verify/', 200],
      [`/EMAIL/verify/${idp.clientId}${search}`, 404],
      [`/email/verify/${'a'.repeat(200)}${search}`, 400],
      [`/email/verify/%E0%A4%A${search}`, 400],
    ] as const) {
      expect((await odd(other, { method: 'GET' })).status, other).toBe(status)
    }
    expect((await send(idp, pathname + search, { method: 'HEAD' })).status).toBe(302)
  })
})
