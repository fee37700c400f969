import { evidenceOf } from '../policies/index.ts'
import type { Authenticator, Judgement } from './authenticator.ts'
import type { Proof } from './progress.ts'

/** What a right answer proves. */
export function proofOf(
  authenticator: Authenticator,
  method: string | undefined,
  judgement: Exclude<Judgement, { verdict: 'unreadable' }>,
  now: number,
): Proof {
  const { enrollmentId, setBy, evidence } = judgement
  return {
    ...evidenceOf(authenticator, method),
    ...evidence,
    at: now,
    ...(enrollmentId !== undefined && { enrollmentId }),
    ...(setBy !== undefined && { setBy }),
  }
}
