export type Labels = Readonly<Record<string, string>>

/** The value of a gauge; undefined: none at present. */
export type Reading = number | readonly (readonly [Labels, number])[] | undefined

/** How the values of several workers become one: for a gauge, which may be of each or of all. */
export type Across = 'sum' | 'most' | 'least'

/** A metric as it was read: what is printed, and what the workers of a node send each other. */
export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string | undefined
  readonly across: Across
  /** Each with its name and labels as they are printed. */
  readonly samples: readonly (readonly [series: string, value: number])[]
}

/** Metrics in the text format of Prometheus (0.0.4): counters, gauges that are read on demand, and histograms. */
export interface Metrics {
  /** Adds to a counter; its name ends in `_total`. */
  count(name: string, labels?: Labels, by?: number): void
  /** Adds one observation, in seconds, to a histogram. */
  observe(name: string, seconds: number, labels?: Labels): void
  /**
   * Registers a value, or several with labels, that is read on every scrape. A value that cannot be read is left out: the
   * other metrics are needed most when the database is unavailable.
   * @param across default: `most`, for what all workers of a node read alike
   */
  gauge(name: string, help: string, read: () => Reading | Promise<Reading>, across?: Across): void
  /** Registers a counter that is read on every scrape; its name ends in `_total`. */
  counter(name: string, help: string, read: () => Reading): void
  /** Registers a histogram without labels, which exists from now on. */
  histogram(name: string, help: string): void
  /** Sets the help text of a counter or histogram. */
  describe(name: string, help: string): void
  /** Returns all metrics as text, of all workers where there are several. */
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

/** Metrics as text. */
function textOf(families: readonly Family[]): string {
  const header = ({ name, type, help }: Family): string =>
    `${help === undefined ? '' : `# HELP ${name} ${escapeHelp(help)}\n`}# TYPE ${name} ${type}\n`
  return families
    .map((one) => header(one) + one.samples.map(([series, value]) => `${series} ${value}\n`).join(''))
    .join('')
}

/** The metrics of all workers of a node. */
export interface SharedMetrics {
  /** Has the others read those of this worker; `totals`: counters and histograms alone, which need no database. */
  serve(read: (what?: 'totals') => Promise<readonly Family[]>): void
  gather(): Promise<readonly Family[]>
}

export function createMetrics(shared?: SharedMetrics): Metrics {
  const helps = new Map<string, string>()
  const counters = new Map<string, Map<string, number>>()
  const histograms = new Map<string, Map<string, { readonly labels: Labels; readonly data: Histogram }>>()
  const read = new Map<
    string,
    {
      readonly type: 'gauge' | 'counter'
      readonly across: Across
      readonly read: () => Reading | Promise<Reading>
    }
  >()

  const series = <T>(map: Map<string, Map<string, T>>, name: string): Map<string, T> => {
    const known = map.get(name) ?? new Map<string, T>()
    map.set(name, known)
    return known
  }
  const seriesOf = (name: string, labels: Labels, data: Histogram): Family['samples'] => [
    ...buckets.map(
      (bound, index) =>
        [`${name}_bucket${labelText({ ...labels, le: String(bound) })}`, data.counts[index] ?? 0] as const,
    ),
    [`${name}_bucket${labelText({ ...labels, le: '+Inf' })}`, data.total],
    [`${name}_sum${labelText(labels)}`, data.sum],
    [`${name}_count${labelText(labels)}`, data.total],
  ]

  const entryOf = (name: string, labels: Labels) => {
    const known = series(histograms, name)
    const key = labelText(labels)
    const entry = known.get(key) ?? { labels, data: { counts: buckets.map(() => 0), sum: 0, total: 0 } }
    known.set(key, entry)
    return entry
  }

  shared?.serve(readAll)
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
    gauge(name, help, reading, across = 'most') {
      helps.set(name, help)
      read.set(name, { type: 'gauge', across, read: reading })
    },
    counter(name, help, reading) {
      helps.set(name, help)
      read.set(name, { type: 'counter', across: 'sum', read: reading })
    },
    histogram(name, help) {
      helps.set(name, help)
      entryOf(name, {})
    },
    describe: (name, help) => void helps.set(name, help),
    print: async () => textOf(await (shared === undefined ? readAll() : shared.gather())),
  }

  async function readAll(what?: 'totals'): Promise<readonly Family[]> {
    const summed = (name: string, type: 'counter' | 'histogram', samples: Family['samples']): Family => ({
      ...{ name, type, help: helps.get(name), across: 'sum', samples },
    })
    const families = [
      ...[...counters].map(([name, values]) =>
        summed(
          name,
          'counter',
          [...values].map(([labels, value]) => [`${name}${labels}`, value]),
        ),
      ),
      ...[...histograms].map(([name, values]) =>
        summed(
          name,
          'histogram',
          [...values.values()].flatMap(({ labels, data }) => seriesOf(name, labels, data)),
        ),
      ),
    ]
    const wanted = [...read].filter(([, { type }]) => what !== 'totals' || type === 'counter')
    const readings = wanted.map(async ([name, { type, across, read: reading }]): Promise<Family> => {
      const value = await inTime(
        Promise.resolve()
          .then(reading)
          .catch(() => undefined),
      )
      const samples = typeof value === 'number' ? [[{}, value] as const] : (value ?? [])
      return {
        ...{ name, type, help: helps.get(name), across },
        samples: samples.map(([labels, sample]) => [`${name}${labelText(labels)}`, sample]),
      }
    })
    return [...families, ...(await Promise.all(readings)).filter(({ samples }) => samples.length > 0)]
  }
}

/** The metrics of several workers as one: counters and histograms are added up, gauges as they say. */
export function sumOf(all: readonly (readonly Family[])[]): readonly Family[] {
  const merged = new Map<string, { readonly family: Family; readonly values: Map<string, number> }>()
  for (const families of all) {
    for (const family of families) {
      const { name, across } = family
      const known = merged.get(name) ?? { family, values: new Map<string, number>() }
      merged.set(name, known)
      for (const [series, value] of family.samples) {
        const before = known.values.get(series)
        known.values.set(series, before === undefined ? value : together[across](before, value))
      }
    }
  }
  return [...merged.values()].map(({ family, values }) => ({ ...family, samples: [...values] }))
}

const together: Readonly<Record<Across, (one: number, other: number) => number>> = {
  sum: (one, other) => one + other,
  most: Math.max,
  least: Math.min,
}
