import { expect } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { masked } from './expected.ts'
import { type Answer, ion, type Json, newVisitor, type Visitor, type VisitorOptions } from './visitor.ts'

/** One row of a table: how to get there, and everything that is answered. */
export interface State {
  readonly name: string
  /** The answer is the one it resolves with, or the last one of the visitor. */
  reach(visitor: Visitor, idp: Kit): Promise<Answer | Visitor>
  readonly status: number
  /** `application/ion+json` where nothing else is said. */
  readonly type?: string
  readonly body: Json
  readonly as?: VisitorOptions
}

/** Goes to a state as a new visitor and compares the whole answer with its row. */
export async function expectState(
  idp: Kit,
  { reach, status, type = ion, body, as = {} }: State,
): Promise<void> {
  const reached = await reach(newVisitor(idp, as), idp)
  const answer = 'response' in reached ? reached.response : reached
  expect({ status: answer.status, type: answer.type, body: masked(idp, answer.body) }).toStrictEqual({
    status,
    type,
    body,
  })
}
