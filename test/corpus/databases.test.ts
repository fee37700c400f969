import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callCommand } from '../cli/terminal.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import {
  type Answer,
  chosen,
  codeOf,
  type Facts,
  factsOf,
  files,
  type Installation,
  leadsTo,
  newPassword,
  type Open,
  openInstallation,
  passcode,
  redirectUri,
  restorePostgres,
  secret,
  unpacked,
  type Wire,
  web,
} from './installation.ts'

/** What an earlier version left under way goes on with the present one. */

const seen = (answer: Answer) => `${answer.status} ${leadsTo(answer)}`

onEachDatabase('a database of an earlier version', ({ name: kind, create }) => {
  const facts: Facts = factsOf(kind)
  const { open, users } = facts
  let own: TestDatabase
  let on: Installation
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rekey-earlier-'))
    own = await create()
    if (kind === 'sqlite') writeFileSync(own.url.replace('sqlite:', ''), unpacked(kind))
    else await restorePostgres(own.url, unpacked(kind).toString())
    on = await openInstallation(own.url, { at: facts.at + 10_000 })
  })
  afterAll(async () => {
    await on?.close()
    await own?.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  const answer = (transaction: Open, text: string) => on.idx(transaction, 'challenge/answer', passcode(text))
  const signsIn = async (login: string, text: string): Promise<Answer> =>
    on.idx(await on.begin(login), 'identify', { identifier: login, ...passcode(text) })
  /** The end of a transaction: a code that is good for tokens, whose access token is taken. */
  async function endsWell(end: Answer, client = web): Promise<void> {
    expect(seen(end)).toBe('200 interaction_code')
    const tokens = await on.redeem(codeOf(end.body), client)
    expect(tokens.status).toBe(200)
    expect((await userinfo(tokens.body.access_token)).status).toBe(200)
    expect((await on.refresh(tokens.body.refresh_token, client)).status).toBe(200)
  }
  const userinfo = (token: string) =>
    on.call('GET', '/oauth2/default/v1/userinfo', { headers: { authorization: `Bearer ${token}` } })
  async function resets(transaction: Open): Promise<void> {
    await endsWell(await answer(transaction, newPassword))
    expect(seen(await signsIn(transaction.login, newPassword))).toBe('200 interaction_code')
    expect(seen(await signsIn(transaction.login, users.ada?.password ?? ''))).toBe(
      '401 identify errors.E0000004',
    )
  }

  describe('a transaction', () => {
    test('at its first page signs in', async () => {
      const { login } = open.identify
      const right = { identifier: login, ...passcode(users.identify?.password ?? '') }
      expect((await on.idx(open.identify, 'identify', right)).status).toBe(200)
    })

    test('is shown to the app by its handle', async () => {
      const { interactionHandle, stateHandle } = open.verify
      const { status, body } = await on.call('POST', '/idp/idx/introspect', { json: { interactionHandle } })
      expect(status).toBe(200)
      expect(leadsTo({ status, body, headers: new Headers() })).toMatch(/^challenge-authenticator/)
      expect(body.stateHandle).toBe(stateHandle)
    })

    test('at the choice of a method mails a code and ends with a new password', async () => {
      const shown = await on.call('POST', '/idp/idx/introspect', {
        json: { stateHandle: open.select.stateHandle },
      })
      expect(seen(shown)).toBe('200 select-authenticator-authenticate')
      const asked = await on.idx(open.select, 'challenge', chosen(shown, 'okta_email'))
      expect(seen(asked)).toMatch(/^200 challenge-authenticator/)
      const { code } = await on.mail(open.select.login)
      expect(seen(await answer(open.select, code))).toBe('200 reset-authenticator')
      await resets(open.select)
    })

    test('takes the code that was mailed before, and its link leads back to the app', async () => {
      const { code, link } = open.verify
      const opened = await on.call('GET', link)
      expect([opened.status, opened.headers.get('location')]).toEqual([
        302,
        `${redirectUri}?otp=${code}&state=state+of+the+app`,
      ])
      expect(seen(await answer(open.verify, code === '000000' ? '111111' : '000000'))).toMatch(
        /^401 challenge-authenticator/,
      )
      expect(seen(await answer(open.verify, code))).toBe('200 reset-authenticator')
      await resets(open.verify)
    })

    test('remembers its wrong codes: the fifth is the last', async () => {
      const { code } = open.almostLocked
      const fifth = await answer(open.almostLocked, code === '000000' ? '111111' : '000000')
      expect(seen(fifth)).toBe('429 tooManyRequests')
      expect(seen(await answer(open.almostLocked, code))).toBe('401 idx.session.expired')
    })

    test('whose code was right takes the new password', () => resets(open.reset))

    test('that replaces an expired password takes it', () => resets(open.reenroll))

    test('whose password was right takes the second factor', async () => {
      await endsWell(await answer(open.secondFactor, open.secondFactor.code), facts.app)
    })

    test('whose mail was in the outbox gets it, and takes its code', async () => {
      const { code, link } = await on.mail(open.queued.login)
      expect((await on.call('GET', link)).status).toBe(302)
      expect(seen(await answer(open.queued, code))).toBe('200 reset-authenticator')
      await resets(open.queued)
    })

    test('of an unknown user goes on like one of a user, to its fifth wrong code', async () => {
      const resent = await on.idx(open.unknown, 'challenge/resend')
      expect(seen(resent)).toMatch(/^200 challenge-authenticator/)
      for (let guess = 2; guess <= 4; guess++) {
        expect(seen(await answer(open.unknown, '000000'))).toMatch(/^401 challenge-authenticator/)
      }
      expect(seen(await answer(open.unknown, '000000'))).toBe('429 tooManyRequests')
    })

    test('that a token of an administrator began takes the new password', () => resets(open.byToken))

    test('that is over answers a poll with its end', async () => {
      expect(seen(await on.idx(open.over, 'challenge/poll'))).toBe('200 idx.transferred.to.new.tab')
    })
  })

  describe('a token', () => {
    test('is signed by a key that is still published', async () => {
      const keys = createRemoteJWKSet(new URL('https://id.example.com/oauth2/default/v1/keys'), {
        [customFetch]: async () => Response.json((await on.call('GET', '/oauth2/default/v1/keys')).body),
      })
      const currentDate = new Date(facts.at)
      const { payload } = await jwtVerify(facts.session.idToken, keys, { currentDate, audience: web.id })
      expect(payload.sub).toBe(users.session?.id)
    })

    test('is taken, and refreshed', async () => {
      expect((await userinfo(facts.session.accessToken)).body).toMatchObject({ sub: users.session?.id })
      const refreshed = await on.refresh(facts.session.refreshToken)
      expect(refreshed.status).toBe(200)
      expect((await userinfo(refreshed.body.access_token)).status).toBe(200)
    })

    test('that was spent ends the session of the one in its place', async () => {
      const { spent, refreshToken } = facts.refreshed
      const later = await on.refresh(spent)
      expect([later.status, later.body.error]).toEqual([400, 'invalid_grant'])
      expect((await on.refresh(refreshToken)).status).toBe(400)
    })

    test('is had for an interaction code, once', async () => {
      const { code } = facts.interactionCode
      const first = await on.redeem(code)
      expect(first.status).toBe(200)
      expect((await userinfo(first.body.access_token)).body).toMatchObject({ sub: users.coded?.id })
      expect((await on.redeem(code)).status).toBe(400)
    })

    test('of an administrator sets a password, handed out or mailed', async () => {
      const { login, token } = facts.recoveryToken
      const handed = await on.begin(login, web, { recovery_token: token })
      await resets(handed)
      const { link } = await on.mail(facts.queuedByAdmin.login)
      const mailed = await on.begin(facts.queuedByAdmin.login, web, {
        recovery_token: link.split('/').at(-1) ?? '',
      })
      await resets(mailed)
    })
  })

  test('an app, a group, policies and a profile are what they were', () => there(on, facts))

  describe('an export of that version', () => {
    test.each(['sqlite', 'postgres'] as const)('of %s is taken in', async (from) => {
      const moved = await create()
      const env = { DATABASE_URL: moved.url, REKEY_SECRET: secret }
      const { code, stdout, stderr } = await callCommand(['import', files(from).exported], { folder, env })
      expect([code, stderr, stdout]).toEqual([
        0,
        '',
        expect.stringMatching(/^added [1-9]\d*, replaced 0, unchanged 0, refused 0\n$/),
      ])
      const elsewhere = await openInstallation(moved.url, { at: facts.at + 10_000 })
      await there(elsewhere, factsOf(from))
      await elsewhere.close()
      await moved.drop()
    })
  })
})

/** Users with their statuses and passwords, and everything that is no state of something under way. */
async function there(on: Installation, { users, app, group, policies }: Facts): Promise<void> {
  const statuses = {
    ada: 'ACTIVE',
    bcrypt: 'ACTIVE',
    STAGED: 'STAGED',
    PROVISIONED: 'PROVISIONED',
    RECOVERY: 'RECOVERY',
    LOCKED_OUT: 'LOCKED_OUT',
    SUSPENDED: 'SUSPENDED',
    DEPROVISIONED: 'DEPROVISIONED',
  }
  for (const [name, status] of Object.entries(statuses)) {
    const { id = '', login = '', password = '' } = users[name] ?? {}
    expect((await on.api('GET', `/users/${id}`)).body).toMatchObject({ id, status, profile: { login } })
    const signIn = async (text: string) =>
      seen(await on.idx(await on.begin(login), 'identify', { identifier: login, ...passcode(text) }))
    expect(await signIn('another password'), name).toBe('401 identify errors.E0000004')
    // Twice: the first may put a hash of ours in place of another's.
    const expected = status === 'ACTIVE' ? '200 interaction_code' : '401 identify errors.E0000004'
    expect([await signIn(password), await signIn(password)], name).toEqual([expected, expected])
  }
  const ada = (await on.api('GET', `/users/${users.ada?.id}`)).body
  expect(ada.profile).toMatchObject({ firstName: 'ada', shoeSize: 38 })
  const members: readonly Wire[] = (await on.api('GET', `/groups/${group.id}/users`)).body
  expect(members.map(({ id }) => id)).toContain(users.ada?.id)

  // The app's secret is known, its policy asks members of the group for two factors.
  expect((await on.interact({ ...app, secret: 'another secret of an app' })).status).toBe(401)
  const { login = '', password = '' } = users.ada ?? {}
  const transaction = await on.begin(login, app)
  const asked = await on.idx(transaction, 'identify', { identifier: login, ...passcode(password) })
  expect(seen(asked)).toBe('200 select-authenticator-authenticate')
  await on.idx(transaction, 'challenge', chosen(asked, 'okta_email'))
  const end = await on.idx(transaction, 'challenge/answer', passcode((await on.mail(login)).code))
  expect((await on.redeem(codeOf(end.body), app)).status).toBe(200)

  // The password policy of the group asks for more letters than the default.
  for (const [kind, id] of Object.entries(policies)) {
    expect((await on.api('GET', `/policies/${id}`)).status, kind).toBe(200)
  }
  const change = (value: string) =>
    on.api('POST', `/users/${users.ada?.id}`, { credentials: { password: { value } } })
  expect((await change('Lighthouse-77')).status).toBe(400)
  expect((await change(newPassword)).status).toBe(200)
  const origins: readonly Wire[] = (await on.api('GET', '/trustedOrigins')).body
  expect(origins.map(({ origin }) => origin)).toContain('https://shop.example.com')
}
