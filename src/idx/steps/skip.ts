import { type Effect, type Step, skip as skipped } from '../../flow/index.ts'

/**
 * Declining the enrolments that are optional, and those that may still be put off. Each that may be put off a number of times is
 * counted, by one conditional statement: of two sign-ins with one skip left one is declined (A68).
 */
export const skip: Step = {
  name: 'skip',
  path: 'skip',
  place: 'remediation',
  stages: ['select-enroll', 'enroll-data', 'enroll'],
  offered: ({ skippable }) => skippable,
  fields: () => [],
  async accept(_, { progress, person, gracePeriods = {} }) {
    const counted = Object.entries(gracePeriods).flatMap(([authenticator, period]): readonly Effect[] =>
      period.type === 'BY_SKIP_COUNT' && person !== undefined
        ? [{ type: 'enrollment.skip', personId: person.id, authenticator, most: period.skipCount }]
        : [],
    )
    return { progress: skipped(progress), effects: counted }
  },
}
