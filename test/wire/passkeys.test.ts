import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { callCommand } from '../cli/terminal.ts'
import { apiOf } from '../support/management.ts'
import { databases } from '../support/postgres.ts'
import type { SoftwarePasskey } from '../support/software-passkey.ts'
import {
  activationOf,
  appOrigin,
  assertionFailed,
  attestationFailed,
  challengeOf,
  enrolsPasskey,
  firstChallengeOf,
  firstPagePath,
  newPasskey,
  passkeyEngine,
  requirePasskeys,
  sends,
  setPasskeys,
} from './passkeys.ts'
import { enrollmentPolicy, twoFactors } from './totp.ts'
import { type Answer, type Json, newVisitor, type Visitor } from './visitor.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen', ...passkeyEngine })
})
beforeEach(async () => {
  await idp.reset()
  await requirePasskeys(idp)
})
afterAll(() => idp.close())

const mary = () => idp.person
const partOf = ({ body }: Answer, name: string) => (body[name] as { value: Json } | undefined)?.value ?? {}
const enrollmentsIn = (answer: Answer) =>
  (partOf(answer, 'authenticatorEnrollments') as unknown as readonly Json[]).filter(
    ({ key }) => key === 'webauthn',
  )
async function claimsOf(visitor: Visitor, seen: Answer): Promise<Json> {
  const { body } = await visitor.redeems(seen.interactionCode)
  return JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString()) as Json
}
/** A sign-in that waits for a passkey as the second factor. */
async function atThePasskey(): Promise<{ readonly visitor: Visitor; readonly seen: Answer }> {
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(mary().login, mary().password)
  return { visitor, seen: await visitor.selects('webauthn') }
}
const enrolled = (passkey?: SoftwarePasskey) => enrolsPasskey(newVisitor(idp), mary(), passkey)

describe('enrolment', () => {
  test('shows what a browser needs to make a passkey', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(mary().login, mary().password)
    const seen = await visitor.enrolls('webauthn')
    const data = activationOf(seen)
    expect(data).toEqual({
      rp: { name: expect.any(String), id: 'localhost' },
      user: { id: expect.stringMatching(/^[\w-]{32}$/), name: mary().login, displayName: 'Mary' },
      pubKeyCredParams: [-7, -257, -8].map((alg) => ({ type: 'public-key', alg })),
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      attestation: 'none',
      authenticatorSelection: {
        userVerification: 'preferred',
        requireResidentKey: false,
        residentKey: 'preferred',
      },
      u2fParams: { appid: idp.engineUrl },
      hints: [],
      excludeCredentials: [],
    })
    // The page shows the same again; the handle says nothing of the user.
    expect(activationOf(await visitor.introspects())).toEqual(data)
    const person = await idp.engine.storage.db.selectFrom('people').select('id').executeTakeFirstOrThrow()
    expect(Buffer.from(data.user.id, 'base64url').toString('latin1')).not.toContain(person.id)
  })

  test.each(['ES256', 'RS256', 'EdDSA'] as const)(
    'takes a key of %s, which signs in later',
    async (algorithm) => {
      const { passkey, answer } = await enrolled(newPasskey({ algorithm }))
      expect(answer.interactionCode).toBeDefined()
      await twoFactors(idp)
      const { visitor, seen } = await atThePasskey()
      const done = await sends(visitor, passkey.get(challengeOf(seen).challenge))
      expect(await claimsOf(visitor, done)).toMatchObject({ amr: ['pwd', 'hwk', 'user', 'mfa'] })
    },
  )

  test('takes base64 and base64url, padded or not', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(mary().login, mary().password)
    const { challenge } = activationOf(await visitor.enrolls('webauthn'))
    const { attestation, clientData } = newPasskey().create(challenge)
    const url = (text: string) => Buffer.from(text, 'base64').toString('base64url')
    const mixed = {
      attestation: url(attestation),
      clientData: clientData.replace(/=+$/, ''),
      transports: '["usb"]',
    }
    expect((await sends(visitor, mixed)).interactionCode).toBeDefined()
  })

  test('lists what was enrolled, by the name of its model, for the second factor alone', async () => {
    const { passkey } = await enrolled()
    await twoFactors(idp)
    const first = await newVisitor(idp).begins()
    const { seen } = await atThePasskey()
    expect(enrollmentsIn(seen)).toMatchObject([
      {
        type: 'security_key',
        displayName: 'Passkey',
        credentialId: passkey.credentialId.toString('base64url'),
        transports: [],
        methods: [{ type: 'webauthn' }],
      },
    ])
    expect(first.text).not.toContain(passkey.credentialId.toString('base64url'))
    expect(partOf(seen, 'currentAuthenticator')).toMatchObject({
      key: 'webauthn',
      contextualData: {
        challengeData: {
          rpId: 'localhost',
          userVerification: 'preferred',
          // Without https there is no AppID that a browser would take.
          extensions: {},
        },
      },
    })
  })

  test('an answer that is none is no guess, and one that fails gets another challenge', async () => {
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(mary().login, mary().password)
    const { challenge } = activationOf(await visitor.enrolls('webauthn'))
    for (const credentials of [{}, { clientData: 'AAAA' }, { clientData: ['AAAA'], attestation: {} }]) {
      expect((await sends(visitor, credentials)).messages).toEqual(['model.validation.field.blank'])
    }
    const refused = await sends(visitor, newPasskey().create('another challenge'))
    expect([refused.status, ...refused.messages]).toEqual([400, attestationFailed])
    const again = activationOf(refused).challenge
    expect(again).not.toBe(challenge)
    const late = await sends(visitor, newPasskey().create(challenge))
    expect([late.status, ...late.messages]).toEqual([400, attestationFailed])
    const done = await sends(visitor, newPasskey().create(activationOf(late).challenge))
    expect(done.interactionCode).toBeDefined()
  })

  test('a second passkey of a user has the same handle, and excludes the first', async () => {
    const { passkey, handle } = await enrolled()
    // As an account page of the user adds one: the sign-in asks for the first alone.
    const api = apiOf(idp)
    const { body } = await api('GET', `/users/${mary().login}`)
    const rows = await idp.engine.storage.db.selectFrom('enrollments').selectAll().execute()
    const [row] = rows.filter(({ authenticator }) => authenticator === 'webauthn')
    expect(row).toMatchObject({ person_id: body.id, handle, counter: passkey.counter, name: 'Passkey' })
    expect(row?.slot).not.toBe(row?.id)
  })
})

test('of two passkeys the one from before a recovery opens an enrolment, the newer one leaves it to be proven (A76)', async () => {
  await idp.reset()
  await enrollmentPolicy(idp, { webauthn: 'REQUIRED', google_otp: 'REQUIRED' })
  const { db } = idp.engine.storage
  const older = await enrolled()
  // Away while the newer one is made: a sign-in with a passkey asks for no second one.
  const isPasskey = ['authenticator', '=', 'webauthn'] as const
  const { person_id: owner } = await db
    .selectFrom('enrollments')
    .select('person_id')
    .where(...isPasskey)
    .executeTakeFirstOrThrow()
  const other = await idp.people.add({ login: 'eve@example.com' })
  await db
    .updateTable('enrollments')
    .set({ person_id: other.id, created_at: 1 })
    .where(...isPasskey)
    .execute()
  const newer = await enrolled()
  await db
    .updateTable('enrollments')
    .set({ person_id: owner })
    .where(...isPasskey)
    .execute()
  await db.updateTable('people').set({ recovered_at: 2 }).where('id', '=', owner).execute()
  await twoFactors(idp)

  const { visitor, seen } = await atThePasskey()
  const byNewer = await sends(visitor, newer.passkey.get(challengeOf(seen).challenge))
  expect(byNewer.remediations).toContain('select-authenticator-authenticate')
  const again = await visitor.selects('webauthn')
  expect(enrollmentsIn(again)).toMatchObject([
    { credentialId: older.passkey.credentialId.toString('base64url') },
  ])
  const byOlder = await sends(visitor, older.passkey.get(challengeOf(again).challenge))
  expect(byOlder.remediations).toContain('select-authenticator-enroll')
})

describe('what an administrator sets', () => {
  const enrolsWith = async (settings: Json, passkey: SoftwarePasskey) => {
    await setPasskeys(idp, settings)
    const visitor = newVisitor(idp)
    const { answer } = await enrolsPasskey(visitor, mary(), passkey)
    return { visitor, answer }
  }

  test('is checked', async () => {
    for (const settings of [
      { userVerification: 'MAYBE' },
      { attachment: 1 },
      { enableAutofillUI: 'yes' },
      { attestation: 'INDIRECT' },
    ]) {
      await expect(setPasskeys(idp, settings)).rejects.toThrow(/E0000001/)
    }
  })

  test('goes to the browser', async () => {
    await setPasskeys(idp, {
      userVerification: 'REQUIRED',
      attachment: 'BUILT_IN',
      residentKeyRequirement: 'REQUIRED',
      attestation: 'DIRECT',
    })
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(mary().login, mary().password)
    expect(activationOf(await visitor.enrolls('webauthn'))).toMatchObject({
      attestation: 'direct',
      authenticatorSelection: {
        userVerification: 'required',
        requireResidentKey: true,
        residentKey: 'required',
        authenticatorAttachment: 'platform',
      },
    })
  })

  test('user verification that is required is not left out, neither at enrolment nor later', async () => {
    const settings = { userVerification: 'REQUIRED' }
    const refused = await enrolsWith(settings, newPasskey({ verifiesUser: false }))
    expect([refused.answer.status, ...refused.answer.messages]).toEqual([400, attestationFailed])
    const { passkey } = await enrolled()
    await twoFactors(idp)
    const { visitor, seen } = await atThePasskey()
    expect(challengeOf(seen).userVerification).toBe('required')
    const wrong = await sends(visitor, passkey.get(challengeOf(seen).challenge, { verifiesUser: false }))
    expect([wrong.status, ...wrong.messages]).toEqual([401, assertionFailed])
  })

  test('passkeys that are copied to other devices may be refused', async () => {
    const copied = newPasskey({ isSyncable: true, counter: 0 })
    const { answer } = await enrolsWith({ allowSyncablePasskeys: false }, copied)
    expect([answer.status, ...answer.messages]).toEqual([400, attestationFailed])
    await setPasskeys(idp, {})
    expect((await enrolled(copied)).answer.interactionCode).toBeDefined()
  })
})

describe('a proof', () => {
  test('without user verification is possession alone', async () => {
    await setPasskeys(idp, { enableAutofillUI: true })
    const { passkey, handle } = await enrolled(newPasskey({ verifiesUser: false }))
    await twoFactors(idp)
    const visitor = newVisitor(idp)
    const { challenge } = firstChallengeOf(await visitor.begins())
    const credentials = { ...passkey.get(challenge), userHandle: handle }
    const seen = await visitor.submits(firstPagePath, { credentials })
    // What is missing is asked for.
    expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
    expect(seen.body.authenticators?.value.map(({ key }) => key)).toEqual(['okta_password'])
    await visitor.selects('okta_password')
    const done = await visitor.answers(mary().password)
    expect(await claimsOf(visitor, done)).toMatchObject({ amr: ['hwk', 'user', 'pwd', 'mfa'] })
  })

  test('of a passkey that counts nothing is good each time, in its own transaction', async () => {
    const { passkey } = await enrolled(newPasskey({ counter: 0, isSyncable: true }))
    await twoFactors(idp)
    for (let time = 0; time < 2; time++) {
      const { visitor, seen } = await atThePasskey()
      const done = await sends(visitor, passkey.get(challengeOf(seen).challenge))
      expect(done.interactionCode).toBeDefined()
    }
    const rows = await idp.engine.storage.db.selectFrom('enrollments').selectAll().execute()
    const [row] = rows.filter(({ authenticator }) => authenticator === 'webauthn')
    expect(row?.last_used_at).toBe(idp.clock.now())
  })
})

describe('the first page', () => {
  test('is as before unless an administrator has it offer passkeys', async () => {
    const visitor = newVisitor(idp)
    const seen = await visitor.begins()
    expect(visitor.remediations).toEqual(['identify', 'select-enroll-profile'])
    expect(seen.body.webauthnAutofillUIChallenge).toBeUndefined()
    await visitor.submits(firstPagePath, { credentials: newPasskey().get('any') })
    expect(visitor.messages).toEqual(['E0000020'])
  })

  test.each([
    ['enableAutofillUI', 'challenge-webauthn-autofillui-authenticator'],
    ['showSignInWithAPasskeyButton', 'launch-passkeys-authenticator'],
  ])('offers with %s the form %s, which signs in', async (setting, form) => {
    await setPasskeys(idp, { [setting]: true })
    const { passkey, handle } = await enrolled()
    const visitor = newVisitor(idp)
    const seen = await visitor.begins()
    expect(visitor.remediations).toEqual(['identify', form, 'select-enroll-profile'])
    expect(seen.text).not.toContain(passkey.credentialId.toString('base64url'))
    const { challenge } = firstChallengeOf(seen)
    expect(firstChallengeOf(await visitor.introspects()).challenge).toBe(challenge)
    const credentials = {
      ...passkey.get(challenge),
      userHandle: Buffer.from(handle, 'base64url').toString('base64'),
    }
    const done = await visitor.submits(firstPagePath, { credentials })
    expect(await claimsOf(visitor, done)).toMatchObject({ amr: ['hwk', 'user', 'mfa'] })
  })
})

describe('a passkey of another domain', () => {
  test('is not asked for, and a new one is enrolled', async () => {
    await enrolled()
    const { db } = idp.engine.storage
    const rows = await db.selectFrom('enrollments').selectAll().execute()
    const [row] = rows.filter(({ authenticator }) => authenticator === 'webauthn')
    const data = JSON.stringify({ ...JSON.parse(row?.data ?? ''), rpId: 'old.example.com' })
    await db
      .updateTable('enrollments')
      .set({ data })
      .where('id', '=', row?.id ?? '')
      .execute()
    const visitor = newVisitor(idp)
    await visitor.begins()
    const seen = await visitor.signsIn(mary().login, mary().password)
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    expect(enrollmentsIn(seen)).toEqual([])
  })
})

test('the origin is that of the app, of the engine, or trusted', async () => {
  const tried = async (origin: string) => (await enrolled(newPasskey({ origin }))).answer.interactionCode
  expect(await tried('http://localhost:8080')).toBeDefined()
  await idp.reset()
  await requirePasskeys(idp)
  expect(await tried('https://login.example.com')).toBeUndefined()
  const origin = { name: 'Login', origin: 'https://login.example.com', scopes: [{ type: 'CORS' }] }
  expect((await apiOf(idp)('POST', '/trustedOrigins', origin)).status).toBe(200)
  expect(await tried('https://login.example.com')).toBeDefined()
  expect(appOrigin).toBe('http://localhost:8080')
})

describe('beside the engine', () => {
  test('browsers read which origins of other sites may use its passkeys', async () => {
    const read = async () => (await fetch(`${idp.engineUrl}/.well-known/webauthn`)).json()
    expect(await read()).toEqual({ origins: [] })
    for (const address of ['https://shop.example', 'http://app.localhost:3000']) {
      const origin = { name: address, origin: address, scopes: [{ type: 'CORS' }] }
      expect((await apiOf(idp)('POST', '/trustedOrigins', origin)).status).toBe(200)
    }
    // Those that the domain covers need not be named.
    expect(await read()).toEqual({ origins: ['https://shop.example'] })
  })

  test('an export and an import keep a passkey, and doctor counts those of another domain', async () => {
    const kitSecret = 'only for tests: everybody knows this secret'
    const kind = databases.find(({ name }) => name === (process.env.REKEY_TEST_DATABASE ?? 'sqlite'))
    const [from, to] = [await kind?.create(), await kind?.create()]
    if (from === undefined || to === undefined) throw new Error('there is no database')
    const folder = mkdtempSync(join(tmpdir(), 'rekey-passkeys-'))
    const rekey = (line: string, url: string, env = {}) =>
      callCommand(line.split(' '), { folder, env: { DATABASE_URL: url, REKEY_SECRET: kitSecret, ...env } })
    const here = await startEngine({ clock: 'frozen', database: from.url, ...passkeyEngine })
    try {
      await requirePasskeys(here)
      await setPasskeys(here, { enableAutofillUI: true })
      const { passkey, handle } = await enrolsPasskey(newVisitor(here), here.person)
      expect((await rekey('export all.jsonl', from.url)).code).toBe(0)
      const imported = await rekey('import all.jsonl', to.url)
      expect(imported.stderr + imported.stdout).toContain('refused 0')
      const there = await startEngine({ clock: 'frozen', database: to.url, ...passkeyEngine })
      await setPasskeys(there, { enableAutofillUI: true })
      const visitor = newVisitor(there)
      const { challenge } = firstChallengeOf(await visitor.begins())
      const credentials = { ...passkey.get(challenge), userHandle: handle }
      expect((await visitor.submits(firstPagePath, { credentials })).interactionCode).toBeDefined()
      await there.close()

      const found = async (issuer: string) => {
        const { stdout } = await rekey('doctor --json', to.url, { REKEY_ISSUER: issuer })
        const findings: readonly { id: string; result: string; why: string }[] = JSON.parse(stdout)
        return findings.filter(({ id }) => id === 'webauthn.rpId').map(({ result, why }) => [result, why])
      }
      expect(await found('http://localhost:9000')).toEqual([['met', 'all 1 were made for localhost']])
      expect(await found('https://id.example.com')).toEqual([
        [
          'deviates',
          expect.stringMatching(/^1 of 1 passkeys were made for another domain than id\.example\.com/),
        ],
      ])
    } finally {
      await here.close()
      await from.drop()
      await to.drop()
      rmSync(folder, { recursive: true })
    }
  })
})
