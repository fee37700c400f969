/** A source of the time in epoch milliseconds. Everything that compares times gets `now` from one of these. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/**
 * A clock that is moved by its user: frozen between moves, or running on with an offset. For tests and the dev engine.
 */
export class VirtualClock implements Clock {
  readonly #frozen: boolean
  #offset = 0
  #frozenAt: number

  /** @param options.frozen true: time stands still between moves; false: it runs on from wherever it was moved to. */
  constructor(options: { readonly frozen?: boolean; readonly startAt?: number } = {}) {
    this.#frozen = options.frozen ?? false
    this.#frozenAt = options.startAt ?? Date.now()
    if (!this.#frozen && options.startAt !== undefined) this.#offset = options.startAt - Date.now()
  }

  now(): number {
    return this.#frozen ? this.#frozenAt : Date.now() + this.#offset
  }

  /** Moves by a span in milliseconds; negative spans move back, as a broken host's clock would. */
  advance(ms: number): void {
    if (this.#frozen) this.#frozenAt += ms
    else this.#offset += ms
  }

  /** Moves to a moment in epoch milliseconds. */
  set(at: number): void {
    this.advance(at - this.now())
  }

  /** Back to the host's time. */
  reset(): void {
    this.#offset = 0
    this.#frozenAt = Date.now()
  }
}

/**
 * A clock that never runs behind the highest time that it has shown, or was created with: a host clock that is set back
 * must not revive a code that has expired (A44).
 */
export class MonotonicClock implements Clock {
  readonly #source: Clock
  #highest: number
  #offset: number

  constructor(source: Clock, options: { readonly highest?: number; readonly offset?: number } = {}) {
    this.#source = source
    this.#highest = options.highest ?? 0
    this.#offset = options.offset ?? 0
  }

  now(): number {
    this.#highest = Math.max(this.#highest, this.#source.now() + this.#offset)
    return this.#highest
  }

  /** Sets what is added to the source's time: the difference to the database server's clock, say. */
  setOffset(ms: number): void {
    this.#offset = ms
  }

  /** Forgets the highest time: only for an engine that starts over from its seed. */
  rewind(highest = 0): void {
    this.#highest = highest
  }
}

export const isoTime = (at: number): string => new Date(at).toISOString()

/** A date text in epoch milliseconds, or undefined where it is not a date. */
export function parseTime(text: string): number | undefined {
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A duration such as `500ms`, `5m`, `1h30m` in milliseconds, or undefined where the text is not one. */
export function parseDuration(text: string): number | undefined {
  if (!/^-?(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * units[unit as keyof typeof units]
  }
  return text.startsWith('-') ? -total : total
}

/** A duration in the largest unit in which it is a whole number: 300000 is `5m`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= units[unit] && ms % units[unit] === 0) return `${ms / units[unit]}${unit}`
  }
  return `${ms}ms`
}
