import { createHasher, insecureFastHash, type PasswordHasher } from '../../src/passwords/index.ts'
import type { Answer, Visitor } from '../../src/testing/index.ts'
import { isCached, watchStatements } from '../contract/statements.ts'
import { type Attacked, visit } from './attacks.ts'
import type { Node } from './nodes.ts'

/** One step of a caller, with a name for reports. */
export type Move = readonly [name: string, send: (visitor: Visitor) => Promise<Answer>]

export const guess: Move = ['a wrong code', (visitor) => visitor.answers('000000x')]

/** What a new visitor is answered, from the first page on. */
export async function run(idp: Attacked, moves: readonly Move[]) {
  const visitor = await visit(idp)
  const replies: (Answer & { readonly name: string })[] = [{ name: 'first page', ...visitor.response }]
  for (const [name, send] of moves) replies.push({ name, ...(await send(visitor)) })
  return replies
}

/** What requests cost, counted: in place of a stop-watch, which shows on a busy machine what else runs there. */
export interface StopWatch {
  /** For the engine whose hashes are counted. */
  readonly hasher: PasswordHasher
  /**
   * The statements and hashes of each step of a new visitor; without those of the policies and settings of
   * authenticators, which are read anew every two seconds, for every name.
   */
  costs(node: Node, moves: readonly Move[]): Promise<readonly unknown[]>
  /** SQLite is as it was from now on. */
  stop(): void
}

/** Listens to what requests ask of SQLite in this process until it is stopped. */
export function startStopWatch(): StopWatch {
  let hashes = 0
  let statements: string[] = []
  const counted = <T>(work: T): T => {
    hashes += 1
    return work
  }
  const hasher = createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 1000 })
  const stop = watchStatements('sqlite', (sent) => {
    // Which changes share a transaction depends on what else is at work; each has a savepoint of its own.
    const isOfBatch = /^(begin immediate|commit)$/.test(sent.text)
    if (sent.request !== undefined && !isOfBatch && !isCached(sent)) statements.push(sent.text)
  })
  return {
    hasher: {
      ...hasher,
      hash: (text) => counted(hasher.hash(text)),
      verify: (text, hash) => counted(hasher.verify(text, hash)),
    },
    async costs(node, moves) {
      const visitor = await visit(node)
      await node.engine.delivery.idle()
      const steps: unknown[] = []
      for (const [name, send] of moves) {
        statements = []
        hashes = 0
        await send(visitor)
        await node.engine.delivery.idle()
        steps.push({ name, hashes, statements: [...statements] })
      }
      return steps
    },
    stop,
  }
}
