import { isoTime } from '../base/index.ts'
import {
  type ApiToken,
  apiRoles,
  createApiToken,
  listApiTokens,
  revokeApiToken,
} from '../management/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  onlyArgument,
  refuseMore,
  textOf,
  UsageError,
} from './command.ts'
import { columns } from './terminal.ts'
import { withCore } from './with-core.ts'

const common = { ...configOption, ...dataOption, ...jsonOption } as const

export const tokenAdd: Command = {
  takes: 'NAME',
  about: [
    'Creates a token for the management API (/api/v1) and prints it once: only its hash is stored. Callers send it as "Authorization: SSWS TOKEN".',
    'The role sets the permissions: read everything (read), also change users (users), or everything (all). Each role includes the one before.',
  ],
  options: {
    role: { type: 'string', value: 'ROLE', description: `${apiRoles.join(', ')}; default: read` },
    ...common,
  },
  examples: [
    ['rekey token add monitoring', 'create a token that can read the system log'],
    ['rekey token add provisioning --role users > token', 'create a token that may also change users'],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the name')
    refuseMore(call, 1)
    const text = textOf(call, 'role') ?? 'read'
    const role = apiRoles.find((candidate) => candidate === text)
    if (role === undefined) throw new UsageError(`--role must be one of ${apiRoles.join(', ')}`)
    await withCore(call, async ({ storage, secrets, random, clock }) => {
      const wanted = { name, role, createdBy: 'cli' }
      const { token, apiToken } = await createApiToken(storage, wanted, { secrets, random, now: clock.now() })
      const answer = { token, ...shapeOf(apiToken) }
      call.terminal.print(call.options.json ? JSON.stringify(answer, null, 2) : token)
      call.terminal.note(`created token ${name} with role ${role}; copy it now, it is not shown again`)
    })
  },
}

export const tokenList: Command = {
  about: [
    'Lists the tokens of the management API, oldest first, with the time of their last use. The tokens themselves are not stored.',
  ],
  options: common,
  examples: [['rekey token list', 'list the callers of the management API']],
  async run(call) {
    refuseMore(call, 0)
    await withCore(call, async ({ storage }) => {
      const tokens = (await listApiTokens(storage.db)).map(shapeOf)
      if (call.options.json) return call.terminal.print(JSON.stringify(tokens, null, 2))
      if (tokens.length === 0) return call.terminal.note('there is none yet: rekey token add NAME')
      const rows = tokens.map(({ id, name, role, lastUsed }) => [
        id,
        role,
        lastUsed?.slice(0, 10) ?? 'never',
        name,
      ])
      for (const line of columns([['id', 'role', 'last used', 'name'], ...rows])) call.terminal.print(line)
    })
  },
}

export const tokenRevoke: Command = {
  takes: 'ID',
  about: ['Revokes a token of the management API at once.'],
  options: common,
  examples: [['rekey token revoke 00T0123456789abcdefg', 'revoke by the id that rekey token list shows']],
  async run(call: Call) {
    const id = onlyArgument(call, 'the id')
    refuseMore(call, 1)
    await withCore(call, async ({ storage, random, clock }) => {
      if (!(await revokeApiToken(storage, id, { revokedBy: 'cli', random, now: clock.now() }))) {
        throw new CommandError(`there is no token "${id}"; see: rekey token list`)
      }
      call.terminal.print(call.options.json ? JSON.stringify({ id, revoked: true }) : `revoked ${id}`)
    })
  },
}

const shapeOf = ({ id, name, role, createdBy, createdAt, lastUsedAt }: ApiToken) => ({
  id,
  name,
  role,
  createdBy,
  created: isoTime(createdAt),
  lastUsed: lastUsedAt === null ? null : isoTime(lastUsedAt),
})
