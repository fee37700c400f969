import { relative } from 'node:path'
import type { Terminal } from '../terminal.ts'

/** The addresses and credentials that a running `rekey dev` prints. */
export interface Running {
  readonly issuer: string
  /** The org authorization server. */
  readonly orgIssuer: string
  readonly engineUrl: string
  /** The engine's own sign-in pages, where `authorize` leads to. Opened alone, they say where a sign-in begins. */
  readonly signInUrl: string
  readonly appUrl: string | null
  readonly controlUrl: string
  readonly smtpUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** The callback of the sample app, registered for `clientId`. */
  readonly redirectUri: string
  readonly publicClientId: string
  readonly apiToken: string
  /** The password is null if it was changed since the seed. */
  readonly person: { readonly login: string; readonly password: string | null }
  /** Whether visitors may make an account at the sample app. */
  readonly signUp: boolean
  /** The data folder; absent if the data is in memory only. */
  readonly data?: string
}

/** The text that is printed when everything is ready: addresses, the sample user and first steps. */
export function screenOf(running: Running, { style, folder }: Terminal): string {
  const { appUrl, controlUrl, engineUrl, person } = running
  const bold = (text: string) => style('bold', text)
  const dim = (text: string) => style('dim', text)
  const row = (label: string, value: string, hint = '') =>
    `  ${label.padEnd(12)}${style('cyan', value)}${hint === '' ? '' : `${' '.repeat(Math.max(2, 26 - value.length))}${dim(hint)}`}`
  return [
    '',
    `  ${style('green', '●')} ${bold('Rekey is ready')}`,
    '',
    ...(appUrl === null
      ? []
      : [row('Sample app', appUrl, `sign in, ${running.signUp ? 'sign up, ' : ''}recover a password`)]),
    row('Inbox', controlUrl, 'all mails arrive here, none leaves this machine'),
    row('Engine', engineUrl, `issuer ${running.issuer}`),
    row('SMTP', running.smtpUrl.replace('smtp://', ''), 'where the engine sends its mails'),
    '',
    row('User', person.login),
    person.password === null
      ? `  ${'Password'.padEnd(12)}${dim('the one you have set')}`
      : row('Password', person.password),
    '',
    `  ${bold('Try first')}`,
    ...firstSteps(running).map((step, n) => `  ${n + 1}  ${step}`),
    '',
    `  ${bold('Your own app')}`,
    row('client id', running.clientId, 'with a secret; for a browser app: rekey-public, without'),
    row('secret', running.clientSecret),
    '',
    `  ${dim(`${running.data === undefined ? 'no data is stored' : `data in ${relative(folder, running.data)}/`} · Ctrl+C ends`)}`,
    '',
  ].join('\n')
}

const firstSteps = ({ appUrl, controlUrl, issuer, person, signUp }: Running): readonly string[] => [
  ...(appUrl === null
    ? [
        `point your app at ${issuer}`,
        `call idx.recoverPassword({ username: '${person.login}' })`,
        `take the code from ${controlUrl}`,
      ]
    : [
        `open ${appUrl} and follow “Forgot your password?”`,
        `enter ${person.login}, choose Email`,
        `use the code or the link from ${controlUrl}`,
        ...(signUp ? ['make an account of your own: “Sign up” on the sign-in page'] : []),
        `add a phone, a passkey or an authenticator app: ${appUrl}/methods`,
      ]),
  `see what happened, step by step: ${controlUrl}/flows`,
]
