import { type EffectiveSetting, effectiveSettings, loadSettings } from '../config/index.ts'
import { noteUnsafe, serveConfig } from './checks.ts'
import { type Command, CommandError, configOption, jsonOption, refuseMore, textOf } from './command.ts'
import { classicOf } from './doctor-classic.ts'
import { askDatabase } from './doctor-database.ts'
import { columns } from './terminal.ts'

export const config: Command = {
  about: [
    'Prints the effective settings of rekey serve, each with its source: a file, a variable or the default. Secrets are masked.',
    'With --check it prints every setting that production would refuse, and exits with 1 if there is one; with a database that answers also whether REKEY_SECRET is its secret, and whether this version can run on its schema.',
  ],
  options: {
    check: { type: 'boolean', description: 'apply the checks of rekey serve' },
    ...configOption,
    ...jsonOption,
  },
  examples: [
    ['rekey config', 'print a table: option, source, value'],
    ['rekey config --check && systemctl restart rekey', 'restart only with a valid configuration'],
    [
      'rekey config --json | jq \'.[] | select(.source != "default")\'',
      'print only the settings that are set, with their sources',
    ],
  ],

  async run(call) {
    refuseMore(call, 0)
    const { terminal, options } = call
    const loaded = await loadSettings({
      folder: terminal.folder,
      env: terminal.env,
      file: textOf(call, 'config'),
      defaults: { 'http.host': '0.0.0.0' },
    })
    for (const warning of loaded.warnings) terminal.note(`rekey: ${warning}`)
    // First: it reports what the check of the other modes reports, and more.
    const served = options.check ? await serveConfig(loaded, terminal.folder) : undefined
    const settings = effectiveSettings(loaded.check('development'), loaded.sourceOf).filter(
      // Not a setting that an administrator makes: each command sets its own mode.
      ({ option }) => option !== 'mode',
    )
    if (served !== undefined) {
      const { findings, refusals } = await askDatabase(call, served, { isBrief: true })
      if (refusals.length > 0) throw new CommandError(refusals.join('; '))
      for (const { result, why } of [...findings, classicOf(served)])
        if (result === 'deviates') terminal.note(`rekey: ${why}`)
    }
    if (options.json) terminal.print(JSON.stringify(settings, null, 2))
    else
      for (const line of columns([['option', 'source', 'value'], ...settings.map(rowOf)]))
        terminal.print(line)
    if (!options.check) await noteUnsafe(loaded, terminal)
  },
}

const rowOf = ({ option, value, source }: EffectiveSetting): readonly string[] => [
  option,
  source,
  textOfValue(value),
]

function textOfValue(value: unknown): string {
  if (!Array.isArray(value)) return typeof value === 'string' ? value : JSON.stringify(value)
  if (value.length === 0) return 'none'
  return value.every((item) => typeof item === 'string') ? value.join(', ') : value.map(nameOf).join(', ')
}

/** Clients and users are shown by name only; `--json` prints them in full. */
const nameOf = (item: { readonly id?: string; readonly login?: string }): string =>
  item.id ?? item.login ?? '…'
