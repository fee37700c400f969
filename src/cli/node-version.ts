/** The first major version that Rekey runs on. */
const needed = 24

/**
 * The oldest release of each line without a hole that was known when this version of Rekey was released: that of the
 * security release of 2026-10-21 (CVE-2026-111497, CVE-2026-105482, CVE-2026-106069 and others).
 */
const safe: Readonly<Record<number, string>> = { 24: '24.22.1', 26: '26.12.1' }
/** Lines that had ended by then: they get no fixes. */
const ended: readonly number[] = [25]

/** What is wrong with this version of Node, and what to do; undefined where nothing is known. Works offline. */
export function nodeProblem(version: string): string | undefined {
  const numbers = numbersOf(version)
  const [major = 0] = numbers
  if (major < needed) return `${version} is older than Node ${needed}: install Node ${needed} LTS`
  if (ended.includes(major))
    return `the line of ${version} has ended and gets no fixes: install Node ${needed} LTS`
  const oldest = safe[major]
  if (oldest === undefined || !isOlder(numbers, numbersOf(oldest))) return undefined
  return `${version} has known holes, such as CVE-2026-111497: update to ${oldest} or newer`
}

const numbersOf = (version: string): readonly number[] =>
  version
    .replace(/^v/, '')
    .split(/[.-]/)
    .slice(0, 3)
    .map((part) => Number(part) || 0)

function isOlder(one: readonly number[], other: readonly number[]): boolean {
  const at = [0, 1, 2].find((index) => one[index] !== other[index])
  return at !== undefined && (one[at] ?? 0) < (other[at] ?? 0)
}
