import { type Html, html } from '../../base/index.ts'
import { confirmDialog, envelope, icons } from '../../ui/index.ts'
import type { Message } from '../control/messages.ts'
import { toolPage } from '../pages/index.ts'
import { pageAddress } from './addresses.ts'
import { matching, messageList } from './list.ts'

export interface Showing {
  readonly messages: readonly Message[]
  /** The ids of the messages that were opened. */
  readonly opened: ReadonlySet<string>
  readonly search: string
  readonly open?: Message
  /** The right pane, if a message is open. */
  readonly reader?: Html
  readonly hints: {
    readonly smtpUrl: string
    readonly appUrl?: string | undefined
    readonly login?: string | undefined
  }
}

export function inboxPage(showing: Showing): Html {
  const { messages, search, open, reader } = showing
  const title = open ? `${open.subject || '(no subject)'} · Inbox` : 'Inbox · Rekey'
  return toolPage({
    tab: 'Inbox',
    title,
    scripts: ['/assets/inbox.js'],
    skip: ['messages', 'Skip to the messages'],
    tools: html`<p class="live" id="live" hidden></p>
    <button type="button" class="plain needs-script" id="empty"${messages.length === 0 && html` disabled`}>
      ${icons.trash}<span>Delete all</span>
    </button>`,
    body: html`<main class="${stateOf(showing)}" id="panes">
    <section class="list-pane" aria-label="Messages">
      <form class="search" role="search" action="/" method="get">
        <label class="unseen" for="search">Search by address, number or subject</label>
        ${icons.search}
        <input type="search" id="search" name="q" value="${search}" placeholder="Address or subject" maxlength="200"
          autocomplete="off" spellcheck="false" aria-keyshortcuts="/">
        <kbd class="needs-script" aria-hidden="true">/</kbd>
        <button class="unseen">Search</button>
      </form>
      <div id="messages" tabindex="-1">${listOrHint(showing)}</div>
    </section>
    <section class="reader" id="reader" aria-label="Message">${reader ?? nothingOpen(messages.length)}</section>
  </main>
  ${confirmDialog}
  <div class="unseen" role="status" id="status"></div>`,
  })
}

function stateOf({ messages, reader }: Showing): string {
  if (reader) return 'panes is-reading'
  return messages.length === 0 ? 'panes is-empty' : 'panes'
}

function listOrHint(showing: Showing): Html {
  const { messages, search, open, opened } = showing
  if (messages.length === 0) return emptyHint(showing.hints)
  if (matching(messages, search).length > 0) return messageList(messages, { search, open, opened })
  return html`
    <div class="hollow">
      <h2>Nothing found</h2>
      <p>No address and no subject contains “${search}”.</p>
      <p class="hollow-more"><a href="${pageAddress(open ? { id: open.id } : {})}">Show all ${messages.length}</a></p>
    </div>`
}

function emptyHint({ appUrl, login, smtpUrl }: Showing['hints']): Html {
  const place =
    appUrl === undefined
      ? 'your app'
      : html`<a href="${new URL('/recover-password', appUrl).href}">the sample app</a>`
  return html`
    <div class="hollow">
      ${envelope}
      <h2>No mail yet</h2>
      <p>Request a new password in ${place}${login && html` as <code class="fact">${login}</code>`}: the mail with its
        code and link appears here automatically.</p>
      <p class="hollow-more">All mails sent to <code class="fact">${smtpUrl}</code> arrive here, and all texts and calls. None leaves this machine.</p>
    </div>`
}

const nothingOpen = (count: number): Html | false =>
  count > 0 &&
  html`
    <div class="hollow idle">
      <h2>Choose a message</h2>
      <ul class="shortcuts needs-script">
        <li><kbd>j</kbd> <kbd>k</kbd> or arrows<span>move</span></li>
        <li><kbd>Enter</kbd><span>open</span></li>
        <li><kbd>c</kbd><span>copy the code</span></li>
        <li><kbd>d</kbd><span>delete the open message</span></li>
        <li><kbd>/</kbd><span>search</span></li>
        <li><kbd>Esc</kbd><span>back to the list</span></li>
      </ul>
    </div>`
