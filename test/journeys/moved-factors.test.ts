import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { callCommand } from '../cli/terminal.ts'
import { databases, onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import type { SoftwarePasskey } from '../support/software-passkey.ts'
import { activationOf, challengeOf, newPasskey, passkeyEngine, sends } from '../wire/passkeys.ts'
import { latestText, number } from '../wire/phone.ts'
import { codeAt, enrollmentPolicy, secretIn, twoFactors } from '../wire/totp.ts'
import { type Answer, type Json, newVisitor, type Visitor } from '../wire/visitor.ts'

// An installation moves to an empty database, of the same kind and of the other one: its user proves there, in sign-ins of its own, each
// method that was enrolled before.
const secret = 'only for tests: everybody knows this secret'
const newPassword = 'Lighthouse-Biscuit-77'

interface Enrolled {
  readonly app: string
  readonly passkey: SoftwarePasskey
  readonly codes: readonly string[]
}

const contextual = ({ body }: Answer) =>
  (body.currentAuthenticator as { value: { contextualData?: Json } }).value.contextualData
async function spoken(idp: Kit): Promise<string> {
  return (await latestText(idp)).code ?? ''
}

/** Enrols every method there is, at one sign-in that requires them. */
async function enrolsAll(idp: Kit): Promise<Enrolled> {
  const keys = ['google_otp', 'phone_number', 'security_question', 'webauthn', 'recovery_codes']
  await enrollmentPolicy(idp, Object.fromEntries(keys.map((key) => [key, 'REQUIRED' as const])))
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  const app = secretIn(await visitor.enrolls('google_otp'))
  await visitor.answers(codeAt(app, idp.clock.now()))
  await visitor.enrolls('phone_number')
  await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: number })
  await visitor.answers(await spoken(idp))
  await visitor.enrolls('security_question')
  await sends(visitor, { questionKey: 'disliked_food', answer: 'Brussels sprouts' })
  const passkey = newPasskey()
  await sends(visitor, passkey.create(activationOf(await visitor.enrolls('webauthn')).challenge))
  const codes = contextual(await visitor.enrolls('recovery_codes'))?.recoveryCodes as string[]
  const done = await visitor.answers(codes[0])
  expect(done.interactionCode).toBeDefined()
  return { app, passkey, codes }
}

const kinds = ['email', 'sms', 'voice', 'app', 'passkey', 'codes'] as const
type Kind = (typeof kinds)[number]

/** The answer to a challenge of the second factor that was chosen. */
const proofs: Readonly<Record<Kind, (idp: Kit, visitor: Visitor, has: Enrolled) => Promise<Answer>>> = {
  async email(idp, visitor) {
    await visitor.selects('okta_email')
    const { code } = await idp.outbox.waitFor({ to: idp.person.login, template: 'EmailChallenge' })
    return visitor.answers(code)
  },
  async sms(idp, visitor) {
    await visitor.selects('phone_number', { methodType: 'sms' })
    return visitor.answers(await spoken(idp))
  },
  async voice(idp, visitor) {
    await visitor.selects('phone_number', { methodType: 'voice' })
    return visitor.answers(await spoken(idp))
  },
  async app(idp, visitor, { app }) {
    await visitor.selects('google_otp')
    return visitor.answers(codeAt(app, idp.clock.now()))
  },
  async passkey(_, visitor, { passkey }) {
    const { challenge } = challengeOf(await visitor.selects('webauthn'))
    return sends(visitor, passkey.get(challenge))
  },
  async codes(_, visitor, { codes }) {
    await visitor.selects('recovery_codes')
    // The one of the enrolment was used by it, before the move.
    expect((await visitor.answers(codes[0])).status).toBe(401)
    const proven = await visitor.answers(codes[1])
    // A new set in place of the one that was used is asked for at once.
    expect(proven.text).toContain('recovery_codes')
    const anew = contextual(await visitor.enrolls('recovery_codes'))?.recoveryCodes as string[]
    return visitor.answers(anew[0])
  },
}

async function moved(from: string, to: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-moved-'))
  const rekey = (line: string, url: string) =>
    callCommand(line.split(' '), { folder, env: { DATABASE_URL: url, REKEY_SECRET: secret } })
  try {
    expect(await rekey('export all.jsonl', from)).toMatchObject({ code: 0 })
    expect(await rekey('import all.jsonl', to)).toMatchObject({
      ...{ code: 0, stderr: '' },
      stdout: expect.stringMatching(/refused 0/),
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

onEachDatabase('each method of a user, after a move', ({ name, create }) => {
  const made: TestDatabase[] = []
  let idp: Kit
  let has: Enrolled
  beforeAll(async () => {
    const other = databases.find((one) => one.name !== name && one.skipped === undefined)
    const [from, to] = [await (other ?? databases[0])?.create(), await create()]
    if (from === undefined) throw new Error('there is no database')
    made.push(from, to)
    const first = await startEngine({ clock: 'frozen', database: from.url, ...passkeyEngine })
    has = await enrolsAll(first)
    await twoFactors(first)
    await first.close()
    await moved(from.url, to.url)
    idp = await startEngine({ clock: 'frozen', database: to.url, ...passkeyEngine })
  })
  afterAll(async () => {
    await idp?.close()
    for (const database of made) await database.drop()
  })

  test.each(kinds)('%s is proven as the second factor', async (kind) => {
    idp.clock.advance(60_000)
    const visitor = newVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(idp.person.login, idp.person.password)
    const done = await proofs[kind](idp, visitor, has)
    expect(done.text).toContain('successWithInteractionCode')
    expect(done.interactionCode).toBeDefined()
  })

  test('the question is answered in a recovery, and the password is replaced by another than any before', async () => {
    idp.clock.advance(60_000)
    const visitor = newVisitor(idp)
    await visitor.atTheCode(idp.person.login)
    await visitor.answers((await visitor.mail()).code)
    await visitor.selects('security_question')
    expect((await sends(visitor, { answer: 'Cabbage' })).status).toBe(401)
    await sends(visitor, { answer: ' brussels SPROUTS ' })
    expect((await visitor.answers(idp.person.password)).status).toBe(400)
    const set = await visitor.answers(newPassword)
    expect(set.status).toBe(200)
  })
})
