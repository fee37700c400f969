import { existsSync } from 'node:fs'
import { ConfigError, createSecrets, systemClock } from '../base/index.ts'
import { type Config, type Finding, findingsOf, loadSettings } from '../config/index.ts'
import { appsWithoutAddress } from '../interactions/index.ts'
import { openStorage, recordedSecrets, refuseWrongSecret, usesOfSecret } from '../storage/index.ts'
import { type Call, type Command, configOption, jsonOption, refuseMore, textOf } from './command.ts'
import { operationOf } from './doctor-operation.ts'

const marks = { met: '✓', deviates: '!', 'not applicable': '–' } as const

export const doctor: Command = {
  about: [
    'Checks the effective settings against the requirements of ASVS 5.0, NIST SP 800-63B-4 and RFC 9700 for recovery, sign-in and tokens: met, deviates (with the reason), or not applicable.',
    'Checks this machine, too: the Node that runs this command, who can read the database file, and whether the time that the database has noted is ahead.',
    'With a database that answers, also lists the apps that have not vouched for any address of their users lately: all users of such an app count as one source.',
    'It also compares REKEY_SECRET with the database, shows what still needs a secret that was replaced, and fails if the secret is a wrong one.',
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
    const findings = [
      ...findingsOf(config),
      ...(await sourcesOf(call, config)),
      ...(await operationOf(config)),
      ...(await secretsOf(call, config)),
    ]
    if (options.json) return terminal.print(JSON.stringify(findings, null, 2))

    for (const { standard, id, asks, result, why } of findings) {
      const line = `${marks[result]} ${standard}, ${id}: ${asks}`
      terminal.print(result === 'deviates' ? terminal.style('yellow', line) : line)
      terminal.print(terminal.style('dim', `    ${why}`))
    }
    const count = (result: Finding['result']) =>
      findings.filter((finding) => finding.result === result).length
    terminal.print('')
    terminal.print(
      `${count('met')} met, ${count('deviates')} deviate, ${count('not applicable')} not applicable`,
    )
  },
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

/**
 * Whether the configured secrets are those of the database, and what of it still needs one that has been replaced. Throws
 * where they are not: such a node would not start.
 */
async function secretsOf({ terminal }: Call, config: Config): Promise<readonly Finding[]> {
  const { database } = config
  const path = /^sqlite:(.*)$/.exec(database.url)?.[1]
  if (config.secrets.length === 0 || database.url === 'memory') return []
  if (path !== undefined && !existsSync(path)) return []
  const secrets = createSecrets(config.secrets)
  const storage = await openStorage({ url: database.url, poolSize: 1 })
  try {
    await refuseWrongSecret(storage, secrets)
    const [current, ...replaced] = await recordedSecrets(storage)
    if (current === undefined) return []
    const needed: string[] = []
    for (const version of replaced) {
      const uses = await usesOfSecret(storage.db, version, systemClock.now())
      const counts = Object.entries(uses).filter(([, count]) => count > 0)
      if (counts.length > 0)
        needed.push(`${version}: ${counts.map(([kind, count]) => `${kind} ${count}`).join(', ')}`)
    }
    return [secretFinding({ current, replaced, needed, configured: secrets.versions })]
  } catch (error) {
    if (error instanceof ConfigError) throw error
    terminal.note(`rekey: the database could not be asked: ${error instanceof Error ? error.message : error}`)
    return []
  } finally {
    await storage.close()
  }
}

function secretFinding({
  current,
  replaced,
  needed,
  configured,
}: Readonly<Record<'replaced' | 'needed' | 'configured', readonly string[]>> & {
  readonly current: string
}): Finding {
  const finding = {
    id: 'REKEY_SECRET',
    standard: 'Operation',
    asks: 'what is stored can be read with the secrets',
  } as const
  const rest = configured.filter((version) => version !== current)
  if (needed.length > 0) {
    const lost = replaced.some(
      (version) => !configured.includes(version) && needed.some((one) => one.startsWith(`${version}:`)),
    )
    const advice = lost
      ? 'a secret that is needed is not configured any more: put it back behind the current one'
      : 'keep the old secret until they have expired or been used'
    return {
      ...finding,
      result: 'deviates',
      why: `${current} is the current secret; replaced ones are still needed by ${needed.join('; ')}: ${advice}`,
    }
  }
  const removable = rest.filter((version) => replaced.includes(version))
  const waiting = rest.filter((version) => !replaced.includes(version))
  const notes = [
    ...(removable.length > 0
      ? [`nothing needs ${removable.join(', ')} any more: remove it from REKEY_SECRET`]
      : []),
    ...(waiting.length > 0
      ? [`${waiting.join(', ')} is ready to become the first one once all nodes have it`]
      : []),
  ]
  return { ...finding, result: 'met', why: [`${current} is the current secret`, ...notes].join('; ') }
}
