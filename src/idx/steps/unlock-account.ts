import { type Step, unlock } from '../../flow/index.ts'

/**
 * "Unlock account?": on the first page, before a user is known, wherever some policy allows it. The same for every name,
 * so that nothing shows who is locked out (A64). Where none does, the SDK finds no such form and says so.
 */
export const unlockAccount: Step = {
  name: 'unlock-account',
  path: 'unlock-account',
  place: 'remediation',
  stages: ['identify'],
  offered: ({ policy, progress }) => progress.intent === 'sign-in' && policy.unlock.authenticators.length > 0,
  fields: () => [],
  accept: async (_, { progress }) => ({ progress: unlock(progress) }),
}
