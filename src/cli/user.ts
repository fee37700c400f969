import { isoTime } from '../base/index.ts'
import { listPeople, type Person, personStatuses } from '../directory/index.ts'
import type { Core } from '../engine/index.ts'
import { eraseUser } from '../people/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  configOption,
  confirm,
  dataOption,
  jsonOption,
  numberOf,
  onlyArgument,
  refuseMore,
  textOf,
  UsageError,
  yesOption,
} from './command.ts'
import { columns } from './terminal.ts'
import { withCore } from './with-core.ts'

/** The options of every command about users. */
export const common = { ...configOption, ...dataOption, ...jsonOption } as const
/** What every command about users says of where it works. */
export const where =
  'Works on the configured database, or on that of rekey dev in this folder; the engine may be running.'
const passwordHelp = 'The password is typed at a prompt or read from standard input; it must meet the policy.'

export const userAdd: Command = {
  takes: 'LOGIN',
  about: [`Adds a user. ${passwordHelp}`, where],
  options: {
    email: { type: 'string', value: 'ADDRESS', description: 'the primary email; default: the login' },
    'first-name': { type: 'string', value: 'NAME', description: 'the given name' },
    'last-name': { type: 'string', value: 'NAME', description: 'the family name' },
    status: { type: 'string', value: 'STATUS', description: 'default: ACTIVE' },
    'no-password': { type: 'boolean', description: 'set no password; the user can set one by recovery' },
    ...common,
  },
  examples: [
    ['rekey user add ada@example.com', 'ask for the password'],
    ['pass show ada | rekey user add ada --email ada@example.com', 'read the password from another program'],
    [
      'rekey user add ada@example.com --no-password',
      'let the user set a password through “Forgot your password?”',
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
      printUser(call, await people.add({ profile, password, ...(status && { status }) }), 'added')
    })
  },
}

export const userList: Command = {
  about: ['Lists users in the order of their ids.', where],
  options: {
    limit: { type: 'string', value: 'N', description: 'the largest number of users; default: 100' },
    after: { type: 'string', value: 'ID', description: 'continue after this user' },
    ...common,
  },
  examples: [
    ['rekey user list', 'the first hundred'],
    ["rekey user list --json | jq -r '.[].profile.email'", 'their email addresses'],
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
    'Removes a user with all credentials. Sessions and open transactions of the user end; the system log is not changed.',
    where,
  ],
  options: { ...yesOption, ...common },
  examples: [
    ['rekey user remove ada@example.com', 'ask for confirmation'],
    ['rekey user remove ada@example.com --yes', 'remove without asking, as in a script'],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    refuseMore(call, 1)
    await withCore(call, async (core) => {
      const person = await getPerson(core, name)
      const question = `remove ${person.profile.login} (${person.id})`
      await confirm(call, question, { otherwise: 'no user was removed' })
      await core.people.remove(person.id)
      printUser(call, person, 'removed')
    })
  },
}

export const userErase: Command = {
  takes: 'LOGIN|ID',
  about: [
    'Removes a user, if that was not done before, and erases what is stored about the user: sessions, tokens, transactions, mails and counters are deleted. In the system log a pseudonym takes the place of id and names, and addresses and browsers are removed. May be run again.',
    'Exported files, backups, the lines that the engine has printed and mails that were delivered are not reached.',
    where,
  ],
  options: { ...yesOption, ...common },
  examples: [
    ['rekey user erase ada@example.com', 'ask for confirmation'],
    ['rekey user erase 00uAbCdEfGhIjKlMnOpQ --yes', 'a user who was removed before'],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    refuseMore(call, 1)
    const { terminal, options } = call
    await withCore(call, async ({ storage, clock, random, people }) => {
      await confirm(call, `erase ${name} for good`, { otherwise: 'no user was erased' })
      const erased = await eraseUser({ storage, clock, random, people }, name)
      if (erased === undefined) throw notFound(name)
      const { id, pseudonym, events } = erased
      if (options.json) terminal.print(JSON.stringify(erased, null, 2))
      else terminal.print(`erased ${name} (${id}): ${events} events, now of ${pseudonym}`)
    })
  },
}

export const userSetPassword: Command = {
  takes: 'LOGIN|ID',
  about: [
    `Sets a new password for a user. ${passwordHelp} All sessions of the user end, and open codes and links become invalid.`,
    where,
  ],
  options: common,
  examples: [
    ['rekey user set-password ada@example.com', 'ask for the password twice'],
    [
      'openssl rand -base64 18 | tee /dev/tty | rekey user set-password ada@example.com',
      'set a random password',
    ],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    refuseMore(call, 1)
    await withCore(call, async (core) => {
      const { id } = await getPerson(core, name)
      const changed = await core.people.change(id, { password: await readPassword(call) })
      if (changed === undefined) throw notFound(name)
      printUser(call, changed, 'new password for')
    })
  },
}

export const userActivate: Command = {
  takes: 'LOGIN|ID',
  about: [
    'Lets a user who is STAGED, PROVISIONED or DEPROVISIONED complete the account: prints a token, once, with which an app begins what the enrolment policy requires. It is good for seven days and one activation; earlier ones become invalid. A user who has a password is active at once.',
    'No mail leaves, and the token proves no mailbox: each holder of it can complete the account. The management API mails it instead.',
    where,
  ],
  options: common,
  examples: [
    ['rekey user activate ada@example.com', 'the token, for idx.register({ activationToken })'],
    ['rekey user activate ada@example.com --json | jq -r .activationToken', 'the token alone'],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    refuseMore(call, 1)
    const { terminal, options } = call
    await withCore(call, async (core) => {
      const { id, status: before } = await getPerson(core, name)
      if (!['STAGED', 'PROVISIONED', 'DEPROVISIONED'].includes(before)) {
        throw new CommandError(
          `${name} is ${before}: only a STAGED, PROVISIONED or DEPROVISIONED user is activated`,
        )
      }
      const activated = await core.people.activate(id)
      if (activated === undefined) throw notFound(name)
      const { person, token } = activated
      const { recoveryPage, activationPage: page = recoveryPage } = core.config.management
      const link = token === undefined ? undefined : page?.replaceAll('{token}', token)
      if (options.json) {
        const shown = {
          ...shapeOf(person),
          ...(token !== undefined && { activationToken: token }),
          ...(link !== undefined && { activationUrl: link }),
        }
        return terminal.print(JSON.stringify(shown, null, 2))
      }
      if (token === undefined) return printUser(call, person, 'active with the present password:')
      terminal.note(
        `${person.profile.login} (${person.id}) completes the account with this ${link ? 'link' : 'token'}, within seven days:`,
      )
      terminal.print(link ?? token)
    })
  },
}

/** Reads a password from a prompt, else from standard input. Never from an argument: other processes could read it. */
async function readPassword({ terminal }: Call): Promise<string> {
  if (!terminal.isInteractive) {
    // Programs end their output with a line break, which is not part of the password.
    const password = (await terminal.readInput()).replace(/\r?\n$/, '')
    if (password !== '') return password
    throw new CommandError('there is no password on standard input')
  }
  const password = await terminal.askSecret('password: ')
  if (password === '') throw new CommandError('the password must not be empty')
  if ((await terminal.askSecret('once more: ')) !== password)
    throw new CommandError('the two passwords differ')
  return password
}

function statusOf(call: Call) {
  const text = textOf(call, 'status')
  const status = personStatuses.find((candidate) => candidate === text?.toUpperCase())
  if (text !== undefined && status === undefined) {
    throw new UsageError(`--status must be one of ${personStatuses.join(', ')}`)
  }
  return status
}

/** The user of a login or id. Throws where there is none. */
export async function getPerson({ people }: Core, name: string): Promise<Person> {
  const person = await people.find(name)
  if (person === undefined) throw notFound(name)
  return person
}

const notFound = (name: string) => new CommandError(`there is no user "${name}"; see: rekey user list`)

function printUser({ terminal, options }: Call, person: Person, done: string): void {
  if (options.json) terminal.print(JSON.stringify(shapeOf(person), null, 2))
  else terminal.print(`${done} ${person.profile.login} (${person.id})`)
}

function printTable({ terminal }: Call, people: readonly Person[]): void {
  if (people.length === 0) {
    terminal.note('there are no users yet: rekey user add LOGIN')
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

/** Renders a user in the shape of Okta's Users API. */
export const shapeOf = ({
  id,
  status,
  profile,
  createdAt,
  updatedAt,
  passwordChangedAt,
  lastLoginAt,
}: Person) => ({
  id,
  status,
  created: isoTime(createdAt),
  lastLogin: lastLoginAt === null ? null : isoTime(lastLoginAt),
  lastUpdated: isoTime(updatedAt),
  passwordChanged: passwordChangedAt === null ? null : isoTime(passwordChangedAt),
  profile,
})
