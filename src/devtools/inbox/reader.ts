import { type Html, html } from '../../base/index.ts'
import { copyButton, icons, moment } from '../../ui/index.ts'
import type { Message } from '../control/messages.ts'
import { pageAddress } from './addresses.ts'
import { phoneChip } from './list.ts'
import { asksForRemoteContent } from './mail-document.ts'

const views = { html: 'HTML', text: 'Text', source: 'Source' } as const
export type View = keyof typeof views

/** The view in the address, else HTML if the mail has it. */
export function viewNamed(name: unknown, message: Message): View {
  if (name === 'html' || name === 'text' || name === 'source') return name
  return message.html === '' ? 'text' : 'html'
}

/** A text or call has no HTML. */
const viewsOf = ({ channel }: Message) =>
  Object.entries(views).filter(([view]) => channel === 'email' || view !== 'html')

export interface Reading {
  readonly view: View
  /** The raw mail, for the view `source`. */
  readonly source: string
  readonly search: string
  /** The transaction that queued the mail, where it is known. */
  readonly flow: string | undefined
}

export function readerOf(message: Message, reading: Reading): Html {
  const { id, to, from, subject, sentAt, template, channel } = message
  return html`
    <article class="mail" aria-labelledby="subject">
      <header class="mail-head">
        ${backLink(reading.search)}
        <h2 id="subject" tabindex="-1">${subject || '(no subject)'}</h2>
        <dl class="facts">
          ${channel !== 'email' && html`<div><dt>Phone</dt><dd>${phoneChip(channel)}</dd></div>`}
          <div><dt>To</dt><dd>${to}</dd></div>
          <div><dt>From</dt><dd>${from}</dd></div>
          <div><dt>Sent</dt><dd>${moment(sentAt, 'long')}</dd></div>
          ${template && html`<div><dt>Template</dt><dd>${template}</dd></div>`}
          ${reading.flow !== undefined && html`<div><dt>Flow</dt><dd><a href="/flows/${reading.flow}">${reading.flow}</a></dd></div>`}
        </dl>
        ${keysOf(message)}
        <nav class="views" aria-label="View">${viewsOf(message).map(
          ([view, name]) =>
            html`<a class="view" href="${pageAddress({ id, view, search: reading.search })}"${
              view === reading.view && html` aria-current="page"`
            }>${name}</a>`,
        )}<button type="button" class="bare needs-script" id="delete" data-id="${id}">${icons.trash}Delete</button></nav>
      </header>
      ${bodyOf(message, reading)}
    </article>`
}

/** The code and the link of the mail. */
const keysOf = ({ code, link }: Message): Html | false =>
  (code !== null || link !== null) &&
  html`<div class="keys">
    ${
      code !== null &&
      html`<div class="key">
        <span class="key-name">Code</span><code class="key-code">${code}</code>${copyButton(code, 'code', 'Copy')}
      </div>`
    }
    ${
      link !== null &&
      html`<div class="key key-wide">
        <span class="key-name">Link</span>
        <a class="key-link" href="${link}" target="_blank" rel="noopener noreferrer"><span>${link}</span>${icons.open}</a>
        ${copyButton(link, 'link', 'Copy')}
      </div>`
    }
  </div>`

function bodyOf(message: Message, { view, source }: Reading): Html {
  if (view === 'source') {
    return html`
      <p class="note"><a href="/messages/${message.id}/source" download>Download as .eml</a></p>
      <pre class="mail-text mail-source" tabindex="0" role="region" aria-label="Source of the mail">${source}</pre>`
  }
  if (view === 'text') {
    return message.text === ''
      ? html`<p class="note">This mail has no text part. Some mail programs show only text: add one.</p>`
      : html`<pre class="mail-text" tabindex="0" role="region" aria-label="Text of the mail">${message.text}</pre>`
  }
  if (message.html === '') return html`<p class="note">This message has no HTML part.</p>`
  return html`
    ${asksForRemoteContent(message.html) && html`<p class="note">Pictures and styles from the network are not loaded.</p>`}
    <iframe class="mail-frame" src="/inbox/${message.id}/mail" title="The mail as its reader sees it"
      sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"></iframe>`
}

export const missing = (search: string): Html => html`
  <div class="hollow">
    ${backLink(search)}
    <h2 id="subject" tabindex="-1">This message is gone</h2>
    <p>It was deleted, or dropped because the limit was reached.</p>
  </div>`

const backLink = (search: string): Html =>
  html`<a class="back" href="${pageAddress({ search })}">${icons.back}All messages</a>`
