import { StatementSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { type Answer, newVisitor, type Visitor } from '../../src/testing/index.ts'
import { manyMails } from '../support/attacks.ts'
import { manyRequests, type Node, startNode } from '../support/nodes.ts'
import { changeSignUp, passwordInForm } from '../support/sign-up.ts'

const victim = 'mary@example.com'
const apiToken = '00-token-of-the-api-that-only-these-tests-know'
const password = 'Marmalade-Harbour-31'

type Move = readonly [name: string, send: (visitor: Visitor) => Promise<Answer>]

const walk = (email: string): readonly Move[] => {
  const userProfile = { email, firstName: 'Nina', lastName: 'Nowak' }
  const form = (passcode: string) => (visitor: Visitor) =>
    visitor.submits('enroll/new', { userProfile, credentials: { passcode } })
  return [
    ['the form', (visitor) => visitor.submits('enroll')],
    ['a password that is too short', form('short')],
    ['a good form', form(password)],
    ['a wrong code', (visitor) => visitor.answers('000000x')],
    ['another mail', (visitor) => visitor.resends()],
    ['poll', (visitor) => visitor.polls()],
  ]
}

describe('a caller with a stop-watch, where the form asks for the password', () => {
  let node: Node
  let hashes = 0
  let statements: string[] = []
  const originals = { all: StatementSync.prototype.all, run: StatementSync.prototype.run }
  beforeAll(async () => {
    const hasher = createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 1000 })
    const counted = <T>(work: T): T => {
      hashes += 1
      return work
    }
    const counting = {
      ...hasher,
      hash: (text: string) => counted(hasher.hash(text)),
      verify: (text: string, hash: string | undefined) => counted(hasher.verify(text, hash)),
    }
    const settings = {
      signUp: { open: true },
      management: { apiToken },
      limits: { ...manyRequests, ...manyMails },
    }
    node = await startNode({ settings, ports: { hasher: counting } })
    await changeSignUp({ ...node, apiToken }, passwordInForm)
    for (const name of ['all', 'run'] as const) {
      const original = originals[name] as (...parameters: unknown[]) => unknown
      Object.assign(StatementSync.prototype, {
        [name](this: StatementSync, ...parameters: unknown[]) {
          statements.push(this.sourceSQL)
          return original.apply(this, parameters)
        },
      })
    }
  })
  afterAll(async () => {
    Object.assign(StatementSync.prototype, originals)
    await node.close()
  })

  test('A64: each step costs the same statements and hashes for an address that is taken as for a free one', async () => {
    const costs = async (email: string) => {
      const visitor = newVisitor(node)
      await visitor.begins()
      const steps: unknown[] = []
      for (const [name, send] of walk(email)) {
        await node.engine.delivery.idle()
        statements = []
        hashes = 0
        await send(visitor)
        // The mail worker works later, and policies are read anew every two seconds.
        const own = statements.filter(
          (line) => !/outbox|mail_suppressions|policy_rules|from "settings"|^(begin|commit)/.test(line),
        )
        steps.push({ name, hashes, statements: own })
      }
      return steps
    }
    const taken = await costs(victim)
    expect(await costs('nina@example.com')).toEqual(taken)
    expect(JSON.stringify(taken)).toContain('"name":"a good form","hashes":1')
  })
})
