// All that an app does to sign its users in by redirect.
import * as oidc from 'openid-client'

const { ISSUER = 'http://localhost:9000/oauth2/default', CLIENT_ID = 'rekey-public' } = process.env
// Plain http is for development. An app on a server has a secret in production, too: the third parameter.
const options = { execute: [oidc.allowInsecureRequests] }
const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, undefined, options)

/** Where to send the browser, and what to check its answer by: the app keeps that in the session of this browser, by `state`. */
export async function beginSignIn(redirectUri) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid profile offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  })
  return { url, checks }
}

/** Tokens for the code in the address that the browser came back to. */
export const finishSignIn = (url, checks) => oidc.authorizationCodeGrant(config, url, checks)

/** The same tokens, or new ones where the access token is about to expire. */
export const freshTokens = async (tokens) =>
  tokens.expiresIn() > 60 ? tokens : oidc.refreshTokenGrant(config, tokens.refresh_token)

export const userOf = (tokens) => oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)

/** Where to send the browser to end its session at the engine as well, and so the single sign-on. */
export const signOutUrl = (tokens, returnTo) =>
  oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: returnTo })
