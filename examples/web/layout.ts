import { type Html, html } from './html.ts'
import type { Message } from './messages.ts'
import type { Words } from './words.ts'

/** The content of a page, which the layout puts into the frame. */
export interface Content {
  readonly title: string
  readonly body: Html
  /** An icon above the heading. */
  readonly badge?: 'key' | 'mail' | 'lock' | 'phone' | 'passkey' | 'user' | 'done'
  /** Optional scripts of `public/`. Every page works without them. */
  readonly script?: string | readonly string[]
  /** The script of another site, of a page whose Content-Security-Policy admits it. */
  readonly foreignScript?: string | undefined
}

/** Renders a complete document. `messages` are those about the whole page; messages about a field are with the field. */
export function layout(words: Words, content: Content, messages: readonly Message[] = []): string {
  const failed = messages.some(({ kind }) => kind === 'error')
  const page = html`<!doctype html>
<html lang="${words.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${failed && `${words.errorInTitle}: `}${content.title} · ${words.appName}</title>
<link rel="icon" href="/public/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/public/style.css">
${[content.script ?? []].flat().map((script) => html`<script src="/public/${script}" defer></script>`)}
${content.foreignScript !== undefined && html`<script src="${content.foreignScript}" defer></script>`}
</head>
<body>
<header class="brand"><a href="/">${words.appName}</a></header>
<main class="card">
${content.badge !== undefined && html`<span class="badge badge-${content.badge}" aria-hidden="true"></span>`}
<h1>${content.title}</h1>
${messageBox(messages.filter(({ field }) => field === undefined))}
${content.body}
</main>
</body>
</html>
`
  return page.markup
}

function messageBox(messages: readonly Message[]): Html | false {
  if (messages.length === 0) return false
  const failed = messages.some(({ kind }) => kind === 'error')
  return html`<div id="messages" class="${failed ? 'message error' : 'message'}" role="${failed ? 'alert' : 'status'}">
${messages.map(({ text }) => html`<p>${text}</p>`)}
</div>`
}
