const width = 24

/** A progress bar with a description: `████████░░░░ 33 %  4,000 users`. */
export function progressBar(done: number, of: number, description: string): string {
  const part = of > 0 ? Math.min(done / of, 1) : 1
  const full = Math.floor(part * width)
  const percent = String(Math.floor(part * 100)).padStart(3)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${percent} %  ${description}`
}

/** 12,345 */
export const grouped = (count: number): string => count.toLocaleString('en')
