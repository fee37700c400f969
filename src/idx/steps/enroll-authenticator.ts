import { attempt, proofOf, prove, type Step, withdraw } from '../../flow/index.ts'
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
    const { progress, now, enrollable } = context
    const { key, enroll, ...authenticator } = enrolling(context)
    // Asked for no more: the user has enrolled it elsewhere since. A sign-in that began before must not replace what the
    // user has by a password alone (A69); it goes on without the enrolment, and asks for what is enrolled where it must.
    if (!enrollable.some((one) => one.key === key)) return { progress: withdraw(progress) }
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
