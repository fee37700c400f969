import { isoTime } from '../base/index.ts'
import { addressProblem, type Person, type PersonStatus } from '../directory/index.ts'
import type { Core } from '../engine/index.ts'
import { mailActivation } from '../management/index.ts'
import { activationLifetimeMs } from '../people/index.ts'
import type { Tx } from '../storage/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  onlyArgument,
  refuseMore,
  textOf,
  UsageError,
} from './command.ts'
import { common, shapeOf, where } from './user.ts'
import { withCore } from './with-core.ts'

/** Who has not completed an account, and can be sent another link. Who was deactivated is activated again on purpose only. */
const invitable: readonly PersonStatus[] = ['STAGED', 'PROVISIONED']

export const invite: Command = {
  takes: 'EMAIL',
  about: [
    'Invites a user: makes one with this address, PROVISIONED and without a password, and mails the link by which the account is completed. The link is good for seven days and one activation, and proves the mailbox. What the account needs (a password, factors, the profile, terms) the policies say.',
    'Run again for a user who has not completed the account it mails another link, and earlier ones become invalid. A user who has completed it is not changed: the exit code is 1.',
    `The engine sends the mail: where none is running, as soon as one does. ${where}`,
  ],
  options: {
    'first-name': { type: 'string', value: 'NAME', description: 'the given name' },
    'last-name': { type: 'string', value: 'NAME', description: 'the family name' },
    url: {
      type: 'string',
      value: 'ADDRESS',
      description: 'the public address of the engine, which the link leads to; default: issuer',
    },
    ...common,
  },
  examples: [
    ['rekey invite ada@example.com --first-name Ada', 'make the user and mail the link'],
    ['rekey invite ada@example.com --url http://localhost:9000', 'to the data of rekey dev'],
    ['rekey invite ada@example.com --json | jq -r .invitation.expiresAt', 'until when the link is good'],
  ],
  async run(call) {
    const email = onlyArgument(call, 'the email')
    refuseMore(call, 1)
    const problem = addressProblem(email)
    if (problem !== undefined) throw new UsageError(`the email ${problem}`)
    const names = { firstName: textOf(call, 'first-name'), lastName: textOf(call, 'last-name') }
    await withCore(call, async (core) => {
      const mailed = mailing(core, addressOf(call, core))
      const found = await core.people.find(email)
      const person =
        found === undefined
          ? await core.people.add(
              {
                status: 'PROVISIONED',
                profile: {
                  ...{ login: email, email },
                  ...(names.firstName !== undefined && { firstName: names.firstName }),
                  ...(names.lastName !== undefined && { lastName: names.lastName }),
                },
              },
              { with: mailed },
            )
          : await again(core, found, mailed)
      print(call, person, { isNew: found === undefined, expiresAt: core.clock.now() + activationLifetimeMs })
    })
  },
}

type Mailing = (tx: Tx, person: Person, now: number) => Promise<void>

/** Queues the mail, in the database transaction of the user. */
const mailing = ({ random, secrets, config }: Core, baseUrl: string): Mailing => {
  const parts = {
    ...{ random, secrets, orgName: config.org.name },
    baseUrl: () => baseUrl,
  }
  return (tx, person, now) =>
    mailActivation({ parts, now, actor: { id: 'system', type: 'SystemPrincipal' } }, tx, person)
}

/** Another link for a user whose account is not complete. */
async function again({ people }: Core, { id, status, profile }: Person, mailed: Mailing): Promise<Person> {
  const refused = new CommandError(
    `${profile.login} is ${status}: only who has not completed the account is invited; see: rekey user list`,
  )
  if (!invitable.includes(status)) throw refused
  const changed = await people.change(
    id,
    { status: 'PROVISIONED' },
    { from: { statuses: invitable, refused }, with: mailed },
  )
  if (changed === undefined) throw new CommandError(`${profile.login} was removed a moment ago`)
  return changed
}

/** The public address of the engine. `rekey dev` has one of its own, which no setting names. */
function addressOf(call: Call, { config }: Core): string {
  const address = textOf(call, 'url') ?? config.issuer
  if (address === undefined) {
    throw new CommandError(
      'the address that the link leads to is not known: set issuer (REKEY_ISSUER), or name it with --url, as http://localhost:9000 of rekey dev',
    )
  }
  const { protocol } = URL.parse(address) ?? {}
  if (protocol !== 'http:' && protocol !== 'https:') throw new UsageError('--url must be an http(s) address')
  return address.replace(/\/+$/, '')
}

function print(
  { terminal, options }: Call,
  person: Person,
  { isNew, expiresAt }: { readonly isNew: boolean; readonly expiresAt: number },
): void {
  const { email, login } = person.profile
  const until = isoTime(expiresAt)
  if (options.json) {
    const invitation = { mailedTo: email, isNew, expiresAt: until }
    terminal.print(JSON.stringify({ ...shapeOf(person), invitation }, null, 2))
    return
  }
  const what = isNew ? 'invited' : 'invited again'
  terminal.print(
    `${what} ${login} (${person.id}): a mail to ${email} waits to be sent, its link is good until ${until}`,
  )
}
