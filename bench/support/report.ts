import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

type Cell = string | number

/** Prints a table with aligned columns. */
export function printTable(title: string, rows: readonly Readonly<Record<string, Cell>>[]): void {
  const names = Object.keys(rows[0] ?? {})
  const text = (cell: Cell | undefined) => (typeof cell === 'number' ? rounded(cell) : (cell ?? ''))
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => text(row[name]).length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  print(`\n${title}`)
  print(line(names))
  for (const row of rows) print(line(names.map((name) => text(row[name]))))
}

const rounded = (value: number): string =>
  value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(3)

/** Whether to print one JSON object to standard output. All other output then goes to standard error. */
export const asJson = process.argv.includes('--json')

export const print = (text: string): void =>
  void (asJson ? process.stderr : process.stdout).write(`${text}\n`)

/** Writes the result to `bench/results/NAME.json` and, with `--json`, to standard output. */
export function report(name: string, result: object): void {
  const folder = join(import.meta.dirname, '../results')
  mkdirSync(folder, { recursive: true })
  const full = { name, at: new Date().toISOString(), node: process.version, cores: cpus().length, ...result }
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(full, null, 2)}\n`)
  if (asJson) process.stdout.write(`${JSON.stringify(full)}\n`)
}

/** The value of `--NAME=VALUE`, or the default. */
export const option = (name: string, fallback: string): string => argument(name) ?? fallback

/** The value of `--NAME=VALUE` or `--NAME VALUE`. */
export function argument(name: string): string | undefined {
  const prefix = `--${name}=`
  const index = process.argv.indexOf(`--${name}`)
  if (index >= 0) return process.argv[index + 1]
  return process.argv.find((one) => one.startsWith(prefix))?.slice(prefix.length)
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

/** The result of a goal or a gate. */
export const verdict = (isMet: boolean): string => (isMet ? 'met' : 'not met')
