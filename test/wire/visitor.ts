import {
  type Answer,
  answerFrom,
  type Kit,
  type Visitor,
  type VisitorOptions,
} from '../../src/testing/index.ts'
import { checkLaws } from './laws.ts'

export type { Answer, Visitor, VisitorOptions } from '../../src/testing/index.ts'

export type Json = Record<string, unknown>

export const ion = 'application/ion+json; okta-version=1.0.0'

/** The kit's visitor, each answer of the protocol checked against the laws that hold for all of them. */
export function newVisitor(idp: Kit, options: VisitorOptions = {}): Visitor {
  let recovering = false
  return idp.visitor({
    parameters: { scope: 'openid email', state: 'the state of the app' },
    ...options,
    onAnswer(answer, { stateHandle }) {
      if (answer.path.endsWith('/interact')) recovering = false
      if (answer.status === 200 && answer.path.endsWith('/recover')) recovering = true
      if (answer.status === 200 && answer.path.endsWith('/cancel')) recovering = false
      if (answer.path.startsWith('/idp/')) checkLaws(answer, { idp, stateHandle, recovering })
    },
  })
}

/** Sends a body as it is, whatever it is, to a path of the engine. */
export async function send(
  idp: Kit,
  path: string,
  request: {
    readonly method?: string
    readonly body?: string | Uint8Array<ArrayBuffer>
    readonly headers?: Record<string, string>
  },
): Promise<Answer> {
  return answerFrom(
    await fetch(`${idp.engineUrl}${path}`, { method: 'POST', redirect: 'manual', ...request }),
  )
}

/** The authenticators a response describes. */
export const authenticatorsIn = ({ authenticators }: Answer['body']): readonly Json[] =>
  authenticators?.value ?? []

/** Some code that is not this one. */
export const wrong = (code: string | null): string => (code === '000000' ? '111111' : '000000')
