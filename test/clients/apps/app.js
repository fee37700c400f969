// What the apps on a server share: sessions of their own, and pages with the same words for every client.
import { randomUUID } from 'node:crypto'

const text = (value) => String(value).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

export const page = (content) => `<!doctype html><html lang="en"><title>An app</title><p>${content}`
export const signedOut = page('<a href="/sign-in">Sign in</a>')
const button = (path, name) => `<form method="post" action="${path}"><button>${name}</button></form>`
/** @param {{ refresh?: string, signOut?: string, hidden?: string }} where */
export const signedIn = (name, { refresh = '/refresh', signOut = '/sign-out' } = {}) =>
  page(`Hello ${text(name)}${button(refresh, 'Refresh')}${button(signOut, 'Sign out')}`)
export const failed = (error) =>
  page(`Failed: ${text(error?.stack ?? error)} ${text(error?.cause?.stack ?? '')}`)

/**
 * A request listener. A route answers `{ html }` or `{ location }`, and with `session` what is known of the browser from then on.
 */
export function createListener(url, routes) {
  const sessions = new Map()
  return async (request, response) => {
    const [, id] = /(?:^|; )app=([\w-]+)/.exec(request.headers.cookie ?? '') ?? []
    const at = new URL(request.url, url)
    const route = routes[`${request.method} ${at.pathname}`] ?? (async () => ({ html: page('Not found') }))
    const answer = await route(sessions.get(id) ?? {}, at).catch((error) => ({ html: failed(error) }))
    if (answer.session !== undefined) {
      sessions.delete(id)
      const next = randomUUID()
      sessions.set(next, answer.session)
      response.setHeader('set-cookie', `app=${next}; HttpOnly; SameSite=Lax; Path=/`)
    }
    if (answer.location !== undefined)
      return response.writeHead(303, { location: String(answer.location) }).end()
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(answer.html)
  }
}
