import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, test } from 'vitest'
import { renewSession, withSession } from './session.ts'

const config = {
  issuer: 'https://engine.invalid',
  clientId: 'app',
  clientSecret: undefined,
  appUrl: 'http://localhost',
  sessionSecret: 'secret',
  trustProxy: undefined,
  inboxUrl: undefined,
  codeLifetime: undefined,
  managesMethods: false,
}

/** An app with a slow request that reads the session, waits for a signal, and writes the old value back. */
async function createSlowApp() {
  const started = Promise.withResolvers<void>()
  const proceed = Promise.withResolvers<void>()
  const later = Promise.withResolvers<void>()
  const inSession = withSession(config)
  const app = express()
  app.use((request, _response, next) => {
    if (request.path === '/set/reset') setImmediate(later.resolve)
    next()
  })
  app.get(
    '/set/:value',
    inSession((request, response) => {
      request.session.state = String(request.params.value)
      response.end()
    }),
  )
  app.get(
    '/slow',
    inSession(async (request, response) => {
      const before = request.session.state ?? ''
      started.resolve()
      await proceed.promise
      request.session.state = before
      request.session.csrf = 'written late'
      response.end()
    }),
  )
  app.get(
    '/renew',
    inSession(async (request, response) => {
      await renewSession(request)
      request.session.tokens = 'tokens'
      response.end()
    }),
  )
  app.get(
    '/',
    inSession((request, response) => void response.json(request.session)),
  )
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const steps = { started: started.promise, laterArrived: later.promise, proceed: proceed.resolve }
  return { url, ...steps, [Symbol.dispose]: () => server.close() }
}

const cookieIn = (response: Response) => response.headers.getSetCookie()[0]?.split(';')[0] ?? ''

test('a slow request whose browser has gone does not write back what a later one has changed', async () => {
  using app = await createSlowApp()
  const cookie = cookieIn(await fetch(`${app.url}/set/code`))
  const gone = new AbortController()
  const slow = fetch(`${app.url}/slow`, { headers: { cookie }, signal: gone.signal }).catch(() => 'gone')
  await app.started
  gone.abort()
  expect(await slow).toBe('gone')

  const later = fetch(`${app.url}/set/reset`, { headers: { cookie } })
  await app.laterArrived
  app.proceed()
  await later
  expect(await (await fetch(app.url, { headers: { cookie } })).json()).toMatchObject({
    state: 'reset',
    csrf: 'written late',
  })
})

test('a request that waited through a sign-in meets an empty session and leaves the new cookie alone', async () => {
  using app = await createSlowApp()
  const cookie = cookieIn(await fetch(`${app.url}/set/code`))
  const slow = fetch(`${app.url}/slow`, { headers: { cookie } })
  await app.started
  const signIn = fetch(`${app.url}/renew`, { headers: { cookie } })
  const waiting = fetch(app.url, { headers: { cookie } })
  app.proceed()
  await slow
  const fresh = cookieIn(await signIn)
  expect(fresh).not.toBe('')
  expect(fresh).not.toBe(cookie)
  const late = await waiting
  expect(late.headers.getSetCookie()).toEqual([])
  expect(await late.json()).not.toHaveProperty('tokens')
  expect(await (await fetch(app.url, { headers: { cookie: fresh } })).json()).toMatchObject({
    tokens: 'tokens',
  })
})
