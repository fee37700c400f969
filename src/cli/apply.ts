import { ConfigError } from '../base/index.ts'
import { type AppliedPlan, applyPlan, type Change, type Plan, planOf } from '../management/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  confirm,
  DifferenceError,
  jsonOption,
  onlyArgument,
  refuseMore,
  textOf,
  yesOption,
} from './command.ts'
import { type ResourceFile, readResourceFile } from './resource-file.ts'
import { onSystem, type System, systemOptions } from './system.ts'
import type { Terminal } from './terminal.ts'

export const apply: Command = {
  takes: 'FILE',
  about: [
    'Applies the "resources" of FILE (YAML or JSON; rekey.config.yaml works too) to a running system: groups, policies, apps, trusted origins, users. Prints what it would create, change and remove, and asks for confirmation. Secrets are masked.',
    'Everything is validated before anything is changed, and on a database all changes are one transaction. A second run changes nothing. Resources that FILE does not name stay, unless --prune is given: then they are removed from the lists that FILE has. Users are never removed.',
    'The exit code is 0 on success or when there is nothing to change, 1 on failure, and 2 with --check when something would change.',
  ],
  options: {
    ...yesOption,
    check: { type: 'boolean', description: 'change nothing; exit with 2 if something would change' },
    prune: { type: 'boolean', description: 'remove what the lists in FILE do not name' },
    ...systemOptions,
    ...jsonOption,
  },
  examples: [
    ['rekey apply rekey.config.yaml', 'show what would change, and ask'],
    ['rekey apply resources.yaml --check', 'in a pipeline: detect changes made by hand'],
    ['rekey apply resources.yaml --prune --yes', 'keep only what the file names'],
    [
      'rekey apply resources.yaml --url https://id.example.com',
      'apply over HTTP, with the token in REKEY_API_TOKEN',
    ],
  ],
  async run(call) {
    const { terminal, options } = call
    const named = onlyArgument(call, 'the file')
    refuseMore(call, 1)
    const file = await readResourceFile(terminal.folder, named)
    const prune = options.prune === true
    await onSystem(call, async (system) => {
      const plan = await checkedPlan(file, system, prune)
      const print = options.json ? () => {} : (line: string) => terminal.print(line)
      for (const line of linesOf(plan, terminal, named)) print(line)
      const isNothing = plan.changes.length === 0
      const applies = !isNothing && options.check !== true
      if (applies) await confirmChanges(call)
      const done = applies ? await applyChecked(file, system, plan, prune) : undefined
      if (options.json) terminal.print(JSON.stringify(shapeOf(plan, done), null, 2))
      else if (done !== undefined) for (const line of linesAfter(plan, done)) print(line)
      if (!isNothing && options.check) throw new DifferenceError(`${file.name} and the system differ`)
    })
  },
}

async function checkedPlan(file: ResourceFile, { api }: Pick<System, 'api'>, prune: boolean): Promise<Plan> {
  const plan = await planOf(api, file.resources, { prune })
  const problems = [...file.problems, ...plan.problems].map(file.render)
  if (problems.length > 0) throw new ConfigError(problems.toSorted(byLine))
  return plan
}

const lineOf = (text: string): number => Number(/:(\d+):/.exec(text)?.[1] ?? 0)
const byLine = (a: string, b: string): number => lineOf(a) - lineOf(b)

/** Plans again inside the transaction, and applies only if that plan is the one that was shown. */
const applyChecked = (
  file: ResourceFile,
  system: System,
  shown: Plan,
  prune: boolean,
): Promise<AppliedPlan> =>
  system.change(async (api) => {
    const plan = await checkedPlan(file, { api }, prune)
    if (JSON.stringify(plan.changes) !== JSON.stringify(shown.changes)) {
      throw new CommandError('the system changed in the meantime: run the command again')
    }
    return applyPlan(api, plan)
  })

async function confirmChanges(call: Call): Promise<void> {
  const url = textOf(call, 'url')
  await confirm(call, `apply these changes${url === undefined ? '' : ` at ${url}`}`, {
    otherwise: 'nothing was changed',
    hint: 'add --yes, or --check to change nothing',
  })
}

const signs = { create: '+', change: '~', remove: '-' } as const
const colours = { create: 'green', change: 'yellow', remove: 'red' } as const

function linesOf({ changes, left, same }: Plan, terminal: Terminal, file: string): readonly string[] {
  const others = left.length === 0 ? [] : [`not in ${file}, left unchanged: ${shortened(left)}`]
  if (changes.length === 0) return [...others, `${allOf(same, file)}; nothing to change`]
  const count = (action: Change['action']) => changes.filter((change) => change.action === action).length
  return [
    ...changes.flatMap((change) => {
      const head = `${signs[change.action]} ${change.kind} ${change.name}`
      return [terminal.style(colours[change.action], oneLine(head)), ...membersOf(change)]
    }),
    '',
    ...others,
    `${count('create')} to create, ${count('change')} to change, ${count('remove')} to remove; ${counted(same)} as in ${file}`,
  ]
}

const allOf = (same: number, file: string): string => {
  if (same === 0) return `${file} has no resources`
  return same === 1 ? `the resource is as in ${file}` : `all ${same} resources are as in ${file}`
}

const counted = (same: number): string => (same === 1 ? '1 is' : `${same} are`)

const shortened = (left: Plan['left']): string =>
  oneLine(
    left
      .slice(0, 10)
      .map(({ kind, name }) => `${kind} ${name}`)
      .join(', '),
  ) + (left.length > 10 ? ` and ${left.length - 10} more` : '')

const membersOf = ({ action, members }: Change): readonly string[] =>
  members.map(({ path, before, after }) =>
    action === 'create'
      ? `    ${path}: ${textOfValue(after)}`
      : `    ${path}: ${textOfValue(before)} → ${textOfValue(after)}`,
  )

function textOfValue(value: unknown): string {
  const text = value === undefined ? 'not set' : (JSON.stringify(value) ?? '')
  return oneLine(text.length > 300 ? `${text.slice(0, 300)}…` : text)
}

/** Replaces control characters: names are user input, and must not send escape sequences to the terminal. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD')

function linesAfter({ changes }: Plan, { secrets }: AppliedPlan): readonly string[] {
  const shown = [...secrets].map(([id, secret]) => `the secret of ${id}, not shown again: ${secret}`)
  return [`done: ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`, ...shown]
}

const shapeOf = ({ changes, left, same }: Plan, done: AppliedPlan | undefined) => ({
  changes,
  left,
  same,
  applied: done !== undefined,
  ...(done !== undefined && done.secrets.size > 0 && { secrets: Object.fromEntries(done.secrets) }),
})
