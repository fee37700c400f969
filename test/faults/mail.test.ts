import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { answer, atTheCode } from '../support/attacks.ts'
import { remediationsOf } from '../support/idx.ts'

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
    expect(remediationsOf(visitor.last.body)).toContain('challenge-authenticator')

    await idp.engine.delivery.idle()
    // What was not taken is tried again some seconds later.
    idp.clock.advance('5s')
    const mail = await idp.outbox.waitFor({ to: mary })
    await idp.engine.delivery.idle()
    expect(idp.outbox.to(mary)).toHaveLength(1)
    const proven = await answer(visitor, mail.code)
    expect(remediationsOf(proven.body)).toContain('reset-authenticator')
  },
)
