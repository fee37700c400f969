import { type Finding, findingsOf, loadSettings } from '../config/index.ts'
import { type Command, configOption, jsonOption, refuseMore, textOf } from './command.ts'

const marks = { met: '✓', deviates: '!', 'not applicable': '–' } as const

export const doctor: Command = {
  about: [
    'Checks the effective settings against the requirements of ASVS 5.0, NIST SP 800-63B-4 and RFC 9700 for recovery, sign-in and tokens: met, deviates (with the reason), or not applicable.',
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
    const findings = findingsOf(loaded.check('development'))
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
