import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { type AccountApi, accountApi, accountVisitor, grantAccount, tokenIn } from '../support/account.ts'
import { mailTo, startTarget, visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { codeAt, enrollmentPolicy, twoFactors } from '../wire/totp.ts'

const victim = 'mary@example.com'
const password = 'Tangerine-Kettle-42'
const number = '+12024561111'
const other = '+12024561414'
const answer = 'Xylophone'

/** Everything of a user's factors that is stored somewhere, and what of it must be found nowhere. */
async function everyFactor(idp: Kit) {
  await grantAccount(idp)
  const keys = ['phone_number', 'google_otp', 'security_question', 'recovery_codes', 'webauthn']
  await enrollmentPolicy(idp, Object.fromEntries(keys.map((key) => [key, 'OPTIONAL'])))
  await idp.factors.enroll(victim, { phone_number: { phoneNumber: number } })
  await idp.factors.enroll(victim, { security_question: { answer } })
  const app = await idp.factors.enroll(victim, 'google_otp')
  const { codes = [] } = await idp.factors.enroll(victim, 'recovery_codes')
  const passkey = await idp.factors.enroll(victim, 'webauthn')
  // By the password alone: what is taken away so waits.
  const weak = accountVisitor(idp)
  await weak.begins()
  await weak.signsIn(victim, password)
  if (weak.remediations.includes('skip')) await weak.submits('skip')
  const weakApi = accountApi(idp, await tokenIn(weak))
  await twoFactors(idp)
  const visitor = accountVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(victim, password)
  await visitor.selects('google_otp')
  await visitor.answers(codeAt(app.sharedSecret ?? '', idp.clock.now()))
  if (visitor.remediations.includes('skip')) await visitor.submits('skip')
  const token = await tokenIn(visitor)
  const api: AccountApi = accountApi(idp, token)
  /** A call whose body is sent as it stands. */
  const raw = (path: string, body: string) =>
    fetch(`${idp.engineUrl}/idp/myaccount${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json; okta-version=1.0.0',
        'content-type': 'application/json',
      },
      body,
    })
  // A phone and an address that wait for their codes, and a removal that waits for its time.
  await api('POST', '/phones', { profile: { phoneNumber: other }, sendCode: true })
  const phoneCode = (await idp.outbox.waitFor({ to: other, channel: 'sms' })).code ?? ''
  await api('POST', '/emails', { profile: { email: 'new@example.com' } })
  const { text } = await mailTo(idp, 'new@example.com', ['PendingEmailChange'])
  const emailCode = /\b\d{6}\b/.exec(text)?.[0] ?? ''
  const { list } = await api('GET', '/authenticators?expand=enrollments')
  const question = list.find(({ key }) => key === 'security_question')
  const at = `/authenticators/${question.id}/enrollments/${question._embedded.enrollments[0].id}?wait=true`
  expect((await weakApi('DELETE', at)).status).toBe(202)
  const stop = (await mailTo(idp, victim, ['AccountChangeWaiting'])).text
  const stopToken = /\/account\/stop\/(\w{43})/.exec(stop)?.[1] ?? ''
  // A text of a sign-in.
  const second = await visit(idp)
  await second.signsIn(victim, password)
  await second.selects('phone_number', { methodType: 'sms' })
  const textCode = (await idp.outbox.waitFor({ to: number, channel: 'sms' })).code ?? ''
  const secrets = [
    app.sharedSecret ?? '',
    ...codes.flatMap((code) => [code, code.replaceAll('-', '')]),
    answer,
    answer.toLowerCase(),
    stopToken,
    passkey.credential?.privateKey ?? '',
  ]
  expect(secrets.every((text) => text.length > 6)).toBe(true)
  return { api, raw, secrets, digits: [phoneCode, emailCode, textCode] }
}

onEachDatabase('somebody with a dump of the database', (database) => {
  let idp: Kit
  beforeAll(async () => {
    const { url } = await database.create()
    idp = await startTarget({ database: url })
  })
  afterAll(() => idp.close())

  test('A43: no table of factors, of what waits, or of texts holds a secret, a code, or a number in the log', async () => {
    const { secrets, digits } = await everyFactor(idp)
    const { db } = idp.engine.storage
    const tables = (await db.introspection.getTables()).map(({ name }) => name)
    for (const name of ['enrollments', 'factor_challenges', 'account_changes', 'outbox'])
      expect(tables).toContain(name)
    let dump = ''
    for (const table of tables) {
      const rows = await db
        .selectFrom(table as 'people')
        .selectAll()
        .execute()
      dump += `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`
    }
    for (const secret of secrets) expect([secret, dump.includes(secret)]).toEqual([secret, false])
    const ids = [...new Set(dump.match(/\b[a-z]{3}[A-Za-z0-9]{17}\b/g))]
    expect(ids.length).toBeGreaterThan(10)
    for (const code of digits) {
      expect(code).toMatch(/^\d{6}$/)
      expect(new RegExp(`(?<![\\w.])${code}(?![\\w.])`).test(dump)).toBe(false)
      // Whatever it was hashed with is no id that stands beside it: without the key no code is found.
      for (const prefix of ['', ...ids.flatMap((id) => [id, `${id}:`])]) {
        const digest = createHash('sha256').update(`${prefix}${code}`).digest()
        for (const form of ['hex', 'base64', 'base64url'] as const)
          expect(dump.includes(digest.toString(form))).toBe(false)
      }
    }
    const events = JSON.stringify(await db.selectFrom('events').selectAll().execute())
    for (const digitsOf of [number, other]) expect(events).not.toContain(digitsOf.slice(1))
  })
})

describe('the doors of a user’s own methods', () => {
  let idp: Kit
  let made: Awaited<ReturnType<typeof everyFactor>>
  beforeAll(async () => {
    idp = await startTarget()
    made = await everyFactor(idp)
  })
  afterAll(() => idp.close())

  test('A47: JSON that two readers read differently adds no phone, no address and no factor', async () => {
    const before = JSON.stringify((await made.api('GET', '/phones')).list)
    const twice = `"profile":{"phoneNumber":"+12024561515","phoneNumber":"${number}"}`
    const bodies = [
      `{${twice}}`,
      `{"profile":{"phoneNumber":"+12024561515"},"pr\\u006ffile":{"phoneNumber":"+12024561616"}}`,
      `\ufeff{"profile":{"phoneNumber":"+12024561515"}}`,
      `{"__proto__":{"x":1},"profile":{"phoneNumber":"+12024561515"}}`,
      `{"profile":{"phoneNumber":"+12024561515"},"x":${'['.repeat(11)}${']'.repeat(11)}}`,
      `{"profile":{"phoneNumber":"+12024561515"}}{}`,
      `{"profile":{"phoneNumber":"+12024561515"},}`,
    ]
    const user = String((await apiOf(idp)('GET', `/users/${victim}`)).body.id)
    for (const body of bodies) {
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json; okta-version=1.0.0',
        authorization: `SSWS ${idp.apiToken}`,
      }
      const managed = body.replace(/^(\ufeff?)\{/, '$1{"factorType":"sms","provider":"OKTA",')
      const refused = await fetch(`${idp.engineUrl}/api/v1/users/${user}/factors`, {
        method: 'POST',
        headers,
        body: managed,
      })
      expect([body, refused.status]).toEqual([body, 400])
      const own = await made.raw('/phones', body)
      expect([body, own.status]).toEqual([body, 400])
    }
    expect(JSON.stringify((await made.api('GET', '/phones')).list)).toBe(before)
  })

  test('A48: the page that stops a change cannot be framed, whatever its link', async () => {
    const stop = (await mailTo(idp, victim, ['AccountChangeWaiting'])).text
    const link = /http\S+\/account\/stop\/\w{43}/.exec(stop)?.[0] ?? ''
    for (const address of [link, `${idp.engineUrl}/account/stop/${'x'.repeat(43)}`]) {
      const { headers } = await fetch(address)
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('x-frame-options')).toBe('DENY')
    }
  })
})

onEachDatabase('factors under a clock that is set back', (database) => {
  let idp: Kit
  beforeAll(async () => {
    const { url } = await database.create()
    idp = await startTarget({ database: url, clock: 'frozen' })
  })
  afterAll(() => idp.close())

  test('A44: no code of an app that was used is good again, nor is one from before it', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const { sharedSecret = '' } = await idp.factors.enroll(victim, 'google_otp')
    await twoFactors(idp)
    const answers = async (code: string) => {
      const visitor = await visit(idp)
      await visitor.signsIn(victim, password)
      await visitor.selects('google_otp')
      return visitor.answers(code)
    }
    idp.clock.advance(3_600_000)
    const used = codeAt(sharedSecret, idp.clock.now())
    expect((await answers(used)).interactionCode).toBeDefined()
    // The clock of a kit goes back as no clock of an engine does: what was used stands in the database.
    idp.clock.advance(-1_000)
    expect((await answers(used)).status).toBe(401)
    idp.clock.advance(-3_000_000)
    expect((await answers(codeAt(sharedSecret, idp.clock.now()))).status).toBe(401)
  })
})
