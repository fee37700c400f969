import {
  type Authenticator,
  authenticatorId,
  challenge,
  choicesOf,
  type Outcome,
  type Step,
  type StepContext,
  textAt,
  type View,
  valueAt,
} from '../../flow/index.ts'
import { badRequest } from './identifier.ts'

/** Choosing how to prove who one is. Choosing sends what must be sent, at once. */
export const selectAuthenticatorAuthenticate: Step = {
  name: 'select-authenticator-authenticate',
  path: 'challenge',
  place: 'remediation',
  stages: ['select', 'verify'],
  fields: (view) => [
    {
      name: 'authenticator',
      type: 'object',
      options: choices(view).map(({ key, displayName, methods }) => ({
        label: displayName,
        authenticator: key,
        fields: [
          { name: 'id', required: true, fixed: authenticatorId(key) },
          { name: 'methodType', required: false, fixed: methods[0] ?? '' },
        ],
      })),
    },
  ],
  async accept(input, context) {
    const id = textAt(input, 'authenticator.id')
    const chosen = choices(context).find(({ key }) => authenticatorId(key) === id)
    const method = valueAt(input, 'authenticator.methodType')
    // Never made a text of: an array `["email"]` is no method, and some objects cannot be one.
    const knownMethod =
      method === undefined ||
      method === null ||
      (typeof method === 'string' && chosen?.methods.includes(method))
    if (chosen === undefined || !knownMethod) return { progress: context.progress, refused: badRequest }
    return started(chosen, context)
  },
}

const choices = ({ progress, policy, authenticators }: View): readonly Authenticator[] =>
  choicesOf(progress, policy).flatMap((key) => {
    const authenticator = authenticators.get(key)
    return authenticator?.verify === undefined ? [] : [authenticator]
  })

/** Opens a challenge of an authenticator in place of the one before, whose code and link are worth nothing any more. */
export async function started(authenticator: Authenticator, context: StepContext): Promise<Outcome> {
  if (authenticator.verify === undefined) throw new Error(`${authenticator.key} cannot be challenged`)
  const start = await authenticator.verify.start(context)
  if (start.effects.some(({ type }) => type === 'mail.queue')) {
    const refused = await context.chargeMail()
    if (refused !== undefined) return { progress: context.progress, refused }
  }
  const outcome: Outcome = { progress: challenge(context.progress, start.challenge), effects: start.effects }
  return { ...outcome, charges: start.charges?.(outcome) ?? [] }
}
