// An engine in a process of its own, until it is told to stop (SIGTERM) or is killed.
import { createHasher, insecureFastHash } from '../../src/authenticators/index.ts'
import { silentLogger } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine.ts'

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings
const hasher = createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 10_000 })
const engine = await openEngine(checkConfig(settings), { hasher, log: silentLogger })
process.on('SIGTERM', () => void engine.close())
process.stdout.write(`${JSON.stringify({ engineUrl: engine.baseUrl, issuer: engine.issuers.default })}\n`)
