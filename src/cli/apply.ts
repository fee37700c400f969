import { ConfigError } from '../base/index.ts'
import { type AppliedPlan, applyPlan, type Change, type Plan, planOf } from '../management/index.ts'
import {
  type Command,
  CommandError,
  DifferenceError,
  jsonOption,
  onlyArgument,
  refuseMore,
  textOf,
} from './command.ts'
import { type ResourceFile, readResourceFile } from './resource-file.ts'
import { onSystem, type System, systemOptions } from './system.ts'
import type { Terminal } from './terminal.ts'

export const apply: Command = {
  takes: 'FILE',
  about: [
    'Brings a running system to what stands below "resources" in FILE (YAML or JSON; rekey.config.yaml will do): groups, policies, apps, trusted origins, people. Says first what it would create, change and remove, and asks. Secrets are masked.',
    'Everything is checked before anything is done, and on a database all of it is one transaction. A second run finds nothing to do. What FILE does not name stays, unless --prune is given; then it goes from those lists that FILE has. People are never removed.',
    'Ends with 0 when it is done or nothing is to do, with 1 when it is not, and with --check with 2 when something would change.',
  ],
  options: {
    yes: { type: 'boolean', words: 'do not ask' },
    check: { type: 'boolean', words: 'change nothing; end with 2 where something would change' },
    prune: { type: 'boolean', words: 'remove what the lists of FILE do not name' },
    ...systemOptions,
    ...jsonOption,
  },
  examples: [
    ['rekey apply rekey.config.yaml', 'shows what would change, and asks'],
    ['rekey apply resources.yaml --check', 'in a pipeline: has somebody changed something by hand?'],
    ['rekey apply resources.yaml --prune --yes', 'nothing but what the file names stays'],
    [
      'rekey apply resources.yaml --url https://id.example.com',
      'over HTTP, with the token in REKEY_API_TOKEN',
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
      const tell = options.json ? () => {} : (line: string) => terminal.print(line)
      for (const line of linesOf(plan, terminal, named)) tell(line)
      const isNothing = plan.changes.length === 0
      const carriesOut = !isNothing && options.check !== true
      if (carriesOut && options.yes !== true) await ask(terminal, textOf(call, 'url'))
      const done = carriesOut ? await carriedOut(file, system, plan, prune) : undefined
      if (options.json) terminal.print(JSON.stringify(shapeOf(plan, done), null, 2))
      else if (done !== undefined) for (const line of linesAfter(plan, done)) tell(line)
      if (!isNothing && options.check) throw new DifferenceError(`${file.name} and the system differ`)
    })
  },
}

async function checkedPlan(file: ResourceFile, { api }: Pick<System, 'api'>, prune: boolean): Promise<Plan> {
  const plan = await planOf(api, file.declared, { prune })
  const problems = [...file.problems, ...plan.problems].map(file.tell)
  if (problems.length > 0) throw new ConfigError(problems.toSorted(byLine))
  return plan
}

const lineOf = (text: string): number => Number(/:(\d+):/.exec(text)?.[1] ?? 0)
const byLine = (a: string, b: string): number => lineOf(a) - lineOf(b)

/** Plans once more inside of the transaction: nothing is done that was not shown. */
const carriedOut = (file: ResourceFile, system: System, shown: Plan, prune: boolean): Promise<AppliedPlan> =>
  system.change(async (api) => {
    const plan = await checkedPlan(file, { api }, prune)
    if (JSON.stringify(plan.changes) !== JSON.stringify(shown.changes)) {
      throw new CommandError('somebody else has just changed something: run this again')
    }
    return applyPlan(api, plan)
  })

async function ask(terminal: Terminal, url: string | undefined): Promise<void> {
  if (!terminal.isInteractive)
    throw new CommandError('nobody can be asked here: add --yes, or --check to only look')
  const where = url === undefined ? '' : ` at ${url}`
  const answer = await terminal.ask(`do this${where}? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('nothing was changed')
}

const signs = { create: '+', change: '~', remove: '-' } as const
const colours = { create: 'green', change: 'yellow', remove: 'red' } as const

function linesOf({ changes, left, same }: Plan, terminal: Terminal, file: string): readonly string[] {
  const others = left.length === 0 ? [] : [`not in ${file}, and left: ${shortened(left)}`]
  if (changes.length === 0) return [...others, `nothing to do: ${counted(same)} as in ${file}`]
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
  const text = value === undefined ? 'not said' : (JSON.stringify(value) ?? '')
  return oneLine(text.length > 300 ? `${text.slice(0, 300)}…` : text)
}

/** Names are somebody's input: no control character of theirs reaches the terminal. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD')

function linesAfter({ changes }: Plan, { secrets }: AppliedPlan): readonly string[] {
  const told = [...secrets].map(([id, secret]) => `the secret of ${id}, not shown again: ${secret}`)
  return [`done: ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`, ...told]
}

const shapeOf = ({ changes, left, same }: Plan, done: AppliedPlan | undefined) => ({
  changes,
  left,
  same,
  applied: done !== undefined,
  ...(done !== undefined && done.secrets.size > 0 && { secrets: Object.fromEntries(done.secrets) }),
})
