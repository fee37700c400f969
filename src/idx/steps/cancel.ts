import { cancel as cancelled, isEnd, type Step, stages } from '../../flow/index.ts'

/** Starting over: this transaction ends, the interaction goes on with a new state handle at the first page. */
export const cancel: Step = {
  name: 'cancel',
  path: 'cancel',
  place: 'top',
  stages: stages.filter((stage) => !isEnd(stage)),
  fields: () => [],
  async accept(_, { chargeSuccessor, progress }) {
    const refused = await chargeSuccessor?.()
    return refused === undefined ? { progress: cancelled(progress) } : { progress, refused }
  },
}
