import type { FastifyInstance } from 'fastify'
import { html } from '../../base/index.ts'
import { findPersonToken } from '../../directory/index.ts'
import { acceptedLocales, directionOf, type Words, wordsFor } from '../../i18n/index.ts'
import type { ManagementParts } from '../operation.ts'

const policy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/**
 * The target of links in mails that an administrator sends: redirects to the app that accepts the token, if one is
 * configured, else shows a page that explains how to continue. A GET changes nothing, so mail scanners that follow links
 * do no harm.
 */
export function serveRecoveryPages(app: FastifyInstance, parts: ManagementParts): void {
  for (const path of ['/signin/reset-password/:token', '/welcome/:token']) {
    const onRequest = async ({ ip }: { readonly ip: string }): Promise<void> => {
      await parts.limits?.charge('page', { address: ip })
    }
    app.get(path, { onRequest }, async (request, reply) => {
      const { token = '' } = request.params as { readonly token?: string }
      const { storage, secrets, clock, recoveryPage } = parts
      const isToken = /^[A-Za-z0-9]{43}$/.test(token)
      // The token has only letters and digits: it cannot change the target of the redirect.
      if (recoveryPage !== undefined && isToken) {
        return reply.redirect(recoveryPage.replaceAll('{token}', token), 302)
      }
      const known = isToken && (await findPersonToken(storage.db, token, { secrets, now: clock.now() }))
      const words = wordsFor(acceptedLocales(request.headers['accept-language']))
      return reply
        .code(known ? 200 : 404)
        .header('content-security-policy', policy)
        .type('text/html; charset=utf-8')
        .send(page(words, parts.baseUrl(), known ? words.link.setPassword.how : words.link.failed))
    })
  }
}

const page = (words: Words, base: string, sentence: string): string =>
  html`<!doctype html>
<html lang="${words.language}" dir="${directionOf(words.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${words.link.setPassword.title}</title>
<link rel="stylesheet" href="${base}/assets/page.css">
</head>
<body><main><h1>${words.link.setPassword.title}</h1><p role="status">${sentence}</p></main></body>
</html>
`.markup
