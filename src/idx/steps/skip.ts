import { type Effect, postpone, type Step, skip as skipped } from '../../flow/index.ts'

/**
 * Declining the enrolments that are optional, those that may still be put off, or to replace a credential that expires soon. Each
 * that may be put off a number of times is counted, by one conditional statement: of two sign-ins with one skip left one is
 * declined (A68).
 */
export const skip: Step = {
  name: 'skip',
  path: 'skip',
  place: 'remediation',
  stages: ['select-enroll', 'enroll-data', 'enroll', 'reenroll-warning'],
  offered: ({ skippable, stage }) => skippable || stage === 'reenroll-warning',
  fields: () => [],
  async accept(_, { progress, person, stage, gracePeriods = {} }) {
    if (stage === 'reenroll-warning') return { progress: postpone(progress) }
    const counted = Object.entries(gracePeriods).flatMap(([authenticator, period]): readonly Effect[] =>
      period.type === 'BY_SKIP_COUNT' && person !== undefined
        ? [{ type: 'enrollment.skip', personId: person.id, authenticator, most: period.skipCount }]
        : [],
    )
    return { progress: skipped(progress), effects: counted }
  },
}
