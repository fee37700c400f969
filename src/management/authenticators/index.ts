/**
 * Authenticators over HTTP, after Okta's Authenticators API: their status and settings, such as the lifetime of mailed
 * codes. The set is fixed: authenticators are neither created nor deleted.
 */
import type { EventType } from '../../audit/index.ts'
import { isoTime, ProtocolError } from '../../base/index.ts'
import { type Authenticator, authenticatorId } from '../../flow/index.ts'
import {
  type AuthenticatorSetup,
  authenticatorSetups,
  isAllowedFor,
  policiesNeeding,
  putAuthenticatorSetup,
} from '../../policies/index.ts'
import { takeLock } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import { pageWithin } from '../input.ts'
import {
  type Answer,
  type Call,
  lifecycleOperations,
  type Operation,
  prefix,
  recordEvent,
} from '../operation.ts'
import { fieldsIn, newReader, rawPageOf as pageOf } from '../reader.ts'

function getAuthenticator({ params, parts }: Call): Authenticator {
  const id = params.authenticatorId ?? ''
  const authenticator = parts.authenticators.find(({ key }) => authenticatorId(key) === id)
  if (authenticator === undefined) throw notFound(id, 'Authenticator')
  return authenticator
}

async function setupOf(
  db: Parameters<typeof authenticatorSetups>[0],
  authenticator: Authenticator,
): Promise<AuthenticatorSetup> {
  const setup = (await authenticatorSetups(db, [authenticator]))[authenticator.key]
  if (setup === undefined) throw new Error(`the authenticator ${authenticator.key} has no setup`)
  return setup
}

function renderAuthenticator(
  { parts }: Call,
  { key, type, displayName, settings: known = {} }: Authenticator,
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
    name: displayName,
    status,
    created: isoTime(0),
    lastUpdated: isoTime(updatedAt),
    settings: {
      ...(known.allowedFor && { allowedFor: 'any' }),
      ...(known.tokenLifetimeInMinutes && { tokenLifetimeInMinutes: minutes }),
      ...settings,
    },
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
    const requiring = await policiesNeeding(tx, authenticator.key, parts.authenticators)
    for (const use of ['sso', 'recovery'] as const) {
      if (isAllowedFor(before, use) && !isAllowedFor(setup, use))
        refuseIfRequired(authenticator, requiring[use])
    }
    await putAuthenticatorSetup(tx, authenticator.key, setup)
    const { key, displayName } = authenticator
    await recordEvent(call, tx, {
      eventType,
      displayMessage: 'Authenticator managed',
      target: [{ id: authenticatorId(key), type: 'AuthenticatorEntity', displayName }],
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
function refuseIfRequired({ reset }: Authenticator, policies: readonly string[]): void {
  const names = reset === undefined ? policies : ['every policy']
  if (names.length === 0) return
  throw new ProtocolError(
    403,
    'E0000148',
    'Cannot modify or disable this authenticator because it is enabled in one or more policies. To continue, disable the authenticator in these policies.',
    { causes: names.map((name) => `authenticator: is required by ${name}`) },
  )
}

/** Reads the settings of a body. Each authenticator checks its own; others are stored and have no effect. */
function readSettings(call: Call, authenticator: Authenticator): AuthenticatorSetup['settings'] {
  const reader = newReader()
  const { body } = call
  const fixed = { key: authenticator.key, type: authenticator.type, name: authenticator.displayName }
  for (const [name, value] of Object.entries(fixed)) {
    if (body[name] !== undefined && body[name] !== value) reader.problems.push(`${name}: cannot be changed`)
  }
  const settings = fieldsIn(reader, body, 'settings')
  const supported = authenticator.settings ?? {}
  for (const [name, check] of Object.entries(supported)) {
    const problem = settings[name] === undefined ? undefined : check(settings[name])
    if (problem !== undefined) reader.problems.push(`settings.${name}: ${problem}`)
  }
  reader.check()
  const ignored = Object.keys(settings).filter((name) => supported[name] === undefined)
  if (ignored.length > 0) {
    call.parts.log?.warn(
      { authenticator: authenticator.key, ignored },
      'an authenticator has settings that are not supported',
    )
  }
  return settings
}

/** In the order in which they are listed. */
const inOrder = (all: readonly Authenticator[]): readonly Authenticator[] =>
  all.toSorted((left, right) => (left.displayName < right.displayName ? -1 : 1))

const one = '/authenticators/:authenticatorId'

export const authenticatorOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/authenticators',
    role: 'read',
    summary: 'List the authenticators',
    async handle(call) {
      const { items, next } = pageWithin(inOrder(call.parts.authenticators), pageOf(call.query), ({ key }) =>
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
