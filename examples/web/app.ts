import { join } from 'node:path'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { home, signOut, unlockAccount } from './account.ts'
import { createBeginnings } from './beginnings.ts'
import { callback, showForeignCode } from './callback.ts'
import { changeNumber, pollChallenge, resendCode, switchMethod } from './challenge.ts'
import type { Config } from './config.ts'
import { addMethod, nameMethod, removeMethod, showMethods, showName, showRemove } from './methods.ts'
import { createOktaClient } from './okta.ts'
import { pollPath, resendPath, switchPath } from './pages/challenge-authenticator.ts'
import { confirmIdentity } from './pages/confirm-identity.ts'
import { otherNumberPath } from './pages/enroll-authenticator.ts'
import { stepPages } from './pages/index.ts'
import { methodsPath } from './pages/methods.ts'
import { showProblem } from './problem.ts'
import { BadRequest, isOwnForm, readForm, secureHeaders } from './security.ts'
import { withSession } from './session.ts'
import { showWelcome, signUp, signUpPath, welcomePath } from './sign-up.ts'
import { showStep, showStopped, submitStep } from './steps.ts'
import { followTokenLink, renewTokenLink, tokenPaths } from './token-link.ts'
import type { Handler, Visit } from './visit.ts'
import { wordsFor } from './words.ts'

/** Builds the app: the handlers by address. */
export function createApp(config: Config): express.Express {
  const app = express()
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple')
  if (config.trustProxy !== undefined) app.set('trust proxy', config.trustProxy)
  app.use(secureHeaders(config))
  app.use('/public', express.static(join(import.meta.dirname, 'public'), { index: false, maxAge: '1h' }))

  const { page, form } = createRouting(config)

  app.get('/', page(home))
  app.get(signUpPath, page(signUp))
  app.get(welcomePath, page(showWelcome))
  app.post('/logout', form(signOut))

  for (const step of [...stepPages, confirmIdentity]) {
    app.get(step.path, page(showStep(step)))
    app.post(step.path, form(submitStep(step)))
  }
  app.post(resendPath, form(resendCode))
  app.post(switchPath, form(switchMethod))
  app.post(otherNumberPath, form(changeNumber))
  app.get(pollPath, page(pollChallenge))
  app.get('/stopped', page(showStopped))
  app.get('/unlock-account', page(unlockAccount))

  const one = `${methodsPath}/:authenticatorId/:enrollmentId`
  app.get(methodsPath, page(showMethods))
  app.post(`${methodsPath}/add`, form(addMethod))
  app.get(`${one}/name`, page(showName))
  app.post(`${one}/name`, form(nameMethod))
  app.get(`${one}/remove`, page(showRemove))
  app.post(`${one}/remove`, form(removeMethod))

  app.get(tokenPaths.recovery, page(followTokenLink('recovery')))
  app.get(tokenPaths.activation, page(followTokenLink('activation')))
  app.post(tokenPaths.activation, form(renewTokenLink))

  app.get('/login/callback', page(callback))
  app.get('/login/callback/code', page(showForeignCode))

  app.use(() => {
    throw new BadRequest(404, 'no such page')
  })
  app.use(lastResort)
  return app
}

/** Adapts handlers to Express: `page` for GET, `form` for POST with a check against forgery. */
function createRouting(config: Config) {
  const client = createOktaClient(config)
  const beginnings = createBeginnings()
  const offers = {}
  const inSession = withSession(config)

  const page = (handler: Handler): RequestHandler =>
    inSession(async (request, response) => {
      const visit: Visit = {
        config,
        request,
        response,
        beginnings,
        offers,
        words: wordsFor((languages) => request.acceptsLanguages(languages)),
        client: (transactions) => client(request, response, transactions),
      }
      try {
        await handler(visit)
      } catch (error) {
        // Answered here and not by Express, so that the session is written before the mutex is released.
        showProblem(visit, error)
      }
    })

  const checked =
    (handler: Handler): Handler =>
    (visit) => {
      if (!isOwnForm(visit.request, readForm(visit.request.body))) throw new BadRequest(403, 'not our form')
      return handler(visit)
    }

  const parse = express.urlencoded({ extended: false, limit: '48kb', parameterLimit: 20 })
  const form = (handler: Handler): RequestHandler[] => [parse, page(checked(handler))]
  return { page, form }
}

const lastResort: ErrorRequestHandler = (error, request, response, next) => {
  if (response.headersSent) return next(error)
  showProblem({ response, words: wordsFor((languages) => request.acceptsLanguages(languages)) }, error)
}
