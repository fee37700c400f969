import type { PathFault } from '../control/port.ts'

/** Failures that a test has requested. */
export interface Faults {
  /** Answers the next requests to a path (`times`, default 1) with the status, without processing them. */
  next(path: string, fault: { readonly status: number; readonly times?: number }): void
  clear(): void
}

/** Stores the requested failures until they occur. */
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
