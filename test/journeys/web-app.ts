import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createApp } from '../../examples/web/app.ts'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'

/** An engine, and the sample app in a process of its own, as customers run it. */
export interface WebApp {
  readonly idp: Kit
  readonly url: string
  /** The app's server, where it runs in this process. */
  readonly server?: Server
  close(): Promise<void>
}

export async function startWebApp(options: KitOptions = {}): Promise<WebApp> {
  // Each needs the other's address first: the engine the redirect URI, the app the issuer.
  const port = await freePort()
  const idp = await startEngine({ ...options, redirectUri: `http://localhost:${port}/login/callback` })
  const app = spawn(process.execPath, [join(import.meta.dirname, '../../examples/web/server.ts')], {
    env: {
      ISSUER: idp.issuer,
      CLIENT_ID: idp.clientId,
      CLIENT_SECRET: idp.clientSecret,
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return {
    idp,
    url: await readyUrl(app),
    async close() {
      const ended = once(app, 'exit')
      app.kill('SIGTERM')
      await ended
      await idp.close()
    },
  }
}

/** The same in this process, where a test can move the app's time and slow its network down. */
export async function startWebAppHere({
  trustProxy,
  managesMethods = false,
  captchaScript,
  ...options
}: KitOptions & {
  readonly trustProxy?: string
  readonly managesMethods?: boolean
  readonly captchaScript?: string
} = {}): Promise<WebApp> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const idp = await startEngine({ ...options, redirectUri: `${url}/login/callback` })
  const { issuer, clientId, clientSecret } = idp
  const app = createApp({
    issuer,
    clientId,
    clientSecret,
    appUrl: url,
    sessionSecret: 'secret of sessions',
    trustProxy,
    inboxUrl: undefined,
    codeLifetime: undefined,
    managesMethods,
    captchaScript,
  })
  const server = createHttpServer(app).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    idp,
    url,
    server,
    async close() {
      server.close()
      await idp.close()
    },
  }
}

/** A port on which no server listens at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

async function readyUrl(app: ChildProcess): Promise<string> {
  const failed = once(app, 'exit').then(([code]) => {
    throw new Error(`the app ended with code ${code} before it was ready`)
  })
  const line = once(app.stdout?.setEncoding('utf8') ?? app, 'data').then(([text]) => String(text))
  const url = /^ready (\S+)\n$/.exec(await Promise.race([line, failed]))?.[1]
  // From here on an end of the app shows in the tests themselves.
  failed.catch(() => {})
  if (url === undefined) throw new Error('the app did not say that it is ready')
  return url
}
