import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'

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
const headersOf = ({ headers }: Response) =>
  ['limit', 'remaining', 'reset'].map((name) => headers.get(`x-rate-limit-${name}`))
const resetsAt = () => String(Math.ceil((idp.clock.now() + 60_000) / 1000))

test('every response contains the remaining requests, errors too', async () => {
  expect(headersOf(await ask(idp.apiToken))).toEqual(['3', '2', resetsAt()])
  const refused = await ask('00nobodyKnowsThisToken')
  expect([refused.status, ...headersOf(refused)]).toEqual([401, '3', '1', resetsAt()])
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
    resetsAt(),
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
