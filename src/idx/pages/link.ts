import { describeUserAgent, html } from '../../base/index.ts'
import type { OpenedLink } from '../../flow/index.ts'
import { dateInWords, fill, languageFor, timeInWords, type Words } from '../../i18n/index.ts'
import { visitorPage } from '../../ui/index.ts'

/** Where a page is served, and whose it is. */
interface Site {
  readonly base: string
  readonly orgName: string
}

/** An app that a link belongs to, with the origin of its pages. */
export interface LinkedApp {
  readonly label: string
  readonly home: string | undefined
}

/** Who is signed in here, and for whom a link is: that one masked, as the mail may have been forwarded. */
export interface OtherUser {
  readonly user: string
  readonly other: string
}

/**
 * What the browser that opens a dead link is shown: what is wrong, and the way back to the app. The same whether or not
 * there ever was such a link, but for the id that `rekey trace` finds.
 */
export function deadLinkPage(
  words: Words,
  { base, orgName }: Site,
  dead: {
    readonly state: 'expired' | 'stale' | 'dead'
    readonly errorId: string
    readonly app: LinkedApp | undefined
    /** The page of the transaction, in the browser that holds it. */
    readonly held?: string | undefined
  },
): string {
  const { expired, stale, failed, notWorking, backTo, here } = words.link
  const { app, errorId, state, held } = dead
  return visitorPage(words, {
    base,
    title: notWorking,
    brand: orgName,
    body: html`
<p role="status">${{ expired, stale, dead: failed }[state]}</p>
${held !== undefined && html`<p><a href="${held}">${here.back}</a></p>`}${app?.home !== undefined && html`<p><a href="${app.home}">${fill(backTo, { app: app.label })}</a></p>`}
<p class="error-id"><small>${fill(words.error.reference, { errorId })}</small></p>`,
  })
}

/** Where the picture of an enrolment of Okta Verify leads: that nothing here can finish it. */
export const oktaVerifyPage = (words: Words, { base, orgName }: Site): string =>
  visitorPage(words, {
    base,
    title: 'Okta Verify',
    brand: orgName,
    body: html`<p role="status">${words.link.oktaVerify}</p>`,
  })

/** The code of a living link, with where the request came from: so that no user types it in for another. */
export function codePage(
  words: Words,
  { base, orgName }: Site,
  link: Extract<OpenedLink, { state: 'alive' }>,
  {
    own,
    here,
    otherUser,
  }: {
    /** Where the owner of the mailbox is asked whether to go on here; undefined: nowhere. */
    readonly own: string | undefined
    /** In the browser that holds the transaction: the form that takes the code over. */
    readonly here: { readonly action: string; readonly token: string } | undefined
    /** Whose session the browser has, where that is another user than the one the link is for. */
    readonly otherUser: OtherUser | undefined
  },
): string {
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
  const { intent } = transaction.progress
  const sentences: Readonly<Partial<Record<typeof intent, string>>> = {
    recovery: enterCode.recovery,
    unlock: enterCode.unlock,
    registration: enterCode.enrollment,
  }
  const sentence = sentences[intent] ?? enterCode.authentication
  // Where an app has no place to type it, nothing but the way on is shown.
  const isLinkOnly = interaction.request.classic?.linkOnly === true && own !== undefined
  return visitorPage(words, {
    base,
    title: isLinkOnly ? words.link.own.title : words.link.yourCode,
    brand: orgName,
    body: html`
${
  otherUser !== undefined &&
  html`<p class="warning">${fill(words.link.otherUser, { ...otherUser })}</p>
`
}${here !== undefined && hereForm(words, here)}${
  isLinkOnly
    ? html`<p>${words.link.own.text}</p><p><a href="${own}">${words.link.own.offer}</a></p>`
    : html`<p>${sentence}</p>
<p class="code${code.length > 6 ? ' long' : ''}">${code}</p>
<p class="warning">${words.link.neverTell}</p>
`
}<h2>${isLinkOnly ? words.context.title : words.link.requestTitle}</h2>
<dl>${facts.map(([name, value]) => (value ? html`<dt>${name}</dt><dd>${value}</dd>` : null))}</dl>
<p>${words.link.notYou}</p>
${own !== undefined && !isLinkOnly && html`<p><a href="${own}">${words.link.own.offer}</a></p>`}`,
  })
}

/** What takes the code over: only a press of the button does, as scanners open what they find (A17). */
const hereForm = (
  { link }: Words,
  { action, token }: { readonly action: string; readonly token: string },
) => html`<form method="post" action="${action}"><p>${link.here.text}</p>
<input type="hidden" name="token" value="${token}"><button type="submit">${link.here.button}</button></form>`

/**
 * Asks the owner of a mailbox whether to set a new password in this browser. A page of its own, so that a scanner that presses what it finds on
 * the page of a link has changed nothing (A17).
 */
export const ownPage = (
  words: Words,
  { base, orgName }: Site,
  { action, token }: { readonly action: string; readonly token: string },
): string =>
  visitorPage(words, {
    base,
    title: words.link.own.title,
    brand: orgName,
    body: html`<p>${words.link.own.text}</p>
<form method="post" action="${action}"><input type="hidden" name="token" value="${token}"><button type="submit">${words.link.own.confirm}</button></form>`,
  })
