interface Entry<Value> {
  readonly value: Value
  readonly expiresAt: number
}

/** A map that drops entries after `lifetime` milliseconds, and the oldest ones beyond `limit`. */
export class ExpiringMap<Value> {
  // A Map iterates in insertion order, so the oldest entry is always the first.
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #lifetime: number
  readonly #limit: number
  readonly #now: () => number

  constructor(options: { readonly lifetime: number; readonly limit: number; readonly now?: () => number }) {
    this.#lifetime = options.lifetime
    this.#limit = options.limit
    this.#now = options.now ?? Date.now
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.expiresAt > this.#now() ? entry.value : undefined
  }

  /** Sets the value and restarts its lifetime. */
  set(key: string, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, expiresAt: this.#now() + this.#lifetime })
    for (const [oldest, { expiresAt }] of this.#entries) {
      if (expiresAt > this.#now() && this.#entries.size <= this.#limit) break
      this.#entries.delete(oldest)
    }
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }
}
