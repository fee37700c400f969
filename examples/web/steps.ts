import { IdxStatus, type IdxTransaction, type OktaAuth } from '@okta/okta-auth-js'
import { rememberBeginning } from './beginnings.ts'
import { error, hasKey, info, type Message, messagesOf } from './messages.ts'
import { beginAttempt, signIn } from './okta.ts'
import { pageOf } from './pages/index.ts'
import type { Field, StepPage, View } from './pages/page.ts'
import { type Stopped, stoppedPage } from './pages/stopped.ts'
import { csrfToken, readForm } from './security.ts'
import { take } from './session.ts'
import { go, type Handler, show, type Visit } from './visit.ts'

/** Shows the page of a step, if the server is still waiting for that step. */
export const showStep =
  (page: StepPage): Handler =>
  async (visit) => {
    const messages = () => take(visit.request, 'messages') ?? []
    if (page.begins) return draw(visit, page, { transaction: undefined, messages: messages() })

    const client = visit.client()
    if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
    // Given nothing, the SDK answers from what it stored, without asking the server.
    const transaction = await client.idx.proceed()
    if (transaction.nextStep?.name !== page.step) return goOn(visit, client, transaction, page.path)
    return draw(visit, page, {
      transaction,
      messages: [...messages(), ...messagesOf(transaction, visit.words)],
    })
  }

/** Takes the form of a step's page: hands it to the SDK and goes where the answer leads. */
export const submitStep =
  (page: StepPage): Handler =>
  async (visit) => {
    const { request, words, beginnings } = visit
    const field = readForm(request.body)
    const client = visit.client()
    let present: IdxTransaction | undefined
    if (page.begins) {
      beginAttempt(request)
    } else {
      if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
      // Another tab may have moved on: what was typed for one step must not be sent to the next.
      present = await client.idx.proceed()
      if (present.nextStep?.name !== page.step) return goOn(visit, client, present, page.path)
    }

    const answer = await page.submit({ client, field, words, step: present?.nextStep })
    if ('refused' in answer)
      return draw(visit, page, { transaction: present, messages: answer.refused, field, status: 400 })

    const messages = messagesOf(answer, words)
    if (answer.nextStep?.name === page.step && messages.length > 0)
      return draw(visit, page, { transaction: answer, messages, field, status: 400 })

    if (page.begins) rememberBeginning(beginnings, request, answer, words.appName)
    if (answer.nextStep?.canResend) request.session.codeSentAt = Date.now()
    return goOn(visit, client, answer, page.path)
  }

/** Sends the browser to wherever a transaction leads. `from` is the page to come back to if the server wants a pause. */
export const goOn = async (visit: Visit, client: OktaAuth, transaction: IdxTransaction, from: string) =>
  go(visit, await nextPath(visit, client, transaction, from))

/** Where a transaction leads: home with tokens, to the page of its next step, or to the page that says why it ended. */
export async function nextPath(
  { request, words }: Visit,
  client: OktaAuth,
  transaction: IdxTransaction,
  from: string,
): Promise<string> {
  const messages = messagesOf(transaction, words)
  const recovers = transaction.meta?.flow === 'recoverPassword'

  if (transaction.status === IdxStatus.SUCCESS && transaction.tokens) {
    await signIn(request, client, transaction.tokens)
    if (recovers) request.session.messages = [info(words.home.passwordChanged)]
    return '/'
  }

  const stop = (kind: Stopped['kind'], reasons: readonly Message[], again: string) => {
    request.session.stopped = { kind, messages: reasons, again }
    return '/stopped'
  }
  const begin = recovers ? '/recover-password' : '/login'

  if (transaction.status === IdxStatus.PENDING) {
    const page = pageOf(transaction.nextStep?.name)
    if (!page)
      return stop('ended', [error(words.stopped.unknownStep(transaction.nextStep?.name ?? ''))], begin)
    // The SDK stores no failed answer, so what it says would be lost on the way to the page.
    if (!transaction.requestDidSucceed) request.session.messages = messages
    return page.path
  }

  // The server is busy or down. The transaction stays as it is, and the same form works later.
  const pause = reasonToPause(transaction)
  if (pause)
    return stop('pause', [error(pause === 'busy' ? words.stopped.tooMany : words.problem.unreachable)], from)

  // Over. The SDK would answer the next call with the same end until it forgets the transaction.
  client.transactionManager.clear()
  const failed = messages.length === 0 || messages.some(({ kind }) => kind === 'error')
  if (failed) return stop('ended', messages.length > 0 ? messages : [error(words.problem.refused)], begin)
  return stop('done', messages, '/login')
}

/** Whether the server only wants a pause: it says so in the protocol's way, or its API answers with an error. */
export function reasonToPause(transaction: IdxTransaction): 'busy' | 'down' | undefined {
  if (hasKey(transaction, 'tooManyRequests', 'oie.tooManyRequests')) return 'busy'
  // The SDK hands the API's error on in place of the context that its types promise.
  const { errorCode } = (transaction.context ?? {}) as { errorCode?: unknown }
  if (errorCode === undefined) return undefined
  return errorCode === 'E0000047' ? 'busy' : 'down'
}

/** Where a page of a step leads that has no transaction: it is over, perhaps because another tab has finished it. */
export function withoutAttempt({ request, words }: Visit): string {
  if (request.session.tokens !== undefined) return '/'
  request.session.stopped = { kind: 'ended', messages: [error(words.stopped.expired)], again: '/login' }
  return '/stopped'
}

/** Says once why an attempt ended. */
export const showStopped: Handler = (visit) => {
  const stopped = take(visit.request, 'stopped')
  if (!stopped) return go(visit, '/')
  show(visit, stoppedPage(visit.words, stopped), { messages: stopped.messages })
}

interface Drawing {
  readonly transaction: IdxTransaction | undefined
  readonly messages: readonly Message[]
  readonly field?: Field
  readonly status?: number
}

function draw(visit: Visit, page: StepPage, { transaction, messages, field, status }: Drawing): void {
  const view: View = {
    words: visit.words,
    csrf: csrfToken(visit.request),
    messages,
    field: field ?? (() => ''),
    transaction,
    step: transaction?.nextStep,
    resendIn: secondsUntilResend(visit),
    inboxUrl: visit.config.inboxUrl,
  }
  show(visit, page.render(view), { messages, ...(status !== undefined && { status }) })
}

const pauseSeconds = 30

/** How long a person waits before the app asks the server for another code. */
export function secondsUntilResend({ request }: Visit): number {
  const seconds = (Date.now() - (request.session.codeSentAt ?? 0)) / 1000
  return Math.max(0, Math.ceil(pauseSeconds - seconds))
}
