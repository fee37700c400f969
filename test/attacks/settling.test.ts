import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Kit, Visitor } from '../../src/testing/index.ts'
import { type AccountApi, accountApi, accountVisitor, grantAccount, tokenIn } from '../support/account.ts'
import { atTheCode, mailTo, startTarget, visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { enrollmentPolicy, twoFactors } from '../wire/totp.ts'

const victim = 'mary@example.com'
const password = 'Tangerine-Kettle-42'
const day = 86_400_000
const number = '+12024561111'
const other = '+12024561414'

// What a thief at an open browser adds to an account without a factor: it begins nothing before the owner could stop it.
onEachDatabase('what was added a moment ago', (database) => {
  let idp: Kit
  beforeAll(async () => {
    const { url } = await database.create()
    idp = await startTarget({ database: url })
  })
  beforeEach(async () => {
    await idp.reset()
    await grantAccount(idp)
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', recovery_codes: 'OPTIONAL' })
    // A recovery may begin by phone, or by mail.
    const api = apiOf(idp)
    const { list: policies } = await api('GET', '/policies?type=PASSWORD')
    const { list: rules } = await api('GET', `/policies/${policies[0]?.id}/rules`)
    const rule = rules[0] as { readonly id: string; readonly actions: object }
    const requirement = { primary: { methods: ['email', 'sms'] }, stepUp: { required: false } }
    const reset = { access: 'ALLOW', type: 'selfServicePasswordReset', requirement }
    const { status, text } = await api('PUT', `/policies/${policies[0]?.id}/rules/${rule.id}`, {
      ...rule,
      actions: { ...rule.actions, selfServicePasswordReset: reset },
    })
    if (status !== 200) throw new Error(text)
  })
  afterAll(() => idp.close())

  /** A sign-in by the password and then, where it is asked for, an answer; what may be put off is. */
  async function signsIn(answers?: (visitor: Visitor) => Promise<void>) {
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(victim, password)
    await answers?.(visitor)
    if (visitor.remediations.includes('skip')) await visitor.submits('skip')
    return accountApi(idp, await tokenIn(visitor))
  }

  /** Adds a phone over the user's own account; answers the status that confirming it was answered with. */
  async function adds(api: AccountApi, phoneNumber: string): Promise<string> {
    const added = await api('POST', '/phones', { profile: { phoneNumber }, sendCode: true, method: 'SMS' })
    expect([added.status, added.text]).toEqual([201, added.text])
    const { code } = await idp.outbox.waitFor({ to: phoneNumber, channel: 'sms' })
    const confirmed = await api('POST', `/phones/${added.body.id}/verify`, { verificationCode: code })
    expect([confirmed.status, confirmed.text]).toEqual([204, ''])
    return String(added.body.id)
  }

  /** Begins a recovery by text; answers what reached the number. */
  async function recoversBy(phoneNumber: string) {
    idp.outbox.clear()
    idp.clock.advance(60_000)
    const visitor = await visit(idp)
    await visitor.recovers(victim)
    await visitor.selects('phone_number', { methodType: 'sms' })
    await idp.engine.delivery.idle()
    return { visitor, text: idp.outbox.latest({ to: phoneNumber, channel: 'sms' }) }
  }

  const byPhone = () =>
    signsIn(async (visitor) => {
      idp.clock.advance(60_000)
      idp.outbox.clear()
      await visitor.selects('phone_number', { methodType: 'sms' })
      const { code } = await idp.outbox.waitFor({ to: number, channel: 'sms' })
      await visitor.answers(code)
    })

  test('A77: a phone of a user without an older factor begins no recovery for a day, and nothing shows it', async () => {
    const before = await recoversBy(number)
    await adds(await signsIn(), number)
    const { visitor, text } = await recoversBy(number)
    expect(text).toBeUndefined()
    // As without a phone, and as for a name that no user has.
    expect(visitor.response.body).toMatchObject({ version: '1.0.0' })
    expect(visitor.remediations).toEqual(before.visitor.remediations)
    const guess = await visitor.answers('000000')
    expect(guess.messages).toEqual((await before.visitor.answers('000000')).messages)
    // The mailbox begins it all the same.
    const byMail = await atTheCode(idp, victim)
    expect((await mailTo(idp, victim)).code).toBeDefined()
    expect(byMail.remediations).toContain('challenge-authenticator')

    idp.clock.advance(day)
    const later = await recoversBy(number)
    await later.visitor.answers(later.text?.code ?? '')
    expect(later.visitor.remediations).toContain('reset-authenticator')
  })

  test('A77: enrolled at a sign-in it waits as well', async () => {
    const visitor = await visit(idp)
    await visitor.signsIn(victim, password)
    await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: number })
    const { code } = await idp.outbox.waitFor({ to: number, channel: 'sms' })
    await visitor.answers(code)
    await visitor.submits('skip')
    expect(visitor.response.interactionCode).toBeDefined()
    expect((await recoversBy(number)).text).toBeUndefined()
    idp.clock.advance(day)
    expect((await recoversBy(number)).text).toBeDefined()
  })

  test('A77: a proof by what waits itself makes nothing count at once: neither a second phone nor an address', async () => {
    await adds(await signsIn(), number)
    await twoFactors(idp)
    const api = await byPhone()
    const second = await adds(api, other)
    expect((await recoversBy(other)).text).toBeUndefined()
    const added = await api('POST', '/emails', { profile: { email: 'eve@evil.example' }, role: 'SECONDARY' })
    const { verify } = added.body._links as { verify: { href: string } }
    const { text } = await mailTo(idp, 'eve@evil.example', ['PendingEmailChange'])
    const code = /\b\d{6}\b/.exec(text)?.[0] ?? ''
    expect((await api('POST', verify.href, { verificationCode: code })).status).toBe(202)
    // What waits itself is removed at once: a number that was mistyped need not stay for a day.
    expect((await api('DELETE', `/phones/${second}`)).status).toBe(204)
  })

  test('A77: behind a proof of an older factor it counts at once, and so does what an administrator adds', async () => {
    await idp.factors.enroll(victim, { phone_number: { phoneNumber: number } })
    expect((await recoversBy(number)).text).toBeDefined()
    await twoFactors(idp)
    const api = await byPhone()
    await adds(api, other)
    const { list } = await api('GET', '/phones')
    const former = list.find(({ profile }) => profile.phoneNumber === number)
    expect((await api('DELETE', `/phones/${former.id}`)).status).toBe(204)
    // To name what is left changes nothing that anyone signs in with: no notice.
    const { list: all } = await api('GET', '/authenticators?expand=enrollments')
    const phones = all.find(({ key }) => key === 'phone_number')
    const [left] = phones._embedded.enrollments
    await idp.engine.delivery.idle()
    idp.outbox.clear()
    const named = await api('PATCH', `/authenticators/${phones.id}/enrollments/${left.id}`, {
      nickname: 'Work',
    })
    expect([named.status, named.body.nickname]).toEqual([200, 'Work'])
    await idp.engine.delivery.idle()
    expect(idp.outbox.all()).toEqual([])
    expect((await recoversBy(other)).text).toBeDefined()
  })

  test('A69: a sign-in by the last recovery code was by one of the user’s own factors', async () => {
    const { codes = [] } = await idp.factors.enroll(victim, 'recovery_codes')
    await twoFactors(idp)
    const byCode = (code: string) =>
      signsIn(async (visitor) => {
        await visitor.selects('recovery_codes')
        await visitor.answers(code)
        // The new set is offered, and put off each time.
        expect(visitor.remediations).toContain('skip')
      })
    for (const code of codes.slice(0, -1)) await byCode(code)
    const api = await byCode(codes.at(-1) ?? '')
    await adds(api, number)
    expect((await recoversBy(number)).text).toBeDefined()
    // With none left it is no factor any more: the next sign-in does not ask for it.
    const next = await visit(idp)
    await next.signsIn(victim, password)
    expect(JSON.stringify(next.response.body)).not.toContain('recovery_code"')
  })
})
