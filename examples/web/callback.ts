import type { OktaAuth } from '@okta/okta-auth-js'
import { pageFor } from './challenge.ts'
import { resumeAttempt, signIn } from './okta.ts'
import { codeShownPage, otherBrowserPage } from './pages/other-browser.ts'
import { BadRequest } from './security.ts'
import { take } from './session.ts'
import { redirectToNext, withoutAttempt } from './steps.ts'
import { go, type Handler, show, type Visit } from './visit.ts'

/** The redirect URI: the target of mailed links and of the hosted pages of the server. */
export const callback: Handler = async (visit) => {
  const { search, searchParams } = new URL(visit.request.originalUrl, visit.config.appUrl)
  // Refuse doubled parameters: parsers differ in which value they use, which an attacker could exploit.
  if (new Set(searchParams.keys()).size !== searchParams.size) throw new BadRequest(400, 'doubled parameters')

  const client = visit.client()
  if (client.idx.isEmailVerifyCallback(search)) return followMailLink(visit, client, searchParams)
  if (!searchParams.has('interaction_code') && !searchParams.has('error'))
    throw new BadRequest(400, 'no answer')
  if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
  if (client.idx.isInteractionRequired(search))
    return redirectToNext(visit, client, await client.idx.proceed(), '/login')

  await client.idx.handleInteractionCodeRedirect(`${visit.config.appUrl}/login/callback${search}`)
  const goOn = visit.request.session.returnTo ?? '/'
  await signIn(visit.request, client, client.tokenManager.getTokensSync())
  go(visit, goOn)
}

async function followMailLink(visit: Visit, client: OktaAuth, parameters: URLSearchParams): Promise<void> {
  const state = parameters.get('state') ?? ''
  const otp = parameters.get('otp') ?? ''
  // The code is shown on our page: it must not be a text of an attacker.
  if (!/^[0-9A-Za-z]{4,16}$/.test(otp) || state.length > 256) throw new BadRequest(400, 'not a mail link')

  resumeAttempt(visit.request, state)
  try {
    const transaction = await client.idx.handleEmailVerifyCallback(`?${new URLSearchParams({ state, otp })}`)
    if (transaction) await redirectToNext(visit, client, transaction, pageFor(transaction))
  } catch (error) {
    if (!(error instanceof Error && client.idx.isEmailVerifyCallbackError(error))) throw error
    // Another browser than the one that requested the mail. Redirect to a page whose address does not contain the code.
    visit.request.session.foreignCode = { state, otp }
    go(visit, '/login/callback/code')
  }
}

/** Shows the code once, to enter in the browser that requested it. Does not sign in. */
export const showForeignCode: Handler = (visit) => {
  const foreign = take(visit.request, 'foreignCode')
  if (!foreign) return show(visit, codeShownPage(visit.words))
  show(visit, otherBrowserPage(visit.words, foreign.otp, visit.beginnings.get(foreign.state)))
}
