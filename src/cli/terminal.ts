import { createInterface } from 'node:readline'
import { text as readAll } from 'node:stream/consumers'
import { styleText } from 'node:util'
import type { Environment } from '../config/index.ts'

/**
 * The rules of the terminal: standard output carries only the result; all other messages go to standard error, without
 * a capital at the start and without a full stop. Colours are used only if standard output is a terminal.
 */
export interface Terminal {
  readonly env: Environment
  /** The working folder. */
  readonly folder: string
  /** Whether standard output is a terminal. */
  readonly isRead: boolean
  /** Whether the command can ask questions: standard input and error are terminals. */
  readonly isInteractive: boolean
  /** Prints a line of the result to standard output. */
  print(line: string): void
  /** Prints a message to standard error. */
  note(line: string): void
  /** Shows progress on one line that is overwritten; only in a terminal. An empty text clears it. */
  progress(text: string): void
  style(format: Style, text: string): string
  /** Asks for a value without showing what is typed. */
  askSecret(question: string): Promise<string>
  ask(question: string): Promise<string>
  /** Reads standard input to its end. */
  readInput(): Promise<string>
}

type Style = 'bold' | 'dim' | 'cyan' | 'green' | 'yellow' | 'red' | 'underline'

/** The terminal of this process. */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr } = process
  // The reader may close the pipe before the end: `rekey events | head -1`.
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

/** Asks on standard error, so that standard output carries only the result. */
function askLine(question: string, { hidden }: { readonly hidden: boolean }): Promise<string> {
  const { stdin, stderr } = process
  return new Promise((resolve) => {
    // The line editor echoes to its output. Without one, the typed text is not shown.
    const editor = createInterface({ input: stdin, ...(!hidden && { output: stderr }), terminal: true })
    stderr.write(question)
    editor.once('line', (line) => {
      if (hidden) stderr.write('\n')
      editor.close()
      resolve(line)
    })
    // Ctrl+C while the editor reads the keyboard.
    editor.once('SIGINT', () => {
      stderr.write('\n')
      process.exit(130)
    })
  })
}

/**
 * A text that others chose, as it may be printed: what a terminal obeys (control characters), and what changes the order of
 * what stands around it (marks of direction), become visible, such as `\\u001b`.
 */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Formats rows as aligned columns, each cell made visible. The last column is not padded. */
export function columns(cells: readonly (readonly string[])[], gap = 2): readonly string[] {
  const rows = cells.map((row) => row.map(visible))
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, n) => (n === row.length - 1 ? cell : cell.padEnd((widths[n] ?? 0) + gap)))
      .join('')
      .trimEnd(),
  )
}
