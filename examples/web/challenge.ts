import { info } from './messages.ts'
import { challengeAuthenticator } from './pages/challenge-authenticator.ts'
import { goOn, nextPath, reasonToPause, secondsUntilResend, withoutAttempt } from './steps.ts'
import { go, type Handler, type Visit } from './visit.ts'

// What the code page does besides taking the code: another mail, and a look whether the link was used.

const { path } = challengeAuthenticator

/** "Send again": asks for another mail, at most every 30 seconds. */
export const resendCode: Handler = async (visit) => {
  const { request, words } = visit
  const client = visit.client()
  if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
  const present = await client.idx.proceed()
  if (!present.nextStep?.canResend) return goOn(visit, client, present, path)

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
  return goOn(visit, client, transaction, path)
}

/**
 * Looks whether the link in the mail was used. The page's script asks for JSON and is told where to go; without
 * JavaScript a link leads here and the browser is sent on. It changes nothing that another site could want changed.
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
  // idx.poll() knows Okta Verify only; for a mail link it is the action that asks the server.
  const transaction = await client.idx.proceed({ actions: ['currentAuthenticatorEnrollment-poll'] })
  return reasonToPause(transaction) ? 'pause' : nextPath(visit, client, transaction, path)
}
