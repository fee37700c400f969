/**
 * Starts the app: reads the environment, listens, prints `ready <url>`, and ends on SIGTERM or SIGINT.
 *
 *   ISSUER=https://example.okta.com/oauth2/default CLIENT_ID=… CLIENT_SECRET=… node server.ts
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from './app.ts'
import { readSettings } from './config.ts'

const { PORT = '8080', HOST = '127.0.0.1' } = process.env
const settings = readSettings(process.env)
const server = createServer()

server.listen(Number(PORT), HOST, () => {
  // With PORT=0 the system chooses the port.
  const { port } = server.address() as AddressInfo
  const appUrl = settings.appUrl ?? new URL(`http://localhost:${port}`).origin
  server.on('request', createApp({ ...settings, appUrl }))
  console.log(`ready ${appUrl}`)
})

function end() {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
  // Open connections of browsers must not keep the process alive.
  setTimeout(() => process.exit(0), 2000).unref()
}

process.on('SIGTERM', end)
process.on('SIGINT', end)
