import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { findFailure, listFailures, type RecordedFailure } from '../audit/index.ts'
import { isoTime, parseTime, timeOfId } from '../base/index.ts'
import { type TransactionSummary, timelineOf, transactionsOf } from '../flow/index.ts'
import { renderTimeline } from '../management/index.ts'
import type { Db } from '../storage/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  numberOf,
  refuseMore,
  textOf,
} from './command.ts'
import { columns } from './terminal.ts'
import { withCore } from './with-core.ts'

export const trace: Command = {
  takes: '[ID]',
  about: [
    'Prints one transaction, a sign-in or a recovery, as a timeline: its user, its events with their times, and why it ended. It contains no secrets.',
    'The id (trs…) appears in the system log and in the control API. Without an id the latest transactions are listed.',
    'The id of an error (oae…), which its page or body shows, and that of a request (req…, the header X-Okta-Request-Id) lead to what went wrong, and to the transaction that it belongs to. Each node records its latest errors for a day: 200 failures of its own, a second after they happened, and 100 dead links and 200 refused requests, within ten seconds. With --log the lines of its log are printed too, also for the trace id of a traceparent header.',
  ],
  options: {
    log: {
      type: 'string',
      value: 'FILE',
      description: 'a log of rekey serve to search for the id; - for standard input',
    },
    limit: { type: 'string', value: 'N', description: 'the largest number of transactions; default: 20' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['rekey trace', 'list the latest transactions, newest first'],
    ['rekey trace trs0123456789abcdefg', 'print one transaction as a timeline'],
    ['rekey trace oae1vJ2Qy0123456789a', 'print what was behind an error that a user reports'],
    ['journalctl -o cat -u rekey | rekey trace oae1vJ2Qy0123456789a --log -', 'with what the log has of it'],
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
      const logged = await linesWith(call, id)
      const failure = await findFailure(storage.db, id)
      const transactionId = id.startsWith('trs') ? id : failure?.transactionId
      const timeline =
        transactionId === undefined ? undefined : await timelineOf(storage.db, transactionId, clock.now())
      if (timeline === undefined && failure === undefined && logged.length === 0) {
        throw new CommandError(await unknownId(storage.db, id))
      }
      if (options.json) {
        const all =
          failure === undefined && logged.length === 0 ? timeline : { failure, timeline, log: logged }
        return terminal.print(JSON.stringify(all, null, 2))
      }
      if (failure !== undefined) for (const line of renderFailure(failure)) terminal.print(line)
      for (const line of logged) terminal.print(line)
      if (timeline !== undefined) {
        if (failure !== undefined || logged.length > 0) terminal.print('')
        terminal.print(renderTimeline(timeline).trimEnd())
      }
    })
  },
}

/** The lines of the named log that contain the id; of an error or a request, those with the letters of either. */
async function linesWith(call: Call, id: string): Promise<readonly string[]> {
  const { terminal } = call
  const file = textOf(call, 'log')
  if (file === undefined) return []
  const wanted = timeOfId(id) === undefined ? id : id.slice(3)
  const input = file === '-' ? process.stdin : createReadStream(resolve(terminal.folder, file))
  const found: string[] = []
  try {
    for await (const line of createInterface({ input })) if (line.includes(wanted)) found.push(line)
  } catch (cause) {
    throw new CommandError(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  return found
}

function renderFailure(failure: RecordedFailure): readonly string[] {
  const { id, at, method, route, status, code, cause, traceId, transactionId } = failure
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['error', `oae${id}`],
    ['request', `req${id}`],
    ['at', isoTime(at)],
    ['answered', `${method} ${route}: ${status} ${code}`],
    ['caused by', cause],
    ['trace', traceId],
    ['transaction', transactionId ?? 'none'],
  ]
  return columns(facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

/** What to do with an id that no node has recorded. The id of an error has its time in it, whatever else is lost. */
async function unknownId(db: Db, id: string): Promise<string> {
  const time = timeOfId(id)
  if (time === undefined || id.startsWith('trs')) return `there is no transaction "${id}"; see: rekey trace`
  const around = await listFailures(db, time - 60_000, time + 60_000)
  const kinds = Map.groupBy(around, ({ status, code, route }) => `${status} ${code} at ${route}`)
  const others = [...kinds].map(([kind, { length }]) => `${length} × ${kind}`).join(', ')
  const beside = others === '' ? '' : ` In the minute before and after it there were: ${others}.`
  return `no node has recorded "${id}": it is of ${isoTime(time)}, and each node has its latest 500 errors of a day.${beside} Search the log of that time: rekey trace ${id} --log FILE`
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
