// Source maps that name the line alone, which is what a stack trace is read for: a fifth of the size of one that maps each
// column and name. The format is that of ECMA-426: numbers in base 64, each relative to the one before.
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const numberOf = new Map([...digits].map((digit, value) => [digit, value]))

function decode(segment) {
  const numbers = []
  let [value, shift] = [0, 0]
  for (const digit of segment) {
    const bits = numberOf.get(digit)
    value |= (bits & 31) << shift
    shift += 5
    if (bits & 32) continue
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1)
    ;[value, shift] = [0, 0]
  }
  return numbers
}

function encode(number) {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1
  let text = ''
  do {
    const bits = rest & 31
    rest >>>= 5
    text += digits[rest > 0 ? bits | 32 : bits]
  } while (rest > 0)
  return text
}

/** A source map (version 3) with one segment for each line that had any: where its first part comes from. */
export function lineMap({ mappings, names: _, ...map }) {
  const from = { source: 0, line: 0, column: 0 }
  const to = { source: 0, line: 0 }
  const lines = mappings.split(';').map((segments) => {
    let first
    for (const segment of segments === '' ? [] : segments.split(',')) {
      const [, source, line, column] = decode(segment)
      if (source === undefined) continue
      from.source += source
      from.line += line
      from.column += column
      first ??= { source: from.source, line: from.line }
    }
    if (first === undefined) return ''
    // Column 0 on both sides: the last 0 is relative to a column that is always 0.
    const segment = `A${encode(first.source - to.source)}${encode(first.line - to.line)}A`
    Object.assign(to, first)
    return segment
  })
  return { ...map, names: [], mappings: lines.join(';') }
}
