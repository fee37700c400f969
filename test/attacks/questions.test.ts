import { expect, test } from 'vitest'
import type { Answer, Visitor, VisitorTarget } from '../../src/testing/index.ts'
import { atTheCode, mailTo, masked, newPassword, parallel, startTarget, visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests, startNodes } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { enrollmentPolicy, twoFactors } from '../wire/totp.ts'

// The security question and the saved recovery codes: what is not asked before a proof, and is guessed at behind one.
const victim = 'mary@example.com'
const password = 'Tangerine-Kettle-42'
const question = { questionKey: 'favorite_vacation_location', answer: 'Île-de-France' }
const wrong = 'errors.E0000087'
const suspended = 'authfactor.challenge.suspended_factor'
const invalid = 'recoveryCode.invalid'

const answersIt = (visitor: Visitor, answer: string): Promise<Answer> =>
  visitor.submits('challenge/answer', { credentials: { answer } })

/** Enrols a question at a sign-in whose policy asks for it. */
async function enrolsAQuestion(idp: VisitorTarget): Promise<void> {
  const visitor = await visit(idp)
  await visitor.signsIn(victim, password)
  await visitor.enrolls('security_question')
  const done = await visitor.submits('challenge/answer', { credentials: question })
  expect(done.interactionCode).toBeDefined()
}

/** Saves codes at a sign-in; the first of them is used by that. */
async function savesCodes(idp: VisitorTarget): Promise<readonly string[]> {
  const visitor = await visit(idp)
  await visitor.signsIn(victim, password)
  const codes = codesIn(await visitor.enrolls('recovery_codes'))
  expect((await visitor.answers(codes[0] ?? '')).interactionCode).toBeDefined()
  return codes
}
function codesIn({ body }: Answer): readonly string[] {
  const { value } = body.currentAuthenticator as {
    readonly value: { readonly contextualData: { readonly recoveryCodes: readonly string[] } }
  }
  return value.contextualData.recoveryCodes
}

/** A sign-in that waits for a saved code. */
async function atTheSavedCode(idp: VisitorTarget): Promise<Visitor> {
  const visitor = await visit(idp)
  await visitor.signsIn(victim, password)
  await visitor.selects('recovery_codes')
  return visitor
}

test('A06: the answer to a question is guessed at twenty times a day by all sources, then even the right one is refused, unchecked', async () => {
  const idp = await startTarget()
  try {
    await enrollmentPolicy(idp, { security_question: 'OPTIONAL' })
    await enrolsAQuestion(idp)
    const seen: string[] = []
    for (let round = 0; round < 6; round++) {
      // Each recovery begins with a code by mail: the budget of mails is whole again.
      idp.clock.advance('11m')
      const visitor = await atTheCode(idp, victim)
      await visitor.answers((await mailTo(idp, victim, ['ForgotPassword'])).code)
      await visitor.selects('security_question')
      for (let guess = 0; guess < 4; guess++) {
        seen.push((await answersIt(visitor, `Paris ${round} ${guess}`)).messages[0] ?? '')
      }
    }
    // Of a source that the user has signed in from.
    expect(seen.slice(0, 15).every((key) => key === wrong)).toBe(true)
    expect(seen.slice(20)).toEqual(seen.slice(20).map(() => suspended))
    idp.clock.advance('11m')
    const visitor = await atTheCode(idp, victim)
    await visitor.answers((await mailTo(idp, victim, ['ForgotPassword'])).code)
    await visitor.selects('security_question')
    const right = await answersIt(visitor, question.answer)
    expect([right.status, right.messages]).toEqual([401, [suspended]])
    // A day later the owner gets in again.
    idp.clock.advance('25h')
    const later = await atTheCode(idp, victim)
    await later.answers((await mailTo(idp, victim, ['ForgotPassword'])).code)
    await later.selects('security_question')
    await answersIt(later, 'ÎLE-DE-FRANCE ')
    expect(later.remediations).toEqual(['reset-authenticator'])
  } finally {
    await idp.close()
  }
})

test('A53: neither a question nor a saved code is asked for before a proof, and nothing shows who has one', async () => {
  const idp = await startTarget({ settings: { signOn: { start: 'identifier' } } })
  try {
    await idp.people.add({ login: 'evan@example.com', password })
    await enrollmentPolicy(idp, { security_question: 'OPTIONAL', recovery_codes: 'OPTIONAL' })
    const first = await visit(idp)
    await first.submits('identify', { identifier: victim })
    await first.selects('okta_password')
    await first.answers(password)
    await first.enrolls('security_question')
    await first.submits('challenge/answer', { credentials: question })
    await first.answers(codesIn(await first.enrolls('recovery_codes'))[0] ?? '')

    const pages: string[][] = []
    for (const name of [victim, 'evan@example.com', 'none@example.com']) {
      const seen: Answer[] = []
      const signIn = await visit(idp)
      seen.push(await signIn.submits('identify', { identifier: name }))
      // Their ids are public; nothing that is not on offer is accepted.
      for (const key of ['security_question', 'recovery_codes']) {
        const { list } = await apiOf(idp)('GET', '/authenticators')
        const id = list.find((one) => one.key === key)?.id
        seen.push(await signIn.submits('challenge', { authenticator: { id } }))
      }
      seen.push(await signIn.submits('challenge/answer', { credentials: { answer: question.answer } }))
      const recovery = await visit(idp)
      await recovery.submits('recover')
      seen.push(await recovery.submits('identify', { identifier: name }))
      pages.push(seen.map((answer) => masked(answer, name)))
    }
    expect(pages[0]?.join('\n')).not.toMatch(/vacation|questionKey|recovery_codes|security_question/)
    expect(pages[1]).toEqual(pages[0])
    expect(pages[2]).toEqual(pages[0])
  } finally {
    await idp.close()
  }
})

test('A43: a dump of the database holds neither an answer nor a saved code, also while the codes are shown', async () => {
  const idp = await startTarget()
  try {
    await enrollmentPolicy(idp, { security_question: 'REQUIRED', recovery_codes: 'REQUIRED' })
    const visitor = await visit(idp)
    await visitor.signsIn(victim, password)
    await visitor.enrolls('security_question')
    await visitor.submits('challenge/answer', { credentials: { ...question, answer: 'Xylophone' } })
    const codes = codesIn(await visitor.enrolls('recovery_codes'))
    const { db } = idp.engine.storage
    const dump = async () =>
      JSON.stringify([
        await db.selectFrom('enrollments').selectAll().execute(),
        await db.selectFrom('transactions').selectAll().execute(),
        await db.selectFrom('events').selectAll().execute(),
      ])
    const before = await dump()
    await visitor.answers(codes[0] ?? '')
    const after = await dump()
    for (const text of [before, after]) {
      expect(text).not.toMatch(/xylophone/i)
      for (const code of codes) {
        expect(text).not.toContain(code)
        expect(text).not.toContain(code.replaceAll('-', ''))
      }
    }
    expect(after).toContain('$argon2id$')
  } finally {
    await idp.close()
  }
})

test('A54: a question beside a password, or beside the mailbox in a recovery, is one factor and no two', async () => {
  const idp = await startTarget()
  try {
    await enrollmentPolicy(idp, { security_question: 'REQUIRED' })
    await enrolsAQuestion(idp)
    await twoFactors(idp)
    const visitor = await visit(idp)
    const behind = await visitor.signsIn(victim, password)
    const offered = behind.body.authenticators?.value.map(({ key }) => key)
    expect(offered).toEqual(['okta_email'])
  } finally {
    await idp.close()
  }
})

test('A70: saved codes are guessed at twenty times a day, and a set ends with a new one and with the reset of the user’s factors', async () => {
  const idp = await startTarget()
  try {
    await enrollmentPolicy(idp, { recovery_codes: 'REQUIRED' })
    const codes = await savesCodes(idp)
    await twoFactors(idp)
    for (let round = 0; round < 6; round++) {
      const visitor = await atTheSavedCode(idp)
      for (let guess = 0; guess < 4; guess++) {
        const refused = await visitor.answers(`AAAA-BBBB-CCCC-DD${round}${guess}`)
        expect([refused.status, refused.messages]).toEqual([401, [invalid]])
      }
    }
    const spent = await atTheSavedCode(idp)
    expect((await spent.answers(codes[1] ?? '')).messages).toEqual([invalid])
    idp.clock.advance('25h')
    const waiting = await atTheSavedCode(idp)

    // Removed by an administrator: a sign-in that waits for a code gets no further, and the policy asks for a new set.
    const { db } = idp.engine.storage
    await db.deleteFrom('enrollments').where('authenticator', '=', 'recovery_codes').execute()
    expect((await waiting.answers(codes[2] ?? '')).interactionCode).toBeUndefined()
    const again = await visit(idp)
    await again.signsIn(victim, password)
    await again.selects('okta_email')
    await again.answers((await mailTo(idp, victim, ['EmailChallenge'])).code)
    const fresh = codesIn(await again.enrolls('recovery_codes'))
    expect(fresh.filter((code) => codes.includes(code))).toEqual([])
    await again.answers(fresh[0] ?? '')
    const visitor = await atTheSavedCode(idp)
    for (const old of codes.slice(1, 4)) expect((await visitor.answers(old)).messages).toEqual([invalid])
    await visitor.answers(fresh[1] ?? '')
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
  } finally {
    await idp.close()
  }
})

test('A70: each use asks for a new set, with a notice; with the last code the old one is as good as none', async () => {
  const idp = await startTarget()
  try {
    await enrollmentPolicy(idp, { recovery_codes: 'REQUIRED' })
    const codes = await savesCodes(idp)
    await twoFactors(idp)
    for (const code of codes.slice(1)) {
      idp.clock.advance('1h')
      const visitor = await atTheSavedCode(idp)
      await visitor.answers(code)
      expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    }
    const visitor = await visit(idp)
    const asked = await visitor.signsIn(victim, password)
    expect(asked.body.authenticators?.value.map(({ key }) => key)).toEqual(['okta_email'])
    await visitor.selects('okta_email')
    await visitor.answers((await mailTo(idp, victim, ['EmailChallenge'])).code)
    expect(visitor.remediations).toEqual(['select-authenticator-enroll'])
    await idp.engine.delivery.idle()
    idp.outbox.clear()
    const [fresh = ''] = codesIn(await visitor.enrolls('recovery_codes'))
    expect((await visitor.answers(fresh)).interactionCode).toBeDefined()
    expect((await mailTo(idp, victim, ['AuthenticatorEnrolled'])).text).toContain('Recovery Codes')
  } finally {
    await idp.close()
  }
})

onEachDatabase('a saved code', (database) => {
  test('A70: sent by many sign-ins at once, to two engines on one database, is good for one of them, and spends no other', async () => {
    const apiToken = 'an-api-token-of-this-test-known-to-all'
    const limits = { ...manyRequests, codesPerDay: 1_000_000 }
    const nodes = await startNodes(database, 2, { settings: { management: { apiToken }, limits } })
    try {
      const { balancer } = nodes
      const idp = { ...balancer, engineUrl: balancer.engineUrl, apiToken }
      await enrollmentPolicy(idp, { recovery_codes: 'REQUIRED' })
      const codes = await savesCodes(balancer)
      await twoFactors(idp)
      for (const round of [1, 2]) {
        const visitors: Visitor[] = []
        for (const node of [0, 1, 0, 1]) {
          balancer.to(node)
          visitors.push(
            await atTheSavedCode({ ...balancer, engineUrl: balancer.engineUrl, issuer: balancer.issuer }),
          )
        }
        // Two codes, each sent twice: two sign-ins, however they are interleaved.
        const sent = [0, 0, 1, 1].map((which) => codes[round * 2 + which] ?? '')
        const replies = await parallel(4, async (index) => {
          for (let tries = 0; tries < 20; tries++) {
            const reply = await visitors[index]?.answers(sent[index] ?? '')
            if (reply?.status !== 503) return reply
          }
          throw new Error('the engine stays busy')
        })
        // Each of them is asked for a new set.
        const isRight = (reply: (typeof replies)[number]) => reply?.status === 200
        expect(replies.filter(isRight)).toHaveLength(2)
        const of = (from: number) => replies.slice(from, from + 2).filter(isRight).length
        expect([of(0), of(2)]).toEqual([1, 1])
      }
    } finally {
      await nodes.close()
    }
  })
})

test('A12: a new password does not come of a saved code without the mailbox', async () => {
  const idp = await startTarget()
  try {
    await enrollmentPolicy(idp, { recovery_codes: 'REQUIRED' })
    const codes = await savesCodes(idp)
    const visitor = await atTheCode(idp, victim)
    expect((await visitor.answers(codes[1] ?? '')).status).toBe(401)
    await visitor.answers((await mailTo(idp, victim, ['ForgotPassword'])).code)
    await visitor.selects('recovery_codes')
    expect(
      (await visitor.submits('challenge/answer', { credentials: { passcode: newPassword } })).status,
    ).toBe(401)
    await visitor.answers(codes[1] ?? '')
    expect(visitor.remediations).toEqual(['reset-authenticator'])
  } finally {
    await idp.close()
  }
})
