import { relative } from 'node:path'
import type { Terminal } from '../terminal.ts'

/** What a running `rekey dev` has to tell. */
export interface Running {
  readonly issuer: string
  readonly engineUrl: string
  readonly appUrl: string | null
  readonly controlUrl: string
  readonly smtpUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly publicClientId: string
  readonly apiToken: string
  /** Her password is null where it was changed since. */
  readonly person: { readonly login: string; readonly password: string | null }
  /** Where the data is; absent where nothing is kept. */
  readonly data?: string
}

/** What a person sees when everything is up: where to go, as whom, and what to try first. */
export function screenOf(running: Running, { style, folder }: Terminal): string {
  const { appUrl, controlUrl, engineUrl, person } = running
  const bold = (text: string) => style('bold', text)
  const dim = (text: string) => style('dim', text)
  const row = (label: string, value: string, words = '') =>
    `  ${label.padEnd(12)}${style('cyan', value)}${words === '' ? '' : `${' '.repeat(Math.max(2, 26 - value.length))}${dim(words)}`}`
  return [
    '',
    `  ${style('green', '●')} ${bold('Rekey is ready')}`,
    '',
    ...(appUrl === null ? [] : [row('Sample app', appUrl, 'sign in, recover a password')]),
    row('Inbox', controlUrl, 'every mail lands here, none leaves this machine'),
    row('Engine', engineUrl, `issuer ${running.issuer}`),
    row('SMTP', running.smtpUrl.replace('smtp://', ''), 'what the engine sends its mails to'),
    '',
    row('Person', person.login),
    person.password === null
      ? `  ${'Password'.padEnd(12)}${dim('the one you gave her')}`
      : row('Password', person.password),
    '',
    `  ${bold('Try first')}`,
    ...firstSteps(running).map((step, n) => `  ${n + 1}  ${step}`),
    '',
    `  ${bold('Your own app')}`,
    row('client id', running.clientId, 'with a secret; for a browser app: rekey-public, without'),
    row('secret', running.clientSecret),
    '',
    `  ${dim(`${running.data === undefined ? 'nothing is kept' : `data in ${relative(folder, running.data)}/`} · Ctrl+C ends`)}`,
    '',
  ].join('\n')
}

const firstSteps = ({ appUrl, controlUrl, issuer, person }: Running): readonly string[] => [
  ...(appUrl === null
    ? [
        `point your app at ${issuer}`,
        `call idx.recoverPassword({ username: '${person.login}' })`,
        `take the code from ${controlUrl}`,
      ]
    : [
        `open ${appUrl} and follow “Forgot your password?”`,
        `enter ${person.login}, choose Email`,
        `take the code, or the link, from ${controlUrl}`,
      ]),
  `see what happened, step by step: ${controlUrl}/flows`,
]
