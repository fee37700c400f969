import { passwordChangedEffects, replace, type Step, sessionExpired } from '../../flow/index.ts'
import { replaceableIn } from './reset-authenticator.ts'

/** A password that has expired signs no user in: it proves who one is, and a new one takes its place. */
export const reenrollAuthenticator: Step = {
  name: 'reenroll-authenticator',
  path: 'challenge/answer',
  place: 'remediation',
  stages: ['reenroll'],
  about: () => 'authenticator',
  fields: (view) => {
    const [credentials] = replaceableIn(view).reset.fields({
      ...view.policy,
      recovery: { ...view.policy.recovery, offerRevokeSessions: false },
    })
    return credentials === undefined ? [] : [credentials]
  },
  async accept(input, context) {
    const { person, progress } = context
    if (person === undefined) throw sessionExpired('the user was removed')
    const { key, reset } = replaceableIn(context)
    const result = await reset.accept(input, context, person)
    if ('refused' in result) return { progress, refused: result.refused }
    return {
      progress: replace(progress, key),
      effects: passwordChangedEffects(context, person, result.enrollment, false),
    }
  },
}
