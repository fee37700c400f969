import { type Html, html } from '../../base/index.ts'
import { fill, type PageWords, wordsFor } from '../../i18n/index.ts'
import { sentence } from '../fields.ts'
import { icons } from '../icons.ts'
import { type Brand, renderNotice, signInPath } from '../render.ts'

/** Where a user recovers an account by oneself: below the engine's address. */
export const recoveryPath = `${signInPath}/forgot-password`

/** An app with pages. */
interface Home {
  readonly label: string
  readonly address: string
}

/**
 * The last page of a transaction that no app has begun: who is signed in, which apps the user has, and the
 * way out, as on a shared computer.
 */
export const renderDone = (
  brand: Brand,
  language: string | undefined,
  apps: readonly Home[],
  login?: string,
): string =>
  renderNotice(brand, language, {
    icon: 'done',
    title: ({ entry }) => entry.doneTitle,
    text: ({ entry }) => entry.done,
    more: ({ entry, end, forUser }) =>
      html`${login !== undefined && html`<p class="who">${icons.user}<span>${sentence(forUser, { user: login })}</span></p>`}
${appList(apps, entry.apps, end)}
<p class="links"><a href="${brand.base}/login/signout">${wordsFor(language).signOut.confirm}</a></p>`,
  })

/** A request that has expired, or of which nothing is known. */
export const renderExpired = (
  brand: Brand,
  language: string | undefined,
  wayOn?: Home | { readonly address: string },
) =>
  renderNotice(brand, language, {
    title: ({ end }) => end.expiredTitle,
    text: ({ end }) => end.expired,
    wayOn,
  })

/**
 * The page of a link in a mail: what it is for, and a button; or that it is of no use any more, and a way to
 * one.
 */
export function renderLink(
  brand: Brand,
  language: string | undefined,
  {
    kind,
    state,
    wayOn,
    login,
    otherUser,
  }: {
    readonly kind: 'recovery' | 'activation'
    readonly state: 'good' | 'lapsed' | 'spent'
    readonly wayOn?: Home | undefined
    /** Whose account it is for, masked: who opens a link of another user sees that it is. */
    readonly login?: string | undefined
    /**
     * Who is signed in in this browser, where that is another user than the link is for, who stands here
     * masked.
     */
    readonly otherUser?: { readonly user: string; readonly other: string } | undefined
  },
): string {
  if (state === 'spent') {
    return renderNotice(brand, language, {
      title: ({ entry }) => entry.spentTitle,
      text: ({ entry }) => entry.spent,
      more: ({ entry, end }) =>
        html`${kind === 'activation' && html`<p class="lead">${fill(entry.askAgain, { org: brand.look?.name ?? brand.name })}</p>`}
<p class="way-on"><a class="primary" href="${brand.base}${recoveryPath}">${entry.newMail}</a></p>
${wayOn !== undefined && html`<p class="links"><a href="${wayOn.address}">${fill(end.toApp, { app: wayOn.label })}</a></p>`}`,
    })
  }
  const isLapsed = state === 'lapsed'
  return renderNotice(brand, language, {
    icon: isLapsed ? 'mail' : 'key',
    title: ({ entry, activation }) =>
      isLapsed ? activation.title : kind === 'activation' ? entry.welcomeTitle : entry.resetTitle,
    text: ({ entry }) => (isLapsed ? entry.lapsed : kind === 'activation' ? entry.welcome : entry.reset),
    more: ({ code, forUser }) =>
      // Sent to the address of the page, which has the token: the page itself has none.
      html`${login !== undefined && html`<p class="who">${icons.user}<span>${sentence(forUser, { user: login })}</span></p>`}${otherUser !== undefined && html`<div class="message" role="status"><p>${fill(wordsFor(language).link.otherUser, { ...otherUser })}</p></div>`}<form method="post"><button type="submit" class="primary" autofocus>${code.button}</button></form>`,
  })
}

const appList = (
  apps: readonly { readonly label: string; readonly address: string }[],
  title: string,
  { toApp }: PageWords['end'],
): Html | false => {
  const link = ({ label, address }: (typeof apps)[number], look: string) =>
    html`<a class="${look}" href="${address}">${fill(toApp, { app: label })}</a>`
  const [only, ...others] = apps
  if (only === undefined) return false
  if (others.length === 0) return html`<p class="way-on">${link(only, 'primary')}</p>`
  return html`<h2>${title}</h2><ul class="ways">${apps.map((app) => html`<li>${link(app, 'secondary')}</li>`)}</ul>`
}
