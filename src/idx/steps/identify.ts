import {
  attempt,
  identify as identified,
  proofOf,
  prove,
  type Step,
  type View,
  versionOf,
} from '../../flow/index.ts'
import { readIdentifier, unknownUser, unreadable } from './identifier.ts'

/** The first page: a username, and in the password-first policy the password with it. */
export const identify: Step = {
  name: 'identify',
  path: 'identify',
  place: 'remediation',
  stages: ['identify'],
  fields: (view) => [
    { name: 'identifier', label: 'Username', required: true, value: view.loginHint },
    ...(view.policy.signOn.start === 'password'
      ? askedWithIdentifier(view).challenge.fields(undefined, view)
      : []),
    { name: 'rememberMe', label: 'Keep me signed in', type: 'boolean' },
  ],
  async accept(input, context) {
    const { now, policy, progress } = context
    const read = readIdentifier(input, progress)
    if ('refused' in read) return read.refused
    const { identifier } = read
    const person = await context.directory.findByIdentifier(identifier)
    if (person === undefined && policy.recovery.revealUnknown) return unknownUser(progress, identifier)
    const named = identified(
      progress,
      person ? { identifier, userId: person.id } : { identifier },
      input.rememberMe === true,
    )
    if (policy.signOn.start === 'identifier') return { progress: named }

    const { key, challenge, ...authenticator } = askedWithIdentifier(context)
    const { admit, judge } = challenge
    const outcome = await attempt(
      await context.about(named),
      {
        key,
        judge,
        ...(admit && { admit }),
        // A wrong answer leaves no user named: the first page comes back as it was.
        before: progress,
        right: (judgement) => prove(named, proofOf({ key, ...authenticator }, undefined, judgement, now)),
      },
      input,
    )
    // As it was found by its name: had the name become another user's since, the answer would be about that user.
    return {
      ...(outcome ?? unreadable(progress, input, challenge.fields(undefined, context))),
      user: versionOf(context.transaction.id, person),
    }
  },
}

/** The authenticator that the first page asks for together with the name. */
function askedWithIdentifier({ authenticators }: View) {
  const found = [...authenticators.values()].find(({ challenge }) => challenge?.withIdentifier)
  if (found?.challenge === undefined) throw new Error('no authenticator is asked for with the identifier')
  return { ...found, challenge: found.challenge }
}
