import type { Beginning } from '../beginnings.ts'
import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Words } from '../words.ts'

/**
 * The page for a link that was opened in another browser than the one that requested it. An attacker may try to get the
 * code from a victim (phishing), so the page shows where it was requested.
 */
export function otherBrowserPage(words: Words, code: string, beginning: Beginning | undefined): Content {
  const { otherBrowser, date } = words
  const facts = beginning && [
    [otherBrowser.app, beginning.app],
    [otherBrowser.browser, beginning.browser],
    [otherBrowser.system, beginning.system],
    [otherBrowser.address, beginning.address],
    [otherBrowser.when, `${date.format(beginning.at)} UTC`],
  ]
  return {
    title: otherBrowser.title,
    badge: 'mail',
    body: html`<p class="lead">${otherBrowser.lead}</p>
<p class="code"><code>${code}</code></p>
<p class="message warning"><strong>${otherBrowser.warning}</strong> ${otherBrowser.warningMore}</p>
${
  facts
    ? html`<h2>${otherBrowser.askedFrom}</h2>
<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value ?? otherBrowser.unknown}</dd></div>`)}</dl>`
    : html`<p>${otherBrowser.noContext}</p>`
}
<nav class="links"><a href="/login">${words.recovery.backToSignIn}</a></nav>`,
  }
}

export const codeShownPage = ({ otherBrowser }: Words): Content => ({
  title: otherBrowser.shownTitle,
  badge: 'mail',
  body: html`<p class="lead">${otherBrowser.shown}</p>`,
})
