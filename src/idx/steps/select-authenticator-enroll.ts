import {
  type Authenticator,
  authenticatorId,
  type Choice,
  challenge,
  type Enrolling,
  type Input,
  type Outcome,
  type Step,
  type StepContext,
  textAt,
  type View,
} from '../../flow/index.ts'
import { badRequest } from './identifier.ts'
import { chargeSending, choiceIn, firstMethod } from './select-authenticator-authenticate.ts'

/** Choosing what to enrol. The one that is being enrolled may be chosen again: it begins anew. */
export const selectAuthenticatorEnroll: Step = {
  name: 'select-authenticator-enroll',
  path: 'credential/enroll',
  place: 'remediation',
  stages: ['select-enroll', 'enroll-data', 'enroll'],
  offered: ({ enrollable: options }) => options.length > 0,
  fields: (view) => [
    {
      name: 'authenticator',
      type: 'object',
      options: enrollable(view).map((authenticator) => ({
        label: authenticator.displayName,
        authenticator: authenticator.key,
        fields: [
          { name: 'id', required: true, fixed: authenticatorId(authenticator.key) },
          ...(authenticator.enroll.optionFields?.(view) ?? firstMethod(authenticator, view)),
        ],
      })),
    },
  ],
  accept: enrollChosen,
}

type Enrollable = Authenticator & { readonly enroll: Enrolling }

const enrollable = (view: View): readonly Enrollable[] =>
  view.enrollable.flatMap((authenticator) =>
    authenticator.enroll === undefined ? [] : [{ ...authenticator, enroll: authenticator.enroll }],
  )

/** Takes a choice, of the selection or of the form after it: asks for what is missing, or begins the enrolment. */
export async function enrollChosen(input: Input, context: StepContext): Promise<Outcome> {
  const chosen = enrollable(context).find(
    ({ key }) => authenticatorId(key) === textAt(input, 'authenticator.id'),
  )
  const choice = chosen && choiceIn(chosen, input, context)
  if (chosen === undefined || choice === undefined) return { progress: context.progress, refused: badRequest }
  if (chosen.enroll.isComplete?.(choice, context) === false) {
    return {
      progress: challenge(context.progress, {
        authenticator: chosen.key,
        method: choice.method,
        purpose: 'enroll',
        pending: true,
        startedAt: context.now,
        expiresAt: context.now + context.lifetimes.code,
        data: choice.isMethodChosen ? { method: choice.method } : null,
      }),
    }
  }
  return enrollWith(chosen, choice, context)
}

/** Begins an enrolment in place of the one before. */
export async function enrollWith(chosen: Enrollable, choice: Choice, context: StepContext): Promise<Outcome> {
  const start = await chosen.enroll.start(context, choice)
  if ('refused' in start) {
    const { refused, challenge: again } = start
    return { progress: again ? challenge(context.progress, again) : context.progress, refused }
  }
  const refused = await chargeSending(start.effects, context)
  if (refused !== undefined) return { progress: context.progress, refused }
  const outcome: Outcome = { progress: challenge(context.progress, start.challenge), effects: start.effects }
  return { ...outcome, charges: start.charges?.(outcome) ?? [] }
}
