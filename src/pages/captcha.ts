import { type Html, html } from '../base/index.ts'
import type { PageWords } from '../i18n/index.ts'
import type { Posted } from './read-form.ts'
import { type IdxForm, type IdxResponse, membersOf } from './response.ts'

/**
 * Of each provider: its script, the element that it fills, the field of the form that gets the token, and
 * where it loads from.
 */
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

export const captchaPath = 'captchaVerify.captchaToken'

/** The captcha that a form of a response asks for, with where its page loads it from. */
export interface PageCaptcha {
  readonly type: keyof typeof providers
  readonly siteKey: string
  readonly script: string
  /** What its script may load, and from where: for the policy of its page, and of no other one. */
  readonly sources: string
}

const asksForIt = ({ value = [] }: IdxForm): boolean => value.some(({ name }) => name === 'captchaVerify')

/**
 * The captcha of a page; undefined where no form of it asks for one.
 *
 * @param ownScript where the installation has the provider's script from, in place of the provider
 */
export function captchaOf(response: IdxResponse, ownScript?: string): PageCaptcha | undefined {
  if (!(response.remediation?.value ?? []).some(asksForIt)) return undefined
  const { type, siteKey } = membersOf(membersOf(response.captcha).value)
  if (typeof type !== 'string' || !Object.hasOwn(providers, type) || typeof siteKey !== 'string')
    return undefined
  const known = type as PageCaptcha['type']
  const { script, sources } = providers[known]
  return {
    ...{ type: known, siteKey },
    ...(ownScript === undefined
      ? { script, sources }
      : { script: ownScript, sources: new URL(ownScript).origin }),
  }
}

/**
 * The place of the captcha in a form, which the provider's script fills. Without it the form says that it is
 * missing.
 */
export const captchaField = (
  form: IdxForm,
  captcha: PageCaptcha | undefined,
  words: PageWords,
): Html | false =>
  captcha !== undefined &&
  asksForIt(form) &&
  html`<div class="field captcha"><div class="${providers[captcha.type].className}" data-sitekey="${captcha.siteKey}"></div>
<noscript><p class="message">${words.captcha.without}</p></noscript></div>`

/** A posted form with the token of its provider where the protocol has it. */
export function withCaptcha(posted: Posted): Posted {
  const token = Object.values(providers)
    .map(({ field }) => posted.get(field))
    .find((one) => one !== undefined && one !== '')
  return token === undefined ? posted : new Map([...posted, [captchaPath, token]])
}
