import type { FastifyInstance } from 'fastify'
import { html } from '../../base/index.ts'
import { type Client, clientsOf, listClients, originsOf } from '../../clients/index.ts'
import { findPersonToken } from '../../directory/index.ts'
import { acceptedLocales, fill, type Words, wordsFor } from '../../i18n/index.ts'
import type { Db } from '../../storage/index.ts'
import { visitorPage, visitorPageHeaders } from '../../ui/index.ts'
import type { ManagementParts } from '../operation.ts'

/**
 * The target of links in mails that an administrator sends: redirects to the app that accepts the token, if one is
 * configured, else shows a page that explains how to continue. A GET changes nothing, so mail scanners that follow links
 * do no harm.
 */
export function serveRecoveryPages(app: FastifyInstance, parts: ManagementParts): void {
  for (const [path, kind] of tokenPaths) {
    const onRequest = async ({ ip }: { readonly ip: string }): Promise<void> => {
      await parts.limits?.charge('page', { address: ip })
    }
    app.get(path, { onRequest }, async (request, reply) => {
      const { token = '' } = request.params as { readonly token?: string }
      const { storage, secrets, clock, orgName } = parts
      const isToken = /^[A-Za-z0-9]{43}$/.test(token)
      const page = parts.tokenPage(kind)
      // The token has only letters and digits: it cannot change the target of the redirect.
      if (page !== undefined && isToken) return reply.redirect(page.replaceAll('{token}', token), 302)
      const found = isToken
        ? await findPersonToken(storage.db, token, { secrets, now: clock.now() })
        : undefined
      // Only its owner learns which apps a user has.
      const apps =
        found === undefined ? await onlyHome(storage.db) : await homesOf(storage.db, found.personId)
      const words = wordsFor(acceptedLocales(request.headers['accept-language']))
      return reply
        .code(found ? 200 : 404)
        .headers(visitorPageHeaders)
        .send(pageOf(words, { base: parts.baseUrl(), orgName, kind, isKnown: found !== undefined, apps }))
    })
  }
}

const tokenPaths = [
  ['/signin/reset-password/:token', 'recovery'],
  ['/welcome/:token', 'activation'],
  // As Okta's Identity Engine writes it; links here are of the form above.
  ['/tokens/:token/verify', 'activation'],
] as const

interface AppHome {
  readonly label: string
  readonly home: string
}

/** As many apps as a page can list. */
const mostApps = 10

/** The apps that a user can go to for a new password: active, with pages, and the user's. */
const homesOf = async (db: Db, personId: string): Promise<readonly AppHome[]> =>
  (await clientsOf(db, personId)).flatMap(homeOf).slice(0, mostApps)

const homeOf = (client: Client): readonly AppHome[] =>
  originsOf(client)
    .slice(0, 1)
    .map((home) => ({ label: client.label, home }))

/** The way on from a link that is not known: the only app with pages. Of several apps a stranger learns none. */
async function onlyHome(db: Db): Promise<readonly AppHome[]> {
  const homes = (await listClients(db)).filter(({ status }) => status === 'ACTIVE').flatMap(homeOf)
  return homes.length === 1 ? homes : []
}

function pageOf(
  words: Words,
  {
    base,
    orgName,
    kind,
    isKnown,
    apps,
  }: {
    readonly base: string
    readonly orgName: string
    readonly kind: 'recovery' | 'activation'
    readonly isKnown: boolean
    readonly apps: readonly AppHome[]
  },
): string {
  const { setPassword, backTo, notWorking } = words.link
  const title = isKnown ? setPassword.title : notWorking
  // A user who was invited has no password that could be forgotten: only a new link helps.
  const next =
    !isKnown && kind === 'activation' ? fill(setPassword.askAgain, { org: orgName }) : setPassword.how
  const linkTo = ({ label, home }: AppHome) => html`<a href="${home}">${fill(backTo, { app: label })}</a>`
  return visitorPage(words, {
    base,
    title,
    brand: orgName,
    body: html`<p role="status">${!isKnown && `${setPassword.spent} `}${next}</p>
${
  apps.length > 0 &&
  (isKnown
    ? html`<h2>${setPassword.apps}</h2>
<ul>${apps.map((app) => html`<li>${linkTo(app)}</li>`)}</ul>`
    : apps.map((app) => html`<p>${linkTo(app)}</p>`))
}`,
  })
}
