/**
 * The kinds of proof over HTTP, after Okta's Authenticators API: which are in use, what for, and how long a mailed code
 * is good. There are those that the engine knows; none is made or removed here.
 */
import { type EventType, record } from '../../audit/index.ts'
import { isoTime, ProtocolError } from '../../base/index.ts'
import { authenticatorId } from '../../flow/index.ts'
import {
  type AllowedFor,
  type AuthenticatorSetup,
  authenticatorSetups,
  isAllowedFor,
  policiesNeedingEmail,
  putAuthenticatorSetup,
} from '../../policies/index.ts'
import { takeLock } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import { fieldsIn, newReader, pageOf, pageWithin, type Reader } from '../input.ts'
import { type Answer, type Call, type Operation, prefix } from '../operation.ts'

interface Kind {
  readonly key: 'okta_email' | 'okta_password'
  readonly type: string
  readonly name: string
}

const kinds: readonly Kind[] = [
  { key: 'okta_email', type: 'email', name: 'Email' },
  { key: 'okta_password', type: 'password', name: 'Password' },
]

function kindIn({ params }: Call): Kind {
  const id = params.authenticatorId ?? ''
  const kind = kinds.find(({ key }) => authenticatorId(key) === id)
  if (kind === undefined) throw notFound(id, 'Authenticator')
  return kind
}

async function setupOf(
  db: Parameters<typeof authenticatorSetups>[0],
  { key }: Kind,
): Promise<AuthenticatorSetup> {
  const setup = (await authenticatorSetups(db, [key]))[key]
  if (setup === undefined) throw new Error(`there is no setup of ${key}`)
  return setup
}

function wire(
  { parts }: Call,
  { key, type, name }: Kind,
  { status, settings, updatedAt }: AuthenticatorSetup,
): object {
  const id = authenticatorId(key)
  const self = `${parts.baseUrl()}${prefix}/authenticators/${id}`
  const minutes = Math.ceil((parts.codeLifetimeMs ?? 300_000) / 60_000)
  const next = status === 'ACTIVE' ? 'deactivate' : 'activate'
  return {
    id,
    key,
    type,
    name,
    status,
    created: isoTime(0),
    lastUpdated: isoTime(updatedAt),
    settings:
      key === 'okta_email' ? { allowedFor: 'any', tokenLifetimeInMinutes: minutes, ...settings } : settings,
    _links: {
      self: { href: self, hints: { allow: ['GET', 'PUT'] } },
      [next]: { href: `${self}/lifecycle/${next}`, hints: { allow: ['POST'] } },
    },
  }
}

/** Stores how an authenticator is set up, unless a policy that counts could not be obeyed any more. */
async function change(
  call: Call,
  eventType: Extract<EventType, `security.authenticator.${string}`>,
  wanted: (before: AuthenticatorSetup) => Omit<AuthenticatorSetup, 'updatedAt'>,
): Promise<Answer> {
  const { parts, actor, now } = call
  const kind = kindIn(call)
  const after = await parts.storage.transaction(async (tx) => {
    await takeLock(tx, 'authenticators')
    const before = await setupOf(tx, kind)
    const setup: AuthenticatorSetup = { ...wanted(before), updatedAt: now }
    const needing = await policiesNeedingEmail(tx)
    for (const use of ['sso', 'recovery'] as const) {
      if (isAllowedFor(before, use) && !isAllowedFor(setup, use)) refuse(kind, needing[use])
    }
    await putAuthenticatorSetup(tx, kind.key, setup)
    const event = {
      eventType,
      displayMessage: 'Authenticator managed',
      outcome: { result: 'SUCCESS' },
      actor,
      target: [{ id: authenticatorId(kind.key), type: 'AuthenticatorEntity', displayName: kind.name }],
    } as const
    await record(tx, event, { random: parts.random, now })
    return setup
  })
  parts.policies.forget()
  return { body: wire(call, kind, after) }
}

/** Nobody could sign in, or recover, by a policy that asks for what is not there. The password is asked for always. */
function refuse({ key }: Kind, policies: readonly string[]): void {
  const names = key === 'okta_password' ? ['every policy'] : policies
  if (names.length === 0) return
  throw new ProtocolError(
    403,
    'E0000148',
    'Cannot modify or disable this authenticator because it is enabled in one or more policies. To continue, disable the authenticator in these policies.',
    { causes: names.map((name) => `authenticator: is asked for by ${name}`) },
  )
}

const uses: readonly AllowedFor[] = ['any', 'recovery', 'sso', 'none']

function readSettings(call: Call, kind: Kind): AuthenticatorSetup['settings'] {
  const reader = newReader()
  const { body } = call
  for (const name of ['key', 'type', 'name'] as const) {
    if (body[name] !== undefined && body[name] !== kind[name])
      reader.problems.push(`${name}: cannot be changed`)
  }
  const settings = fieldsIn(reader, body, 'settings')
  if (kind.key === 'okta_email') checkEmail(reader, settings)
  reader.check()
  const obeyed = kind.key === 'okta_email' ? ['allowedFor', 'tokenLifetimeInMinutes'] : []
  const ignored = Object.keys(settings).filter((name) => !obeyed.includes(name))
  if (ignored.length > 0) {
    call.parts.log?.warn({ authenticator: kind.key, ignored }, 'an authenticator asks for what is not obeyed')
  }
  return settings
}

function checkEmail(
  reader: Reader,
  { allowedFor, tokenLifetimeInMinutes: minutes }: AuthenticatorSetup['settings'],
): void {
  if (allowedFor !== undefined && !uses.includes(allowedFor)) {
    reader.problems.push(`settings.allowedFor: must be one of ${uses.join(', ')}`)
  }
  if (minutes !== undefined && !(Number.isInteger(minutes) && minutes >= 1 && minutes <= 1440)) {
    reader.problems.push('settings.tokenLifetimeInMinutes: must be a number from 1 to 1440')
  }
}

const one = '/authenticators/:authenticatorId'

const becomes = (name: 'activate' | 'deactivate', status: AuthenticatorSetup['status']): Operation => ({
  method: 'POST',
  path: `${one}/lifecycle/${name}`,
  role: 'all',
  summary: `Sets an authenticator ${status}${status === 'INACTIVE' ? ', unless a policy asks for it' : ''}.`,
  handle: (call) =>
    change(call, `security.authenticator.lifecycle.${name}`, (before) => ({ ...before, status })),
})

export const authenticatorOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/authenticators',
    role: 'read',
    summary: 'Lists the authenticators.',
    async handle(call) {
      const { items, next } = pageWithin(kinds, pageOf(call.query), ({ key }) => authenticatorId(key))
      const { db } = call.parts.storage
      return {
        body: await Promise.all(items.map(async (kind) => wire(call, kind, await setupOf(db, kind)))),
        next,
      }
    },
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Tells of an authenticator.',
    async handle(call) {
      const kind = kindIn(call)
      return { body: wire(call, kind, await setupOf(call.parts.storage.db, kind)) }
    },
  },
  {
    method: 'PUT',
    path: one,
    role: 'all',
    summary:
      'Changes the settings of an authenticator: of email `tokenLifetimeInMinutes`, and `allowedFor` what it is good for.',
    handle(call) {
      const settings = readSettings(call, kindIn(call))
      return change(call, 'security.authenticator.lifecycle.update', ({ status }) => ({ status, settings }))
    },
  },
  becomes('activate', 'ACTIVE'),
  becomes('deactivate', 'INACTIVE'),
]
