import { type Step, sessionExpired, stages, unlockedKey, type View } from '../../flow/index.ts'

/**
 * Asking whether the link was used elsewhere. Charges nothing, writes nothing, and answers where the transaction
 * is, at any stage.
 */
export const poll: Step = {
  name: 'poll',
  path: 'challenge/poll',
  place: 'authenticator',
  stages,
  rendered: (view) => interval(view) !== undefined,
  refresh: interval,
  fields: () => [],
  async accept(_, { progress }) {
    if (progress.closed === 'completed' || progress.closed === 'recovered') {
      return { progress, notice: { key: 'idx.transferred.to.new.tab' } }
    }
    if (progress.closed === 'unlocked') return { progress, notice: { key: unlockedKey } }
    if (progress.closed !== undefined) throw sessionExpired(`the transaction is closed: ${progress.closed}`)
    return { progress }
  },
}

function interval({ progress: { challenge }, authenticators }: View): number | undefined {
  if (challenge === undefined || challenge.pending) return undefined
  const { challenge: verifies, enroll } = authenticators.get(challenge.authenticator) ?? {}
  return (challenge.purpose === 'verify' ? verifies : enroll)?.polls?.(challenge)
}
