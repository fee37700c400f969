import { existsSync, readFileSync } from 'node:fs'

/** The load average of the machine: results on a busy machine are not reliable. */
export function loadAverage(): string {
  return existsSync('/proc/loadavg') ? (readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '') : 'unknown'
}
