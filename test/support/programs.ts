import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'

/** Programs of the operating system that some tests need, with the package of Debian that has them. */
const packages = {
  nginx: { args: ['-v'], package: 'nginx-light' },
  haproxy: { args: ['-v'], package: 'haproxy' },
  openssl: { args: ['version'], package: 'openssl' },
  promtool: { args: ['--version'], package: 'prometheus' },
} as const

export type Program = keyof typeof packages

/** Why a test cannot run here: the first of the programs that is absent, and how to get it. Undefined: all are there. */
export function missing(...programs: readonly Program[]): string | undefined {
  const absent = programs.find((name) => spawnSync(name, packages[name].args).status !== 0)
  return absent && `${absent} is not on this machine: apt-get install ${packages[absent].package}`
}

/** A port that is free at this moment, for programs that cannot choose one by themselves. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('a port has a number')
  return address.port
}
