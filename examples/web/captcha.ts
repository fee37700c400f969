import type { IdxTransaction } from '@okta/okta-auth-js'
import { type Html, html } from './html.ts'
import type { Field, View } from './pages/page.ts'

/** The captcha that a form asks for, as the server describes it. */
export interface Captcha {
  readonly id: string
  readonly siteKey: string
  readonly type: keyof typeof providers
}

/** Of each provider: its script, the element that it fills, the field of the form that gets the token, and where it loads from. */
const providers = {
  HCAPTCHA: {
    script: 'https://js.hcaptcha.com/1/api.js',
    className: 'h-captcha',
    field: 'h-captcha-response',
    sources: 'https://hcaptcha.com https://*.hcaptcha.com',
  },
  RECAPTCHA_V2: {
    script: 'https://www.google.com/recaptcha/api.js',
    className: 'g-recaptcha',
    field: 'g-recaptcha-response',
    sources:
      'https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/ https://recaptcha.google.com/recaptcha/',
  },
  TURNSTILE: {
    script: 'https://challenges.cloudflare.com/turnstile/v0/api.js',
    className: 'cf-turnstile',
    field: 'cf-turnstile-response',
    sources: 'https://challenges.cloudflare.com',
  },
} as const

/** The fields that get tokens, which are longer than what is typed. */
export const captchaFields: readonly string[] = Object.values(providers).map(({ field }) => field)

/** The captcha of the form that is asked for; undefined if it has none, or one that this app does not know. */
export function captchaOf({ nextStep, context }: IdxTransaction): Captcha | undefined {
  if (!nextStep?.inputs?.some(({ name }) => name === 'captchaVerify')) return undefined
  // The types of the SDK lack it.
  const { captcha } = (context ?? {}) as { readonly captcha?: { readonly value?: Captcha } }
  return captcha?.value !== undefined && Object.hasOwn(providers, captcha.value.type)
    ? captcha.value
    : undefined
}

/** Where the page of a captcha loads from: for its Content-Security-Policy, and its script. */
export function loadingOf({ type }: Captcha, ownScript: string | undefined) {
  const { script, sources } = providers[type]
  return ownScript === undefined
    ? { script, sources }
    : { script: ownScript, sources: new URL(ownScript).origin }
}

/** The place of the captcha in a form. Its script fills it in. */
export const captchaField = ({ captcha, words }: Pick<View, 'captcha' | 'words'>): Html | false =>
  captcha !== undefined &&
  html`<div class="field captcha">
<div class="${providers[captcha.type].className}" data-sitekey="${captcha.siteKey}"></div>
<noscript><p class="message">${words.captcha.needsScript}</p></noscript>
</div>`

/** What the SDK sends of it. Without a token nothing: the server says what is missing. */
export function captchaIn(captcha: Captcha | undefined, field: Field) {
  const captchaToken = captcha === undefined ? '' : field(providers[captcha.type].field)
  return captcha === undefined || captchaToken === ''
    ? {}
    : { captchaVerify: { captchaId: captcha.id, captchaToken } }
}
