import { once } from 'node:events'
import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer, Kit, VisitorOptions } from '../../src/testing/index.ts'
import { freePort } from '../journeys/web-app.ts'
import { mailTo, manyMails, startTarget, visit } from '../support/attacks.ts'
import { sessionRule } from '../support/policy-rules.ts'
import { testCertificate } from '../support/smtp-server.ts'

const mary = { identifier: 'mary@example.com', credentials: { passcode: 'Tangerine-Kettle-42' } }

let idp: Kit
let proxy: Server
const before = getCACertificates('default')
beforeAll(async () => {
  setDefaultCACertificates([...before, testCertificate.cert])
  const [outside, inside] = [await freePort(), await freePort()]
  // As in production: TLS ends in front of the engine, which knows its public address by its issuer.
  proxy = createServer(testCertificate, (incoming, response) => {
    const { method, url, headers } = incoming
    incoming.pipe(
      request({ port: inside, host: '127.0.0.1', method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      }),
    )
  }).listen(outside)
  await once(proxy, 'listening')
  idp = await startTarget({
    port: inside,
    settings: { issuer: `https://localhost:${outside}`, limits: manyMails },
  })
  await sessionRule(idp, { requireFactor: true, factorPromptMode: 'DEVICE', factorLifetime: 60 })
})
afterAll(async () => {
  setDefaultCACertificates(before)
  proxy.closeAllConnections()
  proxy.close()
  await idp.close()
})

async function atTheSecond(options: VisitorOptions, remember = false) {
  const visitor = await visit(idp, { client: idp.publicClientId, ...options })
  await visitor.submits('identify', { ...mary, ...(remember && { rememberMe: true }) })
  return visitor
}

test('behind TLS the cookie of a remembered device is bound to its host and to https (A78)', async () => {
  expect(idp.engineUrl).toMatch(/^https:/)
  const visitor = await atTheSecond({}, true)
  await visitor.selects('okta_email')
  const answer: Answer = await visitor.answers((await mailTo(idp, mary.identifier, ['EmailChallenge'])).code)
  const set = answer.headers.get('set-cookie') ?? ''
  // Browsers take a name with this prefix only with Secure, the path / and no domain; SameSite=None is for apps of other sites.
  expect(set).toMatch(
    /^__Host-rekey_device=rkd[A-Za-z0-9]{29}; Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=None$/,
  )
  const [cookie = ''] = set.split(';')
  const asked = async (headers: Record<string, string>) =>
    (await atTheSecond({ headers })).response.interactionCode === undefined
  expect(await asked({ cookie })).toBe(false)
  expect(await asked({})).toBe(true)
  expect(await asked({ cookie: `${cookie}x` })).toBe(true)
})
