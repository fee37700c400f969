import { type Html, html } from '../../base/index.ts'
import { toolPage } from '../pages/index.ts'
import { flowList, type Listed } from './list.ts'

export interface FlowsShowing {
  readonly listed: readonly Listed[]
  readonly open?: string
  readonly title?: string
  /** The right pane, if a flow is open. */
  readonly reader?: Html
  readonly appUrl: string | undefined
}

export function flowsPage({ listed, open, title, reader, appUrl }: FlowsShowing): Html {
  const state = reader ? 'is-reading' : listed.length === 0 ? 'is-empty' : ''
  return toolPage({
    tab: 'Flows',
    title: title === undefined ? 'Flows · Rekey' : `${title} · Flows`,
    scripts: ['/assets/flows.js'],
    skip: ['flows', 'Skip to the flows'],
    tools: html`<p class="live" id="live" hidden></p>`,
    body: html`<main class="panes ${state}" id="panes">
    <section class="list-pane" aria-label="Flows">
      <div id="flows" class="list-body" tabindex="-1">${listed.length === 0 ? emptyHint(appUrl) : flowList(listed, open)}</div>
    </section>
    <section class="reader" id="reader" aria-label="Flow">${reader ?? nothingOpen(listed.length)}</section>
  </main>
  <div class="unseen" role="status" id="status"></div>`,
  })
}

const emptyHint = (appUrl: string | undefined): Html => html`
  <div class="hollow">
    <h2>No flow yet</h2>
    <p>Sign in or request a new password in ${appUrl === undefined ? 'your app' : html`<a href="${appUrl}">the sample app</a>`}: every step appears here live.</p>
    <p class="hollow-more">Secrets are omitted: codes, passwords, handles and tokens are shown by type only.</p>
  </div>`

const nothingOpen = (count: number): Html | false =>
  count > 0 &&
  html`
    <div class="hollow idle">
      <h2>Choose a flow</h2>
      <ul class="shortcuts needs-script">
        <li><kbd>j</kbd> <kbd>k</kbd> or arrows<span>move</span></li>
        <li><kbd>Enter</kbd><span>open</span></li>
        <li><kbd>c</kbd><span>copy the diagram</span></li>
        <li><kbd>Esc</kbd><span>back to the list</span></li>
      </ul>
    </div>`
