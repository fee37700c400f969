import { record } from '../audit/index.ts'
import { isoTime } from '../base/index.ts'
import {
  listMails,
  listSuppressions,
  type MailStatus,
  mailStatuses,
  type NotRetried,
  removeSuppression,
  retryMail,
  type StoredMail,
  type Suppression,
} from '../delivery/index.ts'
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
import { columns, visible } from './terminal.ts'
import { withCore } from './with-core.ts'

const common = { ...configOption, ...dataOption, ...jsonOption } as const
const limitOption = {
  limit: { type: 'string', value: 'N', description: 'the largest number of lines; default: 50' },
} as const
const content = 'Never prints what a mail says: no code, no link, no address of a page.'

/** The statuses as they are typed and printed: a queued mail waits. */
const statusNames = {
  waiting: 'queued',
  sent: 'sent',
  dead: 'dead',
  expired: 'expired',
  dropped: 'dropped',
} as const
const nameOf = (status: MailStatus): string => (status === 'queued' ? 'waiting' : status)

export const mailList: Command = {
  about: [
    'Lists the mails, texts and calls that wait and those that were refused for good (dead), newest first, with the reason of the last attempt. Closed ones stay for a day.',
    'A mail without a recipient is one for an unknown user: it takes the place of a real one and is not sent (dropped).',
    content,
  ],
  options: {
    status: {
      type: 'string',
      value: 'STATUS',
      description: `${Object.keys(statusNames).join(', ')} or all; default: waiting and dead`,
    },
    ...limitOption,
    ...common,
  },
  examples: [
    ['rekey mail list', 'what has not been delivered, and why'],
    ['rekey mail list --status dead --json', 'for a program'],
  ],
  async run(call) {
    refuseMore(call, 0)
    const statuses = statusesOf(textOf(call, 'status'))
    const limit = numberOf(call, 'limit', { min: 1, max: 100_000 }) ?? 50
    await withCore(call, async ({ storage }) => {
      const mails = await listMails(storage.db, { statuses, limit })
      if (call.options.json)
        return printJson(
          call,
          mails.map((mail) => shapeOf(mail)),
        )
      if (mails.length === 0) return call.terminal.note('there is no such mail')
      const rows = mails.map((mail) => [
        mail.id,
        nameOf(mail.status),
        mail.channel,
        mail.template,
        recipientOf(mail),
        String(mail.attempts),
        isoTime(mail.createdAt).slice(0, 19).replace('T', ' '),
        mail.error ?? '-',
      ])
      const head = ['id', 'status', 'channel', 'template', 'to', 'tries', 'queued', 'reason']
      for (const line of columns([head, ...rows])) call.terminal.print(line)
    })
  },
}

export const mailShow: Command = {
  takes: 'ID',
  about: [
    'Prints one mail: to whom, since when, how often it was tried, when next, and the last reason.',
    content,
  ],
  options: common,
  examples: [['rekey mail show mai0123456789abcdefg', 'one mail that rekey mail list names']],
  async run(call) {
    const id = onlyArgument(call, 'the id')
    refuseMore(call, 1)
    await withCore(call, async ({ storage }) => {
      const [mail] = await listMails(storage.db, { statuses: mailStatuses, ids: [id], limit: 1 })
      if (mail === undefined) throw noMail(id)
      const shape = shapeOf(mail)
      if (call.options.json) return printJson(call, shape)
      const rows = Object.entries(shape).map(([name, value]) => [name, String(value ?? '-')])
      for (const line of columns(rows)) call.terminal.print(line)
    })
  },
}

const refusals: Readonly<Record<NotRetried, (mail: StoredMail) => string>> = {
  sent: () => 'was accepted by the mail server',
  expired: ({ endsAt }) => `is out of date: its code or link was valid until ${isoTime(endsAt)}`,
  'no recipient': () => 'has no recipient: it is for an unknown user',
  'in hand': () => 'is being sent at this moment',
  'content gone': () => 'has no content any more',
}

export const mailRetry: Command = {
  takes: '[ID…]',
  about: [
    'Makes mails due at once, dead ones too: an engine that runs on the database sends them within seconds. The suppression of their addresses ends.',
    'Refused, with the reason: a mail that was sent, and one whose code or link is not good any more; the user asks for another one.',
  ],
  options: {
    'all-dead': { type: 'boolean', description: 'every dead mail that is still of use' },
    ...common,
  },
  examples: [
    ['rekey mail retry mai0123456789abcdefg', 'try one mail again'],
    ['rekey mail retry --all-dead', 'once the mail server works again'],
  ],
  async run(call) {
    const { args, options, terminal } = call
    const all = options['all-dead'] === true
    if (all === args.length > 0) throw new UsageError('name mails by their ids, or give --all-dead')
    await withCore(call, async ({ storage, clock }) => {
      const limit = 100_000
      const mails = await listMails(
        storage.db,
        all ? { statuses: ['dead'], limit } : { statuses: mailStatuses, ids: args, limit },
      )
      const missing = args.find((id) => !mails.some((mail) => mail.id === id))
      // Before anything is changed: all of them or none.
      if (missing !== undefined) throw noMail(missing)
      const results: { readonly id: string; readonly retried: boolean; readonly reason: string | null }[] = []
      for (const mail of mails) {
        const not = await storage.transaction((tx) => retryMail(tx, mail, clock.now()))
        results.push({ id: mail.id, retried: not === undefined, reason: not ? refusals[not](mail) : null })
      }
      if (options.json) printJson(call, results)
      for (const { id, retried, reason } of options.json ? [] : results) {
        if (retried) terminal.print(`${id} is due now`)
        else terminal.note(`rekey: ${id} ${reason}`)
      }
      if (all && results.length === 0) terminal.note('there is no dead mail')
      const failed = results.filter(({ retried }) => !retried).length
      if (!all && failed > 0) throw new CommandError(`${failed} of ${results.length} not retried`)
    })
  },
}

export const mailSuppressions: Command = {
  about: [
    'Lists the addresses that get no mail for a while, newest first: the mail server has refused them for good (5.1.x). What the server answered stands beside them.',
    'A suppression ends by itself (mail.suppression), with a new email of the user, or by rekey mail suppressions remove.',
  ],
  options: { ...limitOption, ...common },
  examples: [['rekey mail suppressions list', 'who cannot be reached']],
  async run(call) {
    refuseMore(call, 0)
    const limit = numberOf(call, 'limit', { min: 1, max: 100_000 }) ?? 50
    await withCore(call, async ({ storage, clock }) => {
      const found = await listSuppressions(storage.db, { now: clock.now(), limit })
      if (call.options.json) return printJson(call, found.map(suppressionShape))
      if (found.length === 0) return call.terminal.note('no address is suppressed')
      const rows = found.map(suppressionShape).map(({ address, until, reason }) => [address, until, reason])
      for (const line of columns([['address', 'until', 'reason'], ...rows])) call.terminal.print(line)
    })
  },
}

export const mailSuppressionsRemove: Command = {
  takes: 'ADDRESS',
  about: ['Lets mails go to an address again, at once.'],
  options: common,
  examples: [['rekey mail suppressions remove ada@example.com', 'after the mailbox was made']],
  async run(call) {
    const address = onlyArgument(call, 'the address')
    refuseMore(call, 1)
    await withCore(call, async ({ storage, random, clock }) => {
      const removed = await storage.transaction(async (tx) => {
        if (!(await removeSuppression(tx, address))) return false
        const event = {
          eventType: 'system.email.bounce.removal',
          displayMessage: 'Email address removed from the suppressed ones',
          outcome: { result: 'SUCCESS' },
          actor: { id: 'cli', type: 'SystemPrincipal' },
          debugData: { address },
        } as const
        await record(tx, event, { random, now: clock.now() })
        return true
      })
      if (!removed) throw new CommandError(`${address} is not suppressed; see: rekey mail suppressions list`)
      call.terminal.print(call.options.json ? JSON.stringify({ address, removed }) : `removed ${address}`)
    })
  },
}

function statusesOf(text: string | undefined): readonly MailStatus[] {
  if (text === undefined) return ['queued', 'dead']
  if (text === 'all') return mailStatuses
  const found = Object.entries(statusNames).find(([name]) => name === text)?.[1]
  if (found === undefined)
    throw new UsageError(`--status must be one of ${Object.keys(statusNames).join(', ')}, all`)
  return [found]
}

const noMail = (id: string): CommandError =>
  new CommandError(`there is no mail "${id}"; see: rekey mail list --status all`)

const recipientOf = ({ recipient }: StoredMail): string => recipient ?? '(unknown user)'

const shapeOf = (mail: StoredMail) => ({
  id: mail.id,
  channel: mail.channel,
  status: nameOf(mail.status),
  template: mail.template,
  to: mail.recipient,
  user: mail.personId,
  transaction: mail.transactionId,
  attempts: mail.attempts,
  queued: isoTime(mail.createdAt),
  next: mail.status === 'queued' && !mail.inHand ? isoTime(mail.nextAt) : null,
  inHand: mail.inHand,
  ends: isoTime(mail.endsAt),
  closed: mail.doneAt === null ? null : isoTime(mail.doneAt),
  reason: mail.error,
})

const suppressionShape = ({ address, personId, reason, createdAt, expiresAt }: Suppression) => ({
  address,
  user: personId,
  since: isoTime(createdAt),
  until: isoTime(expiresAt),
  reason,
})

/** JSON leaves marks of direction and some control characters as they are; an escape says the same. */
const printJson = ({ terminal }: Call, value: unknown): void =>
  terminal.print(JSON.stringify(value, null, 2).split('\n').map(visible).join('\n'))
