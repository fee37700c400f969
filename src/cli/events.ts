import { type LogEvent, listEvents } from '../audit/index.ts'
import {
  type Command,
  configOption,
  dataOption,
  jsonOption,
  numberOf,
  refuseMore,
  textOf,
} from './command.ts'
import { columns } from './terminal.ts'
import { withCore } from './with-core.ts'

export const events: Command = {
  about: ['Prints the system log, newest first, in the shape of Okta’s System Log with --json.'],
  options: {
    limit: { type: 'string', value: 'N', description: 'the largest number of events; default: 50' },
    type: {
      type: 'string',
      value: 'TYPE',
      description: 'only events of this type, such as user.session.start',
    },
    transaction: { type: 'string', value: 'ID', description: 'only events of this transaction' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['rekey events', 'the latest events'],
    [
      "rekey events --json --limit 1000 | jq -r '.[].eventType' | sort | uniq -c",
      'the number of events by type',
    ],
  ],

  async run(call) {
    refuseMore(call, 0)
    const { terminal, options } = call
    const limit = numberOf(call, 'limit', { min: 1, max: 100_000 }) ?? 50
    const eventType = textOf(call, 'type')
    const transactionId = textOf(call, 'transaction')
    await withCore(call, async ({ storage }) => {
      const found = await listEvents(storage.db, {
        limit,
        ...(eventType !== undefined && { eventType }),
        ...(transactionId !== undefined && { transactionId }),
      })
      if (options.json) return terminal.print(JSON.stringify(found, null, 2))
      if (found.length === 0) return terminal.note('there are no events yet')
      for (const line of columns(found.map(rowOf))) terminal.print(line)
    })
  },
}

const rowOf = (event: LogEvent): readonly string[] => [
  event.published.slice(0, 19).replace('T', ' '),
  event.outcome.result,
  event.eventType,
  subjectOf(event),
  event.transaction.id ?? '-',
]

/** The user that an event is about: its target, else its actor. */
const subjectOf = ({ target, actor }: LogEvent): string => {
  const party = target?.[0] ?? actor
  return party.alternateId ?? party.id
}
