// A plain server around sign-in.js: `npm start`, then http://localhost:3000.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { beginSignIn, finishSignIn, freshTokens, signOutUrl, userOf } from './sign-in.js'

const { PORT = 3000 } = process.env
const app = `http://localhost:${PORT}`

/** What is known of each browser, by the id in its cookie. Every change has a new id: one from before a sign-in is worth nothing. */
const sessions = new Map()

const routes = {
  async 'GET /'(session) {
    if (!session.tokens) return { html: '<a href="/sign-in">Sign in</a>' }
    session.tokens = await freshTokens(session.tokens)
    const { name } = await userOf(session.tokens)
    return {
      html: `Hello ${text(name)}<form method="post" action="/sign-out"><button>Sign out</button></form>`,
    }
  },
  async 'GET /sign-in'({ tokens, begun = new Map() }) {
    const { url, checks } = await beginSignIn(`${app}/callback`)
    // By `state`, as two tabs may be at it at once: each comes back to its own. More than five are none of a user.
    begun.set(checks.expectedState, checks)
    if (begun.size > 5) begun.delete(begun.keys().next().value)
    return { location: url, session: { tokens, begun } }
  },
  async 'GET /callback'({ begun }, url) {
    const state = url.searchParams.get('state')
    const checks = begun?.get(state)
    if (!checks) return { location: '/' }
    begun.delete(state)
    return { location: '/', session: { tokens: await finishSignIn(url, checks), begun } }
  },
  async 'POST /sign-out'({ tokens }) {
    return { location: tokens ? signOutUrl(tokens, `${app}/`) : '/', session: {} }
  },
}

const head = `<!doctype html><html lang="en"><title>My app</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><p>`
const text = (value) => value.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
const notFound = async () => ({ status: 404, html: 'Not found' })
const failed = ({ error_description: reason, message }, { begun }) => ({
  html: `${text(reason ?? message)} <a href="/sign-in">Try again</a>`,
  session: { begun },
})

createServer(async (request, response) => {
  const url = new URL(request.url, app)
  const [, id] = /(?:^|; )session=([\w-]+)/.exec(request.headers.cookie) ?? []
  const route = routes[`${request.method} ${url.pathname}`] ?? notFound
  const session = sessions.get(id) ?? {}
  const answer = await route(session, url).catch((error) => failed(error, session))
  if (answer.session) {
    sessions.delete(id)
    const next = randomUUID()
    sessions.set(next, answer.session)
    response.setHeader('set-cookie', `session=${next}; HttpOnly; SameSite=Lax; Path=/`)
  }
  if (answer.location) return response.writeHead(303, { location: answer.location }).end()
  response.writeHead(answer.status ?? 200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(`${head}${answer.html}`)
}).listen(PORT, 'localhost', () =>
  console.log(`${app} (the user of rekey dev: mary@example.com, Tangerine-Kettle-42)`),
)
