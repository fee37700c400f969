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
  offered: ({ policy, progress, stage, replaceable }) =>
    stage === 'identify'
      ? policy.signOn.start === 'password'
      : replaceable !== undefined && progress.challenge?.authenticator === replaceable.key,
  // Where no policy allows recovery it is not shown, and a caller who asks all the same is answered why.
  rendered: ({ policy }) => policy.recovery.authenticators.length > 0,
  fields: () => [],
  async accept(_, { policy, progress }) {
    if (policy.recovery.authenticators.length === 0) {
      return { progress, refused: { status: 403, key: 'oie.selfservice.reset.password.not.allowed' } }
    }
    return { progress: recovering(progress) }
  },
}
