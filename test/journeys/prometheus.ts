/** One line of figures. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric with its description. */
export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const number = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/
const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

const fail = (line: string, why: string): never => {
  throw new Error(`${why}: ${line}`)
}

/** Reads Prometheus' text format 0.0.4, stricter than Prometheus does: throws at whatever the format does not allow. */
export function parsePrometheus(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) fail(text.slice(-40), 'the last line does not end')
  const families = new Map<string, { name: string; type: string; help: string; samples: Sample[] }>()
  const seen = new Set<string>()
  let family = { name: '', type: '', help: '', samples: [] as Sample[] }
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      if (families.has(name)) fail(line, 'a metric is described twice or apart')
      if (!metricName.test(name)) fail(line, 'no name of a metric')
      if (/\\(?![\\n])/.test(rest)) fail(line, 'an escape that there is not')
      family = { name, type: '', help: rest, samples: [] }
      families.set(name, family)
    } else if (keyword === 'TYPE') {
      if (family.name !== name || family.type !== '') fail(line, 'a type without a help before it')
      if (suffixes[rest] === undefined) fail(line, 'no type')
      if ((rest === 'counter') !== name.endsWith('_total'))
        fail(line, 'counters, and they alone, end in _total')
      family.type = rest
    } else {
      const sample = sampleOf(line)
      const known = suffixes[family.type]?.some((suffix) => sample.name === family.name + suffix)
      if (known !== true) fail(line, 'a figure of another metric than the one before it')
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`
      if (seen.has(key)) fail(line, 'a figure is told twice')
      seen.add(key)
      if (family.type === 'counter' && !(sample.value >= 0)) fail(line, 'a counter is below nothing')
      family.samples.push(sample)
    }
  }
  for (const { type, name, samples } of families.values()) {
    if (samples.length === 0) fail(name, 'a metric without figures')
    if (type === 'histogram') checkHistogram(name, samples)
  }
  return families
}

function sampleOf(line: string): Sample {
  const [, name = '', inner, value = ''] = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (!metricName.test(name)) fail(line, 'no figure')
  if (!number.test(value)) fail(line, 'no number')
  const labels: Record<string, string> = {}
  let rest = inner ?? ''
  if (inner === '') fail(line, 'braces around nothing')
  while (rest !== '') {
    const [all = '', label = '', text = ''] =
      /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/.exec(rest) ?? []
    if (all === '') fail(line, 'no label')
    if (label in labels) fail(line, 'a label twice')
    labels[label] = text.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
    rest = rest.slice(all.length)
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

/** Buckets grow to the last one, which is the count, for each set of labels. */
function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels))
  for (const own of series.values()) {
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) =>
      Number((labels.le ?? fail(name, 'a bucket without le')).replace('+Inf', 'Infinity')),
    )
    const ascending = (values: readonly number[]) =>
      values.every((value, at) => at === 0 || value >= (values[at - 1] ?? 0))
    if (!ascending(bounds) || bounds.at(-1) !== Infinity) fail(name, 'buckets out of order')
    if (!ascending(buckets.map(({ value }) => value))) fail(name, 'buckets that shrink')
    const count = own.find((sample) => sample.name === `${name}_count`)?.value
    if (count === undefined || count !== buckets.at(-1)?.value)
      fail(name, 'a count that is not the last bucket')
    if (!own.some((sample) => sample.name === `${name}_sum`)) fail(name, 'no sum')
  }
}

/** What an engine tells at this moment. */
export async function scrape(engineUrl: string) {
  const response = await fetch(`${engineUrl}/metrics`)
  const text = await response.text()
  const families = parsePrometheus(text)
  return {
    type: response.headers.get('content-type'),
    text,
    families,
    /** The value of the figure with exactly these labels. */
    value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
      const wanted = JSON.stringify(Object.entries(labels).sort())
      return families
        .get(name)
        ?.samples.find((sample) => JSON.stringify(Object.entries(sample.labels).sort()) === wanted)?.value
    },
  }
}
