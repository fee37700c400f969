import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { findEnrollments, findPerson } from '../../src/directory/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { parallel, startTarget, visit } from '../support/attacks.ts'
import { managedPhone, type Sent } from '../support/managed-factors.ts'
import { type Answered, type Api, apiOf, tokenOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { codeAt, enrollmentPolicy, period, twoFactors, wrongCode } from '../wire/totp.ts'

const totp = { factorType: 'token:software:totp', provider: 'GOOGLE' }
const sms = { factorType: 'sms', profile: { phoneNumber: '+14155550100' } }
const failure = ({ status, body }: Answered) => [status, body.errorCode]
const secretIn = ({ body }: Answered) =>
  (body._embedded as { readonly activation: { readonly sharedSecret: string } }).activation.sharedSecret

onEachDatabase('factors over the management API', (database) => {
  let place: TestDatabase
  let idp: Kit
  let api: Api
  let id: string
  let user: string
  const sent: Sent[] = []
  beforeAll(async () => {
    place = await database.create()
    const authenticators = [managedPhone((message) => sent.push(message))]
    idp = await startTarget({ database: place.url, authenticators })
    api = apiOf(idp)
  })
  beforeEach(async () => {
    await idp.reset()
    sent.length = 0
    id = (await idp.people.list(idp.person.login))[0]?.id ?? ''
    user = `/users/${id}`
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', phone_number: 'OPTIONAL' })
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })

  const now = () => idp.clock.now()
  const person = () => findPerson(idp.engine.storage.db, id)
  const enrolments = async () =>
    (await findEnrollments(idp.engine.storage.db, id)).map(({ authenticator }) => authenticator)
  async function enrolled(): Promise<{ readonly secret: string; readonly factor: string }> {
    const made = await api('POST', `${user}/factors`, totp)
    const factor = `${user}/factors/${made.body.id}`
    const secret = secretIn(made)
    const passCode = codeAt(secret, now())
    expect(failure(await api('POST', `${factor}/lifecycle/activate`, { passCode }))).toEqual([200, undefined])
    await idp.clock.advance(10 * period)
    return { secret, factor }
  }
  const mailed = async () => {
    await idp.engine.delivery.idle()
    const all = await idp.outbox.all()
    return all.flatMap(({ template }) => (template?.startsWith('Authenticator') ? [template] : []))
  }
  const recorded = async (type: string) =>
    (await idp.events()).filter(({ eventType }) => eventType === type).map(({ actor }) => actor.type)

  test('A69: each change of a factor is mailed to the user, recorded with its caller, and raises the version', async () => {
    const changes: readonly (readonly [string, () => Promise<unknown>, string, string])[] = [
      ['enrol', enrolled, 'AuthenticatorEnrolled', 'user.mfa.factor.activate'],
      [
        'remove',
        async () => api('DELETE', `${user}/factors/uft${id.slice(3)}`),
        'AuthenticatorReset',
        'user.mfa.factor.deactivate',
      ],
      [
        'enrol at once',
        () => api('POST', `${user}/factors?activate=true`, sms),
        'AuthenticatorEnrolled',
        'user.mfa.factor.activate',
      ],
      [
        'reset',
        () => api('POST', `${user}/lifecycle/reset_factors`),
        'AuthenticatorReset',
        'user.mfa.factor.deactivate',
      ],
      [
        'enrol a phone',
        async () => {
          const { list } = await api('GET', '/authenticators')
          const authenticatorId = list.find(({ key }) => key === 'phone_number')?.id
          return api('POST', `${user}/authenticator-enrollments/phone`, {
            authenticatorId,
            profile: sms.profile,
          })
        },
        'AuthenticatorEnrolled',
        'user.mfa.factor.activate',
      ],
      [
        'remove an enrollment',
        async () => {
          const { list } = await api('GET', `${user}/authenticator-enrollments`)
          return api(
            'DELETE',
            `${user}/authenticator-enrollments/${list.find(({ type }) => type === 'phone')?.id}`,
          )
        },
        'AuthenticatorReset',
        'user.mfa.factor.deactivate',
      ],
    ]
    for (const [name, change, template, type] of changes) {
      const [mails, events, version] = [await mailed(), await recorded(type), (await person())?.version ?? 0]
      await change()
      expect(
        (await mailed()).filter((one) => one === template),
        name,
      ).toHaveLength(mails.filter((one) => one === template).length + 1)
      const after = await recorded(type)
      expect([after.length - events.length, after[0]], name).toEqual([1, 'ApiToken'])
      expect((await person())?.version, name).toBeGreaterThan(version)
    }
  })

  test('A69: a token that may only read changes nothing, and reads no secret', async () => {
    const { factor } = await enrolled()
    await api('POST', `${user}/factors`, sms)
    const read = apiOf(idp, await tokenOf(idp, 'read'))
    const before = await enrolments()
    const calls: readonly (readonly [string, string, object?])[] = [
      ['POST', `${user}/factors`, totp],
      ['POST', `${user}/factors?activate=true`, sms],
      ['POST', `${factor}/lifecycle/activate`, { passCode: '000000' }],
      ['POST', `${factor}/verify`, { passCode: '000000' }],
      ['POST', `${factor}/resend`, {}],
      ['DELETE', factor],
      ['POST', `${user}/lifecycle/reset_factors`],
      ['POST', `${user}/authenticator-enrollments/phone`, { authenticatorId: 'x', profile: sms.profile }],
      ['DELETE', `${user}/authenticator-enrollments/uft${id.slice(3)}`],
    ]
    for (const [method, path, body] of calls)
      expect(failure(await read(method, path, body)), `${method} ${path}`).toEqual([403, 'E0000006'])
    expect(await enrolments()).toEqual(before)

    await api('DELETE', factor)
    const secret = secretIn(await api('POST', `${user}/factors`, totp))
    for (const path of ['/factors', `/factors/uft${id.slice(3)}`, '/authenticator-enrollments'])
      expect((await read('GET', `${user}${path}`)).text).not.toContain(secret)
  })

  test('A69: who guesses by verify is stopped, also many at once, and the user still signs in', async () => {
    const { secret, factor } = await enrolled()
    const guess = (passCode: string) => api('POST', `${factor}/verify`, { passCode })
    const wrong = wrongCode(secret, now())
    const answers = (await parallel(40, async () => failure(await guess(wrong)))).map(String)
    const checked = answers.filter((one) => one === '403,E0000068').length
    expect(checked).toBe(20)
    expect(answers.filter((one) => one === '403,E0000069')).toHaveLength(20)
    expect(failure(await guess(codeAt(secret, now())))).toEqual([403, 'E0000069'])

    await twoFactors(idp)
    const visitor = await visit(idp)
    await visitor.signsIn(idp.person.login, idp.person.password)
    await visitor.selects('google_otp')
    expect((await visitor.answers(codeAt(secret, now()))).status).toBe(200)
    await idp.clock.advance('25h')
    expect((await guess(codeAt(secret, now()))).body.factorResult).toBe('SUCCESS')
  })

  test('A69: a code that was sent is good for one verification, also where it is sent many times at once', async () => {
    const { body } = await api('POST', `${user}/factors?activate=true`, sms)
    const verify = `${user}/factors/${body.id}/verify`
    await api('POST', verify)
    const passCode = sent.at(-1)?.code ?? ''
    const answers = await parallel(6, async () => {
      const { body: answer, text } = await api('POST', verify, { passCode })
      return answer.factorResult ?? text
    })
    expect(answers.toSorted()).toEqual(['SUCCESS', ...Array.from({ length: 5 }, () => 'TIMEOUT')])
  })

  test('A69: of two confirmations at once one counts, and none outlives a reset', async () => {
    const made = await api('POST', `${user}/factors`, totp)
    const activate = `${user}/factors/${made.body.id}/lifecycle/activate`
    const passCode = codeAt(secretIn(made), now())
    const two = await parallel(2, async () => (await api('POST', activate, { passCode })).status)
    expect(two.toSorted()).toEqual([200, 400])
    expect(await recorded('user.mfa.factor.activate')).toHaveLength(1)

    for (let round = 0; round < 4; round++) {
      await api('POST', `${user}/lifecycle/reset_factors`)
      await idp.clock.advance('5m')
      const again = await api('POST', `${user}/factors`, totp)
      const code = codeAt(secretIn(again), now())
      const [confirmed] = await Promise.all([
        api('POST', activate, { passCode: code }),
        api('POST', `${user}/lifecycle/reset_factors`),
      ])
      // Either it came first and was removed by the reset, or it found nothing that waits.
      expect([200, 404]).toContain(confirmed.status)
      expect(await enrolments()).toEqual(['okta_password'])
      expect(failure(await api('POST', activate, { passCode: code }))).toEqual([404, 'E0000007'])
    }
  })

  test('A69: a sign-in that waits for a code is not completed with a factor that is removed meanwhile', async () => {
    const { secret, factor } = await enrolled()
    await twoFactors(idp)
    const visitor = await visit(idp)
    await visitor.signsIn(idp.person.login, idp.person.password)
    await visitor.selects('google_otp')
    const [answer, removed] = await Promise.all([
      visitor.answers(codeAt(secret, now())),
      api('DELETE', factor),
    ])
    expect(removed.status).toBe(204)
    const late = await visit(idp)
    await late.signsIn(idp.person.login, idp.person.password)
    expect(JSON.stringify(late.response.body)).not.toContain('google_otp')
    // The first one came before the removal, or was refused.
    expect([200, 400, 401, 403]).toContain(answer.status)
    expect(await enrolments()).toEqual(['okta_password'])
  })

  test('A69: a code that was mailed to the address of before confirms nothing', async () => {
    const email = { factorType: 'email', profile: { email: idp.person.login } }
    const made = await api('POST', `${user}/factors`, email)
    const { code: passCode } = await idp.outbox.waitFor({ to: idp.person.login, template: 'EmailChallenge' })
    await idp.people.update(id, { email: 'other@example.com' })
    const activate = `${user}/factors/${made.body.id}/lifecycle/activate`
    expect(failure(await api('POST', activate, { passCode }))).toEqual([403, 'E0000068'])
    const shown = (await api('GET', user)).body.credentials as { readonly emails: readonly object[] }
    expect(shown.emails).toEqual([{ value: 'other@example.com', status: 'UNVERIFIED', type: 'PRIMARY' }])
  })
})
