import { type Html, html } from '../base/index.ts'

const shape = (path: Html): Html =>
  html`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${path}</svg>`

/** Pictures of what a page is about. They stand in the page, so that nothing is loaded for them. */
export const icons = {
  key: shape(html`<circle cx="7.5" cy="15.5" r="4.5"/><path d="m10.7 12.3 9.8-9.8m-5 5 3 3m-6 0 2 2"/>`),
  lock: shape(
    html`<rect x="4.5" y="10.5" width="15" height="10.5" rx="2.5"/><path d="M8 10.5V7.5a4 4 0 0 1 8 0v3m-4 4v2.5"/>`,
  ),
  mail: shape(html`<rect x="2.5" y="4.5" width="19" height="15" rx="2.5"/><path d="m3.5 7 8.5 6.5L20.5 7"/>`),
  text: shape(
    html`<path d="M5 4.5h14A2.5 2.5 0 0 1 21.5 7v7.5A2.5 2.5 0 0 1 19 17h-7l-5 4v-4H5a2.5 2.5 0 0 1-2.5-2.5V7A2.5 2.5 0 0 1 5 4.5Z"/><path d="M7.5 10.75h.01m4.49 0h.01m4.49 0h.01"/>`,
  ),
  call: shape(
    html`<path d="M6.5 3h3l1.6 4.6-2.3 1.7a12.5 12.5 0 0 0 5.9 5.9l1.7-2.3L21 14.5v3A3.2 3.2 0 0 1 17.6 21 15.6 15.6 0 0 1 3 6.4 3.2 3.2 0 0 1 6.5 3Z"/>`,
  ),
  phone: shape(html`<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M10.5 18.5h3"/>`),
  app: shape(html`<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.25 2"/>`),
  question: shape(
    html`<circle cx="12" cy="12" r="9"/><path d="M9.3 9.3a2.75 2.75 0 1 1 3.9 2.9c-.8.45-1.2 1-1.2 1.8m0 2.75h.01"/>`,
  ),
  passkey: shape(
    html`<circle cx="8.5" cy="7.5" r="4"/><path d="M2.5 20.5v-1a5 5 0 0 1 5-5h2a5 5 0 0 1 2.5.7"/><circle cx="17.5" cy="11.5" r="3"/><path d="M17.5 14.5v6.5m0-3h2"/>`,
  ),
  codes: shape(
    html`<rect x="4" y="3" width="16" height="18" rx="2.5"/><path d="M8 8h3m2.5 0h2.5M8 12h3m2.5 0h2.5M8 16h3m2.5 0h2.5"/>`,
  ),
  user: shape(html`<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c0-4 3.4-6.5 7.5-6.5s7.5 2.5 7.5 6.5"/>`),
  shield: shape(
    html`<path d="M12 2.75 19.5 6v5.5c0 4.6-3 8-7.5 9.75C7.5 19.5 4.5 16.1 4.5 11.5V6Z"/><path d="m8.75 12 2.25 2.25L15.5 9.5"/>`,
  ),
  done: shape(html`<path d="m5 12.5 4.5 4.5L19 7.5"/>`),
  failed: shape(html`<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.5m0 3.25h.01"/>`),
} as const

export type Icon = keyof typeof icons

const ofMethods: Readonly<Record<string, Icon>> = {
  okta_email: 'mail',
  okta_password: 'lock',
  phone_number: 'phone',
  sms: 'text',
  voice: 'call',
  google_otp: 'app',
  security_question: 'question',
  webauthn: 'passkey',
  recovery_codes: 'codes',
}

/** The picture of an authenticator, or of one of its methods. */
export const iconOf = (key: string, method?: string): Icon =>
  ofMethods[method ?? ''] ?? ofMethods[key] ?? 'shield'
