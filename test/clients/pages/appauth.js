import {
  AuthorizationNotifier,
  AuthorizationRequest,
  AuthorizationServiceConfiguration,
  BaseTokenRequestHandler,
  FetchRequestor,
  GRANT_TYPE_AUTHORIZATION_CODE,
  GRANT_TYPE_REFRESH_TOKEN,
  RedirectRequestHandler,
  RevokeTokenRequest,
  TokenRequest,
} from '@openid/appauth'
import { settings, showFailure, showSignedIn, showSignedOut } from './page.js'

const app = location.origin
const client = { client_id: settings.clientId, redirect_uri: `${app}/callback` }
const requestor = new FetchRequestor()
const tokenHandler = new BaseTokenRequestHandler(requestor)
const handler = new RedirectRequestHandler()
const load = () => JSON.parse(sessionStorage.getItem('tokens'))
const store = ({ idToken, accessToken, refreshToken }) =>
  sessionStorage.setItem('tokens', JSON.stringify({ idToken, accessToken, refreshToken }))

async function start() {
  const configuration = await AuthorizationServiceConfiguration.fetchFromIssuer(settings.issuer, requestor)
  const redeem = async (more) => {
    store(await tokenHandler.performTokenRequest(configuration, new TokenRequest({ ...client, ...more })))
  }
  if (location.pathname === '/callback') {
    const notifier = new AuthorizationNotifier()
    const answer = new Promise((resolve, reject) => {
      notifier.setAuthorizationListener((request, response, error) =>
        response ? resolve({ request, response }) : reject(new Error(error?.error)),
      )
    })
    handler.setAuthorizationNotifier(notifier)
    await handler.completeAuthorizationRequestIfPossible()
    const { request, response } = await answer
    const extras = { code_verifier: request.internal.code_verifier }
    await redeem({ grant_type: GRANT_TYPE_AUTHORIZATION_CODE, code: response.code, extras })
    location.replace('/')
    return
  }
  const tokens = load()
  if (tokens === null) {
    return showSignedOut(() =>
      handler.performAuthorizationRequest(
        configuration,
        new AuthorizationRequest({
          ...client,
          scope: 'openid profile offline_access',
          response_type: AuthorizationRequest.RESPONSE_TYPE_CODE,
          // The library looks for the answer in the fragment.
          extras: { response_mode: 'fragment' },
        }),
      ),
    )
  }
  const userinfo = await fetch(configuration.userInfoEndpoint, {
    headers: { authorization: `Bearer ${tokens.accessToken}` },
  })
  const { name } = await userinfo.json()
  showSignedIn(name, {
    refresh: () =>
      redeem({ grant_type: GRANT_TYPE_REFRESH_TOKEN, refresh_token: tokens.refreshToken }).then(start),
    async signOut() {
      const { refreshToken, idToken } = load()
      const revocation = { token: refreshToken, client_id: client.client_id }
      await tokenHandler.performRevokeTokenRequest(configuration, new RevokeTokenRequest(revocation))
      sessionStorage.clear()
      const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: `${app}/` })
      location.assign(`${configuration.endSessionEndpoint}?${query}`)
    },
  })
}
start().catch(showFailure)
