// Whether the time of an answer shows that a user exists, and of which kind the user is: for each step the area under
// the ROC curve of the best classifier by time, 0.5 = it shows nothing. Each request about a user has its twin about a
// name that no user has, in random order, one at a time.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startSmtpSink } from '../src/devtools/index.ts'
import { type BenchDatabase, createDatabase } from './support/databases.ts'
import { loadAverage } from './support/load.ts'
import { median, option, print, printTable, report, verdict } from './support/report.ts'

/**
 * Kinds of users, each compared with names that no user has: without groups of their own, with 100 groups, with policies
 * for their group, with short codes used up, with a password hash of another system; and those whose address a visitor signs up with.
 * All of one length.
 */
export type Kind = 'nogroup' | 'grouped' | 'policed' | 'longcod' | 'foreign' | 'sign-up'

/** What the process of the engine is to be. */
export interface OracleOrder {
  readonly requests: number
  readonly kinds: readonly Kind[]
  readonly smtpUrl: string
  /** Absent: in memory. */
  readonly database: string | undefined
}

interface Comparison {
  readonly title: string
  readonly walks: readonly ((identifier: string, timed: Timed) => Promise<void>)[]
  /** Before it is measured: brings a name to the state that is compared. */
  readonly prepare?: (identifier: string) => Promise<void>
  /** False: printed only. What is printed only is a known and documented difference. */
  readonly gated: boolean
}

/** What the area may be (docs/security.md); it is exceeded where all of its 95 % interval is above. */
const bound = 0.53

type Body = { readonly authenticators?: { readonly value: readonly { readonly id: string }[] } }
/** Sends a step and takes its time. */
type Timed = (step: string, path: string, body: object) => Promise<Body>

const untimed: Timed = async (_, path, body) => (await send(path, body)).body

async function send(path: string, body: object): Promise<{ readonly body: Body; readonly ms: number }> {
  const payload = JSON.stringify(body)
  const before = performance.now()
  const response = await fetch(`${idp.engineUrl}/idp/idx/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: payload,
  })
  const text = await response.text()
  const ms = performance.now() - before
  if (response.status === 429 || response.status >= 500)
    throw new Error(`${path}: ${response.status} ${text}`)
  return { body: JSON.parse(text) as Body, ms }
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

/** A recovery up to the question for the code. */
async function ask(identifier: string, timed: Timed): Promise<string> {
  const stateHandle = await begin()
  await timed('recover', 'recover', { stateHandle })
  const selected = await timed('identify-recovery', 'identify', { stateHandle, identifier })
  const id = selected.authenticators?.value[0]?.id
  await timed('select-authenticator-authenticate', 'challenge', { stateHandle, authenticator: { id } })
  return stateHandle
}

/** A visitor who asks for a recovery, guesses wrong, waits and asks for another mail. */
const recoveryWith = (passcode: string) => async (identifier: string, timed: Timed) => {
  const stateHandle = await ask(identifier, timed)
  await timed('challenge-authenticator', 'challenge/answer', { stateHandle, credentials: { passcode } })
  await timed('poll', 'challenge/poll', { stateHandle })
  await timed('resend', 'challenge/resend', { stateHandle })
}
const recovery = recoveryWith('12345')

/** A visitor who tries a wrong password. */
async function signIn(identifier: string, timed: Timed): Promise<void> {
  const stateHandle = await begin()
  const credentials = { passcode: 'not the password' }
  await timed('identify (password)', 'identify', { stateHandle, identifier, credentials })
}

/** A visitor who signs up, guesses wrong, waits and asks for another mail: the address is a user's, or free (A64). */
async function signUp(email: string, timed: Timed): Promise<void> {
  const stateHandle = await begin()
  await timed('select-enroll-profile', 'enroll', { stateHandle })
  const userProfile = { email, firstName: 'Nina', lastName: 'Nowak' }
  await timed('enroll-profile', 'enroll/new', { stateHandle, userProfile })
  await timed('enroll-authenticator', 'challenge/answer', {
    stateHandle,
    credentials: { passcode: '12345' },
  })
  await timed('poll', 'challenge/poll', { stateHandle })
  await timed('resend', 'challenge/resend', { stateHandle })
}

/** Uses up the wrong short codes of a name: its next codes are long. */
async function useUpShortCodes(identifier: string): Promise<void> {
  const stateHandle = await ask(identifier, untimed)
  for (let guess = 0; guess < 2; guess++) {
    await untimed('', 'challenge/answer', { stateHandle, credentials: { passcode: '12345' } })
  }
}

const comparisons: Readonly<Record<Kind, Comparison>> = {
  nogroup: { title: 'no group but Everyone', walks: [recovery, signIn], gated: true },
  grouped: { title: '100 groups', walks: [recovery, signIn], gated: true },
  policed: { title: 'policies of a group', walks: [recovery, signIn], gated: true },
  longcod: {
    title: 'long codes',
    prepare: useUpShortCodes,
    walks: [recoveryWith('WRONGCODES')],
    gated: true,
  },
  'sign-up': { title: 'the address of a sign-up', walks: [signUp], gated: true },
  // Another program's hash takes as long as it takes, until the first sign-in that succeeds.
  foreign: { title: 'hash of another system (bcrypt 10)', walks: [signIn], gated: false },
}

interface Samples {
  readonly known: number[]
  readonly unknown: number[]
}

/** Area under the curve (Mann-Whitney) and its 95 % interval (Hanley and McNeil, 1982). */
function auc({ known, unknown }: Samples) {
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
  return { area, low: Math.max(0.5, area - half), high: Math.min(1, area + half) }
}

const requests = Number(option('requests', '2000'))
const kinds = option('kinds', Object.keys(comparisons).join(',')).split(',') as Kind[]
const databaseKind = option('database', 'memory')
const database =
  databaseKind === 'memory' ? undefined : await createDatabase(databaseKind as BenchDatabase['name'])

// The mail server is not the engine's process, as in production.
const sink = await startSmtpSink()
const order: OracleOrder = { requests, kinds, smtpUrl: sink.url, database: database?.url }
const child = spawn(
  process.execPath,
  [new URL('./oracle-engine.ts', import.meta.url).pathname, JSON.stringify(order)],
  { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
)
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

const load = loadAverage()
const rows = []
for (const kind of kinds) {
  const { title, walks, prepare, gated } = comparisons[kind]
  const times = new Map<string, Samples>()
  for (const walk of walks) {
    for (let index = 0; index < requests; index++) {
      const order = randomBytes(1).readUInt8() % 2 === 0 ? (['k', 'u'] as const) : (['u', 'k'] as const)
      for (const which of order) {
        const identifier = `${kind}${which}${index}@example.com`
        await prepare?.(identifier)
        await walk(identifier, async (step, path, body) => {
          const { ms, body: answered } = await send(path, body)
          const samples = times.get(step) ?? { known: [], unknown: [] }
          samples[which === 'k' ? 'known' : 'unknown'].push(ms)
          times.set(step, samples)
          return answered
        })
      }
    }
  }
  const steps = [...times].map(([step, samples]) => ({
    kind,
    step,
    gated,
    ...auc(samples),
    knownMs: median(samples.known),
    unknownMs: median(samples.unknown),
  }))
  rows.push(...steps)
  printTable(
    `Users with ${title}, ${requests} requests a class and step${gated ? '' : '; printed only'}`,
    steps.map(({ step, area, low, high, knownMs, unknownMs }) => ({
      step,
      area: area.toFixed(3),
      '95 % interval': `${low.toFixed(3)} to ${high.toFixed(3)}`,
      'known ms': knownMs.toFixed(2),
      'unknown ms': unknownMs.toFixed(2),
    })),
  )
}
child.disconnect()
await once(child, 'exit')
await sink.close()
await database?.drop()

const exceeded = rows.filter(({ gated, low }) => gated && low > bound)
for (const { kind, step, area } of exceeded) print(`${kind}, ${step}: ${area.toFixed(3)} is above ${bound}`)
print(`\nno step above ${bound}: ${verdict(exceeded.length === 0)} (machine load ${load})`)
report('oracle', { requests, database: databaseKind, load, bound, steps: rows })
process.exitCode = exceeded.length === 0 ? 0 : 1
