import { parseTime } from '../base/index.ts'
import { type TransactionSummary, timelineOf, transactionsOf } from '../flow/index.ts'
import { renderTimeline } from '../management/index.ts'
import {
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  numberOf,
  refuseMore,
} from './command.ts'
import { columns } from './terminal.ts'
import { withCore } from './with-core.ts'

export const trace: Command = {
  takes: '[ID]',
  about: [
    'Prints one transaction, a sign-in or a recovery, as a timeline: its user, its events with their times, and why it ended. It contains no secrets.',
    'The id (trs…) appears in the system log and in the control API. Without an id the latest transactions are listed.',
  ],
  options: {
    limit: { type: 'string', value: 'N', description: 'the largest number of transactions; default: 20' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['rekey trace', 'list the latest transactions, newest first'],
    ['rekey trace trs0123456789abcdefg', 'print one transaction as a timeline'],
  ],

  async run(call) {
    refuseMore(call, 1)
    const { terminal, options, args } = call
    const [id] = args
    const limit = numberOf(call, 'limit', { min: 1, max: 10_000 }) ?? 20
    await withCore(call, async ({ storage, clock }) => {
      if (id === undefined) {
        const latest = await transactionsOf(storage.db, limit)
        if (options.json) return terminal.print(JSON.stringify(latest, null, 2))
        if (latest.length === 0) return terminal.note('there are no transactions yet')
        for (const line of columns(latest.map((one) => rowOf(one, clock.now())))) terminal.print(line)
        return
      }
      const timeline = await timelineOf(storage.db, id, clock.now())
      if (timeline === undefined) throw new CommandError(`there is no transaction "${id}"; see: rekey trace`)
      if (options.json) terminal.print(JSON.stringify(timeline, null, 2))
      else terminal.print(renderTimeline(timeline).trimEnd())
    })
  },
}

const rowOf = (one: TransactionSummary, now: number): readonly string[] => [
  one.updatedAt.slice(0, 19).replace('T', ' '),
  one.id,
  one.intent,
  one.identifier ?? '(not identified yet)',
  endOf(one, now),
]

/** The end of a transaction: how or when it was closed, expired or will expire. */
function endOf({ closed, expiresAt }: TransactionSummary, now: number): string {
  if (closed !== null) return closed
  return (parseTime(expiresAt) ?? 0) <= now ? 'expired' : `open until ${expiresAt.slice(11, 19)}`
}
