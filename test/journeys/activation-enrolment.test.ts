import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine, type Visitor } from '../../src/testing/index.ts'
import { callCommand } from '../cli/terminal.ts'
import { type Api, apiOf } from '../support/management.ts'
import { enrolmentPolicy } from '../support/policy-rules.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { majors, sdk } from '../support/sdk.ts'
import { codeAt, secretIn } from '../wire/totp.ts'

const password = 'Lighthouse-Biscuit-77'
const secret = 'only for tests: everybody knows this secret'
const login = 'ann@example.com'
const profile = { login, email: login, firstName: 'Ann', lastName: 'Lee' }
const select = 'select-authenticator-enroll'
const keys = { password: 'okta_password', email: 'okta_email', totp: 'google_otp' }

let idp: Kit
let api: Api
let id: string
beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  id = (await api('POST', '/users?activate=false', { profile })).body.id
})
afterAll(() => idp.close())

async function handedOut(step: 'activate' | 'reactivate' = 'activate'): Promise<string> {
  return String((await api('POST', `/users/${id}/lifecycle/${step}?sendEmail=false`)).body.activationToken)
}
async function mailed(step: 'activate' | 'reactivate' = 'activate'): Promise<string> {
  idp.outbox.clear()
  await api('POST', `/users/${id}/lifecycle/${step}`)
  return tokenIn(await idp.outbox.waitFor({ template: 'UserActivation' }))
}
const tokenIn = ({ html }: { readonly html?: string | undefined }) =>
  /\/welcome\/([A-Za-z0-9]{43})/.exec(html ?? '')?.[1] ?? ''
const user = async () => (await api('GET', `/users/${id}`)).body
const statusOf = async () => (await user()).status
const isVerified = async () =>
  ((await user()).credentials as { emails: { status: string }[] }).emails[0]?.status === 'VERIFIED'
const has = async () => {
  const all = await idp.engine.storage.db
    .selectFrom('enrollments')
    .select('authenticator')
    .where('person_id', '=', id)
    .orderBy('authenticator')
    .execute()
  return all.map(({ authenticator }) => authenticator)
}

/** What the policy says of each; `asked`: of the mailbox as well, which every account has otherwise. */
const policy = (wanted: Readonly<Record<string, string>>) =>
  enrolmentPolicy(idp, {
    authenticators: Object.entries(wanted).map(([key, self]) => ({
      key,
      enroll: { self, ...(key === keys.email && { autoEnroll: false }) },
    })),
  })

const begins = async (token: string): Promise<Visitor> => {
  const visitor = idp.visitor()
  await visitor.begins({ activation_token: token })
  return visitor
}
const offered = (visitor: Visitor) =>
  (visitor.response.body.authenticators?.value ?? []).map(({ key }) => key)
const enrolsTotp = async (visitor: Visitor) => {
  const secret = secretIn(await visitor.enrolls(keys.totp))
  return visitor.answers(codeAt(secret, idp.clock.now()))
}
const setsPassword = async (visitor: Visitor, text = password) => {
  await visitor.enrolls(keys.password)
  return visitor.answers(text)
}
const refused = { error: 'invalid_request', error_description: 'The activation token is invalid' }

test('all that the policy requires is enrolled, in any order; the account has it, and is ACTIVE, at the end alone', async () => {
  await policy({ okta_password: 'REQUIRED', okta_email: 'OPTIONAL', google_otp: 'REQUIRED' })
  const token = await handedOut()
  const visitor = await begins(token)
  expect([visitor.remediations, offered(visitor)]).toEqual([[select], [keys.password, keys.totp]])
  await enrolsTotp(visitor)
  expect([visitor.remediations, offered(visitor)]).toEqual([[select], [keys.password]])
  expect([await statusOf(), await has()]).toEqual(['PROVISIONED', []])

  // The last required one; what is optional follows, and can be declined.
  await setsPassword(visitor)
  expect([visitor.remediations, offered(visitor)]).toEqual([[select, 'skip'], [keys.email]])
  expect([await statusOf(), await has()]).toEqual(['PROVISIONED', []])
  const end = await visitor.submits('skip')
  expect(end.interactionCode).toBeDefined()
  expect([await statusOf(), await has()]).toEqual(['ACTIVE', [keys.totp, keys.password]])
  expect(await idp.engine.people.hasPassword(id, password)).toBe(true)
  expect((await idp.visitor().interacts({ activation_token: token })).body).toEqual(refused)
})

test('the token is good until the end, and what an earlier visit enrolled is no part of the account (A63)', async () => {
  await policy({ okta_password: 'REQUIRED', google_otp: 'REQUIRED' })
  const token = await handedOut()
  const earlier = await begins(token)
  await setsPassword(earlier, 'Tangerine-Kettle-42')
  expect(offered(earlier)).toEqual([keys.totp])

  const later = await begins(token)
  expect(offered(later)).toEqual([keys.password, keys.totp])
  await setsPassword(later)
  expect((await enrolsTotp(later)).interactionCode).toBeDefined()
  expect([
    await idp.engine.people.hasPassword(id, password),
    await idp.engine.people.hasPassword(id, 'Tangerine-Kettle-42'),
  ]).toEqual([true, false])
  expect((await earlier.enrolls(keys.totp)).status).toBe(401)
  expect(await has()).toEqual([keys.totp, keys.password])
})

describe('a password that the policy calls optional', () => {
  test('may be left out: a code by mail proves the mailbox of a token that was handed out', async () => {
    await policy({ okta_password: 'OPTIONAL', okta_email: 'REQUIRED' })
    const visitor = await begins(await handedOut())
    expect([visitor.remediations, offered(visitor)]).toEqual([[select], [keys.email]])
    await visitor.enrolls(keys.email)
    await visitor.answers((await visitor.mail(login)).code)
    expect([visitor.remediations, offered(visitor)]).toEqual([[select, 'skip'], [keys.password]])
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
    expect([await statusOf(), await has(), await isVerified()]).toEqual(['ACTIVE', [], true])
  })

  test('may be left out with a mailed token and a policy that does not name the mailbox', async () => {
    await policy({ okta_password: 'OPTIONAL', google_otp: 'OPTIONAL' })
    idp.outbox.clear()
    const visitor = await begins(await mailed())
    // Nothing is proven to sign in with yet: one of them is, and none may be declined before.
    expect(visitor.remediations).toEqual([select])
    expect(offered(visitor)).toContain(keys.password)
    await enrolsTotp(visitor)
    expect((await visitor.submits('skip')).interactionCode).toBeDefined()
    expect([await statusOf(), await has()]).toEqual(['ACTIVE', [keys.totp]])
  })
})

describe('email_verified after an activation', () => {
  test('by a token of the API answer is false, by a mailed one true, at the end alone', async () => {
    await setsPassword(await begins(await handedOut()))
    expect([await statusOf(), await isVerified()]).toEqual(['ACTIVE', false])

    const email = 'b@example.com'
    const made = { profile: { ...profile, login: email, email } }
    id = (await api('POST', '/users?activate=false', made)).body.id
    const visitor = await begins(await mailed())
    await visitor.enrolls(keys.password)
    expect(await isVerified()).toBe(false)
    await visitor.answers(password)
    expect([await statusOf(), await isVerified()]).toEqual(['ACTIVE', true])
  })

  test('a mailbox that the policy requires is asked for where the token was handed out, not where it was mailed', async () => {
    await policy({ okta_password: 'REQUIRED', okta_email: 'REQUIRED' })
    const byHand = await begins(await handedOut())
    expect(offered(byHand)).toEqual([keys.password, keys.email])

    const byMail = await begins(await mailed('reactivate'))
    expect(offered(byMail)).toEqual([keys.password])
    expect((await setsPassword(byMail)).interactionCode).toBeDefined()
    expect(await isVerified()).toBe(true)
  })
})

test.each(['email', 'reactivate', 'deactivate', 'delete'])(
  'a token is dead after %s, and the page that was begun with it',
  async (change) => {
    const token = await handedOut()
    const visitor = await begins(token)
    await visitor.enrolls(keys.password)
    if (change === 'email') await api('POST', `/users/${id}`, { profile: { email: 'other@example.com' } })
    else if (change === 'delete') {
      await api('DELETE', `/users/${id}`)
      await api('DELETE', `/users/${id}`)
    } else await api('POST', `/users/${id}/lifecycle/${change}?sendEmail=false`)
    expect((await idp.visitor().interacts({ activation_token: token })).body).toEqual(refused)
    const answer = await visitor.answers(password)
    expect([answer.status, answer.interactionCode]).toEqual([401, undefined])
    if (change !== 'delete') expect(await has()).toEqual([])
  },
)

describe('a link that has expired', () => {
  test('offers another mail, whose link goes on; the earlier one is dead then', async () => {
    const token = await mailed()
    idp.outbox.clear()
    idp.clock.advance('8d')
    const visitor = await begins(token)
    expect(visitor.remediations).toEqual(['request-activation-email'])
    expect(visitor.messages).toEqual(['idx.expired.activation.token'])
    const asked = await visitor.submits('request-activation')
    expect(visitor.messages).toEqual(['idx.request.activation.email'])
    expect(asked.body.remediation).toBeUndefined()
    const mail = await idp.outbox.waitFor({ to: login })
    expect(mail.template).toBe('UserActivation')
    const next = tokenIn(mail)
    expect((await idp.visitor().interacts({ activation_token: token })).body).toEqual(refused)
    expect((await setsPassword(await begins(next))).interactionCode).toBeDefined()
    expect([await statusOf(), await isVerified()]).toEqual(['ACTIVE', true])
  })

  test('is refused where it was handed out, was replaced, or is of a user who is active, like one that never was', async () => {
    const handed = await handedOut()
    const replaced = await mailed('reactivate')
    const current = await mailed('reactivate')
    idp.clock.advance('8d')
    for (const token of [handed, replaced]) {
      expect(await idp.visitor().interacts({ activation_token: token })).toMatchObject({
        status: 400,
        body: refused,
      })
    }
    expect((await begins(current)).remediations).toEqual(['request-activation-email'])
    await api('POST', `/users/${id}/lifecycle/deactivate`)
    expect((await idp.visitor().interacts({ activation_token: current })).body).toEqual(refused)
  })

  test('sends no more mails than the budget of the account, and answers the same', async () => {
    const { db } = idp.engine.storage
    const issued = () => db.selectFrom('person_tokens').select('id').executeTakeFirstOrThrow()
    let token = await mailed()
    const answers = new Set<string>()
    let sent = 0
    for (let times = 0; times < 12; times++) {
      await db.updateTable('person_tokens').set({ expires_at: 1 }).execute()
      const before = await issued()
      idp.outbox.clear()
      const { status, body } = await (await begins(token)).submits('request-activation')
      answers.add(JSON.stringify([status, body.messages, body.remediation]))
      if ((await issued()).id === before.id) continue
      sent++
      token = tokenIn(await idp.outbox.waitFor({ template: 'UserActivation' }))
    }
    expect([sent, answers.size]).toEqual([5, 1])
  })

  test.each([...majors])(
    'is shown to okta-auth-js %i by start, which asks for another mail',
    async (major) => {
      const token = await mailed()
      idp.outbox.clear()
      idp.clock.advance('8d')
      const auth = sdk(idp, { major })
      expect(await auth.idx.start({ activationToken: token })).toMatchObject({ status: 'PENDING' })
      expect(await auth.idx.proceed({ step: 'request-activation-email' })).toMatchObject({
        status: 'TERMINAL',
        messages: [{ i18n: { key: 'idx.request.activation.email' } }],
      })
      expect((await idp.outbox.waitFor({ to: login })).template).toBe('UserActivation')
    },
  )
})

test('asked for while signed in as another user, it signs in the user of the token alone', async () => {
  const visitor = idp.visitor()
  await visitor.signsIn()
  await visitor.begins({ activation_token: await handedOut() })
  const end = await setsPassword(visitor)
  const { body } = await visitor.redeems(end.interactionCode)
  const claims = JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString())
  expect(claims.sub).toBe(id)
})

onEachDatabase('two activations with one token at once', (database) => {
  test('one of them completes the account, with its own credentials alone', async () => {
    const { url, drop } = await database.create()
    const kit = await startEngine({ database: url })
    try {
      const calls = apiOf(kit)
      await enrolmentPolicy(kit, {
        authenticators: ['okta_password', 'google_otp'].map((key) => ({ key, enroll: { self: 'REQUIRED' } })),
      })
      for (let round = 0; round < 3; round++) {
        const name = `ann${round}@example.com`
        const made = await calls('POST', '/users?activate=false', {
          profile: { ...profile, login: name, email: name },
        })
        const { body } = await calls('POST', `/users/${made.body.id}/lifecycle/activate?sendEmail=false`)
        const visitors = [kit.visitor(), kit.visitor()]
        const texts = [`Lighthouse-Biscuit-7${round}`, `Tangerine-Kettle-4${round}`]
        const codes: string[] = []
        for (const [index, one] of visitors.entries()) {
          await one.begins({ activation_token: String(body.activationToken) })
          await one.enrolls('okta_password')
          await one.answers(texts[index])
          codes.push(codeAt(secretIn(await one.enrolls('google_otp')), kit.clock.now()))
        }
        const ends = await Promise.all(visitors.map((one, index) => one.answers(codes[index])))
        const won = ends.map(({ interactionCode }) => interactionCode !== undefined)
        expect(won.filter(Boolean)).toHaveLength(1)
        const passwords = await Promise.all(
          texts.map((text) => kit.engine.people.hasPassword(made.body.id, text)),
        )
        expect(passwords).toEqual(won)
      }
    } finally {
      await kit.close()
      await drop()
    }
  })
})

test('the kit hands out a token of any user who is to be activated', async () => {
  const token = await idp.people.activationToken(login)
  const visitor = await begins(token)
  expect((await setsPassword(visitor)).interactionCode).toBeDefined()
  await expect(idp.people.activationToken(login)).rejects.toThrow('E0000016')
  await expect(idp.people.activationToken('nix@example.com')).rejects.toThrow(
    'activationToken: there is no user "nix@example.com"',
  )
  const ready = await idp.people.add({ login: 'ready@example.com', password, status: 'STAGED' })
  await expect(idp.people.activationToken(ready.id)).rejects.toThrow(/has a password, and is ACTIVE/)
  expect((await idp.people.get(ready.id))?.status).toBe('ACTIVE')
})

onEachDatabase('rekey user activate', (database) => {
  test('prints a token that works once, and ends the one before', async () => {
    const { url, drop } = await database.create()
    const kit = await startEngine({ database: url, settings: { secrets: [secret] } })
    const folder = await mkdtemp(join(tmpdir(), 'rekey-activate-'))
    try {
      await kit.people.add({ login, status: 'STAGED' })
      const env = { DATABASE_URL: url, REKEY_SECRET: secret }
      const run = (...words: string[]) => callCommand(['user', 'activate', ...words], { folder, env })
      const first = await run(login)
      expect(first, first.stderr).toMatchObject({ code: 0 })
      const second = JSON.parse((await run(login, '--json')).stdout)
      expect(second).toMatchObject({
        status: 'PROVISIONED',
        activationToken: expect.stringMatching(/^\w{43}$/),
      })
      const earlier = await kit.visitor().interacts({ activation_token: first.stdout.trim() })
      expect(earlier.body).toEqual(refused)
      const visitor = kit.visitor()
      await visitor.begins({ activation_token: second.activationToken })
      expect((await setsPassword(visitor)).interactionCode).toBeDefined()
      const done = await run(login)
      expect(done.code).toBe(1)
      expect(done.stderr).toContain(
        'is ACTIVE: only a STAGED, PROVISIONED or DEPROVISIONED user is activated',
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
      await kit.close()
      await drop()
    }
  })
})

test('the link of a mail leads to the page of the app, with its token, and neither is stored or passed on', async () => {
  const activationPage = 'https://app.example.com/activate/{token}'
  await using other = await startEngine({ settings: { management: { activationPage } } })
  const token = 'A'.repeat(43)
  for (const path of [`/welcome/${token}`, `/tokens/${token}/verify`]) {
    const page = await fetch(`${other.engineUrl}${path}`, { redirect: 'manual' })
    expect([page.status, page.headers.get('location')]).toEqual([
      302,
      `https://app.example.com/activate/${token}`,
    ])
    expect([page.headers.get('cache-control'), page.headers.get('referrer-policy')]).toEqual([
      'no-store',
      'no-referrer',
    ])
  }
})

test('a program that opens the link of a mail any number of times changes nothing', async () => {
  const token = await mailed()
  for (let times = 0; times < 3; times++) {
    const page = await fetch(`${idp.engineUrl}/welcome/${token}`)
    expect([page.status, page.headers.get('referrer-policy')]).toEqual([200, 'strict-origin'])
    expect(await page.text()).not.toContain(token)
  }
  expect((await setsPassword(await begins(token))).interactionCode).toBeDefined()
})
