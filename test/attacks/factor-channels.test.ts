import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { authenticatorId } from '../../src/flow/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { parsePrometheus } from '../journeys/prometheus.ts'
import { accountApi, accountVisitor, grantAccount, tokenIn } from '../support/account.ts'
import { parallel, scale, startTarget, visit } from '../support/attacks.ts'
import { onThisMachine } from '../support/machine.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests } from '../support/nodes.ts'
import { hasPhone, recoversByPhone } from '../wire/phone.ts'
import { changeRule } from '../wire/recovery-rules.ts'
import { codeAt, enrollmentPolicy, twoFactors } from '../wire/totp.ts'

// A45, A57 and A62 on the tables, texts and figures of the further authenticators.

let idp: Kit | undefined
afterEach(async () => {
  await idp?.close()
  idp = undefined
})

const plenty = {
  textsPerUser: 1e6,
  textsPerNumber: 1e6,
  textsPerRange: 1e6,
  textsPerCountry: 1e6,
  textsPerDay: 1e6,
} as const

describe('A45: what is begun and never finished', () => {
  const tables = [
    ...['factor_challenges', 'account_changes', 'enrollments', 'enrollment_skips', 'remembered_devices'],
    ...['outbox', 'transactions', 'interactions'],
  ] as const
  const sizeOf = async (kit: Kit) => {
    const rows: Record<string, number> = {}
    for (const table of tables) {
      const all = await kit.engine.storage.db
        .selectFrom(table as 'people')
        .selectAll()
        .execute()
      rows[table] = all.length
    }
    return rows
  }

  test('A45: enrolments of an administrator’s program leave a row each at most, and are gone after the maintenance', async () => {
    idp = await startTarget({ settings: { limits: plenty } })
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', phone_number: 'OPTIONAL', webauthn: 'OPTIONAL' })
    const api = apiOf(idp)
    const before = await sizeOf(idp)
    const times = scale(25, 2_000)
    const begins = async (factorType: string, provider: string, profile: object = {}) => {
      for (let time = 0; time < times; time++) {
        idp?.clock.advance(31_000)
        await api('POST', `/users/${idp?.person.login}/factors`, { factorType, provider, profile })
      }
    }
    await begins('token:software:totp', 'GOOGLE')
    await begins('webauthn', 'FIDO')
    await begins('sms', 'OKTA', { phoneNumber: '+12024561111' })
    const after = await sizeOf(idp)
    // An app and a phone replace the one before; of passkeys there may be several.
    expect((after.factor_challenges ?? 0) - (before.factor_challenges ?? 0)).toBeLessThanOrEqual(2 * times)
    expect(after.enrollments).toBe(before.enrollments)
    // A text that is still queued would end after the leap, and stay for a day from then.
    await idp.engine.delivery.idle()
    idp.clock.advance('91d')
    for (let minute = 0; minute < 3; minute++) await idp.engine.maintain()
    expect(await sizeOf(idp)).toMatchObject({ factor_challenges: 0, outbox: 0 })
  })

  test('A45: a user’s own changes and phones are ten at once, whatever is asked for, and are gone after the maintenance', async () => {
    idp = await startTarget({ settings: { limits: plenty } })
    await grantAccount(idp)
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(idp.person.login, idp.person.password)
    const own = accountApi(idp, await tokenIn(visitor))
    const statuses = new Set<number>()
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', webauthn: 'OPTIONAL' })
    const phones = new Set<number>()
    for (let index = 0; index < 30; index++) {
      const profile = { phoneNumber: `+1202456${1000 + index}` }
      phones.add((await own('POST', '/phones', { profile, sendCode: false })).status)
      await own('POST', '/webauthn/registration', {})
    }
    expect([...phones]).toEqual([201, 429])
    expect((await sizeOf(idp)).factor_challenges).toBe(11)
    for (let index = 0; index < 30; index++) {
      const email = { profile: { email: `new${index}@example.com` }, sendEmail: false }
      statuses.add((await own('POST', '/emails', email)).status)
    }
    expect((await sizeOf(idp)).account_changes).toBe(10)
    expect(statuses.has(429)).toBe(true)
    idp.clock.advance('91d')
    for (let minute = 0; minute < 3; minute++) await idp.engine.maintain()
    expect(await sizeOf(idp)).toMatchObject({ account_changes: 0, factor_challenges: 0 })
  })
})

test('A57: while one source fills the queue of texts, the codes of others arrive within five seconds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-texts-'))
  const database = `sqlite:${join(folder, 'rekey.db')}`
  const settings = {
    limits: {
      ...manyRequests,
      ...plenty,
      requests: { ...manyRequests.requests, textsPerSource: 1e9, textsPerClient: 1e9 },
    },
  }
  // Nothing leaves while the queue is filled.
  idp = await startEngine({
    database,
    clock: 'frozen',
    settings: { ...settings, mail: { deliver: false } },
  })
  await recoversByPhone(idp)
  const flood = scale(40, 1_000)
  const users = 20
  const begins = async (kit: Kit, index: number, address: string) => {
    const visitor = await visit(kit, { headers: { 'x-forwarded-for': address } })
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: `user${index}@example.com` })
    return visitor.selects('phone_number', { methodType: 'sms' })
  }
  for (let index = 0; index < users + 2; index++) {
    const login = `user${index}@example.com`
    await idp.people.add({ login, password: 'Tangerine-Kettle-42' })
    await hasPhone(idp, { login, to: `+1202456${String(1000 + index)}` })
  }
  for (let index = 0; index < flood; index++) await begins(idp, index % users, '203.0.113.7')
  for (const [at, index] of [users, users + 1].entries())
    expect((await begins(idp, index, `198.51.100.${at}`)).status).toBe(200)
  await idp.close()

  const begun = performance.now()
  idp = await startEngine({ database, clock: 'frozen', settings })
  for (const index of [users, users + 1]) {
    const to = `+1202456${String(1000 + index)}`
    expect((await idp.outbox.waitFor({ to, channel: 'sms', timeoutMs: 60_000 })).code).toMatch(/^\d{6}$/)
  }
  expect(performance.now() - begun).toBeLessThan(onThisMachine(5000))
  // Not because all of them were sent: they stand among the first.
  await idp.engine.delivery.idle()
  const texts = idp.outbox.all().toReversed()
  const sent = texts.filter(({ channel }) => channel === 'sms').map(({ to }) => to)
  expect(sent.length).toBeGreaterThan(flood / 2)
  for (const index of [users, users + 1])
    expect(sent.indexOf(`+1202456${String(1000 + index)}`)).toBeLessThan(flood / 2)
  await idp.close()
  idp = undefined
  rmSync(folder, { recursive: true })
})

describe('A62: the operator’s channel', () => {
  /** Of one length, so that log lines are alike. */
  const names = { whole: 'whole@example.com', plain: 'plain@example.com', none: 'nouse@example.com' } as const

  const isOfMachine = (name: string): boolean =>
    /^process_|^rekey_event_loop|^rekey_http_connections$|_(sum|bucket)$|clock|age|bytes/.test(name)
  async function figures(kit: Kit): Promise<Record<string, number>> {
    const text = await (await fetch(`${kit.engineUrl}/metrics`)).text()
    return Object.fromEntries(
      [...parsePrometheus(text).values()]
        .flatMap(({ samples }) => samples)
        .filter(({ name }) => !isOfMachine(name))
        .map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]),
    )
  }
  const masked = (line: string, name: string): string =>
    line
      .replace(/"(time|ms|trace_id|span_id)":("[^"]*"|\d+)/g, '"$1":0')
      .replace(/"(requestId|errorId|transactionId)":"(req|oae|trs)\w{17}"/g, '"$1":"…"')
      .replace(/\n\s+at .*?(?=")/gs, '')
      .replaceAll(name, 'the name')

  /** What a stranger may do with a name, by each way that is offered before a proof, past the end of every budget. */
  async function walk(kit: Kit, name: string): Promise<void> {
    for (const begin of ['recover', 'unlock-account']) {
      for (const methodType of ['sms', 'voice']) {
        for (let time = 0; time < 4; time++) {
          const visitor = await visit(kit)
          await visitor.submits(begin)
          if (begin === 'recover') {
            await visitor.submits('identify', { identifier: name })
            await visitor.selects('phone_number', { methodType })
          } else {
            const authenticator = { id: authenticatorId('phone_number'), methodType }
            await visitor.submits('challenge', { identifier: name, authenticator })
          }
          for (let guess = 0; guess < 6; guess++) await visitor.answers('000000x')
          await visitor.submits('challenge/resend')
          await kit.engine.delivery.idle()
        }
      }
    }
    for (let time = 0; time < 3; time++) {
      const visitor = await visit(kit)
      await visitor.submits('identify', { identifier: name, credentials: { passcode: `wrong ${time}` } })
    }
    await kit.engine.delivery.idle()
  }

  async function observe(name: string) {
    const lines: string[] = []
    const log = createLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } })
    idp = await startTarget({ log, settings: { policies: { password: { recovery: { unlock: true } } } } })
    await recoversByPhone(idp)
    await changeRule(idp, (actions) => ({
      ...actions,
      selfServiceUnlock: {
        access: 'ALLOW',
        requirement: { primary: { methods: ['email', 'sms', 'voice'] } },
      },
    }))
    const keys = ['phone_number', 'google_otp', 'security_question', 'recovery_codes', 'webauthn']
    await enrollmentPolicy(idp, Object.fromEntries(keys.map((key) => [key, 'OPTIONAL'])))
    for (const login of [names.whole, names.plain])
      await idp.people.add({ login, password: 'Tangerine-Kettle-42' })
    await hasPhone(idp, { login: names.whole })
    await idp.factors.enroll(names.whole, { security_question: { answer: 'Xylophone' } })
    for (const key of ['google_otp', 'recovery_codes', 'webauthn'] as const)
      await idp.factors.enroll(names.whole, key)
    await idp.engine.delivery.idle()
    const before = await figures(idp)
    lines.splice(0)
    await walk(idp, name)
    const after = await figures(idp)
    const moved = Object.entries(after).flatMap(([figure, value]) => {
      const by = value - (before[figure] ?? 0)
      return by === 0 ? [] : [[figure, by] as const]
    })
    const seen = { moved, lines: lines.map((line) => masked(line, name)) }
    await idp.close()
    idp = undefined
    return seen
  }

  test('A62: every figure and line is the same for a user with every factor, for one with none, and for an unknown one', async () => {
    const whole = await observe(names.whole)
    // It is no comparison of nothing.
    expect(whole.moved.some(([name]) => name.includes('text') || name.includes('sms'))).toBe(true)
    expect(whole.lines.length).toBeGreaterThan(50)
    for (const name of [names.plain, names.none]) {
      const other = await observe(name)
      expect([name, other.moved]).toEqual([name, whole.moved])
      expect([name, other.lines]).toEqual([name, whole.lines])
    }
  })
})

describe('A12: ten right answers at once', () => {
  // An answer to a question, and a passkey that counts nothing, are good each time: in a transaction of their own.
  test.each(['phone_number', 'google_otp', 'recovery_codes'] as const)(
    'A12: of ten at once to one transaction one counts (%s)',
    async (key) => {
      idp = await startTarget({ settings: { limits: plenty } })
      const kit = idp
      const login = kit.person.login
      await enrollmentPolicy(kit, { [key]: 'OPTIONAL' })
      const own = {
        phone_number: { phone_number: { phoneNumber: '+12024561111' } },
        google_otp: 'google_otp',
        recovery_codes: 'recovery_codes',
      } as const
      const enrolled = await kit.factors.enroll(login, own[key])
      await twoFactors(kit)
      const visitor = await visit(kit)
      await visitor.signsIn(login, kit.person.password)
      if (key === 'phone_number') await visitor.selects(key, { methodType: 'sms' })
      else if (!visitor.remediations.includes('challenge-authenticator')) await visitor.selects(key)
      const code = async () => {
        if (key === 'google_otp') return codeAt(enrolled.sharedSecret ?? '', kit.clock.now())
        if (key === 'recovery_codes') return enrolled.codes?.[0] ?? ''
        return (await kit.outbox.waitFor({ to: '+12024561111', channel: 'sms' })).code ?? ''
      }
      const right = await code()
      const proofs = async () =>
        (await kit.events()).filter(
          ({ eventType, outcome }) =>
            eventType === 'user.authentication.verify' && outcome.result === 'SUCCESS',
        ).length
      const before = await proofs()
      const answers = await parallel(10, () => visitor.answers(right))
      expect((await proofs()) - before).toBe(1)
      expect(answers.filter(({ status }) => status >= 500)).toEqual([])
      // The others see what the one has made of the transaction: no code of their own.
      const codes = answers.flatMap(({ interactionCode }) => interactionCode ?? [])
      expect(new Set(codes).size).toBeLessThanOrEqual(1)
    },
  )
})
