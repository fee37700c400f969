import {
  attempt,
  authenticatorAsked,
  proofOf,
  prove,
  type Step,
  type View,
  withdraw,
} from '../../flow/index.ts'
import { unreadable } from './identifier.ts'

/** Answering the open challenge: the code from the mail, or the password. */
export const challengeAuthenticator: Step = {
  name: 'challenge-authenticator',
  path: 'challenge/answer',
  place: 'remediation',
  stages: ['verify'],
  about: (view) => challengedBy(view).challenge.about ?? 'enrollment',
  fields: (view) => challengedBy(view).challenge.fields(view.progress.challenge, view),
  async accept(input, context) {
    const { choices, progress, now } = context
    const { key, challenge, ...authenticator } = challengedBy(context)
    // An administrator has switched it off since, or its method: its codes are good for nothing any more, those on their way included.
    if (!choices.some((one) => one.key === key) || !isMethodInUse(context)) {
      return { progress: withdraw(progress) }
    }
    const { admit, judge } = challenge
    const outcome = await attempt(
      context,
      {
        key,
        judge,
        ...(admit && { admit }),
        before: progress,
        right: (judgement) =>
          prove(progress, proofOf({ key, ...authenticator }, progress.challenge?.method, judgement, now)),
      },
      input,
    )
    return outcome ?? unreadable(progress, input, challenge.fields(progress.challenge, context))
  },
}

/** Whether the method of the open challenge may still be used: none of those that are switched off, or that a rule leaves out (A68). */
export function isMethodInUse(view: View): boolean {
  const { method } = view.progress.challenge ?? {}
  const authenticator = authenticatorAsked(view)
  return authenticator !== undefined && view.methodsOf(authenticator).some(({ type }) => type === method)
}

/** The authenticator that is asked for, which can be challenged or there would be no challenge. */
export function challengedBy(view: View) {
  const authenticator = authenticatorAsked(view)
  if (authenticator?.challenge === undefined) throw new Error('there is no challenge that could be answered')
  return { ...authenticator, challenge: authenticator.challenge }
}
