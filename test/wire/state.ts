import { expect } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { masked } from './expected.ts'
import { ion, type Json, newVisitor, type Seen, type Visitor, type VisitorOptions } from './visitor.ts'

/** One row of a table: how to get there, and everything that is answered. */
export interface State {
  readonly name: string
  reach(visitor: Visitor, idp: Kit): Promise<Seen>
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
  const answer = await reach(newVisitor(idp, as), idp)
  expect({ status: answer.status, type: answer.type, body: masked(idp, answer.body) }).toStrictEqual({
    status,
    type,
    body,
  })
}
