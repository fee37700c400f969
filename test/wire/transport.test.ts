import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { over } from './expected.ts'
import { ion, newVisitor, send } from './visitor.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

test('an answer carries these headers', async () => {
  const { headers } = await newVisitor(idp).begins()

  expect(Object.fromEntries(headers)).toEqual({
    'cache-control': 'no-store',
    connection: 'keep-alive',
    'content-length': expect.any(String),
    'content-security-policy':
      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'content-type': ion,
    date: expect.any(String),
    'keep-alive': expect.any(String),
    pragma: 'no-cache',
    'referrer-policy': 'no-referrer',
    vary: 'Origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-okta-request-id': expect.stringMatching(/^req\w{17}$/),
    'x-rate-limit-limit': expect.stringMatching(/^\d+$/),
    'x-rate-limit-remaining': expect.stringMatching(/^\d+$/),
    'x-rate-limit-reset': expect.stringMatching(/^\d{10}$/),
  })
})

test('each request has an id of its own', async () => {
  const visitor = newVisitor(idp)
  const ids = [await visitor.begins(), await visitor.introspects()].map(({ headers }) =>
    headers.get('x-okta-request-id'),
  )

  expect(new Set(ids).size).toBe(2)
})

test.each([
  'application/json',
  'application/json; charset=utf-8',
  'application/json; okta-version=1.0.0',
  'application/ion+json',
  'application/ion+json; okta-version=1.0.0',
  'Application/JSON',
])('a body may call itself %s', async (type) => {
  const visitor = newVisitor(idp)
  await visitor.begins()

  const { status } = await visitor.submits('recover', {}, { 'content-type': type })

  expect(status).toBe(200)
})

test.each(['', '*/*', 'text/html', 'application/vnd.okta.v1+json'])(
  'whoever accepts "%s" gets the one type there is',
  async (accept) => {
    const visitor = newVisitor(idp)
    const { type } = await visitor.begins()
    const answer = await visitor.submits('recover', {}, { accept })

    expect([type, answer.status, answer.type]).toEqual([ion, 200, ion])
  },
)

test('looking changes nothing: by either handle, in another tab, at every step', async () => {
  const visitor = newVisitor(idp)
  const steps = [
    () => visitor.begins(),
    () => visitor.submits('recover'),
    () => visitor.submits('identify', { identifier: idp.person.login }),
    () => visitor.selects('okta_email'),
  ]
  for (const step of steps) {
    const { text } = await step()
    const { interactionHandle, stateHandle } = visitor
    for (const body of [{ interactionHandle }, { stateToken: stateHandle }, { stateHandle }]) {
      const seen = await send(idp, '/idp/idx/introspect', {
        body: JSON.stringify(body),
        headers: { 'content-type': ion },
      })
      expect([seen.status, seen.type, seen.text]).toEqual([200, ion, text])
    }
  }
})

test('a poll that waits is answered with the very same bytes, so that no page redraws what is being typed', async () => {
  const visitor = newVisitor(idp)
  const { text } = (await visitor.atTheCode()).response

  for (let poll = 0; poll < 3; poll++) expect((await visitor.submits('challenge/poll')).text).toBe(text)
})

test('a poll follows the transaction into the next step, and costs no guess', async () => {
  const visitor = newVisitor(idp)
  await visitor.atTheCode()
  const { code } = await visitor.mail(idp.person.login)
  for (let poll = 0; poll < 10; poll++) await visitor.submits('challenge/poll')

  const { text } = await visitor.answers(code)

  expect((await visitor.submits('challenge/poll')).text).toBe(text)
})

test('a failed introspect calls itself plain JSON, which is all that the SDK reads', async () => {
  const visitor = newVisitor(idp)
  await visitor.begins()
  for (const body of [
    {},
    { interactionHandle: 'unknown' },
    { stateHandle: 'unknown' },
    { stateToken: 'unknown' },
    { interactionHandle: visitor.stateHandle },
    { stateHandle: visitor.interactionHandle },
  ]) {
    const seen = await send(idp, '/idp/idx/introspect', {
      body: JSON.stringify(body),
      headers: { 'content-type': ion },
    })
    expect([seen.status, seen.type, seen.body]).toEqual([401, 'application/json', over])
  }
})

test('a cancelled conversation starts over in the same interaction with a handle of its own', async () => {
  const visitor = newVisitor(idp)
  await visitor.atTheCode()
  const before = visitor.stateHandle

  const { body, text } = await visitor.cancels()

  expect(body.stateHandle).not.toBe(before)
  expect((await visitor.introspects()).text).toBe(text)
})

test('who asks for too many mails is told when to come back', async () => {
  const visitor = newVisitor(idp)
  await visitor.atTheCode()
  for (let mail = 2; mail <= 5; mail++) await visitor.submits('challenge/resend')
  idp.clock.advance('1m')

  const { status, headers } = await visitor.submits('challenge/resend')

  expect([status, headers.get('retry-after')]).toEqual([429, '540'])
  idp.clock.advance('9m')
  expect((await visitor.submits('challenge/resend')).status).toBe(200)
})

test('a transaction ends half an hour after it began, not before', async () => {
  const visitor = newVisitor(idp)
  const { body } = await visitor.begins()
  expect(Date.parse(String(body.expiresAt))).toBe(Math.floor((idp.clock.now() + 1_800_000) / 1000) * 1000)

  idp.clock.advance(1_800_000 - 1)
  expect((await visitor.submits('recover')).status).toBe(200)
  idp.clock.advance(1)
  expect((await visitor.submits('identify', { identifier: idp.person.login })).status).toBe(401)
})
