import type { OktaAuth } from '@okta/okta-auth-js'
import { resumeAttempt, signIn } from './okta.ts'
import { challengeAuthenticator } from './pages/challenge-authenticator.ts'
import { codeShownPage, otherBrowserPage } from './pages/other-browser.ts'
import { BadRequest } from './security.ts'
import { take } from './session.ts'
import { goOn, withoutAttempt } from './steps.ts'
import { go, type Handler, show, type Visit } from './visit.ts'

/** The redirect URI: the server sends browsers here from the link in a mail, and from its own hosted pages. */
export const callback: Handler = async (visit) => {
  const { search, searchParams } = new URL(visit.request.originalUrl, visit.config.appUrl)
  // An address with a parameter twice is nobody's honest link, and readers differ in which one they take.
  if (new Set(searchParams.keys()).size !== searchParams.size) throw new BadRequest(400, 'doubled parameters')

  const client = visit.client()
  if (client.idx.isEmailVerifyCallback(search)) return followMailLink(visit, client, searchParams)
  if (!searchParams.has('interaction_code') && !searchParams.has('error'))
    throw new BadRequest(400, 'no answer')
  if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
  if (client.idx.isInteractionRequired(search))
    return goOn(visit, client, await client.idx.proceed(), '/login')

  await client.idx.handleInteractionCodeRedirect(`${visit.config.appUrl}/login/callback${search}`)
  await signIn(visit.request, client, client.tokenManager.getTokensSync())
  go(visit, '/')
}

async function followMailLink(visit: Visit, client: OktaAuth, parameters: URLSearchParams): Promise<void> {
  const state = parameters.get('state') ?? ''
  const otp = parameters.get('otp') ?? ''
  // The code is shown on a page of ours: it must not be a sentence that somebody else wrote.
  if (!/^[0-9A-Za-z]{4,16}$/.test(otp) || state.length > 256) throw new BadRequest(400, 'not a mail link')

  resumeAttempt(visit.request, state)
  try {
    const transaction = await client.idx.handleEmailVerifyCallback(`?${new URLSearchParams({ state, otp })}`)
    if (transaction) await goOn(visit, client, transaction, challengeAuthenticator.path)
  } catch (error) {
    if (!(error instanceof Error && client.idx.isEmailVerifyCallbackError(error))) throw error
    // Not the browser that asked. The code goes on to a page whose address does not hold it.
    visit.request.session.foreignCode = { state, otp }
    go(visit, '/login/callback/code')
  }
}

/** Shows the code to type into the browser that asked for it, once. Nobody is signed in here. */
export const showForeignCode: Handler = (visit) => {
  const foreign = take(visit.request, 'foreignCode')
  if (!foreign) return show(visit, codeShownPage(visit.words))
  show(visit, otherBrowserPage(visit.words, foreign.otp, visit.beginnings.get(foreign.state)))
}
