import { type Html, html } from '../../base/index.ts'

/** Allows only our own files and no inline styles or scripts: a second defence if text of a mail were not escaped. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const tabs = { Inbox: '/', Flows: '/flows', Mails: '/mails', Admin: '/admin' } as const
export type Tab = keyof typeof tabs

/** The common frame of all pages. */
export interface Frame {
  readonly tab: Tab
  readonly title: string
  /** The stylesheets of the page, in addition to the common one. */
  readonly styles?: readonly string[]
  readonly scripts?: readonly string[]
  /** The target and the label of the skip link. */
  readonly skip: readonly [id: string, label: string]
  /** The elements on the right of the bar. */
  readonly tools?: Html | false
  readonly body: Html
}

export const framed = ({
  tab,
  title,
  styles = [],
  scripts = [],
  skip,
  tools,
  body,
}: Frame): Html => html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title}</title>
  <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
  ${['inbox.css', ...styles].map((name) => html`<link rel="stylesheet" href="/assets/${name}">`)}
  ${scripts.map((name) => html`<script src="/assets/${name}" type="module"></script>`)}
</head>
<body>
  <a class="skip" href="#${skip[0]}">${skip[1]}</a>
  <header class="top">
    <img class="brand" src="/assets/icon.svg" alt="Rekey" width="24" height="24">
    <h1 class="unseen">${tab}</h1>
    <nav class="tabs" aria-label="Pages">${Object.entries(tabs).map(
      ([name, address]) =>
        html`<a class="tab" href="${address}"${name === tab && html` aria-current="page"`}>${name}</a>`,
    )}</nav>
    ${tools}
  </header>
  ${body}
</body>
</html>
`
