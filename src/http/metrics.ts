export type Labels = Readonly<Record<string, string>>

/** The value of a gauge; undefined: none at present. */
export type Reading = number | readonly (readonly [Labels, number])[] | undefined

/** Metrics in the text format of Prometheus (0.0.4): counters, gauges that are read on demand, and histograms. */
export interface Metrics {
  /** Adds to a counter; its name ends in `_total`. */
  count(name: string, labels?: Labels, by?: number): void
  /** Adds one observation, in seconds, to a histogram. */
  observe(name: string, seconds: number, labels?: Labels): void
  /**
   * Registers a value, or several with labels, that is read on every scrape. A value that cannot be read is left out: the
   * other metrics are needed most when the database is unavailable.
   */
  gauge(name: string, help: string, read: () => Reading | Promise<Reading>): void
  /** Registers a counter that is read on every scrape; its name ends in `_total`. */
  counter(name: string, help: string, read: () => Reading): void
  /** Registers a histogram without labels, which exists from now on. */
  histogram(name: string, help: string): void
  /** Sets the help text of a counter or histogram. */
  describe(name: string, help: string): void
  /** Returns all metrics as text. */
  print(): Promise<string>
}

// From a fast response without hashing to a password hash that waits in the queue.
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** How long a scrape waits for a value, in milliseconds: for a connection of a full pool, say. */
const readingMs = 2_000

/** A reading, or none where it takes too long: one locked table must not hide the other metrics. */
async function inTime(reading: Promise<Reading>): Promise<Reading> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), readingMs)
  return Promise.race([reading, promise]).finally(() => clearTimeout(timer))
}

interface Histogram {
  readonly counts: number[]
  sum: number
  total: number
}

const escapeValue = (value: string): string =>
  value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))

const escapeHelp = (text: string): string =>
  text.replace(/[\\\n]/g, (character) => (character === '\n' ? '\\n' : '\\\\'))

/** By the object: what every request counts is given as the same one each time. */
const labelTexts = new WeakMap<Labels, string>()

const labelText = (labels: Labels): string => {
  const known = labelTexts.get(labels)
  if (known !== undefined) return known
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`)
  const text = pairs.length === 0 ? '' : `{${pairs.join(',')}}`
  labelTexts.set(labels, text)
  return text
}

export function createMetrics(): Metrics {
  const helps = new Map<string, string>()
  const counters = new Map<string, Map<string, number>>()
  const histograms = new Map<string, Map<string, { readonly labels: Labels; readonly data: Histogram }>>()
  const read = new Map<
    string,
    { readonly type: 'gauge' | 'counter'; readonly read: () => Reading | Promise<Reading> }
  >()

  const series = <T>(map: Map<string, Map<string, T>>, name: string): Map<string, T> => {
    const known = map.get(name) ?? new Map<string, T>()
    map.set(name, known)
    return known
  }
  const header = (name: string, type: string): string =>
    `${helps.has(name) ? `# HELP ${name} ${escapeHelp(helps.get(name) ?? '')}\n` : ''}# TYPE ${name} ${type}\n`

  function printHistogram(name: string, labels: Labels, data: Histogram): string {
    const lines = buckets.map(
      (bound, index) =>
        `${name}_bucket${labelText({ ...labels, le: String(bound) })} ${data.counts[index] ?? 0}\n`,
    )
    return `${lines.join('')}${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${data.total}\n${name}_sum${labelText(labels)} ${data.sum}\n${name}_count${labelText(labels)} ${data.total}\n`
  }

  const entryOf = (name: string, labels: Labels) => {
    const known = series(histograms, name)
    const key = labelText(labels)
    const entry = known.get(key) ?? { labels, data: { counts: buckets.map(() => 0), sum: 0, total: 0 } }
    known.set(key, entry)
    return entry
  }

  return {
    count(name, labels = {}, by = 1) {
      const values = series(counters, name)
      const key = labelText(labels)
      values.set(key, (values.get(key) ?? 0) + by)
    },
    observe(name, seconds, labels = {}) {
      const entry = entryOf(name, labels)
      entry.data.sum += seconds
      entry.data.total += 1
      const { counts } = entry.data
      // Each bucket has what those below it have.
      const first = buckets.findIndex((bound) => seconds <= bound)
      for (let index = first < 0 ? buckets.length : first; index < buckets.length; index++) {
        counts[index] = (counts[index] ?? 0) + 1
      }
    },
    gauge(name, help, reading) {
      helps.set(name, help)
      read.set(name, { type: 'gauge', read: reading })
    },
    counter(name, help, reading) {
      helps.set(name, help)
      read.set(name, { type: 'counter', read: reading })
    },
    histogram(name, help) {
      helps.set(name, help)
      entryOf(name, {})
    },
    describe: (name, help) => void helps.set(name, help),
    async print() {
      let text = ''
      for (const [name, values] of counters) {
        text += header(name, 'counter')
        for (const [labels, value] of values) text += `${name}${labels} ${value}\n`
      }
      for (const [name, values] of histograms) {
        text += header(name, 'histogram')
        for (const { labels, data } of values.values()) text += printHistogram(name, labels, data)
      }
      const readings = [...read].map(async ([name, { type, read: reading }]) => {
        const value = await inTime(
          Promise.resolve()
            .then(reading)
            .catch(() => undefined),
        )
        const samples = typeof value === 'number' ? [[{}, value] as const] : (value ?? [])
        const lines = samples.map(([labels, sample]) => `${name}${labelText(labels)} ${sample}\n`)
        return lines.length === 0 ? '' : header(name, type) + lines.join('')
      })
      return text + (await Promise.all(readings)).join('')
    },
  }
}
