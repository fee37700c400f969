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
    limit: { type: 'string', value: 'N', words: 'so many at most, 50 otherwise' },
    type: { type: 'string', value: 'TYPE', words: 'only events of this type, such as user.session.start' },
    transaction: { type: 'string', value: 'ID', words: 'only those of one transaction' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['rekey events', 'what happened last'],
    ["rekey events --json --limit 1000 | jq -r '.[].eventType' | sort | uniq -c", 'how often what happened'],
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
      if (found.length === 0) return terminal.note('nothing has happened yet')
      for (const line of columns(found.map(rowOf))) terminal.print(line)
    })
  },
}

const rowOf = (event: LogEvent): readonly string[] => [
  event.published.slice(0, 19).replace('T', ' '),
  event.outcome.result,
  event.eventType,
  concerned(event),
  event.transaction.id ?? '-',
]

/** Whom an event is about: who was acted on, else who acted. */
const concerned = ({ target, actor }: LogEvent): string => {
  const party = target?.[0] ?? actor
  return party.alternateId ?? party.id
}
