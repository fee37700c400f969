import { type TSchema, Type } from 'typebox'
import { notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { installedAt } from '../installed.ts'
import { type Answer, type Context, type Operation, operation, type ServerFacts } from '../operation.ts'
import { page } from '../schema.ts'
import { getFacts } from './facts.ts'
import { authorizationServer, claim, scope, serverPolicy, serverPolicyRule } from './schema.ts'
import { changeScope } from './scopes.ts'
import {
  policyId,
  renderClaims,
  renderPolicy,
  renderRule,
  renderScopes,
  renderServer,
  type ServerItem,
  serverId,
} from './wire.ts'

const one = '/authorizationServers/:authServerId'

/** The operations that list items of the server and get one by its id. */
function readOperations(
  path: string,
  {
    name,
    names = `${name}s`,
    param,
    kind,
    item,
  }: {
    readonly name: string
    readonly names?: string
    readonly param: string
    readonly kind: string
    readonly item: TSchema
  },
  itemsOf: (call: Context, facts: ServerFacts) => readonly ServerItem[] | Promise<readonly ServerItem[]>,
): readonly Operation[] {
  return [
    operation({
      method: 'GET',
      path,
      role: 'read',
      summary: `List the ${names} of an authorization server`,
      query: page,
      response: Type.Array(item),
      async handle(call): Promise<Answer> {
        const all = await itemsOf(call, getFacts(call))
        const { items, next } = pageWithin(all, pageOf(call.query), ({ id }) => id)
        return { body: items, next }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:${param}`,
      role: 'read',
      summary: `Get a ${name} of an authorization server`,
      response: item,
      async handle(call): Promise<Answer> {
        const wanted = call.params[param] ?? ''
        const found = (await itemsOf(call, getFacts(call))).find(({ id }) => id === wanted)
        if (found === undefined) throw notFound(wanted, kind)
        return { body: found }
      },
    }),
  ]
}

async function rulesOf(call: Context, facts: ServerFacts): Promise<readonly ServerItem[]> {
  const asked = call.params.policyId ?? ''
  if (asked !== policyId) throw notFound(asked, 'Policy')
  return [renderRule(call, facts, await installedAt(call.parts.storage.db))]
}

export const serverOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/authorizationServers',
    role: 'read',
    summary: 'List the authorization servers: only `default`',
    query: {
      ...page,
      q: Type.Optional(Type.String({ description: 'A part of the name or of an audience.' })),
    },
    response: Type.Array(authorizationServer),
    async handle(call) {
      const facts = call.parts.authorizationServer?.()
      const q = call.query.q?.toLowerCase() ?? ''
      const isMeant = [serverId, facts?.audience ?? ''].some((text) => text.toLowerCase().includes(q))
      const all =
        facts === undefined || !isMeant
          ? []
          : [renderServer(call, facts, await installedAt(call.parts.storage.db))]
      const { items, next } = pageWithin(all, pageOf(call.query), () => serverId)
      return { body: items, next }
    },
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get an authorization server',
    response: authorizationServer,
    handle: async (call) => ({
      body: renderServer(call, getFacts(call), await installedAt(call.parts.storage.db)),
    }),
  }),
  ...readOperations(
    `${one}/policies`,
    { name: 'policy', names: 'policies', param: 'policyId', kind: 'Policy', item: serverPolicy },
    async (call) => [renderPolicy(call, await installedAt(call.parts.storage.db))],
  ),
  ...readOperations(
    `${one}/policies/:policyId/rules`,
    { name: 'rule', param: 'ruleId', kind: 'PolicyRule', item: serverPolicyRule },
    rulesOf,
  ),
  ...readOperations(
    `${one}/scopes`,
    { name: 'scope', param: 'scopeId', kind: 'OAuth2Scope', item: scope },
    renderScopes,
  ),
  changeScope,
  ...readOperations(
    `${one}/claims`,
    { name: 'claim', param: 'claimId', kind: 'OAuth2Claim', item: claim },
    renderClaims,
  ),
]
