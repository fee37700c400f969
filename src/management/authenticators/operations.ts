import { type Static, Type } from 'typebox'
import type { EventType } from '../../audit/index.ts'
import { apiError } from '../../base/index.ts'
import { type Authenticator, authenticatorId } from '../../flow/index.ts'
import {
  type AuthenticatorSetup,
  authenticatorSetups,
  isAllowedFor,
  policiesNeeding,
  putAuthenticatorSetup,
} from '../../policies/index.ts'
import { takeLock } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import {
  type Answer,
  type Context,
  lifecycleOperations,
  type Operation,
  operation,
  recordEvent,
} from '../operation.ts'
import { page } from '../schema.ts'
import { warnUnsupported } from '../unsupported.ts'
import { authenticator as answered, authenticatorChanges } from './schema.ts'
import { renderAuthenticator } from './wire.ts'

function getAuthenticator({ params, parts }: Context): Authenticator {
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

/** Stores the setup of an authenticator, unless an active policy requires a use that it would no longer allow. */
async function change(
  call: Context,
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
  throw apiError('E0000148', {
    causes: names.map((name) => `authenticator: is required by ${name}`),
  })
}

/** The settings of a body. Each authenticator checks its own; others are stored, have no effect, and are logged. */
function readSettings(
  call: Context,
  body: Static<typeof authenticatorChanges>,
  { key, type, displayName, settings: supported = {} }: Authenticator,
): AuthenticatorSetup['settings'] {
  const settings = Object.fromEntries(
    Object.entries(body.settings ?? {}).filter(([, value]) => value !== null),
  )
  const fixed = { key, type, name: displayName }
  const problems = [
    ...Object.entries(fixed).flatMap(([name, value]) => {
      const sent = body[name as keyof typeof fixed] ?? value
      return sent === value ? [] : [`${name}: cannot be changed`]
    }),
    ...Object.entries(supported).flatMap(([name, check]) => {
      const problem = settings[name] === undefined ? undefined : check(settings[name])
      return problem === undefined ? [] : [`settings.${name}: ${problem}`]
    }),
  ]
  if (problems.length > 0) throw invalid(problems)
  const ignored = Object.keys(settings).filter((name) => supported[name] === undefined)
  warnUnsupported(call, 'an authenticator has settings', { authenticator: key }, ignored)
  return settings
}

/** In the order in which they are listed. */
const inOrder = (all: readonly Authenticator[]): readonly Authenticator[] =>
  all.toSorted((left, right) => (left.displayName < right.displayName ? -1 : 1))

const one = '/authenticators/:authenticatorId'

export const authenticatorOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/authenticators',
    role: 'read',
    summary: 'List the authenticators',
    query: page,
    response: Type.Array(answered),
    async handle(call) {
      const { items, next } = pageWithin(inOrder(call.parts.authenticators), pageOf(call.query), ({ key }) =>
        authenticatorId(key),
      )
      const { db } = call.parts.storage
      const body = items.map(async (each) => renderAuthenticator(call, each, await setupOf(db, each)))
      return { body: await Promise.all(body), next }
    },
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get an authenticator',
    response: answered,
    async handle(call) {
      const found = getAuthenticator(call)
      return { body: renderAuthenticator(call, found, await setupOf(call.parts.storage.db, found)) }
    },
  }),
  operation({
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace the settings of an authenticator; email has `tokenLifetimeInMinutes` and `allowedFor`',
    body: authenticatorChanges,
    response: answered,
    handle(call) {
      const settings = readSettings(call, call.body, getAuthenticator(call))
      return change(call, 'security.authenticator.lifecycle.update', ({ status }) => ({ status, settings }))
    },
  }),
  ...lifecycleOperations(
    one,
    'an authenticator',
    (call, status, action) =>
      change(call, `security.authenticator.lifecycle.${action}`, (before) => ({ ...before, status })),
    { response: answered },
  ),
]
