import {
  type Outcome,
  passwordChangedEffects,
  replace,
  type Step,
  sessionExpired,
  type View,
  valueAt,
} from '../../flow/index.ts'
import { badRequest } from './identifier.ts'

/**
 * The new password. Everything it ends happens with it or not at all: the user's other codes and links, other sessions,
 * and the notice that the password was changed.
 */
export const resetAuthenticator: Step = {
  name: 'reset-authenticator',
  path: 'challenge/answer',
  place: 'remediation',
  stages: ['reset'],
  about: () => 'authenticator',
  fields: (view) => replaceableIn(view).reset.fields(view.policy),
  async accept(input, context): Promise<Outcome> {
    const { person, policy, progress } = context
    if (person === undefined) throw sessionExpired('the user was removed')
    const revoke = valueAt(input, 'credentials.revokeSessions')
    if (revoke !== undefined && typeof revoke !== 'boolean') return { progress, refused: badRequest }

    const { key, reset } = replaceableIn(context)
    const result = await reset.accept(input, context, person)
    if ('refused' in result) return { progress, refused: result.refused }
    // An administrator who resets a password may do so for a break-in: the sessions from before end.
    const isByAdministrator = person.status === 'RECOVERY'
    const keepSessions = policy.recovery.offerRevokeSessions && revoke === false && !isByAdministrator
    return {
      progress: replace(progress, key),
      effects: passwordChangedEffects(context, person, result.enrollment, keepSessions),
    }
  },
}

/** The authenticator whose credential is replaced. */
export function replaceableIn({ replaceable }: View) {
  if (replaceable?.reset === undefined) throw new Error('no authenticator can be reset')
  return { ...replaceable, reset: replaceable.reset }
}
