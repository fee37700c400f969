import { type Step, skip as skipped } from '../../flow/index.ts'

/** Declining the enrolments that are optional. */
export const skip: Step = {
  name: 'skip',
  path: 'skip',
  place: 'remediation',
  stages: ['select-enroll', 'enroll-data', 'enroll'],
  offered: ({ skippable }) => skippable,
  fields: () => [],
  accept: async (_, { progress }) => ({ progress: skipped(progress) }),
}
