// Serves the page and the files of the widget's package: `npm start`, or `GENERATION=3 npm start`, then http://localhost:3000.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'

const page = readFileSync(join(import.meta.dirname, 'page.html'), 'utf8')
const callback = '/login/callback'
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

export interface WidgetOptions {
  readonly issuer: string
  readonly clientId: string
  /** `okta-sign-in.min.js` is the second generation, `okta-sign-in.next.js` the third. */
  readonly generation: '2' | '3'
  /** The folder `dist` of `@okta/okta-signin-widget`. */
  readonly files: string
}

/** The server, not listening yet. */
export function createWidgetServer({ issuer, clientId, generation, files }: WidgetOptions): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
    if (url.pathname === '/' || url.pathname === callback) {
      const file = generation === '3' ? 'next' : 'min'
      const values: Record<string, string> = { issuer, clientId, generation, file }
      values.redirectUri = url.origin + callback
      const text = page.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '')
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text)
      return
    }
    const [, path] = /^\/widget(\/[\w./-]+)$/.exec(url.pathname) ?? []
    const file = join(files, normalize(path ?? ''))
    if (!file.startsWith(files + sep) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
}

if (import.meta.main) {
  const { CLIENT_ID, GENERATION, ISSUER, PORT = '3000' } = process.env
  const server = createWidgetServer({
    issuer: ISSUER ?? 'http://localhost:9000/oauth2/default',
    clientId: CLIENT_ID ?? 'rekey-public',
    generation: GENERATION === '3' ? '3' : '2',
    files: join(import.meta.dirname, 'node_modules/@okta/okta-signin-widget/dist'),
  })
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    console.error(`The port ${PORT} is in use. Choose another one: PORT=3001 npm start`)
    process.exitCode = 1
  })
  server.listen(Number(PORT), 'localhost', () => console.log(`http://localhost:${PORT}`))
}
