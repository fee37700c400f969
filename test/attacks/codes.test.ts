import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Answer, Kit } from '../../src/testing/index.ts'
import {
  atTheCode,
  atTheReset,
  mailTo,
  manyMails,
  newPassword,
  parallel,
  scale,
  startTarget,
  visit,
  wrongCode,
} from '../support/attacks.ts'
import { onEachDatabase } from '../support/postgres.ts'

const mary = 'mary@example.com'
const nina = 'nina@example.com'
const isThrough = ({ remediations }: Answer): boolean => remediations[0] === 'reset-authenticator'
const isWrong = ({ messages }: Answer): boolean => messages.includes('api.authn.error.PASSCODE_INVALID')

onEachDatabase('two hundred right answers at once', (database) => {
  test('A12: one code proves the mailbox once, sets one password, and is redeemed for one set of tokens', async () => {
    const { url, drop } = await database.create()
    const idp = await startTarget({ database: url, settings: { limits: manyMails } })
    const rounds = database.name === 'sqlite' ? scale(5, 1000) : scale(2, 100)
    const crowd = database.name === 'sqlite' ? scale(100, 200) : scale(60, 200)

    for (let round = 0; round < rounds; round++) {
      const visitor = await atTheCode(idp, mary)
      const { code } = await mailTo(idp, mary)
      const proofs = await parallel(crowd, () => visitor.answers(code))
      expect(proofs.filter(({ status }) => status >= 500)).toEqual([])

      // Each brings a password of its own, so that a second winner would show.
      const resets = await parallel(Math.min(crowd, scale(40, 200)), (index) =>
        visitor.answers(`Lighthouse ${round} Biscuit ${index}`),
      )
      const winners = resets.flatMap(({ interactionCode }, index) =>
        interactionCode === undefined ? [] : [index],
      )
      expect(winners).toHaveLength(1)
      expect(resets.filter(({ status }) => status >= 500)).toEqual([])

      const granted = resets[winners[0] ?? 0]?.interactionCode ?? ''
      const tokens = await parallel(10, () => visitor.redeems(granted))
      expect(tokens.filter(({ status }) => status === 200)).toHaveLength(1)

      const events = await idp.engine.storage.db.selectFrom('events').select(['type', 'outcome']).execute()
      const count = (type: string, outcome: string) =>
        events.filter((event) => event.type === type && event.outcome === outcome).length
      expect(count('user.authentication.verify', 'SUCCESS')).toBe(round + 1)
      expect(count('user.authentication.verify', 'FAILURE')).toBe(0)
      expect(count('user.account.reset_password', 'SUCCESS')).toBe(round + 1)
      expect(count('user.session.start', 'SUCCESS')).toBe(round + 1)
    }
    await idp.close()
    await drop()
  })
})

describe('codes and links', () => {
  let idp: Kit
  beforeEach(async () => {
    idp = await startTarget()
    await idp.people.add({ login: nina, password: 'Marmalade-Harbour-31' })
  })
  afterEach(() => idp.close())

  const failures = async () =>
    (await idp.events()).filter(
      ({ eventType, outcome }) => eventType === 'user.authentication.verify' && outcome.result === 'FAILURE',
    )
  const opened = async (link: string | undefined | null): Promise<string | undefined> => {
    const { headers } = await fetch(link ?? '', { redirect: 'manual' })
    return headers.get('location') ?? undefined
  }

  test('A13: a code of one transaction is wrong in another, counted and logged', async () => {
    const first = await atTheCode(idp, mary)
    const { code } = await mailTo(idp, mary)
    const second = await atTheCode(idp, mary)

    const refused = await second.answers(code)
    expect([refused.status, isWrong(refused)]).toEqual([401, true])
    expect(await failures()).toHaveLength(1)
    for (let guess = 0; guess < 3; guess++) await second.answers(code)
    expect((await second.answers(code)).status).toBe(429)
    // In its own transaction it is still the right one.
    expect(isThrough(await first.answers(code))).toBe(true)
  })

  test("A13: one user's code is worth nothing in another's transaction", async () => {
    await atTheCode(idp, mary)
    const { code, link } = await mailTo(idp, mary)
    const eve = await atTheCode(idp, nina)

    expect(isWrong(await eve.answers(code))).toBe(true)
    expect(await failures()).toMatchObject([{ actor: { alternateId: nina } }])
    // The link is bound to the transaction and the client that it was made for.
    const url = new URL(link ?? '')
    const token = url.searchParams.get('token') ?? ''
    const hers = new URL((await mailTo(idp, nina)).link ?? '')
    const spliced = (hers.searchParams.get('token') ?? '').slice(0, 19) + token.slice(19)
    for (const forged of [
      `${idp.engineUrl}/email/verify/${idp.publicClientId}?token=${token}`,
      `${idp.engineUrl}/email/verify/${idp.clientId}?token=${spliced}`,
      `${idp.engineUrl}/email/verify/${idp.clientId}?token=${token.slice(0, -1)}`,
      `${idp.engineUrl}/email/verify/${idp.clientId}?token=${token}0`,
    ]) {
      expect(await opened(forged), forged).toBeUndefined()
    }
    expect(await opened(link)).toContain(code)
  })

  test('A14: another mail ends the code and the link before it', async () => {
    const visitor = await atTheCode(idp, mary)
    const old = await mailTo(idp, mary)
    await visitor.submits('challenge/resend')
    const present = await mailTo(idp, mary)

    expect(await opened(old.link)).toBeUndefined()
    if (old.code !== present.code) expect(isWrong(await visitor.answers(old.code))).toBe(true)
    expect(await opened(present.link)).toContain(present.code)
    expect(isThrough(await visitor.answers(present.code))).toBe(true)
    // Spent with its use.
    expect(await opened(present.link)).toBeUndefined()
  })

  test('A14: a reset ends every code, link and open reset of the account, and what was granted before', async () => {
    const signedIn = await visit(idp)
    const granted = await signedIn.submits('identify', {
      identifier: mary,
      credentials: { passcode: idp.person.password },
    })
    const waiting = await atTheCode(idp, mary)
    const old = await mailTo(idp, mary)
    const proven = await atTheReset(idp, mary)
    const signingIn = await visit(idp)

    const owner = await atTheReset(idp, mary)
    expect((await owner.answers(newPassword)).interactionCode).toBeDefined()

    expect((await waiting.answers(old.code)).status).toBe(401)
    expect(await opened(old.link)).toBeUndefined()
    expect((await proven.answers('Thief-Chosen-Password-1')).status).toBe(401)
    expect((await owner.submits('introspect')).status).toBe(401)
    expect((await signedIn.redeems(granted.interactionCode ?? '')).status).toBe(400)
    const thief = await signingIn.submits('identify', {
      identifier: mary,
      credentials: { passcode: idp.person.password },
    })
    expect(thief.messages).toEqual(['errors.E0000004'])
  })

  test.each([
    [299_999, true],
    [300_000, false],
    [300_001, false],
  ])('A15: after %i ms of five minutes the code and the link work: %s', async (ms, works) => {
    const visitor = await atTheCode(idp, mary)
    const { code, link } = await mailTo(idp, mary)
    idp.clock.advance(ms)

    expect((await opened(link)) !== undefined).toBe(works)
    const answered = await visitor.answers(code)
    expect(isThrough(answered)).toBe(works)
    // Nothing tells an expired code from a wrong one.
    if (!works) expect(answered.messages).toEqual((await visitor.answers(wrongCode(code))).messages)
  })

  test.each([
    [1_799_999, true],
    [1_800_000, false],
  ])('A15: after %i ms of half an hour the transaction is open: %s', async (ms, open) => {
    const visitor = await atTheReset(idp, mary)
    idp.clock.advance(ms)
    expect((await visitor.answers(newPassword)).interactionCode !== undefined).toBe(open)
  })

  test.each([
    [59_999, 200],
    [60_000, 400],
  ])('A15: after %i ms of a minute the interaction code is answered with %i', async (ms, status) => {
    const visitor = await atTheReset(idp, mary)
    const code = (await visitor.answers(newPassword)).interactionCode ?? ''
    idp.clock.advance(ms)
    expect((await visitor.redeems(code)).status).toBe(status)
  })
})
