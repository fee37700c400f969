import { type Config, type Finding, findingsOf, loadSettings } from '../config/index.ts'
import { parseDatabaseUrl } from '../storage/index.ts'
import { noteUnsafe } from './checks.ts'
import {
  type Call,
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  refuseMore,
  textOf,
} from './command.ts'
import { captchaOf } from './doctor-captcha.ts'
import { classicOf } from './doctor-classic.ts'
import { askDatabase, connectionOf } from './doctor-database.ts'
import { secretFilesOf } from './doctor-files.ts'
import { mailOf } from './doctor-mail.ts'
import { operationOf } from './doctor-operation.ts'
import { packagesOf } from './doctor-packages.ts'
import { signUpOf, withoutPasswordOf } from './doctor-sign-up.ts'
import { telephonyOf } from './doctor-telephony.ts'
import { devDataIfAny } from './with-core.ts'

const marks = { met: '✓', deviates: '!', 'not applicable': '–', 'not checked': '?' } as const

export const doctor: Command = {
  about: [
    'Checks the effective settings, and the policies and apps of a database that answers, against the requirements of ASVS 5.0, NIST SP 800-63B-4 and RFC 9700 for recovery, sign-in and tokens: met, deviates (with the reason), not applicable, or not checked.',
    'What no setting decides is not checked: the tests of the version hold it. Nor is what a database or a mail server decides that did not answer. In JSON "shownBy" names where a result is from: "settings", "system" (the database, the mail server, this machine) or "tests".',
    'Checks this machine, too: the Node that runs this command, who can read the database file, and whether the time that the database has noted is ahead.',
    'With a database that answers, also lists the apps that have not named the addresses of their users in the last day (all users of such an app count as one source), and the settings in which this configuration differs from that of the node that started last.',
    'It also compares REKEY_SECRET and the schema with the database, shows what still needs a secret that was replaced, and fails if the secret is a wrong one, or if this version cannot run on the schema.',
    'Where no database is configured it asks that of rekey dev in this folder, with the settings of a rekey.config file here. What rekey dev replaces in these (addresses, secrets, the mail server, its own user) is not part of them.',
    'Connects to the mail server as well, with TLS and credentials as the engine does, and to the service for texts and calls, and sends nothing; asks the provider of the captcha whether it knows the keys.',
    'A deviation is not a failure: the exit code is 0. docs/security.md explains the deviations of the defaults.',
  ],
  options: { ...configOption, ...dataOption, ...jsonOption },
  examples: [
    ['rekey doctor', 'print every requirement with its result'],
    ['rekey doctor --data .rekey', 'ask the database of rekey dev, whatever is configured'],
    ['rekey doctor --json | jq \'.[] | select(.result == "deviates")\'', 'print only the deviations'],
  ],

  async run(call) {
    refuseMore(call, 0)
    const { terminal, options } = call
    const { folder, env } = terminal
    const loaded = await loadSettings({
      folder,
      env,
      file: textOf(call, 'config'),
      defaults: { 'http.host': '0.0.0.0' },
    })
    for (const warning of loaded.warnings) terminal.note(`rekey: ${warning}`)
    const dev = await devDataIfAny(call, loaded)
    const config = loaded.check('development', (settings) =>
      dev === undefined
        ? settings
        : {
            ...settings,
            secrets: dev.secrets ?? [],
            database: { ...settings.database, ...dev.database },
          },
    )
    noteDatabase(call, config, dev?.folder)
    const database = await askDatabase(call, config)
    const mail = await mailOf(config)
    const all: readonly Finding[] = [
      ...findingsOf(config, { system: database.system, mailProblem: mail.problem }),
      ...connectionOf(config),
      ...operationOf(config),
      await packagesOf(),
      ...secretFilesOf(terminal, loaded, config),
      ...mail.findings,
      ...signUpOf(config, database.system?.policies.signUps),
      ...withoutPasswordOf(database.system?.policies),
      ...(await telephonyOf(config, { usesPhones: database.system?.policies.usesPhones === true })),
      ...(await captchaOf(config)),
      classicOf(config),
      ...database.findings,
    ]
    const findings = all.map((finding) => ({ ...finding, shownBy: finding.shownBy ?? 'system' }))
    if (options.json) terminal.print(JSON.stringify(findings, null, 2))
    else {
      await noteUnsafe(loaded, terminal)
      printFindings(terminal, findings)
    }
    if (database.refusals.length > 0) throw new CommandError(database.refusals.join('; '))
  },
}

/** Which database is asked, where that is not the configured one. */
function noteDatabase({ terminal }: Call, { database }: Config, dev: string | undefined): void {
  if (dev !== undefined) {
    terminal.note(`rekey: asks the database of rekey dev in ${dev}/ (a configured one: DATABASE_URL)`)
  } else if (parseDatabaseUrl(database.url).kind === 'memory') {
    terminal.note(
      'rekey: no database is configured here, so the settings alone are checked: set DATABASE_URL, or start rekey dev first',
    )
  }
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
    `${count('met')} met, ${count('deviates')} deviate, ${count('not applicable')} not applicable, ${count('not checked')} not checked`,
  )
}
