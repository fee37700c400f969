import { apiError, type ErrorCode, ProtocolError, plainHash, randomToken } from '../base/index.ts'
import { ownPagesId } from '../clients/index.ts'
import { compareKey } from '../directory/index.ts'
import { authenticatorId, type FlowAnswer, type Input, type RequestCharge } from '../flow/index.ts'
import {
  beginInteraction,
  type ClassicRequest,
  endInteraction,
  findInteraction,
  type Origin,
} from '../interactions/index.ts'
import { choiceOf, type Factor, factorAsked, factorsOf } from './factors.ts'
import type { ClassicParts } from './parts.ts'
import { invalidToken, readRelayState, readStateToken, required } from './read.ts'
import { renderPrevious, renderState, renderSuccess } from './render.ts'
import { codeAsked, renderDone } from './render-recovery.ts'

/** A request to the classic API. */
export interface ClassicCall {
  readonly body: Input
  /** The address of the connection. */
  readonly address: string
  readonly origin: Origin
  /** The secret of the cookie of the browser that calls; absent: it brought none, or no browser calls. */
  readonly browser: string | undefined
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal
  /** Whether the request is charged to its source by now, for whom that is done once; says from then on that it is. */
  isCharged(): boolean
}

export type Json = Readonly<Record<string, unknown>>

/** Primary authentication: a name and a password. Or, with a state token alone, where its transaction is. */
export async function authenticate(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const { body } = call
  if (body.stateToken !== undefined && body.username === undefined) return readState(parts, call)
  if (body.token !== undefined && body.username === undefined) {
    throw apiError('E0000215', {
      summary: 'An activation token is not taken by this API: send its user to the link of the mail.',
    })
  }
  const username = required(body, 'username', 254)
  const password = required(body, 'password', 4096)
  const warns = isOption(body, 'warnBeforePasswordExpired')
  const handle = await begin(parts, call, warns ? { warns: true } : {})
  const submit = submitting(parts, call, username)
  const begun = await submit.begin(handle)
  const identified = await submit.step(begun, 'identify', {
    identifier: username,
    credentials: { passcode: password },
  })
  // Where the first page asks for the name alone, the password is a challenge of its own: the same for every name.
  const answer = isAskedSeparately(identified)
    ? await provePassword(submit, identified, password)
    : identified
  if (answer.view.progress.proofs.length === 0) throw refusedAs('E0000004', answer, parts)
  return goOn(parts, call, submit, answer)
}

/**
 * Begins an interaction of the engine's own client, which no browser and no page leads through. Resolves with its handle.
 *
 * @param wanted what it begins with; with a recovery token it begins at its end
 */
export async function begin(
  parts: ClassicParts,
  { body, address, origin }: ClassicCall,
  { recoveryTokenId, ...classic }: ClassicRequest & { readonly recoveryTokenId?: string },
  { isCharged = false } = {},
): Promise<string> {
  const relayState = readRelayState(body)
  if (!isCharged) await parts.limits.charge('interact', { address })
  const { handle } = await beginInteraction(
    parts.storage.db,
    {
      ...{ clientId: ownPagesId, issuer: 'org', codeChallenge: '' },
      redirectUri: `${parts.baseUrl()}/signin`,
      request: {
        ...{ scope: 'openid', state: '' },
        ...(recoveryTokenId !== undefined && { recoveryTokenId }),
        // No browser has this secret: no address and no page leads to the end of this transaction (A80).
        hosted: { responseMode: 'query', browser: plainHash(randomToken(parts.random)) },
        classic: { ...(relayState !== undefined && { relayState }), ...classic },
      },
      origin,
    },
    { random: parts.random, now: parts.clock.now(), lifetimeMs: parts.interactionMs },
  )
  return handle
}

/** Where the transaction of a state token is. */
export async function readState(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const submit = submitting(parts, call)
  return stateOf(parts, await submit.at(call.body))
}

/** The choice of factors again. */
export async function goBack(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const answer = await submitting(parts, call).at(call.body)
  return shown(renderPrevious(parts.baseUrl(), answer))
}

/** Ends a transaction, and answers what its caller wanted back. */
export async function cancelAuthn(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const { context } = await submitting(parts, call).at(call.body)
  const { id, request } = context.interaction
  await endInteraction(parts.storage.db, id, parts.clock.now(), 'cancelled')
  const { relayState } = request.classic ?? {}
  return relayState === undefined ? {} : { relayState }
}

/** Goes on without a new password, where the old one only expires soon. */
export async function skipWarning(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const submit = submitting(parts, call)
  const answer = await submit.at(call.body)
  if (answer.view.stage !== 'reenroll-warning') throw notNow()
  return goOn(parts, call, submit, await submit.step(answer, 'skip', {}))
}

/** A new password in place of one that has expired, or will soon. */
export async function changePassword(parts: ClassicParts, call: ClassicCall): Promise<Json> {
  const submit = submitting(parts, call)
  const answer = await submit.at(call.body)
  // The old one was proven in this transaction a moment ago: whatever is sent of it is no further guess.
  required(call.body, 'oldPassword', 4096)
  const passcode = required(call.body, 'newPassword', 4096)
  if (answer.view.stage !== 'reenroll' && answer.view.stage !== 'reenroll-warning') throw notNow()
  const changed = await submit.step(answer, 'challenge/answer', { credentials: { passcode } })
  if (changed.refused !== undefined) throw refusedAs('E0000014', changed, parts)
  return goOn(parts, call, submit, changed)
}

/** Has a factor send its code, or checks an answer to it. */
export async function verifyFactor(parts: ClassicParts, call: ClassicCall, id: string): Promise<Json> {
  const submit = submitting(parts, call)
  const before = await submit.at(call.body)
  const factor = factorsOf(before).find((one) => one.id === id)
  if (factor === undefined) throw noFactor(id)
  const given = call.body.passCode ?? call.body.answer
  if (given !== undefined && typeof given !== 'string') throw apiError('E0000068')
  const isOpen = factorAsked(before)?.id === id
  const { sends } = factor.kind
  // A code that was never sent can only be wrong.
  if (given !== undefined && sends !== undefined && !isOpen) throw apiError('E0000068')
  if (given === undefined && sends === undefined) required(call.body, answerName(factor))
  const opened =
    given === undefined || !isOpen ? await submit.step(before, 'challenge', choiceOf(factor)) : before
  if (opened.refused !== undefined) throw refusedAs('E0000068', opened, parts)
  if (given === undefined) return stateOf(parts, opened)
  const { length } = before.view.progress.proofs
  const credentials = factor.kind.factorType === 'question' ? { answer: given } : { passcode: given }
  const answered = await submit.step(opened, 'challenge/answer', { credentials })
  if (answered.refused !== undefined || answered.view.progress.proofs.length === length) {
    throw refusedAs('E0000068', answered, parts)
  }
  return goOn(parts, call, submit, answered)
}

/** Has the factor that is asked for send another code. */
export async function resendFactor(parts: ClassicParts, call: ClassicCall, id: string): Promise<Json> {
  const submit = submitting(parts, call)
  const before = await submit.at(call.body)
  if (factorAsked(before)?.id !== id) throw noFactor(id)
  const sent = await submit.step(before, 'challenge/resend', {})
  if (sent.refused !== undefined) throw refusedAs('E0000068', sent, parts)
  return stateOf(parts, sent)
}

const answerName = ({ kind }: Factor): string => (kind.factorType === 'question' ? 'answer' : 'passCode')

export const noFactor = (id: string) =>
  apiError('E0000007', { summary: `Not found: Resource not found: ${id.slice(0, 40)} (UserFactor)` })

export const notNow = () => apiError('E0000079')

const isOption = ({ options }: Input, name: string): boolean =>
  typeof options === 'object' && options !== null && (options as Input)[name] === true

type Submitting = ReturnType<typeof submitting>

/** Submissions of one request, which is charged to its source once. */
export function submitting(
  { flow, limits }: ClassicParts,
  { address: connection, signal, isCharged }: ClassicCall,
  username?: string,
) {
  const charge: RequestCharge = async ({ address = connection, ...source }) => {
    if (isCharged()) return
    const identifier = username === undefined ? source.identifier : compareKey(username)
    await limits.charge(username === undefined ? 'idx' : 'identify', { ...source, address, identifier })
  }
  return {
    begin: (interactionHandle: string): Promise<FlowAnswer> => flow.introspect({ interactionHandle }, charge),
    /** Throws 401 `E0000011` where the token is none of this API, or nothing is asked any more. */
    async at(body: Input): Promise<FlowAnswer> {
      const answer = await asTokenError(() => flow.introspect({ stateHandle: readStateToken(body) }, charge))
      // The handle of a page is no state token here: what begins there ends there (A83).
      if (answer.context.interaction.request.classic === undefined) throw invalidToken()
      return answer
    },
    step: ({ context }: FlowAnswer, path: string, input: Input): Promise<FlowAnswer> =>
      asTokenError(() =>
        flow.submit({ path, stateHandle: context.transaction.stateHandle, input, charge, signal }),
      ),
  }
}

async function asTokenError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'idx.session.expired') throw invalidToken()
    throw error
  }
}

/** Whether the first page took the name alone. */
const isAskedSeparately = ({ view, refused }: FlowAnswer): boolean =>
  refused === undefined &&
  view.progress.proofs.length === 0 &&
  (view.stage === 'select' || view.stage === 'verify' || view.stage === 'verify-data')

async function provePassword(submit: Submitting, identified: FlowAnswer, passcode: string) {
  const { choices } = identified.view
  const password = choices.find(({ challenge }) => challenge?.withIdentifier)
  if (password === undefined) throw apiError('E0000215')
  const authenticator = { id: authenticatorId(password.key) }
  const asked = await submit.step(identified, 'challenge', { authenticator })
  if (asked.refused !== undefined) return asked
  return submit.step(asked, 'challenge/answer', { credentials: { passcode } })
}

/** What follows from a step: what this API passes over by itself is passed over, and the end has a session token. */
export async function goOn(
  parts: ClassicParts,
  call: ClassicCall,
  submit: Submitting,
  answer: FlowAnswer,
): Promise<Json> {
  const { view, context, returns, notice } = answer
  if (returns) return succeeded(parts, call, answer)
  if (context.stage === 'closed' && notice !== undefined) {
    return renderDone(answer, context.transaction.progress.closed === 'unlocked' ? 'UNLOCK' : 'PASSWORD')
  }
  const { warns } = context.interaction.request.classic ?? {}
  const isWarning = view.stage === 'reenroll-warning' && !warns
  // What a policy only offers to enrol, Okta leaves out here, too.
  if (isWarning || (view.skippable && isEnrolling(view.stage))) {
    return goOn(parts, call, submit, await submit.step(answer, 'skip', {}))
  }
  return stateOf(parts, answer)
}

const isEnrolling = (stage: FlowAnswer['view']['stage']): boolean =>
  ['select-enroll', 'enroll-data', 'enroll'].includes(stage)

function stateOf(parts: ClassicParts, answer: FlowAnswer): Json {
  if (answer.view.stage === 'closed') {
    // What was proven is the user's own: only who has read the mail or the text learns that the policy goes no further.
    const isRecovery = answer.from.context.transaction.progress.intent !== 'sign-in'
    throw refusedAs(isRecovery ? 'E0000034' : 'E0000004', answer, parts)
  }
  if (answer.view.progress.proofs.length === 0 && codeAsked(answer) === undefined) throw invalidToken()
  return shown(renderState(parts.baseUrl(), answer))
}

/** What the policy asks for must be in the answer, or the API says that it is not: it never leaves anything out (A83). */
function shown(state: Json | undefined): Json {
  const factors = (state?._embedded as { readonly factors?: readonly object[] } | undefined)?.factors
  if (state === undefined || factors?.length === 0) throw apiError('E0000215')
  return state
}

async function succeeded(parts: ClassicParts, call: ClassicCall, answer: FlowAnswer): Promise<Json> {
  const { interaction } = answer.context
  const completed = await findInteraction(parts.storage.db, interaction.id)
  const issued = completed && (await parts.issueSessionToken(completed, call.browser))
  if (issued === undefined) throw apiError('E0000004')
  return renderSuccess(answer, issued)
}

/** A refusal in the shape of this API: one answer for all reasons, except that a source sends too much. */
export function refusedAs(
  code: ErrorCode,
  { refused, context }: FlowAnswer,
  { clock, authenticators }: Pick<ClassicParts, 'clock' | 'authenticators'>,
): ProtocolError {
  if (refused?.status === 429 && context.transaction.progress.closed === undefined) {
    const seconds = Math.max(1, Math.ceil(((refused.retryAt ?? 0) - clock.now()) / 1000))
    return apiError(
      'E0000047',
      refused.retryAt === undefined ? {} : { headers: { 'Retry-After': `${seconds}` } },
    )
  }
  if (code === 'E0000014' && refused !== undefined) {
    const { key, params = [] } = refused
    const texts = [...authenticators.values()].flatMap(({ messages = {} }) => messages[key]?.text ?? [])
    const causes = texts.map((text) =>
      text.replace(/\{(\d)\}/g, (_, index) => String(params[Number(index)] ?? '')),
    )
    return apiError(code, { causes })
  }
  return apiError(code)
}
