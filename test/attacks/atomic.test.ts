import { expect, test } from 'vitest'
import { startSmtpSink } from '../../src/devtools/index.ts'
import { type Answer, answerFrom } from '../../src/testing/index.ts'
import { atTheCode, atTheReset, mailTo, newPassword, scale, startTarget, visit } from '../support/attacks.ts'
import { nodeSettings } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { startEngineProcess } from './engine-process.ts'

const victim = 'mary@example.com'

onEachDatabase('a reset', (database) => {
  test('one that is killed in front of any of its writes has not happened, and then happens whole', async () => {
    const { url, drop } = await database.create()
    const sink = await startSmtpSink()
    const settings = nodeSettings(sink.url, { database: { url } })
    const kit = await startTarget({ clock: 'virtual', database: url, settings: { mail: { url: sink.url } } })
    const idp = { ...kit, outbox: sink.messages }
    const { db } = kit.engine.storage
    const world = async () => ({
      people: await db.selectFrom('people').selectAll().execute(),
      credentials: await db.selectFrom('enrollments').selectAll().execute(),
      transactions: await db.selectFrom('transactions').selectAll().orderBy('id').execute(),
      sessions: await db.selectFrom('sessions').selectAll().orderBy('id').execute(),
      interactions: await db.selectFrom('interactions').selectAll().orderBy('id').execute(),
      notices: await db.selectFrom('outbox').select('id').where('template', '=', 'PasswordChanged').execute(),
      events: await db.selectFrom('events').select('id').where('type', 'like', 'user.account.%').execute(),
    })

    // A session elsewhere and another open recovery: both must end with the reset, or stay.
    const elsewhere = await visit(idp)
    const credentials = { passcode: kit.person.password }
    await elsewhere.submits('identify', { identifier: victim, credentials })
    const { body: tokens } = await elsewhere.redeems()
    await atTheCode(idp, victim)
    await mailTo(idp, victim)
    const visitor = await atTheReset(idp, victim)
    const before = await world()

    let deaths = 0
    let done: Answer | undefined
    // A process for each write takes its time: by default in front of some of them, of all under `--full`.
    const step = database.name === 'sqlite' ? scale(2, 1) : 1
    for (let dieAt = 0; done === undefined && dieAt < 40; dieAt += step) {
      const child = await startEngineProcess(settings, { dieAt })
      const reset = JSON.stringify({
        stateHandle: visitor.stateHandle,
        credentials: { passcode: newPassword },
      })
      const reply = await fetch(`${child.engineUrl}/idp/idx/challenge/answer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: reset,
      }).catch(() => undefined)
      if (reply === undefined) {
        deaths++
        expect(await world()).toEqual(before)
      } else done = await answerFrom(reply)
      await child.kill()
    }

    // The move, the budgets, the password, the person, the other codes, the sessions, the notice, the events, the grant: on
    // PostgreSQL they are parts of fewer statements, of which each is one write.
    expect(deaths * step).toBeGreaterThan(database.name === 'sqlite' ? 7 : 2)
    expect(done?.interactionCode).toBeDefined()
    const after = await world()
    expect(after.credentials).not.toEqual(before.credentials)
    expect(after.notices).toHaveLength(before.notices.length + 1)
    expect(after.events.length).toBeGreaterThan(before.events.length)
    expect(after.transactions.filter((row) => row.person_id !== null && row.closed_at === null)).toEqual([])
    expect(after.sessions.filter((row) => row.revoked_at === null)).toHaveLength(1)
    const refreshed = await fetch(`${kit.issuer}/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token ?? '',
        client_id: idp.clientId,
        client_secret: idp.clientSecret,
      }),
    })
    expect(refreshed.status).toBe(400)
    await kit.close()
    await sink.close()
    await drop()
  })
})
