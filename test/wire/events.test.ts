import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventsDocument, type LogEvent } from '../../src/audit/index.ts'
import type { PersonStatus } from '../../src/directory/index.ts'
import { renderTimeline } from '../../src/management/index.ts'
import { type Kit, startEngine, type Visitor } from '../../src/testing/index.ts'
import { alone } from '../support/alone.ts'
import { atTheCode, atTheReset, mailTo, newPassword, visit, wrongCode } from '../support/attacks.ts'

const nobody = 'nobody@example.com'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

/** The log of a test from its start, oldest first, once every mail has come to its end. */
async function log(kit = idp): Promise<readonly LogEvent[]> {
  await kit.engine.delivery.idle()
  return (await kit.events()).toReversed().filter(({ eventType }) => eventType !== 'user.lifecycle.create')
}

/** Each event as `type RESULT rule`. */
const told = (events: readonly LogEvent[]): readonly string[] =>
  events.map(({ eventType, outcome, debugContext }) =>
    [eventType, outcome.result, debugContext.debugData.rule].filter(Boolean).join(' '),
  )

const signIn = (visitor: Visitor, identifier: string, passcode: string) =>
  visitor.submits('identify', { identifier, credentials: { passcode } })

/** The id of a transaction, from the log. */
async function transactionOf(kit = idp): Promise<string> {
  const [latest] = await kit.engine.transactions(1)
  return latest?.id ?? ''
}

const timeline = async (kit = idp): Promise<string> => {
  const found = await kit.trace(await transactionOf(kit))
  if (found === undefined) throw new Error('there is no transaction')
  return renderTimeline(found)
}

describe('a recovery', () => {
  test('is told from its beginning to the tokens', async () => {
    const visitor = await atTheReset(idp, idp.person.login)
    const done = await visitor.submits('challenge/answer', { credentials: { passcode: newPassword } })
    await visitor.redeems(done.interactionCode ?? '')

    const events = await log()
    expect(told(events).toSorted()).toEqual(
      [
        'user.account.reset_password CHALLENGE',
        'system.email.password_reset.sent_message SUCCESS',
        'system.email.delivery SUCCESS',
        'user.authentication.verify SUCCESS',
        'user.account.reset_password SUCCESS',
        'system.email.password_changed.sent_message SUCCESS',
        'user.session.start SUCCESS',
        'app.oauth2.token.grant.access_token SUCCESS',
        'app.oauth2.token.grant.id_token SUCCESS',
        'app.oauth2.token.grant.refresh_token SUCCESS',
        'system.email.delivery SUCCESS',
      ].toSorted(),
    )
    const id = await transactionOf()
    const own = events.filter(({ eventType }) => !eventType.startsWith('app.oauth2'))
    expect(new Set(own.map(({ transaction }) => transaction.id))).toEqual(new Set([id]))
    expect(events[0]).toMatchObject({
      actor: { id: expect.stringMatching(/^00u/), type: 'User', alternateId: idp.person.login },
      target: [{ id: idp.clientId, type: 'AppInstance' }],
      client: { ipAddress: '127.0.0.1', id: idp.clientId },
    })
  })

  test('tells of the sessions and conversations that it ended', async () => {
    const signedIn = await visit(idp)
    await signIn(signedIn, idp.person.login, idp.person.password)
    idp.clock.advance(1)
    const other = await atTheCode(idp, idp.person.login)
    const otherId = await transactionOf()
    const visitor = await atTheReset(idp, idp.person.login)
    idp.clock.advance(1)
    await visitor.submits('challenge/answer', { credentials: { passcode: newPassword } })

    const cleared = (await log()).find(({ eventType }) => eventType === 'user.session.clear')
    expect(cleared?.debugContext.debugData).toEqual({ sessions: '1' })
    // It goes on as that of an unknown user, for a caller who has proven nothing (A86).
    expect((await other.submits('challenge/poll')).status).toBe(200)
    expect((await idp.trace(otherId))?.ended?.rule).toBe('password-changed')
  })

  test('tells of the guess that ended it, and of every one before', async () => {
    const visitor = await atTheCode(idp, idp.person.login)
    const { code } = await mailTo(idp, idp.person.login)
    for (let n = 1; n <= 5; n++) await visitor.answers(wrongCode(code, n))

    const events = (await log()).slice(3)
    expect(told(events)).toEqual([
      ...Array(5).fill('user.authentication.verify FAILURE wrong-code'),
      'user.account.reset_password FAILURE guesses-per-transaction',
    ])
    expect(events[2]?.debugContext.debugData).toMatchObject({
      'guesses-per-transaction': '3 of 5',
      'codes-per-day': '3 of 20',
      'codes-until-success': '3 of 100',
      'spray-per-minute': '3 of 1200',
    })
    expect(events[5]?.outcome).toEqual({ result: 'FAILURE', reason: 'TOO_MANY_ATTEMPTS' })
  })

  test('tells that a right code came too late', async () => {
    const visitor = await atTheCode(idp, idp.person.login)
    const { code } = await mailTo(idp, idp.person.login)
    idp.clock.advance('5m')
    await visitor.answers(code)

    expect(told(await log()).at(-1)).toBe('user.authentication.verify FAILURE code-expired')
  })

  test('tells which budget made every short code wrong', async () => {
    const kit = await startEngine({ clock: 'frozen', settings: { limits: { codesPerDay: 2 } } })
    try {
      const visitor = await atTheCode(kit, kit.person.login)
      const { code } = await mailTo(kit, kit.person.login)
      for (const guess of [wrongCode(code), wrongCode(code), code]) await visitor.answers(guess)

      expect(told(await log(kit)).slice(3)).toEqual([
        'user.authentication.verify FAILURE wrong-code',
        'user.authentication.verify FAILURE wrong-code',
        'user.authentication.verify FAILURE codes-per-day',
      ])
    } finally {
      await kit.close()
    }
  })

  test('tells that another mail ended the link before', async () => {
    const visitor = await atTheCode(idp, idp.person.login)
    await visitor.submits('challenge/resend')

    const queued = (await log()).filter(({ eventType }) => eventType.endsWith('password_reset.sent_message'))
    expect(queued.map(({ debugContext }) => debugContext.debugData.rule)).toEqual([
      undefined,
      'link-superseded',
    ])
    expect(queued[1]?.debugContext.debugData['mails-per-recipient']).toBe('2 of 5')
  })

  test('that is cancelled says so', async () => {
    const visitor = await atTheCode(idp, idp.person.login)
    await visitor.submits('cancel')

    const event = (await log()).find(({ outcome }) => outcome.result === 'SKIPPED')
    expect(event).toMatchObject({
      eventType: 'user.account.reset_password',
      outcome: { result: 'SKIPPED', reason: 'CANCELLED' },
      debugContext: { debugData: { rule: 'cancelled' } },
    })
  })

  test('of a person who was suspended meanwhile names the status', async () => {
    const visitor = await atTheCode(idp, idp.person.login)
    const { code } = await mailTo(idp, idp.person.login)
    const [transaction] = await idp.engine.transactions(1)
    await idp.engine.storage.db
      .updateTable('people')
      .set({ status: 'SUSPENDED' satisfies PersonStatus })
      .where('id', '=', transaction?.personId ?? '')
      .execute()
    await visitor.answers(code)

    expect(told(await log()).slice(-2)).toEqual([
      'user.authentication.verify SUCCESS',
      'user.account.reset_password DENY status SUSPENDED',
    ])
    expect((await idp.trace(transaction?.id ?? ''))?.ended?.rule).toBe('status SUSPENDED')
  })

  test('for an app that she may not use names the assignment', async () => {
    const visitor = await atTheCode(idp, idp.person.login)
    const { code } = await mailTo(idp, idp.person.login)
    await idp.engine.storage.db.deleteFrom('client_groups').execute()
    await visitor.answers(code)

    expect(told(await log()).at(-1)).toBe('app.generic.unauth_app_access_attempt FAILURE not-assigned')
    expect(await timeline()).toContain('by the rule: not-assigned')
  })

  test('that needs another proof names the policy', async () => {
    const settings = { recovery: { secondFactor: 'required' } } as const
    const kit = await startEngine({ clock: 'frozen', settings })
    try {
      const visitor = await atTheCode(kit, kit.person.login)
      await visitor.answers((await mailTo(kit, kit.person.login)).code)
      expect(told(await log(kit)).at(-1)).toBe(
        'user.account.reset_password DENY policy recovery.secondFactor',
      )
    } finally {
      await kit.close()
    }
  })
})

describe('a sign-in', () => {
  test('is told, and so is its end at the logout endpoint', async () => {
    const visitor = await visit(idp)
    const done = await signIn(visitor, idp.person.login, idp.person.password)
    const { body } = await visitor.redeems(done.interactionCode ?? '')
    const logout = new URL(`${idp.issuer}/v1/logout`)
    logout.searchParams.set('id_token_hint', body.id_token ?? '')
    for (let n = 0; n < 2; n++) await fetch(logout)

    const types = told(await log())
    expect(types.slice(0, 2)).toEqual(['user.authentication.verify SUCCESS', 'user.session.start SUCCESS'])
    expect(types.filter((type) => type.startsWith('user.session.end'))).toEqual(['user.session.end SUCCESS'])
  })

  test('with five wrong passwords ends with its rule', async () => {
    const visitor = await visit(idp)
    for (let n = 0; n < 5; n++) await signIn(visitor, idp.person.login, 'not her password')

    expect(told(await log())).toEqual([
      ...Array(5).fill('user.authentication.verify FAILURE wrong-password'),
      'user.session.start FAILURE guesses-per-transaction',
    ])
  })

  test('that is cancelled, and one of nobody, are told', async () => {
    const visitor = await visit(idp)
    await signIn(visitor, nobody, 'a password')
    await visitor.submits('cancel')

    expect(told(await log())).toEqual([
      'user.authentication.verify FAILURE nobody',
      'user.session.start SKIPPED cancelled',
    ])
  })

  test('of somebody suspended names the status, in the log alone', async () => {
    const person = await idp.people.add({
      login: 'eve@example.com',
      password: newPassword,
      status: 'SUSPENDED',
    })
    const visitor = await visit(idp)
    const refused = await signIn(visitor, person.login, newPassword)

    expect(told(await log())).toEqual(['user.authentication.verify FAILURE status SUSPENDED'])
    expect(JSON.stringify(refused.body)).not.toContain('SUSPENDED')
  })
})

describe('a mail', () => {
  test('that nobody takes is told as expired, and waits until then', async () => {
    const kit = await startEngine({ clock: 'frozen', settings: { mail: { url: 'smtp://127.0.0.1:1' } } })
    try {
      await atTheCode(kit, kit.person.login)
      await kit.engine.delivery.idle()
      expect(await timeline(kit)).toMatch(/ForgotPassword waits\s+attempts=1 error=/)

      kit.clock.advance('5m')
      const event = (await log(kit)).at(-1)
      expect(event).toMatchObject({
        eventType: 'system.email.delivery',
        outcome: { result: 'FAILURE', reason: 'EXPIRED' },
        debugContext: { debugData: { template: 'ForgotPassword', error: expect.any(String) } },
      })
    } finally {
      await kit.close()
    }
  })

  test('to nobody is told like any other', async () => {
    await atTheCode(idp, nobody)

    const [, queued, dropped] = await log()
    expect(queued).toMatchObject({
      eventType: 'system.email.password_reset.sent_message',
      debugContext: { debugData: { recipient: 'nobody' } },
    })
    expect(dropped).toMatchObject({
      eventType: 'system.email.delivery',
      outcome: { result: 'SKIPPED', reason: 'NOBODY' },
    })
  })
})

test('people who do not exist leave as many events as those who do, at every step', async () => {
  const counts = async (identifier: string) => {
    await idp.reset()
    const told: number[] = []
    const note = async () => {
      await idp.engine.delivery.idle()
      told.push((await idp.events()).length)
    }
    const visitor = await visit(idp)
    for (const step of [
      () => signIn(visitor, identifier, 'not the password'),
      () => visitor.submits('recover'),
      () => visitor.submits('identify', { identifier }),
      () => visitor.selects('okta_email'),
      ...Array.from({ length: 5 }, () => () => visitor.submits('challenge/resend')),
      ...Array.from({ length: 5 }, () => () => visitor.answers('000000')),
    ]) {
      await step()
      await note()
    }
    return told
  }

  expect(await counts(nobody)).toEqual(await counts(idp.person.login))
})

describe('an owner', () => {
  test.each([
    ['SUSPENDED', 'user.lifecycle.suspend'],
    ['DEPROVISIONED', 'user.lifecycle.deactivate'],
    ['LOCKED_OUT', 'user.account.lock'],
    ['PASSWORD_EXPIRED', 'user.account.expire_password'],
  ] as const)('who makes somebody %s is told of as %s, with what it ended', async (status, type) => {
    await atTheCode(idp, idp.person.login)
    const [transaction] = await idp.engine.transactions(1)
    const id = transaction?.personId ?? ''
    idp.clock.advance(1)
    await idp.people.update(id, { status })

    expect(told(await log())).toContain(`${type} SUCCESS`)
    expect((await idp.trace(transaction?.id ?? ''))?.ended?.rule).toBe(`status ${status}`)
    idp.clock.advance(1)
    await idp.people.update(id, { status: 'ACTIVE' })
    expect(told(await log()).at(-1)).toMatch(/^user\.(lifecycle\.(un|re|activate)|account\.unlock)/)
  })

  test('who changes password and address is told of by kind', async () => {
    const person = await idp.people.add({ login: 'eve@example.com', password: newPassword })
    await idp.people.update(person.id, { password: 'Harbour-Pebble-19', email: 'eve@example.org' })
    idp.clock.advance(1)
    await idp.people.remove(person.id)

    const deliveries = (event: string) => event.startsWith('system.email.delivery')
    expect(told(await log()).filter((event) => !deliveries(event))).toEqual([
      'user.account.update_password SUCCESS',
      'user.account.update_primary_email SUCCESS',
      'user.account.update_profile SUCCESS',
      'user.lifecycle.delete.completed SUCCESS',
    ])
  })
})

describe('a timeline', () => {
  test('tells steps, mails and budgets by the time since the beginning, and the rule that ended it', async () => {
    const visitor = await atTheCode(idp, idp.person.login)
    const { code } = await mailTo(idp, idp.person.login)
    for (let n = 1; n <= 5; n++) {
      idp.clock.advance('15s')
      await visitor.answers(wrongCode(code, n))
    }

    const text = await timeline()
    expect(text).toMatch(/^transaction trs\w{17}: a recovery for the app rekey-web from 127\.0\.0\.1\n/)
    expect(text).toMatch(/\nuser {8}mary@example\.com \(00u\w{17}\)\n/)
    expect(text).toMatch(/\nended .* by the rule: guesses-per-transaction\n/)
    const lines = text.split('\n').filter((line) => line.startsWith('  '))
    expect(lines.slice(0, 6)).toEqual([
      expect.stringMatching(/^ +\+0\.000s {2}step {3}recover$/),
      expect.stringMatching(/^ +\+0\.000s {2}step {3}identify-recovery$/),
      expect.stringMatching(/^ +\+0\.000s {2}step {3}select-authenticator-authenticate$/),
      expect.stringMatching(/^ +\+0\.000s {2}event {2}user\.account\.reset_password CHALLENGE$/),
      expect.stringMatching(/^ +\+0\.000s {2}mail {3}ForgotPassword queued .*mails-per-recipient=1 of 5/),
      expect.stringMatching(/^ +\+0\.000s {2}mail {3}ForgotPassword sent/),
    ])
    expect(text).toMatch(/\+45\.000s {2}step {3}challenge-authenticator +api\.authn\.error\.PASSCODE_INVALID/)
    expect(text).toMatch(/\+45\.000s {2}event .*rule=wrong-code guesses-per-transaction=3 of 5/)
    expect(lines.at(-1)).toMatch(/^ +\+1m15s {2}end {4}ended by guesses-per-transaction$/)
  })

  test('of a good end holds no secret', async () => {
    const visitor = await atTheReset(idp, idp.person.login)
    const mail = await mailTo(idp, idp.person.login)
    const done = await visitor.submits('challenge/answer', { credentials: { passcode: newPassword } })

    const text = (await timeline()) + JSON.stringify(await idp.trace(await transactionOf()))
    expect(text).toContain('by the rule: completed')
    expect(text).not.toMatch(alone(mail.code ?? ''))
    const secrets = [mail.link?.split('token=')[1], visitor.stateHandle, visitor.interactionHandle]
    for (const secret of [...secrets, newPassword, done.interactionCode]) {
      expect(secret).toBeTruthy()
      expect(text).not.toContain(secret)
    }
  })

  test('of one whose time ran out says so, though nothing was written', async () => {
    await atTheCode(idp, nobody)
    expect(await timeline()).toMatch(/\nopen until /)

    idp.clock.advance('30m')
    const text = await timeline()
    expect(text).toContain('nobody@example.com (unknown user)')
    expect(text).toMatch(/\nended .* by the rule: expired\n/)
    expect(text).toMatch(/\+30m00s {2}end {4}ended by expired\n$/)
  })

  test('of a long conversation holds its last hundred steps', async () => {
    const kit = await startEngine({ clock: 'frozen', settings: { limits: { mailsPerRecipient: 1000 } } })
    try {
      const visitor = await atTheCode(kit, nobody)
      for (let n = 0; n < 110; n++) await visitor.submits('challenge/resend')

      const steps = (await kit.trace(await transactionOf(kit)))?.steps ?? []
      expect(steps).toHaveLength(100)
      expect(new Set(steps.map(({ step }) => step))).toEqual(new Set(['resend']))
    } finally {
      await kit.close()
    }
  })
})

test('docs/events.md lists the types that the code knows (npx vitest -u writes it)', async () => {
  await expect(eventsDocument()).toMatchFileSnapshot('../../docs/events.md')
})
