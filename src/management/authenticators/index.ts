/**
 * Authenticators over HTTP, after Okta's Authenticators API: their status and settings, such as the lifetime of mailed
 * codes. The set is fixed: authenticators are neither created nor deleted.
 */
import type { EventType } from '../../audit/index.ts'
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
import {
  type Answer,
  type Call,
  lifecycleOperations,
  type Operation,
  prefix,
  recordEvent,
} from '../operation.ts'

interface AuthenticatorInfo {
  readonly key: 'okta_email' | 'okta_password'
  readonly type: string
  readonly name: string
}

const authenticators: readonly AuthenticatorInfo[] = [
  { key: 'okta_email', type: 'email', name: 'Email' },
  { key: 'okta_password', type: 'password', name: 'Password' },
]

function getAuthenticator({ params }: Call): AuthenticatorInfo {
  const id = params.authenticatorId ?? ''
  const authenticator = authenticators.find(({ key }) => authenticatorId(key) === id)
  if (authenticator === undefined) throw notFound(id, 'Authenticator')
  return authenticator
}

async function setupOf(
  db: Parameters<typeof authenticatorSetups>[0],
  { key }: AuthenticatorInfo,
): Promise<AuthenticatorSetup> {
  const setup = (await authenticatorSetups(db, [key]))[key]
  if (setup === undefined) throw new Error(`the authenticator ${key} has no setup`)
  return setup
}

function renderAuthenticator(
  { parts }: Call,
  { key, type, name }: AuthenticatorInfo,
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

/** Stores the setup of an authenticator, unless an active policy requires a use that it would no longer allow. */
async function change(
  call: Call,
  eventType: Extract<EventType, `security.authenticator.${string}`>,
  wanted: (before: AuthenticatorSetup) => Omit<AuthenticatorSetup, 'updatedAt'>,
): Promise<Answer> {
  const { parts, now } = call
  const authenticator = getAuthenticator(call)
  const after = await parts.storage.transaction(async (tx) => {
    await takeLock(tx, 'authenticators')
    const before = await setupOf(tx, authenticator)
    const setup: AuthenticatorSetup = { ...wanted(before), updatedAt: now }
    const requiring = await policiesNeedingEmail(tx)
    for (const use of ['sso', 'recovery'] as const) {
      if (isAllowedFor(before, use) && !isAllowedFor(setup, use))
        refuseIfRequired(authenticator, requiring[use])
    }
    await putAuthenticatorSetup(tx, authenticator.key, setup)
    const { key, name } = authenticator
    await recordEvent(call, tx, {
      eventType,
      displayMessage: 'Authenticator managed',
      target: [{ id: authenticatorId(key), type: 'AuthenticatorEntity', displayName: name }],
    })
    return setup
  })
  parts.policies.forget()
  return { body: renderAuthenticator(call, authenticator, after) }
}

/**
 * Throws 403 `E0000148` if policies require the authenticator: without it, the users they apply to could not sign in or
 * recover. The password is required by every policy.
 */
function refuseIfRequired({ key }: AuthenticatorInfo, policies: readonly string[]): void {
  const names = key === 'okta_password' ? ['every policy'] : policies
  if (names.length === 0) return
  throw new ProtocolError(
    403,
    'E0000148',
    'Cannot modify or disable this authenticator because it is enabled in one or more policies. To continue, disable the authenticator in these policies.',
    { causes: names.map((name) => `authenticator: is required by ${name}`) },
  )
}

const uses: readonly AllowedFor[] = ['any', 'recovery', 'sso', 'none']

function readSettings(call: Call, authenticator: AuthenticatorInfo): AuthenticatorSetup['settings'] {
  const reader = newReader()
  const { body } = call
  for (const name of ['key', 'type', 'name'] as const) {
    if (body[name] !== undefined && body[name] !== authenticator[name])
      reader.problems.push(`${name}: cannot be changed`)
  }
  const settings = fieldsIn(reader, body, 'settings')
  if (authenticator.key === 'okta_email') checkEmail(reader, settings)
  reader.check()
  const supported = authenticator.key === 'okta_email' ? ['allowedFor', 'tokenLifetimeInMinutes'] : []
  const ignored = Object.keys(settings).filter((name) => !supported.includes(name))
  if (ignored.length > 0) {
    call.parts.log?.warn(
      { authenticator: authenticator.key, ignored },
      'an authenticator has settings that are not supported',
    )
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

export const authenticatorOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/authenticators',
    role: 'read',
    summary: 'List the authenticators',
    async handle(call) {
      const { items, next } = pageWithin(authenticators, pageOf(call.query), ({ key }) =>
        authenticatorId(key),
      )
      const { db } = call.parts.storage
      return {
        body: await Promise.all(
          items.map(async (authenticator) =>
            renderAuthenticator(call, authenticator, await setupOf(db, authenticator)),
          ),
        ),
        next,
      }
    },
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get an authenticator',
    async handle(call) {
      const authenticator = getAuthenticator(call)
      return {
        body: renderAuthenticator(call, authenticator, await setupOf(call.parts.storage.db, authenticator)),
      }
    },
  },
  {
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace the settings of an authenticator; email has `tokenLifetimeInMinutes` and `allowedFor`',
    handle(call) {
      const settings = readSettings(call, getAuthenticator(call))
      return change(call, 'security.authenticator.lifecycle.update', ({ status }) => ({ status, settings }))
    },
  },
  ...lifecycleOperations(one, 'an authenticator', (call, status, action) =>
    change(call, `security.authenticator.lifecycle.${action}`, (before) => ({ ...before, status })),
  ),
]
