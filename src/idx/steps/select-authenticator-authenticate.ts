import {
  type Authenticator,
  authenticatorId,
  type Challenging,
  type Choice,
  challenge,
  type Effect,
  type Field,
  type Input,
  intents,
  type Option,
  type Outcome,
  type Refusal,
  type Step,
  type StepContext,
  textAt,
  unaddressed,
  type View,
  valueAt,
} from '../../flow/index.ts'
import { badRequest } from './identifier.ts'

/** Choosing how to prove who one is. Choosing sends what must be sent, at once, unless more must be known first. */
export const selectAuthenticatorAuthenticate: Step = {
  name: 'select-authenticator-authenticate',
  path: 'challenge',
  place: 'remediation',
  stages: ['select', 'verify-data', 'verify'],
  fields: (view) => [authenticatorField(view)],
  accept: choose,
}

/** The choice of an authenticator that is offered and can be challenged. */
export function authenticatorField(view: View): Field {
  const options = challengeable(view).flatMap((authenticator) => optionsOf(authenticator, view))
  return { name: 'authenticator', type: 'object', options }
}

type Challengeable = Authenticator & { readonly challenge: Challenging }

/** The authenticators that are offered and can be challenged. */
const challengeable = (view: View): readonly Challengeable[] =>
  view.choices.flatMap((authenticator) =>
    authenticator.challenge === undefined ? [] : [{ ...authenticator, challenge: authenticator.challenge }],
  )

function optionsOf(authenticator: Challengeable, view: View): readonly Option[] {
  const { key, displayName, challenge: ways } = authenticator
  const own = view.enrollments.filter((one) => one.authenticator === key)
  const enrollments = ways.optionPerEnrollment && own.length > 0 ? own : [own[0]]
  return enrollments.map((enrollment) => ({
    label: displayName,
    authenticator: key,
    enrollmentId: ways.optionPerEnrollment ? enrollment?.id : undefined,
    fields: [
      { name: 'id', required: true, fixed: authenticatorId(key) },
      ...(ways.optionFields?.(view, enrollment) ?? firstMethod(authenticator, view)),
    ],
  }))
}

/** What an option says of the method where there is nothing to choose. */
export const firstMethod = (authenticator: Authenticator, view: View): readonly Field[] => {
  const { type } = view.methodsOf(authenticator)[0] ?? authenticator.methods[0]
  return [{ name: 'methodType', required: false, fixed: type }]
}

/** Takes a choice, of the selection or of the form after it: asks for what is missing, or opens the challenge. */
export function choose(input: Input, context: StepContext): Promise<Outcome> {
  return chosen(input, context, false)
}

/** The same where nothing is asked in between: a method that was not sent is the first one. */
export const chooseAtOnce = (input: Input, context: StepContext): Promise<Outcome> =>
  chosen(input, context, true)

async function chosen(input: Input, context: StepContext, isAtOnce: boolean): Promise<Outcome> {
  const wanted = challengeable(context).find(
    ({ key }) => authenticatorId(key) === textAt(input, 'authenticator.id'),
  )
  const choice = wanted && choiceIn(wanted, input, context)
  if (wanted === undefined || choice === undefined) return { progress: context.progress, refused: badRequest }
  if (!isAtOnce && wanted.challenge.isComplete?.(choice, context) === false) {
    return {
      progress: challenge(context.progress, {
        authenticator: wanted.key,
        method: choice.method,
        purpose: 'verify',
        pending: true,
        ...(choice.enrollment && { enrollmentId: choice.enrollment.id }),
        startedAt: context.now,
        expiresAt: context.now + context.lifetimes.code,
        data: null,
      }),
    }
  }
  return started(wanted, context, choice)
}

/** Reads a choice; undefined where it names a method or an enrollment that is not there. */
export function choiceIn(authenticator: Authenticator, input: Input, view: View): Choice | undefined {
  const { key } = authenticator
  const methods = view.methodsOf(authenticator)
  const method = valueAt(input, 'authenticator.methodType')
  // Never converted to text: an array `["email"]` is no method, and some objects have no text.
  const isMethodChosen = method !== undefined && method !== null
  const known = isMethodChosen ? methods.find(({ type }) => type === method) : methods[0]
  if (known === undefined) return undefined
  const wanted = textAt(input, 'authenticator.enrollmentId')
  const own = view.enrollments.filter((one) => one.authenticator === key)
  const enrollment = own.find(({ id }) => id === wanted) ?? own[0]
  const members = valueAt(input, 'authenticator')
  return {
    method: known.type,
    isMethodChosen,
    enrollment,
    input: typeof members === 'object' && members !== null ? (members as Input) : {},
  }
}

/** Charges the source for what is about to be sent. */
export async function chargeSending(
  effects: readonly Effect[],
  context: StepContext,
): Promise<Refusal | undefined> {
  if (effects.some(({ type }) => type === 'mail.queue')) return context.chargeMail()
  return effects.some(({ type }) => type === 'text.queue') ? context.chargeText() : undefined
}

/** Opens a challenge in place of the one before, whose code and link can no longer be used. */
export async function started(
  authenticator: Authenticator,
  context: StepContext,
  choice: Choice,
): Promise<Outcome> {
  if (authenticator.challenge === undefined) throw new Error(`${authenticator.key} cannot be challenged`)
  const start = await authenticator.challenge.start(context, choice)
  if ('refused' in start) return { progress: context.progress, refused: start.refused }
  const refused = await chargeSending(start.effects, context)
  if (refused !== undefined) return { progress: context.progress, refused }
  const outcome: Outcome = {
    progress: challenge(context.progress, start.challenge),
    effects: sentAsAllowed(context, start.effects),
  }
  return { ...outcome, charges: start.charges?.(outcome) ?? [] }
}

/**
 * What is sent, to those whom the intent reaches. To all others it is written without a recipient, so that it costs the
 * same (A02, A64): an authenticator needs to know nothing of it.
 */
function sentAsAllowed({ progress, person }: StepContext, effects: readonly Effect[]): readonly Effect[] {
  const { reaches } = intents[progress.intent]
  if (reaches === undefined || reaches(person)) return effects
  return unaddressed(effects)
}
