/** Counts what happens again and again, and says so once a while: a flood must not fill the disk with lines (A60). */
export interface LogSampler {
  /**
   * Notes one more of a kind. The first ones are written at once, by `write(1)`; the others of the interval are counted,
   * and written as one by `write(n)` when it is over. Kinds are those of the code, never of a caller: each is remembered.
   */
  note(kind: string, write: (count: number) => void): void
  /** Writes what is counted, and stops its timers. */
  close(): void
}

interface Sampled {
  /** Written at once in this interval. */
  lines: number
  count: number
  write(count: number): void
  readonly timer: NodeJS.Timeout
}

/**
 * @param options.everyMs the interval
 * @param options.lines how many of a kind are written at once in an interval, before they are counted
 */
export function createLogSampler({
  everyMs = 60_000,
  lines = 1,
}: {
  readonly everyMs?: number
  readonly lines?: number
} = {}): LogSampler {
  const counted = new Map<string, Sampled>()

  function flush(kind: string): void {
    const found = counted.get(kind)
    if (found === undefined) return
    clearTimeout(found.timer)
    counted.delete(kind)
    if (found.count > 0) found.write(found.count)
  }

  function begin(kind: string, write: (count: number) => void): void {
    const timer = setTimeout(() => {
      const { count = 0 } = counted.get(kind) ?? {}
      flush(kind)
      // It goes on: the next line comes an interval after this one, not with the next case.
      if (count > 0) begin(kind, write)
    }, everyMs)
    timer.unref()
    counted.set(kind, { lines: 1, count: 0, write, timer })
  }

  return {
    note(kind, write) {
      const found = counted.get(kind)
      if (found === undefined) {
        write(1)
        begin(kind, write)
      } else if (found.lines < lines) {
        found.lines++
        write(1)
      } else {
        found.count++
        found.write = write
      }
    },
    close() {
      for (const kind of [...counted.keys()]) flush(kind)
    },
  }
}
