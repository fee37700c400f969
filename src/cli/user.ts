import { isoTime } from '../base/index.ts'
import { listPeople, type Person, personStatuses } from '../directory/index.ts'
import type { Core } from '../engine/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  numberOf,
  onlyArgument,
  refuseMore,
  textOf,
  UsageError,
} from './command.ts'
import { columns } from './terminal.ts'
import { withCore } from './with-core.ts'

const common = { ...configOption, ...dataOption, ...jsonOption } as const
const where =
  'Works on the database that is configured, or on that of rekey dev in this folder; the engine may run meanwhile.'
const passwordWords = 'The password is asked for, or read from standard input; it must meet the policy.'

export const userAdd: Command = {
  takes: 'LOGIN',
  about: [`Adds a person. ${passwordWords}`, where],
  options: {
    email: { type: 'string', value: 'ADDRESS', words: 'her primary email, the login otherwise' },
    'first-name': { type: 'string', value: 'NAME', words: 'her given name' },
    'last-name': { type: 'string', value: 'NAME', words: 'her family name' },
    status: { type: 'string', value: 'STATUS', words: 'ACTIVE otherwise' },
    'no-password': { type: 'boolean', words: 'give her none; she can set one by recovery' },
    ...common,
  },
  examples: [
    ['rekey user add ada@example.com', 'asks for the password'],
    ['pass show ada | rekey user add ada --email ada@example.com', 'takes it from another program'],
    [
      'rekey user add ada@example.com --no-password',
      'she chooses one herself, through “Forgot your password?”',
    ],
  ],
  async run(call) {
    const login = onlyArgument(call, 'the login')
    refuseMore(call, 1)
    const status = statusOf(call)
    const names = { firstName: textOf(call, 'first-name'), lastName: textOf(call, 'last-name') }
    const profile = {
      login,
      email: textOf(call, 'email') ?? login,
      ...(names.firstName !== undefined && { firstName: names.firstName }),
      ...(names.lastName !== undefined && { lastName: names.lastName }),
    }
    await withCore(call, async ({ people }) => {
      const password = call.options['no-password'] === true ? undefined : await readPassword(call)
      tell(call, await people.add({ profile, password, ...(status && { status }) }), 'added')
    })
  },
}

export const userList: Command = {
  about: ['Lists people in the order of their ids.', where],
  options: {
    limit: { type: 'string', value: 'N', words: 'so many at most, 100 otherwise' },
    after: { type: 'string', value: 'ID', words: 'go on after this one' },
    ...common,
  },
  examples: [
    ['rekey user list', 'the first hundred'],
    ["rekey user list --json | jq -r '.[].profile.email'", 'their addresses'],
  ],
  async run(call) {
    refuseMore(call, 0)
    const { terminal, options } = call
    const limit = numberOf(call, 'limit', { min: 1, max: 100_000 }) ?? 100
    const after = textOf(call, 'after')
    await withCore(call, async ({ storage }) => {
      const found = await listPeople(storage.db, { limit: limit + 1, ...(after !== undefined && { after }) })
      const people = found.slice(0, limit)
      const last = people.at(-1)
      if (options.json) terminal.print(JSON.stringify(people.map(shapeOf), null, 2))
      else printTable(call, people)
      if (found.length > limit && last) terminal.note(`there are more: rekey user list --after ${last.id}`)
    })
  },
}

export const userRemove: Command = {
  takes: 'LOGIN|ID',
  about: [
    'Removes a person with her credentials. Her sessions end, and so do her open recoveries; the system log keeps what happened.',
    where,
  ],
  options: { yes: { type: 'boolean', words: 'do not ask' }, ...common },
  examples: [['rekey user remove ada@example.com', 'asks first, where somebody can answer']],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    refuseMore(call, 1)
    await withCore(call, async (core) => {
      const person = await getPerson(core, name)
      const isAsked = call.terminal.isInteractive && call.options.yes !== true
      if (isAsked && !(await isSure(call, person))) throw new CommandError('nobody was removed')
      await core.people.remove(person.id)
      tell(call, person, 'removed')
    })
  },
}

export const userSetPassword: Command = {
  takes: 'LOGIN|ID',
  about: [
    `Gives a person a new password. ${passwordWords} All her sessions end, and so do codes and links that are under way.`,
    where,
  ],
  options: common,
  examples: [
    ['rekey user set-password ada@example.com', 'asks for it, twice'],
    ['openssl rand -base64 18 | tee /dev/tty | rekey user set-password ada@example.com', 'a random one'],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    refuseMore(call, 1)
    await withCore(call, async (core) => {
      const { id } = await getPerson(core, name)
      const changed = await core.people.change(id, { password: await readPassword(call) })
      if (changed === undefined) throw nobody(name)
      tell(call, changed, 'new password for')
    })
  },
}

/** A password, from whoever can be asked for it, else from standard input. Never from an argument. */
async function readPassword({ terminal }: Call): Promise<string> {
  if (!terminal.isInteractive) {
    // Programs end what they write with a new line; a password does not.
    const password = (await terminal.readInput()).replace(/\r?\n$/, '')
    if (password !== '') return password
    throw new CommandError('there is no password on standard input')
  }
  const password = await terminal.askSecret('password: ')
  if (password === '') throw new CommandError('an empty password is none')
  if ((await terminal.askSecret('once more: ')) !== password)
    throw new CommandError('these were two different ones')
  return password
}

async function isSure({ terminal }: Call, person: Person): Promise<boolean> {
  const answer = await terminal.ask(`remove ${person.profile.login} (${person.id})? [y/N] `)
  return /^y(es)?$/i.test(answer.trim())
}

function statusOf(call: Call) {
  const text = textOf(call, 'status')
  const status = personStatuses.find((candidate) => candidate === text?.toUpperCase())
  if (text !== undefined && status === undefined) {
    throw new UsageError(`--status must be one of ${personStatuses.join(', ')}`)
  }
  return status
}

async function getPerson({ people }: Core, name: string): Promise<Person> {
  const person = await people.find(name)
  if (person === undefined) throw nobody(name)
  return person
}

const nobody = (name: string) => new CommandError(`nobody is called "${name}"; see: rekey user list`)

function tell({ terminal, options }: Call, person: Person, done: string): void {
  if (options.json) terminal.print(JSON.stringify(shapeOf(person), null, 2))
  else terminal.print(`${done} ${person.profile.login} (${person.id})`)
}

function printTable({ terminal }: Call, people: readonly Person[]): void {
  if (people.length === 0) {
    terminal.note('there is nobody yet: rekey user add LOGIN')
    return
  }
  const rows = people.map(({ id, status, profile, lastLoginAt }) => [
    profile.login,
    profile.email,
    status,
    lastLoginAt === null ? 'never' : isoTime(lastLoginAt).slice(0, 16).replace('T', ' '),
    id,
  ])
  for (const line of columns([['login', 'email', 'status', 'last sign-in', 'id'], ...rows]))
    terminal.print(line)
}

/** As Okta's Users API shows a person. */
const shapeOf = ({ id, status, profile, createdAt, updatedAt, passwordChangedAt, lastLoginAt }: Person) => ({
  id,
  status,
  created: isoTime(createdAt),
  lastLogin: lastLoginAt === null ? null : isoTime(lastLoginAt),
  lastUpdated: isoTime(updatedAt),
  passwordChanged: passwordChangedAt === null ? null : isoTime(passwordChangedAt),
  profile,
})
