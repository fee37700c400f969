import { record } from '../../audit/index.ts'
import { apiError } from '../../base/index.ts'
import { ifUnchanged, putFactorChallenge, useFactorChallenge } from '../../directory/index.ts'
import { carryOutFactorEffects, type FactorVerdict } from '../../flow/index.ts'
import { clearBudgets, type Use } from '../../limits/index.ts'
import { retryStale, StaleRead, type Tx } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import type { Answer, Call, Context } from '../operation.ts'
import {
  chargeActivation,
  chargeGuess,
  guessBudgets,
  hasRoom,
  locked,
  requireGuesses,
  resetBySuccess,
} from './budgets.ts'
import { sendChallenge, writeEnrollment } from './enroll.ts'
import {
  askedFor,
  type Factor,
  factorContext,
  getFactor,
  loadFactors,
  type PendingData,
  type UserFactors,
} from './find.ts'
import type { FactorAnswerBody, Verifying } from './schema.ts'
import { renderChallenge, renderFactor, renderWaiting } from './wire.ts'

type Right = Extract<FactorVerdict, { verdict: 'right' }>

const wrongAnswer = () =>
  apiError('E0000068', {
    causes: ["Your passcode doesn't match our records. Please try again."],
  })

/** Confirms an enrolment. Of two confirmations at once one counts. */
export async function activateFactor(call: Call<FactorAnswerBody>): Promise<Answer> {
  const { parts, actor, body } = call
  const first = await loadFactors(call)
  const pendingFactor = getFactor(call, first, 'PENDING_ACTIVATION')
  requirePending(pendingFactor)
  // Outside of what is tried again: one call is one of five, whatever becomes of it.
  await parts.storage.transaction((tx) => chargeActivation(call, tx, pendingFactor))
  await retryStale(async () => {
    const loaded = await loadFactors(call)
    const { person } = loaded
    const factor = getFactor(call, loaded, 'PENDING_ACTIVATION')
    const { managed, authenticator, kind } = factor
    const pending = requirePending(factor)
    const uses = guessBudgets(call, factor, person.id)
    await requireGuesses(call, uses)
    const context = factorContext(call, loaded, authenticator)
    const verdict = await managed.activate?.(withoutNulls(body), askedFor(factor), context)
    if (verdict === undefined) throw invalid([`factor: ${kind.factorType} is not confirmed by an answer`])
    if (verdict.verdict === 'unreadable') throw invalid(verdict.problems)
    if (verdict.verdict !== 'right') {
      const rule = verdict.verdict === 'wrong' ? verdict.rule : 'code-expired'
      return refuseWrong(call, loaded, factor, uses, rule)
    }
    const { enrolled, challenge: _, ...made } = pending.data as PendingData
    const stored = { data: enrolled, ...made, ...verdict.enrollment }
    const changed = await parts.people.change(
      person.id,
      {},
      {
        by: actor,
        version: person.version,
        async with(tx, _, now) {
          if (!(await useFactorChallenge(tx, pending))) throw new StaleRead(`factor ${factor.id}`)
          await requireRoom(call, tx, uses)
          await writeEnrollment(call, tx, now, {
            ...{ authenticator, managed, kind, person, ...written(stored) },
            enrollmentId: pending.enrollmentId,
            effects: verdict.effects,
          })
        },
      },
    )
    if (changed === undefined) throw notFound(person.id, 'User')
  })
  parts.onCommitted()
  const after = await loadFactors(call)
  return { body: renderFactor(call, after, confirmedIn(call, after, pendingFactor)) }
}

/** What is there: the factor by its id, or, where the number was enrolled by another way meanwhile, the one that it became. */
const confirmedIn = (call: Context, after: UserFactors, { kind, id }: Factor): Factor =>
  after.factors.some((factor) => factor.id === id)
    ? getFactor(call, after)
    : (after.factors.filter((factor) => factor.kind === kind && factor.status === 'ACTIVE').at(-1) ??
      getFactor(call, after))

/** What of an enrolment is there, without what is not. */
const written = ({ data, ...more }: { readonly data: unknown } & Partial<Omit<PendingData, 'enrolled'>>) => ({
  data,
  ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)),
})

function requirePending({ pending }: Factor): NonNullable<Factor['pending']> {
  if (pending === undefined) throw invalid(['factor: is active already'])
  return pending
}

/** A body without the members that are null: absent, as everywhere in this API. */
const withoutNulls = (body: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined))

/** Issues a challenge for an empty body, else checks the answer. It begins no session. */
export function verifyFactor(call: Call<FactorAnswerBody, Verifying>): Promise<Answer> {
  const answer = withoutNulls(call.body)
  return retryStale(async () => {
    const loaded = await loadFactors(call)
    const factor = getFactor(call, loaded)
    if (factor.status !== 'ACTIVE') throw invalid(['factor: is not active yet'])
    const refusal = factor.managed.refuses?.verify
    if (refusal !== undefined) throw invalid([`factor: ${refusal}`])
    return Object.keys(answer).length === 0 && factor.managed.challenge !== undefined
      ? issueChallenge(call, loaded, factor)
      : checkAnswer(call, loaded, factor, answer)
  })
}

async function issueChallenge(
  call: Call<FactorAnswerBody, Verifying>,
  loaded: UserFactors,
  factor: Factor,
): Promise<Answer> {
  const { parts, now, query } = call
  const { managed, authenticator, kind, id, enrollment } = factor
  const { person } = loaded
  const context = factorContext(call, loaded, authenticator, { ...query, language: call.language })
  const challenge = await managed.challenge?.(askedFor(factor), context)
  if (challenge === undefined) throw invalid(['factor: nothing is issued for it'])
  await ifUnchanged(parts.storage, person, async (tx) => {
    await putFactorChallenge(
      tx,
      {
        ...{ personId: person.id, factorId: id, enrollmentId: enrollment?.id ?? person.id },
        ...{ authenticator: authenticator.key, method: kind.method, purpose: 'verify' },
        ...{ data: challenge.data, expiresAt: challenge.expiresAt },
      },
      { random: parts.random, now },
    )
    await sendChallenge(call, tx, { personId: person.id, kind }, challenge)
  })
  parts.onCommitted()
  return { body: renderChallenge(call, loaded, factor, challenge.embedded) }
}

async function checkAnswer(
  call: Call<FactorAnswerBody, Verifying>,
  loaded: UserFactors,
  factor: Factor,
  answer: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const { parts, actor, now } = call
  const { random, secrets } = parts
  const { person } = loaded
  const { managed, authenticator, challenge } = factor
  const uses = guessBudgets(call, factor, person.id)
  await requireGuesses(call, uses)
  const verdict = await managed.verify?.(answer, askedFor(factor), factorContext(call, loaded, authenticator))
  if (verdict === undefined) throw invalid(['factor: it cannot be verified here'])
  if (verdict.verdict === 'unreadable') throw invalid(verdict.problems)
  if (verdict.verdict === 'timeout') return { body: { factorResult: 'TIMEOUT' } }
  if (verdict.verdict === 'wrong') return refuseWrong(call, loaded, factor, uses, verdict.rule)
  const isOpen = await ifUnchanged(parts.storage, person, async (tx) => {
    // One success a challenge: of two answers at once the second finds nothing open.
    if (challenge !== undefined && !(await useFactorChallenge(tx, challenge))) return false
    await requireRoom(call, tx, uses)
    const { effects }: Right = verdict
    await carryOutFactorEffects({ tx, secrets, random, now, by: actor }, effects)
    await recordVerification(call, tx, loaded, factor)
    return true
  })
  return { body: { factorResult: isOpen ? 'SUCCESS' : 'TIMEOUT' } }
}

/** A right answer that finds the budget used up is none, and makes good what may be made good. */
async function requireRoom(call: Context, tx: Tx, uses: readonly Use[]): Promise<void> {
  if (!(await hasRoom(call, tx, uses))) throw locked()
  await clearBudgets(tx, resetBySuccess(call, uses))
}

/** Counts a wrong answer and refuses it: 403 `E0000068`, or `E0000069` where the budget was used up meanwhile. */
async function refuseWrong(
  call: Context,
  loaded: UserFactors,
  factor: Factor,
  uses: readonly Use[],
  rule: string,
): Promise<never> {
  const isCounted = await ifUnchanged(call.parts.storage, loaded.person, async (tx) => {
    if (!(await chargeGuess(call, tx, uses))) return false
    await recordVerification(call, tx, loaded, factor, rule)
    return true
  })
  throw isCounted ? wrongAnswer() : locked()
}

const recordVerification = (
  { parts, actor, now }: Context,
  tx: Tx,
  { person }: UserFactors,
  { authenticator }: Factor,
  rule?: string,
): Promise<void> =>
  record(
    tx,
    {
      eventType: 'user.authentication.verify',
      displayMessage: 'Verify user identity',
      outcome:
        rule === undefined ? { result: 'SUCCESS' } : { result: 'FAILURE', reason: 'INVALID_CREDENTIALS' },
      actor,
      target: [{ id: person.id, type: 'User', alternateId: person.profile.login }],
      debugData: { authenticator: authenticator.key, ...(rule !== undefined && { rule }) },
    },
    { random: parts.random, now },
  )

/** A challenge by its id: waiting, for as long as it is open. */
export async function pollFactor(call: Context): Promise<Answer> {
  const { transactionId = '' } = call.params
  const loaded = await loadFactors(call)
  const factor = getFactor(call, loaded)
  const { challenge } = factor
  if (challenge === undefined || challenge.id !== transactionId)
    throw notFound(transactionId, 'FactorTransaction')
  return { body: renderWaiting(call, loaded, factor, challenge.expiresAt) }
}
