import { info } from './messages.ts'
import { challengeAuthenticator } from './pages/challenge-authenticator.ts'
import { nextPath, reasonToPause, redirectToNext, secondsUntilResend, withoutAttempt } from './steps.ts'
import { go, type Handler, type Visit } from './visit.ts'

// The other actions of the code page: resend the mail, and check whether its link was used.

const { path } = challengeAuthenticator

/** "Send again": requests another mail, at most every 30 seconds. */
export const resendCode: Handler = async (visit) => {
  const { request, words } = visit
  const client = visit.client()
  if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
  const current = await client.idx.proceed()
  if (!current.nextStep?.canResend) return redirectToNext(visit, client, current, path)

  const wait = secondsUntilResend(visit)
  if (wait > 0) {
    request.session.messages = [info(words.challenge.againIn(wait))]
    return go(visit, path)
  }
  const transaction = await client.idx.proceed({ resend: true })
  if (transaction.requestDidSucceed && transaction.nextStep?.canResend) {
    request.session.codeSentAt = Date.now()
    request.session.messages = [info(words.challenge.sentAgain)]
  }
  return redirectToNext(visit, client, transaction, path)
}

/**
 * Checks whether the mailed link was used. The script of the page requests JSON and gets the next address; without
 * JavaScript a link leads here and the browser is redirected. Needs no protection against forgery: it changes no state.
 */
export const pollChallenge: Handler = async (visit) => {
  const { request, response, words } = visit
  const next = await afterPoll(visit)
  if (request.accepts(['html', 'json']) === 'json') {
    if (next === 'pause') response.status(503).json({})
    else response.json({ location: next === path ? null : next })
    return
  }
  if (next === 'pause' || next === path) request.session.messages = [info(words.challenge.notYet)]
  go(visit, next === 'pause' ? path : next)
}

async function afterPoll(visit: Visit): Promise<string> {
  const client = visit.client()
  if (!client.idx.canProceed()) return withoutAttempt(visit)
  // idx.poll() supports only Okta Verify; for a mailed link this action asks the server.
  const transaction = await client.idx.proceed({ actions: ['currentAuthenticatorEnrollment-poll'] })
  return reasonToPause(transaction) ? 'pause' : nextPath(visit, client, transaction, path)
}
