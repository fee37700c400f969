import { cancel as cancelled, type Step } from '../../flow/index.ts'

/** Starting over: this conversation ends, the interaction goes on with a new state handle at the first page. */
export const cancel: Step = {
  name: 'cancel',
  path: 'cancel',
  place: 'top',
  stages: ['identify', 'identify-recovery', 'select', 'verify', 'reset', 'reenroll'],
  fields: () => [],
  accept: async (_, { progress }) => ({ progress: cancelled(progress) }),
}
