import {
  attempt,
  closedSignUp,
  creationOf,
  type Effect,
  enrolls,
  proofOf,
  type Step,
  type StepContext,
  withdraw,
} from '../../flow/index.ts'
import { enrolling } from './authenticator-enrollment-data.ts'
import { isMethodInUse } from './challenge-authenticator.ts'
import { unreadable } from './identifier.ts'

/** The record of what a user has from now on. */
const enrolled = ({ person, progress, client }: StepContext, authenticator: string): Effect => ({
  type: 'audit.record',
  event: {
    eventType: 'user.mfa.factor.activate',
    displayMessage: 'Activate factor or authenticator enrollment for user',
    outcome: { result: 'SUCCESS' },
    actor: { id: person?.id ?? 'unknown', type: 'User', alternateId: progress.subject?.identifier ?? '' },
    target: [
      ...(person ? [{ id: person.id, type: 'User' }] : []),
      { id: client.id, type: 'AppInstance', displayName: client.label },
    ],
    debugData: { authenticator },
  },
})

/** What is added without a proof of an older factor does not count at once, whatever authenticator it is of (A77). */
const settling = (effect: Effect, { settlesAt }: StepContext): Effect =>
  effect.type === 'enrollment.put' && settlesAt !== undefined
    ? { ...effect, enrollment: { ...effect.enrollment, settlesAt } }
    : effect

/** Confirming an enrolment: the first code. What was enrolled counts as proven in this transaction. */
export const enrollAuthenticator: Step = {
  name: 'enroll-authenticator',
  path: 'challenge/answer',
  place: 'remediation',
  stages: ['enroll'],
  offered: (view) => enrolling(view).enroll.channels === undefined,
  about: () => 'authenticator',
  fields: (view) => enrolling(view).enroll.fields(view.progress.challenge, view),
  async accept(input, context) {
    const { progress, person, now, enrollable } = context
    const { key, enroll, reset, ...authenticator } = enrolling(context)
    // Closed since the form was sent: no answer makes a user any more, right or not.
    const closed = person?.prospective ? closedSignUp(context) : undefined
    if (closed !== undefined) return closed
    // Asked for no more: the user has enrolled it elsewhere since. A sign-in that began before must not replace what the
    // user has by a password alone (A69); it goes on without the enrolment, and asks for what is enrolled where it must.
    // The same where its method was switched off since.
    if (!enrollable.some((one) => one.key === key) || !isMethodInUse(context)) {
      return { progress: withdraw(progress) }
    }
    // The first proof of a registration makes the user, in the same database transaction.
    const creation = creationOf(context)
    const outcome = await attempt(
      context,
      {
        key,
        async judge(answer, own, challenge) {
          const judgement = await enroll.judge(answer, own, challenge)
          if (judgement.verdict !== 'right') return judgement
          // A password records itself that it was set.
          const recorded = reset === undefined ? [enrolled(context, key)] : []
          const effects = judgement.effects.map((effect) =>
            reset === undefined ? settling(effect, own) : effect,
          )
          return { ...judgement, effects: [...(creation?.effects ?? []), ...effects, ...recorded] }
        },
        ...(enroll.admit && { admit: enroll.admit }),
        before: progress,
        right: (judgement) => {
          const method = progress.challenge?.method
          const proven = enrolls(progress, proofOf({ key, ...authenticator }, method, judgement, now))
          return creation?.with(proven) ?? proven
        },
      },
      input,
    )
    return outcome ?? unreadable(progress, input, enroll.fields(progress.challenge, context))
  },
}
