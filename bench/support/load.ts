import { existsSync, readFileSync } from 'node:fs'

/** How busy the machine was with other things: figures of a busy one say little. */
export function loadAverage(): string {
  return existsSync('/proc/loadavg') ? (readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '') : 'unknown'
}
