import { recovered, replace, type Step, sessionExpired } from '../../flow/index.ts'
import { passwordChangedEffects, resettable } from './reset-authenticator.ts'

/** A password whose time is over signs nobody in: it proves who one is, and a new one takes its place. */
export const reenrollAuthenticator: Step = {
  name: 'reenroll-authenticator',
  path: 'challenge/answer',
  place: 'remediation',
  stages: ['reenroll'],
  fields: (view) => {
    const [credentials] = resettable(view).reset.fields({
      ...view.policy,
      recovery: { ...view.policy.recovery, offerRevokeSessions: false },
    })
    return credentials === undefined ? [] : [credentials]
  },
  async accept(input, context) {
    const { person, progress } = context
    if (person === undefined) throw sessionExpired('the person is gone')
    const result = await resettable(context).reset.accept(input, context, person)
    if ('refused' in result) return { progress, refused: result.refused }
    return {
      progress: replace(progress, recovered, context.now),
      effects: passwordChangedEffects(context, person.id, result.data, false),
    }
  },
}
