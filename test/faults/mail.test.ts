import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { atTheCode, parallel } from '../support/attacks.ts'
import { startNode } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'

const mary = 'mary@example.com'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const misbehave = (smtp: string, more = {}) =>
  fetch(`${idp.controlUrl}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ smtp, times: 1, ...more }),
  })

test.each([
  ['refuses a mail', 'refuse', {}],
  ['breaks off in the middle of a mail', 'drop', {}],
  ['takes its time', 'slow', { delayMs: 300 }],
])(
  'a mail server that %s delays it and nothing else: the visitor is answered, one mail comes, its code is good',
  async (_, smtp, more) => {
    await misbehave(smtp, more)
    const visitor = await atTheCode(idp, mary)
    expect(visitor.response.remediations).toContain('challenge-authenticator')

    await idp.engine.delivery.idle()
    // What was not taken is tried again some seconds later.
    idp.clock.advance('5s')
    const mail = await idp.outbox.waitFor({ to: mary })
    await idp.engine.delivery.idle()
    expect(idp.outbox.to(mary)).toHaveLength(1)
    const proven = await visitor.answers(mail.code)
    expect(proven.remediations).toContain('reset-authenticator')
  },
)

onEachDatabase('a mail server that is at odds with itself', (database) => {
  test('gets each mail in the end, and none of them twice', async () => {
    const { url, drop } = await database.create()
    const logins = Array.from({ length: 12 }, (_, at) => `person${at}@example.com`)
    const node = await startNode({
      settings: { database: { url }, people: logins.map((login) => ({ login })), mail: { spreadMs: 0 } },
    })
    const { faults } = node.sink
    faults.next({ smtp: 'drop', times: 7 })
    faults.next({ smtp: 'refuse', times: 7 })
    faults.next({ smtp: 'slow', times: 3, delayMs: 200 })
    await parallel(logins.length, (at) => atTheCode(node, logins[at] ?? ''))

    const left = () => logins.filter((login) => node.outbox.to(login).length === 0)
    await node.engine.delivery.idle()
    expect(left().length).toBeGreaterThan(0)
    for (let turn = 0; turn < 20 && left().length > 0; turn++) {
      node.clock.advance(5000)
      await node.engine.delivery.idle()
    }
    // Nor does one come later: nothing is left in the outbox.
    node.clock.advance(120_000)
    await node.engine.delivery.idle()
    expect(logins.map((login) => node.outbox.to(login).length)).toEqual(logins.map(() => 1))
    const rows = await node.engine.storage.db.selectFrom('outbox').select('status').execute()
    expect(rows.map(({ status }) => status)).toEqual(logins.map(() => 'sent'))
    await node.close()
    await drop()
  })
})
