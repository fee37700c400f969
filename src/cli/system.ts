import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readSecretLine } from '../config/index.ts'
import { apiOn, inOneTransaction } from '../engine/index.ts'
import type { Api } from '../management/index.ts'
import { type Call, CommandError, configOption, dataOption, textOf } from './command.ts'
import { apiAt } from './remote.ts'
import type { Terminal } from './terminal.ts'
import { withCore } from './with-core.ts'

/** The system that a command works on: the configured database, or a remote engine. */
export interface System {
  readonly api: Api
  /** Runs the work as one database transaction; over HTTP, each call takes effect by itself. */
  change<T>(work: (api: Api) => Promise<T>): Promise<T>
}

export const systemOptions = {
  url: {
    type: 'string',
    value: 'URL',
    description:
      'use the engine at this address, with the API token in REKEY_API_TOKEN (or REKEY_API_TOKEN_FILE), instead of the database',
  },
  ...configOption,
  ...dataOption,
} as const

const actor = { id: 'cli', type: 'SystemPrincipal' } as const

/** Opens the system that the options of a command select. */
export async function onSystem(call: Call, work: (system: System) => Promise<void>): Promise<void> {
  const url = textOf(call, 'url')
  if (url === undefined) {
    return withCore(call, (core) =>
      work({ api: apiOn(core, actor), change: (task) => inOneTransaction(core, actor, task) }),
    )
  }
  const token = secretVariable(call.terminal, 'REKEY_API_TOKEN')
  if (token === undefined) {
    throw new CommandError(
      'set REKEY_API_TOKEN (or REKEY_API_TOKEN_FILE) to an API token of this engine: rekey token add NAME --role all',
    )
  }
  const api = apiAt(url, token, call.terminal.note)
  await work({ api, change: (task) => task(api) })
}

/** The value of a variable, or of the file that its form with `_FILE` names; undefined where neither is set. */
function secretVariable({ env, folder }: Terminal, name: string): string | undefined {
  const [value = '', file = ''] = [env[name], env[`${name}_FILE`]]
  if (value !== '' && file !== '') throw new CommandError(`set ${name} or ${name}_FILE, not both`)
  if (file === '') return value === '' ? undefined : value
  try {
    return readSecretLine(file, (path) => readFileSync(resolve(folder, path)))
  } catch (cause) {
    throw new CommandError(`${(cause as Error).message} (from ${name}_FILE)`)
  }
}
