/**
 * Resolves at the first signal that asks this process to end. A second signal exits at once.
 * @param handles answers whether a signal is taken care of elsewhere, and asks nothing to end
 */
export function untilSignal(
  handles: (signal: NodeJS.Signals) => boolean = () => false,
): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let signalled = false
    const take = (signal: NodeJS.Signals) => {
      if (!signalled && handles(signal)) return
      // With an older Node as parent, one Ctrl+C reaches this process twice: ignore the second one within 500 ms.
      if (signalled && performance.now() - signalledAt > 500) process.exit(130)
      if (signalled) return
      signalled = true
      signalledAt = performance.now()
      resolve(signal)
    }
    let signalledAt = 0
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, take)
  })
}

/** Resolves when the parent process is gone. A parent that was killed sends no signal, so this polls. */
export function untilOrphaned(everyMs = 500): Promise<void> {
  const parent = process.ppid
  return new Promise((resolve) => {
    const watch = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(watch)
      resolve()
    }, everyMs)
    watch.unref()
  })
}

/** Whether the work finishes in time. Rejects if the work rejects. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer))
}
