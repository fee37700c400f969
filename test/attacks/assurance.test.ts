import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { Secret } from 'otpauth'
import { afterEach, describe, expect, test } from 'vitest'
import { createSecrets, systemRandom } from '../../src/base/index.ts'
import type { Settings } from '../../src/config/index.ts'
import { putEnrollment } from '../../src/directory/index.ts'
import { type Answer, type AnswerBody, answerFrom, type Kit, type Visitor } from '../../src/testing/index.ts'
import { mailTo, manyMails, newPassword, startTarget, visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { activate, codeAt, wrongCode } from '../wire/totp.ts'

const login = 'ada@example.com'
const password = 'Marmalade-Harbour-31'
/** Asks for the level of two factors first. */
const parameters = { acr_values: 'urn:okta:loa:2fa:any urn:okta:loa:1fa:pwd urn:okta:loa:1fa:any' }

let idp: Kit
let id: string
afterEach(() => idp.close())

async function started(settings: Settings): Promise<void> {
  idp = await startTarget({ settings: { ...settings, limits: manyMails } })
  id = (await idp.people.add({ login, password })).id
}

/** Chooses an authenticator by its key. */
async function chosen(visitor: Visitor, key: string): Promise<Answer> {
  await visitor.submits('introspect')
  return visitor.selects(key)
}

async function provenByMail(visitor: Visitor): Promise<Answer> {
  await chosen(visitor, 'okta_email')
  // A notice of a password that was changed before may be newer than the mail with the code.
  const { code } = await mailTo(idp, login, ['ForgotPassword', 'EmailChallenge'])
  return visitor.answers(code)
}

/** A recovery up to the choice of a proof, from the page that the policy starts with. */
async function recovering(start: 'password' | 'identifier', visitor: Visitor): Promise<void> {
  if (start === 'identifier') {
    await visitor.submits('identify', { identifier: login })
    await chosen(visitor, 'okta_password')
    await visitor.submits('recover')
  } else {
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: login })
  }
}

async function atTheReset(start: 'password' | 'identifier'): Promise<Visitor> {
  const visitor = await visit(idp, { parameters })
  await recovering(start, visitor)
  await provenByMail(visitor)
  return visitor
}

/** A sign-in up to the proof of the password. */
async function signIn(
  passcode: string,
  start: 'password' | 'identifier' = 'password',
): Promise<{ readonly visitor: Visitor; readonly reply: Answer }> {
  const visitor = await visit(idp, { parameters })
  if (start === 'password') {
    const reply = await visitor.submits('identify', { identifier: login, credentials: { passcode } })
    return { visitor, reply }
  }
  await visitor.submits('identify', { identifier: login })
  await chosen(visitor, 'okta_password')
  return { visitor, reply: await visitor.answers(passcode) }
}

const post = async (path: string, form: Readonly<Record<string, string>>): Promise<AnswerBody> => {
  const { clientId: client_id, clientSecret: client_secret } = idp
  const response = await fetch(`${idp.issuer}/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams({ client_id, client_secret, ...form }),
  })
  return (await answerFrom(response)).body
}

type Claims = Readonly<Record<string, unknown>>

/** What all tokens of a sign-in claim of it, in the order in which a client meets them. */
async function claimed(visitor: Visitor, granted: Answer): Promise<readonly Claims[]> {
  const { body: first } = await visitor.redeems(granted.interactionCode ?? '')
  const refreshed = await post('token', {
    grant_type: 'refresh_token',
    refresh_token: String(first.refresh_token),
  })
  const introspected = await post('introspect', { token: String(refreshed.access_token) })
  const userinfo = await fetch(`${idp.issuer}/v1/userinfo`, {
    headers: { authorization: `Bearer ${refreshed.access_token}` },
  })
  expect([introspected.active, userinfo.status]).toEqual([true, 200])
  return [
    ...[first.id_token, first.access_token, refreshed.id_token, refreshed.access_token].map((token) =>
      decodeJwt(String(token)),
    ),
    introspected,
    (await userinfo.json()) as Claims,
  ]
}

/** The methods and the level of the first token, once no other claims more. */
async function levelOf(visitor: Visitor, granted: Answer): Promise<readonly unknown[]> {
  const all = await claimed(visitor, granted)
  const amr = all[0]?.amr
  const acr = all[0]?.acr
  for (const other of all) {
    if (other.amr !== undefined) expect(other.amr).toEqual(amr)
    if (other.acr !== undefined) expect(other.acr).toBe(acr)
  }
  return [amr, acr]
}

const sessions = async (): Promise<number> =>
  (await idp.engine.storage.db.selectFrom('sessions').select('id').execute()).length

const secret = new Secret({ buffer: Uint8Array.from(createHash('sha1').update('of a test').digest()).buffer })
  .base32
const otp = (): string => codeAt(secret, idp.clock.now())

/** Gives the user an authenticator app, as its enrolment stores it. */
async function withApp(): Promise<void> {
  await activate(apiOf(idp), 'google_otp')
  const secrets = createSecrets(['only for tests: everybody knows this secret'])
  await putEnrollment(
    idp.engine.storage.db,
    {
      personId: id,
      authenticator: 'google_otp',
      prefix: 'uft',
      method: 'otp',
      data: { sealedSecret: secrets.seal('totp secret', secret) },
    },
    { random: systemRandom, now: idp.clock.now() },
  )
}

describe.each(['password', 'identifier'] as const)('where the first page asks for the %s', (start) => {
  test('A54: a recovery by mail is one factor, whatever the app asks for and the client requests', async () => {
    await started({ signOn: { start } })
    const visitor = await atTheReset(start)
    const granted = await visitor.answers(newPassword)
    expect(await levelOf(visitor, granted)).toEqual([['otp'], 'urn:okta:loa:1fa:any'])
  })

  test('A54: where an app asks for two, a recovery by mail ends in the reset, with no session', async () => {
    await started({ signOn: { start, factors: '2FA' } })
    const visitor = await atTheReset(start)
    expect((await visitor.submits('introspect')).interactionCode).toBeUndefined()
    const done = await visitor.answers(newPassword)
    expect([done.status, ...done.messages]).toEqual([200, 'idx.recovery.completed'])
    expect([done.interactionCode, done.body.remediation, await sessions()]).toEqual([undefined, undefined, 0])
    // It is over: nothing is left to be answered or granted.
    for (const path of ['introspect', 'challenge', 'challenge/answer']) {
      expect((await visitor.submits(path, { credentials: { passcode: newPassword } })).status).toBe(401)
    }

    const { visitor: next, reply: half } = await signIn(newPassword, start)
    expect(half.interactionCode).toBeUndefined()
    expect(await levelOf(next, await provenByMail(next))).toEqual([
      ['pwd', 'otp', 'mfa'],
      'urn:okta:loa:2fa:any',
    ])
    expect(await sessions()).toBe(1)
  })

  test('A54: a user who has another factor is asked for it, and only then has two', async () => {
    await started({ signOn: { start, factors: '2FA' } })
    await withApp()
    const visitor = await visit(idp, { parameters })
    await recovering(start, visitor)
    const proven = await provenByMail(visitor)
    expect(proven.remediations).toEqual(['select-authenticator-authenticate'])
    expect(proven.body.authenticators?.value.map(({ key }) => key)).toEqual(['google_otp'])
    await chosen(visitor, 'google_otp')
    expect((await visitor.answers(wrongCode(secret, idp.clock.now()))).messages).toEqual([
      'authfactor.challenge.soft_token.invalid_passcode',
    ])
    expect((await visitor.answers(otp())).remediations).toEqual(['reset-authenticator'])
    const granted = await visitor.answers(newPassword)
    expect(await levelOf(visitor, granted)).toEqual([['otp', 'pwd', 'mfa'], 'urn:okta:loa:2fa:any'])
  })
})

describe('a token that an administrator made', () => {
  const byToken = async () => {
    const api = apiOf(idp)
    const { body } = await api('POST', `/users/${id}/lifecycle/reset_password?sendEmail=false`)
    const recovery_token = String(body.resetPasswordUrl).split('/').at(-1) ?? ''
    return visit(idp, { parameters: { ...parameters, recovery_token } })
  }

  test('A54: is no factor: the password that it sets is the only one', async () => {
    await started({})
    const visitor = await byToken()
    const granted = await visitor.answers(newPassword)
    expect(await levelOf(visitor, granted)).toEqual([['pwd'], 'urn:okta:loa:1fa:pwd'])
  })

  test('A54: nor is it one with the mailbox: where an app asks for two, it ends in the reset', async () => {
    await started({ signOn: { factors: '2FA' } })
    const visitor = await byToken()
    const done = await visitor.answers(newPassword)
    expect(done.messages).toEqual(['idx.recovery.completed'])
    expect([done.interactionCode, await sessions()]).toEqual([undefined, 0])
  })
})

describe('a password that was set by mail, in later sign-ins', () => {
  const twoFactors = { signOn: { factors: '2FA' } } as const
  const recovered = async () => {
    await (await atTheReset('password')).answers(newPassword)
  }
  /** What a sign-in by a password and a mailed code is answered: the methods of its token, or the refusal. */
  const byBoth = async (passcode: string): Promise<unknown> => {
    const { visitor, reply } = await signIn(passcode)
    if (!reply.remediations.includes('select-authenticator-authenticate')) {
      return [reply.status, ...reply.messages]
    }
    return (await levelOf(visitor, await provenByMail(visitor)))[0]
  }
  const both = ['pwd', 'otp', 'mfa']
  const refused = [403, 'security.access_denied']

  test('A54: counts as a factor beside the mailbox, unless the owner of the installation says otherwise', async () => {
    await started(twoFactors)
    await recovered()
    expect(await byBoth(newPassword)).toEqual(both)
  })

  test('A54: is one factor with the mailbox where they count as one, until another password is set', async () => {
    await started({ ...twoFactors, recovery: { countsAsOneFactor: true } })
    expect(await byBoth(password)).toEqual(both)
    await recovered()
    expect(await byBoth(newPassword)).toEqual(refused)
    expect(await sessions()).toBe(1)

    // Changed by a user who knows it, it is a password like any other; so is one that an administrator sets.
    const value = 'Chosen-By-Its-Owner-7'
    const changed = await apiOf(idp)('POST', `/users/${id}/credentials/change_password`, {
      oldPassword: { value: newPassword },
      newPassword: { value },
    })
    expect(changed.status).toBe(200)
    expect(await byBoth(value)).toEqual(both)
    await recovered()
    expect(await byBoth(newPassword)).toEqual(refused)
    await idp.people.update(id, { password })
    expect(await byBoth(password)).toEqual(both)
  })

  test('A54: does not count with the mailbox in the other order either, and counts alone', async () => {
    await started({ signOn: { start: 'identifier', factors: '2FA' }, recovery: { countsAsOneFactor: true } })
    await (await atTheReset('identifier')).answers(newPassword)
    const visitor = await visit(idp, { parameters })
    await visitor.submits('identify', { identifier: login })
    const proven = await provenByMail(visitor)
    // What the password would prove is not known before it is typed.
    await chosen(visitor, 'okta_password')
    const done = await visitor.answers(newPassword)
    expect([proven.remediations[0], done.status, ...done.messages]).toEqual([
      'select-authenticator-authenticate',
      ...refused,
    ])
    await idp.close()

    await started({ recovery: { countsAsOneFactor: true } })
    await recovered()
    const { visitor: alone, reply } = await signIn(newPassword)
    expect(await levelOf(alone, reply)).toEqual([['pwd'], 'urn:okta:loa:1fa:pwd'])
  })

  test('A54: a second factor makes two with it, and a recovery with one sets a password that counts', async () => {
    await started({ ...twoFactors, recovery: { countsAsOneFactor: true } })
    await recovered()
    await withApp()
    const { visitor } = await signIn(newPassword)
    await chosen(visitor, 'google_otp')
    expect(await levelOf(visitor, await visitor.answers(otp()))).toEqual([both, 'urn:okta:loa:2fa:any'])

    const recovery = await visit(idp)
    await recovering('password', recovery)
    await provenByMail(recovery)
    await chosen(recovery, 'google_otp')
    idp.clock.advance('1m')
    await recovery.answers(otp())
    expect((await recovery.answers('Set-With-Two-Proofs-8')).interactionCode).toBeDefined()
    expect(await byBoth('Set-With-Two-Proofs-8')).toEqual(both)
  })
})
