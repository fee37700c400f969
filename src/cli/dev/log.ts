import type { Terminal } from '../terminal.ts'

const names: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

interface LogLine {
  readonly level?: number
  readonly msg?: string
  readonly err?: { readonly message?: string; readonly stack?: string }
  readonly [more: string]: unknown
}

/** Formats the JSON lines of the log for reading in a terminal. */
export const prettyLog = (terminal: Terminal) => ({
  write(text: string): void {
    const { level = 30, time: _, msg = '', err, ...more } = JSON.parse(text) as LogLine
    const name = names[level] ?? 'info'
    const details = Object.entries(more).map(([key, value]) => ` ${key}=${plain(value)}`)
    const cause = err === undefined ? '' : `: ${level >= 50 ? (err.stack ?? err.message) : err.message}`
    terminal.note(`${terminal.style(level >= 50 ? 'red' : 'yellow', name)} ${msg}${cause}${details.join('')}`)
  },
})

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
