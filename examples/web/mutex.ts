/** A mutex per key: runs work with the same key sequentially, and work with different keys concurrently. */
export function createMutex() {
  const last = new Map<string, Promise<unknown>>()

  return async function withLock<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const result = (last.get(key) ?? Promise.resolve()).then(work)
    // The next caller waits for the end of this work, whether it succeeds or fails.
    const ended = result.catch(() => {})
    last.set(key, ended)
    try {
      return await result
    } finally {
      if (last.get(key) === ended) last.delete(key)
    }
  }
}
