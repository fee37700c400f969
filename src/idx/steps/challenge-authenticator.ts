import { prove, type Step, type View } from '../../flow/index.ts'
import { missing } from './identifier.ts'
import { attempt } from './judged.ts'

/** Answering the open challenge: the code from the mail, or the password. */
export const challengeAuthenticator: Step = {
  name: 'challenge-authenticator',
  path: 'challenge/answer',
  place: 'remediation',
  stages: ['verify'],
  fields: (view) => challengedBy(view).verify.fields(view.progress.challenge),
  async accept(input, context) {
    const { progress, now } = context
    const authenticator = challengedBy(context)
    const right = prove(progress, { authenticator: authenticator.key, at: now })
    const outcome = await attempt(context, authenticator, input, right)
    return outcome ?? missing(progress, 'credentials.passcode')
  },
}

/** The authenticator of the open challenge, which can be verified or there would be no challenge. */
export function challengedBy({ progress, authenticators }: View) {
  const authenticator = authenticators.get(progress.challenge?.authenticator ?? '')
  if (authenticator?.verify === undefined) throw new Error('there is no challenge that could be answered')
  return { ...authenticator, verify: authenticator.verify }
}
