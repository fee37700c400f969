import { authenticatorAsked, type Outcome, type Step, type StepContext, type View } from '../../flow/index.ts'
import { started } from './select-authenticator-authenticate.ts'
import { enrollWith } from './select-authenticator-enroll.ts'

/** Another code. The earlier code and link end; the wrong answers that were counted stay counted. */
export const resend: Step = {
  name: 'resend',
  path: 'challenge/resend',
  place: 'authenticator',
  stages: ['verify-data', 'verify', 'enroll-data', 'enroll'],
  offered: (view) => resending(view)?.resends === true,
  fields: () => [],
  accept: (_, context) => sendAgain(context),
}

/** The authenticator that is asked for, in the role in which it is challenged. */
function resending(view: View) {
  const authenticator = authenticatorAsked(view)
  return view.progress.challenge?.purpose === 'enroll' ? authenticator?.enroll : authenticator?.challenge
}

async function sendAgain(context: StepContext): Promise<Outcome> {
  const { challenge } = context.progress
  const authenticator = authenticatorAsked(context)
  if (authenticator === undefined) throw new Error('there is nothing to send again')
  // Nothing has been sent yet: the form that asks for what is missing comes back. Clients offer it there, too.
  if (challenge === undefined || challenge.pending) return { progress: context.progress }
  const choice = {
    method: challenge.method,
    isMethodChosen: true,
    enrollment: context.enrollments.find(({ id }) => id === challenge.enrollmentId),
    input: {},
  }
  if (challenge.purpose === 'enroll' && authenticator.enroll !== undefined) {
    return enrollWith({ ...authenticator, enroll: authenticator.enroll }, choice, context)
  }
  return started(authenticator, context, choice)
}
