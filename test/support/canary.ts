// A canary in every engine that a test of this suite starts in its own process: before its data go (at `reset()` and
// `close()`), each secret that was drawn meanwhile is searched in everything that the engine leaves behind: its log at
// level debug, its events, its metrics, every value of every table. Nothing is replaced: the functions that draw secrets
// and the one that opens an engine do what they always do, and are listened to.
import { vi } from 'vitest'
import type { EnginePorts } from '../../src/engine/index.ts'

const secrets = vi.hoisted(() => [] as string[])
const mostSearched = 5000

vi.mock(import('../../src/base/random.ts'), async (load) => {
  const real = await load()
  const noted =
    <Args extends readonly unknown[]>(drawn: (...args: Args) => string) =>
    (...args: Args): string => {
      const secret = drawn(...args)
      secrets.push(secret)
      return secret
    }
  return {
    ...real,
    randomToken: noted(real.randomToken),
    randomDigits: noted(real.randomDigits),
    randomLegible: noted(real.randomLegible),
  }
})

vi.mock(import('../../src/engine/engine.ts'), async (load) => {
  const real = await load()
  const { createLogger, silentLogger } = await import('../../src/base/index.ts')
  const { dumpOf, findSecrets } = await import('./canary-search.ts')
  return {
    ...real,
    async openEngine(config, ports: EnginePorts = {}) {
      const lines: string[] = []
      const stream = { write: (line: string) => void lines.push(line) }
      const isSilent = ports.log === undefined || ports.log === silentLogger
      const log = isSilent ? createLogger({ level: 'debug', stream }) : ports.log
      let since = secrets.length
      const engine = await real.openEngine(config, { ...ports, ...(log && { log }) })
      const check = async () => {
        // Of the hundred thousands of a long run the latest: each is searched in all that the engine has left.
        const drawn = [...new Set(secrets.slice(since))].slice(-mostSearched)
        const places = { log: lines.splice(0).join(''), ...(await dumpOf(engine.storage).catch(() => ({}))) }
        const found = findSecrets(drawn, places)
        if (found.length > 0) throw new Error(`a secret is left behind:\n${found.join('\n')}`)
        since = secrets.length
      }
      return {
        ...engine,
        reset: async () => {
          await check()
          await engine.reset()
        },
        close: async () => {
          await check().finally(() => engine.close())
        },
      }
    },
  }
})
