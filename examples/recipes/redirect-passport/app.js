import express from 'express'
import session from 'express-session'
import passport from 'passport'
import OpenIDConnectStrategy from 'passport-openidconnect'

/** An app whose users sign in on the engine's pages. */
export function createApp({ issuer, clientId, clientSecret, url, sessionSecret }) {
  const auth = new passport.Passport()
  auth.serializeUser((user, done) => done(null, user))
  auth.deserializeUser((user, done) => done(null, user))
  auth.use(
    new OpenIDConnectStrategy(
      {
        issuer,
        authorizationURL: `${issuer}/v1/authorize`,
        tokenURL: `${issuer}/v1/token`,
        userInfoURL: `${issuer}/v1/userinfo`,
        clientID: clientId,
        clientSecret,
        callbackURL: `${url}/callback`,
        scope: 'profile',
      },
      (_issuer, profile, _context, idToken, done) => done(null, { name: profile.displayName, idToken }),
    ),
  )

  const app = express()
  // In production: `cookie: { secure: true }`, and a store that several servers share.
  app.use(session({ secret: sessionSecret, resave: false, saveUninitialized: false }))
  app.use(auth.session())

  app.get('/', ({ user }, response) => {
    response.type('html')
    if (!user) return response.send('<a href="/sign-in">Sign in</a>')
    const name = user.name.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
    response.send(
      `<h1>Hello ${name}</h1><form method="post" action="/sign-out"><button>Sign out</button></form>`,
    )
  })
  app.get('/sign-in', auth.authenticate('openidconnect'))
  app.get('/callback', auth.authenticate('openidconnect', { successRedirect: '/', failureRedirect: '/' }))

  // Of the app, and of the browser's session at the engine: else the next sign-in would ask for nothing.
  app.post('/sign-out', (request, response, next) => {
    const hint = request.user?.idToken
    request.logout((error) => {
      if (error) return next(error)
      if (!hint) return response.redirect(303, '/')
      const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: `${url}/` })
      response.redirect(303, `${issuer}/v1/logout?${query}`)
    })
  })
  return app
}
