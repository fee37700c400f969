/** A source of the time in epoch milliseconds. Everything that compares times gets `now` from one of these. */
export interface Clock {
  now(): number
  /**
   * The right time as far as it is known, which other machines compare with theirs: for the times in tokens and for
   * TOTP codes. Unlike `now` it may go back. Absent: the same as `now`.
   */
  reference?(): number
  /** The host's own clock at this moment, for a clock that runs beside it. Absent: there is nothing to compare with. */
  host?(): number
}

/** The host's clock. It may jump at any moment, so no lifetime is measured with it. */
export const systemClock: Clock = { now: () => Date.now() }

const startedAt = Date.now() - performance.now()

/**
 * The host's time as this process started, running on by the host's monotonic clock: what sets the host's clock
 * afterwards does not reach it. It may stand still while the host is suspended: see `MonotonicClock.follow`.
 */
export const processClock: Clock = {
  now: () => Math.floor(startedAt + performance.now()),
  host: () => Date.now(),
}

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
    this.#frozenAt = options.startAt ?? processClock.now()
    if (!this.#frozen && options.startAt !== undefined) this.#offset = options.startAt - processClock.now()
  }

  now(): number {
    return this.#frozen ? this.#frozenAt : processClock.now() + this.#offset
  }

  /** The host's clock with the same moves. That of a frozen clock stands still with it. */
  host(): number {
    return this.#frozen ? this.#frozenAt : systemClock.now() + this.#offset
  }

  /** Moves by a span in milliseconds; negative spans move back. */
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
    this.#frozenAt = processClock.now()
  }
}

/** A reading that is off by no more than this is followed at once; so is what a suspended host accounts for. */
const trustedMs = 60_000
/** The longest lead that melts by itself. */
export const meltableMs = trustedMs
/** Readings that agree within this are the same jump. */
const agreeMs = 10_000
/** How fast a small lead melts, as a part of the time that passes: a code of 5 minutes lives 6 seconds longer. */
const slew = 0.02

/**
 * The engine's clock. It never goes back and never stands still, so that what has expired stays expired (A44) and
 * leases, retries and budgets end. It runs by its source, which does not jump, and is corrected by readings of
 * a reference: the database server's clock, or the host's.
 *
 * Where the reference, or the source, goes back the clock runs on from where it was, ahead of the reference. A lead of up to a
 * minute melts; a longer one stays until the reference has caught up in a step, or an operator ends it (`rewind`).
 */
export class MonotonicClock implements Clock {
  readonly #source: Clock
  /** What is added to the source: the difference to the reference, as far as it is believed. */
  #offset: number
  /** How far it was ahead of the reference at `#leadSince`. */
  #lead = 0
  #leadSince = 0
  #lastReference = Number.NEGATIVE_INFINITY
  /** A reading that is not believed yet: how far it is off, and since when readings agree on it, by the source. */
  #suspected: { readonly off: number; readonly since: number } | undefined

  /**
   * @param options.highest a time that was shown before: the clock runs on from no earlier than this
   * @param options.offset the difference of the reference to the source
   */
  constructor(source: Clock, options: { readonly highest?: number; readonly offset?: number } = {}) {
    this.#source = source
    this.#offset = options.offset ?? 0
    this.#setLead((options.highest ?? 0) - this.reference())
  }

  now(): number {
    const at = this.reference()
    // A source that goes back, such as the host's clock in a test: time runs on from where it was.
    if (at < this.#lastReference) this.#setLead(this.#leadAt(this.#lastReference) + this.#lastReference - at)
    // And one that comes back from it in one step: there is nothing left to be ahead of.
    else if (this.#lead > trustedMs && at - this.#lastReference >= this.#lead) this.#lead = 0
    this.#lastReference = at
    return at + this.#leadAt(at)
  }

  /** The time of the reference, as far as it is believed. */
  reference(): number {
    return this.#source.now() + this.#offset
  }

  /** How far, in milliseconds, this clock is ahead of the last reading of the reference; negative: behind it. */
  aheadMs(): number {
    return this.now() - this.reference() - (this.#suspected?.off ?? 0)
  }

  /**
   * Corrects the clock by a reading of the reference, in epoch milliseconds. A reading that is more than a minute off
   * is believed once readings have agreed on it for `confirmMs`: a clock that jumps for some seconds changes nothing.
   * What the host slept through (`asleepMs`) explains a reading that is as far off, and is believed at once.
   * Answers whether it was followed; where it was not, read again soon.
   */
  follow(reading: number, options: { readonly confirmMs: number; readonly asleepMs?: number }): boolean {
    const off = reading - this.reference()
    const at = this.#source.now()
    const { off: suspectedOff = Number.NaN, since = at } = this.#suspected ?? {}
    const agrees = Math.abs(off - suspectedOff) <= agreeMs
    const isTrusted =
      Math.abs(off) <= trustedMs ||
      Math.abs(off - (options.asleepMs ?? 0)) <= trustedMs ||
      (agrees && at - since >= options.confirmMs)
    if (!isTrusted) {
      this.#suspected = { off, since: agrees ? since : at }
      return false
    }
    const lead = this.now() - this.reference()
    this.#suspected = undefined
    this.#offset += off
    this.#setLead(lead - off)
    return true
  }

  /** Ends the lead: time goes back to the reference. Only for an operator, or an engine that starts over from its seed. */
  rewind(): void {
    this.#setLead(0)
  }

  #setLead(lead: number): void {
    this.#lead = Math.max(0, lead)
    this.#leadSince = this.#lastReference = this.reference()
  }

  #leadAt(reference: number): number {
    if (this.#lead > meltableMs) return this.#lead
    return Math.max(0, Math.ceil(this.#lead - (reference - this.#leadSince) * slew))
  }
}

/** A time in epoch milliseconds as in the header of a mail (RFC 5322, section 3.3), in UTC. */
export const mailTime = (time: number): string => new Date(time).toUTCString().replace('GMT', '+0000')

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
