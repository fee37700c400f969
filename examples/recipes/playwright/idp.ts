import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test as base } from '@playwright/test'
import { type Kit, startEngine } from 'rekey-engine/testing'

const page = readFileSync(new URL('./app/index.html', import.meta.url), 'utf8')
const sdk = readFileSync(
  new URL('./node_modules/@okta/okta-auth-js/dist/okta-auth-js.min.js', import.meta.url),
)

/** The app under test. Yours is started as you start it, with the issuer and the client id of the engine. */
function startApp(idp: Kit) {
  const config = JSON.stringify({ issuer: idp.issuer, clientId: idp.publicClientId })
  const server = createServer((request, response) => {
    if (request.url === '/okta-auth-js.js') return response.end(sdk)
    if (request.url === '/config.json') return response.end(config)
    return response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
  })
  return new Promise<{ url: string; close(): void }>((resolve) =>
    server.listen(0, () =>
      resolve({
        url: `http://localhost:${(server.address() as AddressInfo).port}`,
        close: () => server.close(),
      }),
    ),
  )
}

/** `idp`: an engine a worker, back to its seed before each test. `appUrl`: the app that talks to it. */
export const test = base.extend<{ idp: Kit }, { engine: Kit; appUrl: string }>({
  engine: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads here what a fixture needs.
    async ({}, use) => {
      const engine = await startEngine()
      await use(engine)
      await engine.close()
    },
    { scope: 'worker' },
  ],
  appUrl: [
    async ({ engine }, use) => {
      const app = await startApp(engine)
      await use(app.url)
      app.close()
    },
    { scope: 'worker' },
  ],
  idp: async ({ engine }, use) => {
    await engine.reset()
    await use(engine)
  },
})

export { expect } from '@playwright/test'
