import { once } from 'node:events'
import { ExpressOIDC } from '@okta/oidc-middleware'
import express from 'express'
import session from 'express-session'
import { failed, signedIn, signedOut } from './app.js'

/** Okta's middleware for Express, as its read-me has it. It does not refresh by itself. */
export async function createApp({ issuer, clientId, clientSecret, url }) {
  const oidc = new ExpressOIDC({
    issuer,
    client_id: clientId,
    client_secret: clientSecret,
    appBaseUrl: url,
    scope: 'openid profile offline_access',
    routes: {
      login: { path: '/sign-in' },
      loginCallback: { path: '/callback' },
      logout: { path: '/sign-out' },
    },
    testing: { disableHttpsCheck: true },
  })
  const app = express()
  app.use(session({ secret: 'only for tests', resave: false, saveUninitialized: false, name: 'app' }))
  app.use(oidc.router)
  app.get('/', ({ userContext }, response) =>
    response.send(userContext ? signedIn(userContext.userinfo.name) : signedOut),
  )
  app.post('/refresh', oidc.ensureAuthenticated(), async ({ userContext }, response, next) => {
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
    const fresh = await fetch(`${issuer}/v1/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: userContext.tokens.refresh_token,
      }),
    })
    if (!fresh.ok) return next(new Error(await fresh.text()))
    Object.assign(userContext.tokens, await fresh.json())
    response.redirect(303, '/')
  })
  app.use((error, _request, response, _next) => response.status(500).send(failed(error)))
  await once(oidc, 'ready')
  return app
}
