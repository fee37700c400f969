import { describeUserAgent, type Html, html } from '../../base/index.ts'
import type { OpenedLink } from '../../flow/index.ts'
import { dateInWords, directionOf, fill, languageFor, timeInWords, type Words } from '../../i18n/index.ts'

/** Where the pages' only asset lies, below the engine's address. */
export const stylesheetPath = '/assets/page.css'

/** Where a page is served, and whose it is. */
export interface Site {
  readonly base: string
  readonly orgName: string
}

/** An app that a link belongs to, with the origin of its pages. */
export interface LinkedApp {
  readonly label: string
  readonly home: string | undefined
}

function page(words: Words, { base, orgName }: Site, title: string, body: Html): string {
  const markup = html`<!doctype html>
<html lang="${words.language}" dir="${directionOf(words.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · ${orgName}</title>
<link rel="stylesheet" href="${base}${stylesheetPath}">
</head>
<body><main><p class="brand"><strong>${orgName}</strong></p>
${body}</main></body>
</html>
`
  return markup.markup
}

/**
 * What the browser that opens a dead link is shown: what is wrong, and the way back to the app. The same whether or not
 * there ever was such a link, but for the id that `rekey trace` finds.
 */
export function deadLinkPage(
  words: Words,
  site: Site,
  dead: {
    readonly state: 'expired' | 'stale' | 'dead'
    readonly errorId: string
    readonly app: LinkedApp | undefined
  },
): string {
  const { expired, stale, failed, notWorking, backTo } = words.link
  const { app, errorId, state } = dead
  return page(
    words,
    site,
    notWorking,
    html`<h1>${notWorking}</h1>
<p role="status">${{ expired, stale, dead: failed }[state]}</p>
${app?.home !== undefined && html`<p><a href="${app.home}">${fill(backTo, { app: app.label })}</a></p>`}
<p class="error-id"><small>${fill(words.error.reference, { errorId })}</small></p>`,
  )
}

/** The code of a living link, with where the request came from: so that no user types it in for another. */
export function codePage(words: Words, site: Site, link: Extract<OpenedLink, { state: 'alive' }>): string {
  const { code, transaction, interaction, client } = link
  const { browser, system } = describeUserAgent(interaction.origin.userAgent ?? '')
  const language = languageFor(words.language)
  const at = transaction.progress.challenge?.startedAt ?? transaction.createdAt
  const facts: readonly (readonly [string, string | undefined])[] = [
    [words.context.app, client.label],
    [words.context.browser, browser],
    [words.context.system, system],
    [words.context.address, interaction.origin.ip],
    [words.context.when, `${dateInWords(language, at)}, ${timeInWords(language, at)}`],
  ]
  const { enterCode } = words.link
  const sentence = transaction.progress.intent === 'recovery' ? enterCode.recovery : enterCode.authentication
  return page(
    words,
    site,
    words.link.yourCode,
    html`<h1>${words.link.yourCode}</h1>
<p>${sentence}</p>
<p class="code${code.length > 6 ? ' long' : ''}">${code}</p>
<p class="warning">${words.link.neverTell}</p>
<h2>${words.link.requestTitle}</h2>
<dl>${facts.map(([name, value]) => (value ? html`<dt>${name}</dt><dd>${value}</dd>` : null))}</dl>
<p>${words.link.notYou}</p>`,
  )
}
