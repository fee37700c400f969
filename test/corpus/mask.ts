/** Where a journey begins, on the engine's clock. What is older was there before it. */
export const start = '2030-01-07T09:00:00.000Z'

const prefixes =
  '0pr|oar|oat|ora|00g|00p|00T|00u|0oa|aut|clp|eae|evt|guo|iap|key|lae|mal|msg|oae|oag|otp|pol|ptk|ref|req|rst|rul|ses|sid|tok|tos|trs|idx'
const patterns: readonly (readonly [kind: string | undefined, pattern: RegExp])[] = [
  ['state', /02\.id\.[\w-]{43}/g],
  [
    undefined,
    new RegExp(`(?<![A-Za-z0-9])(${prefixes})(?=[A-Za-z0-9]*[A-Z0-9])[A-Za-z0-9]{17}(?![A-Za-z0-9])`, 'g'),
  ],
  ['token', /(?<![\w-])[\w-]{43}(?![\w-])/g],
  ['link', /(?<![\w-])ft[A-Za-z0-9]{60}(?![\w-])/g],
  ['secret', /(?<![\w-])[\w-]{64}(?![\w-])/g],
]

export type Mask = ReturnType<typeof newMask>

/**
 * Replaces what differs from run to run by names that are the same in each: ids and handles are numbered by kind as
 * they appear, so that equal ones stay equal; a signed token becomes its header and claims.
 */
export function newMask(engineUrl: string) {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  const nameOf = (kind: string, value: string): string => {
    const known = names.get(value)
    if (known !== undefined) return known
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    const name = `<${kind} ${count}>`
    names.set(value, name)
    return name
  }

  function text(given: string): string {
    let masked = given.replaceAll(engineUrl, '<engine>').replaceAll(encodeURIComponent(engineUrl), '<engine>')
    masked = masked.replaceAll(new URL(engineUrl).host, '<host>')
    for (const [value, name] of names) {
      if (value.length < 8) masked = masked.replace(new RegExp(`(?<!\\d)${value}(?!\\d)`, 'g'), name)
    }
    for (const [kind, pattern] of patterns) {
      masked = masked.replace(pattern, (value, prefix) => nameOf(kind ?? String(prefix), value))
    }
    // A place in the log: its second part is this process's own.
    masked = masked.replace(/(after=\d+_)\d+(_)/g, '$1<ordinal>$2')
    return masked.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (time) =>
      time < start ? '<before>' : time,
    )
  }

  function value(given: unknown): unknown {
    if (typeof given === 'string') {
      const parts = /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/.test(given) ? given.split('.') : []
      if (parts.length === 0) return text(given)
      const [header, claims] = parts.map((part) => Buffer.from(part, 'base64url').toString())
      return { jwt: [value(JSON.parse(header ?? '')), value(JSON.parse(claims ?? ''))] }
    }
    if (Array.isArray(given)) return given.map(value)
    if (typeof given !== 'object' || given === null) return given
    return Object.fromEntries(
      Object.entries(given).map(([key, member]) => [
        text(key),
        key === 'at_hash' ? nameOf('hash', String(member)) : value(member),
      ]),
    )
  }

  return {
    value,
    text,
    /** Gives a value a name that no pattern knows it by, such as a code out of a mail. */
    name: (kind: string, given: string): string => nameOf(kind, given),
  }
}

const width = 120

/** JSON of which each part stands in one line where that has room, so that a difference is a few lines. */
export function render(value: unknown, indent = '', room = 0): string {
  const flat = JSON.stringify(value)
  if (typeof value !== 'object' || value === null || flat.length + indent.length + room <= width) return flat
  const inner = `${indent}  `
  const lines = Array.isArray(value)
    ? value.map((item) => inner + render(item, inner))
    : Object.entries(value).map(([key, item]) => {
        const name = `${JSON.stringify(key)}: `
        return inner + name + render(item, inner, name.length)
      })
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`
}
