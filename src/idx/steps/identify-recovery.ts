import { identify as identified, type Step } from '../../flow/index.ts'
import { readIdentifier, unknownUser } from './identifier.ts'

/** Whose password was forgotten. The same next step follows for a known and for an unknown user (A01). */
export const identifyRecovery: Step = {
  name: 'identify-recovery',
  path: 'identify',
  place: 'remediation',
  stages: ['identify-recovery'],
  fields: ({ loginHint }) => [{ name: 'identifier', label: 'Username', required: true, value: loginHint }],
  async accept(input, context) {
    const { policy, progress } = context
    const read = readIdentifier(input, progress)
    if ('refused' in read) return read.refused
    const { identifier } = read
    const person = await context.directory.findByIdentifier(identifier)
    if (person === undefined && policy.recovery.revealUnknown) return unknownUser(progress, identifier)
    return { progress: identified(progress, person ? { identifier, userId: person.id } : { identifier }) }
  },
}
