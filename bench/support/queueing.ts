/** A place where work waits for one of several servers, first come first served. Times in milliseconds. */
export class Station {
  readonly name: string
  readonly servers: number
  /** When each server is free, the earliest first: a heap. */
  readonly #free: number[]
  busyMs = 0

  constructor(name: string, servers: number) {
    this.name = name
    this.servers = servers
    this.#free = new Array<number>(servers).fill(0)
  }

  /** Work that comes at a time and takes so long. Answers when it is done. Calls must come in the order of time. */
  serve(at: number, ms: number): number {
    const done = Math.max(at, this.#free[0] ?? 0) + ms
    this.busyMs += ms
    this.#replaceFirst(done)
    return done
  }

  #replaceFirst(value: number): void {
    const heap = this.#free
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      const least = right < heap.length && (heap[right] ?? 0) < (heap[left] ?? 0) ? right : left
      if (least >= heap.length || (heap[least] ?? 0) >= value) break
      heap[at] = heap[least] ?? 0
      at = least
    }
    heap[at] = value
  }
}

/** Random numbers that are the same in each run: a linear congruential generator, good enough for arrivals. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state + 1) / 4_294_967_297
  }
}

/** A time between two arrivals, or of a service, with this mean (exponential). */
export const exponential = (random: () => number, mean: number): number => -Math.log(random()) * mean

export interface Work {
  readonly station: Station
  readonly meanMs: number
}

/**
 * Requests that come when they come, each through its stations in order. Answers how long each took, in milliseconds. The stations
 * are gone through one after the other for all requests, so that each sees them in the order in which they come to it.
 */
export function simulate(
  options: { readonly perSecond: number; readonly seconds: number; readonly seed: number },
  works: readonly Work[],
): readonly number[] {
  const random = randomOf(options.seed)
  const began: number[] = []
  for (let at = 0; at < options.seconds * 1000; ) {
    at += exponential(random, 1000 / options.perSecond)
    began.push(at)
  }
  let arrivals = began.map((at, request) => ({ at, request }))
  for (const { station, meanMs } of works) {
    arrivals = arrivals
      .map(({ at, request }) => ({ at: station.serve(at, exponential(random, meanMs)), request }))
      .sort((one, other) => one.at - other.at)
  }
  const took = new Array<number>(began.length)
  for (const { at, request } of arrivals) took[request] = at - (began[request] ?? 0)
  return took
}
