import { type Step, sessionExpired, stages } from '../../flow/index.ts'
import { challengedBy } from './challenge-authenticator.ts'

/**
 * Asking whether the link was used elsewhere. Charges nothing, writes nothing, and answers where the transaction
 * stands, at whatever stage that is.
 */
export const poll: Step = {
  name: 'poll',
  path: 'challenge/poll',
  place: 'authenticator',
  stages,
  rendered: (view) => view.stage === 'verify' && challengedBy(view).verify.polls !== undefined,
  fields: () => [],
  async accept(_, { progress }) {
    if (progress.closed === 'completed' || progress.closed === 'recovered') {
      return { progress, notice: { key: 'idx.transferred.to.new.tab' } }
    }
    if (progress.closed !== undefined) throw sessionExpired(`the transaction is closed: ${progress.closed}`)
    return { progress }
  },
}
