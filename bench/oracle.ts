// Checks whether response times reveal if a user exists: for each step the area under the ROC curve of the best classifier
// by time, where 0.5 reveals nothing. Requests of both classes alternate in random order, one at a time.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { startSmtpSink } from '../src/devtools/index.ts'

const { values: options } = parseArgs({
  options: { requests: { type: 'string', default: '2000' }, json: { type: 'boolean', default: false } },
})
const requests = Number(options.requests)

// The mail server is outside of the engine's process, as in production.
const sink = await startSmtpSink()
const engine = new URL('./oracle-engine.ts', import.meta.url).pathname
const child = spawn(process.execPath, [engine, String(requests), sink.url], {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
})
if (child.stdout === null) throw new Error('the engine has no output')
const lines = createInterface({ input: child.stdout })
child.once('exit', (code) => {
  if (code) process.exit(code)
})
const [ready] = (await once(lines, 'line')) as [string]
const idp = JSON.parse(ready) as Record<
  'issuer' | 'engineUrl' | 'clientId' | 'clientSecret' | 'redirectUri',
  string
>

type Class = 'known' | 'unknown'
const times = new Map<string, Record<Class, number[]>>()

async function timed(
  step: string,
  kind: Class,
  path: string,
  body: object,
): Promise<{ readonly authenticators?: { readonly value: readonly { readonly id: string }[] } }> {
  const payload = JSON.stringify(body)
  const before = performance.now()
  const response = await fetch(`${idp.engineUrl}/idp/idx/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: payload,
  })
  const text = await response.text()
  const taken = performance.now() - before
  if (response.status === 429 || response.status >= 500)
    throw new Error(`${step}: ${response.status} ${text}`)
  const samples = times.get(step) ?? { known: [], unknown: [] }
  samples[kind].push(taken)
  times.set(step, samples)
  return JSON.parse(text)
}

async function begin(): Promise<string> {
  const interact = await fetch(`${idp.issuer}/v1/interact`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: idp.clientId,
      client_secret: idp.clientSecret,
      scope: 'openid',
      redirect_uri: idp.redirectUri,
      code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
      code_challenge_method: 'S256',
      state: randomBytes(16).toString('hex'),
    }),
  })
  const { interaction_handle: interactionHandle } = (await interact.json()) as { interaction_handle: string }
  const introspect = await fetch(`${idp.engineUrl}/idp/idx/introspect`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ interactionHandle }),
  })
  return ((await introspect.json()) as { stateHandle: string }).stateHandle
}

/** A visitor who starts a recovery, enters a wrong code and requests another mail. */
async function recovery(kind: Class, index: number): Promise<void> {
  const identifier = `${kind}${index}@example.com`
  const stateHandle = await begin()
  await timed('recover', kind, 'recover', { stateHandle })
  const selected = await timed('identify-recovery', kind, 'identify', { stateHandle, identifier })
  const id = selected.authenticators?.value[0]?.id
  await timed('select-authenticator-authenticate', kind, 'challenge', { stateHandle, authenticator: { id } })
  await timed('challenge-authenticator', kind, 'challenge/answer', {
    stateHandle,
    credentials: { passcode: '12345' },
  })
  await timed('poll', kind, 'challenge/poll', { stateHandle })
  await timed('resend', kind, 'challenge/resend', { stateHandle })
}

/** A visitor who enters a wrong password. */
async function signIn(kind: Class, index: number): Promise<void> {
  const identifier = `${kind}${index}@example.com`
  const stateHandle = await begin()
  const credentials = { passcode: 'not the password' }
  await timed('identify (password)', kind, 'identify', { stateHandle, identifier, credentials })
}

/** Area under the curve (Mann-Whitney) and its 95 % interval (Hanley and McNeil, 1982). */
function auc({ known, unknown }: Record<Class, number[]>) {
  const all = [
    ...known.map((time) => ({ time, isKnown: true })),
    ...unknown.map((time) => ({ time, isKnown: false })),
  ].sort((a, b) => a.time - b.time)
  const rankSum = all.reduce((sum, { isKnown }, index) => sum + (isKnown ? index + 1 : 0), 0)
  const [m, n] = [known.length, unknown.length]
  const raw = (rankSum - (m * (m + 1)) / 2) / (m * n)
  const area = Math.max(raw, 1 - raw)
  const [q1, q2] = [area / (2 - area), (2 * area * area) / (1 + area)]
  const variance = (area * (1 - area) + (m - 1) * (q1 - area * area) + (n - 1) * (q2 - area * area)) / (m * n)
  const half = 1.96 * Math.sqrt(variance)
  return {
    area,
    low: Math.max(0.5, area - half),
    high: area + half,
    side: raw > 0.5 ? 'known slower' : 'unknown slower',
  }
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

for (const walk of [recovery, signIn]) {
  for (let index = 0; index < requests; index++) {
    const order: readonly Class[] =
      randomBytes(1).readUInt8() % 2 === 0 ? ['known', 'unknown'] : ['unknown', 'known']
    for (const kind of order) await walk(kind, index)
  }
}
child.disconnect()
await once(child, 'exit')
await sink.close()

const rows = [...times].map(([step, samples]) => ({
  step,
  ...auc(samples),
  knownMs: median(samples.known),
  unknownMs: median(samples.unknown),
}))
if (options.json) console.log(JSON.stringify({ requests, steps: rows }))
else {
  console.log(`${requests} requests per class and step; area under the curve, 0.5 reveals nothing\n`)
  console.log(`${'step'.padEnd(36)} area   95 % interval    median ms known / unknown`)
  for (const { step, area, low, high, knownMs, unknownMs } of rows) {
    const values = `${area.toFixed(3)}  ${low.toFixed(3)} - ${high.toFixed(3)}   ${knownMs.toFixed(2)} / ${unknownMs.toFixed(2)}`
    console.log(`${step.padEnd(36)} ${values}`)
  }
}
