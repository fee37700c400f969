import { randomBytes } from 'node:crypto'
import { OktaAuth } from '@okta/okta-auth-js'
import express from 'express'

/** Three calls: ask for the mail, type the code, choose the password. A cookie finds the visitor's transaction. */
export function createApp({ issuer, clientId, clientSecret, redirectUri }) {
  const transactions = new Map()

  /** One SDK client a request, with this visitor's storage: without one the SDK mixes all visitors in one memory. */
  function authOf(request, response) {
    let visitor = request.get('cookie')?.match(/visitor=(\w+)/)?.[1]
    if (!transactions.has(visitor)) {
      visitor = randomBytes(16).toString('hex')
      transactions.set(visitor, new Map())
      response.cookie('visitor', visitor, { httpOnly: true, sameSite: 'lax' })
    }
    const items = transactions.get(visitor)
    const storageProvider = {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => items.set(key, value),
      removeItem: (key) => items.delete(key),
    }
    const auth = new OktaAuth({
      issuer,
      clientId,
      clientSecret,
      redirectUri,
      idx: { enableLegacyMode: true },
      storageManager: { transaction: { storageProvider } },
    })
    // The engine then knows the visitor's address and language, not this server's.
    auth.setHeaders({
      'X-Forwarded-For': request.ip,
      'User-Agent': request.get('user-agent') ?? '',
      'Accept-Language': request.get('accept-language') ?? '*',
    })
    return auth
  }

  const answer = (response, { status, nextStep, messages = [], tokens }) =>
    response.json({
      status,
      step: nextStep?.name,
      messages: messages.map(({ message }) => message),
      email: tokens?.idToken?.claims.email,
    })

  const app = express()
  app.use(express.json())
  app.post('/forgot', async (request, response) => {
    const { username } = request.body
    const auth = authOf(request, response)
    answer(response, await auth.idx.recoverPassword({ username, authenticators: ['okta_email'] }))
  })
  app.post('/code', async (request, response) => {
    const auth = authOf(request, response)
    answer(response, await auth.idx.proceed({ verificationCode: request.body.code }))
  })
  app.post('/password', async (request, response) => {
    const auth = authOf(request, response)
    answer(response, await auth.idx.proceed({ password: request.body.password }))
  })
  return app
}
