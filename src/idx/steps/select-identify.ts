import { backToSignIn, type Step } from '../../flow/index.ts'

/** From the form of a sign-up back to the first page. */
export const selectIdentify: Step = {
  name: 'select-identify',
  path: 'identify/select',
  place: 'remediation',
  stages: ['enroll-profile'],
  fields: () => [],
  accept: async (_, { progress }) => ({ progress: backToSignIn(progress) }),
}
