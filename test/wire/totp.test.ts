import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSecrets } from '../../src/base/index.ts'
import { authenticatorId } from '../../src/flow/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { callCommand } from '../cli/terminal.ts'
import { masked as withoutNames } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { databases } from '../support/postgres.ts'
import { array, form, masked, message, object, ownPassword, page, user } from './expected.ts'
import { activate, codeAt, enrollmentPolicy, period, secretIn, twoFactors, wrongCode } from './totp.ts'
import { type Answer, authenticatorsIn, type Json, newVisitor, type Visitor } from './visitor.ts'

// This file runs on SQLite, and in `npm run test:pg` on PostgreSQL. The clock stands still between two moves, so that a
// test knows at which of the steps of thirty seconds it is.
let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const newPassword = 'Lighthouse-Biscuit-77'
const invalid = 'authfactor.challenge.soft_token.invalid_passcode'
const used = 'authfactor.challenge.soft_token.used_passcode'

type Forms = readonly { readonly name: string; readonly value: readonly Json[] }[]
const bodyOf = ({ body }: Answer) => masked(idp, body)
const formsOf = (seen: Answer) =>
  (bodyOf(seen).remediation as { readonly value: Forms } | undefined)?.value ?? []
const offered = (seen: Answer) => formsOf(seen).map(({ name }) => name)
const memberOf = (seen: Answer, name: string) => (bodyOf(seen)[name] as { value?: Json } | undefined)?.value
/** The message at the code, or at the top. */
const keyOf = ({ body }: Answer) => /"i18n":\{"key":"([\w.]+)"/.exec(JSON.stringify(body))?.[1]
const optionsOf = (seen: Answer) =>
  formsOf(seen)
    .filter(({ name }) => name.startsWith('select-authenticator-'))
    .flatMap(({ value }) => value[0]?.options as { label: string; relatesTo: string }[])

const dataOf = (seen: Answer) =>
  memberOf(seen, 'currentAuthenticator')?.contextualData as {
    readonly sharedSecret: string
    readonly qrcode: { readonly href: string; readonly method: string; readonly type: string }
  }
const right = (secret: string, steps = 0) => codeAt(secret, idp.clock.now(), steps)
const wrong = (secret: string) => wrongCode(secret, idp.clock.now())

async function signsIn(visitor: Visitor, login = idp.person.login): Promise<Answer> {
  await visitor.begins()
  return visitor.signsIn(login, idp.person.password)
}

const enrols = (visitor: Visitor): Promise<Answer> => visitor.selects('google_otp')

async function claimsOf(visitor: Visitor, seen: Answer): Promise<Json> {
  const { body } = await visitor.redeems(seen.interactionCode)
  return JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString()) as Json
}

/** Enrols an app at a sign-in whose policy asks for it; the step of the code that was used is the present one. */
async function enrolled(login?: string): Promise<string> {
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const visitor = newVisitor(idp)
  await signsIn(visitor, login)
  const secret = secretIn(await enrols(visitor))
  expect((await visitor.answers(right(secret))).interactionCode).toBeDefined()
  return secret
}

/** … and later a sign-in waits for its code, as the second factor. */
async function atTheCode(): Promise<{ readonly visitor: Visitor; readonly secret: string }> {
  const secret = await enrolled()
  await twoFactors(idp)
  idp.clock.advance(10 * period)
  const visitor = newVisitor(idp)
  await signsIn(visitor)
  await visitor.selects('google_otp')
  return { visitor, secret }
}

const app = {
  type: 'app',
  key: 'google_otp',
  id: '<google_otp>',
  displayName: 'Google Authenticator',
  methods: [{ type: 'otp' }],
}
const codeForm = (name: string, more: Json = {}) =>
  form(
    name,
    'challenge/answer',
    [
      {
        name: 'credentials',
        type: 'object',
        form: { value: [{ name: 'passcode', label: 'Enter code', required: true, ...more }] },
        required: true,
      },
    ],
    { relatesTo: ['$.currentAuthenticator'] },
  )
const selection = form('select-authenticator-enroll', 'credential/enroll', [
  {
    name: 'authenticator',
    type: 'object',
    options: [
      {
        label: 'Google Authenticator',
        value: {
          form: {
            value: [
              { name: 'id', required: true, value: app.id, mutable: false },
              { name: 'methodType', required: false, value: 'otp', mutable: false },
            ],
          },
        },
        relatesTo: '$.authenticators.value[0]',
      },
    ],
  },
])
const skip = form('skip', 'skip', [])
const others = {
  authenticators: array(app),
  authenticatorEnrollments: array(ownPassword),
  user: user('mary@example.com'),
}
const picture = {
  qrcode: { method: 'embedded', href: expect.stringMatching(/^data:image\/png;base64,/), type: 'image/png' },
  sharedSecret: expect.stringMatching(/^[A-Z2-7]{32}$/),
}

describe('an enrolment that a policy requires', () => {
  beforeEach(() => enrollmentPolicy(idp, { google_otp: 'REQUIRED' }))

  test('is asked for behind the password, with a single option and no way around it', async () => {
    const seen = await signsIn(newVisitor(idp))
    expect({ status: seen.status, body: bodyOf(seen) }).toEqual({
      status: 200,
      body: page([selection], others),
    })
  })

  test('shows the secret as a picture and as a text', async () => {
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    const seen = await enrols(visitor)
    expect({ status: seen.status, body: bodyOf(seen) }).toEqual({
      status: 200,
      body: page([codeForm('enroll-authenticator'), selection], {
        ...others,
        currentAuthenticator: object({ contextualData: picture, ...app }),
        enrollmentAuthenticator: object(app),
      }),
    })
    const { href } = dataOf(seen).qrcode
    const bytes = Buffer.from(href.slice(href.indexOf(',') + 1), 'base64')
    expect(bytes.subarray(1, 4).toString()).toBe('PNG')
  })

  test('ends in tokens that say how the user signed in, and is not asked for again', async () => {
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    const secret = secretIn(await enrols(visitor))
    expect(await claimsOf(visitor, await visitor.answers(right(secret)))).toMatchObject({
      amr: ['pwd', 'otp', 'mfa'],
    })

    const again = newVisitor(idp)
    expect(await claimsOf(again, await signsIn(again))).toMatchObject({ amr: ['pwd'] })
  })

  test('keeps its secret through looks and wrong codes, and makes a new one when it is chosen again', async () => {
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    const first = await enrols(visitor)
    const secret = secretIn(first)
    expect(dataOf(await visitor.introspects())).toEqual(dataOf(first))
    const refused = await visitor.answers(wrong(secret))
    expect(refused.status).toBe(401)
    expect(formsOf(refused)[0]).toMatchObject(
      codeForm('enroll-authenticator', {
        messages: array(message('ERROR', 'api.authn.error.PASSCODE_INVALID', 'Invalid code. Try again.')),
      }),
    )
    expect(dataOf(refused)).toEqual(dataOf(first))

    const other = secretIn(await enrols(visitor))
    expect(other).not.toBe(secret)
    expect((await visitor.answers(right(secret))).status).toBe(401)
    expect((await visitor.answers(right(other))).interactionCode).toBeDefined()
  })

  test('takes a code of four steps ago, and leaves the present one good', async () => {
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    const secret = secretIn(await enrols(visitor))
    expect((await visitor.answers(right(secret, -5))).status).toBe(401)
    expect((await visitor.answers(right(secret, 2))).status).toBe(401)
    expect((await visitor.answers(right(secret, -4))).interactionCode).toBeDefined()

    await twoFactors(idp)
    const next = newVisitor(idp)
    await signsIn(next)
    await next.selects('google_otp')
    expect((await next.answers(right(secret))).interactionCode).toBeDefined()
  })

  test('five wrong codes close the transaction, and nothing is enrolled', async () => {
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    const secret = secretIn(await enrols(visitor))
    for (let guess = 1; guess < 5; guess++) {
      expect((await visitor.answers(wrong(secret))).status).toBe(401)
    }
    const last = await visitor.answers(wrong(secret))
    expect([last.status, keyOf(last)]).toEqual([429, 'tooManyRequests'])
    expect((await visitor.answers(right(secret))).status).toBe(401)

    expect(offered(await signsIn(newVisitor(idp)))).toEqual(['select-authenticator-enroll'])
  })

  test.each([[undefined], [null], [''], [123456], [['123456']], [{ code: '123456' }]])(
    '%j is no code: it is asked for again, and not counted',
    async (passcode) => {
      const visitor = newVisitor(idp)
      await signsIn(visitor)
      const secret = secretIn(await enrols(visitor))
      for (let time = 1; time <= 6; time++) {
        const seen = await visitor.answers(passcode)
        expect([seen.status, keyOf(seen)]).toEqual([400, 'model.validation.field.blank'])
      }
      const spaced = right(secret).replace(/^(...)/, ' $1 ')
      expect((await visitor.answers(spaced)).interactionCode).toBeDefined()
    },
  )

  test('is not made where another sign-in was first: a password alone replaces no app', async () => {
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    const secret = secretIn(await enrols(visitor))
    // Another visitor who knows the password began before, and comes back later.
    const early = newVisitor(idp)
    await signsIn(early)
    const other = secretIn(await enrols(early))
    await visitor.answers(right(secret))
    await twoFactors(idp)

    idp.clock.advance(10 * period)
    expect(offered(await early.introspects())).toEqual(['enroll-authenticator'])
    const asked = await early.answers(right(other))
    expect(offered(asked)).toEqual(['select-authenticator-authenticate'])
    await early.selects('google_otp')
    expect((await early.answers(right(other))).status).toBe(401)
    expect((await early.answers(right(secret))).interactionCode).toBeDefined()
  })

  test('cannot be skipped, and nothing else is enrolled', async () => {
    const visitor = newVisitor(idp)
    const seen = await signsIn(visitor)
    expect((await visitor.submits('skip')).status).toBe(400)
    for (const id of ['autNone', undefined, 5, { id: 'x' }]) {
      expect((await visitor.submits('credential/enroll', { authenticator: { id } })).status).toBe(400)
    }
    const [known] = authenticatorsIn(seen.body)
    for (const methodType of ['push', ['otp'], { type: 'otp' }]) {
      const authenticator = { id: known?.id, methodType }
      expect((await visitor.submits('credential/enroll', { authenticator })).status).toBe(400)
    }
    expect((await visitor.answers('123456')).status).toBe(400)
  })
})

describe('an enrolment that a policy leaves open', () => {
  beforeEach(() => enrollmentPolicy(idp, { google_otp: 'OPTIONAL' }))

  test('is asked for with a way around it, which is there during it, too', async () => {
    const visitor = newVisitor(idp)
    expect(bodyOf(await signsIn(visitor))).toEqual(page([selection, skip], others))
    expect(offered(await enrols(visitor))).toEqual([
      'enroll-authenticator',
      'select-authenticator-enroll',
      'skip',
    ])
    const seen = await visitor.submits('skip')
    expect(await claimsOf(visitor, seen)).toMatchObject({ amr: ['pwd'] })
    // What is optional is offered at the first sign-in, and was declined there.
    const next = newVisitor(idp)
    expect(await claimsOf(next, await signsIn(next))).toMatchObject({ amr: ['pwd'] })
  })

  test('is over when the policy goes away meanwhile: nothing is left to ask, and the next sign-in is done', async () => {
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    const api = apiOf(idp)
    const [policy] = (await api('GET', '/policies?type=MFA_ENROLL')).list.filter(({ system }) => !system)
    expect((await api('DELETE', `/policies/${policy?.id}`)).status).toBe(204)

    const seen = await visitor.submits('introspect')
    expect([seen.status, ...seen.messages]).toEqual([401, 'idx.session.expired'])
    expect((await signsIn(newVisitor(idp))).interactionCode).toBeDefined()
  })

  test('is done by a user who wants it', async () => {
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    const secret = secretIn(await enrols(visitor))
    expect(await claimsOf(visitor, await visitor.answers(right(secret)))).toMatchObject({
      amr: ['pwd', 'otp', 'mfa'],
    })
    expect((await signsIn(newVisitor(idp))).interactionCode).toBeDefined()
  })
})

describe('the code as a second factor', () => {
  test('is a choice beside the mail', async () => {
    await enrolled()
    await twoFactors(idp)
    const seen = await signsIn(newVisitor(idp))
    expect(offered(seen)).toEqual(['select-authenticator-authenticate'])
    expect(optionsOf(seen).map(({ label, relatesTo }) => [label, relatesTo])).toEqual([
      ['Email', '$.authenticatorEnrollments.value[0]'],
      ['Google Authenticator', '$.authenticatorEnrollments.value[1]'],
    ])
    const enrollments = memberOf(seen, 'authenticatorEnrollments') as unknown as readonly Json[]
    expect(enrollments[1]).toEqual({ ...app, id: '<her google_otp>' })
  })

  test('is asked for of the authenticator itself, without a secret, a resend or a poll', async () => {
    const { visitor, secret } = await atTheCode()
    const seen = await visitor.introspects()
    expect(formsOf(seen)[0]).toEqual(codeForm('challenge-authenticator'))
    expect(memberOf(seen, 'currentAuthenticator')).toEqual(app)
    expect(seen.text).not.toContain(secret)
    expect((await visitor.submits('challenge/resend')).status).toBe(400)
    const done = await visitor.answers(right(secret))
    expect(await claimsOf(visitor, done)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] })
  })

  test('a wrong one is refused at its field, and five close the transaction', async () => {
    const { visitor, secret } = await atTheCode()
    const refused = await visitor.answers(wrong(secret))
    expect(refused.status).toBe(401)
    expect(formsOf(refused)[0]).toEqual(
      codeForm('challenge-authenticator', {
        messages: array(message('ERROR', invalid, "Your code doesn't match our records. Please try again.")),
      }),
    )
    // Choosing it again opens no new count.
    await visitor.selects('google_otp')
    for (let guess = 2; guess < 5; guess++) expect((await visitor.answers(wrong(secret))).status).toBe(401)
    expect((await visitor.answers(wrong(secret))).status).toBe(429)
    const after = await visitor.answers(right(secret))
    expect([after.status, keyOf(after)]).toEqual([401, 'idx.session.expired'])
  })

  test('guesses are counted by account, over all transactions: then the right code is wrong, too', async () => {
    const { visitor, secret } = await atTheCode()
    let current = visitor
    for (let guess = 0; guess < 40; guess++) {
      const { status } = await current.answers(wrong(secret))
      if (status !== 429) continue
      current = newVisitor(idp)
      await signsIn(current)
      await current.selects('google_otp')
    }
    current = newVisitor(idp)
    await signsIn(current)
    await current.selects('google_otp')
    const refused = await current.answers(right(secret))
    expect([refused.status, keyOf(refused)]).toEqual([401, invalid])

    idp.clock.advance('25h')
    const tomorrow = newVisitor(idp)
    await signsIn(tomorrow)
    await tomorrow.selects('google_otp')
    expect((await tomorrow.answers(right(secret))).interactionCode).toBeDefined()
  })

  test.each([
    [-2, 401],
    [-1, 200],
    [0, 200],
    [1, 200],
    [2, 401],
  ])('of %i steps from now is answered with %i', async (steps, status) => {
    const { visitor, secret } = await atTheCode()
    const seen = await visitor.answers(right(secret, steps))
    expect(seen.status).toBe(status)
    expect(seen.interactionCode !== undefined).toBe(status === 200)
  })

  test('is good once, and so is none before it', async () => {
    const { visitor, secret } = await atTheCode()
    expect((await visitor.answers(right(secret))).interactionCode).toBeDefined()

    const second = newVisitor(idp)
    await signsIn(second)
    await second.selects('google_otp')
    const refused = await second.answers(right(secret))
    expect(refused.status).toBe(401)
    expect(formsOf(refused)[0]).toEqual(
      codeForm('challenge-authenticator', {
        messages: array(
          message(
            'ERROR',
            used,
            'Each code can only be used once. Please wait for a new code and try again.',
          ),
        ),
      }),
    )
    expect(keyOf(await second.answers(right(secret, -1)))).toBe(used)
    idp.clock.advance(period)
    expect((await second.answers(right(secret))).interactionCode).toBeDefined()
  })

  test('of the enrolment is used up by it', async () => {
    const secret = await enrolled()
    await twoFactors(idp)
    const visitor = newVisitor(idp)
    await signsIn(visitor)
    await visitor.selects('google_otp')
    expect(keyOf(await visitor.answers(right(secret)))).toBe(used)
    // The step behind it is good at once.
    expect((await visitor.answers(right(secret, 1))).interactionCode).toBeDefined()
  })

  test('of another user is wrong', async () => {
    const secret = await enrolled()
    await twoFactors(idp)
    const eve = { login: 'eve@example.com', password: 'Tangerine-Kettle-43' }
    await idp.people.add(eve)
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(eve.login, eve.password)
    await visitor.selects('okta_email')
    await visitor.answers((await visitor.mail(eve.login)).code)
    const own = secretIn(await enrols(visitor))
    await visitor.answers(right(own))

    idp.clock.advance(10 * period)
    const second = newVisitor(idp)
    await second.begins()
    await second.signsIn(eve.login, eve.password)
    await second.selects('google_otp')
    expect(keyOf(await second.answers(right(secret)))).toBe(invalid)
    expect((await second.answers(right(own))).interactionCode).toBeDefined()
  })
})

describe('a recovery', () => {
  test('asks a user who has an app for its code, and two factors are proven by then', async () => {
    const secret = await enrolled()
    await twoFactors(idp)
    idp.clock.advance(10 * period)
    const visitor = newVisitor(idp)
    const proven = (await visitor.atTheReset()).response
    // The mailbox alone leads to no new password.
    expect(offered(proven)).toEqual(['select-authenticator-authenticate'])
    expect(optionsOf(proven).map(({ label }) => label)).toEqual(['Google Authenticator'])
    await visitor.selects('google_otp')
    expect(keyOf(await visitor.answers(wrong(secret)))).toBe(invalid)
    expect(offered(await visitor.answers(right(secret)))).toEqual(['reset-authenticator'])
    const done = await visitor.answers(newPassword)
    expect(await claimsOf(visitor, done)).toMatchObject({ amr: expect.arrayContaining(['otp', 'mfa']) })
  })

  test('of a user without one goes on to the new password', async () => {
    await activate(apiOf(idp), 'google_otp')
    expect((await newVisitor(idp).atTheReset()).remediations).toEqual(['reset-authenticator'])
  })
})

test('before a proof nothing tells a user with an app from one without, or from an unknown one', async () => {
  // Names of one length, so that the lengths of the answers can be compared, too.
  const people = ['tom@example.com', 'eve@example.com'].map((login) => ({
    login,
    password: 'Tangerine-Kettle-42',
  }))
  for (const person of people) await idp.people.add(person)
  await enrolled('tom@example.com')
  const id = authenticatorId('google_otp')
  const answersTo = async (login: string) => {
    const visitor = newVisitor(idp)
    const seen = [await visitor.recovers(login)]
    seen.push(await visitor.submits('challenge', { authenticator: { id } }))
    seen.push(await visitor.submits('credential/enroll', { authenticator: { id } }))
    seen.push(await visitor.submits('skip'), await visitor.selects('okta_email'))
    seen.push(await visitor.answers('000000'), await visitor.answers('AAAAAAAAAA'))
    const signing = newVisitor(idp)
    await signing.begins()
    seen.push(await signing.signsIn(login, 'a wrong password'))
    return seen.map((one) => withoutNames(one, login).replace(/x-rate-limit-[\w-]+: \d+/g, ''))
  }
  const [withApp, without, unknown] = [
    await answersTo('tom@example.com'),
    await answersTo('eve@example.com'),
    await answersTo('ada@example.com'),
  ]
  expect(withApp).toEqual(unknown)
  expect(without).toEqual(unknown)
  expect(withApp.join('\n')).not.toContain('google_otp')
})

test('the secret lies in the database sealed, before and after it is confirmed', async () => {
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const visitor = newVisitor(idp)
  await signsIn(visitor)
  const secret = secretIn(await enrols(visitor))
  const { db } = idp.engine.storage
  const rows = async () =>
    JSON.stringify([
      await db.selectFrom('transactions').selectAll().execute(),
      await db.selectFrom('enrollments').selectAll().execute(),
      await db.selectFrom('events').selectAll().execute(),
    ])
  expect(await rows()).toContain('sealedSecret')
  expect(await rows()).not.toContain(secret)
  await visitor.answers(right(secret))
  const [stored] = await db.selectFrom('enrollments').selectAll().where('method', '=', 'otp').execute()
  expect(JSON.parse(stored?.data ?? '')).toEqual({ sealedSecret: expect.any(String) })
  expect(await rows()).not.toContain(secret)
})

describe('another installation, and another secret of the same one', () => {
  const kitSecret = 'only for tests: everybody knows this secret'
  const newer = 'a newer secret of this installation'
  const kind = databases.find(({ name }) => name === (process.env.REKEY_TEST_DATABASE ?? 'sqlite'))

  async function signsInWithCode(kit: Kit, secret: string): Promise<boolean> {
    kit.clock.advance(20 * period)
    const visitor = newVisitor(kit)
    await visitor.begins()
    await visitor.signsIn(kit.person.login, kit.person.password)
    await visitor.selects('google_otp')
    return (await visitor.answers(codeAt(secret, kit.clock.now()))).interactionCode !== undefined
  }

  test('an export and an import keep the app', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-totp-'))
    const [from, to] = [await kind?.create(), await kind?.create()]
    if (from === undefined || to === undefined) throw new Error('there is no database')
    const rekey = (line: string, url: string) =>
      callCommand(line.split(' '), { folder, env: { DATABASE_URL: url, REKEY_SECRET: kitSecret } })
    try {
      idp = await replaced(idp, { database: from.url })
      const secret = await enrolled()
      expect((await rekey('export all.jsonl', from.url)).code).toBe(0)
      const imported = await rekey('import all.jsonl', to.url)
      expect(imported.stderr + imported.stdout).toContain('refused 0')
      const there = await startEngine({ clock: 'frozen', database: to.url })
      await twoFactors(there)
      expect(await signsInWithCode(there, secret)).toBe(true)
      await there.close()
    } finally {
      idp = await replaced(idp, {})
      await from.drop()
      await to.drop()
      rmSync(folder, { recursive: true })
    }
  })

  test('a newer master secret keeps the app, as long as the older one is known', async () => {
    const database = await kind?.create()
    if (database === undefined) throw new Error('there is no database')
    try {
      idp = await replaced(idp, { database: database.url })
      const secret = await enrolled()
      await twoFactors(idp)
      const settings = { secrets: [newer, kitSecret] }
      idp = await replaced(idp, { database: database.url, settings })
      expect(await signsInWithCode(idp, secret)).toBe(true)
    } finally {
      idp = await replaced(idp, {})
      await database.drop()
    }
  })

  test('what was sealed under a secret that is not known any more is not opened', () => {
    const sealed = createSecrets([kitSecret]).seal('totp secret', 'ZR74DHZTG43NBULV')
    expect(createSecrets([newer, kitSecret]).open('totp secret', sealed)).toBe('ZR74DHZTG43NBULV')
    expect(createSecrets([newer]).open('totp secret', sealed)).toBeUndefined()
  })

  async function replaced(before: Kit, options: Parameters<typeof startEngine>[0]): Promise<Kit> {
    await before.close()
    return startEngine({ clock: 'frozen', ...options })
  }
})
