import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Kit, Visitor } from '../../src/testing/index.ts'
import { watchStatements } from '../contract/statements.ts'
import { newPassword, startTarget } from '../support/attacks.ts'
import { type Api, apiOf } from '../support/management.ts'
import { enrolmentPolicy } from '../support/policy-rules.ts'
import { databases } from '../support/postgres.ts'
import { codeAt, secretIn } from '../wire/totp.ts'

const email = 'root@example.com'
const theirPassword = 'Tangerine-Kettle-42'
const [passwordKey, totpKey, emailKey] = ['okta_password', 'google_otp', 'okta_email']

let idp: Kit
let api: Api
let id: string
beforeAll(async () => {
  idp = await startTarget()
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  id = (await api('POST', '/users?activate=false', { profile: { login: email, email } })).body.id
})
afterAll(() => idp.close())

async function handedOut(step: 'activate' | 'reactivate' = 'activate', of = id): Promise<string> {
  return String((await api('POST', `/users/${of}/lifecycle/${step}?sendEmail=false`)).body.activationToken)
}
async function begins(token: string): Promise<Visitor> {
  const visitor = idp.visitor()
  await visitor.begins({ activation_token: token })
  return visitor
}
async function setsPassword(visitor: Visitor, text: string) {
  await visitor.enrolls(passwordKey)
  return visitor.answers(text)
}
async function enrolsTotp(visitor: Visitor) {
  const secret = secretIn(await visitor.enrolls(totpKey))
  return visitor.answers(codeAt(secret, idp.clock.now()))
}
const requires = (...keys: readonly string[]) =>
  enrolmentPolicy(idp, {
    authenticators: keys.map((key) => ({ key, enroll: { self: 'REQUIRED', autoEnroll: false } })),
  })
const enrollments = () =>
  idp.engine.storage.db
    .selectFrom('enrollments')
    .select(['authenticator', 'data'])
    .where('person_id', '=', id)
    .orderBy('authenticator')
    .execute()

describe('a stranger who gets hold of an activation token of a user to be', () => {
  test('A63: leaves nothing in the account that its owner completes later, with the same token or a newer one', async () => {
    await requires(passwordKey, totpKey)
    for (const renews of [false, true]) {
      const token = await handedOut(renews ? 'reactivate' : 'activate')
      const stranger = await begins(token)
      await enrolsTotp(stranger)
      await stranger.enrolls(passwordKey)
      expect([await enrollments(), (await api('GET', `/users/${id}`)).body.status]).toEqual([
        [],
        'PROVISIONED',
      ])
    }
    const stranger = await begins(await handedOut('reactivate'))
    await setsPassword(stranger, theirPassword)
    const theirSecret = secretIn(await stranger.enrolls(totpKey))

    const owner = await begins(await handedOut('reactivate'))
    await setsPassword(owner, newPassword)
    expect((await enrolsTotp(owner)).interactionCode).toBeDefined()
    const before = await enrollments()
    expect((await stranger.answers(codeAt(theirSecret, idp.clock.now()))).interactionCode).toBeUndefined()
    expect(await enrollments()).toEqual(before)
    expect(await idp.engine.people.hasPassword(id, newPassword)).toBe(true)
  })

  test('A63: who stands before the last answer when its owner completes the account gets no further, and changes nothing', async () => {
    await requires(passwordKey)
    const token = await handedOut()
    const stranger = await begins(token)
    await stranger.enrolls(passwordKey)
    expect((await setsPassword(await begins(token), newPassword)).interactionCode).toBeDefined()
    const answer = await stranger.answers(theirPassword)
    expect([answer.status, answer.interactionCode]).toEqual([401, undefined])
    expect(await idp.engine.people.hasPassword(id, newPassword)).toBe(true)
    expect((await idp.visitor().interacts({ activation_token: token })).status).toBe(400)
  })

  test('A63: has proven no mailbox by a token of the API: the account that it completes is not verified', async () => {
    await requires(passwordKey, emailKey)
    const visitor = await begins(await handedOut())
    await setsPassword(visitor, newPassword)
    expect(visitor.response.body.authenticators?.value.map(({ key }) => key)).toEqual([emailKey])
    expect((await api('GET', `/users/${id}`)).body.credentials).toMatchObject({
      emails: [{ status: 'UNVERIFIED' }],
    })
  })

  test('A63: gets no account of an administrator without the factors that the policy requires of it', async () => {
    await requires(passwordKey, totpKey)
    const visitor = await begins(await handedOut())
    await setsPassword(visitor, newPassword)
    for (const path of ['skip', 'identify', 'challenge', 'request-activation']) {
      expect((await visitor.submits(path)).interactionCode, path).toBeUndefined()
    }
    await visitor.submits('cancel')
    expect(
      (await (await begins(await handedOut('reactivate'))).introspects()).interactionCode,
    ).toBeUndefined()
    expect((await api('GET', `/users/${id}`)).body.status).toBe('PROVISIONED')
  })

  test.each([
    ['token', (visitor: Visitor, token: string) => visitor.begins({ recovery_token: token })],
    ['mailbox', (visitor: Visitor) => visitor.atTheReset(email)],
  ])('A63: its %s is no way round the factors that the policy requires', async (_, begin) => {
    await requires(passwordKey, totpKey)
    const token = await handedOut()
    // It sets the first password, as the mail of an activation would let its reader: and signs no user in.
    const visitor = idp.visitor()
    await begin(visitor, token)
    await visitor.answers(newPassword)
    expect([visitor.response.interactionCode, visitor.messages]).toEqual([
      undefined,
      ['idx.recovery.completed'],
    ])
    const signingIn = idp.visitor()
    await signingIn.begins()
    await signingIn.signsIn(email, newPassword)
    expect([signingIn.response.interactionCode, signingIn.remediations]).toEqual([
      undefined,
      ['select-authenticator-enroll'],
    ])
    expect((await enrolsTotp(signingIn)).interactionCode).toBeDefined()
    // The token has ended with it.
    expect((await idp.visitor().interacts({ activation_token: token })).status).toBe(400)
  })

  test('A63: recovers nothing of an account that no activation has begun: no mail leaves for it', async () => {
    const visitor = idp.visitor()
    await visitor.atTheCode(email)
    await idp.engine.delivery.idle()
    expect(idp.outbox.all().filter(({ to }) => to === email)).toEqual([])
  })
})

describe('a caller with tokens that are of no use', () => {
  let statements: string[] = []
  let drop: () => Promise<void>
  let stop: () => void

  beforeAll(async () => {
    // Counted where the statements pass through this process.
    const [sqlite] = databases
    if (sqlite === undefined) throw new Error('there is no SQLite')
    const created = await sqlite.create()
    drop = created.drop
    await idp.close()
    idp = await startTarget({ database: created.url })
    api = apiOf(idp)
    stop = watchStatements('sqlite', ({ request, text }) => {
      if (request !== undefined) statements.push(text)
    })
  })
  afterAll(async () => {
    stop()
    await idp.close()
    await drop()
  })

  test('A64: reads one answer, by the same statements, whatever became of a token and of its user', async () => {
    const used = await handedOut()
    await setsPassword(await begins(used), newPassword)
    const made = async (login: string): Promise<string> =>
      (await api('POST', '/users?activate=false', { profile: { login, email: login } })).body.id
    const [ended, renewed, expired] = [await made('a@x.dev'), await made('b@x.dev'), await made('c@x.dev')]
    const ofEnded = await handedOut('activate', ended)
    await api('POST', `/users/${ended}/lifecycle/deactivate`)
    const replaced = await handedOut('activate', renewed)
    await handedOut('reactivate', renewed)
    const late = await handedOut('activate', expired)
    idp.clock.advance('8d')
    const { body } = await api('POST', `/users/${id}/lifecycle/reset_password?sendEmail=false`)
    const ofRecovery = String(body.resetPasswordUrl).split('/').at(-1) ?? ''

    const seen = new Set<string>()
    for (const token of ['A'.repeat(43), 'x', '', used, ofEnded, replaced, late, ofRecovery]) {
      const visitor = idp.visitor()
      await visitor.interacts({ activation_token: 'B'.repeat(43) })
      statements = []
      const answer = await visitor.interacts({ activation_token: token })
      const own = statements.filter((sql) => /person_tokens|from "?people|from "?settings/.test(sql))
      seen.add(
        JSON.stringify([
          answer.status,
          answer.body,
          own.map((sql) => /"?(person_tokens|people|settings)/.exec(sql)?.[1]).sort(),
        ]),
      )
    }
    expect([...seen]).toEqual([
      JSON.stringify([
        400,
        { error: 'invalid_request', error_description: 'The activation token is invalid' },
        ['people', 'person_tokens', 'settings'],
      ]),
    ])
  })
})
