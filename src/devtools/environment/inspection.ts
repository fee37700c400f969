import { acceptedRedirects, findClient } from '../../clients/index.ts'
import { findPerson } from '../../directory/index.ts'
import type { Engine } from '../../engine/index.ts'
import type { Timeline } from '../../flow/index.ts'
import type { FlowReader, Recorder } from '../inspector/index.ts'

/** The data of the flow inspector: recorded exchanges, joined with the state in the database. */
export function flowsOf(engine: Engine, recorder: Recorder, codeLifetimeMs: number): FlowReader {
  const factsOf = async (timeline: Timeline) => ({
    timeline,
    exchanges: recorder.of(timeline.id),
    moves: recorder.moves(),
    personStatus: (await findPerson(engine.storage.db, timeline.personId ?? ''))?.status,
    codeLifetimeMs,
    now: engine.clock.now(),
  })
  return {
    async list(limit) {
      const summaries = await engine.transactions(limit)
      const timelines = await Promise.all(summaries.map(({ id }) => engine.timeline(id)))
      return Promise.all(timelines.flatMap((timeline) => (timeline === undefined ? [] : [factsOf(timeline)])))
    },
    async get(id) {
      const timeline = await engine.timeline(id)
      return timeline && factsOf(timeline)
    },
    strays: (limit) =>
      Promise.all(
        recorder
          .strays()
          .slice(0, limit)
          .map(async (exchange) => {
            const client = await findClient(engine.storage.db, exchange.clientId ?? '')
            return {
              exchange,
              client: client && { label: client.label, redirects: acceptedRedirects(client) },
            }
          }),
      ),
    subscribe: (listener) => recorder.subscribe(listener),
  }
}
