import { availableParallelism, loadavg } from 'node:os'

// A bound on time says something of the engine, and must not say something of the machine that runs the test.

/** A bound in milliseconds, longer by as much as the machine has more to do than it has cores for. */
export function onThisMachine(ms: number): number {
  const [load = 0] = loadavg()
  return ms * Math.max(1, load / availableParallelism())
}

/** How many milliseconds of a processor this thread has used so far: it is not charged while others have it. */
export function processorMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
