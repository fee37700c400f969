import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Settings } from '../../src/config/index.ts'
import { startSmtpSink } from '../../src/devtools/index.ts'
import { type Answer, answerFrom, type Kit } from '../../src/testing/index.ts'
import {
  atTheCode,
  mailTo,
  manyMails,
  newPassword,
  parallel,
  scale,
  startTarget,
  visit,
  wrongCode,
} from '../support/attacks.ts'
import { nodeSettings } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { startEngineProcess } from './engine-process.ts'

const victim = 'mary@example.com'
const isThrough = ({ remediations }: Answer): boolean => remediations[0] === 'reset-authenticator'
const wasJudged = ({ messages }: Answer): boolean =>
  messages.some((key) => key === 'api.authn.error.PASSCODE_INVALID' || key === 'tooManyRequests')

describe('one transaction', () => {
  let idp: Kit
  beforeEach(async () => {
    idp = await startTarget()
  })
  afterEach(() => idp.close())

  test('A06: after five wrong codes the right one is worth nothing', async () => {
    const visitor = await atTheCode(idp, victim)
    const { code } = await mailTo(idp, victim)
    const refused = []
    for (let guess = 1; guess <= 5; guess++) refused.push(await visitor.answers(wrongCode(code, guess)))

    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401, 429])
    expect(refused.at(-1)?.body.remediation).toBeUndefined()
    const late = await visitor.answers(code)
    expect([late.status, ...late.messages]).toEqual([401, 'idx.session.expired'])
    expect((await visitor.submits('introspect')).status).toBe(401)
  })

  test('A06: after five wrong passwords the right one is worth nothing', async () => {
    const visitor = await visit(idp)
    const tries = []
    for (const passcode of ['a', 'b', 'c', 'd', 'e', idp.person.password]) {
      tries.push(await visitor.submits('identify', { identifier: victim, credentials: { passcode } }))
    }
    expect(tries.map(({ status }) => status)).toEqual([401, 401, 401, 401, 429, 401])
    expect(tries.at(-1)?.interactionCode).toBeUndefined()
  })

  test('A09: another mail buys no further guess', async () => {
    const visitor = await atTheCode(idp, victim)
    const statuses = []
    for (let guess = 1; guess <= 5; guess++) {
      const { code } = await mailTo(idp, victim)
      statuses.push((await visitor.answers(wrongCode(code))).status)
      if (guess === 2 || guess === 4) await visitor.submits('challenge/resend')
    }
    expect(statuses).toEqual([401, 401, 401, 401, 429])
    const { code } = await mailTo(idp, victim)
    expect((await visitor.answers(code)).status).toBe(401)
  })
})

onEachDatabase('many transactions against one account', (database) => {
  test('A07: at most twenty codes a day are checked, and none of them signs a user in', async () => {
    const { url, drop } = await database.create()
    const idp = await startTarget({ database: url, settings: { limits: manyMails } })
    const rounds = scale(database.name === 'sqlite' ? 20 : 10, 10_000)
    // Kept from before the attack: a short code that is right for another five minutes.
    const owner = await atTheCode(idp, victim)
    const short = (await mailTo(idp, victim)).code

    let throughs = 0
    for (let round = 0; round < rounds; round++) {
      const visitor = await atTheCode(idp, victim)
      for (let guess = 0; guess < 5; guess++) {
        const passcode = String((round * 5 + guess) % 1_000_000).padStart(6, '0')
        if (isThrough(await visitor.answers(passcode))) throughs++
      }
      if (round % 100 === 99) idp.outbox.clear()
    }

    expect(throughs).toBe(0)
    const used = await idp.engine.storage.db
      .selectFrom('budgets')
      .select('used')
      .where('key', 'like', 'codes-%:person:%')
      .execute()
    expect(used.map((row) => row.used)).toEqual([20, 20])
    // Even the right one is wrong now: more guesses at short codes reveal nothing.
    expect(short).toMatch(/^\d{6}$/)
    expect(isThrough(await owner.answers(short))).toBe(false)
    await idp.close()
    await drop()
  })

  test('A07: nor does any other span of a day hold more, wherever it begins', async () => {
    const { url, drop } = await database.create()
    const idp = await startTarget({ database: url, settings: { limits: manyMails } })
    const judged = async () => {
      const { used } = await idp.engine.storage.db
        .selectFrom('budgets')
        .select('used')
        .where('key', 'like', 'codes-until-success:person:%')
        .executeTakeFirstOrThrow()
      return used
    }
    const guessing = async (transactions: number) => {
      for (let round = 0; round < transactions; round++) {
        const visitor = await atTheCode(idp, victim)
        for (let guess = 0; guess < 4; guess++)
          await visitor.answers(wrongCode((await mailTo(idp, victim)).code))
      }
    }

    // All of a day's guesses but sixteen at its very end, and then as many as there are when the next one begins.
    await guessing(1)
    idp.clock.advance('23h59m')
    await guessing(6)
    idp.clock.advance('2m')
    await guessing(6)
    expect(await judged()).toBe(20)
    idp.clock.advance('24h')
    await guessing(1)
    expect(await judged()).toBe(24)
    await idp.close()
    await drop()
  })

  test('A29: the attack locks no user out: a long code and the link work on', async () => {
    const { url, drop } = await database.create()
    const idp = await startTarget({ database: url })
    for (let round = 0; round < 5; round++) {
      const visitor = await atTheCode(idp, victim)
      for (let guess = 0; guess < 4; guess++)
        await visitor.answers(wrongCode((await mailTo(idp, victim)).code))
    }
    idp.clock.advance('10m')

    const owner = await atTheCode(idp, victim)
    const mail = await mailTo(idp, victim)
    expect(mail.code).toMatch(/^[A-Z2-9]{10}$/)
    const opened = await fetch(mail.link ?? '', { redirect: 'manual' })
    expect(new URL(opened.headers.get('location') ?? '').searchParams.get('otp')).toBe(mail.code)
    expect(isThrough(await owner.answers(mail.code))).toBe(true)
    expect((await owner.answers(newPassword)).interactionCode).toBeDefined()

    // And the budget of wrong passwords is hers again.
    const next = await visit(idp)
    const signedIn = await next.submits('identify', {
      identifier: victim,
      credentials: { passcode: newPassword },
    })
    expect(signedIn.interactionCode).toBeDefined()
    await idp.close()
    await drop()
  })

  test('A07: twenty wrong passwords an hour are checked; the right one is then wrong until a recovery', async () => {
    const { url, drop } = await database.create()
    const idp = await startTarget({ database: url })
    const signIn = async (passcode: string) =>
      (await visit(idp)).submits('identify', { identifier: victim, credentials: { passcode } })
    for (let guess = 0; guess < 20; guess++) await signIn(`guess ${guess}`)

    expect((await signIn(idp.person.password)).messages).toEqual(['errors.E0000004'])
    idp.clock.advance('1h')
    expect((await signIn(idp.person.password)).interactionCode).toBeDefined()
    await idp.close()
    await drop()
  })
})

onEachDatabase('many requests at once', (database) => {
  // Each guess is a dozen round trips on PostgreSQL.
  const crowd = scale(database.name === 'sqlite' ? 150 : 60, 500)
  let close: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const work of close.reverse()) await work()
    close = []
  })

  async function shared(): Promise<{ readonly settings: Settings; readonly idp: Kit }> {
    const { url, drop } = await database.create()
    const sink = await startSmtpSink()
    const settings = nodeSettings(sink.url, { database: { url } })
    // Takes the mails and nothing else: it only answers for the test's own look at them.
    const idp = await startTarget({ clock: 'virtual', database: url, settings: { mail: { url: sink.url } } })
    close.push(drop, sink.close, idp.close)
    return { settings, idp: { ...idp, outbox: sink.messages } }
  }

  test('A08: of hundreds of guesses at once no more than five are checked', async () => {
    const { idp } = await shared()
    const visitor = await atTheCode(idp, victim)
    const { code } = await mailTo(idp, victim)

    const replies = await parallel(crowd, (guess) => visitor.answers(wrongCode(code, guess + 1)))

    expect(replies.filter(wasJudged).length).toBeLessThanOrEqual(5)
    expect(replies.filter(isThrough)).toEqual([])
    expect(replies.filter(({ status }) => status >= 500)).toEqual([])
    const failures = (await idp.events()).filter(
      ({ eventType, outcome }) => eventType === 'user.authentication.verify' && outcome.result === 'FAILURE',
    )
    expect(failures.length).toBe(replies.filter(wasJudged).length)
  })

  test('A08: neither when four processes on one database share them', async () => {
    const { settings, idp } = await shared()
    const visitor = await atTheCode(idp, victim)
    const { code } = await mailTo(idp, victim)
    const nodes = await parallel(4, () => startEngineProcess(settings))
    close.push(...nodes.map((node) => node.kill))

    const send = async (node: (typeof nodes)[number], passcode: string): Promise<Answer> => {
      const response = await fetch(`${node.engineUrl}/idp/idx/challenge/answer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ stateHandle: visitor.stateHandle, credentials: { passcode } }),
      })
      return answerFrom(response)
    }
    const replies = await parallel(crowd, (guess) => {
      const node = nodes[guess % nodes.length]
      if (node === undefined) throw new Error('there are no nodes')
      return send(node, wrongCode(code, guess + 1))
    })

    expect(replies.filter(wasJudged).length).toBeLessThanOrEqual(5)
    expect(replies.filter(({ status }) => status >= 500)).toEqual([])
    const statuses = []
    for (let guess = 0; guess < 6; guess++) statuses.push((await visitor.answers(wrongCode(code))).status)
    expect(statuses.at(-1)).toBe(401)
    expect((await visitor.answers(code)).status).toBe(401)
  })

  test('A10: killing the engine between two guesses buys no further one', async () => {
    const { settings, idp } = await shared()
    const { stateHandle } = await atTheCode(idp, victim)
    const { code } = await mailTo(idp, victim)
    const first = await startEngineProcess(settings)
    const guess = async (node: { readonly engineUrl: string }, passcode: string | null | undefined) => {
      const response = await fetch(`${node.engineUrl}/idp/idx/challenge/answer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ stateHandle, credentials: { passcode } }),
      })
      return response.status
    }

    const before = [await guess(first, wrongCode(code)), await guess(first, wrongCode(code))]
    await first.kill()
    const second = await startEngineProcess(settings)
    close.push(second.kill)
    const after = []
    for (let step = 0; step < 3; step++) after.push(await guess(second, wrongCode(code)))

    expect([...before, ...after]).toEqual([401, 401, 401, 401, 429])
    expect(await guess(second, code)).toBe(401)
    const used = await idp.engine.storage.db
      .selectFrom('budgets')
      .select('used')
      .where('key', 'like', 'codes-%:person:%')
      .execute()
    expect(used.map((row) => row.used)).toEqual([5, 5])
  })
})
