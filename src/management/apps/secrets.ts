import { type Static, Type } from 'typebox'
import {
  addClientSecret,
  type Client,
  type ClientSecret,
  changeClientSecrets,
  clientSecretsOf,
} from '../../clients/index.ts'
import { invalid, notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import {
  type Answer,
  type Call,
  type Context,
  lifecycleOperations,
  type Operation,
  operation,
} from '../operation.ts'
import { page } from '../schema.ts'
import { checkGranted } from './delegation.ts'
import { getApp, getAppForUpdate, recordAppUpdate } from './find.ts'
import { newSecret, secret } from './schema.ts'
import { renderSecret } from './wire.ts'

/** Two, for a rotation; a third would be one that was forgotten. */
const maxSecrets = 2

function getSecret(call: Context, client: Client): ClientSecret {
  const id = call.params.secretId ?? ''
  const found = clientSecretsOf(client).find((one) => one.id === id)
  if (found === undefined) throw notFound(id, 'OAuth2ClientSecret')
  return found
}

/** Creates a second secret beside the present one. It is returned only here. */
async function create(call: Call<Static<typeof newSecret>>): Promise<Answer> {
  const { parts, now, body } = call
  const { random, secrets } = parts
  const wanted = {
    status: body.status ?? 'ACTIVE',
    ...(body.client_secret && { text: body.client_secret }),
    plantedBy: call.scopes,
  } as const
  return parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    await checkGranted(call, tx, client)
    if (client.settings.applicationType !== 'web')
      throw invalid(['application_type: apps of this type have no secret'])
    if (clientSecretsOf(client).length >= maxSecrets) {
      throw invalid([`client_secret: an app can have at most ${maxSecrets} secrets; delete one first`])
    }
    const added = await addClientSecret(tx, client, wanted, { random, secrets, now })
    if (added === 'taken') throw invalid(['client_secret: the app has this secret already'])
    await recordAppUpdate(call, tx, client, 'secret created')
    return { status: 201, body: renderSecret(parts.baseUrl(), client.id, added.secret, added.text) }
  })
}

/** Changes or deletes one secret. `wanted` decides by what is stored, under the lock. */
async function change(
  call: Context,
  what: string,
  wanted: (secret: ClientSecret, others: readonly ClientSecret[]) => ClientSecret | 'deleted',
): Promise<Answer> {
  const { parts } = call
  return parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    if (what === 'activated') await checkGranted(call, tx, client)
    const found = getSecret(call, client)
    const others = clientSecretsOf(client).filter(({ id }) => id !== found.id)
    const result = wanted(found, others)
    await changeClientSecrets(tx, client, result === 'deleted' ? others : [...others, result], call.now)
    await recordAppUpdate(call, tx, client, `secret ${what}`)
    return result === 'deleted' ? {} : { body: renderSecret(parts.baseUrl(), client.id, result) }
  })
}

const deactivate = (call: Context) =>
  change(call, 'deactivated', (found, others) => {
    if (!others.some(({ status }) => status === 'ACTIVE')) {
      throw invalid(['status: the last active secret of an app cannot be deactivated'])
    }
    return { ...found, status: 'INACTIVE', updatedAt: call.now }
  })

const activate = (call: Context) =>
  change(call, 'activated', (found) => ({ ...found, status: 'ACTIVE', updatedAt: call.now }))

const remove = (call: Context) =>
  change(call, 'deleted', ({ status }) => {
    if (status === 'ACTIVE') throw invalid(['status: the secret must be deactivated first'])
    return 'deleted'
  })

const all = '/apps/:appId/credentials/secrets'
const one = `${all}/:secretId`

export const secretOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'List the secrets of an app, without their values',
    query: page,
    response: Type.Array(secret),
    async handle(call) {
      const client = await getApp(call)
      const base = call.parts.baseUrl()
      const { items, next } = pageWithin(clientSecretsOf(client), pageOf(call.query), ({ id }) => id)
      return { body: items.map((each) => renderSecret(base, client.id, each)), next }
    },
  }),
  operation({
    method: 'POST',
    path: all,
    role: 'all',
    summary: 'Create a second secret for an app, returned only here; both are valid while they are ACTIVE',
    body: newSecret,
    response: secret,
    status: 201,
    handle: create,
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a secret of an app, without its value',
    response: secret,
    async handle(call) {
      const client = await getApp(call)
      return { body: renderSecret(call.parts.baseUrl(), client.id, getSecret(call, client)) }
    },
  }),
  operation({
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a deactivated secret',
    handle: remove,
  }),
  ...lifecycleOperations(
    one,
    'a secret of an app',
    (call, status) => (status === 'ACTIVE' ? activate(call) : deactivate(call)),
    { response: secret },
  ),
]
