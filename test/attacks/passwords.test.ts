import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AnswerBody, Kit } from '../../src/testing/index.ts'
import {
  atTheCode,
  atTheReset,
  mailTo,
  manyMails,
  newPassword,
  startTarget,
  visit,
} from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'

const victim = 'mary@example.com'
const unmet = 'password.passwordRequirementsNotMet'

describe('a second factor that is required', () => {
  test('A34: a user who has none is refused once the mailbox is proven, and the password stays', async () => {
    const idp = await startTarget({ settings: { recovery: { secondFactor: 'required' }, limits: manyMails } })
    const visitor = await atTheCode(idp, victim)
    const { code } = await mailTo(idp, victim)
    // Before the proof it looks as always: nothing tells who has which factors.
    expect(visitor.response.remediations[0]).toBe('challenge-authenticator')

    const refused = await visitor.answers(code)
    expect([refused.status, ...refused.messages]).toEqual([403, 'oie.selfservice.reset.password.not.allowed'])
    expect([refused.body.remediation, refused.interactionCode]).toEqual([undefined, undefined])
    for (const again of [await visitor.answers(newPassword), await visitor.submits('introspect')]) {
      expect(again.status).toBe(401)
    }
    const signIn = async (passcode: string) =>
      (await (await visit(idp)).submits('identify', { identifier: victim, credentials: { passcode } }))
        .interactionCode
    expect(await signIn(newPassword)).toBeUndefined()
    expect(await signIn(idp.person.password)).toBeDefined()
    await idp.close()
  })

  test('A34: where sign-in takes two factors, neither the password alone nor the mailbox alone signs a user in', async () => {
    const idp = await startTarget({ settings: { signOn: { factors: '2FA' } } })
    const signIn = await visit(idp)
    const half = await signIn.submits('identify', {
      identifier: victim,
      credentials: { passcode: idp.person.password },
    })
    expect(half.interactionCode).toBeUndefined()
    expect(half.remediations).toContain('select-authenticator-authenticate')
    // A recovery has proven the mailbox, and the password that it sets proves no more (A54): it ends in a message.
    const visitor = await atTheReset(idp, victim)
    expect((await visitor.submits('introspect')).interactionCode).toBeUndefined()
    const done = await visitor.answers(newPassword)
    expect([done.interactionCode, ...done.messages]).toEqual([undefined, 'idx.recovery.completed'])
    await idp.close()
  })
})

describe('a password that was changed a moment ago', () => {
  test('A29: keeps its owner from no recovery, and from no password in place of an expired one', async () => {
    const idp = await startTarget({
      settings: { limits: manyMails, policies: { password: { age: { minAgeMinutes: 1440 } } } },
    })
    const api = apiOf(idp)
    const { id } = (await api('GET', `/users/${victim}`)).body
    const change = (value: string, next: string) =>
      api('POST', `/users/${id}/credentials/change_password?strict=true`, {
        oldPassword: { value },
        newPassword: { value: next },
      })
    idp.clock.advance('25h')
    // As a thief would, who counts on the minimum age.
    expect((await change(idp.person.password, 'Thief-Of-Kettles-43')).status).toBe(200)
    expect((await (await atTheReset(idp, victim)).answers(newPassword)).interactionCode).toBeDefined()
    const again = await (await atTheReset(idp, victim)).answers('Lighthouse-Biscuit-78')
    expect(again.interactionCode).toBeDefined()

    const temporary = await api('POST', `/users/${id}/lifecycle/expire_password_with_temp_password`)
    const visitor = await visit(idp)
    const credentials = { passcode: String(temporary.body.tempPassword) }
    const expired = await visitor.submits('identify', { identifier: victim, credentials })
    expect(expired.remediations).toEqual(['reenroll-authenticator'])
    expect((await visitor.answers('Chosen-By-Its-Owner-7')).interactionCode).toBeDefined()

    // For a change without need it holds.
    expect((await change('Chosen-By-Its-Owner-7', 'Chosen-By-Its-Owner-8')).status).toBe(400)
    idp.clock.advance('25h')
    expect((await change('Chosen-By-Its-Owner-7', 'Chosen-By-Its-Owner-8')).status).toBe(200)
    await idp.close()
  })
})

describe('a new password', () => {
  let idp: Kit
  let okta: Kit
  beforeAll(async () => {
    idp = await startTarget({ settings: { limits: manyMails } })
    okta = await startTarget({
      settings: { limits: manyMails, policies: { password: { preset: 'okta', age: { historyCount: 4 } } } },
    })
  })
  beforeEach(async () => {
    await idp.reset()
    await okta.reset()
  })
  afterAll(async () => {
    await idp.close()
    await okta.close()
  })

  const signIn = async (target: Kit, passcode: string, identifier = victim) =>
    (await (await visit(target)).submits('identify', { identifier, credentials: { passcode } }))
      .interactionCode !== undefined

  /** Sets a password; answers the keys of what was wrong with it. */
  async function set(target: Kit, password: unknown, login = victim): Promise<readonly string[]> {
    const done = await (await atTheReset(target, login)).answers(password)
    return done.interactionCode === undefined ? [String(done.status), ...done.messages] : []
  }

  const long = `${'correct horse battery staple '.repeat(8)}end`
  test.each([
    ['of 235 characters', long],
    ['of 256 characters', `${'ab cd '.repeat(42)}xyz!`],
    ['of emoji', '🦊🐙🦀🐳🦉🐝🦋🐢🦕🐠🦜🐌🦔'],
    ['with blanks at its ends', '  a password with blanks  '],
    ['in Greek', 'ένας πολύ μακρύς κωδικός'],
  ])('A36: %s counts whole: nothing is cut off', async (_, password) => {
    expect(await set(idp, password)).toEqual([])
    expect(await signIn(idp, password)).toBe(true)
    const points = [...password]
    for (const cut of [
      points.slice(0, -1).join(''),
      points.slice(0, 72).join('').slice(0, 72),
      password.trim(),
    ]) {
      if (cut !== password) expect(await signIn(idp, cut)).toBe(false)
    }
    expect(await signIn(idp, `${password}x`)).toBe(false)
  })

  test('A36: one set of characters is one password, however a keyboard composed them', async () => {
    const composed = 'Caf\u00e9 cr\u00e8me br\u00fbl\u00e9e'
    expect(await set(idp, composed.normalize('NFD'))).toEqual([])
    expect(await signIn(idp, composed)).toBe(true)
    expect(await signIn(idp, composed.normalize('NFD'))).toBe(true)
  })

  test.each([
    ['too short once it is composed', 'e\u0301'.repeat(6), ['400', unmet]],
    ['of 257 characters', `${'x'.repeat(250)}abcdefg`, ['400', unmet]],
    ['with half of a character', 'a password with \ud800 half', ['400', unmet]],
    ['of twelve characters in sixteen units', '🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊', ['400', unmet]],
    ['with the username in it', 'x-mary-example-1234', ['400', unmet]],
    ['with the username in wide letters', 'x-\uff4d\uff41\uff52\uff59-lighthouse-12', ['400', unmet]],
    ['that everybody uses', 'password1234', ['400', 'password.common']],
    ['that everybody uses, in capitals', 'PASSWORD1234', ['400', 'password.common']],
    ['that everybody uses, in wide letters', '\uff50\uff41\uff53\uff53word1234', ['400', 'password.common']],
    ['that is no text', 123_456_789_012, ['400', 'E0000001']],
    ['that is a list', ['Lighthouse-Biscuit-77'], ['400', 'E0000001']],
    ['that is empty', '', ['400', 'E0000001']],
  ])('A36: one %s is refused', async (_, password, keys) => {
    const told = await set(idp, password)
    expect(told[0]).toBe(keys[0])
    if (keys[1] !== 'E0000001') expect(told).toEqual(keys)
    expect(await signIn(idp, idp.person.password)).toBe(true)
    if (typeof password === 'string' && password !== '') expect(await signIn(idp, password)).toBe(false)
  })

  test.each([
    ['a NUL', '{"credentials":{"passcode":"Lighthouse\\u0000Biscuit"},"stateHandle":"STATE"}', 400],
    ['a megabyte', `{"credentials":{"passcode":"${'x'.repeat(1_000_000)}"},"stateHandle":"STATE"}`, 413],
  ])('A36: %s in the body is refused before it is a password', async (_, body, status) => {
    const visitor = await atTheReset(idp, victim)
    const response = await fetch(`${idp.engineUrl}/idp/idx/challenge/answer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: body.replace('STATE', visitor.stateHandle),
    })
    expect(response.status).toBe(status)
    expect(await signIn(idp, idp.person.password)).toBe(true)
    expect((await visitor.submits('introspect')).remediations).toEqual(['reset-authenticator'])
  })

  test('A37: the present password, earlier ones and the username are refused with the keys that Okta uses', async () => {
    const { password } = okta.person
    const fieldOf = (body: AnswerBody) => body.remediation?.value[0]?.value?.[0]?.form?.value[0]
    const told = await (await atTheReset(okta, victim)).answers(password)
    expect(told.status).toBe(400)
    expect(fieldOf(told.body)).toMatchObject({
      name: 'passcode',
      messages: {
        value: [
          {
            class: 'ERROR',
            i18n: {
              key: unmet,
              params: [expect.stringMatching(/^Password requirements: at least 8 characters/)],
            },
          },
        ],
      },
    })

    const passwords = ['First-Tangerine-1', 'Second-Tangerine-2', 'Third-Tangerine-3', 'Fourth-Tangerine-4']
    for (const next of passwords) expect(await set(okta, next)).toEqual([])
    for (const used of passwords) expect(await set(okta, used)).toEqual(['400', unmet])
    for (const weak of [
      'Sh0rt-1',
      'nouppercase-1',
      'NOLOWERCASE-1',
      'NoNumber-here',
      'NoSymbol1234',
      'Mary-Major-1234',
    ]) {
      expect([weak, ...(await set(okta, weak))]).toEqual([weak, '400', unmet])
    }
    expect(await set(okta, 'P@ssw0rd')).toEqual(['400', 'password.common'])
    // Five back: the history holds four.
    expect(await set(okta, password)).toEqual([])
    expect(await signIn(okta, password)).toBe(true)
  })
})
