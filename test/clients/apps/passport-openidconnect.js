import express from 'express'
import session from 'express-session'
import passport from 'passport'
import OpenIDConnectStrategy from 'passport-openidconnect'
import { failed, signedIn, signedOut } from './app.js'

/** Passport as its guide for OpenID Connect has it. It sends no PKCE, and does not refresh by itself. */
export async function createApp({ issuer, clientId, clientSecret, url }) {
  const own = new passport.Passport()
  own.serializeUser((user, done) => done(null, user))
  own.deserializeUser((user, done) => done(null, user))
  own.use(
    new OpenIDConnectStrategy(
      {
        issuer,
        authorizationURL: `${issuer}/v1/authorize`,
        tokenURL: `${issuer}/v1/token`,
        userInfoURL: `${issuer}/v1/userinfo`,
        clientID: clientId,
        clientSecret,
        callbackURL: `${url}/callback`,
        scope: 'profile offline_access',
      },
      (_issuer, profile, _context, idToken, _accessToken, refreshToken, verified) =>
        verified(null, { name: profile.displayName, idToken, refreshToken }),
    ),
  )

  const app = express()
  app.use(session({ secret: 'only for tests', resave: false, saveUninitialized: false, name: 'app' }))
  app.use(own.session())
  app.get('/', ({ user }, response) => response.send(user ? signedIn(user.name) : signedOut))
  app.get('/sign-in', own.authenticate('openidconnect'))
  app.get(
    '/callback',
    own.authenticate('openidconnect', { failureMessage: true, successReturnToOrRedirect: '/' }),
  )
  app.post('/refresh', async ({ user }, response, next) => {
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
    const fresh = await fetch(`${issuer}/v1/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: user.refreshToken }),
    })
    if (!fresh.ok) return next(new Error(await fresh.text()))
    const { id_token: idToken, refresh_token: refreshToken } = await fresh.json()
    Object.assign(user, { idToken, refreshToken })
    response.redirect(303, '/')
  })
  app.post('/sign-out', (request, response, next) => {
    const { idToken } = request.user
    request.logout((error) => {
      if (error) return next(error)
      const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: `${url}/` })
      response.redirect(303, `${issuer}/v1/logout?${query}`)
    })
  })
  app.use((error, _request, response, _next) => response.status(500).send(failed(error)))
  return app
}
