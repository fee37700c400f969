import type { FastifyPluginAsync } from 'fastify'
import { html } from '../../base/index.ts'
import {
  acceptedLocales,
  dateInWords,
  fill,
  languageFor,
  timeInWords,
  type Words,
  wordsFor,
} from '../../i18n/index.ts'
import type { AccountChange } from '../../people/index.ts'
import { visitorPage, visitorPageHeaders } from '../../ui/index.ts'
import type { AccountParts } from '../operation.ts'

/** The form is sent to the address of the page itself. */
const headers = {
  ...visitorPageHeaders,
  'content-security-policy': visitorPageHeaders['content-security-policy'].replace(
    "form-action 'none'",
    "form-action 'self'",
  ),
}

/**
 * The page that the link of a notice opens: it shows what waits, and a button that stops it. Opening it changes nothing, for
 * programs that read mails follow their links (A24).
 */
export const serveStopPage =
  (parts: AccountParts): FastifyPluginAsync =>
  async (app) => {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async () => ({}))
    const path = '/account/stop/:token'
    const onRequest = async ({ ip }: { readonly ip: string }): Promise<void> => {
      await parts.limits?.charge('page', { address: ip })
    }
    app.get(path, { onRequest, exposeHeadRoute: false }, async (request, reply) => {
      const { token = '' } = request.params as { readonly token?: string }
      const words = wordsFor(acceptedLocales(request.headers['accept-language']))
      const change = await parts.changes.findByStop(token)
      const isOpen = change?.status === 'WAITING'
      const page = isOpen ? askPage(words, parts, change) : endPage(words, parts, change)
      return reply
        .code(change === undefined ? 404 : 200)
        .headers(headers)
        .send(page)
    })
    app.post(path, { onRequest }, async (request, reply) => {
      const { token = '' } = request.params as { readonly token?: string }
      const words = wordsFor(acceptedLocales(request.headers['accept-language']))
      await parts.changes.stop(token)
      const change = await parts.changes.findByStop(token)
      return reply
        .code(change === undefined ? 404 : 200)
        .headers(headers)
        .send(endPage(words, parts, change))
    })
  }

/** Whose pages they are. */
type Site = Pick<AccountParts, 'orgName' | 'baseUrl'>

/** The page of a change that waits, with the button that stops it. */
export function askPage(
  words: Words,
  { orgName, baseUrl }: Site,
  change: Pick<AccountChange, 'kind' | 'dueAt'>,
): string {
  const { account } = words
  const language = languageFor(words.language)
  const at = change.dueAt ?? 0
  const values = {
    change: change.kind === 'enrollment.remove' ? account.removes : account.email,
    date: `${dateInWords(language, at)}, ${timeInWords(language, at)}`,
  }
  return visitorPage(words, {
    ...{ base: baseUrl(), title: account.stopTitle, brand: orgName },
    body: html`<p>${fill(account.stopIntro, values)}</p>
<form method="post"><button type="submit">${account.stop}</button></form>`,
  })
}

/** The page of a change that was stopped, or of which there is nothing to stop any more. */
export function endPage(
  words: Words,
  { orgName, baseUrl }: Site,
  change: Pick<AccountChange, 'status'> | undefined,
): string {
  const { account } = words
  const isStopped = change?.status === 'STOPPED'
  return visitorPage(words, {
    ...{ base: baseUrl(), title: isStopped ? account.stopped : account.nothing, brand: orgName },
    body: html`<p role="status">${isStopped ? account.stoppedNext : fill(account.nothingNext, { org: orgName })}</p>`,
  })
}
