import { recover as recovering, type Step } from '../../flow/index.ts'

/**
 * "Forgot your password?": an action on the password, on the first page and on a password challenge. It is never on
 * offer once the recovery has begun: the SDK would run it again and lose its way.
 */
export const recover: Step = {
  name: 'recover',
  path: 'recover',
  place: 'authenticator',
  stages: ['identify', 'verify'],
  offered: ({ progress, stage }) =>
    progress.intent === 'sign-in' &&
    (stage === 'identify' || progress.challenge?.authenticator === 'okta_password'),
  rendered: ({ policy, stage }) =>
    policy.recovery.authenticators.length > 0 && (stage === 'verify' || policy.signOn.start === 'password'),
  fields: () => [],
  async accept(_, { policy, progress }) {
    if (policy.recovery.authenticators.length === 0) {
      return { progress, refused: { status: 403, key: 'oie.selfservice.reset.password.not.allowed' } }
    }
    return { progress: recovering(progress) }
  },
}
