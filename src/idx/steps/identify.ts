import { identify as identified, judgedUser, type Outcome, prove, type Step } from '../../flow/index.ts'
import { missing, readIdentifier, unknownUser } from './identifier.ts'
import { attempt } from './judged.ts'

const password = 'okta_password'

/** The first page: a username, and in the password-first policy the password with it. */
export const identify: Step = {
  name: 'identify',
  path: 'identify',
  place: 'remediation',
  stages: ['identify'],
  fields: ({ policy }) => [
    { name: 'identifier', label: 'Username', required: true },
    ...(policy.signOn.start === 'password'
      ? [
          {
            name: 'credentials',
            type: 'object' as const,
            required: true,
            fields: [{ name: 'passcode', label: 'Password', secret: true }],
          },
        ]
      : []),
    { name: 'rememberMe', label: 'Keep me signed in', type: 'boolean' },
  ],
  async accept(input, context) {
    const { authenticators, now, policy, progress } = context
    const read = readIdentifier(input, progress)
    if ('refused' in read) return read.refused
    const { identifier } = read
    const person = await context.directory.findByIdentifier(identifier)
    if (person === undefined && policy.recovery.revealUnknown) return unknownUser(progress, identifier)
    const named = identified(progress, person ? { identifier, userId: person.id } : { identifier })
    if (policy.signOn.start === 'identifier') return { progress: named }

    const verify = authenticators.get(password)?.verify
    if (verify === undefined) throw new Error('password-first sign-in needs the password authenticator')
    const own = { ...context, progress: named, ...(await context.memberFor(person?.id)) }
    const right = prove(named, { authenticator: password, at: now })
    const outcome = await attempt(own, { key: password, verify }, input, right)
    if (outcome === undefined) return missing(progress, 'credentials.passcode')
    // As it was found by its name: had the name become another user's since, the answer would be about that user.
    return { ...unnamedIfRefused(outcome), user: judgedUser(context.transactionId, person) }
  },
}

/** A wrong password leaves no user named: the first page comes back as it was. */
function unnamedIfRefused(result: Outcome): Outcome {
  const { subject: _, ...unnamed } = result.progress
  const charges = (result.charges ?? []).map((one) => ({
    ...one,
    otherwise: unnamedIfRefused(one.otherwise),
  }))
  return { ...result, charges, ...(result.refused !== undefined && { progress: unnamed }) }
}
