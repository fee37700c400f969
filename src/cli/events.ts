import { eventTypes, type LogEvent, listEvents } from '../audit/index.ts'
import { didYouMean } from '../base/index.ts'
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
      if (found.length === 0) return terminal.note(nothing(eventType, transactionId))
      for (const line of columns(found.map(rowOf))) terminal.print(line)
    })
  },
}

/** Says why no event is shown: a type that does not exist looks like one of which nothing was recorded. */
function nothing(type: string | undefined, transactionId: string | undefined): string {
  const of = transactionId === undefined ? '' : ` of the transaction ${transactionId}`
  if (type === undefined) return `there are no events${of || ' yet'}`
  const known = Object.keys(eventTypes)
  if (known.includes(type)) return `there are no events of the type ${type}${of}`
  return `there is no event type "${type}"${didYouMean(type, known)}`
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
