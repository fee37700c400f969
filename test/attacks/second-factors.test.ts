import { expect, test } from 'vitest'
import { mailTo, manyRequests, newPassword, parallel, startTarget } from '../support/attacks.ts'
import {
  codeOf,
  messageKeysOf,
  type Reply,
  remediationsOf,
  type Target,
  visit,
  type Wire,
  type WireVisitor,
} from '../support/idx.ts'
import { startNodes } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { codeAt, enrollmentPolicy, period, twoFactors, wrongCode } from '../support/totp.ts'

const victim = 'mary@example.com'
const credentials = { passcode: 'Tangerine-Kettle-42' }
const used = 'authfactor.challenge.soft_token.used_passcode'

/** Chooses an authenticator of the last response by its key. */
const idOf = (body: Wire, key: string): string =>
  body.authenticators.value.find((one: Wire) => one.key === key)?.id

/** A sign-in that shows the secret of an app, as a policy requires. */
async function atTheEnrolment(idp: Target) {
  const visitor = await visit(idp)
  const { body } = await visitor.post('identify', { identifier: victim, credentials })
  const shown = await visitor.post('credential/enroll', {
    authenticator: { id: idOf(body, 'google_otp') },
  })
  return { visitor, secret: shown.body.currentAuthenticator.value.contextualData.sharedSecret as string }
}

/** … and enrols it; answers its secret. */
async function enrols(idp: Target, now: () => number): Promise<string> {
  const { visitor, secret } = await atTheEnrolment(idp)
  const done = await visitor.post('challenge/answer', { credentials: { passcode: codeAt(secret, now()) } })
  expect(codeOf(done.body)).toBeDefined()
  return secret
}

/** A sign-in that waits for the code of the app. */
async function atTheCode(idp: Target) {
  const visitor = await visit(idp)
  const { body } = await visitor.post('identify', { identifier: victim, credentials })
  await visitor.post('challenge', { authenticator: { id: idOf(body, 'google_otp') } })
  return visitor
}

/** Sends a code, once more where the engine asks for that: two engines write to one SQLite file one after the other. */
async function answers(visitor: WireVisitor | undefined, passcode: string): Promise<Reply | undefined> {
  for (let tries = 0; tries < 20; tries++) {
    const reply = await visitor?.post('challenge/answer', { credentials: { passcode } })
    if (reply?.status !== 503) return reply
  }
  throw new Error('the engine stays busy')
}

onEachDatabase('the code of an app', (database) => {
  test('A66: sent by many sign-ins at once, to two engines on one database, is good for one of them', async () => {
    const apiToken = 'an-api-token-of-this-test-known-to-all'
    const limits = { ...manyRequests, codesPerDay: 1_000_000 }
    const nodes = await startNodes(database, 2, { settings: { management: { apiToken }, limits } })
    try {
      const { balancer, clock } = nodes
      const idp = { ...balancer, engineUrl: balancer.engineUrl, apiToken }
      await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
      const secret = await enrols(balancer, () => clock.now())
      await twoFactors(idp)

      for (let round = 0; round < 4; round++) {
        clock.advance(10 * period)
        const visitors: WireVisitor[] = []
        for (const node of [0, 1, 0, 1]) {
          balancer.to(node)
          // A visitor keeps the node that it began on.
          visitors.push(
            await atTheCode({ ...balancer, engineUrl: balancer.engineUrl, issuer: balancer.issuer }),
          )
        }
        // The clock goes on meanwhile: it is this step's code, whichever step it is by then.
        const now = clock.now()
        const passcode = codeAt(secret, now)
        const replies = await parallel(visitors.length, async (index) => answers(visitors[index], passcode))
        const granted = replies.filter((reply) => codeOf(reply?.body) !== undefined)
        const others = replies.filter((reply) => codeOf(reply?.body) === undefined)
        expect(granted).toHaveLength(1)
        expect(others.map((reply) => [reply?.status, ...messageKeysOf(reply?.body)])).toEqual(
          others.map(() => [401, used]),
        )
        // Neither it nor the one before it is good any more, on whatever engine.
        for (const visitor of visitors) {
          for (const steps of [0, -1]) {
            const again = await answers(visitor, codeAt(secret, now, steps))
            expect(codeOf(again?.body)).toBeUndefined()
          }
        }
      }
    } finally {
      await nodes.close()
    }
  })
})

onEachDatabase('an enrolment', (database) => {
  test('A69: of two at once, or of a sign-in that began before, one is made: a password alone replaces no app', async () => {
    const apiToken = 'an-api-token-of-this-test-known-to-all'
    const nodes = await startNodes(database, 2, {
      settings: { management: { apiToken }, limits: manyRequests },
    })
    try {
      const { balancer, clock } = nodes
      const idp = { ...balancer, engineUrl: balancer.engineUrl, apiToken }
      await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
      const enrolling: Awaited<ReturnType<typeof atTheEnrolment>>[] = []
      for (const node of [0, 1, 0, 1]) {
        balancer.to(node)
        enrolling.push(
          await atTheEnrolment({ ...balancer, engineUrl: balancer.engineUrl, issuer: balancer.issuer }),
        )
      }
      // Three at once, and one when all is over.
      const last = enrolling.pop()
      const code = (secret = '') => codeAt(secret, clock.now())
      const replies = await parallel(enrolling.length, async (index) =>
        answers(enrolling[index]?.visitor, code(enrolling[index]?.secret)),
      )
      replies.push(await answers(last?.visitor, code(last?.secret)))
      const proven = await Promise.all(
        [...enrolling, last].map(async (one, index) => {
          const tokens = await one?.visitor.tokens(codeOf(replies[index]?.body) ?? '')
          const payload = Buffer.from(String(tokens?.body.id_token).split('.')[1] ?? '', 'base64url')
          return (JSON.parse(payload.toString()) as { readonly amr: readonly string[] }).amr
        }),
      )
      expect(proven.toSorted((one, other) => other.length - one.length)).toEqual([
        ['pwd', 'otp', 'mfa'],
        ['pwd'],
        ['pwd'],
        ['pwd'],
      ])
      expect(proven.at(-1)).toEqual(['pwd'])

      // The app of the one that was made is the one that is asked for.
      await twoFactors(idp)
      clock.advance(10 * period)
      const own = enrolling[proven.findIndex((amr) => amr.includes('otp'))]
      const visitor = await atTheCode(idp)
      for (const other of [...enrolling, last].filter((one) => one !== own)) {
        expect((await answers(visitor, code(other?.secret)))?.status).toBe(401)
      }
      expect(codeOf((await answers(visitor, code(own?.secret)))?.body)).toBeDefined()
    } finally {
      await nodes.close()
    }
  })
})

test('A34: a recovery by mail asks a user who has an app for its code, before a new password', async () => {
  const idp = await startTarget()
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const secret = await enrols(idp, idp.clock.now)
  idp.clock.advance(10 * period)

  // An attacker who reads the mailbox alone comes as far as the app, whatever is requested.
  const visitor = await visit(idp)
  await visitor.post('recover')
  const named = await visitor.post('identify', { identifier: victim })
  await visitor.post('challenge', { authenticator: { id: idOf(named.body, 'okta_email') } })
  const { code } = await mailTo(idp, victim)
  const proven = await visitor.post('challenge/answer', { credentials: { passcode: code } })
  expect(remediationsOf(proven.body)).toEqual(['select-authenticator-authenticate'])
  expect(proven.body.authenticators.value.map(({ key }: Wire) => key)).toEqual(['google_otp'])
  for (const [path, input] of [
    ['challenge/answer', { credentials: { passcode: newPassword } }],
    ['challenge', { authenticator: { id: idOf(named.body, 'okta_email') } }],
    ['skip', {}],
    ['credential/enroll', { authenticator: { id: idOf(proven.body, 'google_otp') } }],
  ] as const) {
    expect((await visitor.post(path, input)).status, path).toBe(400)
  }
  await visitor.post('challenge', { authenticator: { id: idOf(proven.body, 'google_otp') } })
  const refused = await visitor.post('challenge/answer', {
    credentials: { passcode: wrongCode(secret, idp.clock.now()) },
  })
  expect(refused.status).toBe(401)

  const right = { passcode: codeAt(secret, idp.clock.now()) }
  const reset = await visitor.post('challenge/answer', { credentials: right })
  expect(remediationsOf(reset.body)).toEqual(['reset-authenticator'])
  const done = await visitor.post('challenge/answer', { credentials: { passcode: newPassword } })
  expect(codeOf(done.body)).toBeDefined()
  await idp.close()
})
