/** Thrown by a step that wanted to begin dear work while another submission of its transaction is at it. */
class AlreadyClaimed extends Error {}

/** Undefined where another submission has claimed the transaction. */
export async function acceptUnlessClaimed<T>(accept: () => Promise<T>): Promise<T | undefined> {
  try {
    return await accept()
  } catch (error) {
    if (error instanceof AlreadyClaimed) return undefined
    throw error
  }
}

/**
 * Which transactions have a submission in flight that costs a hash, on this node: one at a time each (A51). Across nodes
 * the version of the transaction decides, as it does here for what is cheap.
 */
export function createClaims() {
  const claimed = new Set<string>()
  return {
    /** Runs a submission, which may claim its transaction until it ends. */
    async during<T>(transactionId: string, submission: (claim: () => void) => Promise<T>): Promise<T> {
      let own = false
      try {
        return await submission(() => {
          if (own) return
          if (claimed.has(transactionId)) throw new AlreadyClaimed(transactionId)
          claimed.add(transactionId)
          own = true
        })
      } finally {
        if (own) claimed.delete(transactionId)
      }
    },
  }
}
