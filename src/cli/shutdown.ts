/** Settles when somebody asks this process to end; who asks a second time does not want to wait. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let told = false
    const take = (signal: NodeJS.Signals) => {
      // Ctrl+C in a terminal reaches this process twice where an old Node stands in between: once is meant.
      if (told && performance.now() - toldAt > 500) process.exit(130)
      if (told) return
      told = true
      toldAt = performance.now()
      resolve(signal)
    }
    let toldAt = 0
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, take)
  })
}

/** Settles when the process that started this one is gone. A killed one sends no signal. */
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

/** Whether the work is done in time; what it throws is thrown. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer))
}
