import { existsSync, globSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const library = globSync('/usr/lib/{*-linux-*/,}faketime/libfaketimeMT.so.1')[0]

/** Why no host's clock can be moved here; undefined where it can. */
export const noFaketime =
  process.platform === 'linux' && library !== undefined
    ? undefined
    : 'libfaketime is not on this machine: apt-get install faketime'

/** The clock of a host, as one process sees it. Its monotonic clock runs on, as that of a real host does. */
export interface HostClock {
  /** For the process whose clock it is. */
  readonly env: Readonly<Record<string, string>>
  /** Sets it, `+1d` or `-1d` off the right time; `+0` sets it right. */
  set(off: string): void
}

export function hostClock(off = '+0'): HostClock {
  if (library === undefined || !existsSync(library)) throw new Error(noFaketime)
  const file = join(mkdtempSync(join(tmpdir(), 'rekey-faketime-')), 'off')
  const set = (to: string) => writeFileSync(file, to)
  set(off)
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
  }
}
