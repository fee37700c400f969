import { parseDuration } from './clock.ts'
import { ConfigError } from './errors.ts'

/** The shortest and the longest duration that what uses an option can hold, such as `1s` and `24h`. */
export interface DurationSpan {
  readonly least: string
  readonly most: string
}

const pattern = '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$'

/** The part of an option's schema that makes it a duration: its form, and what is allowed. */
export const durationIn = (least: string, most: string, examples = '`5m` or `1h30m`') => ({
  pattern,
  hint: `a span such as ${examples}`,
  span: { least, most },
})

/** What is wrong with a duration, as the end of a sentence that begins with its option. */
export function durationProblem(text: string, span: DurationSpan | undefined): string | undefined {
  const ms = parseDuration(text)
  if (ms === undefined) return 'must be a span such as `5m` or `1h30m`'
  if (span === undefined) return undefined
  const [least = 0, most = 0] = [parseDuration(span.least), parseDuration(span.most)]
  return ms >= least && ms <= most ? undefined : `must be a span from \`${span.least}\` to \`${span.most}\``
}

/** A duration of a checked configuration in milliseconds. Throws a ConfigError for a text that is none. */
export function durationMs(text: string, option: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new ConfigError([`${option}: ${durationProblem(text, undefined)}`])
  return ms
}
