import { didYouMean } from '../../base/index.ts'
import type { PathFault } from '../control/port.ts'
import { badRequest, readFault } from '../control/requests.ts'

/** Failures that a test has requested. */
export interface Faults {
  /**
   * Answers the next requests to a path (`times`, default 1) with the status, without processing them.
   * @throws ProtocolError 400 for a path that nothing is served at, and a status that is no error
   */
  next(path: string, fault: { readonly status: number; readonly times?: number }): void
  clear(): void
}

/** Stores the requested failures until they occur. `paths` are the routes of the engine, as patterns. */
export function createFaults(
  paths: () => readonly string[],
): Faults & { take(path: string): number | undefined } {
  let waiting: PathFault[] = []
  return {
    next(path, fault) {
      const read = readFault({ ...fault, path })
      if (!('path' in read)) return
      checkPath(read.path, paths())
      waiting.push(read)
    },
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

/** A fault of a path that is never requested would let a test pass that tests nothing. */
function checkPath(path: string, patterns: readonly string[]): void {
  if (/[{}:*]/.test(path)) {
    throw badRequest(`path must be one that is requested, without placeholders: ${JSON.stringify(path)}`)
  }
  const fits = patterns.some((pattern) =>
    new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`).test(path),
  )
  if (fits) return
  throw badRequest(
    `path: nothing is served at ${JSON.stringify(path)}${didYouMean(path, patterns) || '; GET /openapi/engine.json of the control API lists the management API, docs/flow.md the steps'}`,
  )
}
