import type { PathFault } from '../devtools/index.ts'

/** Answers that were asked to fail. */
export interface Faults {
  /** The next requests to a path (one, unless `times` says more) are answered with the status, and not looked at. */
  next(path: string, fault: { readonly status: number; readonly times?: number }): void
  clear(): void
}

/** Keeps the faults that are still to come. */
export function createFaults(): Faults & { take(path: string): number | undefined } {
  let waiting: PathFault[] = []
  return {
    next: (path, { status, times = 1 }) => void waiting.push({ path, status, times }),
    clear() {
      waiting = []
    },
    take(path) {
      const fault = waiting.find((candidate) => candidate.path === path)
      if (fault === undefined) return undefined
      const rest = fault.times - 1
      waiting = waiting.flatMap((other) =>
        other !== fault ? other : rest > 0 ? { ...fault, times: rest } : [],
      )
      return fault.status
    },
  }
}
