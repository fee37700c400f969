import { existsSync } from 'node:fs'
import { systemClock } from '../base/index.ts'
import { type Config, type Finding, findingsOf, loadSettings } from '../config/index.ts'
import { mailTransportOf } from '../engine/index.ts'
import { appsWithoutAddress } from '../interactions/index.ts'
import { openStorage } from '../storage/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  configOption,
  jsonOption,
  refuseMore,
  textOf,
} from './command.ts'
import { operationOf } from './doctor-operation.ts'
import { checkSecret } from './doctor-secret.ts'

const marks = { met: '✓', deviates: '!', 'not applicable': '–' } as const

export const doctor: Command = {
  about: [
    'Checks the effective settings against the requirements of ASVS 5.0, NIST SP 800-63B-4 and RFC 9700 for recovery, sign-in and tokens: met, deviates (with the reason), or not applicable.',
    'Checks this machine, too: the Node that runs this command, who can read the database file, and whether the time that the database has noted is ahead.',
    'With a database that answers, also lists the apps that have not vouched for any address of their users lately: all users of such an app count as one source.',
    'It also compares REKEY_SECRET with the database, shows what still needs a secret that was replaced, and fails if the secret is a wrong one.',
    'Greets the mail server as well, with TLS and its credentials as they would be used, and sends nothing.',
    'A deviation is not a failure: the exit code is 0. docs/security.md explains the deviations of the defaults.',
  ],
  options: { ...configOption, ...jsonOption },
  examples: [
    ['rekey doctor', 'print every requirement with its result'],
    ['rekey doctor --json | jq \'.[] | select(.result == "deviates")\'', 'print only the deviations'],
  ],

  async run(call) {
    refuseMore(call, 0)
    const { terminal, options } = call
    const { folder, env } = terminal
    const loaded = await loadSettings({ folder, env, file: textOf(call, 'config') })
    for (const warning of loaded.warnings) terminal.note(`rekey: ${warning}`)
    const config = loaded.check('development')
    const secret = await checkSecret(call, config)
    const findings = [
      ...findingsOf(config),
      ...(await sourcesOf(call, config)),
      ...(await operationOf(config)),
      ...(await mailOf(config)),
      ...secret.findings,
    ]
    if (options.json) terminal.print(JSON.stringify(findings, null, 2))
    else printFindings(terminal, findings)
    if (secret.wrong !== undefined) throw new CommandError(secret.wrong)
  },
}

function printFindings(terminal: Call['terminal'], findings: readonly Finding[]): void {
  for (const { standard, id, asks, result, why } of findings) {
    const line = `${marks[result]} ${standard}, ${id}: ${asks}`
    terminal.print(result === 'deviates' ? terminal.style('yellow', line) : line)
    terminal.print(terminal.style('dim', `    ${why}`))
  }
  const count = (result: Finding['result']) => findings.filter((finding) => finding.result === result).length
  terminal.print('')
  terminal.print(
    `${count('met')} met, ${count('deviates')} deviate, ${count('not applicable')} not applicable`,
  )
}

const dayMs = 86_400_000

/** Whether the users of each app are distinguished by their addresses, as the last day's interactions show. */
async function sourcesOf({ terminal }: Call, { database, limits }: Config): Promise<readonly Finding[]> {
  const path = /^sqlite:(.*)$/.exec(database.url)?.[1]
  // A database in memory is another process's, and SQLite would make an empty one for a name that is not there.
  if (database.url === 'memory' || (path !== undefined && !existsSync(path))) return []
  const finding = {
    id: '6.3.1',
    standard: 'ASVS 5.0',
    asks: 'the users of an app are distinguished, so that guesses of one do not count for the others',
  } as const
  try {
    const storage = await openStorage({ url: database.url, poolSize: 1 })
    try {
      const apps = await appsWithoutAddress(storage.db, systemClock.now() - dayMs)
      if (apps.length === 0) {
        const why = 'every app of the last day named the address of its user, or has none to name'
        return [{ ...finding, result: 'met', why }]
      }
      const why = `sent no X-Forwarded-For in the last day: ${apps.join(', ')}; all users of each count as one source, with ${limits.appFactor} times the budgets of an address and no shares of their own`
      return [{ ...finding, result: 'deviates', why }]
    } finally {
      await storage.close()
    }
  } catch (error) {
    terminal.note(`rekey: the database could not be asked: ${error instanceof Error ? error.message : error}`)
    return []
  }
}

/** Whether the mail server takes mails over a connection that nobody else reads (RFC 8314). Asked now; nothing is sent. */
async function mailOf(config: Config): Promise<readonly Finding[]> {
  const { mail } = config
  if (mail.url === undefined || !mail.deliver) return []
  const finding = {
    id: '12.3.1',
    standard: 'ASVS 5.0',
    asks: 'mails leave over TLS, to a server that takes them',
  } as const
  const transport = mailTransportOf(config)
  const problem = await transport.verify().then(
    () => undefined,
    (error: Error) => error.message,
  )
  await transport.close()
  if (problem !== undefined) return [{ ...finding, result: 'deviates', why: `mail.url: ${problem}` }]
  if (mail.insecurePlainSmtp) {
    const why =
      'mail.insecurePlainSmtp allows codes and the password of the mail server to be sent without TLS'
    return [{ ...finding, result: 'deviates', why }]
  }
  return [{ ...finding, result: 'met', why: 'the mail server answers, over TLS or on this machine' }]
}
