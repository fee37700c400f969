import {
  identify as identified,
  type Outcome,
  type Progress,
  type Step,
  versionOf,
} from '../../flow/index.ts'
import { readIdentifier, unknownUser } from './identifier.ts'
import { authenticatorField, chooseAtOnce } from './select-authenticator-authenticate.ts'

/**
 * Whose account is to be unlocked, and by what that is proven: one form, which sends at once. The options are what some
 * policy allows, never what the user has; the answer is the same for a locked, an unlocked and an unknown user (A64).
 */
export const selectAuthenticatorUnlockAccount: Step = {
  name: 'select-authenticator-unlock-account',
  path: 'challenge',
  place: 'remediation',
  stages: ['identify-unlock'],
  fields: (view) => [
    { name: 'identifier', label: 'Username', required: true, value: view.loginHint },
    authenticatorField(view),
  ],
  async accept(input, context) {
    const { policy, progress } = context
    const read = readIdentifier(input, progress)
    if ('refused' in read) return read.refused
    const { identifier } = read
    const person = await context.directory.findByIdentifier(identifier)
    if (person === undefined && policy.recovery.revealUnknown) return unknownUser(progress, identifier)
    const named = identified(progress, person ? { identifier, userId: person.id } : { identifier })
    const outcome = await chooseAtOnce(input, await context.about(named))
    return {
      ...unnamedIfRefused(outcome, progress),
      // As it was found by its name: had the name become another user's since, the mail would be about that user.
      user: versionOf(context.transaction.id, person),
    }
  },
}

/** A choice that is refused, at once or by a budget, names no user: the form comes back as it was. */
const unnamedIfRefused = (outcome: Outcome, progress: Progress): Outcome => ({
  ...outcome,
  ...(outcome.refused !== undefined && { progress }),
  charges: (outcome.charges ?? []).map((charge) => ({
    ...charge,
    otherwise: unnamedIfRefused(charge.otherwise, progress),
  })),
})
