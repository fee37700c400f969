import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { Secret, TOTP } from 'otpauth'
import { afterEach, describe, expect, test } from 'vitest'
import { createSecrets, systemRandom } from '../../src/base/index.ts'
import type { Settings } from '../../src/config/index.ts'
import { putEnrollment } from '../../src/directory/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { answer, mailTo, manyMails, newPassword, startTarget } from '../support/attacks.ts'
import {
  codeOf,
  messageKeysOf,
  type Reply,
  remediationsOf,
  visit,
  type Wire,
  type WireVisitor,
} from '../support/idx.ts'
import { apiOf } from '../support/management.ts'

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
async function chosen(visitor: WireVisitor, key: string): Promise<Reply> {
  const { body } = await visitor.post('introspect')
  const found = body.authenticators?.value.find((one: Wire) => one.key === key)
  return visitor.post('challenge', { authenticator: { id: found?.id } })
}

async function provenByMail(visitor: WireVisitor): Promise<Reply> {
  await chosen(visitor, 'okta_email')
  return answer(visitor, (await mailTo(idp, login)).code)
}

/** A recovery up to the choice of a proof, from the page that the policy starts with. */
async function recovering(start: 'password' | 'identifier', visitor: WireVisitor): Promise<void> {
  if (start === 'identifier') {
    await visitor.post('identify', { identifier: login })
    await chosen(visitor, 'okta_password')
    await visitor.post('recover')
  } else {
    await visitor.post('recover')
    await visitor.post('identify', { identifier: login })
  }
}

async function atTheReset(start: 'password' | 'identifier'): Promise<WireVisitor> {
  const visitor = await visit(idp, { parameters })
  await recovering(start, visitor)
  await provenByMail(visitor)
  return visitor
}

/** A sign-in up to the proof of the password. */
async function signIn(
  passcode: string,
  start: 'password' | 'identifier' = 'password',
): Promise<{ readonly visitor: WireVisitor; readonly reply: Reply }> {
  const visitor = await visit(idp, { parameters })
  if (start === 'password') {
    const reply = await visitor.post('identify', { identifier: login, credentials: { passcode } })
    return { visitor, reply }
  }
  await visitor.post('identify', { identifier: login })
  await chosen(visitor, 'okta_password')
  return { visitor, reply: await answer(visitor, passcode) }
}

const post = async (path: string, form: Readonly<Record<string, string>>): Promise<Wire> => {
  const { clientId: client_id, clientSecret: client_secret } = idp
  const response = await fetch(`${idp.issuer}/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams({ client_id, client_secret, ...form }),
  })
  return response.json()
}

/** What all tokens of a sign-in claim of it, in the order in which a client meets them. */
async function claimed(visitor: WireVisitor, granted: Reply): Promise<readonly Wire[]> {
  const { body: first } = await visitor.tokens(codeOf(granted.body) ?? '')
  const refreshed = await post('token', { grant_type: 'refresh_token', refresh_token: first.refresh_token })
  const introspected = await post('introspect', { token: refreshed.access_token })
  const userinfo = await fetch(`${idp.issuer}/v1/userinfo`, {
    headers: { authorization: `Bearer ${refreshed.access_token}` },
  })
  expect([introspected.active, userinfo.status]).toEqual([true, 200])
  return [
    ...[first.id_token, first.access_token, refreshed.id_token, refreshed.access_token].map(decodeJwt),
    introspected,
    await userinfo.json(),
  ]
}

/** The methods and the level of the first token, once no other claims more. */
async function levelOf(visitor: WireVisitor, granted: Reply): Promise<readonly unknown[]> {
  const all = await claimed(visitor, granted)
  const [{ amr, acr }] = all
  for (const other of all) {
    if (other.amr !== undefined) expect(other.amr).toEqual(amr)
    if (other.acr !== undefined) expect(other.acr).toBe(acr)
  }
  return [amr, acr]
}

const sessions = async (): Promise<number> =>
  (await idp.engine.storage.db.selectFrom('sessions').select('id').execute()).length

const secret = new Secret({ buffer: Uint8Array.from(createHash('sha1').update('of a test').digest()).buffer })
const otp = (): string => new TOTP({ secret, digits: 6, period: 30 }).generate({ timestamp: idp.clock.now() })

/** Gives the user an authenticator app, as its enrolment stores it. */
async function withApp(): Promise<void> {
  const api = apiOf(idp)
  const [app] = (await api('GET', '/authenticators')).list.filter(({ key }) => key === 'google_otp')
  expect((await api('POST', `/authenticators/${app?.id}/lifecycle/activate`)).status).toBe(200)
  const secrets = createSecrets(['only for tests: everybody knows this secret'])
  await putEnrollment(
    idp.engine.storage.db,
    {
      personId: id,
      authenticator: 'google_otp',
      prefix: 'uft',
      method: 'otp',
      data: { sealedSecret: secrets.seal('totp secret', secret.base32) },
    },
    { random: systemRandom, now: idp.clock.now() },
  )
}

describe.each(['password', 'identifier'] as const)('where the first page asks for the %s', (start) => {
  test('A54: a recovery by mail is one factor, whatever the app asks for and the client requests', async () => {
    await started({ signOn: { start } })
    const visitor = await atTheReset(start)
    const granted = await answer(visitor, newPassword)
    expect(await levelOf(visitor, granted)).toEqual([['otp'], 'urn:okta:loa:1fa:any'])
  })

  test('A54: where an app asks for two, a recovery by mail ends in the reset, with no session', async () => {
    await started({ signOn: { start, factors: '2FA' } })
    const visitor = await atTheReset(start)
    expect(codeOf((await visitor.post('introspect')).body)).toBeUndefined()
    const done = await answer(visitor, newPassword)
    expect([done.status, ...messageKeysOf(done.body)]).toEqual([200, 'idx.recovery.completed'])
    expect([codeOf(done.body), done.body.remediation, await sessions()]).toEqual([undefined, undefined, 0])
    // It is over: nothing is left to be answered or granted.
    for (const path of ['introspect', 'challenge', 'challenge/answer']) {
      expect((await visitor.post(path, { credentials: { passcode: newPassword } })).status).toBe(401)
    }

    const { visitor: next, reply: half } = await signIn(newPassword, start)
    expect(codeOf(half.body)).toBeUndefined()
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
    expect(remediationsOf(proven.body)).toEqual(['select-authenticator-authenticate'])
    expect(proven.body.authenticators.value.map(({ key }: Wire) => key)).toEqual(['google_otp'])
    await chosen(visitor, 'google_otp')
    expect(messageKeysOf((await answer(visitor, '000000')).body)).toEqual([
      'authfactor.challenge.soft_token.invalid_passcode',
    ])
    expect(remediationsOf((await answer(visitor, otp())).body)).toEqual(['reset-authenticator'])
    const granted = await answer(visitor, newPassword)
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
    const granted = await answer(visitor, newPassword)
    expect(await levelOf(visitor, granted)).toEqual([['pwd'], 'urn:okta:loa:1fa:pwd'])
  })

  test('A54: nor is it one with the mailbox: where an app asks for two, it ends in the reset', async () => {
    await started({ signOn: { factors: '2FA' } })
    const visitor = await byToken()
    const done = await answer(visitor, newPassword)
    expect(messageKeysOf(done.body)).toEqual(['idx.recovery.completed'])
    expect([codeOf(done.body), await sessions()]).toEqual([undefined, 0])
  })
})

describe('a password that was set by mail, in later sign-ins', () => {
  const twoFactors = { signOn: { factors: '2FA' } } as const
  const recovered = async () => {
    await answer(await atTheReset('password'), newPassword)
  }
  /** What a sign-in by a password and a mailed code is answered: the methods of its token, or the refusal. */
  const byBoth = async (passcode: string): Promise<unknown> => {
    const { visitor, reply } = await signIn(passcode)
    if (!remediationsOf(reply.body).includes('select-authenticator-authenticate')) {
      return [reply.status, ...messageKeysOf(reply.body)]
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
    await answer(await atTheReset('identifier'), newPassword)
    const visitor = await visit(idp, { parameters })
    await visitor.post('identify', { identifier: login })
    const proven = await provenByMail(visitor)
    // What the password would prove is not known before it is typed.
    await chosen(visitor, 'okta_password')
    const done = await answer(visitor, newPassword)
    expect([remediationsOf(proven.body)[0], done.status, ...messageKeysOf(done.body)]).toEqual([
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
    expect(await levelOf(visitor, await answer(visitor, otp()))).toEqual([both, 'urn:okta:loa:2fa:any'])

    const recovery = await visit(idp)
    await recovering('password', recovery)
    await provenByMail(recovery)
    await chosen(recovery, 'google_otp')
    idp.clock.advance('1m')
    await answer(recovery, otp())
    expect(codeOf((await answer(recovery, 'Set-With-Two-Proofs-8')).body)).toBeDefined()
    expect(await byBoth('Set-With-Two-Proofs-8')).toEqual(both)
  })
})
