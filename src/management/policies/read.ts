import { isObject } from '../../base/index.ts'
import type { StoredItem } from '../../policies/index.ts'
import { invalid } from '../errors.ts'
import type { Fields } from '../input.ts'
import { fieldsIn, newReader, type Reader, requiredText, textsIn } from '../reader.ts'

export const types = [
  'PASSWORD',
  'OKTA_SIGN_ON',
  'ACCESS_POLICY',
  'MFA_ENROLL',
  'PROFILE_ENROLLMENT',
  'IDP_DISCOVERY',
]

export function typeOf({ type }: Fields): string {
  if (typeof type === 'string' && types.includes(type)) return type
  throw invalid([`type: must be one of ${types.join(', ')}`])
}

interface PolicyBody {
  readonly name: string
  readonly status: StoredItem['status']
  readonly priority: number | undefined
  readonly body: StoredItem['body']
}

/** Members that the engine sets: ignored in request bodies. */
const readOnlyMembers = [
  'id',
  'name',
  'status',
  'priority',
  'system',
  'type',
  'created',
  'lastUpdated',
  '_links',
  '_embedded',
]

function readCommon(reader: Reader, body: Fields): PolicyBody {
  const name = requiredText(reader, body, 'name', { max: 255 })
  const { priority, status = 'ACTIVE' } = body
  if (priority !== undefined && priority !== null && !(Number.isInteger(priority) && Number(priority) >= 0)) {
    reader.problems.push('priority: must be a number of at least 1')
  }
  if (status !== 'ACTIVE' && status !== 'INACTIVE') reader.problems.push('status: must be ACTIVE or INACTIVE')
  const rest = Object.fromEntries(
    Object.entries(body).filter(([member]) => !readOnlyMembers.includes(member)),
  )
  checkConditions(reader, body)
  return {
    name,
    status: status as StoredItem['status'],
    priority: typeof priority === 'number' && priority > 0 ? priority : undefined,
    body: rest,
  }
}

function checkConditions(reader: Reader, body: Fields): void {
  const people = fieldsIn(reader, fieldsIn(reader, body, 'conditions'), 'people')
  for (const kind of ['groups', 'users']) {
    const members = fieldsIn(reader, people, kind)
    textsIn(reader, members, 'include')
    textsIn(reader, members, 'exclude')
  }
}

/** The members of `complexity` and `age`, and their maximums. */
const counts: Readonly<Record<string, number>> = {
  minLength: 256,
  minLowerCase: 100,
  minUpperCase: 100,
  minNumber: 100,
  minSymbol: 100,
  historyCount: 30,
  minAgeMinutes: 100_000,
  maxAgeDays: 10_000,
}

/** The members of `lockout` and their maximums. */
const lockout: Readonly<Record<string, number>> = { maxAttempts: 100, autoUnlockMinutes: 100_000 }

function checkCounts(reader: Reader, members: Fields, most: Readonly<Record<string, number>>): void {
  for (const [name, limit] of Object.entries(most)) {
    const value = members[name]
    if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= limit)) {
      reader.problems.push(`${name}: must be a number from 0 to ${limit}`)
    }
  }
}

/** Reads a policy. Supported settings must be valid; others are stored as they are. Throws 400. */
export function readPolicy(body: Fields, type: string): PolicyBody {
  const reader = newReader()
  if ('type' in body && body.type !== type)
    reader.problems.push(`type: must be ${type}, which does not change`)
  const read = readCommon(reader, body)
  if (type === 'PASSWORD') {
    const settings = fieldsIn(reader, body, 'settings')
    const password = fieldsIn(reader, settings, 'password')
    const complexity = fieldsIn(reader, password, 'complexity')
    checkCounts(reader, { ...complexity, ...fieldsIn(reader, password, 'age') }, counts)
    checkCounts(reader, fieldsIn(reader, password, 'lockout'), lockout)
    fieldsIn(reader, fieldsIn(reader, complexity, 'dictionary'), 'common')
    textsIn(reader, complexity, 'excludeAttributes')
    const factors = fieldsIn(reader, fieldsIn(reader, settings, 'recovery'), 'factors')
    fieldsIn(reader, factors, 'okta_email')
  }
  reader.check()
  return read
}

/** The actions whose `access` is supported, by policy type. */
const accessActions: Readonly<Record<string, readonly string[]>> = {
  PASSWORD: ['selfServicePasswordReset', 'selfServiceUnlock'],
  OKTA_SIGN_ON: ['signon'],
  ACCESS_POLICY: ['appSignOn'],
}

/** Reads a rule. Supported settings must be valid; others are stored as they are. Throws 400. */
export function readRule(body: Fields, type: string): PolicyBody {
  const reader = newReader()
  const read = readCommon(reader, body)
  const actions = fieldsIn(reader, body, 'actions')
  for (const name of accessActions[type] ?? []) {
    const { access } = fieldsIn(reader, actions, name)
    if (access !== undefined && access !== 'ALLOW' && access !== 'DENY') {
      reader.problems.push(`actions.${name}.access: must be ALLOW or DENY`)
    }
  }
  if (type === 'PASSWORD') {
    const requirement = fieldsIn(reader, fieldsIn(reader, actions, 'selfServicePasswordReset'), 'requirement')
    textsIn(reader, fieldsIn(reader, requirement, 'primary'), 'methods')
    fieldsIn(reader, requirement, 'stepUp')
  }
  if (type === 'ACCESS_POLICY') {
    checkAssurance(reader, fieldsIn(reader, fieldsIn(reader, actions, 'appSignOn'), 'verificationMethod'))
  }
  reader.check()
  return read
}

function checkAssurance(reader: Reader, method: Fields): void {
  const { factorMode, constraints } = method
  if (factorMode !== undefined && factorMode !== '1FA' && factorMode !== '2FA') {
    reader.problems.push('verificationMethod.factorMode: must be 1FA or 2FA')
  }
  if (constraints === undefined || constraints === null) return
  if (!Array.isArray(constraints) || constraints.length > 20 || !constraints.every(isObject)) {
    reader.problems.push('verificationMethod.constraints: must be a list of objects')
    return
  }
  for (const constraint of constraints) {
    for (const kind of ['knowledge', 'possession']) {
      const demand = fieldsIn(reader, constraint, kind)
      for (const name of ['types', 'methods']) textsIn(reader, demand, name)
      for (const name of ['authenticationMethods', 'excludedAuthenticationMethods']) {
        const value = demand[name]
        if (value !== undefined && !(Array.isArray(value) && value.every(isObject))) {
          reader.problems.push(`verificationMethod.constraints.${name}: must be a list of objects`)
        }
      }
    }
  }
}
