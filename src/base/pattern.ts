import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'

/** A regular expression that an administrator wrote. */
export interface LinearPattern {
  /** Whether it occurs in the text. `too-long`: the text is longer than this pattern may be matched against. */
  matches(text: string): boolean | 'too-long'
}

/** The largest program of a pattern: one with more alternatives and repetitions than any format of a value needs. */
const mostInstructions = 300
/** Instructions times characters: the most work of one match, about a tenth of a second. */
const mostSteps = 1_000_000
const mostCached = 500

type Engine = { readonly RE2JS: typeof RE2JS }
let engine: Engine | undefined
const compiled = new Map<string, LinearPattern | undefined>()

/**
 * Compiles a pattern for RE2, which matches in linear time: a JavaScript expression such as `^(a+)+$` would stop the
 * process for seconds at 28 characters, and twice as long at each further one (A61). Undefined where RE2 does not take it:
 * lookahead, lookbehind and back references need more than linear time, or its program is too large.
 */
export function linearPattern(source: string): LinearPattern | undefined {
  if (compiled.has(source)) return compiled.get(source)
  if (compiled.size >= mostCached) compiled.clear()
  const pattern = compile(source)
  compiled.set(source, pattern)
  return pattern
}

function compile(source: string): LinearPattern | undefined {
  // Loaded with the first pattern: most installations have none.
  engine ??= createRequire(import.meta.url)('re2js') as Engine
  const { RE2JS } = engine
  try {
    // Both: as a schema it is read by clients, whose expressions are those of JavaScript.
    new RegExp(source)
    const program = RE2JS.compile(RE2JS.translateRegExp(source))
    const size = program.programSize()
    if (size > mostInstructions) return undefined
    return {
      matches: (text) => (text.length * size > mostSteps ? 'too-long' : program.matcher(text).find()),
    }
  } catch {
    return undefined
  }
}
