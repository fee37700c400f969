import { isoTime } from '../../base/index.ts'
import {
  addClientSecret,
  type Client,
  type ClientSecret,
  changeClientSecrets,
  clientSecretsOf,
  isConfidential,
} from '../../clients/index.ts'
import { invalid, notFound } from '../errors.ts'
import { newReader, pageOf, pageWithin, textIn } from '../input.ts'
import { type Answer, type Call, type Operation, prefix } from '../operation.ts'
import { appIn, appToChange, tellUpdated } from './find.ts'

/** At most this many, so that a rotation has an old and a new one, and no forgotten third. */
const most = 2

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

function find(call: Call, client: Client): ClientSecret {
  const id = call.params.secretId ?? ''
  const secret = clientSecretsOf(client).find((one) => one.id === id)
  if (secret === undefined) throw notFound(id, 'OAuth2ClientSecret')
  return secret
}

/** A second secret beside the one in use. Its text is answered here and never again. */
async function create(call: Call): Promise<Answer> {
  const reader = newReader()
  const chosen = textIn(reader, call.body, 'client_secret', { max: 100 })
  if (chosen !== undefined && !/^[\w~.-]{14,100}$/.test(chosen)) {
    reader.problems.push('client_secret: must be 14 to 100 characters that are safe in a URL')
  }
  const { status = 'ACTIVE' } = call.body
  if (status !== 'ACTIVE' && status !== 'INACTIVE') reader.problems.push('status: must be ACTIVE or INACTIVE')
  reader.check()
  const { parts, now } = call
  const { random, secrets } = parts
  const wanted = { status: status as ClientSecret['status'], ...(chosen !== undefined && { text: chosen }) }
  return parts.storage.transaction(async (tx) => {
    const client = await appToChange(call, tx)
    if (!isConfidential(client)) throw invalid(['application_type: an app of this type has no secret'])
    if (clientSecretsOf(client).length >= most) {
      throw invalid([`client_secret: an app has ${most} secrets at most; delete one first`])
    }
    const added = await addClientSecret(tx, client, wanted, { random, secrets, now })
    if (added === 'taken') throw invalid(['client_secret: is one of this app already'])
    await tellUpdated(call, tx, client, 'secret created')
    return { status: 201, body: secretOf(parts.baseUrl(), client.id, added.secret, added.text) }
  })
}

/** Changes or removes one secret; what it may become is decided on what is stored at that moment. */
async function change(
  call: Call,
  what: string,
  wanted: (secret: ClientSecret, others: readonly ClientSecret[]) => ClientSecret | 'gone',
): Promise<Answer> {
  const { parts } = call
  return parts.storage.transaction(async (tx) => {
    const client = await appToChange(call, tx)
    const secret = find(call, client)
    const others = clientSecretsOf(client).filter(({ id }) => id !== secret.id)
    const result = wanted(secret, others)
    await changeClientSecrets(tx, client, result === 'gone' ? others : [...others, result], call.now)
    await tellUpdated(call, tx, client, `secret ${what}`)
    return result === 'gone' ? {} : { body: secretOf(parts.baseUrl(), client.id, result) }
  })
}

const deactivate = (call: Call) =>
  change(call, 'deactivated', (secret, others) => {
    if (!others.some(({ status }) => status === 'ACTIVE')) {
      throw invalid(['status: the last active secret of an app stays active'])
    }
    return { ...secret, status: 'INACTIVE', updatedAt: call.now }
  })

const activate = (call: Call) =>
  change(call, 'activated', (secret) => ({ ...secret, status: 'ACTIVE', updatedAt: call.now }))

const remove = (call: Call) =>
  change(call, 'deleted', ({ status }) => {
    if (status === 'ACTIVE') throw invalid(['status: an active secret must be deactivated first'])
    return 'gone'
  })

const all = '/apps/:appId/credentials/secrets'
const one = `${all}/:secretId`

export const secretOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'Lists the secrets of an app, without their texts.',
    async handle(call) {
      const client = await appIn(call)
      const base = call.parts.baseUrl()
      const { items, next } = pageWithin(clientSecretsOf(client), pageOf(call.query), ({ id }) => id)
      return { body: items.map((secret) => secretOf(base, client.id, secret)), next }
    },
  },
  {
    method: 'POST',
    path: all,
    role: 'all',
    summary:
      'Makes a second secret for an app, whose text is answered here alone; both are good while they are ACTIVE.',
    handle: create,
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Tells of a secret, without its text.',
    async handle(call) {
      const client = await appIn(call)
      return { body: secretOf(call.parts.baseUrl(), client.id, find(call, client)) }
    },
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Removes a secret that is deactivated.',
    handle: remove,
  },
  {
    method: 'POST',
    path: `${one}/lifecycle/activate`,
    role: 'all',
    summary: 'Sets a secret ACTIVE.',
    handle: activate,
  },
  {
    method: 'POST',
    path: `${one}/lifecycle/deactivate`,
    role: 'all',
    summary: 'Sets a secret INACTIVE: it is good for nothing from now on.',
    handle: deactivate,
  },
]
