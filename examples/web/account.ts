import { AuthApiError, AuthSdkError, OAuthError, type OktaAuth, type UserClaims } from '@okta/okta-auth-js'
import { error } from './messages.ts'
import { beginAttempt } from './okta.ts'
import { signedInPage, signedOutPage } from './pages/home.ts'
import { contentSecurityPolicy, csrfToken } from './security.ts'
import { endSession, take } from './session.ts'
import { redirectToNext } from './steps.ts'
import { go, type Handler, show } from './visit.ts'

declare module '@okta/okta-auth-js' {
  // The SDK documents this method, but its types lack it.
  interface OktaAuth {
    getSignOutRedirectUrl(): string
  }
}

/** The home page with the signed-in user. Asks the server each time, so a session that was revoked elsewhere ends here too. */
export const home: Handler = async (visit) => {
  const { config, request, response, words } = visit
  const messages = take(request, 'messages') ?? []
  // The way begins anew here.
  delete request.session.returnTo
  if (request.session.tokens === undefined) return show(visit, signedOutPage(words), { messages })

  const client = visit.client()
  const claims = await currentClaims(client)
  if (!claims) {
    client.tokenManager.clear()
    return show(visit, signedOutPage(words), { messages: [error(words.home.sessionEnded)] })
  }
  // The sign-out form is redirected to the issuer, and browsers apply form-action to redirects too.
  response.set(
    'Content-Security-Policy',
    contentSecurityPolicy({ formTarget: new URL(config.issuer).origin }),
  )
  show(visit, signedInPage(words, csrfToken(request), claims, config.managesMethods), { messages })
}

/** The claims of the user, or undefined if the tokens have expired or were revoked. */
export async function currentClaims(client: OktaAuth): Promise<UserClaims | undefined> {
  if (!(await client.isAuthenticated())) return undefined
  try {
    return await client.getUser()
  } catch (failure) {
    const response =
      failure instanceof OAuthError ? failure.resp : failure instanceof AuthApiError && failure.xhr
    if (response && response.status === 401) return undefined
    throw failure
  }
}

/** Revokes the tokens, and ends the sessions of this app and of the server, which redirects the browser back here. */
export const signOut: Handler = async (visit) => {
  const client = visit.client()
  const url = client.getSignOutRedirectUrl()
  // Sign out of this app even if the server refuses.
  await Promise.allSettled([client.revokeRefreshToken(), client.revokeAccessToken()])
  await endSession(visit.request)
  go(visit, url || '/')
}

/** Begins to open a locked account, where the server offers that. */
export const unlockAccount: Handler = async (visit) => {
  beginAttempt(visit.request)
  const client = visit.client()
  try {
    const transaction = await client.idx.unlockAccount()
    visit.offers.unlock = true
    await redirectToNext(visit, client, transaction, '/unlock-account')
  } catch (failure) {
    const closed =
      failure instanceof AuthSdkError &&
      failure.errorSummary.startsWith('Self Service Account Unlock is not supported')
    if (!closed) throw failure
    visit.offers.unlock = false
    client.transactionManager.clear()
    visit.request.session.messages = [error(visit.words.unlock.notOffered)]
    go(visit, '/login')
  }
}
