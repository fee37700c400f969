import { register, type Step } from '../../flow/index.ts'

/**
 * "Sign up": on the first page, before a user is known, where the app's policy lets visitors make accounts. Clients post it again
 * after an answer that was refused, so at the form that it leads to it changes nothing.
 */
export const selectEnrollProfile: Step = {
  name: 'select-enroll-profile',
  path: 'enroll',
  place: 'remediation',
  stages: ['identify', 'enroll-profile'],
  offered: ({ progress, registration, stage }) =>
    registration?.isOpen === true && (stage === 'enroll-profile' || progress.intent === 'sign-in'),
  rendered: ({ stage }) => stage === 'identify',
  fields: () => [],
  accept: async (_, { progress, stage }) => ({
    progress: stage === 'enroll-profile' ? progress : register(progress),
  }),
}
