import { type Html, html } from '../base/index.ts'

/** A tab in the bar of a page. */
interface TabLink {
  readonly label: string
  readonly address: string
  /** The tab of this page. */
  readonly current?: boolean
  /** The view that a script marks as current: for tabs within one page. */
  readonly view?: string
}

/** A page. */
export interface Page {
  readonly title: string
  /** The heading for screen readers. */
  readonly heading: string
  readonly tabs: readonly TabLink[]
  /** The addresses of the page's scripts. */
  readonly scripts?: readonly string[]
  /** The target and the label of the skip link. */
  readonly skip: readonly [id: string, label: string]
  /** The elements on the right of the bar. */
  readonly tools?: Html | false
  readonly body: Html
  /** The path of the address below which the pages are served; usually empty. */
  readonly base?: string
  /** Attributes of the body element. */
  readonly bodyAttributes?: Html
}

/** The frame of every page: head, bar with tabs, and the body. No inline script or style: the policies allow none. */
export const framed = ({
  title,
  heading,
  tabs,
  scripts = [],
  skip,
  tools,
  body,
  base = '',
  bodyAttributes,
}: Page): Html => html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="robots" content="noindex">
  <title>${title}</title>
  <link rel="icon" href="${base}/ui/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="${base}/ui/ui.css">
  ${scripts.map((address) => html`<script src="${base}${address}" type="module"></script>`)}
</head>
<body${bodyAttributes && html` ${bodyAttributes}`}>
  <a class="skip" href="#${skip[0]}">${skip[1]}</a>
  <header class="top">
    <img class="brand" src="${base}/ui/icon.svg" alt="Rekey" width="24" height="24">
    <h1 class="unseen">${heading}</h1>
    <nav class="tabs" id="tabs" aria-label="Pages">${tabs.map(
      ({ label, address, current, view }) =>
        html`<a class="tab" href="${address}"${view !== undefined && html` data-view="${view}"`}${current === true && html` aria-current="page"`}>${label}</a>`,
    )}</nav>
    ${tools}
  </header>
  ${body}
</body>
</html>
`
