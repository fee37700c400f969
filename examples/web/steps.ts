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

/** Shows the page of a step, if it is the current step of the transaction. */
export const showStep =
  (page: StepPage): Handler =>
  async (visit) => {
    const messages = () => take(visit.request, 'messages') ?? []
    if (page.begins) return render(visit, page, { transaction: undefined, messages: messages() })

    const client = visit.client()
    if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
    // Without arguments, the SDK answers from its storage without asking the server.
    const transaction = await client.idx.proceed()
    if (transaction.nextStep?.name !== page.step) return redirectToNext(visit, client, transaction, page.path)
    return render(visit, page, {
      transaction,
      messages: [...messages(), ...messagesOf(transaction, visit.words)],
    })
  }

/** Handles the form of a step: passes it to the SDK and redirects to the next page. */
export const submitStep =
  (page: StepPage): Handler =>
  async (visit) => {
    const { request, words, beginnings } = visit
    const field = readForm(request.body)
    const client = visit.client()
    let current: IdxTransaction | undefined
    if (page.begins) {
      beginAttempt(request)
    } else {
      if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
      // Another tab may have continued: the input for one step must not be sent to the next one.
      current = await client.idx.proceed()
      if (current.nextStep?.name !== page.step) return redirectToNext(visit, client, current, page.path)
    }

    const answer = await page.submit({ client, field, words, step: current?.nextStep })
    if ('refused' in answer)
      return render(visit, page, { transaction: current, messages: answer.refused, field, status: 400 })

    const messages = messagesOf(answer, words)
    if (answer.nextStep?.name === page.step && messages.length > 0)
      return render(visit, page, { transaction: answer, messages, field, status: 400 })

    if (page.begins) rememberBeginning(beginnings, request, answer, words.appName)
    if (answer.nextStep?.canResend) request.session.codeSentAt = Date.now()
    return redirectToNext(visit, client, answer, page.path)
  }

/** Redirects to the next page of a transaction. `from` is the page to return to if the server requests a pause. */
export const redirectToNext = async (
  visit: Visit,
  client: OktaAuth,
  transaction: IdxTransaction,
  from: string,
) => go(visit, await nextPath(visit, client, transaction, from))

/** The next page of a transaction: home if it has tokens, the page of its next step, or the page with the reason of its end. */
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
      return stop('no-page', [error(words.stopped.unknownStep(transaction.nextStep?.name ?? ''))], begin)
    // The SDK does not store failed responses, so their messages are stored for the next page.
    if (!transaction.requestDidSucceed) request.session.messages = messages
    return page.path
  }

  // The server is busy or unavailable. The transaction is unchanged, and the same form works later.
  const pause = reasonToPause(transaction)
  // Too many wrong answers close the attempt, and only that: a new one begins at once.
  if (
    pause === 'busy' &&
    transaction.status === IdxStatus.TERMINAL &&
    apiErrorOf(transaction) === undefined
  ) {
    client.transactionManager.clear()
    return stop('ended', [error(words.stopped.tooManyWrong)], begin)
  }
  if (pause)
    return stop('pause', [error(pause === 'busy' ? words.stopped.tooMany : words.problem.unreachable)], from)

  // The transaction has ended. Clear it, or the SDK would return the same result for the next call.
  client.transactionManager.clear()
  const failed = messages.length === 0 || messages.some(({ kind }) => kind === 'error')
  if (failed) return stop('ended', messages.length > 0 ? messages : [error(words.problem.refused)], begin)
  return stop('done', messages, '/login')
}

/** The code of an API error. Unlike its types, the SDK returns the error of the API in place of the context. */
const apiErrorOf = ({ context }: IdxTransaction): unknown =>
  ((context ?? {}) as { errorCode?: unknown }).errorCode

/** Whether the failure is temporary: a rate limit of the protocol, or an error of the API. */
export function reasonToPause(transaction: IdxTransaction): 'busy' | 'down' | undefined {
  if (hasKey(transaction, 'tooManyRequests', 'oie.tooManyRequests')) return 'busy'
  const errorCode = apiErrorOf(transaction)
  if (errorCode === undefined) return undefined
  return errorCode === 'E0000047' ? 'busy' : 'down'
}

/** The next page if there is no transaction: it has ended, perhaps in another tab. */
export function withoutAttempt({ request, words }: Visit): string {
  if (request.session.tokens !== undefined) return '/'
  request.session.stopped = { kind: 'ended', messages: [error(words.stopped.expired)], again: '/login' }
  return '/stopped'
}

/** Shows once why an attempt ended. */
export const showStopped: Handler = (visit) => {
  const stopped = take(visit.request, 'stopped')
  if (!stopped) return go(visit, '/')
  show(visit, stoppedPage(visit.words, stopped), { messages: stopped.messages })
}

interface RenderOptions {
  readonly transaction: IdxTransaction | undefined
  readonly messages: readonly Message[]
  readonly field?: Field
  readonly status?: number
}

function render(visit: Visit, page: StepPage, { transaction, messages, field, status }: RenderOptions): void {
  const view: View = {
    words: visit.words,
    csrf: csrfToken(visit.request),
    messages,
    field: field ?? (() => ''),
    transaction,
    step: transaction?.nextStep,
    resendIn: secondsUntilResend(visit),
    inboxUrl: visit.config.inboxUrl,
    codeLifetime: visit.config.codeLifetime,
    signedIn: visit.request.session.tokens !== undefined,
  }
  show(visit, page.render(view), { messages, ...(status !== undefined && { status }) })
}

const pauseSeconds = 30

/** The remaining time before another code can be requested. */
export function secondsUntilResend({ request }: Visit): number {
  const seconds = (Date.now() - (request.session.codeSentAt ?? 0)) / 1000
  return Math.max(0, Math.ceil(pauseSeconds - seconds))
}
