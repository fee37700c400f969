import { afterEach, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import type { Settings } from '../../src/config/index.ts'
import { parsePrometheus } from '../journeys/prometheus.ts'
import { visit } from '../support/attacks.ts'
import { type Node, startNode } from '../support/nodes.ts'

// A62: the operator's channel as an oracle. A reader of metrics, health or the log beside a caller's requests learns no
// more from them than the caller does: the same numbers and lines for a known and for an unknown user.

let node: Node | undefined
afterEach(async () => {
  await node?.close()
  node = undefined
})

const known = 'mary@example.com'
const unknown = 'mara@example.com'

/** What depends on the machine, not on what was asked. */
const isOfMachine = (name: string): boolean =>
  /^process_|^rekey_event_loop|^rekey_http_connections$|_(sum|bucket)$/.test(name)

/** Every number of /metrics, but those of the machine. */
async function figures(target: Node): Promise<Record<string, number>> {
  const text = await (await fetch(`${target.engineUrl}/metrics`)).text()
  return Object.fromEntries(
    [...parsePrometheus(text).values()]
      .flatMap(({ samples }) => samples)
      .filter(({ name }) => !isOfMachine(name))
      .map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]),
  )
}

const health = async (target: Node) =>
  Promise.all(
    ['live', 'ready'].map(async (path) => {
      const answer = await fetch(`${target.engineUrl}/health/${path}`)
      return [answer.status, await answer.text()]
    }),
  )

/** Log lines without what differs from run to run for every user. */
const masked = (line: string, name: string): string =>
  line
    .replace(/"(time|ms|trace_id|span_id)":("[^"]*"|\d+)/g, '"$1":0')
    .replace(/"(requestId|errorId|transactionId)":"(req|oae|trs)\w{17}"/g, '"$1":"…"')
    .replace(/\n\s+at .*?(?=")/gs, '')
    .replaceAll(name, 'the name')

/** Each thing that a caller may do with a name, past the end of every budget. */
async function walk(target: Node, name: string): Promise<void> {
  for (let time = 0; time < 14; time++) {
    const visitor = await visit(target)
    await visitor.submits('identify', { identifier: name, credentials: { passcode: `wrong ${time}` } })
  }
  for (let time = 0; time < 7; time++) {
    const visitor = await visit(target)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: name })
    await visitor.selects('okta_email')
    for (let guess = 0; guess < 6; guess++) await visitor.answers('AAAAAAAAAA')
    await visitor.submits('identify', { identifier: name })
  }
  const visitor = await visit(target)
  await visitor.submits('recover')
  await visitor.submits('identify', { identifier: name })
  await visitor.submits('cancel')
  await target.engine.delivery.idle()
}

async function observe(name: string, settings: Settings) {
  const lines: string[] = []
  const log = createLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } })
  node = await startNode({ ports: { log }, settings })
  await figures(node)
  lines.splice(0)
  await walk(node, name)
  const seen = {
    // Recorded where the request has been answered: a moment after it.
    figures: await figures(node),
    health: await health(node),
    lines: lines.map((line) => masked(line, name)),
  }
  await node.close()
  node = undefined
  return seen
}

test.each<[string, Settings]>([
  ['by default', {}],
  ['with small budgets', { limits: { sprayPerAddressMinute: 9, sprayEverywhere: 12, passwordsPerHour: 4 } }],
])('A62: metrics, health and log are the same for a known and an unknown user, %s', async (_, settings) => {
  const [one, other] = [await observe(known, settings), await observe(unknown, settings)]
  expect(other.figures).toEqual(one.figures)
  expect(other.health).toEqual(one.health)
  expect(other.lines).toEqual(one.lines)
  // It is no comparison of nothing.
  expect(
    one.figures['rekey_flow_outcomes_total {"intent":"recovery","outcome":"too_many_attempts"}'],
  ).toBeGreaterThan(0)
  expect(one.figures['rekey_password_hash_duration_seconds_count {}']).toBeGreaterThan(3)
  expect(one.lines.length).toBeGreaterThan(50)
})
