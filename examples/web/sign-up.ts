import { AuthSdkError } from '@okta/okta-auth-js'
import { currentClaims } from './account.ts'
import { beginAttempt } from './okta.ts'
import { registrationClosedPage } from './pages/register.ts'
import { welcomePage } from './pages/welcome.ts'
import { rememberReturn } from './return-path.ts'
import { redirectToNext } from './steps.ts'
import { go, type Handler, show } from './visit.ts'

/** Begins a sign-up, where the server offers that: its first page asks for the profile of the new account. */
export const signUp: Handler = async (visit) => {
  const { config, offers, request, words } = visit
  rememberReturn(request, config)
  beginAttempt(request)
  const client = visit.client()
  try {
    const transaction = await client.idx.register()
    offers.signUp = true
    const { state } = transaction.meta ?? {}
    if (state !== undefined) request.session.signUp = { state }
    await redirectToNext(visit, client, transaction, signUpPath)
  } catch (failure) {
    const closed =
      failure instanceof AuthSdkError && failure.errorSummary.startsWith('Registration is not supported')
    if (!closed) throw failure
    offers.signUp = false
    client.transactionManager.clear()
    show(visit, registrationClosedPage(words))
  }
}

export const signUpPath = '/register'
export const welcomePath = '/welcome'

/** The first page of a new account, once: it leads on to where the visitor came from. */
export const showWelcome: Handler = async (visit) => {
  const { config, request, words } = visit
  const { welcome, tokens } = request.session
  if (welcome === undefined || tokens === undefined) return go(visit, '/')
  const claims = await currentClaims(visit.client())
  if (claims === undefined) return go(visit, '/')
  show(visit, welcomePage(words, claims, { goOn: welcome.goOn, managesMethods: config.managesMethods }))
}
