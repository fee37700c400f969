import { type Static, Type } from 'typebox'
import type { EventType } from '../../audit/index.ts'
import { apiError } from '../../base/index.ts'
import { type Authenticator, authenticatorId } from '../../flow/index.ts'
import {
  type AuthenticatorSetup,
  authenticatorSetups,
  isAllowedFor,
  methodsOffIn,
  policiesNamingOnly,
  policiesNeeding,
  putAuthenticatorSetup,
} from '../../policies/index.ts'
import { type Tx, takeLock } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { installedAt } from '../installed.ts'
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
import {
  authenticator as answered,
  authenticatorMethod as answeredMethod,
  authenticatorChanges,
  methodChanges,
  newAuthenticator,
} from './schema.ts'
import { renderAuthenticator, renderMethod } from './wire.ts'

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
async function changeSetup(
  call: Context,
  eventType: Extract<EventType, `security.authenticator.${string}`>,
  wanted: (before: AuthenticatorSetup) => Omit<AuthenticatorSetup, 'updatedAt'>,
  check: (tx: Tx) => Promise<void> = async () => {},
): Promise<AuthenticatorSetup> {
  const { parts, now } = call
  const authenticator = getAuthenticator(call)
  const after = await parts.storage.transaction(async (tx) => {
    await takeLock(tx, 'authenticators')
    const before = await setupOf(tx, authenticator)
    const setup: AuthenticatorSetup = { ...wanted(before), updatedAt: now }
    await check(tx)
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
  return after
}

async function answerOf(call: Context, setup: AuthenticatorSetup): Promise<Answer> {
  const installed = await installedAt(call.parts.storage.db)
  return { body: renderAuthenticator(call, getAuthenticator(call), setup, installed) }
}

const change = async (...given: Parameters<typeof changeSetup>): Promise<Answer> => {
  const [call] = given
  return answerOf(call, await changeSetup(...given))
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

/** Members of settings that are about a use, and not about how a method works. */
const ofUse: readonly string[] = ['allowedFor', 'tokenLifetimeInMinutes']

/** What is wrong with the methods that a body switches off. */
function inactiveProblem(value: unknown, { methods }: Authenticator): string | undefined {
  const known = methods.map(({ type }) => type)
  if (!Array.isArray(value) || !value.every((one) => known.includes(one)))
    return `must be a list of ${known.join(', ')}`
  return known.every((one) => value.includes(one)) ? 'must leave a method' : undefined
}

/** The settings of a body. Each authenticator checks its own; others are stored, have no effect, and are logged. */
function readSettings(
  call: Context,
  body: Static<typeof authenticatorChanges>,
  authenticator: Authenticator,
): AuthenticatorSetup['settings'] {
  const { key, type, displayName, settings: own = {} } = authenticator
  const supported: Authenticator['settings'] = {
    ...own,
    inactiveMethods: (value) => inactiveProblem(value, authenticator),
  }
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

/** The method of a path. Throws 404. */
function methodOf({ params }: Context, { methods }: Authenticator): string {
  const { methodType = '' } = params
  if (!methods.some(({ type }) => type === methodType)) throw notFound(methodType, 'AuthenticatorMethod')
  return methodType
}

/** Switches a method on or off. The last one stays: without any the authenticator is to be deactivated. */
async function switchMethod(
  call: Context,
  status: 'ACTIVE' | 'INACTIVE',
  action: 'activate' | 'deactivate',
): Promise<Answer> {
  const { parts } = call
  const authenticator = getAuthenticator(call)
  const type = methodOf(call, authenticator)
  const setup = await changeSetup(
    call,
    `security.authenticator.lifecycle.${action}`,
    (before) => {
      const others = methodsOffIn(before).filter((one) => one !== type)
      const inactiveMethods = status === 'ACTIVE' ? others : [...others, type]
      if (inactiveMethods.length >= authenticator.methods.length) {
        throw invalid(['method: must not be the last one that is active; deactivate the authenticator'])
      }
      const { inactiveMethods: _, ...settings } = before.settings
      return {
        ...before,
        settings: { ...settings, ...(inactiveMethods.length > 0 && { inactiveMethods }) },
      }
    },
    async (tx) => {
      if (status === 'ACTIVE') return
      const names = await policiesNamingOnly(tx, type)
      if (names.length === 0) return
      throw apiError('E0000148', { causes: names.map((name) => `method: is the only one of ${name}`) })
    },
  )
  return { body: renderMethod({ parts }, authenticator, setup, type) }
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
      const installed = await installedAt(db)
      const setups = await authenticatorSetups(db, items)
      const body = items.flatMap((each) => {
        const setup = setups[each.key]
        return setup === undefined ? [] : [renderAuthenticator(call, each, setup, installed)]
      })
      return { body, next }
    },
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get an authenticator',
    response: answered,
    async handle(call) {
      return answerOf(call, await setupOf(call.parts.storage.db, getAuthenticator(call)))
    },
  }),
  operation({
    method: 'PUT',
    path: one,
    role: 'all',
    summary:
      'Replace the settings of an authenticator; email has `tokenLifetimeInMinutes`, `allowedFor` and `useEmailMagicLink`',
    body: authenticatorChanges,
    response: answered,
    handle(call) {
      const settings = readSettings(call, call.body, getAuthenticator(call))
      return change(call, 'security.authenticator.lifecycle.update', ({ status, settings: before }) => {
        // Methods are switched by operations of their own: a client that knows none of that does not switch them on.
        const inactiveMethods = settings.inactiveMethods ?? before.inactiveMethods
        return { status, settings: { ...settings, ...(inactiveMethods && { inactiveMethods }) } }
      })
    },
  }),
  operation({
    method: 'POST',
    path: '/authenticators',
    role: 'all',
    summary: 'Refused: all authenticators are there from the start; activate one instead',
    body: newAuthenticator,
    response: answered,
    async handle({ body, parts }) {
      const keys = parts.authenticators.map(({ key }) => key)
      throw invalid([
        keys.includes(body.key)
          ? `key: ${body.key} is there already; activate it with lifecycle/activate`
          : `key: must be one of ${keys.join(', ')}, which are there already`,
      ])
    },
  }),
  operation({
    method: 'GET',
    path: `${one}/methods`,
    role: 'read',
    summary: 'List the methods of an authenticator',
    response: Type.Array(answeredMethod),
    async handle(call) {
      const found = getAuthenticator(call)
      const setup = await setupOf(call.parts.storage.db, found)
      return { body: found.methods.map(({ type }) => renderMethod(call, found, setup, type)) }
    },
  }),
  operation({
    method: 'GET',
    path: `${one}/methods/:methodType`,
    role: 'read',
    summary: 'Get a method of an authenticator',
    response: answeredMethod,
    async handle(call) {
      const found = getAuthenticator(call)
      const setup = await setupOf(call.parts.storage.db, found)
      return { body: renderMethod(call, found, setup, methodOf(call, found)) }
    },
  }),
  operation({
    method: 'PUT',
    path: `${one}/methods/:methodType`,
    role: 'all',
    summary: 'Replace the settings of a method; its status stays',
    body: methodChanges,
    response: answeredMethod,
    async handle(call) {
      const { body } = call
      const found = getAuthenticator(call)
      const type = methodOf(call, found)
      if ((body.type ?? type) !== type) throw invalid(['type: cannot be changed'])
      const own = Object.keys(found.settings ?? {}).filter((name) => !ofUse.includes(name))
      const sent = Object.entries(body.settings ?? {}).filter(([, value]) => value !== null)
      const known = sent.filter(([name]) => own.includes(name))
      const settings = readSettings(call, { settings: Object.fromEntries(known) }, found)
      const ignored = sent.map(([name]) => name).filter((name) => !own.includes(name))
      warnUnsupported(call, 'a method has settings', { authenticator: found.key, method: type }, ignored)
      const setup = await changeSetup(
        call,
        'security.authenticator.lifecycle.update',
        ({ status, settings: before }) => ({
          status,
          settings: {
            ...Object.fromEntries(Object.entries(before).filter(([name]) => !own.includes(name))),
            ...settings,
          },
        }),
      )
      return { body: renderMethod(call, found, setup, type) }
    },
  }),
  ...lifecycleOperations(`${one}/methods/:methodType`, 'a method of an authenticator', switchMethod, {
    response: answeredMethod,
  }),
  ...lifecycleOperations(
    one,
    'an authenticator',
    (call, status, action) =>
      change(call, `security.authenticator.lifecycle.${action}`, (before) => ({ ...before, status })),
    { response: answered },
  ),
]
