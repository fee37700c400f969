import type { Enrollment } from '../directory/index.ts'
import {
  type Authenticator,
  authenticatorId,
  enrollmentId,
  type FlowAnswer,
  type View,
} from '../flow/index.ts'

/** A factor as the classic API has it: one method of an authenticator that the user may be asked for now. */
export interface Factor {
  readonly id: string
  readonly authenticator: Authenticator
  readonly enrollment: Enrollment | undefined
  readonly kind: NonNullable<Authenticator['factor']>['kinds'][number]
}

/** The types that the API can ask for: those whose answer is a text. A passkey needs the page of its own site. */
const types: ReadonlySet<string> = new Set(['email', 'sms', 'call', 'question', 'token:software:totp'])

/** The factors on offer, in the order in which they are offered. Empty before a proof: what a user has is shown to no other. */
export function factorsOf({ view }: Pick<FlowAnswer, 'view'>): readonly Factor[] {
  if (view.progress.proofs.length === 0) return []
  return view.choices.flatMap((authenticator) => {
    if (authenticator.challenge === undefined) return []
    const own = view.enrollments.filter((one) => one.authenticator === authenticator.key)
    const methods = view.methodsOf(authenticator).map(({ type }) => type)
    const kinds = (authenticator.factor?.kinds ?? []).filter(
      ({ factorType, method }) => types.has(factorType) && methods.includes(method),
    )
    const enrollments = own.length > 0 ? own : authenticator.implicit ? [undefined] : []
    return enrollments.flatMap((enrollment) =>
      kinds
        .filter((kind) => enrollment === undefined || isOf(authenticator, kind, enrollment))
        .map((kind) => {
          const id = enrollment?.id ?? enrollmentId(authenticator, view.transaction.id)
          return { id: `${kind.idPrefix}${id.slice(3)}`, authenticator, enrollment, kind }
        }),
    )
  })
}

const isOf = ({ factor }: Authenticator, kind: Factor['kind'], enrollment: Enrollment): boolean =>
  factor?.isOf?.(kind, enrollment) ?? true

/** The factor whose challenge is open; undefined: none is. */
export function factorAsked(answer: Pick<FlowAnswer, 'view'>): Factor | undefined {
  const { challenge } = answer.view.progress
  if (challenge === undefined || challenge.pending || challenge.purpose !== 'verify') return undefined
  return factorsOf(answer).find((factor) => isAsked(factor, challenge))
}

const isAsked = (
  { authenticator, enrollment, kind }: Factor,
  challenge: NonNullable<View['progress']['challenge']>,
): boolean =>
  authenticator.key === challenge.authenticator &&
  kind.method === challenge.method &&
  (challenge.enrollmentId === undefined ||
    enrollment === undefined ||
    enrollment.id === challenge.enrollmentId)

/** What is sent to choose it. */
export const choiceOf = ({ authenticator, enrollment, kind }: Factor) => ({
  authenticator: {
    id: authenticatorId(authenticator.key),
    methodType: kind.method,
    ...(authenticator.challenge?.optionPerEnrollment && enrollment && { enrollmentId: enrollment.id }),
  },
})
