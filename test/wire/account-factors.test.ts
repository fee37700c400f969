import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import {
  type AccountAnswer,
  type AccountApi,
  accountApi,
  accountVisitor,
  grantAccount,
  tokenIn,
} from '../support/account.ts'
import { newPasskey, passkeyEngine } from './passkeys.ts'
import { lastCode, latestText, number } from './phone.ts'
import { codeAt, enrollmentPolicy } from './totp.ts'

// Phones, passkeys and secondary addresses that users add to their own accounts. Runs on PostgreSQL in `npm run test:pg`.
let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen', ...passkeyEngine })
})
beforeEach(async () => {
  await idp.reset()
  await grantAccount(idp)
  await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', webauthn: 'OPTIONAL', google_otp: 'OPTIONAL' })
})
afterAll(() => idp.close())

/** A sign-in by the password, and with a secret by the app as well. */
async function signsIn(secret?: string): Promise<AccountApi> {
  const visitor = accountVisitor(idp, secret === undefined ? {} : { acr_values: 'urn:okta:loa:2fa:any' })
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  if (secret !== undefined) {
    await visitor.selects('google_otp')
    await visitor.answers(codeAt(secret, idp.clock.now()))
  }
  if (visitor.remediations.includes('skip')) await visitor.submits('skip')
  return accountApi(idp, await tokenIn(visitor))
}
const failure = ({ status, body }: AccountAnswer) => [status, body.errorCode]
const phone = { profile: { phoneNumber: '+1 555 123 4567' }, method: 'SMS' }
const kept = async () => (await idp.factors.list(idp.person)).map(({ authenticator }) => authenticator)

describe('a phone', () => {
  test('is added, confirmed by the code that was sent, asked again, and removed', async () => {
    const api = await signsIn()
    const added = await api('POST', '/phones', phone)
    expect([added.status, added.body]).toMatchObject([
      201,
      { id: expect.stringMatching(/^pae/), status: 'UNVERIFIED', profile: { phoneNumber: number } },
    ])
    const { verify, challenge, self } = added.body._links as Record<string, { href: string }>
    expect(await kept()).toEqual([])
    const answer = (verificationCode: string) => api('POST', verify?.href ?? '', { verificationCode })
    expect(failure(await api('POST', challenge?.href ?? '', { method: 'SMS' }))).toEqual([429, 'E0000109'])
    const first = await lastCode(idp)
    expect((await api('POST', challenge?.href ?? '', { method: 'CALL' })).status).toBe(200)
    expect((await latestText(idp)).channel).toBe('voice')
    expect(failure(await answer(first))).toEqual([401, 'E0000004'])
    expect((await answer(await lastCode(idp))).status).toBe(204)
    expect((await api('GET', self?.href ?? '')).body).toMatchObject({ status: 'VERIFIED' })
    await idp.outbox.waitFor({ to: idp.person.login, template: ['AuthenticatorEnrolled'] })

    expect(failure(await answer('123456'))).toEqual([403, 'E0000006'])
    const visitor = accountVisitor(idp, { acr_values: 'urn:okta:loa:2fa:any' })
    await visitor.begins()
    await visitor.signsIn(idp.person.login, idp.person.password)
    await idp.clock.advance('31s')
    await visitor.selects('phone_number', { methodType: 'sms' })
    await visitor.answers(await lastCode(idp))
    if (visitor.remediations.includes('skip')) await visitor.submits('skip')
    const strong = accountApi(idp, await tokenIn(visitor))
    expect(failure(await strong('POST', verify?.href ?? '', { verificationCode: '123456' }))).toEqual([
      409,
      'E0000157',
    ])
    expect(failure(await strong('POST', '/phones', phone))).toEqual([409, 'E0000157'])
    await idp.clock.advance('31s')
    await strong('POST', challenge?.href ?? '', { method: 'SMS' })
    const again = { verificationCode: await lastCode(idp) }
    expect((await strong('POST', verify?.href ?? '', again)).status).toBe(204)
    expect((await strong('DELETE', self?.href ?? '')).status).toBe(204)
    expect(await kept()).toEqual([])
    expect((await strong('GET', '/phones')).list).toEqual([])
  })

  test('without a code waits for its challenge, and may be taken back', async () => {
    const api = await signsIn()
    const added = await api('POST', '/phones', { ...phone, sendCode: false })
    const { verify, self } = added.body._links as Record<string, { href: string }>
    expect(failure(await api('POST', verify?.href ?? '', { verificationCode: '123456' }))).toEqual([
      409,
      'E0000157',
    ])
    expect((await api('DELETE', self?.href ?? '')).status).toBe(204)
    expect(failure(await api('GET', self?.href ?? ''))).toEqual([404, 'E0000008'])
    const [, sum] = failure(await api('POST', '/phones', { profile: { phoneNumber: 'none' } }))
    expect(sum).toBe('E0000001')
  })

  test('takes five answers to a code and no more', async () => {
    const api = await signsIn()
    const added = await api('POST', '/phones', phone)
    const { verify } = added.body._links as Record<string, { href: string }>
    const code = await lastCode(idp)
    const wrong = code === '000000' ? '000001' : '000000'
    for (let guess = 0; guess < 5; guess++)
      expect(failure(await api('POST', verify?.href ?? '', { verificationCode: wrong }))).toEqual([
        401,
        'E0000004',
      ])
    expect(failure(await api('POST', verify?.href ?? '', { verificationCode: code }))).toEqual([
      401,
      'E0000004',
    ])
    expect(await kept()).toEqual([])
  })

  test('A69: of a user who has an app is not added with the password alone, nor by wait=true', async () => {
    const { sharedSecret = '' } = await idp.factors.enroll(idp.person, 'google_otp')
    const weak = await signsIn()
    for (const query of ['', '?wait=true']) {
      const refused = await weak('POST', `/phones${query}`, phone)
      expect(failure(refused)).toEqual([403, 'E0000006'])
      expect(refused.headers.get('www-authenticate')).toContain('insufficient_authentication_context')
      expect((await weak('POST', `/webauthn/registration${query}`)).status).toBe(403)
    }
    const strong = await signsIn(sharedSecret)
    expect((await strong('POST', '/phones', phone)).status).toBe(201)
  })

  test('that no policy names is refused', async () => {
    await enrollmentPolicy(idp, { phone_number: 'NOT_ALLOWED', google_otp: 'OPTIONAL' }).catch(() => {})
    await idp.reset()
    await grantAccount(idp)
    const api = await signsIn()
    expect(failure(await api('POST', '/phones', phone))).toEqual([403, 'E0000038'])
  })
})

describe('a passkey', () => {
  test('is added by what a browser made with the options, named, and removed', async () => {
    const api = await signsIn()
    const begun = await api('POST', '/webauthn/registration')
    const { options, _links } = begun.body as {
      options: { challenge: string; rp: { id: string } }
      _links: { enroll: { href: string } }
    }
    expect(options).toMatchObject({ rp: { id: 'localhost' }, excludeCredentials: [] })
    const passkey = newPasskey()
    const foreign = passkey.create(options.challenge, { origin: 'https://evil.example' })
    expect(failure(await api('POST', _links.enroll.href, foreign))).toEqual([401, 'E0000004'])
    const made = { ...passkey.create(options.challenge), transports: '["internal"]', clientExtensions: '{}' }
    const added = await api('POST', _links.enroll.href, made)
    expect([added.status, added.body]).toMatchObject([200, { name: 'Passkey', status: 'ACTIVE' }])
    expect(await kept()).toEqual(['webauthn'])
    expect((await api('GET', '/webauthn')).list).toMatchObject([{ id: added.body.id }])
    // The challenge is used up.
    const other = await api('POST', _links.enroll.href, newPasskey().create(options.challenge))
    expect(other.status).toBeGreaterThanOrEqual(400)
  })
})

describe('a secondary address', () => {
  test('is added, proven by a code, and gets the notices and codes from then on', async () => {
    const api = await signsIn()
    const body = { profile: { email: 'second@example.com' }, role: 'SECONDARY' }
    const added = await api('POST', '/emails', body)
    expect([added.status, added.body.roles]).toEqual([201, ['SECONDARY']])
    const { verify } = added.body._links as Record<string, { href: string }>
    const { text } = await idp.outbox.waitFor({ to: 'second@example.com', template: ['PendingEmailChange'] })
    const verificationCode = /\b\d{6}\b/.exec(text)?.[0] ?? ''
    const waits = await api('POST', verify?.href ?? '', { verificationCode })
    expect(waits.status).toBe(202)
    idp.clock.advance(86_400_000)
    await idp.engine.maintain()
    const later = await signsIn()
    expect((await later('GET', '/emails')).list).toMatchObject([
      { roles: ['PRIMARY'] },
      { roles: ['SECONDARY'], status: 'VERIFIED', profile: { email: 'second@example.com' } },
    ])
    await idp.outbox.clear()
    await later('POST', '/emails', { profile: { email: 'third@example.com' } })
    const third = await idp.outbox.waitFor({ to: 'third@example.com', template: ['PendingEmailChange'] })
    const [{ id } = { id: '' }] = (await later('GET', '/emails')).list.filter(
      ({ profile }) => profile.email === 'third@example.com',
    )
    const { body: shown } = await later('GET', `/emails/${id}`)
    const links = shown._links as Record<string, { href: string }>
    const code = /\b\d{6}\b/.exec(third.text)?.[0] ?? ''
    await later('POST', links.verify?.href ?? '', { verificationCode: code })
    // The notice of a change that waits goes to every address that was proven.
    await idp.outbox.waitFor({ to: 'second@example.com', template: ['AccountChangeWaiting'] })
  })
})

test('what does not count yet, and what is to be removed, is shown with its time', async () => {
  const api = await signsIn()
  const added = await api('POST', '/phones', phone)
  const { verify } = added.body._links as Record<string, { href: string }>
  const code = await lastCode(idp)
  expect((await api('POST', verify?.href ?? '', { verificationCode: code })).status).toBe(204)
  const shown = async () => {
    const { list } = await api('GET', '/authenticators?expand=enrollments')
    const phones = list.find(({ key }) => key === 'phone_number')?._embedded as
      | { readonly enrollments: readonly Readonly<Record<string, unknown>>[] }
      | undefined
    const [inList] = phones?.enrollments ?? []
    const one = await api('GET', `/phones/${added.body.id}`)
    return [inList?.settlesAt, inList?.waitingUntil, one.body.settlesAt]
  }
  const day = 86_400_000
  const time = (at: number) => new Date(at).toISOString()
  // It begins no recovery for a day, as no older factor was proven (A77).
  const settles = time(idp.clock.now() + day)
  expect(await shown()).toEqual([settles, undefined, settles])
  idp.clock.advance(day)
  expect(await shown()).toEqual([undefined, undefined, undefined])

  const later = await signsIn()
  const removal = await later('DELETE', `/phones/${added.body.id}?wait=true`)
  const due = time(idp.clock.now() + day)
  expect([removal.status, removal.body.waitingUntil]).toEqual([202, due])
  expect(await shown()).toEqual([undefined, due, undefined])
})
