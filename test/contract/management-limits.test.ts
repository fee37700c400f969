import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { hasClients, requireClient } from '../support/clients.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({
    clock: 'frozen',
    settings: { limits: { requests: { managementPerAddress: 3 } } },
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const ask = (token: string, method = 'GET') =>
  fetch(`${idp.engineUrl}/api/v1/users`, { method, headers: { authorization: `SSWS ${token}` } })
/** How many there are, how many are left, and in how many seconds all are back, as SDKs reckon: from Date. */
const headersOf = ({ headers }: Response) => {
  const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
    headers.get(`x-rate-limit-${name}`),
  )
  const waits = Number(reset) - Date.parse(headers.get('date') ?? '') / 1000
  // A second may begin between the two headers.
  return [limit, remaining, Math.min(waits, 60)]
}

test('every response contains the remaining requests, errors too', async () => {
  expect(headersOf(await ask(idp.apiToken))).toEqual(['3', '2', 60])
  const refused = await ask('00nobodyKnowsThisToken')
  expect([refused.status, ...headersOf(refused)]).toEqual([401, '3', '1', 60])
})

test('a spent budget refuses every caller until its minute is over', async () => {
  for (let n = 0; n < 3; n++) await ask('00nobodyKnowsThisToken')
  const people = () => idp.engine.storage.db.selectFrom('people').select('id').execute()
  const before = await people()

  const refused = await ask(idp.apiToken, 'POST')
  expect([refused.status, refused.headers.get('retry-after'), ...headersOf(refused)]).toEqual([
    429,
    '60',
    '3',
    '0',
    60,
  ])
  expect(await refused.json()).toMatchObject({ errorCode: 'E0000047', errorCauses: [] })
  expect(await people()).toEqual(before)
  expect((await idp.events())[0]).toMatchObject({
    eventType: 'system.operation.rate_limit.violation',
    debugContext: { debugData: { rule: 'managementPerAddress', endpoint: 'management' } },
  })

  idp.clock.advance('1m')
  expect((await ask(idp.apiToken)).status).toBe(200)
})

test('the budgets of sign-in are not charged', async () => {
  for (let n = 0; n < 5; n++) await ask(idp.apiToken)
  expect((await idp.signInAs(idp.person.login)).accessToken).toBeTypeOf('string')
})

/** How okta-sdk-nodejs decides when to come again. */
interface Executor {
  validateRetryResponseHeaders(answer: Response): boolean
  getRetryDelayMs(answer: Response): number
}

test.skipIf(!hasClients)(
  'okta-sdk-nodejs waits a minute and comes again, also while the clock of the engine is ahead',
  async () => {
    idp.clock.advance('7d')
    for (let n = 0; n < 3; n++) await ask(idp.apiToken)
    const { DefaultRequestExecutor } = requireClient<{ DefaultRequestExecutor: new () => Executor }>(
      '@okta/okta-sdk-nodejs',
    )
    const executor = new DefaultRequestExecutor()
    const answer = await ask(idp.apiToken)
    expect([answer.status, executor.validateRetryResponseHeaders(answer)]).toEqual([429, true])
    expect(executor.getRetryDelayMs(answer)).toBeGreaterThanOrEqual(60_000)
    expect(executor.getRetryDelayMs(answer)).toBeLessThanOrEqual(62_000)
  },
)
