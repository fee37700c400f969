/** A flow in Okta's Sign-In Widget, and the tests that walk through it, in both generations. */
export interface WidgetFlow {
  readonly flow: string
  /** A file beside this one, and what the title of its test begins with. */
  readonly file: `${string}.test.ts`
  readonly test: string
  /** Embedded: in an app's own page; hosted: the widget is the page that the app redirects to. Why it is not so is said by a text. */
  readonly embedded: true | string
  readonly hosted: true | string
}

const factors = 'widget-factors.test.ts'
const recovery = 'widget-recovery.test.ts'
const signUp = 'widget-sign-up.test.ts'
const policies = 'widget-policies.test.ts'
const captcha = 'widget-captcha.test.ts'
const page = 'widget-page.test.ts'
const embedded = 'sign-in-widget.test.ts'

/** Steps that apps which show their own pages are never asked for. */
const ofRedirects = 'not part of it'
const ofApps = 'the link shows the code on a page of the engine'

/** In the order of the page that lists them. */
export const widgetFlows: readonly WidgetFlow[] = [
  {
    flow: 'sign-in, with a second factor, after a reload',
    ...{ file: page, test: 'a user signs in, with a second factor' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'a session: the app has a code at once, or what is missing is asked for',
    ...{ file: page, test: 'a session is asked for what is missing alone' },
    ...{ embedded: ofRedirects, hosted: true },
  },
  {
    flow: 'consent, given and refused',
    ...{ file: page, test: 'consent is asked for' },
    ...{ embedded: ofRedirects, hosted: true },
  },
  {
    flow: 'Back, two tabs',
    ...{ file: page, test: 'Back from the app' },
    ...{ embedded: ofRedirects, hosted: true },
  },
  {
    flow: 'a transaction that is over: "Back to sign in" begins anew',
    ...{ file: page, test: 'an expired transaction says so' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'authenticator app, phone by text, passkey: enrolled, and as second factors',
    ...{ file: factors, test: 'an authenticator app and a passkey are enrolled' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'phone by a call',
    ...{ file: factors, test: 'a phone is proven by a call' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'security question',
    ...{ file: factors, test: 'a security question is chosen' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'passkey on the first page',
    ...{ file: factors, test: 'a passkey signs in from the first page, by a button' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'recovery codes',
    ...{ file: factors, test: 'recovery codes are saved' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'email as the second factor, by its code',
    ...{ file: factors, test: 'email is the second factor, with a link' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: '… by its link, in the same browser',
    ...{ file: factors, test: 'email is the second factor, by the link of the mail' },
    ...{ embedded: true, hosted: ofApps },
  },
  {
    flow: 'recovery by the code of the mail, and by the link',
    ...{ file: embedded, test: 'recovers a password by the code of the mail' },
    ...{ embedded: true, hosted: 'by the code, as below; the link shows it on a page of the engine' },
  },
  {
    flow: 'recovery by the code of the mail, with a second factor',
    ...{ file: recovery, test: 'a recovery asks for the second factor' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'recovery by text and call',
    ...{ file: recovery, test: 'a password is recovered by a text' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'unlock by a code of a mail, or of a text',
    ...{ file: recovery, test: 'an account is unlocked by the code of a mail' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'a password that expires soon, or has expired',
    ...{ file: recovery, test: 'a password that expires soon' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'sign-up by the link of the first page, with a phone and a password',
    ...{ file: signUp, test: 'by the link of the first page' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'sign-up that the app begins: `flow`, `prompt=create`',
    ...{ file: page, test: 'a request that asks for a new account' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'sign-up, the link of the mail opened in another browser',
    ...{ file: signUp, test: 'begun here, the link opened in another browser' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'a sign-in that asks for attributes that have become required',
    ...{ file: signUp, test: 'a sign-in asks for what has become required' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'terms',
    ...{ file: signUp, test: 'are agreed to' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'an activation token',
    ...{ file: signUp, test: 'leads to a password and the phone' },
    ...{ embedded: true, hosted: 'its link leads to a page of the engine' },
  },
  {
    flow: 'hCaptcha, reCAPTCHA',
    ...{ file: captcha, test: 'a recovery goes on with the token of it' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'enrolments that may wait',
    ...{ file: policies, test: 'what is optional is left for later' },
    ...{ embedded: true, hosted: true },
  },
  {
    flow: 'a remembered device',
    ...{ file: policies, test: 'a device is remembered' },
    ...{ embedded: true, hosted: true },
  },
]
