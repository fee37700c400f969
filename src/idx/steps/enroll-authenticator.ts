import { attempt, proofOf, prove, type Step } from '../../flow/index.ts'
import { enrolling } from './authenticator-enrollment-data.ts'
import { unreadable } from './identifier.ts'

/** Confirming an enrolment: the first code. What was enrolled counts as proven in this transaction. */
export const enrollAuthenticator: Step = {
  name: 'enroll-authenticator',
  path: 'challenge/answer',
  place: 'remediation',
  stages: ['enroll'],
  about: () => 'authenticator',
  fields: (view) => enrolling(view).enroll.fields(view.progress.challenge, view),
  async accept(input, context) {
    const { progress, now } = context
    const { key, enroll, ...authenticator } = enrolling(context)
    const outcome = await attempt(
      context,
      {
        key,
        judge: enroll.judge,
        before: progress,
        right: (judgement) =>
          prove(progress, proofOf({ key, ...authenticator }, progress.challenge?.method, judgement, now)),
      },
      input,
    )
    return outcome ?? unreadable(progress, input, enroll.fields(progress.challenge, context))
  },
}
