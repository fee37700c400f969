import { type Html, html } from '../../base/index.ts'
import type { RenderedMail, TemplateName } from '../../delivery/index.ts'
import { templateNames } from '../../delivery/index.ts'
import { languages } from '../../i18n/index.ts'
import { toolPage } from '../pages/index.ts'

/** The selected preview. */
export interface Preview {
  readonly template: TemplateName
  readonly language: string
  readonly width: (typeof widths)[number]
}

/** `fit`: as wide as the window allows, up to 600 pixels. */
export const widths = ['fit', 600, 320] as const

const subjects: Readonly<Record<TemplateName, string>> = {
  ForgotPassword: 'Forgot password',
  EmailChallenge: 'Sign-in code',
  SelfServiceUnlock: 'Unlock account',
  RegistrationEmailVerification: 'Sign-up',
  RegistrationTaken: 'Sign-up with a known address',
  Welcome: 'Welcome',
  PasswordResetByAdmin: 'Reset by an administrator',
  UserActivation: 'Activation',
  PasswordChanged: 'Password changed',
  PasswordExpired: 'Password expired',
  EmailChanged: 'Email changed',
  LoginChanged: 'Username changed',
  AuthenticatorEnrolled: 'Security method added',
  AuthenticatorReset: 'Security method removed',
  AccountUnlocked: 'Account unlocked',
  PendingEmailChange: 'Code for a new address',
  AccountChangeWaiting: 'A change that waits',
}

export const addressOf = ({ template, language, width }: Preview, part = ''): string =>
  `/mails/${template}${part}?${new URLSearchParams({ lang: language, width: String(width) })}`

export function mailsPage(preview: Preview, mail: RenderedMail): Html {
  return around(
    preview,
    html`<header class="mail-head">
      <h2 id="subject" lang="${mail.language}" dir="auto">${mail.subject}</h2>
      <p class="quiet">With sample data. Files in the folder <code>mail.templates</code> replace the built-in templates; this page reads them at each request.</p>
      <div class="switches">
        ${switchOf(
          'Language',
          Object.keys(languages).map((language) => choice(preview, { language }, nameOf(language))),
        )}
        ${switchOf(
          'Width',
          widths.map((width) => choice(preview, { width }, width === 'fit' ? 'Fit' : `${width} px`)),
        )}
      </div>
    </header>
    <div class="previews">
      <section aria-labelledby="html-title"><h3 id="html-title">HTML</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="Preview of the HTML, which scrolls"><iframe class="preview is-${preview.width}" src="${addressOf(preview, '/html')}" title="The mail as HTML"
          sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"></iframe></div></section>
      <section aria-labelledby="text-title"><h3 id="text-title">Text</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="Preview of the text, which scrolls"><iframe class="preview is-text is-${preview.width}" src="${addressOf(preview, '/text')}" title="The mail as text"
          sandbox="" referrerpolicy="no-referrer"></iframe></div></section>
    </div>`,
  )
}

/** The problems of custom templates, which the engine would refuse at its start. */
export const refusedPage = (preview: Preview, problems: readonly string[]): Html =>
  around(
    preview,
    html`<header class="mail-head"><h2 id="subject">These templates would be refused</h2></header>
    <ul class="problems">${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`,
  )

const around = (preview: Preview, body: Html): Html =>
  toolPage({
    tab: 'Mails',
    title: `${subjects[preview.template]} · Mails`,
    skip: ['mail', 'Skip to the mail'],
    body: html`<main class="mails">
      <nav class="list-pane templates" aria-label="Templates"><ul>${templateNames.map(
        (
          template,
        ) => html`<li><a class="template" href="${addressOf({ ...preview, template })}"${template === preview.template && html` aria-current="page"`}>
          <strong>${subjects[template]}</strong><code>${template}</code></a></li>`,
      )}</ul></nav>
      <article class="mail-preview" id="mail" tabindex="-1" aria-labelledby="subject">${body}</article>
    </main>`,
  })

const switchOf = (label: string, choices: readonly Html[]): Html =>
  html`<nav class="switch" aria-label="${label}">${choices}</nav>`

function choice(preview: Preview, change: Partial<Preview>, label: string): Html {
  const next = { ...preview, ...change }
  const isCurrent = next.language === preview.language && next.width === preview.width
  return html`<a class="choice" href="${addressOf(next)}"${isCurrent && html` aria-current="true"`}>${label}</a>`
}

/** The name of a language in that language, such as `Deutsch`. */
const nameOf = (language: string): string =>
  new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? language
