import { html, s256 } from '../../base/index.ts'
import type { ResponseMode } from '../../interactions/index.ts'

/** The response modes that are served, as discovery lists them. */
export const responseModes: readonly ResponseMode[] = ['query', 'fragment', 'form_post', 'okta_post_message']

/**
 * The values of `prompt` that are served, as discovery lists them: those of a sign-in. `enroll_authenticator`
 * is a request of another kind.
 */
export const prompts = ['none', 'login', 'consent', 'create'] as const

/** How the answer to `authorize` leaves: a redirect, or a page that hands it over. */
export type Delivered =
  | { readonly location: string }
  | {
      readonly page: string
      readonly headers: Readonly<Record<string, string>>
      /** It is the page of a sign-in that is over, which programs are answered as an error. */
      readonly ended?: true
    }

/** The members of an answer, in the order in which they are sent; undefined ones are not. */
export type Answer = Readonly<Record<string, string | undefined>>

/**
 * Hands an answer to an app, at an address that was compared with what is registered (A30). `query` and
 * `fragment` are appended as text: to parse and print the registered address could change it.
 */
export function deliver(mode: ResponseMode, redirectUri: string, answer: Answer): Delivered {
  const members = Object.fromEntries(
    Object.entries(answer).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  ) as Readonly<Record<string, string>>
  const text = new URLSearchParams(members).toString()
  switch (mode) {
    case 'query':
      return { location: `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${text}` }
    case 'fragment':
      return { location: `${redirectUri}#${text}` }
    case 'form_post':
      return formPost(redirectUri, members)
    case 'okta_post_message':
      return postMessage(redirectUri, members)
  }
}

const submitting = 'document.forms[0].submit()'

/** A form that posts itself (OAuth 2.0 Form Post Response Mode). Without scripts its button does. */
function formPost(redirectUri: string, members: Readonly<Record<string, string>>): Delivered {
  const fields = Object.entries(members).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex"><title>…</title></head>
<body><form method="post" action="${redirectUri}">${fields}<noscript><button>→</button></noscript></form></body></html>
`.markup
  return { page: withScript(page, submitting), headers: headersFor(redirectUri, submitting) }
}

const posting =
  'const{answer,origin}=document.body.dataset;const to=window.parent===window?window.opener:window.parent;if(to)to.postMessage(JSON.parse(answer),origin)'

/**
 * A page that posts the answer to the window that opened it or has it in a frame: to the origin of the
 * registered address alone, so that no other page receives it, wherever that window has gone meanwhile (A72).
 */
function postMessage(redirectUri: string, members: Readonly<Record<string, string>>): Delivered {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex"><title>…</title></head>
<body data-answer="${JSON.stringify(members)}" data-origin="${new URL(redirectUri).origin}"></body></html>
`.markup
  return { page: withScript(page, posting), headers: headersFor(redirectUri, posting) }
}

/** The script is a constant of this file: what a request brings is markup's text only. */
const withScript = (page: string, script: string): string =>
  page.replace('</body>', () => `<script>${script}</script></body>`)

/**
 * The one script may run, by its hash. The page may stand in a frame of the app, for a silent sign-in; forms
 * may lead anywhere, since browsers check each redirect of the app's own as well.
 */
function headersFor(redirectUri: string, script: string): Readonly<Record<string, string>> {
  const hash = Buffer.from(s256(script), 'base64url').toString('base64')
  const framing = /^https?:/.test(redirectUri) ? new URL(redirectUri).origin : "'none'"
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; script-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors ${framing}`,
  }
}
