import {
  createSecrets,
  formatDuration,
  isoTime,
  meltableMs,
  silentLogger,
  systemClock,
} from '../base/index.ts'
import { refuseUnfit } from '../engine/index.ts'
import { notedTime, noteToleranceMs, openStorage, rebaseTime, type Storage } from '../storage/index.ts'
import { type Command, configOption, dataOption, jsonOption, refuseMore } from './command.ts'
import { columns } from './terminal.ts'
import { coreConfig } from './with-core.ts'

export const clock: Command = {
  about: [
    "Prints the times that count: this host's, the database server's, the highest that the database has noted, and the one that an engine which starts now takes. Exit code 0, whether they agree or not.",
    "An engine's time never goes back, so that no code, link or session that had expired comes back to life. If a clock was once wrong and ahead, an engine on SQLite goes on from the noted time: codes expire and budgets refill as they should, but dates are ahead. (On PostgreSQL the server's time counts, and a noted time that is more than a minute ahead of it is set back when the next engine starts.) A lead of up to a minute melts by itself.",
    "--reset sets the time back to the database server's, or with SQLite to this host's: make sure that it is right first. What had expired stays expired; codes, sessions, budgets and waiting mails have as long to go as they had. Entries of the system log stay as they were written. Engines may be running; they follow within a minute.",
  ],
  options: {
    reset: { type: 'boolean', description: 'set the time back to the right one' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    ['rekey clock', 'print the times'],
    ['date && rekey clock --reset', "check this host's clock, then set the engine's time back to it"],
    ['rekey clock --json | jq .aheadSeconds', 'by how many seconds the noted time is ahead'],
  ],

  async run(call) {
    refuseMore(call, 0)
    const { terminal, options } = call
    const { database, secrets } = await coreConfig(call)
    const storage = await openStorage({ url: database.url, poolSize: 1, pooler: database.pooler })
    try {
      // As every command that writes: before the first row, that of the lock included.
      await refuseUnfit(storage, createSecrets(secrets), silentLogger)
      const resetMs = options.reset === true ? await reset(storage) : undefined
      const times = await readTimes(storage)
      if (options.json) {
        const setBack = resetMs === undefined ? {} : { setBackSeconds: resetMs / 1000 }
        return terminal.print(JSON.stringify({ ...times, ...setBack }))
      }
      for (const line of columns(rowsOf(times))) terminal.print(line)
      if (resetMs === undefined) {
        if (times.aheadSeconds * 1000 > meltableMs) terminal.note(`rekey: ${problemOf(times)}`)
        return
      }
      terminal.note(
        resetMs === 0
          ? 'rekey: the noted time is not ahead; nothing was changed'
          : `rekey: the time was set back by ${spanOf(resetMs)}; engines that are running follow within a minute`,
      )
    } finally {
      await storage.close()
    }
  },
}

const tolerance = noteToleranceMs / 1000

/** The times, in ISO 8601. */
export interface Times {
  readonly host: string
  /** Null: with SQLite there is no server. */
  readonly server: string | null
  /** The highest that the database has noted; null: none yet. */
  readonly noted: string | null
  /** What an engine that starts now takes. */
  readonly engine: string
  /** How far the noted time is ahead of the server's, or else of the host's. 0: it is not. */
  readonly aheadSeconds: number
}

/** Reads the times of a database and of this host. Writes nothing. */
export async function readTimes(storage: Storage): Promise<Times> {
  const highest = Math.max(await storage.highestTime(), await notedTime(storage.db))
  const serverTime = await storage.serverTime()
  const host = systemClock.now()
  const right = serverTime ?? host
  // A lead that melts is taken over by the next engine; a longer one only where no server knows better.
  const isTaken = serverTime === undefined || highest - right <= meltableMs
  return {
    host: isoTime(host),
    server: serverTime === undefined ? null : isoTime(serverTime),
    noted: highest === 0 ? null : isoTime(highest),
    engine: isoTime(isTaken ? Math.max(right, highest) : right),
    aheadSeconds: Math.max(0, highest - right) / 1000,
  }
}

/** What is wrong with the times, and what to do. */
export const problemOf = ({ server, aheadSeconds }: Times): string => {
  const ahead = spanOf(aheadSeconds * 1000)
  if (server !== null) {
    return `the noted time is ${ahead} ahead of the database server's clock: check that clock; the next engine that starts, or rekey clock --reset, sets it back`
  }
  return `the noted time is ${ahead} ahead of this host's clock: either the host's clock is behind now (set it), or it was ahead before (run rekey clock --reset)`
}

async function reset(storage: Storage): Promise<number> {
  return rebaseTime(storage, storage.kind === 'postgres' ? {} : { to: systemClock.now() })
}

const spanOf = (ms: number): string => {
  const unit = ms > 2 * 86_400_000 ? 86_400_000 : ms > 120_000 ? 60_000 : 1000
  return formatDuration(Math.round(ms / unit) * unit)
}

const rowsOf = ({ host, server, noted, engine, aheadSeconds }: Times): readonly (readonly string[])[] => [
  ["this host's clock", host],
  ["the database server's clock", server ?? '- (SQLite has no server)'],
  [
    'noted in the database',
    noted === null
      ? '-'
      : `${noted}${aheadSeconds > tolerance ? `, ${spanOf(aheadSeconds * 1000)} ahead` : ''}`,
  ],
  ['an engine that starts now', engine],
]
