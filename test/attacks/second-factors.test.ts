import { expect, test } from 'vitest'
import type { Answer, Visitor, VisitorTarget } from '../../src/testing/index.ts'
import { mailTo, newPassword, parallel, startTarget, visit } from '../support/attacks.ts'
import { manyRequests, startNodes } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { codeAt, enrollmentPolicy, period, secretIn, twoFactors, wrongCode } from '../wire/totp.ts'

const victim = 'mary@example.com'
const password = 'Tangerine-Kettle-42'
const used = 'authfactor.challenge.soft_token.used_passcode'

const authenticatorsIn = ({ body }: Answer) => body.authenticators?.value ?? []
const idOf = (answer: Answer, wanted: string) =>
  authenticatorsIn(answer).find(({ key }) => key === wanted)?.id

/** A sign-in that shows the secret of an app, as a policy requires. */
async function atTheEnrolment(idp: VisitorTarget) {
  const visitor = await visit(idp)
  await visitor.signsIn(victim, password)
  const secret = secretIn(await visitor.enrolls('google_otp'))
  return { visitor, secret }
}

/** … and enrols it; answers its secret. */
async function enrols(idp: VisitorTarget, now: () => number): Promise<string> {
  const { visitor, secret } = await atTheEnrolment(idp)
  expect((await visitor.answers(codeAt(secret, now()))).interactionCode).toBeDefined()
  return secret
}

/** A sign-in that waits for the code of the app. */
async function atTheCode(idp: VisitorTarget) {
  const visitor = await visit(idp)
  await visitor.signsIn(victim, password)
  await visitor.selects('google_otp')
  return visitor
}

/** Sends a code, once more where the engine asks for that: two engines write to one SQLite file one after the other. */
async function answers(visitor: Visitor | undefined, passcode: string): Promise<Answer | undefined> {
  for (let tries = 0; tries < 20; tries++) {
    const reply = await visitor?.answers(passcode)
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
        const visitors: Visitor[] = []
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
        const granted = replies.filter((reply) => reply?.interactionCode !== undefined)
        const others = replies.filter((reply) => reply?.interactionCode === undefined)
        expect(granted).toHaveLength(1)
        expect(others.map((reply) => [reply?.status, ...(reply?.messages ?? [])])).toEqual(
          others.map(() => [401, used]),
        )
        // Neither it nor the one before it is good any more, on whatever engine.
        for (const visitor of visitors) {
          for (const steps of [0, -1]) {
            const again = await answers(visitor, codeAt(secret, now, steps))
            expect(again?.interactionCode).toBeUndefined()
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
          const tokens = await one?.visitor.redeems(replies[index]?.interactionCode)
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
      expect((await answers(visitor, code(own?.secret)))?.interactionCode).toBeDefined()
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
  const visitor = idp.visitor()
  const named = await visitor.recovers(victim)
  await visitor.selects('okta_email')
  const { code } = await mailTo(idp, victim)
  const proven = await visitor.answers(code)
  expect(proven.remediations).toEqual(['select-authenticator-authenticate'])
  expect(authenticatorsIn(proven).map(({ key }) => key)).toEqual(['google_otp'])
  for (const [path, input] of [
    ['challenge/answer', { credentials: { passcode: newPassword } }],
    ['challenge', { authenticator: { id: idOf(named, 'okta_email') } }],
    ['skip', {}],
    ['credential/enroll', { authenticator: { id: idOf(proven, 'google_otp') } }],
  ] as const) {
    expect((await visitor.submits(path, input)).status, path).toBe(400)
  }
  await visitor.submits('challenge', { authenticator: { id: idOf(proven, 'google_otp') } })
  const refused = await visitor.answers(wrongCode(secret, idp.clock.now()))
  expect(refused.status).toBe(401)

  const reset = await visitor.answers(codeAt(secret, idp.clock.now()))
  expect(reset.remediations).toEqual(['reset-authenticator'])
  expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
  await idp.close()
})
