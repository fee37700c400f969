import type { Kept } from '../../policies/index.ts'
import { invalid } from '../errors.ts'
import { fieldsIn, newReader, type Reader, requiredText, textsIn } from '../input.ts'
import type { Fields } from '../operation.ts'

const types = [
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

interface Read {
  readonly name: string
  readonly status: Kept['status']
  readonly priority: number | undefined
  readonly body: Kept['body']
}

/** What the engine itself says of a policy: a body may carry it and is not believed. */
const ours = [
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

function readKept(reader: Reader, body: Fields): Read {
  const name = requiredText(reader, body, 'name', { max: 255 })
  const { priority, status = 'ACTIVE' } = body
  if (priority !== undefined && priority !== null && !(Number.isInteger(priority) && Number(priority) >= 0)) {
    reader.problems.push('priority: must be a number from 1')
  }
  if (status !== 'ACTIVE' && status !== 'INACTIVE') reader.problems.push('status: must be ACTIVE or INACTIVE')
  const rest = Object.fromEntries(Object.entries(body).filter(([member]) => !ours.includes(member)))
  checkConditions(reader, body)
  return {
    name,
    status: status as Kept['status'],
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

/** A policy. What the engine obeys of it must make sense; the rest is kept. Throws 400. */
export function readPolicy(body: Fields, type: string): Read {
  const reader = newReader()
  const read = readKept(reader, body)
  if (type === 'PASSWORD') {
    const password = fieldsIn(reader, fieldsIn(reader, body, 'settings'), 'password')
    const complexity = fieldsIn(reader, password, 'complexity')
    const members = { ...complexity, ...fieldsIn(reader, password, 'age') }
    for (const [name, most] of Object.entries(counts)) {
      const value = members[name]
      if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most)) {
        reader.problems.push(`${name}: must be a number from 0 to ${most}`)
      }
    }
    textsIn(reader, complexity, 'excludeAttributes')
  }
  reader.check()
  return read
}

/** A rule. A refusal that the engine would not carry out is not taken in silence. Throws 400. */
export function readRule(body: Fields, type: string): Read {
  const reader = newReader()
  const read = readKept(reader, body)
  const actions = fieldsIn(reader, body, 'actions')
  if (type === 'PASSWORD') {
    const reset = fieldsIn(reader, actions, 'selfServicePasswordReset')
    if (reset.access !== undefined && reset.access !== 'ALLOW' && reset.access !== 'DENY') {
      reader.problems.push('actions.selfServicePasswordReset.access: must be ALLOW or DENY')
    }
    const requirement = fieldsIn(reader, reset, 'requirement')
    textsIn(reader, fieldsIn(reader, requirement, 'primary'), 'methods')
  }
  for (const name of type === 'OKTA_SIGN_ON' ? ['signon'] : type === 'ACCESS_POLICY' ? ['appSignOn'] : []) {
    if (fieldsIn(reader, actions, name).access === 'DENY') {
      reader.problems.push(`actions.${name}.access: DENY is not supported`)
    }
  }
  reader.check()
  return read
}
