import { ProtocolError } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { type CounterUse, createRequestCounters } from '../limits/index.ts'
import { createHashQueue } from '../passwords/index.ts'
import type { Channel } from './channel.ts'

/** How a worker is answered that asks for a place among the hashes. */
export type HashVerdict =
  | { readonly hasWaited: boolean }
  | { readonly detail: string; readonly headers: Readonly<Record<string, string>> }

/** What all workers of a node count and wait in together, in the memory of their primary. */
export interface Services {
  /** From now on new workers hash by these settings; those that are there go on with theirs. */
  configure(config: Pick<Config, 'password'>): void
  /** Lets a worker ask. Answers what gives back all that it holds: for when it has ended, however that came. */
  attach(channel: Channel): () => void
}

/** How often something is held, by a key. */
function createTally() {
  const held = new Map<string, number>()
  return {
    of: (key: string) => held.get(key) ?? 0,
    add(key: string, by: number): number {
      const now = (held.get(key) ?? 0) + by
      if (now > 0) held.set(key, now)
      else held.delete(key)
      return now
    },
    all: () => [...held],
  }
}

export function createServices(): Services {
  // Of its own time, so that workers whose clocks differ by a moment agree on where a window ends.
  const counters = createRequestCounters(() => performance.now())
  const connections = createTally()
  const answers = createTally()
  let hashes = createHashQueue({ concurrency: 1, size: 0, waitMs: 1000 })

  return {
    configure({ password: { concurrency, queue: size, waitMs } }) {
      hashes = createHashQueue({ concurrency, size, waitMs })
    },
    attach(channel) {
      const queue = hashes
      const own = { connections: createTally(), answers: createTally() }
      /** Its hashes, by its numbers: those that wait are dropped by `gone`, those that run are over with `done`. */
      const taken = new Map<number, { readonly gone: AbortController; readonly done: () => void }>()
      const change = (name: keyof typeof own, key: string, by: number): number => {
        own[name].add(key, by)
        return (name === 'connections' ? connections : answers).add(key, by)
      }

      async function hash(
        id: number,
        costMs: number,
        caller: { readonly source?: string; readonly account?: string },
      ): Promise<HashVerdict> {
        const { promise: over, resolve: done } = Promise.withResolvers<void>()
        const begun = Promise.withResolvers<HashVerdict>()
        const gone = new AbortController()
        taken.set(id, { gone, done })
        let hasWaited = false
        const { source, account } = caller
        const place = source === undefined ? {} : { source, ...(account !== undefined && { account }) }
        const work = async () => {
          begun.resolve({ hasWaited })
          await over
        }
        const recheck = async () => {
          hasWaited = true
        }
        queue
          .take(
            work,
            costMs,
            source === undefined ? undefined : { source, ...place, signal: gone.signal, recheck },
          )
          .catch((error: unknown) => {
            const refused = error instanceof ProtocolError ? error : undefined
            begun.resolve({ detail: refused?.detail ?? String(error), headers: refused?.headers ?? {} })
          })
          .finally(() => taken.delete(id))
        return begun.promise
      }

      channel.serve({
        charge: (uses: readonly CounterUse[]) => counters.charge(uses),
        look: (uses: readonly CounterUse[]) => counters.look(uses),
        open(address: string, most: number): boolean {
          if (connections.of(address) >= most) return false
          change('connections', address, 1)
          return true
        },
        closed: (address: string) => void change('connections', address, -1),
        begin: (key: string): number => change('answers', key, 1),
        end: (key: string) => void change('answers', key, -1),
        hash,
        hashed: (id: number) => taken.get(id)?.done(),
        gone: (id: number) => taken.get(id)?.gone.abort(),
      })
      return () => {
        for (const { gone, done } of [...taken.values()]) {
          gone.abort()
          done()
        }
        for (const [key, count] of own.connections.all()) connections.add(key, -count)
        for (const [key, count] of own.answers.all()) answers.add(key, -count)
      }
    },
  }
}
