/** What becomes of one of many similar things, such as log lines. */
export interface Sample {
  /** Whether it is among the first of its kind in this minute. */
  readonly isAllowed: boolean
  /** Whether it is the first. */
  readonly isFirst: boolean
  /** How many were not allowed since the last one that was; 0 where this one is not. */
  readonly suppressed: number
}

export interface Sampler {
  take(kind: string): Sample
}

/** More kinds than these at once are a flood of made-up ones: the oldest are forgotten. */
const mostKinds = 500

/**
 * Lets the first few of each kind through in each minute, and counts the others. Memory is bounded. The minutes are those
 * of the process, which no change of the host's clock reaches.
 */
export function createSampler({ perMinute }: { readonly perMinute: number }): Sampler {
  const kinds = new Map<string, { readonly since: number; taken: number; suppressed: number }>()
  return {
    take(kind) {
      const now = performance.now()
      const known = kinds.get(kind)
      if (known !== undefined && now - known.since < 60_000) {
        known.taken++
        const isAllowed = known.taken <= perMinute
        if (!isAllowed) known.suppressed++
        return { isAllowed, isFirst: false, suppressed: 0 }
      }
      kinds.delete(kind)
      kinds.set(kind, { since: now, taken: 1, suppressed: 0 })
      if (kinds.size > mostKinds) kinds.delete(kinds.keys().next().value ?? kind)
      return { isAllowed: perMinute > 0, isFirst: true, suppressed: known?.suppressed ?? 0 }
    },
  }
}
