import cluster, { type Worker } from 'node:cluster'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { type Family, sumOf } from '../http/index.ts'
import { type Channel, createChannel } from './channel.ts'
import { type End, markOfWorker, type Place } from './member.ts'
import { createServices } from './services.ts'

/** What the workers of a node are started with. */
export interface Plan {
  readonly workers: number
  readonly config: Config
  /** How long a worker may take to end once it is asked to, in milliseconds; after that it is killed. */
  readonly endsWithinMs: number
}

export interface PrimaryOptions {
  readonly plan: Plan
  /** Reads the configuration again. Rejects where it cannot be used. */
  reread(): Promise<Plan>
  readonly log: Logger
  /** Resolves when the node is asked to end, which may be before it is ready. */
  readonly asked: Promise<unknown>
  /** How long a worker may take to become ready, in milliseconds; the first one, which migrates, takes what it needs. */
  readonly readyWithinMs?: number
}

/** The workers of a node, from the process that has started them. */
export interface Primary {
  /** What the workers said when they were ready: the same of all of them. */
  readonly ready: Readonly<Record<string, unknown>>
  /** Replaces the workers one by one by new ones with the configuration as it is now. Resolves when that is done. */
  reload(): Promise<void>
  /** Ends all workers. Answers whether all of them have ended in time, with nothing left undone. */
  end(): Promise<boolean>
  /** Rejects where no worker runs any more and none can be started. */
  readonly failed: Promise<never>
}

/** A worker that has ended before it was ready. */
export class WorkerNotReady extends Error {}

interface Child {
  readonly slot: Slot
  readonly process: Worker
  readonly channel: Channel
  readonly startedAt: number
  readonly gone: Promise<{ readonly code: number | null; readonly signal: string | null }>
  state: 'starting' | 'ready' | 'ending' | 'gone'
  /** Its metrics as they were last read: what it has counted is not forgotten with it. */
  metrics: readonly Family[]
}

interface Slot {
  readonly number: number
  child: Child | undefined
  /** How often in a row a worker here has ended without being asked. */
  failures: number
  timer: NodeJS.Timeout | undefined
}

/** A worker that has lived for so long has not failed at its start, in milliseconds. */
const longLivedMs = 60_000
const leastWaitMs = 250
const longestWaitMs = 30_000
/** After so many starts in a row that came to nothing, with no other worker left, the node ends. */
const mostFailures = 5
/** How long the metrics of a worker are waited for, in milliseconds. */
const metricsMs = 1500

/** The wait before a worker is started anew that has failed so often in a row: none at first, then twice as long each time. */
export const waitAfter = (failures: number): number =>
  failures < 2 ? 0 : Math.min(leastWaitMs * 2 ** (failures - 2), longestWaitMs)

/**
 * Starts the workers and looks after them: one that crashes is replaced, all are replaced in turn when the configuration is
 * read anew, and all end together. The primary opens the port, each worker accepts from it (node:cluster), and it stays open
 * while workers come and go; the primary serves no request, and holds what they share.
 *
 * @returns undefined where it was asked to end before all workers were ready
 * @throws WorkerNotReady where one does not start
 */
export async function startPrimary(options: PrimaryOptions): Promise<Primary | undefined> {
  const { log, readyWithinMs = 120_000 } = options
  let { plan } = options
  const services = createServices()
  const slots: Slot[] = []
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  let ending = false
  let exits = 0
  /** What workers that are gone have counted. */
  let past: readonly Family[] = []
  let ready: Readonly<Record<string, unknown>> = {}
  let leader: Child | undefined

  // All workers accept from one listening socket, whose queue outlives each of them. With node:cluster's own turns the primary
  // accepts and passes connections on: what it has passed to a worker that dies or hangs before it takes it stays open in the
  // primary, and is never answered (issue 17). With SO_REUSEPORT, which not every system has, a worker's queue is lost with it.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: process.argv[1] ?? '', args: process.argv.slice(2) })

  const children = (): readonly Child[] => slots.flatMap(({ child }) => child ?? [])
  const readyOnes = () => children().filter(({ state }) => state === 'ready')
  /** All that are there, those that a new one has replaced among them. */
  const alive = new Set<Child>()

  function slotOf(number: number): Slot {
    const known = slots[number - 1]
    if (known !== undefined) return known
    const slot: Slot = { number, child: undefined, failures: 0, timer: undefined }
    slots[number - 1] = slot
    return slot
  }

  function electLeader(): void {
    const [next] = readyOnes()
    if (next === leader) return
    leader?.channel.note('lead', false)
    leader = next
    leader?.channel.note('lead', true)
  }

  const others = (child: Child) => [...alive].filter((one) => one !== child)

  async function metricsOf(child: Child): Promise<readonly Family[]> {
    if (child.state === 'starting' || child.state === 'gone') return child.metrics
    const late = pause(metricsMs, undefined, { ref: false })
    const found = await Promise.race([child.channel.call<readonly Family[]>('metrics'), late, child.gone])
    if (Array.isArray(found)) child.metrics = found as readonly Family[]
    return child.metrics
  }

  async function gather(): Promise<readonly Family[]> {
    const all = await Promise.all([...alive].map(metricsOf))
    return sumOf([...all, past, ofPrimary(readyOnes().length, exits)])
  }

  /** Starts a worker for a slot. Resolves when it is ready. */
  async function start(slot: Slot, { prepares }: { readonly prepares: boolean }): Promise<Child> {
    const { config, workers } = plan
    const worker = cluster.fork({ [markOfWorker]: String(process.pid) })
    const channel = createChannel({
      send: (message, sent) => {
        if (worker.isConnected()) worker.send(message, undefined, {}, sent)
        else sent()
      },
      onMessage: (listener) => worker.on('message', listener),
    })
    const gone = Promise.withResolvers<{ code: number | null; signal: string | null }>()
    const isReady = Promise.withResolvers<Readonly<Record<string, unknown>>>()
    const child: Child = {
      ...{ slot, process: worker, channel, gone: gone.promise, startedAt: performance.now() },
      ...{ state: 'starting', metrics: [] },
    }
    alive.add(child)
    const release = services.attach(channel)
    channel.serve({
      hello: (): Place => ({ worker: slot.number, workers, prepares, config }),
      ready: isReady.resolve,
      leaving: () => void (child.state === 'ready' && !ending && replace(slot).catch(() => {})),
      gather,
      signedIn: (key: string) => {
        for (const one of others(child)) one.channel.note('alsoSignedIn', key)
      },
      announce: (what: string) => {
        for (const one of others(child)) one.channel.note('announced', what)
      },
      counted(metrics: readonly Family[]) {
        child.metrics = metrics
      },
    })
    worker.on('error', (error) =>
      log.error({ err: error, worker: slot.number }, 'a worker cannot be reached'),
    )
    worker.on('exit', (code, signal) => gone.resolve({ code, signal: signal || null }))
    void gone.promise.then((how) => {
      release()
      alive.delete(child)
      past = sumOf([past, child.metrics.filter(({ type }) => type !== 'gauge')])
      const was = child.state
      child.state = 'gone'
      if (slot.child === child) slot.child = undefined
      electLeader()
      if (was === 'ready') crashed(slot, child, how)
    })
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), readyWithinMs)
    if (prepares) clearTimeout(timer)
    try {
      const first = await Promise.race([isReady.promise, gone.promise.then((how) => ({ how }))])
      if ('how' in first) throw new WorkerNotReady(notReady(slot, first.how as Gone))
      ready = first
      child.state = 'ready'
      return child
    } finally {
      clearTimeout(timer)
    }
  }

  function crashed(slot: Slot, child: Child, { code, signal }: Gone): void {
    exits++
    const livedMs = Math.round(performance.now() - child.startedAt)
    slot.failures = livedMs >= longLivedMs ? 1 : slot.failures + 1
    if (ending) return
    const restartInMs = waitAfter(slot.failures)
    log.error(
      { worker: slot.number, pid: child.process.process.pid, exitCode: code, signal, livedMs, restartInMs },
      'a worker has ended by itself: another one takes its place',
    )
    startLater(slot, restartInMs)
  }

  function startLater(slot: Slot, ms: number): void {
    slot.timer = setTimeout(() => {
      start(slot, { prepares: false }).then(
        (child) => {
          taken(slot, child)
          log.info({ worker: slot.number, pid: child.process.process.pid }, 'a worker is ready again')
        },
        (error: Error) => {
          if (ending) return
          slot.failures++
          exits++
          if (slot.failures >= mostFailures && readyOnes().length === 0) return failed.reject(error)
          const restartInMs = waitAfter(slot.failures)
          log.error({ worker: slot.number, reason: error.message, restartInMs }, 'a worker does not start')
          startLater(slot, restartInMs)
        },
      )
    }, ms)
  }

  function taken(slot: Slot, child: Child): void {
    slot.child = child
    electLeader()
    if (ending) void finish(child, { isReplaced: false })
  }

  /** Asks a worker to end, and waits until it is gone. Answers whether it went by itself and left nothing undone. */
  async function finish(child: Child, how: End): Promise<boolean> {
    if (child.state === 'gone') return false
    const isStarting = child.state === 'starting'
    child.state = 'ending'
    electLeader()
    // Nothing that it has counted since is lost: it says so with its last words.
    if (isStarting) child.process.process.kill('SIGTERM')
    else child.channel.note('end', how)
    const timer = setTimeout(() => {
      log.warn({ worker: child.slot.number }, 'a worker has not ended in time: it is killed')
      child.process.process.kill('SIGKILL')
    }, plan.endsWithinMs)
    const { code } = await child.gone
    clearTimeout(timer)
    return code === 0
  }

  /** Puts a new worker in a slot, and only then ends the one that was there. */
  async function replace(slot: Slot, { prepares = false } = {}): Promise<void> {
    const before = slot.child
    clearTimeout(slot.timer)
    const child = await start(slot, { prepares })
    slot.failures = 0
    taken(slot, child)
    log.info({ worker: slot.number, pid: child.process.process.pid }, 'a new worker is ready')
    if (before !== undefined) await finish(before, { isReplaced: true })
  }

  async function rollOver(): Promise<void> {
    const before = plan
    try {
      plan = await options.reread()
    } catch (error) {
      log.error({ err: error }, 'the new configuration cannot be used: the workers go on with the one before')
      return
    }
    services.configure(plan.config)
    for (let number = 1; number <= plan.workers && !ending; number++) {
      try {
        await replace(slotOf(number), { prepares: number === 1 })
      } catch (error) {
        if (ending) return
        log.error(
          { worker: number, reason: (error as Error).message },
          'a worker does not start with the new configuration: those that are left go on with the one before',
        )
        if (number > 1) return
        plan = before
        services.configure(plan.config)
        return
      }
    }
    const extra = slots.slice(plan.workers)
    slots.length = Math.min(slots.length, plan.workers)
    for (const { child, timer } of extra) {
      clearTimeout(timer)
      if (child !== undefined) await finish(child, { isReplaced: true })
    }
    if (!ending) log.info({ workers: plan.workers }, 'all workers run with the configuration as it is now')
  }

  async function end(): Promise<boolean> {
    ending = true
    for (const { timer } of slots) clearTimeout(timer)
    const ended = await Promise.all(
      [...alive].map((child) =>
        child.state === 'ending' ? child.gone.then(() => true) : finish(child, { isReplaced: false }),
      ),
    )
    return ended.every((isClean) => isClean)
  }

  async function startAll(): Promise<true> {
    const first = slotOf(1)
    const begun = (slot: Slot, child: Child) => {
      taken(slot, child)
      log.info({ worker: slot.number, pid: child.process.process.pid }, 'a worker is ready')
    }
    begun(first, await start(first, { prepares: true }))
    const rest = Array.from({ length: plan.workers - 1 }, (_, index) => slotOf(index + 2))
    await Promise.all(rest.map(async (slot) => begun(slot, await start(slot, { prepares: false }))))
    return true
  }

  services.configure(plan.config)
  const starting = startAll()
  starting.catch(() => {})
  try {
    const isStarted = await Promise.race([starting, options.asked.then(() => false)])
    if (!isStarted) {
      await end()
      return undefined
    }
  } catch (error) {
    await end()
    throw error
  }

  let rolling: Promise<void> = Promise.resolve()
  return {
    get ready() {
      return ready
    },
    reload() {
      rolling = rolling.then(rollOver)
      return rolling
    },
    end,
    failed: failed.promise,
  }
}

interface Gone {
  readonly code: number | null
  readonly signal: string | null
}

const notReady = ({ number }: Slot, { code, signal }: Gone): string =>
  `worker ${number} ended before it was ready (${signal ?? `exit code ${code}`}): what it said stands above`

/** What the primary adds to the metrics of its workers. */
function ofPrimary(workers: number, exits: number): readonly Family[] {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const one = (name: string, type: 'gauge' | 'counter', help: string | undefined, value: number): Family => ({
    ...{ name, type, help, across: 'sum', samples: [[name, value]] },
  })
  return [
    one('process_cpu_seconds_total', 'counter', undefined, (user + system) / 1e6),
    one('process_resident_memory_bytes', 'gauge', undefined, rss),
    one('process_heap_used_bytes', 'gauge', undefined, heapUsed),
    one('rekey_workers', 'gauge', 'Workers of this node that are ready.', workers),
    one('rekey_worker_exits_total', 'counter', 'Workers that have ended without being asked to.', exits),
  ]
}
