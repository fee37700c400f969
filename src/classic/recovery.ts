import { apiError } from '../base/index.ts'
import { authenticatorId, type FlowAnswer } from '../flow/index.ts'
import { begin, type ClassicCall, goOn, type Json, noFactor, notNow, refusedAs, submitting } from './authn.ts'
import { choiceOf, factorAsked, factorsOf } from './factors.ts'
import type { ClassicParts } from './parts.ts'
import { required } from './read.ts'
import { codeWays, renderCodeSent, renderMailSent, type Way } from './render-recovery.ts'

type Kind = 'recovery' | 'unlock'

/** Begins the recovery of a password: a mail with a link, a text or a call. */
export const recoverPassword = (parts: ClassicParts, call: ClassicCall): Promise<Json> =>
  beginRecovery(parts, call, 'recovery')

/** Begins the unlock of an account, in the same way. */
export const unlockAccount = (parts: ClassicParts, call: ClassicCall): Promise<Json> =>
  beginRecovery(parts, call, 'unlock')

/**
 * Every name gets the same answer, by the same steps: nothing shows who there is, who is locked, and who has a phone (A01, A64). What is
 * sent goes to the user whom the flow would send it to on the pages, within the same budgets.
 */
async function beginRecovery(parts: ClassicParts, call: ClassicCall, kind: Kind): Promise<Json> {
  const { body } = call
  const username = required(body, 'username', 254)
  const way = wayIn(body.factorType)
  const { key, method } = codeWays[way]
  // The link of the mail leads on, in whatever browser it is opened: no code of it could be typed anywhere.
  const isByLink = kind === 'recovery' && way === 'EMAIL'
  const handle = await begin(parts, call, { begins: kind, ...(isByLink && { linkOnly: true as const }) })
  const submit = submitting(parts, call, username)
  const begun = await submit.begin(handle)
  const { policy } = begun.view
  const { authenticators, methods } = kind === 'recovery' ? policy.recovery : policy.unlock
  const isAllowed = authenticators.includes(key) && (methods[key]?.includes(method) ?? true)
  if (!isAllowed) throw notAllowed()
  const choice = { authenticator: { id: authenticatorId(key), methodType: method } }
  const sent =
    kind === 'unlock'
      ? await submit.step(begun, 'challenge', { identifier: username, ...choice })
      : await choose(submit, await submit.step(begun, 'identify', { identifier: username }), choice, way)
  if (sent.refused !== undefined) throw refusedAs('E0000001', sent, parts)
  if (sent.context.transaction.progress.subject === undefined) throw unknown()
  return isByLink ? renderMailSent(sent) : renderCodeSent(parts.baseUrl(), sent, way)
}

/** Chooses the way by which the code comes, unless it is the only one and was opened at once. */
async function choose(
  submit: ReturnType<typeof submitting>,
  named: FlowAnswer,
  choice: { readonly authenticator: object },
  way: Way,
): Promise<FlowAnswer> {
  const { subject, challenge } = named.view.progress
  if (named.refused !== undefined || subject === undefined) return named
  const { key, method } = codeWays[way]
  const isOpen = challenge?.authenticator === key && challenge.method === method && !challenge.pending
  return isOpen ? named : submit.step(named, 'challenge', choice)
}

function wayIn(given: unknown): Way {
  const way = given === undefined || given === null ? 'EMAIL' : given
  if (typeof way === 'string' && Object.hasOwn(codeWays, way)) return way as Way
  throw apiError('E0000001', {
    summary: 'Api validation failed: factorType',
    causes: [`factorType: must be one of ${Object.keys(codeWays).join(', ')}`],
  })
}

/** The same for every name: what the policies leave out for all users. */
const notAllowed = () => apiError('E0000034')

/** Only where a policy reveals who there is (`policies.recovery.revealUnknown`). */
const unknown = () => apiError('E0000095')

/** A recovery by a token that an administrator has made: the user of it proves the rest here, and sets a password. */
export async function verifyRecoveryToken(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const token = required(call.body, 'recoveryToken')
  // Charged before anything is looked up, so that guessing tokens is limited as well.
  await parts.limits.charge('interact', { address: call.address })
  const recoveryTokenId = await parts.findRecoveryToken(token)
  if (recoveryTokenId === undefined) throw apiError('E0000011')
  const handle = await begin(parts, call, { recoveryTokenId }, { isCharged: true })
  const submit = submitting(parts, call)
  return goOn(parts, call, submit, await submit.begin(handle))
}

/** The code of a text, of a call, or of the mail of an unlock. */
export async function verifyRecoveryCode(parts: ClassicParts, call: ClassicCall, way: string): Promise<Json> {
  const submit = submitting(parts, call)
  const before = await submit.at(call.body)
  checkWay(before, way)
  const passcode = required(call.body, 'passCode')
  const answered = await submit.step(before, 'challenge/answer', { credentials: { passcode } })
  const isProven = answered.notice !== undefined || answered.view.progress.proofs.length > 0
  if (isProven && answered.view.stage === 'closed') return goOn(parts, call, submit, answered)
  if (answered.refused !== undefined || !isProven) throw refusedAs('E0000068', answered, parts)
  return goOn(parts, call, submit, answered)
}

/** Sends the code once more. */
export async function resendRecoveryCode(parts: ClassicParts, call: ClassicCall, way: string): Promise<Json> {
  const submit = submitting(parts, call)
  const before = await submit.at(call.body)
  checkWay(before, way)
  const sent = await submit.step(before, 'challenge/resend', {})
  if (sent.refused !== undefined) throw refusedAs('E0000068', sent, parts)
  return renderCodeSent(parts.baseUrl(), sent, wayIn(way))
}

/** Throws unless this way's code is what the transaction waits for. */
function checkWay({ view: { progress, stage } }: FlowAnswer, given: string): void {
  const way = Object.hasOwn(codeWays, given) ? codeWays[given as Way] : undefined
  if (way === undefined) throw noFactor(given)
  const { challenge, intent, proofs } = progress
  const isRecovery = (intent === 'recovery' || intent === 'unlock') && proofs.length === 0
  const isOpen = challenge?.authenticator === way.key && challenge.method === way.method
  if (stage !== 'verify' || !isRecovery || !isOpen) throw notNow()
}

/** The answer to the security question, where a recovery asks for it besides. */
export async function answerQuestion(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const submit = submitting(parts, call)
  const before = await submit.at(call.body)
  const factor = factorsOf(before).find(({ kind }) => kind.factorType === 'question')
  if (factor === undefined || before.view.progress.intent === 'sign-in') throw notNow()
  const answer = required(call.body, 'answer')
  const asked =
    factorAsked(before)?.id === factor.id ? before : await submit.step(before, 'challenge', choiceOf(factor))
  if (asked.refused !== undefined) throw refusedAs('E0000087', asked, parts)
  const { length } = before.view.progress.proofs
  const answered = await submit.step(asked, 'challenge/answer', { credentials: { answer } })
  const isProven = answered.notice !== undefined || answered.view.progress.proofs.length > length
  if (answered.refused !== undefined || !isProven) throw refusedAs('E0000087', answered, parts)
  return goOn(parts, call, submit, answered)
}

/** The new password at the end of a recovery. */
export async function resetPassword(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const submit = submitting(parts, call)
  const answer = await submit.at(call.body)
  if (answer.view.stage !== 'reset') throw notNow()
  const passcode = required(call.body, 'newPassword', 4096)
  const { revokeSessions } = call.body
  if (revokeSessions !== undefined && typeof revokeSessions !== 'boolean') {
    throw apiError('E0000001', {
      summary: 'Api validation failed: revokeSessions',
      causes: ['revokeSessions: must be true or false'],
    })
  }
  const credentials = { passcode, ...(revokeSessions !== undefined && { revokeSessions }) }
  const changed = await submit.step(answer, 'challenge/answer', { credentials })
  if (changed.refused !== undefined) throw refusedAs('E0000014', changed, parts)
  return goOn(parts, call, submit, changed)
}
