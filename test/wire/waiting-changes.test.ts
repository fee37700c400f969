import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type AccountApi, accountApi, accountVisitor, grantAccount, tokenIn } from '../support/account.ts'
import { type Api, apiOf, tokenOf } from '../support/management.ts'
import { lastCode, number } from './phone.ts'
import { enrollmentPolicy } from './totp.ts'

// What users have asked for and what waits, in the hands of an administrator (A69, A76, A77).
let idp: Kit
let api: Api
let own: AccountApi
let user: string
const day = 86_400_000
const time = (at: number) => new Date(at).toISOString()

beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
beforeEach(async () => {
  await idp.reset()
  await grantAccount(idp)
  await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
  api = apiOf(idp)
  user = `/users/${(await idp.people.list(idp.person.login))[0]?.id}`
  own = await signedIn()
})
afterAll(() => idp.close())

async function signedIn(): Promise<AccountApi> {
  const visitor = accountVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  if (visitor.remediations.includes('skip')) await visitor.submits('skip')
  return accountApi(idp, await tokenIn(visitor))
}

/** A phone that was added by the password alone. */
async function addsPhone(): Promise<string> {
  const added = await own('POST', '/phones', { profile: { phoneNumber: number }, method: 'SMS' })
  const { verify } = added.body._links as Record<string, { href: string }>
  const verificationCode = await lastCode(idp)
  expect((await own('POST', verify?.href ?? '', { verificationCode })).status).toBe(204)
  return String(added.body.id)
}

/** `_embedded` of the phone: as an enrollment, and as a factor. */
async function waiting(): Promise<readonly unknown[]> {
  const enrollments = (await api('GET', `${user}/authenticator-enrollments`)).list
  const factors = (await api('GET', `${user}/factors`)).list
  return [
    enrollments.find(({ key }) => key === 'phone_number')?._embedded,
    factors.find(({ factorType }) => factorType === 'sms')?._embedded,
  ]
}
const eventsOf = async (type: string) => (await idp.events()).filter(({ eventType }) => eventType === type)

describe('a factor that does not count yet', () => {
  test('is shown with its time, and counts at once where an administrator says so', async () => {
    await addsPhone()
    const settlesAt = time(idp.clock.now() + day)
    expect(await waiting()).toEqual([{ settlesAt }, { settlesAt }])
    const [phone] = (await api('GET', `${user}/authenticator-enrollments`)).list.filter(
      ({ key }) => key === 'phone_number',
    )
    const settle =
      String((phone?._links as { settle?: { href: string } })?.settle?.href).split('/api/v1')[1] ?? ''
    // A token that may only read settles nothing.
    expect((await apiOf(idp, await tokenOf(idp, 'read'))('POST', settle, {})).status).toBe(403)
    expect(await waiting()).toEqual([{ settlesAt }, { settlesAt }])
    const settled = await api('POST', settle, {})
    expect([settled.status, settled.body._embedded]).toEqual([200, undefined])
    expect(await waiting()).toEqual([undefined, undefined])
    expect(await eventsOf('user.mfa.factor.update')).toMatchObject([
      { outcome: { result: 'SUCCESS' }, debugContext: { debugData: { authenticator: 'phone_number' } } },
    ])
    // Nothing is left to say.
    expect((await api('POST', settle, {})).status).toBe(200)
    expect(await eventsOf('user.mfa.factor.update')).toHaveLength(1)
  })

  test('of an administrator counts at once, and shows nothing', async () => {
    const profile = { phoneNumber: number }
    await api('POST', `${user}/factors?activate=true`, { factorType: 'sms', provider: 'OKTA', profile })
    expect(await waiting()).toEqual([undefined, undefined])
  })
})

describe('the removal of a factor', () => {
  async function wantsItGone() {
    const phone = await addsPhone()
    idp.clock.advance(day)
    own = await signedIn()
    expect((await own('DELETE', `/phones/${phone}?wait=true`)).status).toBe(202)
    const { list } = await api('GET', `${user}/account-changes`)
    const change = { id: '', ...list[0] }
    return { change, dueAt: time(idp.clock.now() + day), phone }
  }

  test('is listed, and stopped by an administrator: the factor stays', async () => {
    const { change, dueAt } = await wantsItGone()
    expect(change).toMatchObject({ kind: 'enrollment.remove', status: 'WAITING', dueAt, key: 'phone_number' })
    const shown = { waitingUntil: dueAt, change: change.id }
    expect(await waiting()).toEqual([shown, shown])
    const at = `${user}/account-changes/${change.id}/lifecycle`
    expect((await apiOf(idp, await tokenOf(idp, 'read'))('POST', `${at}/stop`, {})).status).toBe(403)
    expect((await api('POST', `${at}/stop`, {})).status).toBe(204)
    expect((await api('POST', `${at}/stop`, {})).status).toBe(404)
    expect((await api('POST', `${at}/carry_out`, {})).status).toBe(404)
    expect((await api('GET', `${user}/account-changes`)).list).toEqual([])
    const last = (await eventsOf('user.account.change')).find(({ outcome }) => outcome.result === 'DENY')
    expect(last).toMatchObject({ outcome: { reason: 'STOPPED' }, actor: { type: 'ApiToken' } })
    idp.clock.advance(2 * day)
    expect((await waiting()).length).toBe(2)
    expect((await idp.factors.list(idp.person)).map(({ authenticator }) => authenticator)).toContain(
      'phone_number',
    )
  })

  test('is hastened by an administrator, with the notice of a removal; of ten at once one is', async () => {
    const { change } = await wantsItGone()
    const at = `${user}/account-changes/${change.id}/lifecycle/carry_out`
    const answers = await Promise.all(Array.from({ length: 10 }, () => api('POST', at, {})))
    const statuses = answers.map(({ status }) => status).toSorted()
    expect(statuses[0]).toBe(204)
    expect(statuses.filter((status) => status === 204)).toHaveLength(1)
    expect(statuses.slice(1).every((status) => status === 404 || status === 409)).toBe(true)
    expect(await idp.factors.list(idp.person)).not.toContainEqual(
      expect.objectContaining({ authenticator: 'phone_number' }),
    )
    await idp.outbox.waitFor({ to: idp.person.login, template: ['AuthenticatorReset'] })
    expect(await eventsOf('user.mfa.factor.deactivate')).toMatchObject([{ actor: { type: 'ApiToken' } }])
  })

  test('of another user is unknown', async () => {
    const { change } = await wantsItGone()
    const { id } = await idp.people.add({ login: 'nina@example.com' })
    for (const action of ['stop', 'carry_out']) {
      const at = `/users/${id}/account-changes/${change.id}/lifecycle/${action}`
      expect((await api('POST', at, {})).status).toBe(404)
    }
    expect((await api('GET', `${user}/account-changes`)).list).toHaveLength(1)
    expect((await api('GET', `/users/${id}/account-changes`)).list).toEqual([])
  })
})

describe('a new address', () => {
  const asks = async () => {
    await own('POST', '/emails', { profile: { email: 'new@example.com' }, role: 'PRIMARY' })
    const { list } = await api('GET', `${user}/account-changes`)
    return { id: '', ...list[0] }
  }

  test('that is not confirmed is stopped, and never carried out: its mails may be those of another', async () => {
    const change = await asks()
    expect(change).toMatchObject({ kind: 'email', status: 'UNVERIFIED', email: 'new@example.com' })
    const at = `${user}/account-changes/${change.id}/lifecycle`
    const early = await api('POST', `${at}/carry_out`, {})
    expect([early.status, early.body.errorCode]).toEqual([409, 'E0000157'])
    expect((await api('GET', user)).body).toMatchObject({ profile: { email: idp.person.login } })
    expect((await api('POST', `${at}/stop`, {})).status).toBe(204)
    expect((await api('GET', `${user}/account-changes`)).list).toEqual([])
  })
})
