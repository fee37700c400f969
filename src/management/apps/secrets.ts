import { isoTime } from '../../base/index.ts'
import {
  addClientSecret,
  type Client,
  type ClientSecret,
  changeClientSecrets,
  clientSecretsOf,
} from '../../clients/index.ts'
import { invalid, notFound } from '../errors.ts'
import { pageWithin } from '../input.ts'
import { type Answer, type Call, lifecycleOperations, type Operation, prefix } from '../operation.ts'
import { newReader, rawPageOf as pageOf, textIn } from '../reader.ts'
import { getApp, getAppForUpdate, recordAppUpdate } from './find.ts'

/** Two, for a rotation; a third would be one that was forgotten. */
const maxSecrets = 2

function secretOf(base: string, appId: string, secret: ClientSecret, text?: string): object {
  const self = `${base}${prefix}/apps/${appId}/credentials/secrets/${secret.id}`
  const next = secret.status === 'ACTIVE' ? 'deactivate' : 'activate'
  return {
    id: secret.id,
    status: secret.status,
    created: isoTime(secret.createdAt),
    lastUpdated: isoTime(secret.updatedAt),
    ...(text !== undefined && { client_secret: text }),
    _links: {
      [next]: { href: `${self}/lifecycle/${next}`, hints: { allow: ['POST'] } },
      ...(secret.status === 'INACTIVE' && { delete: { href: self, hints: { allow: ['DELETE'] } } }),
    },
  }
}

function getSecret(call: Call, client: Client): ClientSecret {
  const id = call.params.secretId ?? ''
  const secret = clientSecretsOf(client).find((one) => one.id === id)
  if (secret === undefined) throw notFound(id, 'OAuth2ClientSecret')
  return secret
}

/** Creates a second secret beside the present one. It is returned only here. */
async function create(call: Call): Promise<Answer> {
  const reader = newReader()
  const chosen = textIn(reader, call.body, 'client_secret', { max: 100 })
  if (chosen !== undefined && !/^[\w~.-]{14,100}$/.test(chosen)) {
    reader.problems.push('client_secret: must be 14 to 100 URL-safe characters')
  }
  const { status = 'ACTIVE' } = call.body
  if (status !== 'ACTIVE' && status !== 'INACTIVE') reader.problems.push('status: must be ACTIVE or INACTIVE')
  reader.check()
  const { parts, now } = call
  const { random, secrets } = parts
  const wanted = { status: status as ClientSecret['status'], ...(chosen !== undefined && { text: chosen }) }
  return parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    if (client.settings.applicationType !== 'web')
      throw invalid(['application_type: apps of this type have no secret'])
    if (clientSecretsOf(client).length >= maxSecrets) {
      throw invalid([`client_secret: an app can have at most ${maxSecrets} secrets; delete one first`])
    }
    const added = await addClientSecret(tx, client, wanted, { random, secrets, now })
    if (added === 'taken') throw invalid(['client_secret: the app has this secret already'])
    await recordAppUpdate(call, tx, client, 'secret created')
    return { status: 201, body: secretOf(parts.baseUrl(), client.id, added.secret, added.text) }
  })
}

/** Changes or deletes one secret. `wanted` decides by what is stored, under the lock. */
async function change(
  call: Call,
  what: string,
  wanted: (secret: ClientSecret, others: readonly ClientSecret[]) => ClientSecret | 'deleted',
): Promise<Answer> {
  const { parts } = call
  return parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    const secret = getSecret(call, client)
    const others = clientSecretsOf(client).filter(({ id }) => id !== secret.id)
    const result = wanted(secret, others)
    await changeClientSecrets(tx, client, result === 'deleted' ? others : [...others, result], call.now)
    await recordAppUpdate(call, tx, client, `secret ${what}`)
    return result === 'deleted' ? {} : { body: secretOf(parts.baseUrl(), client.id, result) }
  })
}

const deactivate = (call: Call) =>
  change(call, 'deactivated', (secret, others) => {
    if (!others.some(({ status }) => status === 'ACTIVE')) {
      throw invalid(['status: the last active secret of an app cannot be deactivated'])
    }
    return { ...secret, status: 'INACTIVE', updatedAt: call.now }
  })

const activate = (call: Call) =>
  change(call, 'activated', (secret) => ({ ...secret, status: 'ACTIVE', updatedAt: call.now }))

const remove = (call: Call) =>
  change(call, 'deleted', ({ status }) => {
    if (status === 'ACTIVE') throw invalid(['status: the secret must be deactivated first'])
    return 'deleted'
  })

const all = '/apps/:appId/credentials/secrets'
const one = `${all}/:secretId`

export const secretOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'List the secrets of an app, without their values',
    async handle(call) {
      const client = await getApp(call)
      const base = call.parts.baseUrl()
      const { items, next } = pageWithin(clientSecretsOf(client), pageOf(call.query), ({ id }) => id)
      return { body: items.map((secret) => secretOf(base, client.id, secret)), next }
    },
  },
  {
    method: 'POST',
    path: all,
    role: 'all',
    summary: 'Create a second secret for an app, returned only here; both are valid while they are ACTIVE',
    handle: create,
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a secret of an app, without its value',
    async handle(call) {
      const client = await getApp(call)
      return { body: secretOf(call.parts.baseUrl(), client.id, getSecret(call, client)) }
    },
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a deactivated secret',
    handle: remove,
  },
  ...lifecycleOperations(one, 'a secret of an app', (call, status) =>
    status === 'ACTIVE' ? activate(call) : deactivate(call),
  ),
]
