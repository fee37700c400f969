import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Answer, Kit, Visitor, VisitorOptions } from '../../src/testing/index.ts'
import { mailTo, manyMails, newPassword, parallel, startTarget, visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests, startNodes } from '../support/nodes.ts'
import { appRule, enrolmentPolicy, namingApp, sessionRule } from '../support/policy-rules.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { activate, codeAt, secretIn } from '../wire/totp.ts'

const mary = 'mary@example.com'
const password = 'Tangerine-Kettle-42'
const idOf = (answer: Answer, wanted: string) =>
  answer.body.authenticators?.value.find(({ key }) => key === wanted)?.id
const isGranted = (answer: Answer): boolean => answer.interactionCode !== undefined

describe('a required enrolment', () => {
  let idp: Kit
  beforeEach(async () => {
    idp = await startTarget({ settings: { limits: manyMails } })
  })
  afterEach(() => idp.close())

  const signsIn = async (options: VisitorOptions = {}): Promise<Visitor> => {
    const visitor = await visit(idp, options)
    await visitor.signsIn(mary, password)
    return visitor
  }

  test('A68: is skipped on no path: not by name, not during it, not after "choose another", not by a new beginning', async () => {
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED' }))
    const visitor = await signsIn()
    const isRefused = async () => {
      expect((await visitor.submits('skip')).status).toBe(400)
      expect(visitor.remediations).not.toContain('skip')
    }
    await isRefused()
    await visitor.enrolls('google_otp')
    await isRefused()
    await visitor.enrolls('google_otp')
    await isRefused()
    // What the user has is no way around it.
    for (const path of ['challenge', 'credential/enroll']) {
      const authenticator = { id: idOf(visitor.response, 'okta_email') ?? 'autNone' }
      expect((await visitor.submits(path, { authenticator })).status).toBe(400)
    }
    await visitor.cancels()
    await visitor.signsIn(mary, password)
    await isRefused()
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
  })

  test('A68: is not skipped by a recovery, which ends without a sign-in', async () => {
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED' }))
    const visitor = await visit(idp)
    await visitor.atTheReset(mary)
    expect(isGranted(await visitor.answers(newPassword))).toBe(false)
    expect((await visitor.submits('skip')).status).not.toBe(200)
  })

  test('A68: is skipped until its date, and not from then on, also where the page was opened before', async () => {
    const expiry = new Date(idp.clock.now() + 3_600_000).toISOString()
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED', gracePeriod: { type: 'BY_DATE_TIME', expiry } }))
    expect(isGranted(await (await signsIn()).submits('skip'))).toBe(true)
    idp.clock.advance(3_590_000)
    const early = await signsIn()
    expect(early.remediations).toContain('skip')
    idp.clock.advance(10_000)
    expect(isGranted(await early.submits('skip'))).toBe(false)
    expect((await signsIn()).remediations).toEqual(['select-authenticator-enroll'])
  })

  test('A68: is skipped as often as it may be; pages that were opened before share what is left', async () => {
    await enrolmentPolicy(
      idp,
      namingApp({ self: 'REQUIRED', gracePeriod: { type: 'BY_SKIP_COUNT', skipCount: 2 } }),
    )
    const visitors = [await signsIn(), await signsIn(), await signsIn()]
    const granted: boolean[] = []
    for (const visitor of visitors) granted.push(isGranted(await visitor.submits('skip')))
    expect(granted).toEqual([true, true, false])
    const last = await signsIn()
    expect(last.remediations).toEqual(['select-authenticator-enroll'])
    expect((await last.submits('skip')).status).toBe(400)
  })

  test('A68: may be put off only where the app does not ask for it', async () => {
    await enrolmentPolicy(
      idp,
      namingApp({ self: 'REQUIRED', gracePeriod: { type: 'BY_SKIP_COUNT', skipCount: 5 } }),
    )
    await appRule(idp, { factorMode: '2FA', constraints: [{ possession: { types: ['app'] } }] })
    const visitor = await signsIn()
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    expect((await visitor.submits('skip')).status).toBe(400)
  })
})

describe('a weaker method than the policy allows', () => {
  let idp: Kit
  beforeEach(async () => {
    idp = await startTarget({ settings: { limits: manyMails, signOn: { start: 'identifier' } } })
  })
  afterEach(() => idp.close())

  const named = async (): Promise<Visitor> => {
    const visitor = await visit(idp)
    await visitor.submits('identify', { identifier: mary })
    return visitor
  }
  const byMail = async (visitor: Visitor) => {
    await visitor.selects('okta_email')
    return visitor.answers((await mailTo(idp, mary, ['EmailChallenge'])).code)
  }

  test('A68: is offered nowhere and counts for nothing: an authenticator that the enrolment policy does not name', async () => {
    // The policy is of a group: before the proof every name is offered the mail all the same (A53).
    const api = apiOf(idp)
    const { id: groupId } = (await api('POST', '/groups', { profile: { name: 'Careful' } })).body
    const { id: userId } = (await api('GET', `/users/${mary}`)).body
    await api('PUT', `/groups/${groupId}/users/${userId}`)
    await activate(api, 'google_otp')
    const { id } = (
      await api('POST', '/policies', {
        type: 'MFA_ENROLL',
        name: 'Of a group',
        conditions: { people: { groups: { include: [groupId] } } },
        settings: {
          type: 'AUTHENTICATORS',
          authenticators: [{ key: 'okta_password', enroll: { self: 'REQUIRED' } }],
        },
      })
    ).body
    await api('POST', `/policies/${id}/rules`, { name: 'Rule', actions: { enroll: { self: 'LOGIN' } } })

    const visitor = await named()
    const answer = await byMail(visitor)
    expect(isGranted(answer)).toBe(false)
    // The password is all that is left, and what was proven by mail adds no factor.
    const options = answer.body.authenticators?.value.map(({ key }) => key)
    expect(options).toEqual(['okta_password'])
    await appRule(idp, { factorMode: '2FA' })
    await visitor.selects('okta_password')
    expect((await visitor.answers(password)).status).toBe(403)
  })

  test('A68: is not offered after a proof where it would not help, and refused by id', async () => {
    await appRule(idp, { factorMode: '1FA', constraints: [{ knowledge: { types: ['password'] } }] })
    const visitor = await named()
    const mailId = 'autNone'
    await visitor.selects('okta_password')
    expect((await visitor.submits('challenge', { authenticator: { id: mailId } })).status).toBe(400)
    expect(isGranted(await visitor.answers(password))).toBe(true)
  })

  test('A68: is not what the rule leaves out: a possession alone does not do for a password, nor a mail for an app', async () => {
    await appRule(idp, {
      factorMode: '1FA',
      constraints: [
        { possession: { excludedAuthenticationMethods: [{ key: 'okta_email', method: 'email' }] } },
      ],
    })
    // Nothing else is there to be proven: never for less than it says.
    expect(isGranted(await byMail(await named()))).toBe(false)
  })

  test('A68: is not what is stale', async () => {
    await sessionRule(idp, { primaryFactor: 'PASSWORD_IDP', requireFactor: true })
    await appRule(idp, { factorMode: '2FA', reauthenticateIn: 'PT5M' })
    const visitor = await visit(idp)
    await visitor.signsIn(mary, password)
    idp.clock.advance(301_000)
    const answer = await byMail(visitor)
    expect(isGranted(answer)).toBe(false)
    expect(answer.body.authenticators?.value.map(({ key }) => key)).toEqual(['okta_password'])
    await visitor.selects('okta_password')
    expect(isGranted(await visitor.answers(password))).toBe(true)
  })
})

onEachDatabase('skips', (database) => {
  test('A68: of many at once, on two engines with one database, no more count than there are', async () => {
    const apiToken = 'an-api-token-of-this-test-known-to-all'
    const nodes = await startNodes(database, 2, {
      settings: { management: { apiToken }, limits: manyRequests },
    })
    try {
      const { balancer, clock } = nodes
      const idp = { ...balancer, engineUrl: balancer.engineUrl, apiToken }
      await enrolmentPolicy(
        idp,
        namingApp({ self: 'REQUIRED', gracePeriod: { type: 'BY_SKIP_COUNT', skipCount: 3 } }),
      )
      const visitors: Visitor[] = []
      for (const node of [0, 1, 0, 1, 0, 1]) {
        balancer.to(node)
        const visitor = await visit({ ...balancer, engineUrl: balancer.engineUrl, issuer: balancer.issuer })
        await visitor.signsIn(mary, password)
        visitors.push(visitor)
      }
      const skipped = await parallel(visitors.length, async (index) => {
        for (let tries = 0; tries < 20; tries++) {
          const answer = await visitors[index]?.submits('skip')
          if (answer?.status !== 503) return answer
        }
        throw new Error('the engine stays busy')
      })
      expect(skipped.filter((answer) => answer?.interactionCode !== undefined)).toHaveLength(3)
      // The enrolment itself goes on for the others.
      const left = visitors.find((visitor) => visitor.response.interactionCode === undefined)
      const secret = secretIn((await left?.enrolls('google_otp')) as Answer)
      expect((await left?.answers(codeAt(secret, clock.now())))?.interactionCode).toBeDefined()
    } finally {
      await nodes.close()
    }
  })
})
