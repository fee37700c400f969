import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Environment } from '../../config/index.ts'
import { CommandError } from '../command.ts'

/** A port that `rekey dev` is to listen on, and the flag that changes it. */
interface WantedPort {
  readonly port: number
  readonly flag: string
}

/**
 * The command as it was started, to which more flags can be added: a user of `npm start` has no `rekey` on the path.
 */
export function startedAs(env: Environment): string {
  const {
    npm_lifecycle_event: script,
    npm_lifecycle_script: line = '',
    npm_config_user_agent: agent = '',
  } = env
  if (script === undefined) return 'rekey dev'
  if (script === 'npx') return 'npx rekey-engine dev'
  const manager = /^(yarn|pnpm)\//.exec(agent)?.[1] ?? 'npm'
  const run = script === 'start' ? `${manager} start` : `${manager} run ${script}`
  const own = /\bdev\b/.test(line) ? '' : ' dev'
  return `${run}${manager === 'npm' ? ' --' : ''}${own}`
}

/** Throws a CommandError that names all ports that cannot be used, at once, with flags for others that are free. */
export async function checkPorts(wanted: readonly WantedPort[], command: string): Promise<void> {
  const fixed = wanted.filter(({ port }) => port !== 0)
  for (const { port, flag } of fixed) {
    const other = fixed.find((one) => one.port === port && one.flag !== flag)
    if (other !== undefined)
      throw new CommandError(`${flag} and ${other.flag} are both ${port}: choose two ports`)
  }
  const problems = await Promise.all(fixed.map(async (one) => ({ ...one, code: await problemOf(one.port) })))
  const denied = problems.filter(({ code }) => code === 'EACCES')
  const taken = problems.filter(({ code }) => code === 'EADDRINUSE')
  const sentences = [
    ...(taken.length === 0 ? [] : [await inUse(taken, fixed, command)]),
    ...(denied.length === 0 ? [] : [needsRights(denied, command)]),
  ]
  if (sentences.length > 0) throw new CommandError(sentences.join('\n       '))
}

/** Of one port that turned out to be taken while it was used. */
export const portInUse = (port: number, flag: string, command: string): string =>
  `port ${port} is in use: stop the process there, or choose another port: ${command} ${flag} ${port + 1} (0: any free port)`

async function inUse(
  taken: readonly WantedPort[],
  all: readonly WantedPort[],
  command: string,
): Promise<string> {
  const used = new Set(all.map(({ port }) => port))
  const flags: string[] = []
  for (const { port, flag } of taken) {
    const free = await freePortAfter(port, used)
    used.add(free)
    flags.push(`${flag} ${free}`)
  }
  const one = taken.length === 1
  const ports = taken.map(({ port }) => port)
  const named = one ? `port ${ports[0]} is` : `ports ${ports.slice(0, -1).join(', ')} and ${ports.at(-1)} are`
  return `${named} in use: stop the ${one ? 'process' : 'processes'} there, or choose ${one ? 'another port' : 'other ports'}: ${command} ${flags.join(' ')} (0: any free port)`
}

function needsRights(denied: readonly WantedPort[], command: string): string {
  const flags = denied.map(({ port, flag }) => `${flag} ${port + 8000}`).join(' ')
  const ports = denied.map(({ port }) => port).join(', ')
  return `this user has no right to listen on ${denied.length === 1 ? 'port' : 'ports'} ${ports}; choose above 1023: ${command} ${flags}`
}

async function freePortAfter(port: number, used: ReadonlySet<number>): Promise<number> {
  for (let next = port + 1; next < Math.min(port + 50, 65_536); next++) {
    if (!used.has(next) && (await problemOf(next)) === undefined) return next
  }
  return 0
}

/** The code of the error of listening there; undefined where it works. Both loopbacks count, where there are both. */
async function problemOf(port: number): Promise<string | undefined> {
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer()
    try {
      server.listen({ port, host, exclusive: true })
      await once(server, 'listening')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // A machine without IPv6 has no such address.
      if (code === 'EADDRINUSE' || code === 'EACCES') return code
    } finally {
      server.close()
    }
  }
  return undefined
}
