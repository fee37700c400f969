import { type Html, html } from '../base/index.ts'

const icon = (path: Html): Html =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${path}</svg>`

export const icons = {
  copy: icon(
    html`<rect x="5.5" y="5.5" width="8" height="8" rx="1.75"/><path d="M10.5 5.25V4a1.5 1.5 0 0 0-1.5-1.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.25"/>`,
  ),
  link: icon(
    html`<path d="M6.75 9.25a2.5 2.5 0 0 0 3.6 0l2.3-2.3a2.55 2.55 0 0 0-3.6-3.6l-.8.8"/><path d="M9.25 6.75a2.5 2.5 0 0 0-3.6 0l-2.3 2.3a2.55 2.55 0 0 0 3.6 3.6l.8-.8"/>`,
  ),
  open: icon(
    html`<path d="M9.5 2.75h3.75V6.5M13 3 7.5 8.5M11.5 9.5v2.25a1.5 1.5 0 0 1-1.5 1.5H4.25a1.5 1.5 0 0 1-1.5-1.5V6a1.5 1.5 0 0 1 1.5-1.5H6.5"/>`,
  ),
  download: icon(html`<path d="M8 2.75v7.5M4.75 7.25 8 10.5l3.25-3.25M3 13.25h10"/>`),
  back: icon(html`<path d="M9.5 3.5 5 8l4.5 4.5"/>`),
  search: icon(html`<circle cx="7" cy="7" r="4.25"/><path d="m10.25 10.25 3.25 3.25"/>`),
  trash: icon(
    html`<path d="M2.75 4.25h10.5M6.25 4V2.75h3.5V4M4.25 4.5l.6 8a1 1 0 0 0 1 .9h4.3a1 1 0 0 0 1-.9l.6-8"/>`,
  ),
}

export const envelope = html`<svg class="picture" viewBox="0 0 72 72" aria-hidden="true" focusable="false">
  <rect x="6" y="16" width="60" height="42" rx="9" fill="currentColor" opacity=".14"/>
  <path d="m9 22 21.4 17.2a9 9 0 0 0 11.2 0L63 22" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>
  <rect x="6" y="16" width="60" height="42" rx="9" fill="none" stroke="currentColor" stroke-width="3"/>
</svg>`

/** A copy button. It is hidden without JavaScript, because it needs the script. */
export const copyButton = (value: string, what: string, label?: string): Html =>
  html`<button type="button" class="copy" data-copy="${value}" data-what="${what}">
    ${icons.copy}<span class="${label === undefined ? 'unseen' : 'copy-label'}">${label ?? `Copy ${what}`}</span>
  </button>`

/** A time in UTC, which the script converts to the time zone of the browser. */
export function moment(iso: string, style: 'short' | 'long' | 'clock' | 'second'): Html {
  const date = style === 'long' ? `${iso.slice(0, 10)} ` : ''
  const time = iso.slice(11, style === 'clock' ? 16 : 19)
  return html`<time datetime="${iso}" data-style="${style}">${`${date}${time} UTC`}</time>`
}

/** What a state means. */
type Tone = 'good' | 'waiting' | 'bad' | 'quiet'

/** A state as a word and a colour. The word alone is sufficient for accessibility. */
export const toneChip = (tone: Tone, label: string): Html =>
  html`<span class="chip is-${tone}">${label}</span>`

/** A dialog that asks before something that cannot be undone. Its script is `confirmed` of `dom.js`. */
export const confirmDialog: Html = html`<dialog id="confirm" aria-labelledby="confirm-title" aria-describedby="confirm-text">
    <form method="dialog">
      <h2 id="confirm-title"></h2>
      <p class="dialog-text" id="confirm-text"></p>
      <div class="choices">
        <button value="" autofocus>Cancel</button>
        <button class="primary" value="yes" id="confirm-yes"></button>
      </div>
    </form>
  </dialog>`
