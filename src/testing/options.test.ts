import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, type KitOptions, startEngine, type VisitorOptions } from './index.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

/** As a caller without types. */
const untyped = <T>(value: unknown): T => value as T

describe('startEngine refuses (N-m61)', () => {
  test.each([
    [{ polcy: {} }, '"polcy" is not a known option; did you mean policy?'],
    [{ clock: 'forzen' }, 'clock must be one of virtual, frozen, not "forzen"'],
    [{ tokens: 'now' }, 'tokens must be one of real, virtual'],
    [{ hash: 'slow' }, 'hash must be one of fast, standard'],
    [{ policy: { pasword: {} } }, 'did you mean'],
    [{ policy: { password: { complexity: { minLenght: 4 } } } }, 'did you mean'],
    [{ settings: { lifetimes: { codes: '1m' } } }, 'did you mean'],
    [{ people: [{ login: 'a', pasword: 'x' }] }, 'did you mean'],
    [{ clients: [{ id: 'a', label: 'A', redirectUri: [] }] }, 'did you mean'],
    [{ policy: {}, settings: { policies: {} } }, 'policy and settings.policies are the same'],
    [{ port: 0, settings: { http: { port: 0 } } }, 'port and settings.http.port are the same'],
    [['policy'], 'must be an object'],
    [{ seed: {} }, 'seed must be a text'],
    [{ log: 'x' }, 'log must be a logger with debug, info, warn and error'],
    [{ authenticators: ['x'] }, 'authenticators must be a list of authenticators'],
    [{ authenticators: {} }, 'authenticators must be a list of authenticators'],
  ])('%j', async (options, says) => {
    await expect(startEngine(untyped<KitOptions>(options))).rejects.toThrow(says)
  })
})

describe('the other options', () => {
  test.each<[string, (kit: Kit) => unknown, string]>([
    [
      'a fault of no path',
      ({ faults }) => faults.next('/nope', { status: 503 }),
      'path: nothing is served at "/nope"',
    ],
    [
      'a fault of a mistyped path',
      ({ faults }) => faults.next('/idp/idx/chalenge/answer', { status: 503 }),
      'did you mean /idp/idx/challenge/answer?',
    ],
    [
      'a fault that is none',
      ({ faults }) => faults.next('/idp/idx/identify', { status: 200 }),
      'status must be a whole number from 400 to 599',
    ],
    [
      'a fault with another name',
      ({ faults }) => faults.next('/idp/idx/identify', untyped({ status: 503, time: 2 })),
      'did you mean times?',
    ],
    ['a visitor', (kit) => kit.visitor(untyped<VisitorOptions>({ clinet: 'a' })), 'did you mean client?'],
    [
      'the client of a visitor',
      (kit) => kit.visitor(untyped({ client: { id: 'a', redirectUrl: '' } })),
      'did you mean redirectUri?',
    ],
    [
      'the server of a visitor',
      (kit) => kit.visitor(untyped({ server: 'orgs' })),
      'server must be one of default, org',
    ],
    [
      'a filter of mails',
      ({ outbox }) => outbox.latest(untyped({ adress: 'a' })),
      '"adress" is not a known option',
    ],
    ['a move of the clock', ({ clock }) => clock.advance(Number.NaN), 'clock.advance: "NaN" is no span'],
  ])('%s', (_, call, says) => {
    expect(() => call(idp)).toThrow(says)
  })

  test.each<[string, (kit: Kit) => Promise<unknown>, string]>([
    [
      'a filter of events',
      ({ events }) => untyped<(o: object) => Promise<unknown>>(events)({ typ: 1 }),
      'events: takes no options',
    ],
    [
      'a reset',
      ({ reset }) => untyped<(o: object) => Promise<unknown>>(reset)({ x: 1 }),
      'reset: takes no options',
    ],
    [
      'a template that is none',
      ({ outbox }) => outbox.waitFor({ template: 'Forgot' }),
      'template must be one of ForgotPassword, ',
    ],
    ['a wait for a mail', ({ outbox }) => outbox.waitFor(untyped({ timeout: 5 })), 'did you mean timeoutMs?'],
    [
      'a new user',
      ({ people }) => people.add(untyped({ login: 'a', fristName: 'A' })),
      'did you mean firstName?',
    ],
    [
      'a weak password',
      ({ people }) => people.add({ login: 'a@example.com', password: 'weak' }),
      'password: not met: at least 12 characters',
    ],
    ['a taken login', ({ people }) => people.add({ login: 'mary@example.com' }), 'login: '],
    [
      'changes of a user',
      ({ people }) => people.update('00u1', untyped({ login: 'b' })),
      '"login" is not a known member',
    ],
    [
      'a sign-in',
      (kit) => kit.signInAs('mary@example.com', untyped({ scope: 'openid' })),
      'did you mean scopes?',
    ],
    [
      'the scopes of a sign-in',
      (kit) => kit.signInAs('mary@example.com', { scopes: ['opneid'] }),
      'did you mean openid?',
    ],
  ])('%s', async (_, call, says) => {
    await expect(call(idp)).rejects.toThrow(says)
  })
})

test('people.list, people.get', async () => {
  const ada = await idp.people.add({ login: 'ada@example.com' })
  expect((await idp.people.list()).map(({ login }) => login).toSorted()).toEqual([
    ada.login,
    'mary@example.com',
  ])
  expect(await idp.people.list('ada@example.com')).toEqual([ada])
  expect(await idp.people.get(ada.id)).toEqual(ada)
})

test('settings.people and settings.clients are those of the engine, not lost', async () => {
  const settings = {
    people: [{ login: 'grace@example.com', password: 'Harvard-Mark-I-1944' }],
    clients: [
      { id: 'shop', label: 'Shop', secret: 'a secret for the shop', redirectUris: ['http://localhost:1/cb'] },
    ],
  }
  await using kit = await startEngine({ settings: untyped(settings) })
  expect((await kit.signInAs('grace@example.com', { client: 'shop' })).idToken).toBeDefined()
})
