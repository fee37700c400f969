import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Visitor } from '../../src/testing/index.ts'
import { manyMails } from '../support/attacks.ts'
import { manyRequests, type Node, startNode } from '../support/nodes.ts'
import { changeSignUp, passwordInForm } from '../support/sign-up.ts'
import { guess, type Move, type StopWatch, startStopWatch } from '../support/stop-watch.ts'

const victim = 'mary@example.com'
const apiToken = '00-token-of-the-api-that-only-these-tests-know'
const password = 'Marmalade-Harbour-31'

const walk = (email: string): readonly Move[] => {
  const userProfile = { email, firstName: 'Nina', lastName: 'Nowak' }
  const form = (passcode: string) => (visitor: Visitor) =>
    visitor.submits('enroll/new', { userProfile, credentials: { passcode } })
  return [
    ['the form', (visitor) => visitor.submits('enroll')],
    ['a password that is too short', form('short')],
    ['a good form', form(password)],
    guess,
    ['another mail', (visitor) => visitor.resends()],
    ['poll', (visitor) => visitor.polls()],
  ]
}

describe('a caller with a stop-watch, where the form asks for the password', () => {
  let node: Node
  let watch: StopWatch
  beforeAll(async () => {
    watch = startStopWatch()
    const settings = {
      signUp: { open: true },
      management: { apiToken },
      limits: { ...manyRequests, ...manyMails },
    }
    node = await startNode({ settings, ports: { hasher: watch.hasher } })
    await changeSignUp({ ...node, apiToken }, passwordInForm)
  })
  afterAll(async () => {
    watch.stop()
    await node.close()
  })

  test('A64: each step costs the same statements and hashes for an address that is taken as for a free one', async () => {
    const costs = (email: string) => watch.costs(node, walk(email))
    const taken = await costs(victim)
    expect(await costs('nina@example.com')).toEqual(taken)
    expect(JSON.stringify(taken)).toContain('"name":"a good form","hashes":1')
  })
})
