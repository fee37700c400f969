import { afterEach, expect, test } from 'vitest'
import { silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig } from '../../src/config/index.ts'
import { startSmtpSink } from '../../src/devtools/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { newVisitor } from '../../src/testing/index.ts'
import { accountApi, accountVisitor, grantAccount, tokenIn } from '../support/account.ts'
import { mailTo } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { nodeSettings } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { codeMail, fillsIn } from '../support/sign-up.ts'
import { codeAt, enrollmentPolicy, secretIn } from '../wire/totp.ts'

const victim = 'mary@example.com'
const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const apiToken = '00-token-of-the-api-that-only-these-tests-know'
const password = 'Tangerine-Kettle-42'
const hour = 3_600_000

let close: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const work of close.reverse()) await work()
  close = []
})

onEachDatabase('a host whose clock is set back, and a restart', (database) => {
  async function world() {
    const { url, drop } = await database.create()
    const sink = await startSmtpSink()
    close.push(drop, sink.close)
    return async (startAt?: number, secrets?: string[]) => {
      const clock = new VirtualClock({ frozen: true, ...(startAt !== undefined && { startAt }) })
      const settings = nodeSettings(sink.url, {
        database: { url },
        signUp: { open: true },
        management: { apiToken },
        ...(secrets && { secrets }),
      })
      const engine = await openEngine(checkConfig(settings), { clock, log: silentLogger, tokens: 'virtual' })
      return {
        clock,
        engine,
        apiToken,
        outbox: sink.messages,
        issuer: engine.issuers.default,
        engineUrl: engine.baseUrl,
        clientId: 'rekey-web',
        clientSecret: 'rekey-web-secret-for-tests-only',
        redirectUri: 'http://localhost:8080/login/callback',
      }
    }
  }

  test('A44: no code of a sign-up, of an app or of a new address, and no activation comes back to life', async () => {
    const start = await world()
    const before = await start()
    const api = apiOf(before)
    await grantAccount(before)
    await enrollmentPolicy(before, { google_otp: 'REQUIRED' })
    const made = await api('POST', '/users?activate=false', {
      profile: { ...nina, login: 'ada', email: 'ada@example.com' },
    })
    const { body } = await api('POST', `/users/${made.body.id}/lifecycle/activate?sendEmail=false`)
    const activation_token = String(body.activationToken)

    const user = accountVisitor(before)
    await user.begins()
    await user.signsIn(victim, password)
    const secret = secretIn(await user.enrolls('google_otp'))
    const used = codeAt(secret, before.engine.clock.now())
    await user.answers(used)
    const token = await tokenIn(user)
    const account = accountApi(before, token)
    const added = await account('POST', '/emails', { profile: { email: 'new@example.com' } })
    const { verify } = added.body._links as { verify: { href: string } }
    const { text } = await mailTo(before, 'new@example.com', ['PendingEmailChange'])
    const verificationCode = /\b\d{6}\b/.exec(text)?.[0] ?? ''
    const waiting = await fillsIn(newVisitor(before), nina)
    const { code } = await mailTo(before, nina.email, [codeMail])

    before.clock.advance(8 * 24 * hour)
    const shown = before.engine.clock.now()
    await before.engine.maintain()
    await before.engine.close()
    const after = await start(shown - 8 * 24 * hour)
    close.push(() => after.engine.close())
    expect(after.engine.clock.now()).toBeGreaterThanOrEqual(shown)

    const answer = await fetch(`${after.engineUrl}/idp/idx/challenge/answer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stateHandle: waiting.stateHandle, credentials: { passcode: code } }),
    })
    expect(answer.status).toBe(401)
    expect((await apiOf(after)('GET', `/users/${nina.email}`)).status).toBe(404)
    const holder = newVisitor(after, { parameters: { activation_token } })
    expect((await holder.interacts()).status).toBe(400)
    const { pathname } = new URL(verify.href, before.engineUrl)
    const late = await accountApi(after, token)('POST', `${after.engineUrl}${pathname}`, { verificationCode })
    expect(late.status).toBeGreaterThanOrEqual(400)
    // The code that was used is used; one of the present is good.
    const again = newVisitor(after)
    await again.signsIn(victim, password)
    if (again.remediations.includes('select-authenticator-authenticate')) await again.selects('google_otp')
    expect((await again.answers(used)).interactionCode).toBeUndefined()
    // Another sign-up is not hindered.
    const next = await fillsIn(newVisitor(after), nina)
    await next.answers((await mailTo(after, nina.email, [codeMail])).code)
    expect(next.remediations).toEqual(['select-authenticator-enroll'])
  })

  test('A15: a restart with another secret in the middle of a sign-up loses nothing and opens nothing', async () => {
    const first = 'only for tests: everybody knows this secret'
    const start = await world()
    const before = await start()
    const visitor = await fillsIn(newVisitor(before), nina)
    const { code } = await mailTo(before, nina.email, [codeMail])
    const now = before.engine.clock.now()
    await before.engine.close()
    const after = await start(now, ['the next secret of this engine, which is new', first])
    close.push(() => after.engine.close())
    const post = async (path: string, body: object) => {
      const response = await fetch(`${after.engineUrl}/idp/idx/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ stateHandle: visitor.stateHandle, ...body }),
      })
      return { status: response.status, text: await response.text() }
    }
    const wrong = code === '000000' ? '000001' : '000000'
    expect((await post('challenge/answer', { credentials: { passcode: wrong } })).status).toBe(401)
    expect((await post('challenge/answer', { credentials: { passcode: code } })).status).toBe(200)
    expect((await apiOf(after)('GET', `/users/${nina.email}`)).body).toMatchObject({
      status: 'PROVISIONED',
      profile: nina,
    })
  })
})
