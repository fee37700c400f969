import type { EngineProcess } from './engine.ts'
import { createAgent } from './http.ts'
import { loginOf } from './people.ts'
import { recover } from './visitor.ts'

export const password = 'Lighthouse-Biscuit-77'

/** With the engine's known codes every mailed code is this one. */
export const noCode = async (): Promise<string> => '000000'

/** Which user is the next one: each recovers once. */
export interface Users {
  next: number
}

/** One visitor after the other, `parallel` at a time, as fast as the engine answers. Answers the milliseconds it took. */
export async function closedLoop(
  engine: Pick<EngineProcess, 'url'>,
  users: Users,
  { count, parallel }: { readonly count: number; readonly parallel: number },
): Promise<number> {
  const agent = createAgent(parallel)
  const end = users.next + count
  const begun = performance.now()
  const work = async () => {
    while (users.next < end) {
      const login = loginOf(users.next++)
      await recover({ engineUrl: engine.url, agent, login, password, code: noCode })
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  agent.destroy()
  return performance.now() - begun
}

/** CPU of the engine's process a flow, in milliseconds, over so many flows. */
export async function cpuMsPerFlow(
  engine: EngineProcess,
  users: Users,
  load: { readonly count: number; readonly parallel: number },
): Promise<number> {
  const before = await engine.ask('collect')
  await closedLoop(engine, users, load)
  const after = await engine.ask('usage')
  return (after.cpuMs - before.cpuMs) / load.count
}
