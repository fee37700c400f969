import { createInterface } from 'node:readline'
import { text as readAll } from 'node:stream/consumers'
import { styleText } from 'node:util'
import type { Environment } from '../config/index.ts'

/**
 * The rules of the terminal: standard output carries the answer and nothing else; everything that is said beside it
 * goes to standard error, without a capital at the start and without a full stop. Colours only where a person looks.
 */
export interface Terminal {
  readonly env: Environment
  /** The working folder. */
  readonly folder: string
  /** Whether a person reads standard output. */
  readonly isRead: boolean
  /** Whether a person can be asked. */
  readonly isInteractive: boolean
  /** Prints a line of the answer. */
  print(line: string): void
  /** Says something beside the answer. */
  note(line: string): void
  /** How far it is, on one line that is written over; nothing where nobody watches. An empty text takes it away. */
  progress(text: string): void
  style(format: Style, text: string): string
  /** Asks without showing what is typed. */
  askSecret(question: string): Promise<string>
  ask(question: string): Promise<string>
  /** Everything on standard input. */
  readInput(): Promise<string>
}

type Style = 'bold' | 'dim' | 'cyan' | 'green' | 'yellow' | 'red' | 'underline'

/** The terminal of this process. */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr } = process
  // Whoever reads may stop before the end: `rekey events | head -1`.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    env: process.env,
    folder: process.cwd(),
    isRead: stdout.isTTY === true,
    isInteractive: stdin.isTTY === true && stderr.isTTY === true,
    print: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    progress: (text) => void (stderr.isTTY && stderr.write(`\r\u001b[2K${text}`)),
    style: (format, text) => styleText(format, text, { stream: stdout }),
    askSecret: (question) => askLine(question, { hidden: true }),
    ask: (question) => askLine(question, { hidden: false }),
    readInput: () => readAll(stdin),
  }
}

/** Asks on standard error, so that the answer of the command stays alone on standard output. */
function askLine(question: string, { hidden }: { readonly hidden: boolean }): Promise<string> {
  const { stdin, stderr } = process
  return new Promise((resolve) => {
    // The line editor echoes to its output; with none given, nothing that is typed is shown.
    const editor = createInterface({ input: stdin, ...(!hidden && { output: stderr }), terminal: true })
    stderr.write(question)
    editor.once('line', (line) => {
      if (hidden) stderr.write('\n')
      editor.close()
      resolve(line)
    })
    // Ctrl+C while the editor has the keyboard.
    editor.once('SIGINT', () => {
      stderr.write('\n')
      process.exit(130)
    })
  })
}

/** Lines of columns of even width; the last column may be as long as it likes. */
export function columns(rows: readonly (readonly string[])[], gap = 2): readonly string[] {
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, n) => (n === row.length - 1 ? cell : cell.padEnd((widths[n] ?? 0) + gap)))
      .join('')
      .trimEnd(),
  )
}
