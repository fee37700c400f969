import { IdxStatus, type IdxTransaction, type ProceedOptions } from '@okta/okta-auth-js'
import { info } from './messages.ts'
import { challengeAuthenticator, otherMethodOf, phoneChoice } from './pages/challenge-authenticator.ts'
import { choicesOf } from './pages/choices.ts'
import { enrollAuthenticator } from './pages/enroll-authenticator.ts'
import {
  nextPath,
  otherPhoneMethod,
  reasonToPause,
  redirectToNext,
  secondsUntilResend,
  withoutAttempt,
} from './steps.ts'
import { go, type Handler, type Visit } from './visit.ts'

// The other actions of the code pages: send the code again, or in the other way, and check whether a mailed link was used.

/** The page of the code that is asked for: of a sign-in, or of an authenticator that is being set up. */
export const pageFor = ({ nextStep }: IdxTransaction): string =>
  nextStep?.name === enrollAuthenticator.step ? enrollAuthenticator.path : challengeAuthenticator.path

/** "Send again": requests another code, at most every 30 seconds. */
export const resendCode: Handler = async (visit) => {
  const { request, words } = visit
  const client = visit.client()
  if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
  const current = await client.idx.proceed()
  if (!current.nextStep?.canResend) return redirectToNext(visit, client, current, pageFor(current))

  const wait = secondsUntilResend(visit)
  if (wait > 0) {
    request.session.messages = [info(words.challenge.againIn(wait))]
    return go(visit, pageFor(current))
  }
  const isMail = current.nextStep.authenticator?.key === 'okta_email'
  const transaction = await client.idx.proceed({ resend: true })
  if (transaction.requestDidSucceed && transaction.nextStep?.canResend) {
    request.session.codeSentAt = Date.now()
    request.session.messages = [info(isMail ? words.challenge.sentAgain : words.challenge.codeSentAgain)]
  }
  return redirectToNext(visit, client, transaction, pageFor(current))
}

/** "Call me instead", "Text me instead": the code of the phone comes the other way. */
export const switchMethod: Handler = async (visit) => {
  const { request } = visit
  const client = visit.client()
  if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
  const current = await client.idx.proceed()
  const enrols = current.nextStep?.name === enrollAuthenticator.step
  const choices = choicesOf(current, undefined, 'select-authenticator-enroll')
  const phone = enrols ? choices.find(({ key }) => key === 'phone_number') : phoneChoice(withStep(current))
  const methodType = enrols ? otherPhoneMethod(visit, current) : otherMethodOf(withStep(current))
  const { phoneNumber } = request.session.phone ?? {}
  if (phone?.id === undefined || methodType === undefined || (enrols && phoneNumber === undefined)) {
    return redirectToNext(visit, client, current, pageFor(current))
  }
  const { id, enrollmentId } = phone
  const transaction = await client.idx.proceed({
    authenticator: {
      id,
      methodType,
      ...(enrols ? { phoneNumber } : enrollmentId !== undefined && { enrollmentId }),
    },
  } as ProceedOptions)
  if (transaction.requestDidSucceed) {
    request.session.codeSentAt = Date.now()
    if (enrols && phoneNumber !== undefined) request.session.phone = { phoneNumber, methodType }
  }
  return redirectToNext(visit, client, transaction, pageFor(current))
}

/** "Use another number": the phone is chosen once more, which asks for its number again. The code that was sent is worth nothing then. */
export const changeNumber: Handler = async (visit) => {
  const client = visit.client()
  if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
  const current = await client.idx.proceed()
  const choices = choicesOf(current, undefined, 'select-authenticator-enroll')
  const id = choices.find(({ key }) => key === 'phone_number')?.id
  if (id === undefined) return redirectToNext(visit, client, current, pageFor(current))
  const transaction = await client.idx.proceed({ authenticator: { id } } as ProceedOptions)
  return redirectToNext(visit, client, transaction, pageFor(current))
}

const withStep = (transaction: IdxTransaction) => ({ transaction, step: transaction.nextStep })

/**
 * Checks whether the mailed link was used. The script of the page requests JSON and gets the next address; without
 * JavaScript a link leads here and the browser is redirected. Needs no protection against forgery: it changes no state.
 */
export const pollChallenge: Handler = async (visit) => {
  const { request, response, words } = visit
  const { next, waits } = await afterPoll(visit)
  if (request.accepts(['html', 'json']) === 'json') {
    if (waits === 'pause') response.status(503).json({})
    else response.json({ location: waits ? null : next })
    return
  }
  if (waits) request.session.messages = [info(words.challenge.notYet)]
  go(visit, next)
}

/** The page that follows, and whether it is still the one that waits for the link. */
async function afterPoll(
  visit: Visit,
): Promise<{ readonly next: string; readonly waits: boolean | 'pause' }> {
  const client = visit.client()
  if (!client.idx.canProceed()) return { next: withoutAttempt(visit), waits: false }
  const current = await client.idx.proceed()
  const here = pageFor(current)
  // idx.poll() supports only Okta Verify; for a mailed link this action asks the server.
  const action = pollOf(current)
  const transaction = action === undefined ? current : await client.idx.proceed({ actions: [action] })
  if (reasonToPause(transaction)) return { next: here, waits: 'pause' }
  // By what is asked for and not by its address: after the mail another code, or a password, may be asked for at the same one.
  const waits = transaction.status === IdxStatus.PENDING && pollOf(transaction) !== undefined
  return { next: await nextPath(visit, client, transaction, here), waits }
}

const pollOf = ({ availableSteps }: IdxTransaction): string | undefined =>
  availableSteps?.find(({ name }) => name.endsWith('-poll'))?.name
