// The times that a test suite waits for: importing the kit, starting engines, resetting, and a whole recovery with the
// published SDK. The import and the first start are measured in separate processes.
import { execFileSync } from 'node:child_process'
import { sdk } from '../test/support/sdk.ts'
import { asJson, median, option, percentile, printTable, report } from './support/report.ts'

const rounds = Number(option('rounds', '30'))

/** The time of the import and of the first start in a new process, in milliseconds. */
function inFreshProcess(): { readonly import: number; readonly firstStart: number } {
  const script = `
    const before = performance.now()
    const { startEngine } = await import(${JSON.stringify(kitUrl)})
    const imported = performance.now()
    const idp = await startEngine()
    const started = performance.now()
    await idp.close()
    console.log(JSON.stringify({ import: imported - before, firstStart: started - imported }))`
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  )
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now()
  await work()
  return performance.now() - before
}

// The built kit, as users install it, instead of the sources, whose types are stripped at each import.
const kitUrl = new URL('../dist/testing/index.js', import.meta.url).href
const { startEngine } = (await import(kitUrl)) as typeof import('../src/testing/index.ts')

type Kit = Awaited<ReturnType<typeof startEngine>>

const newPassword = 'Lighthouse-Biscuit-77'

/** A recovery with the published SDK, from the identifier to the tokens. */
async function recover(idp: Kit): Promise<void> {
  const { person } = idp
  const auth = sdk(idp)
  await auth.idx.recoverPassword({ username: person.login, authenticators: ['okta_email'] })
  const mail = await idp.outbox.waitFor({ to: person.login })
  const done = await auth.idx.proceed({ verificationCode: mail.code ?? '', password: newPassword })
  if (done.status !== 'SUCCESS' || done.tokens?.accessToken === undefined) {
    throw new Error(`the recovery ended with ${done.status}: ${JSON.stringify(done.messages)}`)
  }
}

const fresh = Array.from({ length: Math.min(rounds, 10) }, inFreshProcess)

const starts: number[] = []
for (let round = 0; round < rounds; round += 1) {
  let idp: Kit | undefined
  starts.push(
    await timed(async () => {
      idp = await startEngine()
    }),
  )
  await idp?.close()
}

const idp = await startEngine()
const resets: number[] = []
const recoveries: number[] = []
for (let round = 0; round < rounds; round += 1) {
  recoveries.push(await timed(() => recover(idp)))
  resets.push(await timed(() => idp.reset()))
}
const signIns: number[] = []
for (let round = 0; round < rounds; round += 1) {
  signIns.push(await timed(() => idp.signInAs(idp.person.login)))
}
await idp.close()

/** The reference: what the web framework alone takes to import. */
const bare = fresh.map(() =>
  Number(
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        "const before = performance.now(); await import('fastify'); console.log(performance.now() - before)",
      ],
      { cwd: import.meta.dirname, encoding: 'utf8' },
    ),
  ),
)

const figures = [
  { what: 'import, in a fresh process', times: fresh.map((times) => times.import), limit: 250 },
  { what: 'import of Fastify alone, for comparison', times: bare, limit: undefined },
  {
    what: 'first start after the import',
    times: fresh.map(({ firstStart }) => firstStart),
    limit: 60,
  },
  { what: 'a further start', times: starts, limit: 100 },
  { what: 'reset', times: resets, limit: 5 },
  { what: 'a whole recovery with the SDK', times: recoveries, limit: 150 },
  { what: 'signInAs', times: signIns, limit: undefined },
].map(({ what, times, limit }) => ({
  what,
  'median ms': median(times),
  'p95 ms': percentile(times, 0.95),
  'limit ms': limit ?? '',
}))
if (!asJson) printTable('The testing kit', figures)
report('kit', { rounds, figures })
