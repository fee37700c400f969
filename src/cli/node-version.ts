/** The oldest release of each line without a hole that was known when this version of Rekey was released. */
const safe: Readonly<Record<number, { readonly version: string; readonly holes: string }>> = {
  24: { version: '24.13.0', holes: 'CVE-2025-55130, CVE-2025-55131, CVE-2025-59465 and earlier ones' },
  25: { version: '25.3.0', holes: 'CVE-2025-55130, CVE-2025-55131, CVE-2025-59465 and earlier ones' },
}

/** The first major version that Rekey runs on. */
const needed = 24

/** What is wrong with this version of Node, and what to do; undefined where nothing is known. Works offline. */
export function nodeProblem(version: string): string | undefined {
  const numbers = numbersOf(version)
  const [major = 0] = numbers
  if (major < needed) return `${version} is older than Node ${needed}: install Node ${needed} LTS`
  const line = safe[major]
  if (line === undefined || compare(numbers, numbersOf(line.version)) >= 0) return undefined
  return `${version} has known holes (${line.holes}): update to ${line.version} or newer`
}

const numbersOf = (version: string): readonly number[] =>
  version
    .replace(/^v/, '')
    .split(/[.-]/)
    .slice(0, 3)
    .map((part) => Number(part) || 0)

function compare(one: readonly number[], other: readonly number[]): number {
  for (let index = 0; index < 3; index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
